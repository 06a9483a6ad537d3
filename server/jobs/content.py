"""Content checks that nobody waits for at the counter: pictures WeChat says nothing of, and rows whose time is over."""

from __future__ import annotations

from datetime import datetime

import structlog

from models.base import reading, transaction
from models.content_checks import forget_old_checks, hold_overdue, overdue

log = structlog.get_logger()

MOST_AT_ONCE = 100


def hold_overdue_pictures(now: datetime) -> int:
    """Have a clerk look at the pictures WeChat has said nothing of for half an hour, a bounded number; how many."""
    with reading() as session:
        late = overdue(session, most=MOST_AT_ONCE)
    held = sum(_hold(check_id) for check_id in late)
    if held:
        log.warning("pictures_without_verdict", held=held)
    return held


def forget_checks(now: datetime) -> int:
    """Drop checks that are older than they are kept; how many."""
    with transaction() as session:
        return forget_old_checks(session)


def _hold(check_id: int) -> bool:
    with transaction() as session:
        return hold_overdue(session, check_id)
