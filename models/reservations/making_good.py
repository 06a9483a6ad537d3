"""Making good (补约): who lost a room to something that went before it may reserve one more than the limits allow, for some days.

It is spent by the first reservation the limits would have refused (``makes_good_id``), and is theirs again when that one is given up. Under the
party's lock, and one live reservation makes one good: by the unique index as well.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from models.reservations.parties import Party
from models.reservations.rows import LIVE, USED_UP, Reservation


def makes_good(session: Session, party: Party, now: datetime) -> int | None:
    """The id of a reservation these lost to something that went before it, for which they may still have another; the oldest first."""
    other = aliased(Reservation)
    spent = select(other.id).where(
        other.makes_good_id == Reservation.id,
        other.state.in_({*LIVE, *USED_UP}),
    )
    return session.scalars(
        select(Reservation.id)
        .where(party.owns(), Reservation.made_good_until > now, ~spent.exists())
        .order_by(Reservation.made_good_until, Reservation.id)
        .limit(1)
    ).first()
