"""Today in a service point (今日安排): what is on in every room now and later today, as everybody in the hall may read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from models import clock
from models.availability import GRID_MINUTES, RoomDay, Stretch, stretch_of_day
from models.coordination.calendar import calendar_of_rooms
from models.coordination.holders import Use
from models.hours import OpenOn
from models.occupancy import SHUT
from models.sites import Site, Venue

A_STEP = timedelta(minutes=GRID_MINUTES)


class RoomNow(StrEnum):
    """How a room is at this moment."""

    IN_USE = "in_use"  # 使用中
    SHUT = "shut"  # 停用、征用
    CLEANING = "cleaning"  # 打扫中
    FREE = "free"  # 空闲
    NOT_OPEN = "not_open"  # 未开放


@dataclass(frozen=True)
class RoomToday:
    """One room: how it is now, what is on, and what is still to come today.

    ``until`` is when that changes: when the use, the closure, the cleaning or the free time ends, or when it opens; none: not today any more.
    """

    venue: Venue
    now: RoomNow
    use: Use | None
    until: datetime | None
    ahead: Sequence[Use]
    can_be_reserved: bool  # half an hour of it could still be reserved from a phone


@dataclass(frozen=True)
class Today:
    """A service point at a moment, and what this day is by the calendar; none where there are no rooms."""

    site: Site
    at: datetime
    kind: OpenOn | None
    rooms: Sequence[RoomToday]


def today_in(session: Session, site: Site) -> Today:
    """What is on in every room of a service point today, in the order of the rooms. As few statements whatever is on."""
    at = clock.now()
    (calendar,) = calendar_of_rooms(session, [site], first=clock.in_town(at).date(), days=1)
    (rooms,) = calendar.days
    return Today(
        site,
        at,
        rooms[0].day.kind if rooms else None,
        [_today(room.venue, room.day, room.uses, at) for room in rooms],
    )


def _today(venue: Venue, day: RoomDay, uses: Sequence[Use], at: datetime) -> RoomToday:
    on = next((use for use in uses if use.is_on(at)), None)
    ahead = [use for use in uses if use.starts_at > at]
    now, until, free = RoomNow.NOT_OPEN, None, None
    if on is not None:
        now = RoomNow.SHUT if on.holder.purpose in SHUT else RoomNow.IN_USE
        until = on.ends_at
    elif (cleaned := _around(at, [one.stretch for one in day.held])) is not None:
        now, until = RoomNow.CLEANING, cleaned.ends_at
    elif (free := _around(at, day.free)) is not None:
        now, until = RoomNow.FREE, free.ends_at
    else:
        until = next((one.starts_at for one in day.open if one.starts_at > at), None)
    midnight = stretch_of_day(day.on).ends_at
    return RoomToday(
        venue,
        now,
        on,
        until if until is None or until < midnight else None,
        ahead,
        can_be_reserved=venue.takes_reservations and free is not None and _has_a_step_left(free, at),
    )


def _around(at: datetime, stretches: Sequence[Stretch]) -> Stretch | None:
    return next((one for one in stretches if one.starts_at <= at < one.ends_at), None)


def _has_a_step_left(free: Stretch, at: datetime) -> bool:
    """Whether a step of the grid that has not begun lies in it."""
    midnight = stretch_of_day(clock.in_town(at).date()).starts_at
    begins = midnight + A_STEP * ((at - midnight) // A_STEP + 1)
    return begins + A_STEP <= free.ends_at
