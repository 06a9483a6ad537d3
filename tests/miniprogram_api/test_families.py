"""Families over the wire: children, codes, and bonds at the counter."""

from __future__ import annotations

import pytest

from models.base import transaction
from models.consents import PRIVACY_POLICY
from tests.people import Person, Town, a_resident
from tests.phones import Door, the_problem, told

CHILD = {"name": "李小明", "birth_year": 2018, "consent": {"version": PRIVACY_POLICY.version}}


@pytest.fixture
def elder(town: Town) -> Person:
    """An elder with a WeChat of her own."""
    with transaction() as session:
        return a_resident(session, town.wutong, name="孙奶奶", birth_year=1950)


def test_a_guardian_adds_a_child_and_acts_for_it(door: Door, town: Town) -> None:
    phone, run = door.phone(town.neighbour), town.a_run()
    child = told(phone.post("/me/children", json=CHILD), 201)
    assert (child["name"], child["kind"], child["birth_year"]) == ("李小明", "guardian", 2018)
    assert child["key"] in [ward["key"] for ward in told(phone.get("/me"))["wards"]]
    assert (
        told(phone.put(f"/course-runs/{run.key}/registration?for={child['key']}"))["resident"] == child["key"]
    )
    the_problem(phone.post("/me/children", json=CHILD), 409, "child_exists")


def test_the_same_request_sent_again_adds_no_second_child(door: Door, town: Town) -> None:
    phone, headers = door.phone(town.neighbour), {"Idempotency-Key": "child-1"}
    first = told(phone.post("/me/children", json=CHILD, headers=headers), 201)
    assert told(phone.post("/me/children", json=CHILD, headers=headers), 201) == first


def test_a_childs_name_is_checked(door: Door, town: Town) -> None:
    phone = door.log_in(town.neighbour.openid)  # WeChat judges what somebody wrote who was here just now
    body = the_problem(
        phone.post("/me/children", json={**CHILD, "name": "赌博平台"}),
        422,
        "content_risky",
    )
    assert body["errors"][0]["field"] == "name"
    assert len(told(phone.get("/me"))["wards"]) == 0


def test_an_elder_accepts_and_ends_the_help_of_her_child(door: Door, town: Town, elder: Person) -> None:
    offer = told(door.phone(town.neighbour).post("/me/help-offers"), 201)
    assert offer["until"].startswith("2026-11-21T12:00")
    phone = door.phone(elder)
    helper = told(phone.post("/me/helpers", json={"code": offer["code"]}), 201)
    assert (helper["name"], helper["kind"], helper["can_be_ended"]) == ("*洋", "family_helper", True)
    assert [one["key"] for one in told(phone.get("/me/helpers"))["items"]] == [helper["key"]]
    the_problem(phone.post("/me/helpers", json={"code": offer["code"]}), 409, "invitation_invalid")
    the_problem(phone.post("/me/helpers", json={"code": "123"}), 422, "invalid")
    assert phone.delete(f"/me/helpers/{helper['key']}").status_code == 204


def test_a_clerk_writes_a_bond_down_and_ends_it(door: Door, town: Town) -> None:
    phone = door.phone(town.clerk)
    path = f"/staff/residents/{town.elder.key}"
    sent = {"helper": town.neighbour.key, "kind": "family_helper", "agreed_how": "老人当面签字"}
    bond = told(phone.post(f"{path}/bonds", json=sent), 201)
    assert (bond["helper_name"], bond["ward_name"], bond["until"]) == ("*洋", "王*奶", None)
    shown = told(phone.get(path))
    assert shown["name"] == "王*奶"
    assert bond["key"] in [one["key"] for one in shown["bonds"]]
    assert phone.delete(f"/staff/bonds/{bond['key']}").status_code == 204
    assert phone.delete(f"/staff/bonds/{bond['key']}").status_code == 204
    assert bond["key"] not in [one["key"] for one in told(phone.get(path))["bonds"]]


def test_a_helper_from_elsewhere_shows_the_code_at_the_counter(door: Door, town: Town) -> None:
    code = told(door.phone(town.outsider).post("/me/help-offers"), 201)["code"]
    phone, path = door.phone(town.clerk), f"/staff/residents/{town.elder.key}/bonds"
    sent = {"kind": "family_helper", "agreed_how": "老人当面签字"}
    named = {**sent, "helper": town.outsider.key}
    body = the_problem(phone.post(path, json=named), 409, "not_there")
    assert body["errors"][0]["field"] == "helper"
    assert told(phone.post(path, json={**sent, "code": code}), 201)["helper"] == town.outsider.key
    the_problem(phone.post(path, json={**named, "code": code}), 422, "invalid")
    the_problem(phone.post(path, json=sent), 422, "invalid")


def test_grid_helpers_are_not_written_down_as_family(door: Door, town: Town) -> None:
    path = f"/staff/residents/{town.elder.key}/bonds"
    sent = {"helper": town.neighbour.key, "kind": "grid_helper", "agreed_how": "签字"}
    the_problem(door.phone(town.clerk).post(path, json=sent), 422, "invalid")


def test_a_person_of_another_community_is_not_found(door: Door, town: Town) -> None:
    phone = door.phone(town.clerk)
    the_problem(phone.get(f"/staff/residents/{town.outsider.key}"), 404, "not_found")
