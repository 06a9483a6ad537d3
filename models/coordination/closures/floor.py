"""The floor (场地还空着的时间): what is free of a site's rooms while a closure is planned, so that no two remedies take the same hour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.availability import GRID_MINUTES, Stretch, stretch_of_day
from models.bulk import among
from models.hours import OpeningTimes
from models.occupancy import LONGEST, Occupancy
from models.policies import RULES, Policies
from models.reservations import neighbours_of
from models.sites import Site, Venue
from models.venue_policies import policies_of_each

LONGEST_CLEANING = timedelta(minutes=RULES["buffer_minutes"].most)


class Floor:
    """Every room of a site from one day to another (both included), as it will be once what is affected is gone and what is closed is closed."""

    def __init__(
        self,
        session: Session,
        site: Site,
        *,
        first: date,
        last: date,
        without: Collection[str],
        closed: Sequence[Venue],
        during: Stretch,
    ) -> None:
        self.rooms = neighbours_of(session, site.venues)
        self.numbers: dict[int, Policies] = policies_of_each(session, self.rooms)
        self._times = OpeningTimes(session, [site])
        self._opened: dict[tuple[int, date], list[Stretch]] = {}
        self._held: dict[tuple[int, date], list[Stretch]] = defaultdict(list)
        whole = Stretch(stretch_of_day(first).starts_at, stretch_of_day(last).ends_at + LONGEST_CLEANING)
        rows = session.execute(
            select(Occupancy.space_id, Occupancy.starts_at, Occupancy.ends_at, Occupancy.holder_key).where(
                among(Occupancy.space_id, "spaces"),
                Occupancy.starts_at > whole.starts_at - LONGEST,
                Occupancy.starts_at < whole.ends_at,
                Occupancy.ends_at > whole.starts_at,
            ),
            {"spaces": sorted({space.id for room in self.rooms for space in room.spaces})},
        )
        for space_id, starts_at, ends_at, holder_key in rows:
            if holder_key not in without:
                self._hold(space_id, Stretch(starts_at, ends_at))
        shut = Stretch(max(during.starts_at, whole.starts_at), min(during.ends_at, whole.ends_at))
        if shut.starts_at < shut.ends_at:
            for space_id in sorted({space.id for room in closed for space in room.spaces}):
                self._hold(space_id, shut)

    def is_open(self, room: Venue, stretch: Stretch) -> bool:
        """Whether a room is open all the while."""
        on = clock.in_town(stretch.starts_at).date()
        if (room.id, on) not in self._opened:
            hours = self._times.on_day(self._times.of_venue(room), on)
            self._opened[room.id, on] = [
                stretch_of_day(on, one.opens_minute, one.closes_minute) for one in hours
            ]
        return any(one.contains(stretch) for one in self._opened[room.id, on])

    def is_free(self, room: Venue, stretch: Stretch) -> bool:
        """Whether a room is open all the while, and nobody has it then or in the cleaning after it."""
        if not self.is_open(room, stretch):
            return False
        wanted = self._with_cleaning(room, stretch)
        on = clock.in_town(stretch.starts_at).date()
        return not any(one.overlaps(wanted) for space in room.spaces for one in self._held[space.id, on])

    def take(self, room: Venue, stretch: Stretch) -> None:
        """Let one have it: nobody after them does."""
        for space in room.spaces:
            self._hold(space.id, self._with_cleaning(room, stretch))

    def starts_of(self, on: date, minutes: int, *, near: datetime) -> Iterator[Stretch]:
        """Every stretch of so many minutes on the grid of a day, the nearest to a moment first."""
        placings = [
            stretch_of_day(on, minute, minute + minutes)
            for minute in range(0, 24 * 60 - minutes + 1, GRID_MINUTES)
        ]
        yield from sorted(placings, key=lambda one: (abs(one.starts_at - near), one))

    def _with_cleaning(self, room: Venue, stretch: Stretch) -> Stretch:
        return Stretch(
            stretch.starts_at, stretch.ends_at + timedelta(minutes=self.numbers[room.id].buffer_minutes)
        )

    def _hold(self, space_id: int, stretch: Stretch) -> None:
        on, last = clock.in_town(stretch.starts_at).date(), clock.in_town(stretch.ends_at).date()
        while on <= last:
            self._held[space_id, on].append(stretch)
            on += timedelta(days=1)
