"""Utilisation (使用率): how much of the time that rooms were open they were used, counted anew each time and kept nowhere.

Floor is counted, not names of rooms: a hall whose half is used is half used, and a house counts each piece of floor once, whatever rooms are cut
out of it. A room's minutes are those of its pieces of floor on average; a house's are those of all of its floor.

- *Open*: a room by its hours and the calendar, 调休 included, without what was closed or taken for a public need; of a house, a piece of floor is
  open whenever a room over it is.
- *Used*: classes that were held, what units had the room for by agreement, and reservations somebody came to, until they signed out. Who does not
  come uses nothing. Cleaning is no use. What lies outside the hours is told apart, so that no rate is above one.
- Only what is over counts, up to this minute: of a day that goes on, the part that is over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import clock
from models.agreements import ServiceAgreement, ServiceDelivery
from models.availability import Stretch, joined, stretch_of_day
from models.bulk import among
from models.courses import Attendance, CourseSession, SessionState
from models.courses.attendance import CAME
from models.hours import OpeningTimes
from models.occupancy import LONGEST, SHUT, Occupancy, Purpose
from models.reservations import Reservation, ReservationState
from models.sites import Site, Venue, venue_spaces

A_DAY = timedelta(days=1)
A_HANDFUL = 1000  # rows read at once
USES = (Purpose.COURSE_SESSION, Purpose.RESERVATION, Purpose.SERVICE)
_RESERVED = (
    ReservationState.APPROVED,
    ReservationState.CHECKED_IN,
    ReservationState.FINISHED,
    ReservationState.NO_SHOW,
)
_CAME = (ReservationState.CHECKED_IN, ReservationState.FINISHED)


@dataclass(frozen=True)
class PurposeUsage:
    """What one purpose comes to: minutes within the hours, how many uses, and how many people as far as they were counted."""

    purpose: Purpose
    minutes: int
    uses: int
    people: int


@dataclass(frozen=True)
class Usage:
    """What a room, a service point, or all of them come to; everything in minutes of a whole room, or of floor for a house."""

    open_minutes: int
    closed_minutes: int
    used_minutes: int
    outside_minutes: int
    reserved_minutes: int
    no_show_minutes: int
    no_shows: int
    rate: float | None  # none: it was never open
    by_purpose: Sequence[PurposeUsage]

    @property
    def uses(self) -> int:
        """How often it was used."""
        return sum(each.uses for each in self.by_purpose)

    @property
    def people(self) -> int:
        """How many came, as far as they were counted: at classes who was there, else as many as were said to come or were served."""
        return sum(each.people for each in self.by_purpose)


@dataclass(frozen=True)
class RoomUsage:
    """One room."""

    venue: Venue
    usage: Usage


@dataclass(frozen=True)
class SiteUsage:
    """A service point and each of its rooms, in their order."""

    site: Site
    usage: Usage
    rooms: Sequence[RoomUsage]


@dataclass(frozen=True)
class Utilisation:
    """From the first day on until a moment."""

    first: date
    last: date
    until: datetime
    usage: Usage
    sites: Sequence[SiteUsage]


@dataclass
class _Floor:
    """What one piece of floor comes to, in seconds, by the hours of one room or of the house."""

    hours: dict[date, list[Stretch]] = field(default_factory=dict)
    open: float = 0
    closed: float = 0
    outside: float = 0
    reserved: float = 0
    no_show: float = 0
    used: dict[Purpose, float] = field(default_factory=lambda: defaultdict(float))


@dataclass
class _Counted:
    """What was counted of one room beside its time: uses by name, so that none counts twice, and people."""

    uses: dict[Purpose, set[str]] = field(default_factory=lambda: defaultdict(set))
    people: dict[Purpose, int] = field(default_factory=lambda: defaultdict(int))
    no_shows: int = 0


def utilisation(session: Session, sites: Sequence[Site], *, first: date, days: int) -> Utilisation:
    """How much of the rooms of these service points was used in so many days from the first on, up to now.

    As few statements whatever the rooms; what is read begins at most a day before the first, so years behind it cost nothing.
    """
    last = first + A_DAY * (days - 1)
    whole = Stretch(stretch_of_day(first).starts_at, min(stretch_of_day(last).ends_at, clock.now()))
    counting = _Counting(session, sites, whole)
    if whole.starts_at < whole.ends_at:
        counting.count_open(first, days)
        counting.count_held()
        counting.count_reservations()
        counting.count_people(first, last)
    return Utilisation(
        first, last, whole.ends_at, counting.of(sites), [counting.of_site(site) for site in sites]
    )


class _Counting:
    """One count over some service points."""

    def __init__(self, session: Session, sites: Sequence[Site], whole: Stretch) -> None:
        self._session = session
        self._whole = whole
        self._venues = [venue for site in sites for venue in site.venues]
        self._times = OpeningTimes(session, sites)
        self._spaces: dict[int, list[int]] = defaultdict(list)  # of a room
        self._rooms: dict[int, list[int]] = defaultdict(list)  # over a space
        # each piece of floor once for every room over it, and once for the house
        self._floor: dict[tuple[int | None, int], _Floor] = {}
        self._over: dict[int, list[_Floor]] = defaultdict(list)
        cut = select(venue_spaces.c.venue_id, venue_spaces.c.space_id).where(
            among(venue_spaces.c.venue_id, "venues")
        )
        for venue_id, space_id in session.execute(cut, self._named_venues()):
            self._spaces[venue_id].append(space_id)
            self._rooms[space_id].append(venue_id)
        for space_id, rooms in self._rooms.items():
            for owner in (None, *rooms):
                self._floor[owner, space_id] = _Floor()
                self._over[space_id].append(self._floor[owner, space_id])
        self._counted: dict[int, _Counted] = defaultdict(_Counted)

    def count_open(self, first: date, days: int) -> None:
        """When each piece of floor was open: with its room, and for the house whenever a room over it was."""
        by_id = {venue.id: venue for venue in self._venues}
        hours = {venue_id: self._times.of_venue(venue) for venue_id, venue in by_id.items()}
        for on in (first + A_DAY * n for n in range(days)):
            of_room = {
                venue_id: [
                    stretch_of_day(on, one.opens_minute, one.closes_minute)
                    for one in self._times.on_day(written, on)
                ]
                for venue_id, written in hours.items()
            }
            for (owner, space_id), floor in self._floor.items():
                rooms = self._rooms[space_id] if owner is None else [owner]
                floor.hours[on] = list(self._clipped(joined(one for room in rooms for one in of_room[room])))
                floor.open += _length(floor.hours[on])

    def count_held(self) -> None:
        """Classes, agreements and closures: they used, or closed, what they hold."""
        rows = self._session.execute(
            select(
                Occupancy.space_id,
                Occupancy.purpose,
                Occupancy.holder_key,
                Occupancy.starts_at,
                Occupancy.ends_at,
            )
            .where(
                among(Occupancy.space_id, "spaces"),
                Occupancy.starts_at > self._whole.starts_at - LONGEST,
                Occupancy.starts_at < self._whole.ends_at,
                Occupancy.ends_at > self._whole.starts_at,
                Occupancy.purpose != Purpose.RESERVATION,
            )
            .execution_options(yield_per=A_HANDFUL),
            {"spaces": sorted(self._rooms)},
        )
        for space_id, purpose, key, starts_at, ends_at in rows:
            held = Stretch(starts_at, ends_at)
            if purpose in SHUT:
                for floor in self._over[space_id]:
                    floor.closed += _within(floor.hours, held)
                continue
            self._use(space_id, purpose, held)
            for venue_id in self._rooms[space_id]:
                self._counted[venue_id].uses[purpose].add(key)

    def count_reservations(self) -> None:
        """Reservations: used from the start until they were over or signed out of, where somebody came."""
        rows = self._session.execute(
            select(
                Reservation.venue_id,
                Reservation.key,
                Reservation.state,
                Reservation.resident_id,
                Reservation.starts_at,
                Reservation.ends_at,
                Reservation.headcount,
            )
            .where(
                among(Reservation.venue_id, "venues"),
                Reservation.starts_at > self._whole.starts_at - LONGEST,
                Reservation.starts_at < self._whole.ends_at,
                Reservation.ends_at > self._whole.starts_at,
                Reservation.state.in_(_RESERVED),
            )
            .execution_options(yield_per=A_HANDFUL),
            self._named_venues(),
        )
        for venue_id, key, state, resident_id, starts_at, ends_at, headcount in rows:
            # the community's own has nobody who checks in
            came = state in _CAME or (resident_id is None and state is ReservationState.APPROVED)
            wanted = Stretch(starts_at, ends_at)
            for space_id in self._spaces[venue_id]:
                self._reserve(space_id, wanted, in_vain=state is ReservationState.NO_SHOW)
                if came:
                    self._use(space_id, Purpose.RESERVATION, wanted)
                    for room in self._rooms[space_id]:
                        self._counted[room].uses[Purpose.RESERVATION].add(key)
            self._counted[venue_id].no_shows += state is ReservationState.NO_SHOW
            self._counted[venue_id].people[Purpose.RESERVATION] += headcount if came else 0

    def count_people(self, first: date, last: date) -> None:
        """Who was there at classes, and whom units served, of the room it was in alone."""
        came = (
            select(CourseSession.venue_id, func.count(Attendance.id))
            .join(Attendance, Attendance.session_id == CourseSession.id)
            .where(
                among(CourseSession.venue_id, "venues"),
                CourseSession.starts_at >= self._whole.starts_at,
                CourseSession.starts_at < self._whole.ends_at,
                CourseSession.state == SessionState.PLANNED,
                Attendance.state.in_(CAME),
            )
            .group_by(CourseSession.venue_id)
        )
        served = (
            select(ServiceAgreement.venue_id, func.sum(ServiceDelivery.people_served))
            .join(ServiceDelivery, ServiceDelivery.agreement_id == ServiceAgreement.id)
            .where(
                among(ServiceAgreement.venue_id, "venues"),
                ServiceAgreement.starts_on <= last,
                ServiceAgreement.ends_on >= first,
                ServiceDelivery.done_on.between(first, last),
                ServiceDelivery.confirmed_at.is_not(None),
            )
            .group_by(ServiceAgreement.venue_id)
        )
        for purpose, query in ((Purpose.COURSE_SESSION, came), (Purpose.SERVICE, served)):
            for venue_id, people in self._session.execute(query, self._named_venues()):
                self._counted[venue_id].people[purpose] += people

    def of_site(self, site: Site) -> SiteUsage:
        """What a service point and its rooms come to."""
        rooms = [
            RoomUsage(
                venue,
                _usage(self._floor_of(venue.id, self._spaces[venue.id]), [self._counted[venue.id]]),
            )
            for venue in site.venues
        ]
        return SiteUsage(site, self.of([site]), rooms)

    def of(self, sites: Iterable[Site]) -> Usage:
        """What some service points come to together, each piece of floor once."""
        venues = [venue for site in sites for venue in site.venues]
        spaces = sorted({space_id for venue in venues for space_id in self._spaces[venue.id]})
        counted = [self._counted[venue.id] for venue in venues]
        return _usage(self._floor_of(None, spaces), counted, of_house=True)

    def _floor_of(self, owner: int | None, spaces: Iterable[int]) -> list[_Floor]:
        return [self._floor[owner, space_id] for space_id in spaces]

    def _use(self, space_id: int, purpose: Purpose, used: Stretch) -> None:
        length = _length(self._clipped([used]))
        for floor in self._over[space_id]:
            within = _within(floor.hours, used)
            floor.used[purpose] += within
            floor.outside += length - within

    def _reserve(self, space_id: int, wanted: Stretch, *, in_vain: bool) -> None:
        length = _length(self._clipped([wanted]))
        for floor in self._over[space_id]:
            floor.reserved += length
            floor.no_show += length if in_vain else 0

    def _clipped(self, stretches: Iterable[Stretch]) -> Iterable[Stretch]:
        for one in stretches:
            starts_at, ends_at = (
                max(one.starts_at, self._whole.starts_at),
                min(one.ends_at, self._whole.ends_at),
            )
            if starts_at < ends_at:
                yield Stretch(starts_at, ends_at)

    def _named_venues(self) -> dict[str, list[int]]:
        return {"venues": [venue.id for venue in self._venues]}


def _usage(floor: Sequence[_Floor], counted: Sequence[_Counted], *, of_house: bool = False) -> Usage:
    seconds_a_minute = 60 if of_house else 60 * (len(floor) or 1)

    def minutes(seconds: Iterable[float]) -> int:
        return round(sum(seconds) / seconds_a_minute)

    opened = sum(one.open - one.closed for one in floor)
    used = sum(seconds for one in floor for seconds in one.used.values())
    return Usage(
        open_minutes=minutes([opened]),
        closed_minutes=minutes(one.closed for one in floor),
        used_minutes=minutes([used]),
        outside_minutes=minutes(one.outside for one in floor),
        reserved_minutes=minutes(one.reserved for one in floor),
        no_show_minutes=minutes(one.no_show for one in floor),
        no_shows=sum(one.no_shows for one in counted),
        rate=round(used / opened, 4) if opened else None,
        by_purpose=[
            PurposeUsage(
                purpose,
                minutes(one.used[purpose] for one in floor),
                len({key for one in counted for key in one.uses[purpose]}),
                sum(one.people[purpose] for one in counted),
            )
            for purpose in USES
        ],
    )


def _within(hours: Mapping[date, Sequence[Stretch]], held: Stretch) -> float:
    """How much of a stretch, none longer than a day, lies in these hours."""
    days = {clock.in_town(held.starts_at).date(), clock.in_town(held.ends_at).date()}
    return sum(
        max((min(one.ends_at, held.ends_at) - max(one.starts_at, held.starts_at)).total_seconds(), 0)
        for day in days
        for one in hours.get(day, ())
    )


def _length(stretches: Iterable[Stretch]) -> float:
    return sum((one.ends_at - one.starts_at).total_seconds() for one in stretches)
