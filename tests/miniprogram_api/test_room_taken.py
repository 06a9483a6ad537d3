"""Coming too late for a room, over the wire: told at once, by a look that holds nobody up, with what else there is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from miniprogram_api.freshness import Lately
from models import clock
from models.base import transaction
from models.reservations import ROOM_PLEDGE, HouseRules
from models.sites import Site, Venue, VenueUse, add_venue, describe_venue
from tests.closing import closes
from tests.people import Person, Town
from tests.phones import Door, the_problem, told
from tests.rooms import Centre, at, set_number, takes


def asked_for(hour: int, **more: Any) -> dict[str, Any]:
    """Two hours of that Saturday for five people."""
    return {
        "starts_at": clock.in_town(at(hour)).isoformat(),
        "ends_at": clock.in_town(at(hour + 2)).isoformat(),
        "headcount": 5,
        "wanted_for": "reading",
        "pledge": ROOM_PLEDGE.version,
        **more,
    }


def ask(door: Door, person: Person, room: Venue, hour: int = 9, **more: Any) -> Any:
    """The tap."""
    return door.phone(person).post(f"/venues/{room.key}/reservations", json=asked_for(hour, **more))


def test_who_comes_too_late_hears_what_else_there_is(door: Door, town: Town, centre: Centre) -> None:
    told(ask(door, town.resident, centre.reading_room), 201)
    problem = the_problem(ask(door, town.neighbour, centre.reading_room), 409, "room_taken")
    assert [error["field"] for error in problem["errors"]] == ["starts_at"]
    assert problem["details"]["may_wait"]
    ways = problem["details"]["alternatives"]
    assert {one["kind"] for one in ways} == {"other_time", "other_room"}
    first = ways[0]
    answer = door.phone(town.neighbour).post(
        f"/venues/{first['venue']}/reservations",
        json={**asked_for(9), "starts_at": first["starts_at"], "ends_at": first["ends_at"]},
    )
    assert told(answer, 201)["state"] == "approved"


def test_nobody_who_comes_too_late_holds_anybody_up(
    door: Door, town: Town, centre: Centre, statements: list[str]
) -> None:
    takes(town.resident, centre.reading_room, at(9))
    statements.clear()
    the_problem(ask(door, town.neighbour, centre.reading_room), 409, "room_taken")
    assert statements
    assert not [one for one in statements if "FOR NO KEY" in one or "FOR UPDATE" in one]
    assert not [one for one in statements if one.startswith(("INSERT", "UPDATE", "DELETE"))]


def test_who_has_it_already_is_told_so_again(door: Door, town: Town, centre: Centre) -> None:
    first = told(ask(door, town.resident, centre.reading_room), 201)
    assert told(ask(door, town.resident, centre.reading_room), 201) == first


def test_who_waits_is_not_told_to_look_elsewhere(door: Door, town: Town, centre: Centre) -> None:
    told(ask(door, town.resident, centre.reading_room), 201)
    waits = told(ask(door, town.neighbour, centre.reading_room, waits=True), 201)
    assert waits["state"] == "waitlisted"


def test_ones_own_reason_is_told_before_the_room_is_taken(door: Door, town: Town, centre: Centre) -> None:
    told(ask(door, town.resident, centre.reading_room), 201)
    for body, code in (
        ({"pledge": "2020-01"}, "pledge_needed"),
        ({"headcount": 21}, "too_many_heads"),
    ):
        the_problem(ask(door, town.neighbour, centre.reading_room, **body), 409, code)
    the_problem(ask(door, town.outsider, centre.reading_room), 409, "others_not_admitted")


def test_what_the_rooms_go_by_is_read_once_for_everybody_who_comes_too_late(
    door: Door, town: Town, centre: Centre, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    takes(town.resident, centre.reading_room, at(9))
    monkeypatch.setitem(door.app.extensions, "house_rules", Lately[frozenset[int], HouseRules](60))
    statements.clear()
    the_problem(ask(door, town.neighbour, centre.reading_room), 409, "room_taken")
    first = len(statements)
    statements.clear()
    problem = the_problem(ask(door, town.neighbour, centre.reading_room), 409, "room_taken")
    assert len(problem["details"]["alternatives"]) == 6
    assert not [one for one in statements if re.search("openings|policies|calendar_days", one)]
    assert len(statements) == 10 < first  # nine of the person and the slot, one of the rooms there are


def test_a_number_of_a_moment_ago_gives_nobody_a_room(
    door: Door, town: Town, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(door.app.extensions, "house_rules", Lately[frozenset[int], HouseRules](60))
    takes(town.resident, centre.reading_room, at(9))
    the_problem(ask(door, town.neighbour, centre.reading_room), 409, "room_taken")  # it is kept from now on
    set_number(town.wutong, "reserve_most_minutes", "60")
    problem = the_problem(ask(door, town.neighbour, centre.reading_room, hour=14), 409, "time_unfit")
    assert [error["field"] for error in problem["errors"]] == ["ends_at"]


def test_a_room_that_was_added_a_moment_ago_is_among_what_else_there_is(
    door: Door, town: Town, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(door.app.extensions, "house_rules", Lately[frozenset[int], HouseRules](60))
    takes(town.resident, centre.reading_room, at(9))
    the_problem(ask(door, town.neighbour, centre.reading_room), 409, "room_taken")
    with transaction() as session:
        site = session.get_one(Site, centre.reading_room.site_id)
        added = add_venue(session, site, name="新书房", capacity=5)
        describe_venue(session, added, floor="", use=VenueUse.AT_ONCE, access_note="")
    problem = the_problem(ask(door, town.neighbour, centre.reading_room), 409, "room_taken")
    assert "新书房" in {one["name"] for one in problem["details"]["alternatives"]}


@pytest.mark.parametrize("waits", [False, True])
def test_a_room_that_is_closed_is_called_closed_and_not_somebody_elses(
    door: Door, town: Town, centre: Centre, waits: bool
) -> None:
    closes(town, [centre.reading_room], at(8), at(12))
    problem = the_problem(ask(door, town.resident, centre.reading_room), 409, "room_taken")
    assert problem["details"]["closed"] is True
    assert problem["detail"].startswith("“阅览室”这个时间停用")
    assert problem["errors"][0]["message"] == "这个时间停用"
    told(ask(door, town.neighbour, centre.reading_room, hour=14), 201)
    problem = the_problem(ask(door, town.resident, centre.reading_room, hour=14), 409, "room_taken")
    assert problem["details"]["closed"] is False
    if waits:  # it may be open again before that
        assert told(ask(door, town.guardian, centre.reading_room, waits=True), 201)["state"] == "waitlisted"
