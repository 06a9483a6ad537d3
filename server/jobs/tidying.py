"""Tidying up (清理): rows whose time is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from miniprogram_api.installed import code_images, photo_files, wish_files
from miniprogram_api.photos import forget_files_of_nothing
from miniprogram_api.scenes import forget_pictures
from models.accounts import forget_ended_logins
from models.base import reading, transaction
from models.courses import CourseRun, archive_finished, complete_run, runs_to_complete
from models.courses import forget_run_answers as forget_answers_to_runs
from models.courses.attendance import forget_appeals, forget_events, forget_pick_ups
from models.departures import forget_what_was_kept_long_enough
from models.kept_answers import forget_old_answers
from models.photos import files_that_hang
from models.wishes import wish_files_kept

CODES_KEPT_FOR = timedelta(days=30)  # after the last evening; a poster that still hangs is not printed again
ARCHIVED_AT_ONCE = 200
COMPLETED_AT_ONCE = 50
PHOTO_UNDER_WAY = timedelta(days=1)  # far longer than it takes from the file to its row


def archive_runs(now: datetime) -> int:
    """Put away runs that have been over for a month; how many."""
    with transaction() as session:
        return archive_finished(session, most=ARCHIVED_AT_ONCE)


def complete_runs(now: datetime) -> int:
    """Decide who completed the classes that have been over for half a day and were recorded; how many classes."""
    with reading() as session:
        over = runs_to_complete(session, most=COMPLETED_AT_ONCE)
    for run_id in over:
        with transaction() as session:
            complete_run(session, session.get_one(CourseRun, run_id))
    return len(over)


def forget_answers(now: datetime) -> int:
    """Drop kept answers older than a day; how many."""
    with transaction() as session:
        return forget_old_answers(session)


def forget_run_answers(now: datetime) -> int:
    """Drop what people answered to runs that have been over for as long as their community keeps it; how many."""
    with transaction() as session:
        return forget_answers_to_runs(session)


def forget_check_ins(now: datetime) -> int:
    """Drop the names under which devices told what they saw, the words of appeals decided long ago, and who fetched children of classes long over; how many."""
    with transaction() as session:
        return forget_events(session, now) + forget_appeals(session, now) + forget_pick_ups(session, now)


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


def forget_photo_files(now: datetime) -> int:
    """Delete this machine's files of photos that belong to nothing, a day after they were put; how many files."""
    since = now - PHOTO_UNDER_WAY
    return forget_files_of_nothing(photo_files(), files_that_hang, since=since) + forget_files_of_nothing(
        wish_files(), wish_files_kept, since=since
    )
