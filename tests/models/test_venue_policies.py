"""Numbers of one room, where it differs from its community."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.base import reading, transaction
from models.errors import Invalid
from models.journal import JournalEntry
from models.policies import DEFAULTS, Policies, set_policy
from models.regions import Region
from models.sites import Venue, add_venue
from models.venue_policies import OF_A_ROOM, policies_of, policies_of_each, set_venue_policy
from tests.people import Town, a_site, a_venue


@pytest.fixture
def room(town: Town) -> Venue:
    """A room of the community."""
    with transaction() as session:
        return a_venue(session, town.wutong)


def set_for(room: Venue, name: str, value: str | None) -> None:
    """Set a number of a room."""
    with transaction() as session:
        set_venue_policy(session, session.get_one(Venue, room.id), name, value)


def goes_by(room: Venue) -> Policies:
    """The numbers of a room."""
    with reading() as session:
        return policies_of(session, session.get_one(Venue, room.id))


def test_a_room_goes_by_its_community_until_it_differs(town: Town, room: Venue) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "reserve_days", "10")
    assert goes_by(room).reserve_days == 10
    set_for(room, "reserve_days", "3")
    assert goes_by(room).reserve_days == 3
    set_for(room, "reserve_days", None)
    assert goes_by(room).reserve_days == 10


def test_each_room_has_its_own_numbers(town: Town) -> None:
    with transaction() as session:
        site = a_site(session, town.wutong)
        rooms = [add_venue(session, site, name=name, capacity=20) for name in ("书画室", "舞蹈室", "会议室")]
        set_venue_policy(session, rooms[1], "buffer_minutes", "30")
    with reading() as session:
        numbers = policies_of_each(session, [session.get_one(Venue, room.id) for room in rooms])
    assert [numbers[room.id].buffer_minutes for room in rooms] == [0, 30, 0]


def test_the_slots_of_a_day_are_read_in_minutes(room: Venue) -> None:
    assert DEFAULTS.reserve_slots == ((540, 660), (840, 960), (960, 1080), (1140, 1260))
    set_for(room, "reserve_slots", "09:00-11:30 22:00-24:00")
    assert goes_by(room).reserve_slots == ((540, 690), (1320, 1440))
    set_for(room, "reserve_slots", "")
    assert goes_by(room).reserve_slots == ()


@pytest.mark.parametrize(
    "value",
    ["上午", "9:00-11:00", "11:00-09:00", "09:00-11:00,14:00-16:00", "09:00-11:00 10:00-12:00", "09:00", " "],
)
def test_senseless_slots_are_refused_with_an_example(room: Venue, value: str) -> None:
    with pytest.raises(Invalid) as caught:
        set_for(room, "reserve_slots", value)
    assert "09:00-11:00" in caught.value.faults[0].message
    assert goes_by(room).reserve_slots == DEFAULTS.reserve_slots


def test_what_is_counted_over_all_rooms_is_no_number_of_one(room: Venue) -> None:
    with pytest.raises(Invalid) as caught:
        set_for(room, "reservations_a_week", "9")
    assert caught.value.code == "policy_unknown"
    assert "reservations_a_week" not in OF_A_ROOM


def test_setting_a_number_is_journalled_and_the_same_again_is_nothing_new(room: Venue) -> None:
    for _ in range(2):
        set_for(room, "buffer_minutes", "20")
    with reading() as session:
        entries = session.scalars(
            select(JournalEntry.details).where(JournalEntry.act == "venue.policy_set")
        ).all()
    assert entries == [{"name": "buffer_minutes", "was": None, "is": "20"}]
