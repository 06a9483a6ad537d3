"""Choosing (可约时段): what of a room's days somebody could take, and if not, why; the same judgement as for the tap itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from models import clock
from models.availability import GRID_MINUTES, RoomDay, Stretch, availability, slots_of, stretch_of_day
from models.errors import Conflict, Refusal
from models.reservations.judging import Judge
from models.reservations.parties import Party
from models.sites import Venue

HELD = Conflict("room_taken", "这个时间已被占用")


@dataclass(frozen=True)
class Choice:
    """A time somebody might want, whether nobody has it yet, and what stands against them, if anything does."""

    starts_at: datetime
    ends_at: datetime
    free: bool
    refusal: Refusal | None

    @property
    def may_take(self) -> bool:
        """Whether a tap would give it to them."""
        return self.free and self.refusal is None

    @property
    def may_wait(self) -> bool:
        """Whether they could wait for it."""
        return not self.free and self.refusal is None

    @property
    def why_not(self) -> Refusal | None:
        """Why a tap would not give it to them; their own reasons first."""
        return self.refusal or (None if self.free else HELD)


@dataclass(frozen=True)
class DayOfChoices:
    """One day of a room: its fixed slots, and what else of it can be chosen on the grid, in pieces that all hold the same for them."""

    on: date
    slots: Sequence[Choice]
    free: Sequence[Choice]


def choices(
    session: Session,
    venues: Sequence[Venue],
    *,
    whose: Party,
    first: date,
    days: int,
    headcount: int = 1,
    acted_for: bool = False,
    beside_slots: bool = True,
) -> dict[int, list[DayOfChoices]]:
    """What of so many days of each room they could take, by the room's id; in a fixed number of statements.

    Without ``beside_slots`` only the fixed slots are judged. Of a piece of free time every shortest reservation in it is judged, not each length.
    """
    if not venues:
        return {}
    last = first + timedelta(days=days - 1)
    judge = Judge(session, whose, venues, first=first, last=last, acted_for=acted_for)
    found = availability(session, venues, first=first, days=days)
    return {
        venue.id: [
            DayOfChoices(
                day.on,
                [
                    Choice(
                        slot.starts_at,
                        slot.ends_at,
                        slot.free,
                        judge.why_not(venue, Stretch(slot.starts_at, slot.ends_at), headcount=headcount),
                    )
                    for slot in slots_of(venue, day, judge.numbers(venue))
                ],
                _pieces(judge, venue, day, headcount) if beside_slots else [],
            )
            for day in found[venue.id]
        ]
        for venue in venues
    }


def _pieces(judge: Judge, venue: Venue, day: RoomDay, headcount: int) -> list[Choice]:
    """What is free on the grid from now on: from where a shortest reservation may begin to where the last may end, as long as nothing changes."""
    if not venue.takes_reservations:
        return []
    numbers, now = judge.numbers(venue), clock.now()
    buffer, shortest = timedelta(minutes=numbers.buffer_minutes), numbers.reserve_least_minutes
    step, found = timedelta(minutes=GRID_MINUTES), list[Choice]()
    begun_at: datetime | None = None  # the last shortest reservation that was free
    for minute in range(0, 24 * 60 - shortest + 1, GRID_MINUTES):
        one = stretch_of_day(day.on, minute, minute + shortest)
        if one.starts_at < now or not day.is_free(one, buffer=buffer):
            continue
        refusal = judge.why_not(venue, one, headcount=headcount)
        if found and begun_at == one.starts_at - step and str(found[-1].refusal) == str(refusal):
            found[-1] = replace(found[-1], ends_at=one.ends_at)
        else:
            found.append(Choice(one.starts_at, one.ends_at, free=True, refusal=refusal))
        begun_at = one.starts_at
    return found
