"""Writing attendance down: the one place where a row of it comes about or changes.

Whoever writes holds the run (``hold``), so that two who scan one code, and an evening that moves meanwhile, come one after the other; the
unique row of a person and an evening makes a forgotten path fail loudly.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session, joinedload

from models.courses.attendance.records import (
    AppealState,
    Attendance,
    AttendanceState,
    LeaveReason,
    RecordedHow,
    Recorder,
)
from models.courses.attendance.settling import settle
from models.courses.registrations import IN_CLASS, LIVE, Registration
from models.courses.runs import CourseSession
from models.errors import Conflict, NotFound
from models.journal import enter
from models.residents import Resident

# whose presence is asked for
ATTENDING = IN_CLASS


def hold(session: Session, meeting: CourseSession) -> None:
    """Hold the evening's run until the transaction ends, and read the evening as it is now."""
    meeting.run.lock()
    session.refresh(meeting)


def attending(session: Session, meeting: CourseSession, resident: Resident) -> Registration:
    """The confirmed registration of a person in the run of an evening.

    Raises NotFound ``not_registered``, and Conflict ``no_seat`` for who only waits for one.
    """
    found = session.scalar(
        select(Registration)
        .options(joinedload(Registration.resident))
        .where(
            Registration.run_id == meeting.run_id,
            Registration.resident_id == resident.id,
            Registration.state.in_({*LIVE, *ATTENDING}),
        )
    )
    if found is None:
        raise NotFound("还没有报名", code="not_registered")
    if found.state not in ATTENDING:
        raise Conflict("no_seat", "您还没有这个班的名额，暂时不能签到；有疑问请问现场的工作人员")
    return found


def attendance_of(
    session: Session, meeting: CourseSession, registrations: Collection[int]
) -> dict[int, Attendance]:
    """What is written of these registrations on an evening, by the registration's id."""
    rows = session.scalars(
        select(Attendance).where(
            Attendance.session_id == meeting.id, Attendance.registration_id.in_(registrations)
        )
    )
    return {row.registration_id: row for row in rows}


def see(
    session: Session,
    meeting: CourseSession,
    registration: Registration,
    *,
    seen_at: datetime,
    state: AttendanceState,
    how: RecordedHow,
    by: Recorder,
) -> bool:
    """Somebody was seen at an evening; whether that is news. The caller holds the run.

    In whatever order it is told, the first moment somebody was seen is the one that counts; what staff wrote by hand stays.
    """
    row = attendance_of(session, meeting, [registration.id]).get(registration.id)
    if row is not None and row.was_checked_in:
        if seen_at < row.at:
            row.at, row.state = seen_at, state
            session.flush()
        return False
    if row is not None and not row.gives_way:
        return False
    write(session, meeting, registration, row, state=state, how=how, at=seen_at, by=by)
    return True


def write(
    session: Session,
    meeting: CourseSession,
    registration: Registration,
    row: Attendance | None,
    *,
    state: AttendanceState,
    how: RecordedHow,
    at: datetime,
    by: Recorder,
    reason: LeaveReason | None = None,
    because: str = "",
) -> Attendance:
    """Write what is so from now on of a person on an evening, over ``row`` if there is one, with its entry in the journal.

    An appeal that waits about an absence which is none any more is granted.
    """
    was = row.state if row is not None else None
    if row is None:
        row = Attendance(meeting=meeting, registration=registration)
        session.add(row)
    row.state, row.how, row.at, row.reason, row.because = state, how, at, reason, because
    row.by_account_id, row.identity = by.account_id, by.identity
    session.flush()
    is_own = by.account_id is not None and by.account_id == registration.resident.account_id
    enter(
        session,
        "attendance.recorded" if was is None else "attendance.changed",
        registration,
        by_account_id=by.account_id,
        identity=by.identity,
        for_resident_id=None if is_own and by.identity == "resident" else registration.resident_id,
        details={
            "evening": meeting.key,
            "state": state,
            "how": how,
            **({"was": was} if was is not None else {}),
        },
    )
    session.flush()
    if was is AttendanceState.ABSENT and row.appeal is not None and row.appeal.waits:
        settle(session, row.appeal, AppealState.GRANTED, answer=because, by=by)
    return row


def forget_words(session: Session, residents: Collection[int]) -> None:
    """These people leave: what staff typed about their evenings goes, for it may name somebody."""
    session.execute(
        update(Attendance)
        .where(
            Attendance.because != "",
            Attendance.registration_id.in_(
                select(Registration.id).where(Registration.resident_id.in_(residents))
            ),
        )
        .values(because="")
    )


def on_the_sheet(meeting: CourseSession) -> ColumnElement[bool]:
    """The condition that a registration stands on the sheet of an evening: it has a seat, or something is written of it.

    Whoever lost the seat for an absence is still there to be corrected.
    """
    written = (
        select(Attendance.id)
        .where(Attendance.registration_id == Registration.id, Attendance.session_id == meeting.id)
        .correlate(Registration)
        .exists()
    )
    return and_(Registration.run_id == meeting.run_id, or_(Registration.state.in_(ATTENDING), written))


def registrations_by_key(
    session: Session, meeting: CourseSession, keys: Sequence[str]
) -> dict[str, Registration]:
    """Those of these registrations that stand on the sheet of an evening, by key."""
    rows = session.scalars(
        select(Registration)
        .options(joinedload(Registration.resident))
        .where(Registration.key.in_(keys), on_the_sheet(meeting))
    )
    return {row.key: row for row in rows}
