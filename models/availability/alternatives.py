"""Alternatives (换时间 · 换场地 · 缩短): what else there is for one who found a room taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain, islice

from sqlalchemy.orm import Session

from models import clock
from models.availability.days import A_DAY, RoomDay, RoomDays
from models.availability.stretches import GRID_MINUTES, Stretch, stretch_of_day
from models.hours import OpeningTimes
from models.policies import Policies
from models.sites import Venue
from models.venue_policies import policies_of_each


class AlternativeKind(StrEnum):
    """In what it differs from what was wanted."""

    OTHER_TIME = "other_time"  # 换时间
    OTHER_ROOM = "other_room"  # 换场地
    SHORTER = "shorter"  # 缩短


@dataclass(frozen=True)
class Alternative:
    """A room that is free from one moment to another."""

    kind: AlternativeKind
    venue: Venue
    starts_at: datetime
    ends_at: datetime

    @property
    def stretch(self) -> Stretch:
        """When it is free."""
        return Stretch(self.starts_at, self.ends_at)


Fits = Callable[[Venue, Stretch, Policies], bool]


@dataclass(frozen=True)
class _Wish:
    """What somebody looks for, and what every room they could have goes by."""

    stretch: Stretch
    headcount: int
    numbers: Mapping[int, Policies]
    fits: Fits

    def suits(self, room: Venue, day: RoomDay, stretch: Stretch) -> bool:
        """Whether they could take a room then."""
        numbers = self.numbers[room.id]
        return (
            room.takes_reservations
            and self.headcount <= room.capacity
            and clock.now() < stretch.starts_at
            and day.is_free(stretch, buffer=timedelta(minutes=numbers.buffer_minutes))
            and self.fits(room, stretch, numbers)
        )


def alternatives(
    session: Session,
    venue: Venue,
    *,
    starts_at: datetime,
    ends_at: datetime,
    headcount: int,
    most: int = 6,
    days: int = 3,
    fits: Fits = lambda venue, stretch, numbers: True,
    times: OpeningTimes | None = None,
    numbers: Mapping[int, Policies] | None = None,
) -> list[Alternative]:
    """Up to so many other times and rooms for whoever found a room taken, in the order people would ask for them.

    The same room at another time of the day, the nearest first; the same room from the same moment for a shorter time; the other rooms
    of the site at the same time, the one that fits the heads most closely first; the same room on each of the next ``days``. Of the
    times of the day no two overlap, and those beyond half of ``most`` come last: what is offered is a choice of ways, not of half hours.

    Each is ahead, inside the hours and free, with the cleaning of its own room; ``fits`` is asked what else must hold for this person
    (how far ahead, for how long). The statements are as few whatever the site, the calendar and the past hold. ``times`` and
    ``numbers``: when the rooms of the site are open and what they go by, where that was read before.
    """
    first = clock.in_town(starts_at).date()
    others = [room for room in venue.site.venues if room.takes_reservations and room.id != venue.id]
    times = times or OpeningTimes(session, [venue.site])
    numbers = numbers or policies_of_each(session, [venue, *others])
    wish = _Wish(Stretch(starts_at, ends_at), headcount, numbers, fits)
    read = RoomDays(session, [venue, *others], first=first, days=1, times=times)

    that_day = list(_other_times(wish, venue, read.day(venue, first), near=starts_at))
    ways = chain(
        that_day[: most // 2],
        _shorter(wish, venue, read.day(venue, first)),
        _other_rooms(wish, others, read),
        _later(session, wish, venue, times, days),
        that_day[most // 2 :],
    )
    return list(islice(ways, most))


def other_times(
    session: Session,
    venue: Venue,
    *,
    starts_at: datetime,
    ends_at: datetime,
    headcount: int,
    most: int = 3,
    fits: Fits,
    times: OpeningTimes,
    numbers: Mapping[int, Policies],
) -> list[Alternative]:
    """Up to so many other times of the same day at which a room is free and it ``fits``, the nearest first; no two of them overlap."""
    wish = _Wish(Stretch(starts_at, ends_at), headcount, numbers, fits)
    on = clock.in_town(starts_at).date()
    day = RoomDays(session, [venue], first=on, days=1, times=times).day(venue, on)
    return list(islice(_other_times(wish, venue, day, near=starts_at), most))


def _other_times(wish: _Wish, venue: Venue, day: RoomDay, *, near: datetime) -> Iterator[Alternative]:
    """Where the wish fits on a day of the room, the nearest to a moment first, and a fixed slot before what is as near.

    Who wanted a fixed slot is offered the others first: what lies across them takes two from everybody.
    """
    fixed = {stretch_of_day(day.on, *slot) for slot in wish.numbers[venue.id].reserve_slots}
    placings = {one for one in fixed if one.minutes == wish.stretch.minutes}
    placings.update(_on_the_grid(day, wish.stretch.minutes))
    placings.discard(wish.stretch)
    slots_first = Stretch(near, near + (wish.stretch.ends_at - wish.stretch.starts_at)) in fixed

    def order(one: Stretch) -> tuple[bool, timedelta, bool, Stretch]:
        return slots_first and one not in fixed, abs(one.starts_at - near), one not in fixed, one

    told: list[Stretch] = []
    for one in sorted(placings, key=order):
        if wish.suits(venue, day, one) and not any(one.overlaps(other) for other in told):
            told.append(one)
            yield Alternative(AlternativeKind.OTHER_TIME, venue, one.starts_at, one.ends_at)


def _shorter(wish: _Wish, venue: Venue, day: RoomDay) -> Iterator[Alternative]:
    """The longest that fits from the same moment on, step by step of the grid, but no shorter than the room is reserved for at all."""
    starts_at, least = wish.stretch.starts_at, wish.numbers[venue.id].reserve_least_minutes
    for minutes in range(wish.stretch.minutes - GRID_MINUTES, least - 1, -GRID_MINUTES):
        one = Stretch(starts_at, starts_at + timedelta(minutes=minutes))
        if wish.suits(venue, day, one):
            yield Alternative(AlternativeKind.SHORTER, venue, one.starts_at, one.ends_at)
            return


def _other_rooms(wish: _Wish, rooms: Iterable[Venue], read: RoomDays) -> Iterator[Alternative]:
    """The rooms that are free at the same time, the smallest that is large enough first."""
    large_enough = (room for room in rooms if wish.headcount <= room.capacity)
    for room in sorted(large_enough, key=lambda each: (each.capacity, each.id)):
        if wish.suits(room, read.day(room, read.dates[0]), wish.stretch):
            yield Alternative(AlternativeKind.OTHER_ROOM, room, wish.stretch.starts_at, wish.stretch.ends_at)


def _later(
    session: Session, wish: _Wish, venue: Venue, times: OpeningTimes, days: int
) -> Iterator[Alternative]:
    """On each of so many days after the wished one, what is nearest to the hour; looked up only when nothing nearer is enough."""
    if not days:
        return
    first = clock.in_town(wish.stretch.starts_at).date() + A_DAY
    read = RoomDays(session, [venue], first=first, days=days, times=times)
    for days_later, on in enumerate(read.dates, start=1):
        near = wish.stretch.starts_at + A_DAY * days_later
        yield from islice(_other_times(wish, venue, read.day(venue, on), near=near), 1)


def _on_the_grid(day: RoomDay, minutes: int) -> Iterator[Stretch]:
    """Every stretch of so many minutes that begins on the grid and lies in what is free of a day."""
    midnight = stretch_of_day(day.on).starts_at
    for free in day.free:
        begins = Stretch(midnight, free.starts_at).minutes
        ends = Stretch(midnight, free.ends_at).minutes
        first = -(-begins // GRID_MINUTES) * GRID_MINUTES
        for minute in range(first, ends - minutes + 1, GRID_MINUTES):
            yield stretch_of_day(day.on, minute, minute + minutes)
