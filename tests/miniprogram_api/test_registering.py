"""Registering at the counter over the wire: who may, for whom, and what a list of people is answered."""

from __future__ import annotations

from typing import Any

import pytest

from models import clock as town_clock
from models.base import transaction
from models.consents import PRIVACY_POLICY
from models.courses import Audience
from models.staff import Role
from server.jobs.ladder import send_short_messages
from tests.people import Town, a_staff_member
from tests.phones import Door, the_problem, told

SIGNED = {"version": PRIVACY_POLICY.version, "given_by": "oneself"}


@pytest.fixture
def elder(door: Door, town: Town) -> str:
    """The key of somebody who was just entered at the counter."""
    card: dict[str, Any] = {
        "name": "孙奶奶",
        "birth_year": 1941,
        "home_community": town.wutong.key,
        "consent": SIGNED,
    }
    return str(told(door.phone(town.clerk).post("/staff/residents", json=card), 201)["key"])


def test_a_clerk_registers_somebody_and_the_answer_stays_the_same(door: Door, town: Town, elder: str) -> None:
    run = town.a_run()
    path, phone = f"/staff/course-runs/{run.key}/registrations/{elder}", door.phone(town.clerk)
    first = told(phone.put(path))
    assert (first["run"], first["resident"], first["state_label"]) == (run.key, elder, "报名成功")
    assert told(phone.put(path)) == first
    assert told(door.phone(town.grid_worker).put(path)) == first
    assert phone.delete(path).status_code == 204
    assert phone.delete(path).status_code == 204
    assert town.states(run) == ["cancelled"]


def test_nobody_registers_people_of_another_community(door: Door, town: Town) -> None:
    run = town.a_run()
    path = f"/staff/course-runs/{run.key}/registrations/{town.outsider.key}"
    for who in (town.clerk, town.admin, town.grid_worker, town.street_officer):
        the_problem(door.phone(who).put(path), 404, "not_found")
    the_problem(door.phone(town.resident).put(path), 403, "identity_unfit")
    assert town.states(run) == []


def test_a_draft_takes_nobody(door: Door, town: Town, elder: str) -> None:
    run = town.a_run(published=False)
    path = f"/staff/course-runs/{run.key}/registrations/{elder}"
    the_problem(door.phone(town.clerk).put(path), 404, "not_found")


def test_what_is_missing_is_named(door: Door, town: Town) -> None:
    run = town.a_run()
    path = f"/staff/course-runs/{run.key}/registrations/{town.elder.key}"
    body = the_problem(door.phone(town.clerk).put(path), 409, "profile_needed")
    assert body["details"]["fields"] == ["for.consent"]
    told(door.phone(town.clerk).put(f"/staff/residents/{town.elder.key}/consent", json=SIGNED))
    told(door.phone(town.clerk).put(path))


def test_an_elder_may_be_taken_to_a_class_of_another_community(door: Door, town: Town, elder: str) -> None:
    run = town.a_run(community=town.wangjiang)
    path = f"/staff/course-runs/{run.key}/registrations/{elder}"
    assert told(door.phone(town.clerk).put(path))["state"] == "confirmed"


def test_a_list_of_people_is_answered_row_by_row(door: Door, town: Town, elder: str) -> None:
    run = town.a_run(capacity=1)
    path, phone = f"/staff/course-runs/{run.key}/registrations", door.phone(town.clerk)
    sent = {"residents": [elder, town.outsider.key, town.child.key, town.resident.key, elder]}
    answer = told(phone.post(path, json=sent))
    assert (answer["done"], answer["refused"]) == (2, 2)
    rows = [
        (row["registration"] and row["registration"]["state"], row["refusal"] and row["refusal"]["code"])
        for row in answer["items"]
    ]
    assert rows == [
        ("confirmed", None),
        (None, "not_found"),
        (None, "profile_needed"),
        ("waitlisted", None),
    ]
    assert told(phone.post(path, json=sent)) == answer


def test_a_list_is_the_offices_own(door: Door, town: Town, elder: str) -> None:
    run = town.a_run()
    path = f"/staff/course-runs/{run.key}/registrations"
    with transaction() as session:
        foreign = a_staff_member(session, Role.CLERK, town.wangjiang)
    for who in (town.grid_worker, foreign, town.street_officer):
        the_problem(door.phone(who).post(path, json={"residents": [elder]}), 404, "not_found")
    the_problem(door.phone(town.clerk).post(path, json={"residents": []}), 422, "invalid")


def test_a_pair_is_registered_at_the_counter_and_stands_on_the_roster(door: Door, town: Town) -> None:
    run, phone = town.a_run(audience=Audience.PAIR), door.phone(town.clerk)
    told(phone.put(f"/staff/residents/{town.child.key}/consent", json={**SIGNED, "given_by": "guardian"}))
    path = f"/staff/course-runs/{run.key}/registrations/{town.child.key}"
    the_problem(phone.put(path), 409, "pair_needed")
    body = the_problem(phone.put(f"{path}?with={town.outsider.key}"), 409, "not_there")
    assert body["errors"][0]["field"] == "with"
    assert told(phone.put(f"{path}?with={town.guardian.key}"))["resident"] == town.child.key
    (line,) = told(phone.get(f"/staff/course-runs/{run.key}/registrations"))["items"]
    assert (line["name"], line["paired_with"]) == ("李小雨", "李强")


def test_m29_who_can_be_told_by_nothing_else_is_called_and_told_who_did_what(
    door: Door, town: Town, elder: str
) -> None:
    run, phone = town.a_run(title="八段锦"), door.phone(town.clerk)
    told(phone.put(f"/staff/course-runs/{run.key}/registrations/{elder}"))
    with door.app.app_context():
        send_short_messages(town_clock.now())
    (call,) = told(phone.get("/staff/calls"))["items"]
    assert (call["kind"], call["name"]) == ("acted_for_you", "孙奶奶")
    assert call["body"].startswith("小（社区工作人员）已替您报名：八段锦")


def test_m29_the_person_reads_in_the_copy_who_registered_them(door: Door, town: Town) -> None:
    run = town.a_run()
    told(door.phone(town.grid_worker).put(f"/staff/course-runs/{run.key}/registrations/{town.resident.key}"))
    (held,) = told(door.phone(town.resident).get("/me/copy"))["oneself"]["registrations"]
    (line,) = held["history"]
    assert (line["act"], line["by"]) == ("registration.confirmed", "staff")
    assert [role["role"] for role in line["by_roles"]] == ["grid_worker"]
    (letter,) = told(door.phone(town.resident).get("/me/notices"))["items"]
    assert letter["kind"] == "acted_for_you"
    assert "（网格员）已替您报名" in letter["body"]
