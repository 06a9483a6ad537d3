"""Wishes (心愿): what becomes of them because their time has come."""

from __future__ import annotations

from datetime import datetime

from models.base import transaction
from models.wishes import due_to_show, forget_old_wishes, is_shown_now, publish

MOST_AT_ONCE = 100


def hang_up_rounds(now: datetime) -> int:
    """Hang the approved wishes of rounds whose day and hour has come on the wall; how many."""
    with transaction() as session:
        due = due_to_show(session, now, most=MOST_AT_ONCE)
        return sum(publish(session, wish) for wish in due if is_shown_now(session, wish))


def forget_wishes(now: datetime) -> int:
    """Strike what was said of wishes that have been over for three months; how many."""
    with transaction() as session:
        return forget_old_wishes(session, now, most=MOST_AT_ONCE)
