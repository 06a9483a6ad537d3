"""Inductions over the wire: what a clerk writes down, and what the person sees."""

from __future__ import annotations

import pytest

from models.base import reading, transaction
from models.consents import PRIVACY_POLICY
from models.journal import JournalEntry
from models.residents import Resident
from models.sites import Venue
from tests.people import Town, a_venue
from tests.phones import Door, the_problem, told


@pytest.fixture
def studio(town: Town) -> Venue:
    """A room one is shown before one reserves it."""
    with transaction() as session:
        return a_venue(session, town.wutong, name="自媒体工作室")


def test_a_clerk_writes_down_who_was_shown_a_room_and_they_see_it(
    door: Door, town: Town, studio: Venue
) -> None:
    phone, address = door.phone(town.clerk), f"/staff/venues/{studio.key}/inductions"
    for done_on in (None, "2026-11-18"):
        said = told(phone.put(f"{address}/{town.resident.key}", json={"done_on": done_on}))
        assert said["done_on"] == (done_on or "2026-11-20")
    (listed,) = told(phone.get(address))["items"]
    assert listed == {
        "resident": {"key": town.resident.key, "name": town.resident.name},
        "done_on": "2026-11-18",
    }
    (mine,) = told(door.phone(town.resident).get("/me/inductions"))["items"]
    assert (mine["venue"], mine["done_on"]) == (studio.key, "2026-11-18")
    assert mine["room"].startswith("自媒体工作室（")
    for _ in range(2):
        assert phone.delete(f"{address}/{town.resident.key}").status_code == 204
    assert told(door.phone(town.resident).get("/me/inductions"))["items"] == []
    assert told(phone.get(address))["items"] == []


def test_a_helper_sees_what_an_elder_was_shown(door: Door, town: Town, studio: Venue) -> None:
    address = f"/staff/venues/{studio.key}/inductions/{town.elder.key}"
    signed = {"version": PRIVACY_POLICY.version, "given_by": "oneself"}
    clerk = door.phone(town.clerk)
    the_problem(clerk.put(address, json={"done_on": None}), 409, "profile_needed")
    told(clerk.put(f"/staff/residents/{town.elder.key}/consent", json=signed))
    told(clerk.put(address, json={"done_on": None}))
    phone = door.phone(town.helper)
    assert told(phone.get("/me/inductions"))["items"] == []
    assert len(told(phone.get(f"/me/inductions?for={town.elder.key}"))["items"]) == 1
    the_problem(phone.get(f"/me/inductions?for={town.child.key}"), 404, "no_bond")


def test_the_list_goes_on_page_by_page_and_tells_only_those_shown(
    door: Door, town: Town, studio: Venue
) -> None:
    phone, address = door.phone(town.clerk), f"/staff/venues/{studio.key}/inductions"
    for person in (town.resident, town.neighbour):
        told(phone.put(f"{address}/{person.key}", json={"done_on": None}))
    first = told(phone.get(f"{address}?limit=1"))
    assert [one["resident"]["key"] for one in first["items"]] == [town.resident.key]
    with reading() as session:
        looked = session.query(JournalEntry.for_resident_id).filter_by(act="induction.looked_at").all()
    assert looked == [(town.resident.resident_id,)]
    second = told(phone.get(f"{address}?limit=1&cursor={first['next']}"))
    assert [one["resident"]["key"] for one in second["items"]] == [town.neighbour.key]
    assert second["next"] is None


def test_only_people_one_looks_after_are_written_down(door: Door, town: Town, studio: Venue) -> None:
    phone, address = door.phone(town.clerk), f"/staff/venues/{studio.key}/inductions"
    answer = phone.put(f"{address}/{town.outsider.key}", json={"done_on": None})
    the_problem(answer, 404, "not_found")
    the_problem(phone.delete(f"{address}/{town.outsider.key}"), 404, "not_found")


def test_who_moved_away_can_still_be_taken_off_the_list(door: Door, town: Town, studio: Venue) -> None:
    phone, address = door.phone(town.clerk), f"/staff/venues/{studio.key}/inductions/{town.resident.key}"
    told(phone.put(address, json={"done_on": None}))
    with transaction() as session:
        session.get_one(Resident, town.resident.resident_id).home_region_id = town.wangjiang.id
    assert phone.delete(address).status_code == 204
    assert told(door.phone(town.resident).get("/me/inductions"))["items"] == []


@pytest.mark.parametrize("body", [{"done_on": "2026-11-21"}, {"done_on": "2026-02-30"}, {"done_on": 3}, {}])
def test_a_day_that_cannot_be_is_named(
    door: Door, town: Town, studio: Venue, body: dict[str, object]
) -> None:
    address = f"/staff/venues/{studio.key}/inductions/{town.resident.key}"
    answer = door.phone(town.clerk).put(address, json=body)
    assert answer.status_code in {409, 422}
    assert [error["field"] for error in (answer.json or {})["errors"]] == ["done_on"]


def test_a_grid_worker_runs_no_room(door: Door, town: Town, studio: Venue) -> None:
    address = f"/staff/venues/{studio.key}/inductions/{town.resident.key}"
    the_problem(door.phone(town.grid_worker).put(address, json={"done_on": None}), 404, "not_found")
