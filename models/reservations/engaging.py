"""Engaging (占用时间): the rooms somebody has for themselves, and when."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.commitments import Commitment, Takes, answers_for
from models.reservations.rows import HOLDING, Reservation
from models.sites import Venue


@answers_for(Takes.A_ROOM)
def rooms_had_by(
    session: Session, residents: Collection[int], starts_at: datetime, ends_at: datetime
) -> list[Commitment]:
    """What these people hold in their own names; a group's room asks nobody to be there."""
    query: Select[*tuple[Any, ...]] = (
        select(
            Reservation.resident_id, Reservation.key, Venue.name, Reservation.starts_at, Reservation.ends_at
        )
        .join(Venue, Venue.id == Reservation.venue_id)
        .where(
            Reservation.resident_id.in_(residents),
            Reservation.group_id.is_(None),
            Reservation.state.in_(HOLDING),
            Reservation.starts_at < ends_at,
            Reservation.ends_at > starts_at,
        )
        .order_by(Reservation.starts_at, Reservation.id)
    )
    return [Commitment(*row) for row in session.execute(query)]
