"""Reminding (提醒 · 催办): who has not said yet whether it is done, or how it was, and units whose time is nearly over, or over (domain.md §6, M14, M18, M19)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.wishes.claims.claiming import hold_claim
from models.wishes.claims.rows import Claim
from models.wishes.claims.telling import tell_delivered, tell_due_soon, tell_overdue, tell_progress
from models.wishes.clocks import Awaited
from models.wishes.rows import Wish
from models.wishes.thread import clock_now_of, wind

_AN_HOUR = timedelta(hours=1)


def claims_to_remind_of(session: Session, now: datetime, *, most: int) -> Sequence[Claim]:
    """Up to ``most`` claims about which somebody is to be reminded or pressed by now, the longest first."""
    return session.scalars(
        select(Claim)
        .options(
            joinedload(Claim.wish).joinedload(Wish.region),
            joinedload(Claim.wish).joinedload(Wish.resident),
            joinedload(Claim.partner),
        )
        .where(Claim.remind_at <= now)
        .order_by(Claim.remind_at, Claim.id)
        .limit(most)
    ).all()


def remind_of(session: Session, claim: Claim, now: datetime) -> bool:
    """Remind whoever is waited for, once for each moment there is for it; whether there was still reason to.

    What is said is what is true now: a worker that was away says the last thing of all it missed.
    """
    hold_claim(session, claim)
    running = clock_now_of(session, claim)
    if claim.remind_at is None or claim.remind_at > now:
        return False
    reached = claim.remind_at
    wind(session, claim)  # to the next moment to remind
    if running is None:
        return False
    match running.awaited:
        case Awaited.CONFIRMATION:
            tell_delivered(session, claim, again=f"+{reached.isoformat()}")
        case Awaited.RATING:
            tell_progress(session, claim, "待评价", None)
        case _ if running.due_at is not None and running.due_at > now:
            tell_due_soon(session, claim, max(round((running.due_at - now) / _AN_HOUR), 1))
        case Awaited.FULFILMENT if times := running.times_pressed(now):
            tell_overdue(session, claim, times, is_last=times == len(running.press_at))
        case _:
            return False
    return True
