"""The clerk's list of what WeChat could not judge: whose it is to see, and that the first decision counts."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models.base import reading, transaction
from models.clock import StoppedClock
from models.content_checks import (
    RESIDENT_NAME,
    CheckState,
    ContentCheck,
    Finding,
    HeldBecause,
    Subject,
    hold_text,
    note_pass,
)
from models.journal import JournalEntry
from models.staff import Role
from tests.people import Person, Town, Worker, a_staff_member
from tests.phones import Door, the_problem, told
from tests.promises.test_shapes import counted

LIST = "/staff/content-checks"


def rename(person: Person, name: str) -> ContentCheck:
    """A name WeChat was unsure about."""
    with transaction() as session:
        person.resident(session).name = name
        subject = Subject(
            field=RESIDENT_NAME,
            key=person.key,
            account_id=person.account_id or 0,
            resident_id=person.resident_id,
        )
        return hold_text(session, subject, name, Finding(label=10001), HeldBecause.DOUBTFUL)


def state_of(check: ContentCheck) -> CheckState:
    with reading() as session:
        return session.scalars(select(ContentCheck.state).where(ContentCheck.id == check.id)).one()


def looks() -> int:
    with reading() as session:
        query = select(JournalEntry).where(JournalEntry.act == "content_check.looked_at")
        return len(session.scalars(query).all())


@pytest.fixture
def foreign_clerk(town: Town) -> Worker:
    """A clerk of the other community."""
    with transaction() as session:
        return a_staff_member(session, Role.CLERK, town.wangjiang, name="望江小郑")


def decision(check: ContentCheck) -> str:
    return f"{LIST}/{check.key}/decision"


# --- the list -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["clerk", "admin"])
def test_a_clerk_sees_what_waits_and_why(door: Door, town: Town, who: str) -> None:
    check = rename(town.resident, "加我微信")
    (item,) = told(door.phone(getattr(town, who)).get(LIST))["items"]
    assert item == {
        "key": check.key,
        "kind": "text",
        "field": "姓名",
        "community": {"key": town.wutong.key, "name": "梧桐里社区"},
        "state": "waiting",
        "state_label": "等人工审核",
        "text": "加我微信",
        "image_url": None,
        "found": "广告",
        "held_because": "doubtful",
        "held_label": "微信拿不准，建议人工看一看",
        "submitted_at": "2026-11-20T12:00:00+08:00",
        "held_at": "2026-11-20T12:00:00+08:00",
        "decided_at": None,
        "decided_by": None,
        "reason": None,
    }


@pytest.mark.parametrize("who", ["foreign_clerk", "grid_worker", "street_officer"])
def test_whose_work_it_is_not_sees_nothing_and_decides_nothing(
    door: Door, town: Town, foreign_clerk: Worker, who: str
) -> None:
    check = rename(town.resident, "加我微信")
    phone = door.phone(foreign_clerk if who == "foreign_clerk" else getattr(town, who))
    assert told(phone.get(LIST)) == {"items": [], "next": None}
    real = phone.put(decision(check), json={"decision": "approve"})
    invented = phone.put(f"{LIST}/{'a' * 16}/decision", json={"decision": "approve"})
    assert the_problem(real, 404, "not_found")["detail"] == the_problem(invented, 404, "not_found")["detail"]
    assert state_of(check) is CheckState.WAITING
    assert looks() == 0


def test_a_resident_and_a_partner_have_no_such_list(door: Door, town: Town) -> None:
    check = rename(town.resident, "加我微信")
    for who in (town.resident, town.partner_member):
        phone = door.phone(who)
        the_problem(phone.get(LIST), 403, "identity_unfit")
        the_problem(phone.put(decision(check), json={"decision": "approve"}), 403, "identity_unfit")


def test_the_list_goes_on_where_it_ended_oldest_first(door: Door, town: Town) -> None:
    checks = [rename(person, "加我微信") for person in (town.resident, town.neighbour, town.helper)]
    phone = door.phone(town.clerk)
    first = told(phone.get(f"{LIST}?limit=2"))
    rest = told(phone.get(f"{LIST}?limit=2&cursor={first['next']}"))
    assert [item["key"] for item in first["items"] + rest["items"]] == [check.key for check in checks]
    assert rest["next"] is None


def test_what_is_settled_can_be_looked_up_without_what_was_written(door: Door, town: Town) -> None:
    check = rename(town.resident, "加我微信")
    phone = door.phone(town.clerk)
    told(phone.put(decision(check), json={"decision": "reject", "reason": "请用真名"}))
    assert told(phone.get(LIST))["items"] == []
    (item,) = told(phone.get(f"{LIST}?state=rejected"))["items"]
    assert (item["text"], item["reason"], item["decided_by"]) == (None, "请用真名", "小吴")
    the_problem(phone.get(f"{LIST}?state=forgotten"), 422, "invalid")


def test_every_look_is_journalled_and_the_person_finds_it_in_their_copy(door: Door, town: Town) -> None:
    rename(town.resident, "加我微信")
    told(door.phone(town.clerk).get(LIST))
    assert looks() == 1
    copy = told(door.phone(town.resident).get("/me/copy"))
    lines = [(line["act_label"], line["by"], line["by_name"]) for line in copy["oneself"]["journal"]]
    assert lines == [("内容转人工审核", "town", None), ("查看待审核内容", "staff", "*吴")]
    (shown,) = copy["content_checks"]
    assert (shown["field"], shown["state"], shown["text"], shown["found"]) == (
        "姓名",
        "waiting",
        "加我微信",
        "广告",
    )
    told(door.phone(town.clerk).get(f"{LIST}?state=passed"))
    assert looks() == 1, "where nothing is kept there is nothing to see"


def test_a_list_costs_the_same_for_one_check_and_for_fifty(door: Door, town: Town) -> None:
    phone = door.phone(town.clerk)

    def cost(items: int) -> int:
        with counted(door.app) as sent:
            assert len(told(phone.get(f"{LIST}?limit=50"))["items"]) == items
        return len(sent)

    rename(town.resident, "加我微信")
    for_one = cost(1)
    for n, person in enumerate(town.people(49)):
        rename(person, f"加我微信{n}")
    assert cost(50) == for_one


# --- the decision -------------------------------------------------------------------------------------------------


def test_a_clerk_approves_and_the_desk_is_empty_again(door: Door, town: Town) -> None:
    check = rename(town.resident, "加我微信")
    phone = door.phone(town.clerk)

    def waiting() -> int:
        piles: list[dict[str, Any]] = told(phone.get("/staff/desk"))["items"]
        (number,) = (pile["number"] for pile in piles if pile["name"] == "content_checks")
        return int(number)

    assert waiting() == 1
    item = told(phone.put(decision(check), json={"decision": "approve"}))
    assert (item["state"], item["text"], item["decided_by"]) == ("approved", None, "小吴")
    assert waiting() == 0
    assert told(door.phone(town.resident).get("/me"))["name"] == "加我微信"


def test_the_second_of_two_clerks_gets_the_same_answer_or_hears_that_it_was_decided(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    check = rename(town.resident, "加我微信")
    first, second = door.phone(town.clerk), door.phone(town.admin)
    rejected = told(first.put(decision(check), json={"decision": "reject", "reason": "请用真名"}))
    clock.advance(minutes=1)
    again = second.put(decision(check), json={"decision": "reject", "reason": "看不懂"})
    assert told(again) == rejected
    problem = the_problem(second.put(decision(check), json={"decision": "approve"}), 409, "check_decided")
    assert problem["details"] == {"state": "rejected"}


def test_what_waits_for_nobody_and_what_is_ones_own_is_not_decided(door: Door, town: Town) -> None:
    with transaction() as session:
        subject = Subject(
            field=RESIDENT_NAME,
            key=town.resident.key,
            account_id=town.resident.account_id or 0,
            resident_id=town.resident.resident_id,
        )
        passed = note_pass(session, subject, "陈静", Finding())
    phone = door.phone(town.clerk)
    the_problem(phone.put(decision(passed), json={"decision": "approve"}), 409, "check_not_waiting")
    check = rename(town.resident, "加我微信")
    with transaction() as session:
        session.get_one(ContentCheck, check.id).account_id = town.clerk.account_id
    the_problem(phone.put(decision(check), json={"decision": "approve"}), 403, "own_content")
    assert told(door.phone(town.admin).put(decision(check), json={"decision": "approve"}))


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "decision"),
        ({"decision": "maybe"}, "decision"),
        ({"decision": "reject"}, "reason"),
        ({"decision": "reject", "reason": " "}, "reason"),
        ({"decision": "reject", "reason": "长" * 81}, "reason"),
        ({"decision": "approve", "state": "approved"}, "state"),
    ],
)
def test_a_decision_says_one_thing_and_a_rejection_why(
    door: Door, town: Town, sent: dict[str, Any], field: str
) -> None:
    check = rename(town.resident, "加我微信")
    problem = the_problem(door.phone(town.clerk).put(decision(check), json=sent), 422, "invalid")
    assert field in {fault["field"] for fault in problem["errors"]}
    assert state_of(check) is CheckState.WAITING
