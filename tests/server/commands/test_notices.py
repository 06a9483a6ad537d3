"""What an operator reads of messages and pushes: how many stand where, what is late, what is stuck, and the catalogue as a table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from click.testing import Result
from sqlalchemy import select, update

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.notices import MOMENTS, PROMPTS, Delivery, Notice
from models.notices.sending import LEASE, claim_due, put_back
from models.pushes import MOST_ATTEMPTS, Push, PushKind, PushState, Told, note_failure, take_down
from server.commands.notices import DELIVERIES
from tests.people import Town
from tests.phones import Door, door, doors, sandbox

__all__ = ["door", "doors", "sandbox"]

Runs = Callable[..., Result]


@pytest.fixture
def flask(door: Door, town: Town) -> Runs:
    """``flask …`` on a town with people in it."""
    return lambda *args: door.app.test_cli_runner().invoke(args=list(args))


def said(result: Result) -> list[str]:
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout.splitlines()


def test_a_quiet_town_has_nothing_late_and_nothing_stuck(flask: Runs) -> None:
    lines = said(flask("notices", "status"))
    assert lines[: len(Delivery)] == [f"{state} {words}：0" for state, words in DELIVERIES.items()]
    assert lines[len(Delivery) :] == ["没有该发还没发的", "没有卡住的"]
    assert set(DELIVERIES) == set(Delivery)


def test_what_should_have_gone_out_is_named_with_its_last_trouble(
    flask: Runs, town: Town, clock: StoppedClock
) -> None:
    for person in (town.resident, town.neighbour):
        person.tap(town.a_run())
    with transaction() as session:
        claimed = claim_due(session, worker="trial", most=1)
    with transaction() as session:
        put_back(session, claimed[0].notice.id, due_at=town_clock.now(), outcome="-1")
    clock.advance(minutes=7)
    lines = said(flask("notices", "status"))
    assert "owed 待发送：2" in lines
    late = "该发还没发：报名成功（registration_confirmed）1 条，最早的从 2026年11月20日 12:00 起，已 7 分钟"
    assert sorted(lines[-3:-1]) == [late, f"{late}，上次结果 -1"]
    assert town.resident.name not in "".join(lines)


def test_what_a_lost_worker_holds_is_named(flask: Runs, town: Town, clock: StoppedClock) -> None:
    town.resident.tap(town.a_run())
    with transaction() as session:
        claim_due(session, worker="lost", most=1)
    assert said(flask("notices", "status"))[-1] == "没有卡住的"
    clock.move_to(town_clock.now() + LEASE + timedelta(minutes=1))
    assert said(flask("notices", "status"))[-1].startswith(
        "发送中断，等待标为结果不明：报名成功（registration_confirmed）1 条"
    )


def test_the_catalogue_is_a_table_with_a_line_for_every_moment_and_every_tap(flask: Runs) -> None:
    lines = said(flask("notices", "catalogue"))
    head, rule, *rest = lines
    rows = rest[: len(MOMENTS)]
    assert {line.count("|") for line in (head, rule, *rows)} == {head.count("|")}
    assert [row.split(" | ")[0] for row in rows] == [f"| {m.title}（{kind}）" for kind, m in MOMENTS.items()]
    reminder = next(row for row in rows if "class_soon" in row)
    for cell in (
        "课前两小时",
        "开课提醒（class_reminder）",
        "time2=starts_at",
        "马上",
        "2 小时，最晚到 starts_at",
    ):
        assert cell in reminder
    assert reminder.endswith("| 只在站内 |")
    assert next(row for row in rows if "registration_promoted" in row).endswith(
        "| 短信（promoted），再不行打电话 |"
    )
    assert [line.partition("：")[0] for line in rest[len(MOMENTS) + 1 :]] == list(PROMPTS)


# --- pushes -------------------------------------------------------------------------------------------------------


def test_pushes_that_are_stuck_are_listed_and_tried_again(flask: Runs, door: Door) -> None:
    assert said(flask("pushes", "stuck")) == said(flask("pushes", "again")) == ["没有办不成的推送"]
    with transaction() as session:
        take_down(
            session,
            [
                Told(kind=PushKind.POPUP_ANSWERED, openid="o-000009", at=town_clock.now(), dedupe_key=key)
                for key in ("one", "another")
            ],
        )
    with transaction() as session:
        stuck = session.scalars(select(Push).where(Push.dedupe_key == "one")).one()
        for _ in range(MOST_ATTEMPTS):
            note_failure(stuck, "KeyError")
    listed = said(flask("pushes", "stuck"))
    assert listed == [
        f"{stuck.id} popup_answered 2026年11月20日 12:00 收到，试了 {MOST_ATTEMPTS} 次：KeyError",
        "共 1 条：popup_answered 1 条",
    ]
    assert "o-000009" not in "".join(listed)
    assert said(flask("pushes", "again")) == ["1 条推送会马上再办"]
    with reading() as session:
        again = session.get_one(Push, stuck.id)
        assert (again.state, again.attempts, again.due_at) == (PushState.OWED, 0, town_clock.now())
        assert again.openid == "o-000009"
    assert said(flask("pushes", "stuck")) == ["没有办不成的推送"]


def test_a_settled_history_does_not_make_anything_late(flask: Runs, town: Town) -> None:
    town.resident.tap(town.a_run())
    with transaction() as session:
        session.execute(update(Notice).values(delivery=Delivery.SENT, settled_at=town_clock.now()))
    assert said(flask("notices", "status"))[-2:] == ["没有该发还没发的", "没有卡住的"]
