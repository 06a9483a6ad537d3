"""Clocks (时限): wound anew when the calendar or a number has changed, and every night, because the published list comes with a package."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from models import reservations
from models.base import reading, transaction
from models.regions import Region
from models.reservations import Reservation
from models.wishes.rewinding import THREADS, Thread, rewind, rewind_one, running_threads
from server.jobs.turns import in_turn

A_BATCH = 1000


def rewind_clocks(now: datetime) -> int:
    """Wind the clocks of all wishes, claims and reservations that wait for review anew; how many ring at another time now."""
    return rewind_clocks_within(None) + rewind_reviews_within(None)


def rewind_clocks_within(place: Region | None) -> int:
    """The same for the wishes and claims of a place and everything under it, or of everywhere, a batch in each transaction."""
    return sum(_rewind(of, place) for of in THREADS)


def rewind_reviews_within(place: Region | None) -> int:
    """The same for the reservations of its rooms, each of those that change in a transaction of its own."""
    with reading() as session:
        waiting = reservations.waiting_for_review(session, within=place)
    changed = 0
    for first in range(0, len(waiting), A_BATCH):
        with reading() as session:
            ids = reservations.to_be_rewound(session, waiting[first : first + A_BATCH])
        changed += in_turn([partial(_rewind_review, reservation_id=one) for one in ids])
    return changed


def _rewind_review(session: Session, reservation_id: int) -> int:
    return reservations.rewind_review(session, session.get_one(Reservation, reservation_id))


def _rewind(of: Thread, place: Region | None) -> int:
    changed, last = 0, 0
    while True:
        with reading() as session:
            ids = running_threads(session, of, within=place, after_id=last, most=A_BATCH)
        if not ids:
            return changed
        with transaction() as session:
            rewound = rewind(session, of, ids)
        changed += rewound.changed
        for row_id in rewound.held:
            with transaction() as session:
                changed += rewind_one(session, of, row_id)
        last = ids[-1]
