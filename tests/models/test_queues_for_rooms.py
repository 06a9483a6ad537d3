"""Long queues for rooms: nobody's turn hangs on how many wait before them for something else, and neither does its cost."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import insert

from models import clock as town_clock
from models.base import transaction
from models.occupancy import Purpose, occupy, vacate
from models.reservations import (
    Reservation,
    ReservationState,
    ReservedFor,
    offer_what_is_free,
)
from models.sites import Venue
from server.jobs import rooms as jobs
from tests.people import Town
from tests.rooms import MONDAY, SATURDAY, Centre, at, cancels, state_of, takes

OFFERED, WAITLISTED = ReservationState.OFFERED, ReservationState.WAITLISTED


def many_wait(room: Venue, many: int, *, on: date) -> None:
    """So many wait for a room at nine, as the community itself may as often as it likes."""
    rows = [
        {
            "venue_id": room.id,
            "state": WAITLISTED,
            "starts_at": at(9, on=on),
            "ends_at": at(11, on=on),
            "buffer_minutes": 10,
            "wanted_for": ReservedFor.OTHER,
            "headcount": 5,
        }
        for _ in range(many)
    ]
    with transaction() as session:
        session.execute(insert(Reservation), rows)


def test_who_waits_for_one_day_is_not_cut_off_by_all_who_wait_for_another(town: Town, centre: Centre) -> None:
    takes(None, centre.reading_room, at(9, on=MONDAY))
    many_wait(centre.reading_room, 250, on=MONDAY)
    held = takes(town.resident, centre.reading_room, at(14))
    waiting = takes(town.neighbour, centre.reading_room, at(14), waits=True)
    cancels(town.resident, held)
    assert state_of(waiting) is OFFERED


def asked_for_who_waits(centre: Centre, statements: list[str]) -> int:
    """How many statements it takes to find that nothing, or one thing, is free for those who wait."""
    with transaction() as session:
        rooms = [session.get_one(Venue, room.id) for room in (centre.reading_room, centre.dance_room)]
        before = len(statements)
        offer_what_is_free(session, rooms)
        return len(statements) - before


def test_a_long_queue_costs_what_a_short_one_does(town: Town, centre: Centre, statements: list[str]) -> None:
    for room in (centre.reading_room, centre.dance_room):
        takes(None, room, at(9, on=MONDAY))
        many_wait(room, 1, on=MONDAY)
    short = asked_for_who_waits(centre, statements)
    many_wait(centre.reading_room, 250, on=MONDAY)
    assert asked_for_who_waits(centre, statements) == short


def test_of_many_who_wait_for_one_time_only_the_first_is_looked_at_again(
    town: Town, centre: Centre, statements: list[str]
) -> None:
    counted = []
    for on, many in ((SATURDAY, 2), (MONDAY, 150)):
        many_wait(centre.reading_room, many, on=on)
        counted.append(asked_for_who_waits(centre, statements))
    assert counted[0] == counted[1]


def test_a_room_behind_many_that_are_waited_for_is_offered_too(
    town: Town, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MOST_AT_ONCE", 1)
    takes(town.resident, centre.reading_room, at(14))
    takes(town.neighbour, centre.reading_room, at(14), waits=True)
    with transaction() as session:
        occupy(
            session,
            session.get_one(Venue, centre.left.id),
            starts_at=at(14),
            ends_at=at(16),
            purpose=Purpose.COURSE_SESSION,
            holder_key="anevening",
        )
    waiting = takes(town.helper, centre.left, at(14), waits=True)
    with transaction() as session:
        vacate(session, ["anevening"])
    assert jobs.offer_rooms(town_clock.now()) == 1
    assert state_of(waiting) is OFFERED


def test_who_waits_for_what_is_free_but_for_the_cleaning_waits_on(town: Town, centre: Centre) -> None:
    takes(town.resident, centre.reading_room, at(16))
    waiting = takes(town.neighbour, centre.reading_room, at(14), waits=True)
    assert jobs.offer_rooms(town_clock.now()) == 0
    assert state_of(waiting) is WAITLISTED
    fits = takes(town.helper, centre.reading_room, at(16) - timedelta(hours=1), minutes=30, waits=True)
    assert state_of(fits) is not WAITLISTED
