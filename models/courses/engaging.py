"""Engaging (占用时间): the evenings somebody is expected at, their own and those they come along to with a child."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, exists, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.base import UtcDateTime
from models.bulk import among
from models.commitments import Commitment, Takes, answers_for
from models.courses.attendance.records import Attendance, AttendanceState
from models.courses.registrations import HAVING_A_SEAT, Registration
from models.courses.runs import Course, CourseRun, CourseSession, SessionState


@answers_for(Takes.A_CLASS)
def engagements_of(
    session: Session, residents: Collection[int], starts_at: datetime, ends_at: datetime
) -> list[Commitment]:
    """The evenings at which these people have a seat, or are offered one; not those they asked leave of."""
    asked = {"residents": list(residents), "starts_at": starts_at, "ends_at": ends_at}
    rows = session.execute(_ENGAGEMENTS, asked)
    return sorted((Commitment(*row) for row in rows), key=lambda one: (one.starts_at, one.key))


def _evenings(
    whose: InstrumentedAttribute[int] | InstrumentedAttribute[int | None],
) -> Select[*tuple[Any, ...]]:
    starts_at, ends_at = (bindparam(name, type_=UtcDateTime()) for name in ("starts_at", "ends_at"))
    asked_leave = exists().where(
        Attendance.registration_id == Registration.id,
        Attendance.session_id == CourseSession.id,
        Attendance.state == AttendanceState.LEAVE,
    )
    return (
        select(whose, CourseRun.key, Course.title, CourseSession.starts_at, CourseSession.ends_at)
        .join(CourseRun, CourseRun.id == Registration.run_id)
        .join(Course, Course.id == CourseRun.course_id)
        .join(CourseSession, CourseSession.run_id == CourseRun.id)
        .where(
            among(whose, "residents"),
            Registration.state.in_(HAVING_A_SEAT),
            CourseRun.ends_at > starts_at,
            CourseSession.state == SessionState.PLANNED,
            CourseSession.starts_at < ends_at,
            CourseSession.ends_at > starts_at,
            ~asked_leave,
        )
    )


# made once: whoever comes too late for a room is asked about it, and so is each other room they could have (docs/hot-path.md).
# Two questions, not one with an "or": each has its index
_ENGAGEMENTS = union_all(_evenings(Registration.resident_id), _evenings(Registration.paired_with_id))
