"""Seats (名额): what becomes of seats because their time has come. Each run in a transaction of its own, so that none holds up the others."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import courses
from models.base import reading, transaction
from models.courses import CourseRun

MOST_RUNS_AT_ONCE = 50


def end_offers(now: datetime) -> int:
    """End the offers nobody accepted in time, and offer the seats to the next; how many ended."""
    return _in_each(courses.runs_with_ended_offers, courses.end_offers, now)


def remind_of_offers(now: datetime) -> int:
    """Owe a word to those who have not answered their offer when half of its time is over; how many."""
    return _in_each(courses.runs_with_unanswered_offers, courses.remind_of_offers, now)


def draw_lots(now: datetime) -> int:
    """Draw the lots of the runs whose time has come; how many runs."""

    def draw(session: Session, key: str) -> int:
        courses.draw(session, session.scalars(select(CourseRun).where(CourseRun.key == key)).one())
        return 1

    return _in_each(courses.runs_to_draw, draw, now)


def release_seats(now: datetime) -> int:
    """Let go of the seats held for the counter past their time; how many seats."""
    return _in_each(courses.runs_to_release, courses.release_seats, now)


def settle_unreviewed(now: datetime) -> int:
    """Tell those whose application nobody decided before their class began; how many."""
    return _in_each(courses.runs_left_unreviewed, courses.settle_unreviewed, now)


def _in_each(find: Callable[..., Collection[str]], deed: Callable[[Session, str], int], now: datetime) -> int:
    with reading() as session:
        keys = find(session, now, most=MOST_RUNS_AT_ONCE)
    done, troubles = 0, []
    for key in keys:
        try:
            with transaction() as session:
                done += deed(session, key)
        except Exception as trouble:
            troubles.append(trouble)
    if troubles:
        raise troubles[0]
    return done
