"""The counter over the wire: shapes, scopes, and that nothing is asked or told twice."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from models.base import reading, transaction
from models.consents import PRIVACY_POLICY
from models.residents import Resident
from models.staff import Role
from tests.people import Person, Town, a_staff_member
from tests.phones import Door, the_problem, told

SIGNED = {"version": PRIVACY_POLICY.version, "given_by": "oneself"}


def card(town: Town, **more: Any) -> dict[str, Any]:
    return {
        "name": "孙奶奶",
        "birth_year": 1941,
        "phone": "139 1111 2222",
        "home_community": town.wutong.key,
        "consent": SIGNED,
        **more,
    }


def everybody() -> int:
    with reading() as session:
        return session.scalars(select(func.count()).select_from(Resident)).one()


def test_a_clerk_enters_an_elder_and_sees_her_masked(door: Door, town: Town) -> None:
    answer = told(door.phone(town.clerk).post("/staff/residents", json=card(town)), 201)
    assert answer["name"] == "孙*奶"
    assert answer["phone"] == "139******22"
    assert (answer["birth_year"], answer["has_wechat"], answer["has_agreed"]) == (1941, False, True)
    assert answer["home_community"]["key"] == town.wutong.key


def test_the_same_request_sent_again_enters_nobody_more(door: Door, town: Town) -> None:
    phone, headers = door.phone(town.clerk), {"Idempotency-Key": "card-1"}
    first = told(phone.post("/staff/residents", json=card(town), headers=headers), 201)
    before = everybody()
    assert told(phone.post("/staff/residents", json=card(town), headers=headers), 201) == first
    assert everybody() == before


def test_the_same_person_is_suggested(door: Door, town: Town) -> None:
    phone = door.phone(town.clerk)
    key = told(phone.post("/staff/residents", json=card(town)), 201)["key"]
    body = the_problem(phone.post("/staff/residents", json=card(town)), 409, "resident_exists")
    assert body["details"] == {"resident": key, "by": "phone"}


def test_a_home_that_is_not_ones_own_is_named(door: Door, town: Town) -> None:
    sent = card(town, home_community=town.wangjiang.key)
    body = the_problem(door.phone(town.clerk).post("/staff/residents", json=sent), 409, "not_there")
    assert body["errors"][0]["field"] == "home_community"


def test_residents_and_units_have_no_counter(door: Door, town: Town) -> None:
    for who in (town.resident, town.partner_member):
        the_problem(door.phone(who).post("/staff/residents", json=card(town)), 403, "identity_unfit")
        sent = {"phone": "13900000001", "purpose": "报名"}
        the_problem(door.phone(who).post("/staff/residents/search", json=sent), 403, "identity_unfit")


def test_a_search_says_what_for_and_shows_masked_people(door: Door, town: Town) -> None:
    phone = door.phone(town.clerk)
    the_problem(phone.post("/staff/residents/search", json={"phone": "13900000001"}), 422, "invalid")
    the_problem(phone.post("/staff/residents/search", json={"purpose": "报名"}), 422, "invalid")
    sent = {"phone": "13900000001", "purpose": "报名夜校"}
    (found,) = told(phone.post("/staff/residents/search", json=sent))["items"]
    assert (found["key"], found["name"], found["has_wechat"]) == (town.resident.key, "*静", True)
    assert "13900000001" not in str(found)
    sent["phone"] = "13900000003"
    assert told(phone.post("/staff/residents/search", json=sent))["items"] == []


def test_what_was_signed_is_written_down_and_taken_back(door: Door, town: Town) -> None:
    path, phone = f"/staff/residents/{town.elder.key}/consent", door.phone(town.grid_worker)
    assert told(phone.put(path, json=SIGNED))["has_agreed"]
    assert not told(phone.delete(path))["has_agreed"]
    assert not told(phone.delete(path))["has_agreed"]
    child = f"/staff/residents/{town.child.key}/consent"
    the_problem(phone.put(child, json=SIGNED), 409, "guardian_consent_needed")
    assert told(phone.put(child, json={**SIGNED, "given_by": "guardian"}))["has_agreed"]


def test_a_guardian_reads_in_the_copy_what_was_signed_for_the_child(door: Door, town: Town) -> None:
    path = f"/staff/residents/{town.child.key}/consent"
    told(door.phone(town.clerk).put(path, json={**SIGNED, "given_by": "guardian"}))
    (child,) = told(door.phone(town.guardian).get("/me/copy"))["children"]
    (consent,) = child["consents"]
    assert (consent["channel"], consent["given_by"]) == ("counter", "guardian")
    assert "登记线下同意" in [line["act_label"] for line in child["journal"]]


def test_a_list_of_finds_costs_the_same_for_one_and_for_many(door: Door, town: Town) -> None:
    phone = door.phone(town.clerk)
    for n in range(3):
        told(phone.post("/staff/residents", json=card(town, name=f"孙{n}")), 201)
    sent = {"phone": "13911112222", "purpose": "报名"}
    found: list[Person] = told(phone.post("/staff/residents/search", json=sent))["items"]
    assert len(found) == 3


def test_who_moved_is_looked_after_where_they_live_now(door: Door, town: Town) -> None:
    path, phone = f"/staff/residents/{town.elder.key}/home", door.phone(town.clerk)
    sent = {"home_community": town.wangjiang.key}
    assert told(phone.put(path, json=sent))["home_community"]["key"] == town.wangjiang.key
    the_problem(phone.put(path, json=sent), 404, "not_found")
    the_problem(phone.put(f"/staff/residents/{town.resident.key}/home", json=sent), 409, "moves_themselves")


def test_somebody_without_wechat_is_seen_off_by_the_office_of_their_place_alone(
    door: Door, town: Town
) -> None:
    """E20: the seat goes on, and nobody may act for them any more."""
    run = town.a_run(capacity=1)
    town.helper.tap(run, for_whom=town.elder)
    town.neighbour.tap(run)
    path = f"/staff/residents/{town.elder.key}"
    with transaction() as session:
        elsewhere = a_staff_member(session, Role.CLERK, town.wangjiang, name="小郑")
    for who in (town.grid_worker, elsewhere):
        the_problem(door.phone(who).delete(path), 404, "not_found")
    the_problem(door.phone(town.helper).delete(path), 403, "identity_unfit")
    the_problem(
        door.phone(town.clerk).delete(f"/staff/residents/{town.resident.key}"), 409, "closes_themselves"
    )
    assert town.states(run) == ["confirmed", "waitlisted"]
    assert door.phone(town.clerk).delete(path).status_code == 204
    assert town.states(run) == ["cancelled", "confirmed"]
    the_problem(door.phone(town.clerk).delete(path), 404, "not_found")
    the_problem(
        door.phone(town.helper).get(f"/course-runs/{run.key}/registration?for={town.elder.key}"),
        404,
        "no_bond",
    )


def test_what_was_entered_wrong_is_corrected(door: Door, town: Town) -> None:
    path, phone = f"/staff/residents/{town.elder.key}", door.phone(town.grid_worker)
    answer = told(phone.put(path, json={"phone": "１３９ 3333 4444"}))
    assert (answer["name"], answer["phone"], answer["birth_year"]) == ("王*奶", "139******44", 1948)
    assert told(phone.put(path, json={})) == answer
    himself = f"/staff/residents/{town.resident.key}"
    the_problem(phone.put(himself, json={"name": "陈静静"}), 409, "tells_themselves")
    the_problem(phone.put(f"/staff/residents/{town.outsider.key}", json={"name": "某人"}), 404, "not_found")


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", "孙\x00奶奶"),
        ("name", "\u3000"),
        ("name", "\u200b\u200b"),
        ("name", "孙" * 41),
        ("birth_year", 1886),
        ("birth_year", 2027),
        ("birth_year", "１９４１"),
        ("birth_year", 1941.5),
        ("phone", "+852 6123 4567"),
        ("phone", "+1 202 555 0100"),
        ("phone", "139\x0011112222"),
        ("home_community", "梧桐里"),
    ],
)
def test_what_cannot_be_of_a_person_is_named(door: Door, town: Town, field: str, wrong: Any) -> None:
    before = everybody()
    body = the_problem(
        door.phone(town.clerk).post("/staff/residents", json=card(town, **{field: wrong})), 422, "invalid"
    )
    assert [fault["field"] for fault in body["errors"]] == [field]
    assert everybody() == before
