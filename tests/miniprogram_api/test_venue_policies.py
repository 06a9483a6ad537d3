"""Numbers of one room over the wire: what staff set, and what everybody is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models.base import transaction
from models.policies import set_policy
from models.regions import Region
from models.sites import Venue, VenueUse, describe_venue
from models.venue_policies import OF_A_ROOM
from tests.people import Town, a_venue
from tests.phones import Door, Phone, the_problem, told
from tests.rooms import MONDAY, NEXT_FRIDAY, at, now_of, takes


@pytest.fixture
def room(town: Town) -> Venue:
    """A room of a site in the first community."""
    with transaction() as session:
        return a_venue(session, town.wutong, name="舞蹈室", capacity=25)


def rules(phone: Phone, room: Venue) -> dict[str, Any]:
    """Every rule of the room by its name, as staff see it."""
    return {one["name"]: one for one in told(phone.get(f"/staff/venues/{room.key}/policies"))["items"]}


def put(phone: Phone, room: Venue, **values: str | None) -> Any:
    """Set these numbers of the room."""
    items = [{"name": name, "value": value} for name, value in values.items()]
    return phone.put(f"/staff/venues/{room.key}/policies", json={"items": items})


def shown(door: Door, room: Venue) -> Any:
    """What everybody sees of the room's rules."""
    (venue,) = told(door.phone().get(f"/sites/{room.site.key}"))["venues"]
    return venue["rules"]


def test_a_clerk_sees_every_rule_of_a_room_and_whose_it_is(door: Door, town: Town, room: Venue) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "reserve_days", "10")
    seen = rules(door.phone(town.clerk), room)
    assert set(seen) == OF_A_ROOM
    assert seen["reserve_days"] == {
        "name": "reserve_days",
        "meaning": "场地提前几天可以预约",
        "value": "10",
        "its_own": False,
        "usual": "10",
        "least": 0,
        "most": 365,
    }
    assert (seen["reserve_opens"]["value"], seen["reserve_opens"]["most"]) == ("08:00", None)


def test_a_clerk_sets_several_at_once_and_lets_the_room_go_by_its_community_again(
    door: Door, town: Town, room: Venue
) -> None:
    phone = door.phone(town.clerk)
    told(put(phone, room, reserve_days="3", reserve_slots="", reserve_opens="07:30"))
    seen = rules(phone, room)
    assert (seen["reserve_days"]["value"], seen["reserve_days"]["usual"]) == ("3", "7")
    assert (seen["reserve_slots"]["value"], seen["reserve_slots"]["its_own"]) == ("", True)
    assert seen["buffer_minutes"]["its_own"] is False
    everybody = shown(door, room)
    assert (everybody["reserve_days"], everybody["reserve_slots"]) == (3, [])
    assert everybody["reserve_opens"] == "07:30"
    told(put(phone, room, reserve_days=None, reserve_slots=None))
    assert shown(door, room)["reserve_days"] == 7


def test_what_waits_for_review_goes_by_the_new_number_at_once_in_that_room_alone(
    door: Door, town: Town, room: Venue
) -> None:
    with transaction() as session:
        other = a_venue(session, town.wutong, name="书画室", capacity=25)
        for one in (room, other):
            session.get_one(Venue, one.id).use = VenueUse.REVIEWED
    here, there = (
        takes(person, one, at(9, on=NEXT_FRIDAY))
        for person, one in ((town.resident, room), (town.neighbour, other))
    )
    phone = door.phone(town.clerk)
    told(put(phone, room, room_review_days="2"))
    assert now_of(here).review_due_at == at(12, on=MONDAY + timedelta(days=1))
    told(put(phone, room, room_review_days=None, unreviewed_until_hours="100"))
    assert now_of(here).review_due_at == at(5, on=MONDAY)
    told(put(phone, room, unreviewed_until_hours=None))
    assert now_of(here).review_due_at == now_of(there).review_due_at == at(12, on=MONDAY)


def test_everybody_sees_what_they_need_to_know_of_a_room(door: Door, room: Venue) -> None:
    seen = shown(door, room)
    assert seen["reserve_slots"][0] == {"opens": "09:00", "closes": "11:00"}
    assert (seen["reserve_most_minutes"], seen["group_most_minutes"], seen["buffer_minutes"]) == (
        120,
        240,
        0,
    )
    assert seen["others_may_reserve"] is False


@pytest.mark.parametrize("use", [VenueUse.WALK_IN, VenueUse.STAFF_ONLY])
def test_a_room_nobody_reserves_has_no_rules_for_it(door: Door, room: Venue, use: VenueUse) -> None:
    with transaction() as session:
        describe_venue(session, session.get_one(Venue, room.id), floor="", use=use, access_note="")
    assert shown(door, room) is None


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([("reserve_days", "366")], "items.0.value"),
        ([("buffer_minutes", "10"), ("reserve_days", "-1")], "items.1.value"),
        ([("reserve_days", "08:00")], "items.0.value"),
        ([("reserve_opens", "25:00")], "items.0.value"),
        ([("reserve_slots", "11:00-09:00")], "items.0.value"),
        ([("reserve_slots", "09:00-11:00 10:00-12:00")], "items.0.value"),
        ([("reserve_days", "3"), ("reserve_days", "4")], "items.1.name"),
        ([("reserve_least_minutes", "130")], "items.0.value"),
        (
            [("buffer_minutes", "0"), ("group_most_minutes", "30"), ("reserve_least_minutes", "60")],
            "items.1.value",
        ),
        ([("reserve_days", "七天")], "items.0.value"),
        ([("reserve_days", "3" * 81)], "items.0.value"),
        ([("reservations_a_week", "3")], "items.0.name"),
        ([("nonsense", "3")], "items.0.name"),
        ([], "items"),
    ],
)
def test_what_makes_no_sense_is_named_and_nothing_is_set(
    door: Door, town: Town, room: Venue, items: list[tuple[str, str]], field: str
) -> None:
    phone = door.phone(town.clerk)
    sent = {"items": [{"name": name, "value": value} for name, value in items]}
    answer = phone.put(f"/staff/venues/{room.key}/policies", json=sent)
    assert answer.status_code in {409, 422}
    assert field in [error["field"] for error in (answer.json or {})["errors"]]
    assert not any(one["its_own"] for one in rules(phone, room).values())


def test_an_odd_number_of_the_community_does_not_stand_in_the_way_of_another(
    door: Door, town: Town, room: Venue
) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "reserve_least_minutes", "200")
    phone = door.phone(town.clerk)
    told(put(phone, room, buffer_minutes="0"))
    the_problem(put(phone, room, reserve_most_minutes="120"), 409, "venue_policies_unfit")
