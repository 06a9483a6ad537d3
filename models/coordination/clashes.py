"""Clashes (时间冲突): what one person holds at one time of two nouns. A class comes first: whoever gets a seat keeps it, and is shown the room they have then."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy.orm import Session

from models import clock
from models.commitments import Commitment, Takes, commitments_of
from models.courses import HAVING_A_SEAT, CourseSession, Registration, SessionState


def rooms_at_ones_classes(
    session: Session, registrations: Sequence[Registration], *, of: Collection[int]
) -> dict[int, list[Commitment]]:
    """By registration (its id): the rooms its learner, or the adult who comes along, has for themselves at an evening that is yet to end.

    Of these people (by id) alone, for a room of anybody else is not for the one who looks. One statement, however many registrations;
    none where no evening lies ahead.
    """
    ahead = {one.id: _evenings_ahead(one) for one in registrations if one.state in HAVING_A_SEAT}
    evenings = [evening for theirs in ahead.values() for evening in theirs]
    if not evenings:
        return {}
    rooms = commitments_of(
        session,
        of,
        Takes.A_ROOM,
        starts_at=min(evening.starts_at for evening in evenings),
        ends_at=max(evening.ends_at for evening in evenings),
    )
    return {
        one.id: [
            room
            for room in rooms
            if room.resident_id in (one.resident_id, one.paired_with_id)
            and any(room.overlaps(evening.starts_at, evening.ends_at) for evening in ahead[one.id])
        ]
        for one in registrations
        if one.id in ahead
    }


def _evenings_ahead(registration: Registration) -> list[CourseSession]:
    now = clock.now()
    return [
        evening
        for evening in registration.run.sessions
        if evening.state is SessionState.PLANNED and evening.ends_at > now
    ]
