"""Forgetting (遗忘): words that may name somebody go when they are needed no longer, or when who wrote them leaves."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from models.reservations.charging import WORDS_KEPT_FOR
from models.reservations.credit import CreditAppealState, CreditEntry
from models.reservations.rows import Reservation

MOST_FORGOTTEN = 500


def forget_words_of_credit_appeals(session: Session, now: datetime) -> int:
    """Strike the words of appeals answered half a year ago; how many, some hundreds at a time."""
    old = session.scalars(
        select(CreditEntry.id)
        .where(
            CreditEntry.appeal_words.is_not(None),
            CreditEntry.appeal_state != CreditAppealState.WAITING,
            CreditEntry.answered_at < now - WORDS_KEPT_FOR,
        )
        .order_by(CreditEntry.id)
        .limit(MOST_FORGOTTEN)
    ).all()
    session.execute(update(CreditEntry).where(CreditEntry.id.in_(old)).values(appeal_words=None, answer=""))
    return len(old)


def strike_words_of(session: Session, residents: Collection[int]) -> None:
    """Strike what these people wrote of their reservations, and what was written of them, as they leave."""
    theirs = select(Reservation.id).where(Reservation.resident_id.in_(residents))
    session.execute(
        update(CreditEntry)
        .where(or_(CreditEntry.resident_id.in_(residents), CreditEntry.reservation_id.in_(theirs)))
        .values(appeal_words=None, answer="", note="")
    )
    session.execute(
        update(Reservation)
        .where(Reservation.resident_id.in_(residents))
        .values(about="", condition_note="", decided_because="")
    )
