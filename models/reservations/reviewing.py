"""The time to review (审核时限): a reservation that waits for staff is looked at within some working days (domain.md §2.2).

The clock begins when it begins to wait for them, and stands still on days off (E26). When it is over nothing happens to the reservation, which
holds its room until shortly before it begins (``deciding.expire``): staff, and the street above them, see that somebody waits for their word.

A moment is kept of it, which is old once the calendar, a number or the reservation's own time is another: it is then wound anew from when it began
(``rewinding``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from models import clock
from models.calendars import Calendar
from models.policies import Policies
from models.reservations.rows import Reservation, ReservationState
from models.working_time import due_after


def begin_review(session: Session, waiting: Sequence[Reservation], numbers: Policies) -> None:
    """Say of those that wait for review from now on until when they are to be looked at; the others need none."""
    pending = [one for one in waiting if one.state is ReservationState.PENDING]
    if not pending:
        return
    calendar, now = Calendar.in_force(session), clock.now()
    for one in pending:
        one.review_began_at = now
        one.review_due_at = looked_at_by(one, calendar, numbers)


def review_where_it_is_now(session: Session, moved: Reservation, numbers: Policies) -> None:
    """One that waits for review is in another room or begins at another time now: it is looked at as if it had always been so."""
    if moved.state is ReservationState.PENDING:
        moved.review_due_at = looked_at_by(moved, Calendar.in_force(session), numbers)


def looked_at_by(waiting: Reservation, calendar: Calendar, numbers: Policies) -> datetime | None:
    """By when one that waits for review is to be looked at: some working days after it began to, never later than it is let go of because nobody did.

    One whose beginning nobody knows keeps what it has.
    """
    if waiting.review_began_at is None:
        return waiting.review_due_at
    due_at = due_after(calendar, waiting.review_began_at, numbers.room_review_days)
    return min(due_at, waiting.starts_at - timedelta(hours=numbers.unreviewed_until_hours))
