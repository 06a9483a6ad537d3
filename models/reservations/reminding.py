"""Reminding (提醒) of rooms: two hours before, once, with the code to check in with (domain.md §6, M8)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.notices import Debt, NoticeKind, owe_once
from models.reservations.finding import rooms_of
from models.reservations.rows import Reservation, ReservationState
from models.reservations.telling import debt_of

BEFORE = timedelta(hours=2)


def owe_room_reminders(session: Session, now: datetime) -> int:
    """Owe every reminder that is due now and was not owed before; how many are new."""
    rows = session.scalars(
        select(Reservation)
        .options(*rooms_of())
        .where(
            Reservation.state == ReservationState.APPROVED,
            Reservation.starts_at > now,
            Reservation.starts_at <= now + BEFORE,
            Reservation.resident_id.is_not(None),
        )
        .order_by(Reservation.starts_at, Reservation.id)
    ).all()
    found = [
        debt_of(session, NoticeKind.ROOM_SOON, one, version=f"{int(one.starts_at.timestamp())}")
        for one in rows
    ]
    debts: list[Debt] = [debt for debt in found if debt is not None]
    return owe_once(session.connection(), debts)
