"""Whether what was told of an absence or a pause is still so: what was excused meanwhile is not told."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.courses.attendance.records import Attendance, AttendanceState
from models.courses.pauses import Pause
from models.courses.registrations import Registration
from models.courses.runs import CourseSession
from models.notices import News, NoticeKind


def absences_still_true(session: Session, news: Sequence[News]) -> set[int]:
    """The ids of those whose absence still stands, and of those who were told that it does not, where it does not."""
    rows = session.execute(
        select(Registration.key, CourseSession.key)
        .join(Attendance, Attendance.registration_id == Registration.id)
        .join(CourseSession, CourseSession.id == Attendance.session_id)
        .where(
            Registration.key.in_({each.subject_key for each in news}),
            Attendance.state == AttendanceState.ABSENT,
        )
    )
    standing = {(registration, evening) for registration, evening in rows}
    return {
        each.id
        for each in news
        if ((each.subject_key, str(each.facts["evening"])) in standing)
        is not each.facts.get("excused", False)
    }


def pauses_still_true(session: Session, news: Sequence[News]) -> set[int]:
    """The ids of those whose pause stands, or was lifted, as they say; a person who is paused anew is not told that the last one ended."""
    rows = session.execute(
        select(Pause.key, Pause.resident_id, Pause.lifted_at, Pause.until).where(
            Pause.key.in_({each.subject_key for each in news})
        )
    ).all()
    paused_again = set(
        session.scalars(
            select(Pause.resident_id).where(
                Pause.resident_id.in_({row.resident_id for row in rows}),
                Pause.lifted_at.is_(None),
                Pause.until > clock.now(),
            )
        )
    )
    known = {row.key: row for row in rows}
    true = set()
    for each in news:
        row = known.get(each.subject_key)
        if row is None:
            continue
        stands = row.lifted_at is None and row.until > clock.now()
        says_lifted = each.kind is NoticeKind.PAUSE_LIFTED
        if says_lifted and row.lifted_at is not None and row.resident_id not in paused_again:
            true.add(each.id)
        if not says_lifted and stands:
            true.add(each.id)
    return true
