"""Reminding (提醒 · 催办): who has not said yet whether it is done, or how it was, units whose time is nearly over, or over, and communities that do not
care for who was unhappy (domain.md §6, M14, M18, M19).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.wishes.claims.claiming import hold_claim
from models.wishes.claims.rating import wind_care
from models.wishes.claims.rows import Claim, Rating
from models.wishes.claims.telling import (
    tell_care_overdue,
    tell_delivered,
    tell_due_soon,
    tell_overdue,
    tell_progress,
)
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


def ratings_to_press_about(session: Session, now: datetime, *, most: int) -> Sequence[Rating]:
    """Up to ``most`` bad ratings about which somebody is to be pressed by now, the longest first."""
    return session.scalars(
        select(Rating)
        .where(Rating.care_remind_at <= now)
        .order_by(Rating.care_remind_at, Rating.id)
        .limit(most)
    ).all()


def press_for_care(session: Session, rating: Rating, now: datetime) -> bool:
    """Press the community that has not called who was unhappy, or not put it right, in time, and after the last morning tell the street; whether there was
    still reason to.
    """
    hold_claim(session, rating.claim)
    rating.lock()
    if rating.care_remind_at is None or rating.care_remind_at > now:
        return False
    running = wind_care(session, rating)  # to the next morning
    times = running.times_pressed(now)
    if not times:
        return False
    tell_care_overdue(session, rating.claim, running, times)
    return True
