"""The call list and the honest list, as staff meet them at the door."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from miniprogram_api.sms import SmsGateway
from models import clock as town_clock
from models.base import reading, transaction
from models.courses import CourseRun
from models.grants import Answer, record_answers
from models.journal import JournalEntry
from models.notices import TemplateName
from server.jobs.ladder import send_short_messages
from tests.people import Person, Town, a_bond, a_person_without_phone
from tests.phones import Door, the_problem, told


def an_elder(town: Town, name: str, *, phone: str | None = None, community: Any = None) -> Person:
    with transaction() as session:
        elder = a_person_without_phone(session, community or town.wutong, name=name)
        a_bond(session, town.helper, elder)
        if phone is not None:
            elder.resident(session).take_phone(phone, verified=False)
    return elder


def call_for(door: Door, town: Town, *elders: Person, title: str = "太极") -> CourseRun:
    """Somebody registers these people, and no message can tell them."""
    run = town.a_run(title=title)
    for elder in elders:
        town.helper.tap(run, for_whom=elder)
    with door.app.app_context():
        send_short_messages(town_clock.now())
    return run


def listed(door: Door, town: Town, who: str = "clerk", query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = told(door.phone(getattr(town, who)).get(f"/staff/calls{query}"))["items"]
    return found


def acts() -> list[tuple[str, str, int | None]]:
    with reading() as session:
        rows = session.execute(
            select(JournalEntry.act, JournalEntry.identity, JournalEntry.for_resident_id)
            .where(JournalEntry.act.startswith("call.") | JournalEntry.act.startswith("reach."))
            .order_by(JournalEntry.id)
        )
        return [(row.act, row.identity, row.for_resident_id) for row in rows]


# --- the call list ------------------------------------------------------------------------------------------------


def test_the_list_says_whom_to_call_and_what_to_say(door: Door, town: Town) -> None:
    call_for(door, town, an_elder(town, "老周", phone="057188888888"))
    (call,) = listed(door, town)
    assert call["name"] == "老周"
    assert call["phone"] == "057188888888"
    assert call["community"]["name"] == "梧桐里社区"
    assert call["title"] == "有人替您办了事"
    assert call["body"].startswith("王（家人代办）已替您报名：太极，2026年12月3日 18:00，")
    assert (call["state"], call["state_label"], call["reason"]) == (
        "open",
        "待拨打",
        "没有可以发短信的手机号",
    )
    assert (call["tries"], call["tried_at"], call["by_name"], call["note"]) == (0, None, None, None)


def test_every_look_is_written_down_person_by_person(door: Door, town: Town) -> None:
    elders = [an_elder(town, "老周"), an_elder(town, "老吴")]
    call_for(door, town, *elders)
    listed(door, town, "grid_worker")
    assert acts() == [("call.looked_at", town.grid_worker.identity, elder.resident_id) for elder in elders]


@pytest.mark.parametrize("who", ["clerk", "admin", "grid_worker"])
def test_who_works_in_the_community_sees_its_calls_and_no_others(door: Door, town: Town, who: str) -> None:
    call_for(door, town, an_elder(town, "老周"), an_elder(town, "老赵", community=town.wangjiang))
    assert [call["name"] for call in listed(door, town, who)] == ["老周"]


def test_who_has_no_part_in_it_sees_nothing(door: Door, town: Town) -> None:
    call_for(door, town, an_elder(town, "老周"))
    (call,) = listed(door, town)
    assert listed(door, town, "street_officer") == []
    sent = {"outcome": "reached", "attempt": 1}
    officer = door.phone(town.street_officer)
    the_problem(officer.put(f"/staff/calls/{call['key']}/outcome", json=sent), 404, "not_found")
    the_problem(door.phone(town.resident).get("/staff/calls"), 403, "identity_unfit")


def test_the_list_goes_on_where_it_stopped(door: Door, town: Town) -> None:
    call_for(door, town, *(an_elder(town, f"邻居{n}") for n in range(5)))
    phone = door.phone(town.clerk)
    first = told(phone.get("/staff/calls?limit=3"))
    rest = told(phone.get(f"/staff/calls?limit=3&cursor={first['next']}"))
    names = [call["name"] for page in (first, rest) for call in page["items"]]
    assert names == [f"邻居{n}" for n in range(5)]
    assert rest["next"] is None


def test_a_number_is_shown_as_long_as_somebody_is_to_call_it(door: Door, town: Town) -> None:
    call_for(door, town, an_elder(town, "老周", phone="057188888888"))
    (call,) = listed(door, town)
    sent = {"outcome": "reached", "attempt": 1, "note": "女儿接的，会转告"}
    answer = told(door.phone(town.clerk).put(f"/staff/calls/{call['key']}/outcome", json=sent))
    assert (answer["phone"], answer["note"], answer["by_name"]) == (None, "女儿接的，会转告", "小吴")
    assert listed(door, town) == []
    (done,) = listed(door, town, query="?state=reached")
    assert done["phone"] is None


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"attempt": 1}, "outcome"),
        ({"outcome": "cancelled", "attempt": 1}, "outcome"),
        ({"outcome": "reached"}, "attempt"),
        ({"outcome": "reached", "attempt": 0}, "attempt"),
        ({"outcome": "reached", "attempt": True}, "attempt"),
        ({"outcome": "reached", "attempt": 1, "note": "很" * 81}, "note"),
        ({"outcome": "reached", "attempt": 1, "by": "me"}, "by"),
    ],
)
def test_an_outcome_that_makes_no_sense_is_refused(
    door: Door, town: Town, sent: dict[str, Any], field: str
) -> None:
    call_for(door, town, an_elder(town, "老周"))
    (call,) = listed(door, town)
    answer = door.phone(town.clerk).put(f"/staff/calls/{call['key']}/outcome", json=sent)
    assert [fault["field"] for fault in the_problem(answer, 422, "invalid")["errors"]] == [field]


def test_a_try_by_another_is_heard_of(door: Door, town: Town) -> None:
    call_for(door, town, an_elder(town, "老周"))
    (call,) = listed(door, town)
    sent = {"outcome": "not_reached", "attempt": 1}
    path = f"/staff/calls/{call['key']}/outcome"
    for _ in range(2):
        assert told(door.phone(town.clerk).put(path, json=sent))["tries"] == 1
    the_problem(door.phone(town.admin).put(path, json=sent), 409, "call_moved_on")
    told(door.phone(town.admin).put(path, json={"outcome": "reached", "attempt": 2}))
    answer = door.phone(town.clerk).put(path, json={"outcome": "not_reached", "attempt": 3})
    the_problem(answer, 409, "call_settled")


def test_a_call_waits_on_the_desk_of_a_grid_worker_too(door: Door, town: Town) -> None:
    call_for(door, town, an_elder(town, "老周"))
    for who in ("clerk", "grid_worker"):
        piles = told(door.phone(getattr(town, who)).get("/staff/desk"))["items"]
        assert {pile["name"]: pile["number"] for pile in piles}["calls"] == 1


def test_a_person_finds_in_their_copy_who_was_asked_to_call_them(door: Door, town: Town) -> None:
    with transaction() as session:
        a_bond(session, town.helper, town.resident)
        town.resident.resident(session).account_id = None
    call_for(door, town, town.resident)
    with transaction() as session:
        resident = town.resident.resident(session)
        resident.account_id = town.resident.account_id
        resident.take_phone("057188888888", verified=False)
    with door.app.app_context():
        send_short_messages(town_clock.now())
    copy = told(door.phone(town.resident).get("/me/copy"))["oneself"]
    assert [message["state"] for message in copy["short_messages"]] == ["sent"]
    assert copy["calls"] == []


# --- the honest list ----------------------------------------------------------------------------------------------


def reach(door: Door, run: CourseRun, worker: Any, query: str = "") -> Any:
    return door.phone(worker).get(f"/staff/course-runs/{run.key}/reach{query}")


def test_before_a_change_staff_see_how_many_cannot_be_reached_and_who(door: Door, town: Town) -> None:
    run = town.a_run()
    for person in (town.resident, town.neighbour):
        person.tap(run)
    with transaction() as session:
        town.neighbour.resident(session).forget_phone()
        answers: dict[str, Answer] = {TemplateName.CLASS_CHANGE: Answer.ACCEPT}
        record_answers(session, town.resident.account(session), answers)
        called = town.guardian.resident(session)
    town.guardian.tap(run)
    with transaction() as session:
        town.guardian.resident(session).take_phone("057188888888", verified=False)
    town.helper.tap(run)
    found = told(reach(door, run, town.clerk))
    counts = {
        name: found[name] for name in ("people", "by_wechat", "by_short_message", "by_call", "not_at_all")
    }
    assert counts == {"people": 4, "by_wechat": 1, "by_short_message": 1, "by_call": 1, "not_at_all": 1}
    assert found["moment"] == "class_change"
    assert found["summary"] == "4 人中有 2 人收不到消息，需要打电话或上门"
    assert [(each["name"], each["rung"]) for each in found["unreachable"]] == [
        ("刘洋", "none"),
        ("李强", "call"),
    ]
    assert found["unreachable"][1]["key"] == called.key
    assert acts() == [("reach.looked_at", town.clerk.identity, None)]


def test_another_kind_of_message_reaches_other_people(door: Door, town: Town) -> None:
    run = town.a_run()
    town.resident.tap(run)
    with transaction() as session:
        answers: dict[str, Answer] = {TemplateName.CLASS_REMINDER: Answer.ACCEPT}
        record_answers(session, town.resident.account(session), answers)
    assert told(reach(door, run, town.clerk))["by_short_message"] == 1
    assert told(reach(door, run, town.clerk, "?moment=class_reminder"))["by_wechat"] == 1
    the_problem(reach(door, run, town.clerk, "?moment=carrier_pigeon"), 422, "invalid")


def test_where_nobody_carries_short_messages_the_list_says_so(door: Door, town: Town) -> None:
    run = town.a_run()
    town.resident.tap(run)
    before: SmsGateway = door.app.extensions["sms"]
    door.app.extensions["sms"] = SmsGateway(None, written=before.written)
    found = told(reach(door, run, town.clerk))
    door.app.extensions["sms"] = before
    assert (found["by_short_message"], found["by_call"]) == (0, 1)


def test_of_an_empty_run_there_is_nothing_to_say(door: Door, town: Town) -> None:
    found = told(reach(door, town.a_run(), town.clerk))
    assert (found["people"], found["summary"], found["unreachable"]) == (0, "还没有人报名", [])


@pytest.mark.parametrize("who", ["grid_worker", "street_officer"])
def test_only_who_keeps_the_roster_sees_the_names(door: Door, town: Town, who: str) -> None:
    the_problem(reach(door, town.a_run(), getattr(town, who)), 404, "not_found")
