"""Delivery: what is owed reaches the phone once or is accounted for, on good days and bad ones."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import g
from sqlalchemy import select, update

from miniprogram_api.wechat import SendOutcome
from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import CourseRun
from models.grants import MessageGrant
from models.notices import Delivery, Notice, TemplateName
from models.notices.sending import LEASE, claim_due
from server.jobs.delivery import (
    AHEAD,
    FIRST_DELAY,
    LONGEST_DELAY,
    MOST_ATTEMPTS,
    MOST_IN_VAIN,
    deliver_due,
    settle_lost,
)
from server.settings import WECHAT_CONNECTIONS as CONNECTIONS
from tests.people import Person, Town
from tests.phones import Door
from tests.sandbox import SEND, STABLE_TOKEN

RESULT = TemplateName.REGISTRATION_RESULT


def remaining(person: Person) -> int:
    with reading() as session:
        return session.scalars(
            select(MessageGrant.remaining).where(MessageGrant.account_id == person.account_id)
        ).one()


def notices(person: Person) -> list[Notice]:
    with reading() as session:
        return list(
            session.scalars(select(Notice).where(Notice.account_id == person.account_id).order_by(Notice.id))
        )


def the_notice(person: Person) -> Notice:
    (only,) = notices(person)
    return only


def deliver() -> int:
    return deliver_due(town_clock.now())


def test_a_seat_taken_reaches_the_phone_in_the_right_words(working: Door, town: Town) -> None:
    working.allow(town.resident)
    town.resident.tap(town.a_run(title="一门名字特别特别特别特别特别特别长的书法课🖌️"))
    assert deliver() == 1
    (message,) = working.sandbox.messages(town.resident.openid)
    assert message["title"] == "报名结果通知"
    assert message["values"]["time2"] == "2026年12月3日 18:00"
    assert message["values"]["phrase4"] == "报名成功"
    assert len(message["values"]["thing1"]) == 20
    assert message["page"].startswith("pages/courses/run?key=")
    assert message["miniprogram_state"] == "formal"
    notice = the_notice(town.resident)
    assert (notice.delivery, notice.attempts) == (Delivery.SENT, 1)
    assert notice.settled_at is not None
    assert remaining(town.resident) == 0


def test_what_was_sent_is_not_sent_again(working: Door, town: Town) -> None:
    working.allow(town.resident, times=3)
    town.resident.tap(town.a_run())
    assert [deliver() for _ in range(3)] == [1, 0, 0]
    assert working.sandbox.calls(SEND) == 1
    assert remaining(town.resident) == 2


def test_what_became_of_a_notice_is_written_down_when_the_database_is_back(
    working: Door, town: Town, hang_up_on_outcomes: Callable[[str], list[str]]
) -> None:
    working.allow(town.resident)
    town.resident.tap(town.a_run())
    lost = hang_up_on_outcomes("notices")
    assert deliver() == 1
    assert len(lost) == 1
    assert the_notice(town.resident).delivery is Delivery.SENT
    assert working.sandbox.calls(SEND) == 1


def test_without_a_grant_nothing_is_sent(working: Door, town: Town) -> None:
    town.resident.tap(town.a_run())
    assert deliver() == 1
    assert the_notice(town.resident).delivery is Delivery.NOT_GRANTED
    assert working.sandbox.calls(SEND) == working.sandbox.calls(STABLE_TOKEN) == 0


def test_one_grant_is_one_message(working: Door, town: Town) -> None:
    working.allow(town.resident)
    for _ in range(2):
        town.resident.tap(town.a_run())
    assert [deliver(), deliver()] == [2, 0]
    assert [n.delivery for n in notices(town.resident)] == [Delivery.SENT, Delivery.NOT_GRANTED]


def test_when_wechat_says_nothing_is_left_the_ledger_believes_it(working: Door, town: Town) -> None:
    working.sandbox.user(town.resident.openid)
    town.resident.allows(RESULT, times=3)
    town.resident.tap(town.a_run())
    deliver()
    notice = the_notice(town.resident)
    assert (notice.delivery, notice.outcome) == (Delivery.REFUSED, "43101")
    assert remaining(town.resident) == 0
    town.resident.tap(town.a_run())
    deliver()
    assert working.sandbox.calls(SEND) == 1


@pytest.mark.parametrize("errcode", [47003, 40003, 40037, 43107, 41030, 45168, 99999])
def test_a_message_wechat_refuses_is_recorded_and_never_loops(
    working: Door, town: Town, clock: StoppedClock, errcode: int
) -> None:
    working.allow(town.resident)
    town.resident.tap(town.a_run())
    working.sandbox.fault(SEND, errcode=errcode, times=None)
    deliver()
    notice = the_notice(town.resident)
    assert (notice.delivery, notice.outcome) == (Delivery.REFUSED, str(errcode))
    clock.advance(days=3)
    assert deliver() == 0
    assert working.sandbox.calls(SEND) == 1


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        (SEND, {"errcode": -1}),
        (SEND, {"errcode": 45009}),
        (SEND, {"errcode": 43108}),
        (SEND, {"errcode": 45011}),
        (SEND, {"http_status": 412}),
        (STABLE_TOKEN, {"errcode": -1}),
        (STABLE_TOKEN, {"errcode": 40164}),
        (STABLE_TOKEN, {"http_status": 500}),
        (STABLE_TOKEN, {"reset_before": True}),
    ],
)
def test_what_surely_did_not_arrive_goes_again_later_and_its_grant_comes_back(
    working: Door, town: Town, clock: StoppedClock, path: str, fault: dict[str, Any]
) -> None:
    working.allow(town.resident)
    town.resident.tap(town.a_run())
    working.sandbox.fault(path, **fault)
    assert deliver() == 0
    notice = the_notice(town.resident)
    assert (notice.delivery, notice.attempts) == (Delivery.OWED, 1)
    assert notice.due_at == town_clock.now() + FIRST_DELAY
    assert remaining(town.resident) == 1
    assert working.sandbox.messages(town.resident.openid) == []
    assert deliver() == 0  # not before it is due
    clock.advance(seconds=60)  # also past the pause after a token that was refused
    assert deliver() == 1
    assert len(working.sandbox.messages(town.resident.openid)) == 1
    assert remaining(town.resident) == 0


def test_the_delay_grows_and_after_the_last_attempt_it_is_over(
    working: Door, town: Town, clock: StoppedClock
) -> None:
    working.allow(town.resident)
    far = town_clock.now() + timedelta(days=60)
    town.resident.tap(town.a_run(starts_at=far))
    working.sandbox.fault(SEND, errcode=-1, times=None)
    delays: list[timedelta] = []
    for _ in range(MOST_ATTEMPTS - 1):
        deliver()
        notice = the_notice(town.resident)
        assert notice.delivery is Delivery.OWED
        delays.append(notice.due_at - town_clock.now())
        clock.move_to(notice.due_at)
    deliver()
    notice = the_notice(town.resident)
    assert (notice.delivery, notice.outcome, notice.attempts) == (Delivery.FAILED, "-1", MOST_ATTEMPTS)
    assert delays[0] == FIRST_DELAY
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY
    assert sum(delays, timedelta()) > timedelta(
        hours=20
    )  # a used-up daily quota comes back before that is over
    clock.advance(days=1)
    assert deliver() == 0
    assert working.sandbox.calls(SEND) == MOST_ATTEMPTS
    assert remaining(town.resident) == 1


@pytest.mark.parametrize(
    "fault",
    [{"latency_ms": 900}, {"reset_after_processing": True}, {"http_status": 500}, {"http_status": 502}],
)
@pytest.mark.usefixtures("impatient")
def test_what_nobody_knows_is_shown_to_staff_and_never_sent_twice(
    working: Door, town: Town, clock: StoppedClock, fault: dict[str, Any]
) -> None:
    working.allow(town.resident, times=2)
    town.resident.tap(town.a_run())
    working.sandbox.fault(SEND, **fault)
    assert deliver() == 1
    assert the_notice(town.resident).delivery is Delivery.UNKNOWN
    clock.advance(days=1)
    assert deliver() == 0
    assert working.sandbox.calls(SEND) == 1
    assert remaining(town.resident) == 1


def test_a_message_about_a_seat_given_up_is_not_sent_and_costs_no_grant(working: Door, town: Town) -> None:
    working.allow(town.resident)
    run = town.a_run()
    town.resident.tap(run)
    town.resident.give_up(run)
    assert deliver() == 1
    assert the_notice(town.resident).delivery is Delivery.STALE
    assert remaining(town.resident) == 1
    assert working.sandbox.calls(SEND) == 0


def test_a_message_about_a_class_that_is_over_is_not_sent(
    working: Door, town: Town, clock: StoppedClock
) -> None:
    working.allow(town.resident)
    run = town.a_run()
    town.resident.tap(run)
    clock.move_to(run.ends_at)
    deliver()
    assert the_notice(town.resident).delivery is Delivery.STALE


def test_who_moves_up_at_night_hears_of_it_in_the_morning_and_ones_own_tap_at_once(
    working: Door, town: Town, clock: StoppedClock
) -> None:
    clock.move_to(datetime(2026, 11, 20, 23, 0, tzinfo=town_clock.TOWN_ZONE))
    run = town.a_run(capacity=1)
    for person in (town.resident, town.neighbour):
        working.allow(person)
        person.tap(run)
    assert deliver() == 1
    assert the_notice(town.resident).delivery is Delivery.SENT
    town.resident.give_up(run)
    assert deliver() == 0
    clock.move_to(datetime(2026, 11, 21, 7, 59, tzinfo=town_clock.TOWN_ZONE))
    assert deliver() == 0
    clock.move_to(datetime(2026, 11, 21, 8, 0, tzinfo=town_clock.TOWN_ZONE))
    assert deliver() == 1
    (message,) = working.sandbox.messages(town.neighbour.openid)
    assert message["values"]["phrase4"] == "已转正"


def test_who_tapped_for_another_is_told_and_so_is_the_other_if_they_have_a_phone(
    working: Door, town: Town
) -> None:
    working.allow(town.helper)
    town.helper.tap(town.a_run(), for_whom=town.elder)
    assert deliver() == 1
    assert len(working.sandbox.messages(town.helper.openid)) == 1


def test_a_worker_lost_between_claim_and_settling_leaves_it_unknown_after_the_lease(
    working: Door, town: Town, clock: StoppedClock
) -> None:
    working.allow(town.resident)
    town.resident.tap(town.a_run())
    with transaction() as session:
        assert len(claim_due(session, worker="killed-in-the-middle", most=10)) == 1
    assert deliver() == 0
    clock.advance(seconds=LEASE.total_seconds())
    assert settle_lost(town_clock.now()) == 0
    clock.advance(seconds=1)
    assert settle_lost(town_clock.now()) == 1
    notice = the_notice(town.resident)
    assert (notice.delivery, notice.outcome) == (Delivery.UNKNOWN, "worker_lost")
    assert deliver() == settle_lost(town_clock.now()) == 0
    assert working.sandbox.calls(SEND) == 0


@pytest.mark.parametrize("errcode", [0, -1, 47003])
def test_an_outcome_that_comes_after_the_lease_changes_nothing(
    working: Door, town: Town, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch, errcode: int
) -> None:
    """The notice was given up as unknown meanwhile; whether its grant was used up, nobody asks any more."""
    working.allow(town.resident)
    town.resident.tap(town.a_run())
    if errcode:
        working.sandbox.fault(SEND, errcode=errcode)
    gateway = working.app.extensions["wechat"]
    send = gateway.send

    def outlast_the_lease(*letter: Any, **more: Any) -> SendOutcome:
        outcome: SendOutcome = send(*letter, **more)
        clock.advance(seconds=LEASE.total_seconds() + 1)
        with working.app.app_context():
            assert settle_lost(town_clock.now()) == 1
        return outcome

    monkeypatch.setattr(gateway, "send", outlast_the_lease)
    deliver()
    notice = the_notice(town.resident)
    assert (notice.delivery, notice.outcome) == (Delivery.UNKNOWN, "worker_lost")
    assert remaining(town.resident) == 0
    assert working.sandbox.calls(SEND) == 1


def test_two_workers_at_once_never_send_one_message_twice(working: Door, town: Town) -> None:
    run = town.a_run(capacity=30)
    people = town.people(24)
    for person in people:
        working.allow(person)
        person.tap(run)
    together = threading.Barrier(3)

    def work() -> None:
        with working.app.app_context():
            together.wait()
            while deliver():
                pass

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert working.sandbox.calls(SEND) == len(people)
    for person in people:
        assert len(working.sandbox.messages(person.openid)) == 1
        assert the_notice(person).delivery is Delivery.SENT


def test_a_slow_wechat_does_not_outlast_the_lease(working: Door, town: Town, clock: StoppedClock) -> None:
    run = town.a_run(capacity=30)
    people = town.people(CONNECTIONS + 2)
    for person in people:
        working.allow(person)
        person.tap(run)
    working.sandbox.fault(SEND, latency_ms=300, times=None)

    def let_time_pass() -> None:
        while working.sandbox.calls(SEND) < CONNECTIONS:
            pass
        clock.advance(seconds=LEASE.total_seconds() / 2)

    passing = threading.Thread(target=let_time_pass)
    passing.start()
    assert deliver() == CONNECTIONS
    passing.join()
    assert (
        sorted(the_notice(person).delivery for person in people)
        == [Delivery.OWED] * 2 + [Delivery.SENT] * CONNECTIONS
    )
    assert sorted(remaining(person) for person in people) == [0] * CONNECTIONS + [1, 1]
    assert settle_lost(town_clock.now()) == 0
    clock.advance(seconds=FIRST_DELAY.total_seconds())
    assert deliver() == 2
    assert all(len(working.sandbox.messages(person.openid)) == 1 for person in people)


@pytest.mark.parametrize("path", [SEND, STABLE_TOKEN])
def test_on_a_bad_day_wechat_is_not_stormed(
    working: Door, town: Town, clock: StoppedClock, path: str
) -> None:
    run = town.a_run(capacity=60)
    people = town.people(50)
    for person in people:
        working.allow(person)
        person.tap(run)
    working.sandbox.fault(path, errcode=-1, times=None)
    assert deliver() == 0
    assert (
        working.sandbox.calls(path) < MOST_IN_VAIN + CONNECTIONS
    )  # no more than were under way when it showed
    assert {the_notice(person).delivery for person in people} == {Delivery.OWED}
    assert {remaining(person) for person in people} == {1}
    working.sandbox.clear_faults()
    clock.advance(minutes=1)
    assert deliver() == len(people)


def test_a_message_wechat_refuses_costs_no_grant(working: Door, town: Town) -> None:
    """WeChat takes a permission for what it accepts alone (wechat.md §4.3)."""
    working.allow(town.resident)
    town.resident.tap(town.a_run())
    working.sandbox.fault(SEND, errcode=47003)
    deliver()
    assert the_notice(town.resident).delivery is Delivery.REFUSED
    assert remaining(town.resident) == 1


def test_that_some_people_are_busy_says_nothing_of_the_others(working: Door, town: Town) -> None:
    run = town.a_run(capacity=30)
    people = town.people(CONNECTIONS + MOST_IN_VAIN)
    for person in people:
        working.allow(person)
        person.tap(run)
    for person in people[:MOST_IN_VAIN]:
        working.sandbox.fault(SEND, errcode=43108, openid=person.openid)
    assert deliver() == CONNECTIONS
    assert [the_notice(person).outcome for person in people[:MOST_IN_VAIN]] == ["43108"] * MOST_IN_VAIN


def test_a_worker_told_to_stop_finishes_what_is_under_way_and_puts_the_rest_back(
    working: Door, town: Town
) -> None:
    run = town.a_run(capacity=60)
    people = town.people(CONNECTIONS + 20)
    for person in people:
        working.allow(person)
        person.tap(run)
    working.sandbox.fault(SEND, latency_ms=300, times=None)
    g.stop = threading.Event()

    def tell() -> None:
        while working.sandbox.calls(SEND) < CONNECTIONS:
            pass
        g_stop.set()

    g_stop = g.stop
    telling = threading.Thread(target=tell)
    telling.start()
    assert deliver() == CONNECTIONS
    telling.join()
    states = sorted(the_notice(person).delivery for person in people)
    assert states == [Delivery.OWED] * 20 + [Delivery.SENT] * CONNECTIONS
    g.stop = None
    working.sandbox.clear_faults()
    assert deliver() == 20  # at once, by the next worker
    assert all(len(working.sandbox.messages(person.openid)) == 1 for person in people)


def test_a_run_goes_on_while_there_is_more_also_when_nobody_allowed_anything(
    working: Door, town: Town
) -> None:
    more = CONNECTIONS * AHEAD + 5
    run = town.a_run(capacity=more)
    for person in town.people(more):
        person.tap(run)
    assert [deliver(), deliver()] == [more, 0]


def test_one_notice_that_cannot_be_written_does_not_hold_up_the_others(working: Door, town: Town) -> None:
    run = town.a_run()
    for person in (town.resident, town.neighbour):
        working.allow(person)
        person.tap(run)
    broken = the_notice(town.resident)
    with transaction() as session:
        session.execute(update(Notice).where(Notice.id == broken.id).values(facts={"page_subject": run.key}))
    assert deliver() == 2
    assert (the_notice(town.resident).delivery, the_notice(town.resident).outcome) == (
        Delivery.FAILED,
        "unwritable",
    )
    assert remaining(town.resident) == 1
    assert the_notice(town.neighbour).delivery is Delivery.SENT


def test_a_run_can_be_looked_up_by_what_the_message_points_at(working: Door, town: Town) -> None:
    working.allow(town.resident)
    run = town.a_run()
    town.resident.tap(run)
    deliver()
    (message,) = working.sandbox.messages(town.resident.openid)
    with reading() as session:
        key = message["page"].partition("key=")[2]
        assert session.scalars(select(CourseRun.id).where(CourseRun.key == key)).one() == run.id
