"""Leave (请假): saying beforehand that one does not come. It never counts as an absence, and takes nothing from anybody."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from models import clock
from models.courses.attendance.records import AttendanceState, LeaveReason, RecordedHow, Recorder
from models.courses.attendance.windows import must_be_held
from models.courses.attendance.writing import attendance_of, attending, hold, write
from models.courses.runs import CourseSession
from models.errors import Conflict
from models.journal import enter
from models.policies import policies_at
from models.residents import Resident


def leave_until(session: Session, meeting: CourseSession) -> datetime:
    """Until when one asks for leave from an evening oneself, by the number of its community."""
    hours = policies_at(session, meeting.run.region_id).leave_before_hours
    return meeting.starts_at - timedelta(hours=hours)


def ask_leave(
    session: Session, meeting: CourseSession, resident: Resident, *, reason: LeaveReason | None, by: Recorder
) -> None:
    """Ask for leave from one evening; again with another reason, or with none, is fine.

    Raises NotFound ``not_registered``; Conflict ``no_seat``, ``session_not_held``, ``leave_too_late``, and ``already_recorded`` where
    staff wrote something else down.
    """
    hold(session, meeting)
    registration = attending(session, meeting, resident)
    must_be_held(meeting)
    _must_be_early(session, meeting)
    row = attendance_of(session, meeting, [registration.id]).get(registration.id)
    if row is not None and row.state is not AttendanceState.LEAVE:
        raise Conflict("already_recorded", "这次课已经有签到记录，需要更改请联系社区")
    if row is not None and row.reason is reason:
        return
    write(
        session,
        meeting,
        registration,
        row,
        state=AttendanceState.LEAVE,
        how=RecordedHow.RESIDENT,
        at=clock.now(),
        by=by,
        reason=reason,
    )


def take_leave_back(session: Session, meeting: CourseSession, resident: Resident, *, by: Recorder) -> None:
    """Come all the same. Having asked for none is fine, and so is coming without a word: whoever checks in is there.

    Raises as ``ask_leave``.
    """
    hold(session, meeting)
    registration = attending(session, meeting, resident)
    row = attendance_of(session, meeting, [registration.id]).get(registration.id)
    if row is None or row.state is not AttendanceState.LEAVE or row.how is not RecordedHow.RESIDENT:
        return
    must_be_held(meeting)
    _must_be_early(session, meeting)
    session.delete(row)
    is_own = by.account_id is not None and by.account_id == resident.account_id
    enter(
        session,
        "attendance.leave_taken_back",
        registration,
        by_account_id=by.account_id,
        identity=by.identity,
        for_resident_id=None if is_own else resident.id,
        details={"evening": meeting.key},
    )
    session.flush()


def _must_be_early(session: Session, meeting: CourseSession) -> None:
    until = leave_until(session, meeting)
    if clock.now() >= until:
        said = clock.in_town(until)
        raise Conflict(
            "leave_too_late",
            f"网上请假到 {said.month}月{said.day}日 {said:%H:%M} 截止；来不了请直接告诉社区或老师",
            details={"until": said.isoformat()},
        )
