"""A centre with rooms of every kind, and what people do with them, as plain calls: the stage of the tests about reservations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.availability import stretch_of_day
from models.base import reading, transaction
from models.groups import Group, GroupKind, GroupState
from models.notices import Notice
from models.occupancy import Occupancy
from models.policies import set_policy
from models.regions import Region
from models.reservations import (
    ROOM_PLEDGE,
    By,
    Party,
    Reservation,
    ReservationState,
    ReservedFor,
    Scope,
    Wanted,
    accept,
    approve,
    cancel,
    check_in,
    reserve,
    sign_out,
)
from models.residents import Resident
from models.sites import Venue, VenueUse, add_space, add_venue
from tests.people import Person, Town, Worker, a_site

SATURDAY = date(2026, 11, 21)  # the day after the tests' noon
SUNDAY, MONDAY = SATURDAY + timedelta(days=1), SATURDAY + timedelta(days=2)
NEXT_FRIDAY = date(2026, 11, 27)
DOOR = "246810"


@dataclass(frozen=True)
class Centre:
    """The rooms of one site. Rows are detached: look, don't touch."""

    reading_room: Venue  # theirs at once
    dance_room: Venue  # staff review
    hall: Venue  # over two halves, theirs at once
    left: Venue
    right: Venue
    kitchen: Venue  # staff only
    corridor: Venue  # nobody need reserve it


def a_centre(session: Session, region: Region) -> Centre:
    """Seven rooms of one site, open from 08:30 to 21:00, with ten minutes to clean up after each use."""
    set_policy(session, session.get_one(Region, region.id), "buffer_minutes", "10")
    site = a_site(session, region)
    halves = [add_space(session, site, name) for name in ("左半厅", "右半厅")]
    rooms = [
        add_venue(session, site, name="阅览室", capacity=20),
        add_venue(session, site, name="舞蹈室", capacity=25),
        add_venue(session, site, name="多功能厅", capacity=80, spaces=halves),
        add_venue(session, site, name="多功能厅左", capacity=40, spaces=halves[:1]),
        add_venue(session, site, name="多功能厅右", capacity=40, spaces=halves[1:]),
        add_venue(session, site, name="厨房", capacity=10),
        add_venue(session, site, name="连廊", capacity=30),
    ]
    uses = [
        VenueUse.AT_ONCE,
        VenueUse.REVIEWED,
        VenueUse.AT_ONCE,
        VenueUse.AT_ONCE,
        VenueUse.AT_ONCE,
        VenueUse.STAFF_ONLY,
        VenueUse.WALK_IN,
    ]
    for room, use in zip(rooms, uses, strict=True):
        room.use, room.door_code = use, DOOR
    session.flush()
    return Centre(*rooms)


def at(hour: int, minute: int = 0, *, on: date = SATURDAY) -> datetime:
    """A moment on the town's clock, in UTC."""
    return stretch_of_day(on, hour * 60 + minute, 24 * 60).starts_at


def wish(starts_at: datetime, *, minutes: int = 120, heads: int = 5, **more: Any) -> Wanted:
    """A wish with the pledge given."""
    return Wanted(
        starts_at,
        starts_at + timedelta(minutes=minutes),
        heads,
        more.pop("wanted_for", ReservedFor.READING),
        pledge_version=more.pop("pledge_version", ROOM_PLEDGE.version),
        **more,
    )


def takes(
    person: Person | None,
    room: Venue,
    starts_at: datetime,
    *,
    minutes: int = 120,
    heads: int = 5,
    waits: bool = False,
    group: Group | None = None,
    by: By | None = None,
    acted_for: bool = False,
    **more: Any,
) -> Reservation:
    """Reserve, in a transaction of one's own. Raises the refusal. Nobody at all: the community itself."""
    with transaction() as session:
        party = Party(
            person.resident(session) if person else None,
            session.get_one(Group, group.id) if group else None,
        )
        return reserve(
            session,
            session.get_one(Venue, room.id),
            wish(starts_at, minutes=minutes, heads=heads, **more),
            whose=party,
            by=by or (by_phone(person) if person else By(None, "staff:abcdefghijklmnop")),
            acted_for=acted_for,
            waits=waits,
        )


def by_phone(person: Person) -> By:
    """Somebody at their own phone."""
    return By(person.account_id, "resident")


def by_staff(worker: Worker) -> By:
    """Somebody in the office."""
    return By(worker.account_id, worker.identity)


def cancels(person: Person, reservation: Reservation, *, scope: Scope = Scope.THIS) -> int:
    """Give up, in a transaction of one's own; how many were."""
    with transaction() as session:
        return cancel(session, again(session, reservation), by=by_phone(person), scope=scope)


def accepts(person: Person, reservation: Reservation) -> Reservation:
    """Take what is offered, in a transaction of one's own."""
    with transaction() as session:
        return accept(session, again(session, reservation), by=by_phone(person))


def checks_in(person: Person, reservation: Reservation, door_code: str = DOOR) -> Reservation:
    """Check in at the door, in a transaction of one's own."""
    with transaction() as session:
        return check_in(session, again(session, reservation), by=by_phone(person), door_code=door_code)


def signs_out(person: Person, reservation: Reservation, **how: Any) -> Reservation:
    """Sign out, in a transaction of one's own."""
    with transaction() as session:
        return sign_out(session, again(session, reservation), by=by_phone(person), **how)


def is_approved_by(worker: Worker, reservation: Reservation) -> Reservation:
    """Staff say yes, in a transaction of their own."""
    with transaction() as session:
        return approve(session, again(session, reservation), by=by_staff(worker))


def again(session: Session, reservation: Reservation) -> Reservation:
    """The same row in this session."""
    return session.get_one(Reservation, reservation.id)


def now_of(reservation: Reservation) -> Reservation:
    """The reservation as it stands in the database."""
    with reading() as session:
        return again(session, reservation)


def state_of(reservation: Reservation) -> ReservationState:
    """Its state in the database."""
    return now_of(reservation).state


def held_times(room: Venue) -> list[tuple[str, str]]:
    """What holds the first piece of floor of a room, as hours and minutes of the town's clock, in order."""
    with reading() as session:
        floor = session.get_one(Venue, room.id).spaces[0].id
        rows = session.scalars(
            select(Occupancy).where(Occupancy.space_id == floor).order_by(Occupancy.starts_at)
        ).all()
        return [
            (f"{clock.in_town(row.starts_at):%H:%M}", f"{clock.in_town(row.ends_at):%H:%M}") for row in rows
        ]


def told(person: Person) -> list[str]:
    """The kinds of notices in somebody's inbox, oldest first."""
    with reading() as session:
        kinds: Sequence[Any] = session.scalars(
            select(Notice.kind).where(Notice.account_id == person.account_id).order_by(Notice.id)
        ).all()
        return [kind.value for kind in kinds]


def a_group(town: Town, leader: Person, *, name: str = "夕阳红合唱团") -> Group:
    """A group that was approved."""
    with transaction() as session:
        group = Group(
            region_id=town.wutong.id,
            leader=session.get_one(Resident, leader.resident_id),
            name=name,
            kind=GroupKind.CHORUS,
            members_count=18,
            state=GroupState.APPROVED,
        )
        session.add(group)
        session.flush()
        return group


def set_number(place: Region, name: str, value: str) -> None:
    """A community sets one of its numbers."""
    with transaction() as session:
        set_policy(session, session.get_one(Region, place.id), name, value)
