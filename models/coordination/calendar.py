"""The calendar of all rooms (场地总览): some days of every room of some service points, with what holds each and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from models.availability import RoomDay, RoomDays
from models.coordination.holders import Use, uses_of
from models.hours import OpeningTimes
from models.sites import Site, Venue

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class RoomOfDay:
    """One room on one day: when it is open, what is free, and its uses in order."""

    venue: Venue
    day: RoomDay
    uses: Sequence[Use]


@dataclass(frozen=True)
class SiteCalendar:
    """Some days of one service point: day by day, room by room in their order."""

    site: Site
    days: Sequence[Sequence[RoomOfDay]]


def calendar_of_rooms(
    session: Session, sites: Sequence[Site], *, first: date, days: int
) -> list[SiteCalendar]:
    """So many days of every room of these service points from the first on.

    As few statements whatever the rooms, the days and the past; none looks at what began more than a day before the first.
    """
    rooms = [venue for site in sites for venue in site.venues]
    read = RoomDays(session, rooms, first=first, days=days, times=OpeningTimes(session, sites))
    cells = [(venue, read.day(venue, on)) for site in sites for on in read.dates for venue in site.venues]
    uses = uses_of(session, [day for _, day in cells])
    told = (RoomOfDay(venue, day, uses[place]) for place, (venue, day) in enumerate(cells))
    return [SiteCalendar(site, [[next(told) for _ in site.venues] for _ in read.dates]) for site in sites]
