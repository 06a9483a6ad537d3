"""Explaining (说明): what somebody was told no with is kept for them, so that they and the staff can look it up later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.engine import Connection

from models.courses.receipts import Reason, Why, keep_receipts
from models.courses.seats.asking import Ask
from models.errors import Refusal


def explain(connection: Connection, refused: Sequence[tuple[Ask, Refusal]], now: datetime) -> None:
    """Keep why these were refused, of everybody whose name we know."""
    keep_receipts(
        connection,
        [
            Reason(ask.run.id, ask.asker.learner.id, Why.REFUSED, no.code, no.message, no.details or None)
            for ask, no in refused
            if ask.asker.learner is not None
        ],
        now,
    )
