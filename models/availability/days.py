"""Days of rooms: when each is open, what holds it, and what is free."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from models import clock
from models.availability.stretches import Stretch, joined, left_of, stretch_of_day
from models.bulk import among
from models.hours import Hours, OpeningTimes, OpenOn
from models.occupancy import LONGEST, Occupancy, Purpose, holders_between
from models.policies import RULES, Policies
from models.sites import Venue, venue_spaces

A_DAY = timedelta(days=1)
LONGEST_CLEANING = timedelta(minutes=RULES["buffer_minutes"].most)


@dataclass(frozen=True)
class Held:
    """What holds any space of a room, from when to when, with the minutes for cleaning that the hold itself has."""

    starts_at: datetime
    ends_at: datetime
    purpose: Purpose
    holder_key: str

    @property
    def stretch(self) -> Stretch:
        """When it is held."""
        return Stretch(self.starts_at, self.ends_at)


@dataclass(frozen=True)
class RoomDay:
    """One day of one room, from midnight to midnight on the town's clock, each list in order.

    ``held`` names every holder once for each stretch, clipped to the day; ``free`` is what is open and held by nobody.
    """

    on: date
    kind: OpenOn
    open: tuple[Stretch, ...]
    held: tuple[Held, ...]
    free: tuple[Stretch, ...]
    held_next_at: datetime | None = None  # from midnight on, as far as cleaning may last

    def is_free(self, stretch: Stretch, *, buffer: timedelta) -> bool:
        """Whether all of a stretch of this day is open, and nobody holds the room in it or in the cleaning after it."""
        clean_at = stretch.ends_at + buffer
        return (
            any(one.contains(stretch) for one in self.free)
            and not any(one.stretch.overlaps(Stretch(stretch.ends_at, clean_at)) for one in self.held)
            and (self.held_next_at is None or clean_at <= self.held_next_at)
        )


@dataclass(frozen=True)
class Slot:
    """One fixed slot of a day, and whether somebody could still take it."""

    starts_at: datetime
    ends_at: datetime
    free: bool


def availability(
    session: Session, venues: Sequence[Venue], *, first: date, days: int
) -> dict[int, list[RoomDay]]:
    """So many days of each of these rooms from the first on, by the room's id.

    One look at the occupancies for all of them, and none at what began more than a day before the first: what is longer is held day
    by day. So it costs the same after ten years as on the first day.
    """
    read = RoomDays(session, venues, first=first, days=days)
    return {venue.id: [read.day(venue, on) for on in read.dates] for venue in venues}


class RoomDays:
    """Some days of some rooms, read in one look, each day made when it is asked for.

    ``times``: when the rooms are open, where that was read before.
    """

    def __init__(
        self,
        session: Session,
        venues: Sequence[Venue],
        *,
        first: date,
        days: int,
        times: OpeningTimes | None = None,
    ) -> None:
        self.dates = [first + A_DAY * n for n in range(days)]
        self._times = times or OpeningTimes(session, list({v.site_id: v.site for v in venues}.values()))
        self._whole = {on: stretch_of_day(on) for on in self.dates}
        self._open: dict[tuple[tuple[Hours, ...], date], tuple[Stretch, ...]] = {}  # most go by their site's
        starts_at, ends_at = self._whole[self.dates[0]].starts_at, self._whole[self.dates[-1]].ends_at
        self._held = _held(session, venues, Stretch(starts_at, ends_at + LONGEST_CLEANING))

    def day(self, venue: Venue, on: date) -> RoomDay:
        """One day of one of the rooms. One without any floor nobody can hold, so it is never open."""
        hours: tuple[Hours, ...] = tuple(self._times.of_venue(venue)) if venue.id in self._held else ()
        whole, held = self._whole[on], self._held.get(venue.id, [])
        if (hours, on) not in self._open:
            self._open[hours, on] = _opened(self._times, hours, on)
        opened, of_day = self._open[hours, on], tuple(_clipped(held, whole))
        return RoomDay(
            on,
            self._times.kind_of(on),
            opened,
            of_day,
            free=tuple(left_of(opened, (one.stretch for one in of_day))),
            held_next_at=next((one.starts_at for one in held if one.starts_at >= whole.ends_at), None),
        )


def is_free(
    session: Session, venue: Venue, *, starts_at: datetime, ends_at: datetime, buffer: timedelta
) -> bool:
    """Whether a room is open all the while, and nothing holds it from the first moment to the end of the cleaning after the last.

    It may be over midnight, where the room is open on both sides of it. A stretch that ends before it starts is never free, nor is a room
    without any floor.
    """
    if ends_at <= starts_at:
        return False
    times = OpeningTimes(session, [venue.site])
    hours = times.of_venue(venue)
    on, last = clock.in_town(starts_at).date(), clock.in_town(ends_at).date()
    opened = []
    while on <= last:
        opened += [stretch_of_day(on, one.opens_minute, one.closes_minute) for one in times.on_day(hours, on)]
        on += A_DAY
    wanted = Stretch(starts_at, ends_at)
    return (
        bool(venue.spaces)
        and any(one.contains(wanted) for one in joined(opened))
        and not holders_between(session, venue, starts_at=starts_at, ends_at=ends_at + buffer)
    )


def slots_of(venue: Venue, day: RoomDay, numbers: Policies) -> list[Slot]:
    """The fixed slots of a day of a room, by its numbers; those it is not open for are none of its slots.

    One is free as long as it has not begun and nobody holds the room in it or in the cleaning after it. A room that residents do
    not reserve has no slots.
    """
    if not venue.takes_reservations:
        return []
    now, buffer = clock.now(), timedelta(minutes=numbers.buffer_minutes)
    wanted = [stretch_of_day(day.on, *minutes) for minutes in numbers.reserve_slots]
    return [
        Slot(one.starts_at, one.ends_at, now < one.starts_at and day.is_free(one, buffer=buffer))
        for one in wanted
        if any(opened.contains(one) for opened in day.open)
    ]


def _opened(times: OpeningTimes, hours: Iterable[Hours], on: date) -> tuple[Stretch, ...]:
    return tuple(stretch_of_day(on, one.opens_minute, one.closes_minute) for one in times.on_day(hours, on))


def _held(session: Session, venues: Iterable[Venue], whole: Stretch) -> dict[int, list[Held]]:
    """What holds any space of these rooms in a stretch of time, by the room's id: every holder's time in one piece where it is one.

    A room without any space is not among them.
    """
    rows = session.execute(
        _HELD,
        {
            "venues": [venue.id for venue in venues],
            "since": whole.starts_at - LONGEST,
            "starts_at": whole.starts_at,
            "ends_at": whole.ends_at,
        },
    )
    pieces: dict[tuple[int, Purpose, str], list[Stretch]] = defaultdict(list)
    found: dict[int, list[Held]] = {}
    for venue_id, purpose, holder_key, starts_at, ends_at in rows:
        found.setdefault(venue_id, [])
        if holder_key is not None:
            pieces[venue_id, purpose, holder_key].append(Stretch(starts_at, ends_at))
    for (venue_id, purpose, holder_key), stretches in pieces.items():
        found[venue_id] += [
            Held(one.starts_at, one.ends_at, purpose, holder_key) for one in joined(stretches)
        ]
    for each in found.values():
        each.sort(key=lambda one: (one.starts_at, one.ends_at, one.holder_key))
    return found


_HELD = (
    select(
        venue_spaces.c.venue_id,
        Occupancy.purpose,
        Occupancy.holder_key,
        Occupancy.starts_at,
        Occupancy.ends_at,
    )
    .outerjoin(
        Occupancy,
        (Occupancy.space_id == venue_spaces.c.space_id)
        & (Occupancy.starts_at > bindparam("since"))
        & (Occupancy.starts_at < bindparam("ends_at"))
        & (Occupancy.ends_at > bindparam("starts_at")),
    )
    .where(among(venue_spaces.c.venue_id, "venues"))
)


def _clipped(held: Iterable[Held], to: Stretch) -> Iterator[Held]:
    for one in held:
        if to.starts_at <= one.starts_at and one.ends_at <= to.ends_at:
            yield one
        elif one.starts_at < to.ends_at and to.starts_at < one.ends_at:
            yield replace(
                one, starts_at=max(one.starts_at, to.starts_at), ends_at=min(one.ends_at, to.ends_at)
            )
