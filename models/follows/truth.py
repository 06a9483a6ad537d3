"""Whether the word of a new class still says the truth: as long as anything of it is open or yet to open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.courses import Course, CourseRun, RunState
from models.follows.follows import Follow
from models.notices import Notice, NoticeKind


def still_true(session: Session, notices: Sequence[Notice]) -> set[int]:
    """The ids of those of these notices that still say the truth, in two statements however many they are."""
    keys = {key for notice in notices for key in _runs_of(notice)}
    opens = dict(
        session.execute(
            select(CourseRun.key, CourseRun.opens_at).where(
                CourseRun.key.in_(keys),
                CourseRun.state == RunState.PUBLISHED,
                CourseRun.is_shown_at(clock.now()),
                CourseRun.closes_at > clock.now(),
            )
        ).all()
    )
    follow = {
        (row.account_id, row.key)
        for row in session.execute(
            select(Follow.account_id, Course.key)
            .join(Course, Course.id == Follow.course_id)
            .where(
                Follow.account_id.in_({notice.account_id for notice in notices}),
                Course.key.in_({notice.facts.get("course_key", "") for notice in notices}),
            )
        )
    }
    true = set()
    for notice in notices:
        if notice.kind is NoticeKind.NEW_CLASSES:
            is_true = any(key in opens for key in _runs_of(notice))
        else:
            opens_then = opens.get(notice.subject_key) == datetime.fromisoformat(notice.facts["opens_at"])
            is_true = opens_then and (notice.account_id, notice.facts["course_key"]) in follow
        if is_true:
            true.add(notice.id)
    return true


def _runs_of(notice: Notice) -> Sequence[str]:
    return notice.facts["runs"] if notice.kind is NoticeKind.NEW_CLASSES else [notice.subject_key]
