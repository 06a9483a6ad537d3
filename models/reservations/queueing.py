"""Queueing (排队): who waits for some rooms, in their order, and what of the floor is free for each of them, from two looks however long the queue is."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.availability import next_on_the_grid
from models.occupancy import Hold, holds_of_spaces
from models.reservations.rows import Reservation, ReservationState
from models.sites import Venue

_BEGINS = attrgetter("starts_at")


@dataclass(frozen=True)
class Wait:
    """One who waits, and what they would hold if it were given to them now, the cleaning included."""

    id: int
    venue_id: int
    hold: Hold


def given_from(starts_at: datetime, now: datetime) -> datetime:
    """From when on what begins at a moment can be given to somebody now: what has begun already, for the rest of its time."""
    return starts_at if starts_at > now else next_on_the_grid(now)


def waits_for(session: Session, rooms: Sequence[Venue], now: datetime) -> list[Wait]:
    """Everybody who waits for one of these rooms and could still have some of it, in their order."""
    rows = session.execute(
        select(
            Reservation.id,
            Reservation.venue_id,
            Reservation.starts_at,
            Reservation.ends_at,
            Reservation.buffer_minutes,
        )
        .where(
            Reservation.venue_id.in_([room.id for room in rooms]),
            Reservation.state == ReservationState.WAITLISTED,
            Reservation.ends_at > now,
        )
        .order_by(Reservation.id)
    )
    return [
        Wait(one_id, venue_id, Hold(given_from(starts_at, now), ends_at + timedelta(minutes=buffer)))
        for one_id, venue_id, starts_at, ends_at, buffer in rows
    ]


class Floor:
    """What is held of some rooms (held by the caller), as far as anybody waits for them; what is given away meanwhile counts."""

    def __init__(self, session: Session, rooms: Sequence[Venue], waiting: Sequence[Wait]) -> None:
        self._spaces = {room.id: [space.id for space in room.spaces] for room in rooms}
        self._held = holds_of_spaces(
            session,
            {space_id for spaces in self._spaces.values() for space_id in spaces},
            starts_at=min(one.hold.starts_at for one in waiting),
            ends_at=max(one.hold.ends_at for one in waiting),
        )

    def is_free_for(self, one: Wait) -> bool:
        """Whether nothing holds any of the floor they wait for."""
        spaces = self._spaces[one.venue_id]
        return bool(spaces) and not any(self._is_held(self._held[space_id], one.hold) for space_id in spaces)

    def give(self, one: Wait) -> None:
        """They have it now."""
        for space_id in self._spaces[one.venue_id]:
            insort(self._held[space_id], one.hold, key=_BEGINS)

    @staticmethod
    def _is_held(holds: Sequence[Hold], wanted: Hold) -> bool:
        # none of a space overlaps another, so of those that begin before the end the last one ends last
        before = bisect_left(holds, wanted.ends_at, key=_BEGINS)
        return before > 0 and holds[before - 1].ends_at > wanted.starts_at
