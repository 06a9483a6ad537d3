"""What did not arrive is shown to those who can do something about it, and to nobody else; nothing is told twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.journal import JournalEntry
from models.notices import Delivery, Notice, TemplateName
from models.notices.dead_letters import count_waiting
from models.policies import set_policy
from models.regions import Region
from server.jobs.delivery import deliver_due
from tests.people import Person, Town
from tests.phones import Door, the_problem, told
from tests.sandbox import SEND

RESULT = TemplateName.REGISTRATION_RESULT


def a_notice(town: Town, person: Person, delivery: Delivery, outcome: str | None = None) -> str:
    """A notice of this person that ended so, now; its key."""
    town_run = town.a_run()
    person.tap(town_run)
    with transaction() as session:
        notice = session.scalars(
            select(Notice).where(Notice.account_id == person.account_id).order_by(Notice.id.desc()).limit(1)
        ).one()
        notice.delivery, notice.outcome, notice.settled_at = delivery, outcome, town_clock.now()
        return notice.key


def now(key: str) -> Notice:
    with reading() as session:
        return session.scalars(select(Notice).where(Notice.key == key)).one()


def waiting() -> dict[str, int]:
    with reading() as session:
        return dict(count_waiting(session, town_clock.now()))


# --- looking ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["clerk", "admin"])
def test_a_clerk_sees_what_did_not_arrive_in_words_and_with_masked_names(
    door: Door, town: Town, clock: StoppedClock, who: str
) -> None:
    endings = [
        (Delivery.REFUSED, "43101", "对方没有允许这类消息，或允许的次数已经用完", False),
        (Delivery.REFUSED, "99999", "微信拒绝发送（代码 99999），请告诉技术人员", False),
        (Delivery.FAILED, "-1", "试了很多次都没有发出去，可能是网络或微信繁忙", True),
        (Delivery.FAILED, "sent_event 5001", "微信收下了，但没能送到对方手机上", True),
        (Delivery.FAILED, "unwritable", "内容填不进消息模板，请告诉技术人员", False),
        (
            Delivery.UNKNOWN,
            "worker_lost",
            "发送时断了线，不知道对方有没有收到；为了不重复打扰，没有再发",
            False,
        ),
        (Delivery.CAPPED, None, "当天已经收到很多消息，这条只放在站内", False),
    ]
    for delivery, outcome, _, _ in endings:
        a_notice(town, town.resident, delivery, outcome)
        clock.advance(minutes=1)
    shown = told(door.phone(getattr(town, who)).get("/staff/notices"))
    assert [
        (item["delivery"], item["outcome"], item["can_be_sent_again"]) for item in reversed(shown["items"])
    ] == [(delivery.value, why, again) for delivery, _, why, again in endings]
    first = shown["items"][0]
    assert (first["title"], first["name"], first["settled_at"]) == (
        "报名成功",
        "*静",
        "2026-11-20T12:06:00+08:00",
    )
    assert set(first) == {
        "key", "kind", "title", "name", "created_at", "settled_at", "read_at", "delivery", "outcome", "can_be_sent_again",
    }  # fmt: skip


def test_what_arrived_or_was_never_allowed_is_not_shown(door: Door, town: Town) -> None:
    for delivery in set(Delivery) - {Delivery.REFUSED, Delivery.FAILED, Delivery.UNKNOWN, Delivery.CAPPED}:
        a_notice(town, town.resident, delivery)
    assert told(door.phone(town.clerk).get("/staff/notices"))["items"] == []


def test_everybody_sees_the_people_of_their_own_place_only(door: Door, town: Town) -> None:
    a_notice(town, town.resident, Delivery.UNKNOWN)
    theirs = a_notice(town, town.outsider, Delivery.UNKNOWN)
    (shown,) = told(door.phone(town.clerk).get("/staff/notices"))["items"]
    assert shown["name"] == "*静"
    for nobody in (town.grid_worker, town.street_officer):
        assert told(door.phone(nobody).get("/staff/notices"))["items"] == []
    for unfit in (town.resident, town.partner_member):
        the_problem(door.phone(unfit).get("/staff/notices"), 403, "identity_unfit")
    for who in (town.clerk, town.grid_worker):
        for key in (theirs, "a" * 16):
            the_problem(door.phone(who).post(f"/staff/notices/{key}/sending"), 404, "not_found")


def test_one_way_of_ending_is_asked_for_and_walked_to_the_end(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    keys: list[str] = []
    for _ in range(3):
        keys.insert(0, a_notice(town, town.resident, Delivery.FAILED, "-1"))
        a_notice(town, town.neighbour, Delivery.CAPPED)
        clock.advance(minutes=1)
    keys.insert(0, a_notice(town, town.resident, Delivery.FAILED, "-1"))
    keys.insert(0, a_notice(town, town.resident, Delivery.FAILED, "-1"))  # at the very same moment
    phone, seen, query = door.phone(town.clerk), [], "?delivery=failed&limit=1"
    for _ in range(6):
        page = told(phone.get(f"/staff/notices{query}"))
        seen += [item["key"] for item in page["items"]]
        if page["next"] is None:
            break
        query = f"?delivery=failed&limit=1&cursor={page['next']}"
    assert seen == keys
    the_problem(phone.get("/staff/notices?delivery=sent"), 422, "invalid")


def test_every_look_is_journalled_for_whom_it_concerned_and_stands_in_their_copy(
    door: Door, town: Town
) -> None:
    for person in (
        town.guardian,
        town.neighbour,
        town.resident,
    ):  # the first is the oldest: it is not on the page
        a_notice(town, person, Delivery.UNKNOWN)
    told(door.phone(town.clerk).get("/staff/notices?limit=2"))
    with reading() as session:
        entries = session.scalars(select(JournalEntry).where(JournalEntry.act == "notice.looked_at")).all()
    assert {(e.by_account_id, e.identity) for e in entries} == {(town.clerk.account_id, town.clerk.identity)}
    assert sorted(e.for_resident_id or 0 for e in entries) == sorted(
        [town.resident.resident_id, town.neighbour.resident_id]
    )
    copy = told(door.phone(town.resident).get("/me/copy"))
    assert "查看没有送达的消息" in str(copy)


# --- sending again ------------------------------------------------------------------------------------------------


def test_what_surely_did_not_arrive_is_sent_again_and_arrives_once(door: Door, town: Town) -> None:
    door.allow(town.resident)
    key = a_notice(town, town.resident, Delivery.FAILED, "-1")
    again = told(door.phone(town.clerk).post(f"/staff/notices/{key}/sending"), 201)
    assert (again["key"], again["delivery"], again["outcome"]) == (key, "owed", "正在重新发送")
    the_problem(door.phone(town.admin).post(f"/staff/notices/{key}/sending"), 409, "may_have_arrived")
    with door.app.app_context():
        assert deliver_due(town_clock.now()) == 1
    assert now(key).delivery is Delivery.SENT
    assert len(door.sandbox.messages(town.resident.openid)) == door.sandbox.calls(SEND) == 1
    the_problem(door.phone(town.clerk).post(f"/staff/notices/{key}/sending"), 409, "may_have_arrived")
    with reading() as session:
        entry = session.scalars(select(JournalEntry).where(JournalEntry.act == "notice.sent_again")).one()
    assert (entry.identity, entry.for_resident_id) == (town.clerk.identity, town.resident.resident_id)


def test_a_retry_of_the_same_attempt_hears_the_same_answer(door: Door, town: Town) -> None:
    key = a_notice(town, town.resident, Delivery.FAILED, "-1")
    phone, attempt = door.phone(town.clerk), {"Idempotency-Key": "once"}
    first = told(phone.post(f"/staff/notices/{key}/sending", headers=attempt), 201)
    assert told(phone.post(f"/staff/notices/{key}/sending", headers=attempt), 201) == first


@pytest.mark.parametrize(
    ("delivery", "outcome", "code"),
    [
        (Delivery.UNKNOWN, "worker_lost", "may_have_arrived"),
        (Delivery.SENT, "36", "may_have_arrived"),
        (Delivery.SENDING, None, "may_have_arrived"),
        (Delivery.OWED, None, "may_have_arrived"),
        (Delivery.REFUSED, "47003", "not_to_be_sent_again"),
        (Delivery.CAPPED, None, "not_to_be_sent_again"),
        (Delivery.NOT_GRANTED, None, "not_to_be_sent_again"),
        (Delivery.MERGED, None, "not_to_be_sent_again"),
        (Delivery.FAILED, "unwritable", "not_to_be_sent_again"),
    ],
)
def test_nothing_is_told_twice_nor_sent_in_vain(
    door: Door, town: Town, delivery: Delivery, outcome: str | None, code: str
) -> None:
    key = a_notice(town, town.resident, delivery, outcome)
    the_problem(door.phone(town.clerk).post(f"/staff/notices/{key}/sending"), 409, code)
    assert now(key).delivery is delivery


def test_old_news_is_not_sent_again(door: Door, town: Town, clock: StoppedClock) -> None:
    key = a_notice(town, town.resident, Delivery.FAILED, "-1")
    clock.move_to(now(key).worth_until)
    phone = door.phone(town.clerk)
    assert [item["can_be_sent_again"] for item in told(phone.get("/staff/notices"))["items"]] == [False]
    the_problem(phone.post(f"/staff/notices/{key}/sending"), 409, "not_worth_sending")


def test_what_waits_for_the_morning_waits_again(door: Door, town: Town, clock: StoppedClock) -> None:
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    town.neighbour.tap(run)
    town.resident.give_up(run)
    with transaction() as session:
        notice = session.scalars(select(Notice).where(Notice.account_id == town.neighbour.account_id)).one()
        notice.delivery, notice.settled_at = Delivery.FAILED, town_clock.now()
        set_policy(session, session.get_one(Region, town.wutong.id), "quiet_from", "20:00")
    clock.advance(hours=9)
    told(door.phone(town.clerk).post(f"/staff/notices/{notice.key}/sending"), 201)
    assert town_clock.in_town(now(notice.key).due_at).isoformat() == "2026-11-21T08:00:00+08:00"


# --- what waits for somebody --------------------------------------------------------------------------------------


def test_what_asks_for_a_person_is_counted_where_its_people_live(town: Town) -> None:
    for person in (town.resident, town.neighbour, town.outsider):
        a_notice(town, person, Delivery.FAILED, "-1")
    a_notice(town, town.resident, Delivery.UNKNOWN, "worker_lost")
    a_notice(town, town.resident, Delivery.REFUSED, "47003")
    assert waiting() == {town.wutong.path: 4, town.wangjiang.path: 1}


@pytest.mark.parametrize(
    ("delivery", "outcome"),
    [
        (Delivery.REFUSED, "43101"),
        (Delivery.CAPPED, None),
        (Delivery.NOT_GRANTED, None),
        (Delivery.SENT, "1"),
    ],
)
def test_what_the_person_did_not_want_asks_for_nobody(
    town: Town, delivery: Delivery, outcome: str | None
) -> None:
    a_notice(town, town.resident, delivery, outcome)
    assert waiting() == {}


def test_what_was_read_in_the_inbox_or_is_old_news_asks_for_nobody(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    read, old = (a_notice(town, town.resident, Delivery.UNKNOWN) for _ in range(2))
    told(door.phone(town.resident).put(f"/me/notices/{read}/reading"))
    assert waiting() == {town.wutong.path: 1}
    clock.move_to(now(old).worth_until)
    assert waiting() == {}


def test_what_died_after_the_moment_asked_for_does_not_count_yet(town: Town, clock: StoppedClock) -> None:
    before = town_clock.now() - timedelta(seconds=1)
    a_notice(town, town.resident, Delivery.UNKNOWN)
    with reading() as session:
        assert count_waiting(session, before) == {}


def test_a_history_of_letters_that_arrived_is_not_walked_through(town: Town, statements: list[str]) -> None:
    a_notice(town, town.resident, Delivery.UNKNOWN)
    with transaction() as session:
        session.execute(update(Notice).values(outcome="timeout"))
    del statements[:]
    assert sum(waiting().values()) == 1
    counting: Any = [said for said in statements if "count(" in said.lower()]
    assert len(counting) == 1
    assert "delivery IN ('refused', 'failed', 'unknown', 'capped')" in counting[0]
