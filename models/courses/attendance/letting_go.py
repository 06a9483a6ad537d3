"""Letting go (作废): what was recorded in the room counts no more for an evening that is now at another time, or off."""

from __future__ import annotations

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from models.courses.attendance.pick_ups import PickUp
from models.courses.attendance.records import (
    CHECKED_IN,
    SEEN_OR_MISSED,
    AbsenceAppeal,
    Attendance,
    RecordedHow,
)
from models.courses.runs import CourseSession


def let_go_of_records(session: Session, meeting: CourseSession) -> None:
    """Who was there, who was missed and who fetched which child was so of the evening as it was to be. The run is held.

    What was said beforehand stays: leave, and what staff excused.
    """
    gone = select(Attendance.id).where(
        Attendance.session_id == meeting.id,
        or_(
            Attendance.how.in_(CHECKED_IN),
            and_(Attendance.how == RecordedHow.PAPER, Attendance.state.in_(SEEN_OR_MISSED)),
        ),
    )
    session.execute(delete(AbsenceAppeal).where(AbsenceAppeal.attendance_id.in_(gone)))
    session.execute(delete(Attendance).where(Attendance.id.in_(gone)))
    session.execute(delete(PickUp).where(PickUp.session_id == meeting.id))
    meeting.absences_noted_at = None
    session.flush()
