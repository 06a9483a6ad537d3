"""Seeing (有哪些受影响): everything that is in the way of a closure, read from the one calendar and the nouns that hold it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.agreements import ServiceAgreement, ServiceHold
from models.availability import Stretch
from models.bulk import among
from models.coordination.closures.rows import Noun
from models.courses import CourseRun, CourseSession, SessionState
from models.occupancy import LONGEST, Occupancy, Purpose
from models.reservations import HOLDING, Reservation, ReservationState, rooms_of
from models.sites import Site, Venue

Thing = CourseSession | Reservation | ServiceHold


@dataclass(frozen=True)
class Affected:
    """One thing that is in the way: a class, a reservation, a block of a unit's."""

    noun: Noun
    thing: Thing
    seen_at: datetime

    @property
    def key(self) -> str:
        """Its key, under which it holds its room."""
        return self.thing.key

    @property
    def venue(self) -> Venue:
        """Its room."""
        return self.thing.venue

    @property
    def stretch(self) -> Stretch:
        """When it is."""
        return Stretch(self.thing.starts_at, self.thing.ends_at)

    @property
    def state(self) -> str:
        """How it stands, in its noun's own word."""
        return "planned" if isinstance(self.thing, ServiceHold) else self.thing.state.value

    @property
    def title(self) -> str:
        """What it is, without anybody's name but a group's or a unit's."""
        if isinstance(self.thing, CourseSession):
            return self.thing.run.course.title
        if isinstance(self.thing, ServiceHold):
            return self.thing.agreement.title
        if self.thing.group is not None:
            return self.thing.group.name
        return "个人预约" if self.thing.resident_id is not None else self.thing.about or "社区自用"

    @property
    def people(self) -> int:
        """How many come, as far as one knows."""
        if isinstance(self.thing, CourseSession):
            return self.thing.run.seats_taken
        return self.thing.headcount if isinstance(self.thing, Reservation) else 0

    @property
    def only_waits(self) -> bool:
        """Whether it holds nothing yet that anybody counts on."""
        waiting = (ReservationState.WAITLISTED, ReservationState.OFFERED)
        return isinstance(self.thing, Reservation) and self.thing.state in waiting

    @property
    def in_use(self) -> bool:
        """Whether people are there now, as far as one knows: it has begun, or they have checked in."""
        begun = self.thing.starts_at <= self.seen_at
        if not isinstance(self.thing, Reservation):
            return begun
        return self.thing.state is ReservationState.CHECKED_IN or (
            begun and self.thing.state is ReservationState.APPROVED
        )


def what_holds(session: Session, rooms: Collection[Venue], during: Stretch) -> dict[str, Purpose]:
    """What holds any floor of these rooms in a stretch of time: by its key, what for."""
    rows = session.execute(
        select(Occupancy.holder_key, Occupancy.purpose)
        .distinct()
        .where(
            among(Occupancy.space_id, "spaces"),
            Occupancy.starts_at > during.starts_at - LONGEST,
            Occupancy.starts_at < during.ends_at,
            Occupancy.ends_at > during.starts_at,
        ),
        {"spaces": sorted({space.id for room in rooms for space in room.spaces})},
    )
    return dict(rows.all())


def affected_by(
    session: Session, rooms: Sequence[Venue], during: Stretch, holders: dict[str, Purpose]
) -> list[Affected]:
    """Everything that is to be in these rooms (and what shares their floor) in a stretch of time and is not over, in order of time.

    ``holders``: what holds them then (``what_holds``). Who only waits for one of them is affected too.
    """
    now = clock.now()
    found: list[tuple[Noun, Thing]] = [
        *_classes(session, _keys(holders, Purpose.COURSE_SESSION)),
        *_reservations(session, _keys(holders, Purpose.RESERVATION)),
        *_who_wait(session, rooms, during),
        *_blocks(session, _keys(holders, Purpose.SERVICE)),
    ]
    affected = [Affected(noun, thing, now) for noun, thing in found]
    return sorted(
        (one for one in affected if one.stretch.overlaps(during) and one.stretch.ends_at > now),
        key=lambda one: (one.stretch, one.noun, one.thing.id),
    )


def _keys(holders: dict[str, Purpose], purpose: Purpose) -> list[str]:
    return sorted(key for key, what_for in holders.items() if what_for is purpose)


def _classes(session: Session, keys: Collection[str]) -> Iterator[tuple[Noun, CourseSession]]:
    if not keys:
        return
    rows = session.scalars(
        select(CourseSession)
        .options(
            joinedload(CourseSession.run).joinedload(CourseRun.course),
            joinedload(CourseSession.run).joinedload(CourseRun.region),
            joinedload(CourseSession.run).selectinload(CourseRun.sessions),
            joinedload(CourseSession.venue).joinedload(Venue.site).joinedload(Site.region),
            joinedload(CourseSession.venue).selectinload(Venue.spaces),
        )
        .where(among(CourseSession.key, "keys"), CourseSession.state == SessionState.PLANNED),
        {"keys": keys},
    )
    yield from ((Noun.COURSE_SESSION, row) for row in rows)


def _reservations(session: Session, keys: Collection[str]) -> Iterator[tuple[Noun, Reservation]]:
    if not keys:
        return
    rows = session.scalars(
        select(Reservation)
        .options(*rooms_of())
        .where(among(Reservation.key, "keys"), Reservation.state.in_(HOLDING)),
        {"keys": keys},
    )
    yield from ((Noun.RESERVATION, row) for row in rows)


def _who_wait(
    session: Session, rooms: Sequence[Venue], during: Stretch
) -> Iterator[tuple[Noun, Reservation]]:
    rows = session.scalars(
        select(Reservation)
        .options(*rooms_of())
        .where(
            among(Reservation.venue_id, "venues"),
            Reservation.state == ReservationState.WAITLISTED,
            Reservation.starts_at > during.starts_at - timedelta(days=1),
            Reservation.starts_at < during.ends_at,
            Reservation.ends_at > during.starts_at,
        ),
        {"venues": sorted(room.id for room in rooms)},
    )
    yield from ((Noun.RESERVATION, row) for row in rows)


def _blocks(session: Session, keys: Collection[str]) -> Iterator[tuple[Noun, ServiceHold]]:
    if not keys:
        return
    agreement = joinedload(ServiceHold.agreement)
    rows = session.scalars(
        select(ServiceHold)
        .options(
            agreement.joinedload(ServiceAgreement.partner),
            agreement.joinedload(ServiceAgreement.venue).joinedload(Venue.site).joinedload(Site.region),
            agreement.joinedload(ServiceAgreement.venue).selectinload(Venue.spaces),
            joinedload(ServiceHold.elsewhere).joinedload(Venue.site).joinedload(Site.region),
            joinedload(ServiceHold.elsewhere).selectinload(Venue.spaces),
        )
        .where(among(ServiceHold.key, "keys")),
        {"keys": keys},
    )
    yield from ((Noun.SERVICE_HOLD, row) for row in rows)
