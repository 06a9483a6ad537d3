"""What of rooms waits for staff (待办): reservations to review, appeals to answer, damage to look at, by the path of the community."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from models.regions import Region
from models.reservations.credit import CreditEntry
from models.reservations.rows import Condition, Reservation, ReservationState
from models.sites import Site, Venue

DAMAGE_LIES_FOR = timedelta(days=7)


def count_pending(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many reservations waited for review at a moment."""
    return _count(
        session, (Reservation.state == ReservationState.PENDING) & (Reservation.reserved_at <= as_of)
    )


def count_review_overdue(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many reservations still waited for review at a moment when the working days for that were over."""
    return _count(
        session, (Reservation.state == ReservationState.PENDING) & (Reservation.review_due_at <= as_of)
    )


def count_damaged(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many rooms people said of themselves they left damaged or untidy in the last week, which nobody has charged."""
    charged = select(CreditEntry.id).where(
        CreditEntry.reservation_id == Reservation.id, CreditEntry.points < 0
    )
    return _count(
        session,
        Reservation.condition.in_([Condition.DAMAGED, Condition.UNTIDY])
        & (Reservation.signed_out_at > as_of - DAMAGE_LIES_FOR)
        & (Reservation.signed_out_at <= as_of)
        & ~charged.exists(),
    )


def count_credit_appeals(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many appeals against points that were taken waited for an answer at a moment."""
    rows = session.execute(
        select(Region.path, func.count())
        .select_from(CreditEntry)
        .join(Reservation, Reservation.id == CreditEntry.reservation_id)
        .join(Venue, Venue.id == Reservation.venue_id)
        .join(Site, Site.id == Venue.site_id)
        .join(Region, Region.id == Site.region_id)
        .where(text("credit_entries.appeal_state = 'waiting'"), CreditEntry.appealed_at <= as_of)
        .group_by(Region.path)
    )
    return dict(rows.all())


def _count(session: Session, which: ColumnElement[bool]) -> Mapping[str, int]:
    rows = session.execute(
        select(Region.path, func.count())
        .select_from(Reservation)
        .join(Venue, Venue.id == Reservation.venue_id)
        .join(Site, Site.id == Venue.site_id)
        .join(Region, Region.id == Site.region_id)
        .where(which)
        .group_by(Region.path)
    )
    return dict(rows.all())
