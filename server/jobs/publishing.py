"""Publishing (发布): the word that goes out of new classes, at their hour, to whoever wants to hear of them."""

from __future__ import annotations

from datetime import datetime

from models.base import transaction
from models.follows import open_digests, owe_opening_soon, tell_next

MOST_AT_ONCE = 500
MOST_STEPS = 100  # of which most tell nobody: a community nobody follows anything in


def tell_of_new_classes(now: datetime) -> int:
    """Owe the day's digest of new classes to the next people it concerns, a bounded number; how many."""
    with transaction() as session:
        open_digests(session, now)
    told = 0
    for _ in range(MOST_STEPS):
        with transaction() as session:
            step = tell_next(session, now, most=MOST_AT_ONCE)
        if step is None:
            break
        told += step
        if told >= MOST_AT_ONCE:
            break
    return told


def tell_of_openings(now: datetime) -> int:
    """Owe the word of what opens within the hour to the next of its followers, a bounded number; how many."""
    with transaction() as session:
        return owe_opening_soon(session, now, most=MOST_AT_ONCE)
