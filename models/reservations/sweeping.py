"""Sweeping (到点要办的): what is due about waiting, for the jobs: offers that ended, waits without hope, rooms somebody else let go of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.reservations.finding import first_due, rooms_of
from models.reservations.holding import hold_rooms
from models.reservations.rows import Reservation, ReservationState
from models.reservations.waiting import is_hopeless, offer_what_is_free
from models.sites import Venue

_AHEAD = timedelta(
    days=8
)  # more than the rules ``unreviewed_until_hours`` and ``no_show_minutes`` take together


def ended_offers(session: Session, now: datetime, *, most: int) -> Sequence[Reservation]:
    """Up to ``most`` offers nobody accepted in time, the oldest first."""
    return session.scalars(
        select(Reservation)
        .options(*rooms_of())
        .where(Reservation.state == ReservationState.OFFERED, Reservation.offer_expires_at <= now)
        .order_by(Reservation.offer_expires_at, Reservation.id)
        .limit(most)
    ).all()


def hopeless_waits(session: Session, now: datetime, *, most: int) -> Sequence[Reservation]:
    """Up to ``most`` who wait for what can come to nothing any more, those whose time begins first."""
    return first_due(
        session,
        (Reservation.state == ReservationState.WAITLISTED) & (Reservation.starts_at <= now + _AHEAD),
        lambda one, numbers: is_hopeless(one, numbers, now),
        most=most,
    )


def rooms_waited_for(session: Session, now: datetime, *, after_id: int = 0, most: int) -> Sequence[int]:
    """The ids of up to ``most`` rooms somebody waits for, behind one."""
    return session.scalars(
        select(Reservation.venue_id)
        .where(
            Reservation.state == ReservationState.WAITLISTED,
            Reservation.ends_at > now,
            Reservation.venue_id > after_id,
        )
        .distinct()
        .order_by(Reservation.venue_id)
        .limit(most)
    ).all()


def offer_rooms(session: Session, venue_id: int) -> int:
    """Offer what is free of a room and of what shares its floor, also what a class or a closure let go of; how many are offered something."""
    return offer_what_is_free(session, hold_rooms(session, session.get_one(Venue, venue_id)))
