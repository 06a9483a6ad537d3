"""Equipment over the wire: what a clerk writes down, and what everybody sees of a room."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models.base import transaction
from models.equipment import lend
from models.sites import Venue, add_venue
from tests.people import FIRST_EVENING, Town, a_site, a_venue
from tests.phones import Door, the_problem, told

CHAIRS: dict[str, Any] = {"name": "折叠椅", "stock": 10, "venue": None}


@pytest.fixture
def room(town: Town) -> Venue:
    """A room of a site in the first community."""
    with transaction() as session:
        return a_venue(session, town.wutong, name="舞蹈室", capacity=25)


def seen(door: Door, room: Venue) -> list[list[tuple[str, int]]]:
    """What everybody sees with each room of the site."""
    venues = told(door.phone().get(f"/sites/{room.site.key}"))["venues"]
    return [[(one["name"], one["stock"]) for one in venue["equipment"]] for venue in venues]


def test_a_clerk_writes_down_what_a_site_lends(door: Door, town: Town, room: Venue) -> None:
    with transaction() as session:
        add_venue(session, session.get_one(Venue, room.id).site, name="书画室", capacity=20)
    phone = door.phone(town.clerk)
    chairs = told(phone.post(f"/staff/sites/{room.site.key}/equipment", json=CHAIRS), 201)
    assert chairs == {**CHAIRS, "key": chairs["key"]}
    speaker = {"name": "音响", "stock": 1, "venue": room.key}
    told(phone.post(f"/staff/sites/{room.site.key}/equipment", json=speaker), 201)
    assert seen(door, room) == [[("折叠椅", 10), ("音响", 1)], [("折叠椅", 10)]]
    told(phone.put(f"/staff/equipment/{chairs['key']}", json={**CHAIRS, "stock": 8, "venue": room.key}))
    assert seen(door, room) == [[("折叠椅", 8), ("音响", 1)], []]
    assert phone.delete(f"/staff/equipment/{chairs['key']}").status_code == 204
    assert seen(door, room) == [[("音响", 1)], []]
    the_problem(phone.delete(f"/staff/equipment/{chairs['key']}"), 404, "not_found")


def test_what_is_promised_is_not_taken_away(door: Door, town: Town, room: Venue) -> None:
    phone = door.phone(town.clerk)
    key = told(phone.post(f"/staff/sites/{room.site.key}/equipment", json=CHAIRS), 201)["key"]
    with transaction() as session:
        lend(
            session,
            {key: 6},
            session.get_one(Venue, room.id),
            starts_at=FIRST_EVENING,
            ends_at=FIRST_EVENING + timedelta(hours=1),
            holder_key="group",
        )
    answer = phone.put(f"/staff/equipment/{key}", json={**CHAIRS, "stock": 5})
    the_problem(answer, 409, "equipment_promised")
    assert (answer.json or {})["errors"][0]["field"] == "stock"
    the_problem(phone.delete(f"/staff/equipment/{key}"), 409, "equipment_promised")
    assert seen(door, room) == [[("折叠椅", 10)]]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"stock": 0}, "stock"),
        ({"stock": -1}, "stock"),
        ({"stock": 1001}, "stock"),
        ({"stock": 1.5}, "stock"),
        ({"name": " "}, "name"),
        ({"name": "椅" * 41}, "name"),
        ({"venue": "a" * 16}, "venue"),
        ({"venue": "x"}, "venue"),
    ],
)
def test_what_makes_no_sense_is_named(
    door: Door, town: Town, room: Venue, wrong: dict[str, Any], field: str
) -> None:
    phone = door.phone(town.clerk)
    answer = phone.post(f"/staff/sites/{room.site.key}/equipment", json={**CHAIRS, **wrong})
    assert answer.status_code in {409, 422}
    assert [error["field"] for error in (answer.json or {})["errors"]] == [field]
    assert seen(door, room) == [[]]


def test_a_room_of_another_site_is_named(door: Door, town: Town, room: Venue) -> None:
    with transaction() as session:
        other = add_venue(session, a_site(session, town.wutong), name="活动室", capacity=20)
        elsewhere = a_venue(session, town.wangjiang)
    phone, address = door.phone(town.clerk), f"/staff/sites/{room.site.key}/equipment"
    for strange, code in ((other, "equipment_elsewhere"), (elsewhere, "not_there")):
        answer = phone.post(address, json={**CHAIRS, "venue": strange.key})
        the_problem(answer, 409, code)
        assert [error["field"] for error in (answer.json or {})["errors"]] == ["venue"]
