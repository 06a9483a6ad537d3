"""Coming too late for a room, over the wire: told at once, by a look that holds nobody up, with what else there is."""

from __future__ import annotations

from typing import Any

from models import clock
from models.reservations import ROOM_PLEDGE
from models.sites import Venue
from tests.people import Person, Town
from tests.phones import Door, the_problem, told
from tests.rooms import Centre, at, takes


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
