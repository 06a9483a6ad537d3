"""Engaging (占用时间): the evenings somebody is expected at, their own and those they come along to with a child."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.commitments import Commitment, Takes, answers_for
from models.courses.attendance.records import Attendance, AttendanceState
from models.courses.registrations import HAVING_A_SEAT, Registration
from models.courses.runs import Course, CourseRun, CourseSession, SessionState


@answers_for(Takes.A_CLASS)
def engagements_of(
    session: Session, residents: Collection[int], starts_at: datetime, ends_at: datetime
) -> list[Commitment]:
    """The evenings at which these people have a seat, or are offered one; not those they asked leave of."""
    # two questions, not one with an "or": each has its index
    whose = (Registration.resident_id, Registration.paired_with_id)
    rows = session.execute(union_all(*(_evenings(each, residents, starts_at, ends_at) for each in whose)))
    return sorted((Commitment(*row) for row in rows), key=lambda one: (one.starts_at, one.key))


def _evenings(
    whose: InstrumentedAttribute[int] | InstrumentedAttribute[int | None],
    residents: Collection[int],
    starts_at: datetime,
    ends_at: datetime,
) -> Select[*tuple[Any, ...]]:
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
            whose.in_(residents),
            Registration.state.in_(HAVING_A_SEAT),
            CourseRun.ends_at > starts_at,
            CourseSession.state == SessionState.PLANNED,
            CourseSession.starts_at < ends_at,
            CourseSession.ends_at > starts_at,
            ~asked_leave,
        )
    )
