"""Deciding (审核): staff say yes or no to what waits for them, and what nobody looked at in time is let go of.

A reservation that waits for review holds its room honestly. Nobody decides about their own. Who waits in the queue may be approved beforehand:
the room is theirs the moment they accept it, however short the time is then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from models import clock
from models.errors import Conflict
from models.journal import enter
from models.notices import NoticeKind
from models.reservations.finding import first_due
from models.reservations.holding import hold_rooms, let_room_go
from models.reservations.parties import By, must_not_be_own
from models.reservations.rows import Reservation, ReservationState
from models.reservations.telling import tell
from models.reservations.waiting import offer_what_is_free
from models.sites import Venue
from models.venue_policies import policies_of

NOT_REVIEWED = "开始前没有来得及审核"
_SAID_YES = (ReservationState.APPROVED, ReservationState.CHECKED_IN, ReservationState.FINISHED)


def approve(session: Session, reservation: Reservation, *, by: By) -> Reservation:
    """Let somebody have what they reserved, and tell them; of one in the queue, once it is their turn. Twice is fine.

    Raises Forbidden ``own_content``, and Conflict ``review_over`` for what was decided otherwise, cancelled or let go before.
    """
    _hold(session, reservation, by)
    if reservation.state in _SAID_YES or (reservation.is_live and reservation.reviewed_at is not None):
        return reservation
    if not reservation.is_live:
        raise _over(reservation)
    reservation.reviewed_at = clock.now()
    if reservation.state is ReservationState.PENDING:
        reservation.state = ReservationState.APPROVED
    session.flush()
    enter(session, "reservation.approved", reservation, **_who(reservation, by))
    if reservation.state is ReservationState.APPROVED:
        tell(session, NoticeKind.ROOM_RESERVED, reservation)
    return reservation


def reject(session: Session, reservation: Reservation, because: str, *, by: By) -> Reservation:
    """Say no, with the reason they are told; what it held goes to who waits. Twice is fine.

    Raises Forbidden ``own_content``, and Conflict ``review_over`` for what was approved, cancelled or let go before.
    """
    rooms = _hold(session, reservation, by)
    if reservation.state is ReservationState.REJECTED:
        return reservation
    waits_for_review = (ReservationState.PENDING, ReservationState.WAITLISTED)
    if reservation.state not in waits_for_review:
        raise _over(reservation)
    reservation.state, reservation.decided_because = ReservationState.REJECTED, because
    reservation.ended_at = clock.now()
    let_room_go(session, reservation)
    session.flush()
    enter(session, "reservation.rejected", reservation, **_who(reservation, by))
    tell(session, NoticeKind.ROOM_REFUSED, reservation)
    offer_what_is_free(session, rooms)
    return reservation


def unreviewed(session: Session, now: datetime, *, most: int) -> Sequence[Reservation]:
    """Up to ``most`` that wait for a review nobody has the time for any more, those that begin first."""
    return first_due(
        session,
        (Reservation.state == ReservationState.PENDING) & (Reservation.starts_at <= now + _LONGEST),
        lambda one, numbers: one.starts_at <= now + timedelta(hours=numbers.unreviewed_until_hours),
        most=most,
    )


def expire(session: Session, reservation: Reservation) -> bool:
    """Let go of what nobody reviewed in time, and tell them why; whether it was so."""
    rooms = hold_rooms(session, reservation.venue)
    reservation.lock()
    until = timedelta(hours=policies_of(session, reservation.venue).unreviewed_until_hours)
    if reservation.state is not ReservationState.PENDING or reservation.starts_at > clock.now() + until:
        return False
    reservation.state, reservation.decided_because = ReservationState.EXPIRED, NOT_REVIEWED
    reservation.ended_at = clock.now()
    let_room_go(session, reservation)
    enter(session, "reservation.expired", reservation, for_resident_id=reservation.resident_id)
    session.flush()
    tell(session, NoticeKind.ROOM_REFUSED, reservation)
    offer_what_is_free(session, rooms)
    return True


_LONGEST = timedelta(hours=168)  # the most the rule ``unreviewed_until_hours`` takes


def _hold(session: Session, reservation: Reservation, by: By) -> list[Venue]:
    must_not_be_own(reservation.resident, by)
    rooms = hold_rooms(session, reservation.venue)
    reservation.lock()
    return rooms


def _over(reservation: Reservation) -> Conflict:
    return Conflict(
        "review_over",
        "这个预约已经有结果了，请刷新后再看",
        details={"state": reservation.state.value},
    )


def _who(reservation: Reservation, by: By) -> dict[str, Any]:
    """Who decided, as the journal takes it, about whom, and why if a reason was said."""
    because = reservation.decided_because
    return {
        "by_account_id": by.account_id,
        "identity": by.identity,
        "for_resident_id": reservation.resident_id,
        "details": {"because": because} if because else None,
    }
