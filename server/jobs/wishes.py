"""Wishes (心愿): what becomes of them, and of the claims on them, because their time has come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy.orm import Session

from models.base import Base, reading, transaction
from models.wishes import (
    Wish,
    due_to_show,
    forget_old_wishes,
    is_shown_now,
    publish,
    remind_of_wish,
    turn_if_due,
    wishes_that_ring,
    wishes_to_remind_of,
)
from models.wishes.claims import (
    Claim,
    Rating,
    claims_that_ring,
    claims_to_remind_of,
    press_for_care,
    ratings_to_press_about,
    release_if_due,
    remind_of,
)
from server.jobs.turns import in_turn

MOST_AT_ONCE = 100
_Row = TypeVar("_Row", bound=Base)


def hang_up_rounds(now: datetime) -> int:
    """Hang the approved wishes of rounds whose day and hour has come on the wall; how many."""
    with transaction() as session:
        due = due_to_show(session, now, most=MOST_AT_ONCE)
        return sum(publish(session, wish) for wish in due if is_shown_now(session, wish))


def forget_wishes(now: datetime) -> int:
    """Strike what was said of wishes that have been over for three months; how many."""
    with transaction() as session:
        return forget_old_wishes(session, now, most=MOST_AT_ONCE)


def turn_wishes(now: datetime) -> int:
    """Hang what nobody took on in time again, or bring it before the street; how many wishes turned."""
    return _each(Wish, wishes_that_ring, turn_if_due, now)


def remind_of_wishes(now: datetime) -> int:
    """Remind communities of reviews that are nearly due, and press streets that have not decided in time; how many wishes there was reason for."""
    return _each(Wish, wishes_to_remind_of, remind_of_wish, now)


def release_idle_claims(now: datetime) -> int:
    """Free what units neither accepted nor called about in time, for others; how many claims ended."""
    return _each(Claim, claims_that_ring, release_if_due, now)


def remind_of_claims(now: datetime) -> int:
    """Remind units whose time is nearly over, press those whose time is, and remind who wished and has not said yet how it went; of how many claims."""
    return _each(Claim, claims_to_remind_of, remind_of, now)


def press_for_care_of_the_unhappy(now: datetime) -> int:
    """Press communities that have not called who was unhappy, or not put it right, in time, and tell the street in the end; about how many."""
    return _each(Rating, ratings_to_press_about, press_for_care, now)


def _each(
    table: type[_Row],
    find: Callable[..., Sequence[_Row]],
    deed: Callable[[Session, _Row, datetime], bool],
    now: datetime,
) -> int:
    with reading() as session:
        ids = [one.id for one in find(session, now, most=MOST_AT_ONCE)]
    return in_turn([partial(_to, table=table, deed=deed, row_id=one, now=now) for one in ids])


def _to(
    session: Session,
    table: type[_Row],
    deed: Callable[[Session, _Row, datetime], bool],
    row_id: int,
    now: datetime,
) -> int:
    return deed(session, session.get_one(table, row_id), now)
