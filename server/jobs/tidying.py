"""Tidying up (清理): rows whose time is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from miniprogram_api.installed import code_images
from miniprogram_api.scenes import forget_pictures
from models.accounts import forget_ended_logins
from models.base import transaction
from models.courses import archive_finished
from models.departures import forget_what_was_kept_long_enough
from models.kept_answers import forget_old_answers

CODES_KEPT_FOR = timedelta(days=30)  # after the last evening; a poster that still hangs is not printed again
ARCHIVED_AT_ONCE = 200


def archive_runs(now: datetime) -> int:
    """Put away runs that have been over for a month; how many."""
    with transaction() as session:
        return archive_finished(session, most=ARCHIVED_AT_ONCE)


def forget_answers(now: datetime) -> int:
    """Drop kept answers older than a day; how many."""
    with transaction() as session:
        return forget_old_answers(session)


def forget_departed(now: datetime) -> int:
    """Drop what was kept after people left and its time is over: consents, names of former staff; how many rows."""
    with transaction() as session:
        return forget_what_was_kept_long_enough(session)


def forget_logins(now: datetime) -> int:
    """Drop logins that ended more than a month ago; how many."""
    with transaction() as session:
        return forget_ended_logins(session, before=now)


def forget_code_pictures(now: datetime) -> int:
    """Remove this machine's pictures of codes of classes long over, and of codes that lead nowhere any more; of how many codes."""
    return forget_pictures(code_images(), since=now - CODES_KEPT_FOR)
