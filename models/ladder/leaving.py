"""Leaving (当事人离开): nobody is told anything any more, and what stays names nobody."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import clock
from models.ladder.calls import TO_DO, Call, CallState
from models.ladder.short_messages import ShortMessage, ShortMessageState

NAMELESS = {"learner": "居民", "helper": "代办人"}  # the facts that name somebody, and what stays of them


def end_rungs(session: Session, residents: Collection[int]) -> None:
    """End everything that is still owed to these people below WeChat; what stays names nobody, and no note on a call stays.

    A short message that is being sent at this moment ends as it ends; no call follows it.
    """
    now = clock.now()
    session.execute(
        update(ShortMessage)
        .where(ShortMessage.resident_id.in_(residents), ShortMessage.state == ShortMessageState.OWED)
        .values(state=ShortMessageState.STALE, outcome="left", settled_at=now)
        .execution_options(synchronize_session="fetch")
    )
    for message in session.scalars(select(ShortMessage).where(ShortMessage.resident_id.in_(residents))).all():
        message.facts = _nameless(message.facts)
    for call in session.scalars(select(Call).where(Call.resident_id.in_(residents))).all():
        call.facts, call.note, call.wrong_phone = _nameless(call.facts), None, None
        if call.state in TO_DO:
            call.state, call.settled_at = CallState.CANCELLED, now
    session.flush()


def _nameless(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: NAMELESS.get(name, value) if value else value for name, value in facts.items()}
