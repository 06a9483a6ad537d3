"""Opening soon (马上开始报名): whoever follows a course hears an hour before one of its runs opens (domain.md §6, M6)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import String, cast, literal, select
from sqlalchemy.orm import Session

from models.accounts import Account
from models.courses import Course, CourseRun
from models.follows.follows import Follow
from models.notices import Debt, Notice, NoticeKind, goes_out_at, owe_once

AHEAD = timedelta(hours=1)


def owe_opening_soon(session: Session, now: datetime, *, most: int) -> int:
    """Owe the word of what opens within the hour to up to ``most`` followers who were not told; how many."""
    opening = session.scalars(
        select(CourseRun)
        .where(
            CourseRun.stands_published(),
            CourseRun.published_at <= now,
            CourseRun.opens_at > now,
            CourseRun.opens_at <= now + AHEAD,
        )
        .order_by(CourseRun.opens_at, CourseRun.id)
    ).all()
    told = 0
    for run in opening:
        if told >= most:
            break
        told += _tell(session, run, now, most=most - told)
    return told


def _tell(session: Session, run: CourseRun, now: datetime, *, most: int) -> int:
    debt = Debt(
        NoticeKind.OPENING_SOON,
        subject_key=run.key,
        page_subject=run.key,
        account_ids=[],
        facts={},
        due_at=now,
        version=f"{run.opens_at.timestamp():.0f}",
    )
    said = literal(debt.dedupe_key("")) + ":" + cast(Follow.account_id, String)
    followers = session.scalars(
        select(Follow.account_id)
        .join(Account, Account.id == Follow.account_id)
        .where(
            Follow.course_id == run.course_id,
            Account.closed_at.is_(None),
            ~select(Notice.id).where(Notice.dedupe_key == said).exists(),
        )
        .order_by(Follow.account_id)
        .limit(most)
    ).all()
    if not followers:
        return 0
    course = session.get_one(Course, run.course_id)
    return owe_once(
        session.connection(),
        [
            Debt(
                debt.kind,
                subject_key=debt.subject_key,
                page_subject=debt.page_subject,
                account_ids=followers,
                facts={
                    "course": course.title,
                    "course_key": course.key,
                    "opens_at": run.opens_at.isoformat(),
                },
                due_at=goes_out_at(session, debt.kind, run.region_id, now),
                version=debt.version,
            )
        ],
    )
