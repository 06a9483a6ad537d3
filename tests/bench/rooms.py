"""The cells of rooms (P17): what is free of a centre for a week, what is in it, and taking a room, with little behind it and with very much.

A centre of thirty rooms, each held three times a day in the week to come and every hour of the week before; and so many hours of the time before
that in which somebody was there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta

from models import clock
from models.availability import alternatives, availability, is_free, slots_of, stretch_of_day
from models.base import db, new_key, reading, transaction
from models.bulk import insert_rows
from models.coordination.calendar import calendar_of_rooms
from models.coordination.today import today_in
from models.coordination.utilisation import utilisation
from models.occupancy import Occupancy, Purpose, occupy
from models.regions import Region
from models.reservations import Reservation, ReservationState, ReservedFor
from models.sites import Site, SiteKind, Venue, VenueUse, add_venue, describe_venue, open_site
from models.venue_policies import policies_of_each
from tests.bench.lists import AN_HOUR, AT_ONCE
from tests.bench.town import BenchTown, take_statistics

ROOMS = 30
DAYS = 7
WEEK_BEFORE = ROOMS * DAYS * 24  # full in either centre, so that what is asked of it has as many rows to read
AT = (9, 14, 19)
HEADS = 10
CENTRE = "中心"
BUFFER = timedelta(minutes=10)


def add_centre(town: BenchTown, past: int) -> int:
    """A centre with a busy week before it, one behind it, and so many occupancies behind that; its id."""
    with town.app.app_context():
        with transaction() as session:
            site = open_site(
                session, session.get_one(Region, town.community_id), kind=SiteKind.CENTRE, name=CENTRE
            )
            rooms = [add_venue(session, site, name=f"活动室{n}", capacity=20 + n) for n in range(ROOMS)]
            for room in rooms:
                describe_venue(session, room, floor="", use=VenueUse.AT_ONCE, access_note="")
            spaces = [room.spaces[0].id for room in rooms]
            site_id = site.id
        midnight = stretch_of_day(clock.today()).starts_at
        with db.engine.execution_options(writes=True).begin() as connection:
            for first in range(0, WEEK_BEFORE + past, AT_ONCE):
                insert_rows(
                    connection,
                    Occupancy,
                    [
                        _hour(spaces[n % ROOMS], midnight - AN_HOUR * (n // ROOMS + 1))
                        for n in range(first, min(first + AT_ONCE, WEEK_BEFORE + past))
                    ],
                    "id",
                )
            ahead = [
                (room, new_key(), midnight + timedelta(days=day, hours=hour))
                for room in rooms
                for day in range(1, DAYS + 1)
                for hour in AT
            ]
            insert_rows(connection, Reservation, [_reserved(*one) for one in ahead], "id")
            insert_rows(
                connection,
                Occupancy,
                [_hour(room.spaces[0].id, starts_at, key) for room, key, starts_at in ahead],
                "id",
            )
    take_statistics(town.engine)
    return site_id


def looks_at_rooms(site_id: int) -> Mapping[str, Callable[[], object]]:
    """What is asked of a centre; nothing stays changed."""
    first = clock.today() + timedelta(days=1)
    taken = datetime.combine(first, time(AT[0]), clock.TOWN_ZONE)
    free = taken + 2 * AN_HOUR

    def one_room() -> bool:
        with reading() as session:
            room = session.get_one(Site, site_id).venues[0]
            return is_free(session, room, starts_at=free, ends_at=free + AN_HOUR, buffer=BUFFER)

    def otherwise() -> int:
        with reading() as session:
            room = session.get_one(Site, site_id).venues[0]
            return len(alternatives(session, room, starts_at=taken, ends_at=taken + AN_HOUR, headcount=HEADS))

    def take() -> None:
        with transaction() as session:
            room = session.get_one(Site, site_id).venues[0]
            occupy(
                session,
                room,
                starts_at=free,
                ends_at=free + AN_HOUR,
                purpose=Purpose.RESERVATION,
                holder_key="bench",
            )
            session.rollback()

    return {
        "a week of 30 rooms": lambda: _week(site_id, first),
        "what is in 30 rooms for a week": lambda: _calendar(site_id, first),
        "what is on today in 30 rooms": lambda: _today(site_id),
        "how much 30 rooms were used in a week": lambda: _used(site_id),
        "is one free": one_room,
        "alternatives": otherwise,
        "a room taken": take,
    }


def _week(site_id: int, first: date) -> int:
    with reading() as session:
        rooms: list[Venue] = session.get_one(Site, site_id).venues
        found = availability(session, rooms, first=first, days=DAYS)
        numbers = policies_of_each(session, rooms)
        return sum(len(slots_of(room, day, numbers[room.id])) for room in rooms for day in found[room.id])


def _calendar(site_id: int, first: date) -> int:
    with reading() as session:
        (calendar,) = calendar_of_rooms(session, [session.get_one(Site, site_id)], first=first, days=DAYS)
        return sum(len(room.uses) for rooms in calendar.days for room in rooms)


def _today(site_id: int) -> int:
    with reading() as session:
        return len(today_in(session, session.get_one(Site, site_id)).rooms)


def _used(site_id: int) -> int:
    with reading() as session:
        sites = [session.get_one(Site, site_id)]
        found = utilisation(session, sites, first=clock.today() - timedelta(days=DAYS), days=DAYS)
        return found.usage.open_minutes


def _reserved(room: Venue, key: str, starts_at: datetime) -> dict[str, object]:
    return {
        "key": key,
        "venue_id": room.id,
        "state": ReservationState.APPROVED,
        "starts_at": starts_at,
        "ends_at": starts_at + AN_HOUR,
        "buffer_minutes": 0,
        "wanted_for": ReservedFor.MEETING,
        "about": "",
        "headcount": HEADS,
        "reserved_at": clock.now(),
        "decided_because": "",
        "condition_note": "",
        "pledge_version": "",
        "code": "",
        "loudspeaker": False,
        "with_children": False,
        "cancelled_late": False,
    }


def _hour(space_id: int, starts_at: datetime, holder_key: str = "somebody") -> dict[str, object]:
    return {
        "space_id": space_id,
        "starts_at": starts_at,
        "ends_at": starts_at + AN_HOUR,
        "purpose": Purpose.RESERVATION,
        "holder_key": holder_key,
    }
