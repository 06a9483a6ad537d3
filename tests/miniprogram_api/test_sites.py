"""Service points over the wire: what everybody sees, and what staff write of their own."""

from __future__ import annotations

from typing import Any

import pytest

from models.base import transaction
from models.sites import Venue
from tests.people import Town, a_venue
from tests.phones import Door, the_problem, told

ALL_DAY = {"on": "workday", "opens": "08:00", "closes": "24:00"}


@pytest.fixture
def room(town: Town) -> Venue:
    """A room of a site in the first community."""
    with transaction() as session:
        return a_venue(session, town.wutong, name="舞蹈室", capacity=25)


def test_anybody_sees_where_one_can_go_and_when(door: Door, town: Town, room: Venue) -> None:
    (listed,) = told(door.phone().get(f"/sites?region={town.wutong.key}"))["items"]
    assert (listed["region"]["name"], listed["rooms"]) == (town.wutong.name, 1)
    assert listed["today"] == {
        "on": "2026-11-20",
        "kind": "workday",
        "open": [{"opens": "08:30", "closes": "21:00"}],
    }
    site = told(door.phone().get(f"/sites/{listed['key']}"))
    assert not site["hours"]["its_own"]
    assert [day["kind"] for day in site["week"]] == ["workday", *["weekend"] * 2, *["workday"] * 4]
    (venue,) = site["venues"]
    assert (venue["name"], venue["capacity"], venue["use"]) == ("舞蹈室", 25, "reviewed")
    assert told(door.phone().get(f"/sites?region={town.wangjiang.key}"))["items"] == []


def test_sites_are_listed_page_by_page(door: Door, town: Town, room: Venue) -> None:
    with transaction() as session:
        a_venue(session, town.wangjiang)
    first = told(door.phone().get("/sites?limit=1"))
    second = told(door.phone().get(f"/sites?limit=1&cursor={first['next']}"))
    assert second["next"] is None
    assert {first["items"][0]["key"], second["items"][0]["key"]} == {
        one["key"] for one in told(door.phone().get("/sites"))["items"]
    }


def test_a_clerk_writes_hours_and_what_a_room_is_like(door: Door, town: Town, room: Venue) -> None:
    phone, site = door.phone(town.clerk), room.site.key
    written = told(phone.put(f"/staff/sites/{site}/hours", json={"items": [ALL_DAY]}))
    assert written["hours"] == {"its_own": True, "items": [ALL_DAY]}
    assert written["week"][1]["open"] == []
    own = {**ALL_DAY, "closes": "12:00"}
    told(phone.put(f"/staff/venues/{room.key}/hours", json={"items": [own]}))
    like = {"floor": "2楼", "use": "at_once", "access_note": "在服务台领门禁卡"}
    (venue,) = told(phone.put(f"/staff/venues/{room.key}", json=like))["venues"]
    assert venue["hours"] == {"its_own": True, "items": [own]}
    assert {name: venue[name] for name in like} == like
    bare: dict[str, Any] = {"floor": None, "use": "walk_in", "access_note": None}
    (venue,) = told(phone.put(f"/staff/venues/{room.key}", json=bare))["venues"]
    assert (venue["floor"], venue["access_note"]) == ("", "")


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([{**ALL_DAY, "opens": "24:01"}], "items.0.opens"),
        ([{**ALL_DAY, "closes": "8:30"}], "items.0.closes"),
        ([{**ALL_DAY, "on": "monday"}], "items.0.on"),
        ([{**ALL_DAY, "closes": "08:00"}], "items.0.closes"),
        ([ALL_DAY, {**ALL_DAY, "opens": "09:00"}], "items.1.opens"),
        ([ALL_DAY] * 13, "items"),
        ([{"on": "workday"}], "items.0.closes"),
    ],
)
def test_hours_that_cannot_be_are_named_at_their_field(
    door: Door, town: Town, room: Venue, items: list[dict[str, str]], field: str
) -> None:
    answer = door.phone(town.clerk).put(f"/staff/sites/{room.site.key}/hours", json={"items": items})
    assert answer.status_code in {409, 422}
    assert field in [error["field"] for error in (answer.json or {})["errors"]]
    assert not told(door.phone().get(f"/sites/{room.site.key}"))["hours"]["its_own"]


def test_staff_write_of_their_own_places_only(door: Door, town: Town) -> None:
    with transaction() as session:
        elsewhere = a_venue(session, town.wangjiang)
    phone = door.phone(town.clerk)
    for path in (f"/staff/sites/{elsewhere.site.key}/hours", f"/staff/venues/{elsewhere.key}/hours"):
        the_problem(phone.put(path, json={"items": [ALL_DAY]}), 404, "not_found")
