"""Cutting short (提前下课 · 来不了): what else becomes of an evening whose room is needed otherwise (``models.coordination.closures``)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import clock
from models.courses.attendance.records import AttendanceState, RecordedHow, Recorder
from models.courses.attendance.writing import attendance_of, write
from models.courses.changing import By
from models.courses.registrations import Registration, RegistrationState
from models.courses.runs import CourseSession, SessionState
from models.courses.seats.leaving import give_back_seats
from models.journal import enter
from models.occupancy import Purpose, occupy, vacate

CANNOT_COME = "社区改了这次课，本人来不了"


def end_early(session: Session, meeting: CourseSession, at: datetime, *, by: By) -> None:
    """End an evening that goes on at a moment, its room let go from then on. Who was not there yet has missed nothing.

    What has not gone on till then, or was over before, is left as it is.
    """
    run = meeting.run.lock()
    session.refresh(meeting)
    if meeting.state is not SessionState.PLANNED or not meeting.starts_at < at < meeting.ends_at:
        return
    vacate(session, [meeting.key])
    was, meeting.ends_at = meeting.ends_at, at
    meeting.absences_noted_at = meeting.absences_noted_at or clock.now()
    session.flush()
    occupy(
        session,
        meeting.venue,
        starts_at=meeting.starts_at,
        ends_at=at,
        purpose=Purpose.COURSE_SESSION,
        holder_key=meeting.key,
    )
    run.fit_to_sessions()
    enter(
        session,
        "course_session.ended_early",
        meeting,
        by_account_id=by.account_id,
        identity=by.identity,
        details={"from": was.isoformat(), "to": at.isoformat(), "because": by.because},
    )
    session.flush()


def cannot_come(
    session: Session, meeting: CourseSession, registration: Registration, *, by: Recorder
) -> None:
    """Somebody cannot come to an evening the town moved: it counts for nothing, and of a class of one evening their seat goes to who waits.

    The caller holds the run. Who has no seat any more has nothing to say.
    """
    if registration.state is not RegistrationState.CONFIRMED or meeting.state is not SessionState.PLANNED:
        return
    evenings = session.scalar(
        select(func.count())
        .select_from(CourseSession)
        .where(CourseSession.run_id == meeting.run_id, CourseSession.state == SessionState.PLANNED)
    )
    if evenings == 1:
        give_back_seats(session, meeting.run, [registration.id])
        return
    row = attendance_of(session, meeting, [registration.id]).get(registration.id)
    if row is not None and row.state is not AttendanceState.LEAVE:
        return
    write(
        session,
        meeting,
        registration,
        row,
        state=AttendanceState.EXCUSED,
        how=RecordedHow.RESIDENT,
        at=clock.now(),
        by=by,
        because=CANNOT_COME,
    )
