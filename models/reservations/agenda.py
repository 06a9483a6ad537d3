"""The reservations on people's calendars (场地日程), and how often each was changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.journal import count_entries
from models.reservations.finding import concerns, rooms_of
from models.reservations.rows import Reservation, ReservationEnd, ReservationState

_LONGEST = timedelta(days=1)  # nobody reserves over midnight
NOT_SURE = (ReservationState.OFFERED, ReservationState.PENDING)
STANDS = (*NOT_SURE, ReservationState.APPROVED, ReservationState.CHECKED_IN, ReservationState.FINISHED)
# a phone that has it must hear that it is off; what somebody gave up, they know, and it is gone
WAS_CALLED_OFF = (ReservationState.REJECTED, ReservationState.EXPIRED, ReservationState.OVERRIDDEN)


def reservations_on_calendars(
    session: Session, residents: Collection[int], *, since: datetime, most: int
) -> Sequence[Reservation]:
    """Up to ``most`` reservations of these people, and of groups they lead, that were not over at a moment, in the order of time.

    Those that hold a room, surely or not yet, and those the town called off.
    """
    return session.scalars(
        select(Reservation)
        .options(*rooms_of())
        .where(
            concerns(residents),
            Reservation.starts_at > since - _LONGEST,
            Reservation.ends_at >= since,
            or_(
                Reservation.state.in_([*STANDS, *WAS_CALLED_OFF]),
                Reservation.cancelled_by == ReservationEnd.STAFF,
            ),
        )
        .order_by(Reservation.starts_at, Reservation.id)
        .limit(most)
    ).all()


def changes_of_reservations(session: Session, reservations: Collection[int]) -> dict[int, int]:
    """How often something became of each of these, by its id: whatever the journal has of it but looks."""
    return count_entries(session, Reservation, reservations, but=("reservation.looked_at",))
