"""How much rooms were used, over the wire: by room, by service point, in all, for whoever works there."""

from __future__ import annotations

from typing import Any

from models.base import transaction
from models.clock import StoppedClock
from models.sites import Site, SiteKind, add_venue, open_site
from tests.people import Town
from tests.phones import Door, the_problem, told
from tests.rooms import MONDAY, SATURDAY, SUNDAY, Centre, at, takes

WEEKEND = f"first={SATURDAY}&days=2"
NOTHING = {"uses": 0, "people": 0}


def asked(door: Door, town: Town, query: str = WEEKEND) -> dict[str, Any]:
    found: dict[str, Any] = told(door.phone(town.clerk).get(f"/staff/room-utilisation?{query}"))
    return found


def test_staff_see_how_much_each_room_and_the_house_were_used(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    takes(None, centre.left, at(9), about="志愿者培训", heads=12)
    town.a_run(venue=centre.left, starts_at=at(18, on=SUNDAY))
    clock.move_to(at(0, on=MONDAY))
    found = asked(door, town)
    assert (found["first"], found["last"], found["until"]) == (
        "2026-11-21",
        "2026-11-22",
        "2026-11-23T00:00:00+08:00",
    )
    (site,) = found["sites"]
    assert found["usage"] == site["usage"]
    assert (site["usage"]["open_minutes"], site["usage"]["used_minutes"]) == (6 * 1500, 210)
    by_name = {room["venue"]["name"]: room["usage"] for room in site["rooms"]}
    assert by_name["多功能厅左"] == {
        "open_minutes": 1500,
        "used_minutes": 210,
        "rate": 0.14,
        "closed_minutes": 0,
        "outside_minutes": 0,
        "reserved_minutes": 120,
        "no_show_minutes": 0,
        "no_shows": 0,
        "uses": 2,
        "people": 12,
        "by_purpose": [
            {"purpose": "course_session", "word": "上课", "minutes": 90, "uses": 1, "people": 0},
            {"purpose": "reservation", "word": "预约", "minutes": 120, "uses": 1, "people": 12},
            {"purpose": "service", "word": "场地换服务", "minutes": 0, **NOTHING},
        ],
    }
    assert (by_name["多功能厅"]["used_minutes"], by_name["多功能厅"]["rate"]) == (105, 0.07)
    assert by_name["多功能厅右"]["rate"] == 0


def test_the_last_thirty_days_are_counted_unless_others_are_named(
    door: Door, town: Town, centre: Centre
) -> None:
    found = asked(door, town, "")
    assert (found["first"], found["last"]) == ("2026-10-22", "2026-11-20")


def test_only_an_office_counts_its_own_rooms(door: Door, town: Town, centre: Centre) -> None:
    with transaction() as session:
        there = open_site(session, town.wangjiang, kind=SiteKind.STATION, name="望江站")
        add_venue(session, there, name="活动室", capacity=20)
        here = session.get_one(Site, centre.left.site_id).key
    assert [site["key"] for site in asked(door, town, "")["sites"]] == [here]
    assert [site["key"] for site in asked(door, town, f"site={here}")["sites"]] == [here]
    clerk = door.phone(town.clerk)
    elsewhere = the_problem(clerk.get(f"/staff/room-utilisation?site={there.key}"), 409, "not_there")
    assert elsewhere["errors"][0]["field"] == "site"
    for who in (town.resident, town.partner_member):
        the_problem(door.phone(who).get("/staff/room-utilisation"), 403, "identity_unfit")
    nobody = told(door.phone(town.grid_worker).get("/staff/room-utilisation"))
    assert (nobody["sites"], nobody["usage"]["rate"]) == ([], None)


def test_what_cannot_be_counted_is_told_so(door: Door, town: Town, centre: Centre) -> None:
    clerk = door.phone(town.clerk)
    for first in ("2026-11-21", "2016-11-10", "0001-01-01", "9999-12-31"):
        the_problem(clerk.get(f"/staff/room-utilisation?first={first}"), 409, "day_out_of_sight")
    for query in ("days=401", "days=0", "first=soon", "names=true"):
        the_problem(clerk.get(f"/staff/room-utilisation?{query}"), 422, "invalid")
    with transaction() as session:
        site = session.get_one(Site, centre.left.site_id)
        for n in range(44):
            add_venue(session, site, name=f"活动室{n}", capacity=10)
    too_much = clerk.get("/staff/room-utilisation?first=2025-11-20&days=400")
    assert the_problem(too_much, 409, "range_too_wide")["errors"][0]["field"] == "days"
    assert clerk.get("/staff/room-utilisation?first=2025-11-20&days=390").status_code == 200
