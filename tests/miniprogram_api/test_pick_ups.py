"""Fetching children over the API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.clock import StoppedClock
from models.courses import Audience, CourseRun
from tests.people import FIRST_EVENING, Town
from tests.phones import Door, the_problem, told

GRANDPA = {"name": "李建国", "phone": "13700000001", "relation": "grandparent"}


@pytest.fixture
def run(town: Town) -> CourseRun:
    """A class for children, with the guardian's child in it."""
    run = town.a_run(audience=Audience.CHILD)
    town.guardian.tap(run, for_whom=town.child)
    return run


def test_a_guardian_names_who_may_fetch_the_child_and_staff_sign_it_out(
    door: Door, town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    path = f"/course-runs/{run.key}/pick-up-adults?for={town.child.key}"
    phone, clerk = door.phone(town.guardian), door.phone(town.clerk)
    (grandpa,) = told(phone.put(path, json={"adults": [GRANDPA]}))["items"]
    assert (grandpa["name"], grandpa["phone"], grandpa["relation_label"]) == ("李建国", "137******01", "老人")
    assert told(phone.get(path))["items"] == [grandpa]
    (line,) = town.registrations(run)
    evening = f"/staff/course-sessions/{run.sessions[0].key}"
    clock.move_to(FIRST_EVENING)
    rows = [{"registration": line.key, "state": "present"}]
    told(clerk.put(f"{evening}/attendance", json={"rows": rows}))
    children = told(clerk.get(f"{evening}/pick-ups"))
    (child,) = children["items"]
    assert (children["waiting"], child["name"], child["waits"]) == (1, "李小雨", True)
    assert [(one["name"], one["phone"], one["relation_label"]) for one in child["fetchers"]] == [
        ("李强", "13800138000", "监护人"),
        ("李建国", "13700000001", "老人"),
    ]
    clock.advance(minutes=90)
    stranger = {"registration": line.key, "adult": town.neighbour.key}
    the_problem(clerk.put(f"{evening}/pick-ups", json=stranger), 409, "adult_not_named")
    went = told(clerk.put(f"{evening}/pick-ups", json={"registration": line.key, "adult": grandpa["key"]}))
    assert (went["waits"], went["fetched_by"], went["fetched_at"]) == (
        False,
        "李建国",
        "2026-12-03T19:30:00+08:00",
    )
    heard = [notice["kind"] for notice in told(phone.get("/me/notices"))["items"]]
    assert "child_fetched" in heard
    copied = told(phone.get("/me/copy"))["children"][0]["registrations"][0]
    assert [one["name"] for one in copied["pick_up_adults"]] == ["李*国"]
    assert [one["relation"] for one in copied["pick_ups"]] == ["grandparent"]
    told(phone.put(path, json={"adults": []}))
    assert told(phone.get(path))["items"] == []


def test_a_name_nobody_should_read_is_not_taken(door: Door, town: Town, run: CourseRun) -> None:
    path = f"/course-runs/{run.key}/pick-up-adults?for={town.child.key}"
    phone = door.log_in(town.guardian.openid)  # WeChat looks at what those write who are there
    the_problem(phone.put(path, json={"adults": [{**GRANDPA, "name": "赌博平台"}]}), 422, "content_risky")
    the_problem(phone.put(path, json={"adults": [GRANDPA] * 4}), 422, "invalid")


def test_a_class_of_grown_ups_has_no_list_of_children(
    door: Door, town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    grown_ups = town.a_run(starts_at=FIRST_EVENING + timedelta(days=1))
    path = f"/staff/course-sessions/{grown_ups.sessions[0].key}/pick-ups"
    the_problem(door.phone(town.clerk).get(path), 409, "no_pick_up")
