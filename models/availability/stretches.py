"""Stretches of time and what is left of them: arithmetic that knows no room and no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from models import clock

# the grid people choose on (domain.md §2.2): finer, and rooms fall to pieces nobody can use; coarser, and half an hour is lost each time
GRID_MINUTES = 30


@dataclass(frozen=True, order=True)
class Stretch:
    """From one moment to another, the end not included; both aware, in UTC."""

    starts_at: datetime
    ends_at: datetime

    @property
    def minutes(self) -> int:
        """How long it is."""
        return int((self.ends_at - self.starts_at).total_seconds() // 60)

    def overlaps(self, other: Stretch) -> bool:
        """Whether the two share any time; where one ends the other may begin."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def contains(self, other: Stretch) -> bool:
        """Whether all of the other lies in this one."""
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time in as few stretches as there can be, in order: what touches or overlaps is one."""
    found: list[Stretch] = []
    for one in sorted(stretches):
        if found and one.starts_at <= found[-1].ends_at:
            if one.ends_at > found[-1].ends_at:
                found[-1] = Stretch(found[-1].starts_at, one.ends_at)
        else:
            found.append(one)
    return found


def left_of(stretches: Iterable[Stretch], taken: Iterable[Stretch]) -> list[Stretch]:
    """What is left of some time when other time is taken from it, in order."""
    found = []
    away = joined(taken)
    for one in joined(stretches):
        starts_at = one.starts_at
        for gone in away:
            if gone.ends_at <= starts_at:
                continue
            if gone.starts_at >= one.ends_at:
                break
            if gone.starts_at > starts_at:
                found.append(Stretch(starts_at, gone.starts_at))
            starts_at = gone.ends_at
        if starts_at < one.ends_at:
            found.append(Stretch(starts_at, one.ends_at))
    return found


@lru_cache(maxsize=4096)  # who comes too late is judged for a dozen slots and rooms, the same for everybody
def stretch_of_day(on: date, from_minute: int = 0, to_minute: int = 24 * 60) -> Stretch:
    """Part of a day on the town's clock, all of it unless said otherwise; minute 1440 is the midnight it ends with."""
    midnight = datetime.combine(on, time(), clock.TOWN_ZONE)
    return Stretch(*((midnight + timedelta(minutes=n)).astimezone(UTC) for n in (from_minute, to_minute)))


def fits_grid(*moments: datetime) -> bool:
    """Whether each of these stands on the grid of the town's clock, to the second."""
    return all(
        local.minute % GRID_MINUTES == 0 and not local.second and not local.microsecond
        for local in map(clock.in_town, moments)
    )


def next_on_the_grid(moment: datetime) -> datetime:
    """The moment itself, to the second, where it stands on the grid of the town's clock, else the next that does."""
    step = GRID_MINUTES * 60
    seconds = -(-int(moment.timestamp()) // step) * step
    return datetime.fromtimestamp(seconds, moment.tzinfo)
