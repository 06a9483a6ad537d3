"""Partner units over the wire: written down and corrected by the office of the place they serve."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models.base import reading, transaction
from models.journal import JournalEntry
from models.partners import Partner
from models.staff import Role
from tests.people import Town, UnitMember, a_member_of, a_staff_member, a_unit
from tests.phones import Door, the_problem, told

STUDIO = "91350100M000100Y43"


@pytest.fixture
def card(town: Town) -> dict[str, Any]:
    """What a clerk copies from the papers of a studio."""
    return {
        "name": "光影工作室",
        "kind": "public_good",
        "credit_code": STUDIO,
        "region": town.wutong.key,
        "contact_name": "老秦",
        "contact_phone": "139 0000 0010",
    }


def a_member_by_key(key: str) -> UnitMember:
    """Somebody who acts for this unit."""
    with transaction() as session:
        return a_member_of(session, session.scalars(select(Partner).where(Partner.key == key)).one())


def test_a_clerk_adds_and_corrects_a_unit(door: Door, town: Town, card: dict[str, Any]) -> None:
    clerk = door.phone(town.clerk)
    added = told(clerk.post("/staff/partners", json=card, headers={"Idempotency-Key": "1"}), 201)
    assert told(clerk.post("/staff/partners", json=card, headers={"Idempotency-Key": "1"}), 201) == added
    assert (added["contact_phone"], added["kind_label"]) == ("13900000010", "公益合伙人")
    key = added["key"]
    corrected = told(clerk.put(f"/staff/partners/{key}", json=card | {"contact_name": "小秦"}))
    assert corrected["contact_name"] == "小秦"
    (listed,) = told(clerk.get("/staff/partners"))["items"]
    assert (listed["masked_phone"], "contact_phone" in listed) == ("139******10", False)


def test_a_look_at_the_whole_number_is_journalled(door: Door, town: Town, card: dict[str, Any]) -> None:
    clerk = door.phone(town.clerk)
    key = told(clerk.post("/staff/partners", json=card), 201)["key"]
    assert told(clerk.get(f"/staff/partners/{key}"))["contact_phone"] == "13900000010"
    with reading() as session:
        looked = session.scalars(select(JournalEntry).where(JournalEntry.act == "partner.looked_at")).one()
        assert looked.identity == town.clerk.identity


def test_the_office_of_a_paired_community_reads_the_card_and_nothing_else(
    door: Door, town: Town, card: dict[str, Any]
) -> None:
    with transaction() as session:
        next_door = a_staff_member(session, Role.CLERK, town.wangjiang)
    clerk, other = door.phone(town.clerk), door.phone(next_door)
    key = told(clerk.post("/staff/partners", json=card), 201)["key"]
    there = f"/staff/partners/{key}"
    the_problem(other.get(f"{there}/card"), 404, "not_found")
    unit = door.phone(a_member_by_key(key))
    pairing = told(unit.post("/partner/pairings", json={"region": town.wangjiang.key}), 201)["key"]
    told(other.put(f"/staff/pairings/{pairing}/agreement"))
    for phone in (clerk, other):
        shown = told(phone.get(f"{there}/card"))
        assert (shown["partner"]["name"], shown["partner"]["contact_phone"]) == (
            card["name"],
            "13900000010",
        )
        assert (shown["partner"]["kind_label"], shown["members"]) == ("公益合伙人", 1)
        assert not {"credit_code", "reason", "renewed_until"} & set(shown["partner"])
    for private in ("", "/members", "/hours"):
        the_problem(other.get(f"{there}{private}"), 404, "not_found")
    with reading() as session:
        looked = session.scalars(select(JournalEntry).where(JournalEntry.act == "partner.looked_at")).all()
        assert [one.identity for one in looked] == [town.clerk.identity, next_door.identity]
    told(other.put(f"/staff/pairings/{pairing}/ending", json={"because": "换了联系人"}))
    the_problem(other.get(f"{there}/card"), 404, "not_found")


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"credit_code": STUDIO[:-1]}, "credit_code_wrong", "credit_code"),
        ({"credit_code": "O" + STUDIO[1:]}, "credit_code_wrong", "credit_code"),
        ({"region": "a" * 16}, "not_there", "region"),
        ({"contact_phone": "12345"}, "invalid", "contact_phone"),
        ({"kind": "shop"}, "invalid", "kind"),
        ({"name": ""}, "invalid", "name"),
    ],
)
def test_what_cannot_be_is_named_at_its_field(
    door: Door, town: Town, card: dict[str, Any], wrong: dict[str, Any], code: str, field: str
) -> None:
    answer = door.phone(town.clerk).post("/staff/partners", json=card | wrong)
    problem = the_problem(answer, 422 if code == "invalid" else 409, code)
    assert [error["field"] for error in problem["errors"]] == [field]


def test_an_office_writes_of_units_of_its_own_places_only(
    door: Door, town: Town, card: dict[str, Any]
) -> None:
    clerk = door.phone(town.clerk)
    the_problem(clerk.post("/staff/partners", json=card | {"region": town.wangjiang.key}), 409, "not_there")
    with transaction() as session:
        elsewhere = a_unit(session, town.wangjiang).key
    the_problem(clerk.put(f"/staff/partners/{elsewhere}", json=card), 404, "not_found")
    assert told(clerk.get("/staff/partners"))["items"] == []


def test_units_are_listed_page_by_page(door: Door, town: Town) -> None:
    with transaction() as session:
        keys = [a_unit(session, town.wutong).key for _ in range(3)]
    clerk = door.phone(town.clerk)
    first = told(clerk.get("/staff/partners?limit=2"))
    second = told(clerk.get(f"/staff/partners?limit=2&cursor={first['next']}"))
    assert [unit["key"] for unit in first["items"] + second["items"]] == keys
