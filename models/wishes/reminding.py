"""Reminding (提醒 · 催办): the community whose review is nearly due, and the street that has not decided in time (domain.md §6, M18, M19)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.notices import NoticeKind
from models.staff import OFFICE, Role, offices, over
from models.wishes.clocks import Awaited, Clock
from models.wishes.rows import Wish
from models.wishes.telling import owe_to_staff
from models.wishes.thread import clock_now_of_wish, wind_wish

_AN_HOUR = timedelta(hours=1)
_A_MOMENT = timedelta(microseconds=1)


def wishes_to_remind_of(session: Session, now: datetime, *, most: int) -> Sequence[Wish]:
    """Up to ``most`` wishes about which somebody is to be reminded or pressed by now, the longest first."""
    return session.scalars(
        select(Wish)
        .options(joinedload(Wish.region), joinedload(Wish.resident))
        .where(Wish.remind_at <= now)
        .order_by(Wish.remind_at, Wish.id)
        .limit(most)
    ).all()


def remind_of_wish(session: Session, wish: Wish, now: datetime) -> bool:
    """Remind or press whoever's desk it is on, once for each moment there is for it; whether there was still reason to. What is said is what is true now."""
    wish.lock()
    running = clock_now_of_wish(session, wish)
    if wish.remind_at is None or wish.remind_at > now:
        return False
    wind_wish(session, wish)  # to the next moment
    if running is None or running.due_at is None:
        return False
    match running.awaited:
        case Awaited.REVIEW if running.due_at > now:
            left = max(round((running.due_at - now) / _AN_HOUR), 1)
            _tell(session, NoticeKind.WISH_REVIEW_DUE, wish, running, {"hours": left}, OFFICE)
        case Awaited.DECISION if nth := running.times_pressed(now):
            late = days_late(running.due_at, now)
            street = (Role.STREET_OFFICER,)
            _tell(session, NoticeKind.WISH_DECISION_OVERDUE, wish, running, {"late": late}, street, nth=nth)
        case _:
            return False
    return True


def days_late(due: datetime, now: datetime) -> int:
    """How many days ago the last day was on which it would have been in time."""
    return max((clock.in_town(now).date() - clock.in_town(due - _A_MOMENT).date()).days, 1)


def _tell(
    session: Session,
    kind: NoticeKind,
    wish: Wish,
    running: Clock,
    facts: dict[str, int],
    roles: Sequence[Role],
    *,
    nth: int = 0,
) -> None:
    if running.due_at is None:
        raise AssertionError("what is due is due at a moment")
    due = running.due_at.isoformat()
    owe_to_staff(
        session,
        kind,
        wish,
        {"due_at": due, "state": wish.state.value, **facts},
        over(offices(session, *roles), wish.region.path),
        version=f"{due}-{nth}",
    )
