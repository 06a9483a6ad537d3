"""Absences (缺课): an hour after a class whoever neither came nor asked for leave is written down, and told.

Only where anybody was recorded at all: an evening of which nobody kept a record counts for nobody, and lies on the desk for a week. Who
missed so many evenings of one run that their seat is better used gives it to whoever waits (domain.md §2.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.accounts import Account
from models.courses.attendance.counting import is_recorded
from models.courses.attendance.reckoning import counts_for_somebody, how_to_appeal, pause_if_too_many
from models.courses.attendance.records import (
    Attendance,
    AttendanceState,
    RecordedHow,
    Recorder,
    anybody_was_recorded,
)
from models.courses.attendance.writing import ATTENDING, attendance_of, hold, write
from models.courses.hearing import registered_and_hears
from models.courses.registrations import Registration
from models.courses.runs import CourseRun, CourseSession, RunState, SessionState
from models.courses.seats.leaving import take_back_for_absence
from models.hearing import hearers
from models.notices import Debt, NoticeKind, goes_out_at, owe_once
from models.policies import policies_at
from models.regions import Region
from models.residents import Resident

AFTER = timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=7)  # an evening nobody recorded is asked about so long


def evenings_to_note(session: Session, now: datetime, *, most: int) -> list[int]:
    """Up to ``most`` evenings whose absences are to be noted now, or that nobody will record any more; the oldest first."""
    return list(
        session.scalars(
            select(CourseSession.id)
            .where(
                CourseSession.absences_noted_at.is_(None),
                CourseSession.ends_at <= now - AFTER,
                anybody_was_recorded() | (CourseSession.ends_at <= now - GIVEN_UP_AFTER),
            )
            .order_by(CourseSession.ends_at, CourseSession.id)
            .limit(most)
        )
    )


def note_absences(session: Session, session_id: int) -> int:
    """Write down who missed an evening, tell them, and draw what follows; how many. Noting it twice changes nothing."""
    meeting = session.get_one(CourseSession, session_id)
    hold(session, meeting)
    if meeting.absences_noted_at is not None:
        return 0
    meeting.absences_noted_at = clock.now()
    session.flush()
    held = meeting.state is SessionState.PLANNED and meeting.run.state in _HELD
    if not held or not is_recorded(session, meeting):
        return 0
    _write_the_missing_down(session, meeting)
    absent = session.execute(
        select(Attendance, Registration, Resident, Account.id, counts_for_somebody())
        .join(Registration, Registration.id == Attendance.registration_id)
        .join(Resident, Resident.id == Registration.resident_id)
        .outerjoin(Account, registered_and_hears())
        .where(
            Attendance.session_id == meeting.id,
            Attendance.state == AttendanceState.ABSENT,
            Registration.state.in_(ATTENDING),
        )
        .order_by(Registration.number)
    ).all()
    counting = {registration.id: resident for _, registration, resident, _, counts in absent if counts}
    gone = _take_seats_back(session, meeting, list(counting))
    _tell(session, meeting, [(r, p, by, gone, bool(counts)) for _, r, p, by, counts in absent])
    for resident in sorted(counting.values(), key=lambda one: one.id):
        pause_if_too_many(session, resident)
    return len(absent)


def count_unrecorded(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many evenings of the last week nobody recorded, by the path of the community."""
    rows = session.execute(
        select(Region.path, func.count())
        .select_from(CourseSession)
        .join(CourseRun, CourseRun.id == CourseSession.run_id)
        .join(Region, Region.id == CourseRun.region_id)
        .where(_is_unrecorded(as_of))
        .group_by(Region.path)
    )
    return dict(rows.all())


_HELD = (RunState.PUBLISHED, RunState.ARCHIVED)


def _is_unrecorded(as_of: datetime) -> ColumnElement[bool]:
    return (
        CourseSession.absences_noted_at.is_(None)
        & (CourseSession.ends_at <= as_of - AFTER)
        & (CourseSession.ends_at > as_of - GIVEN_UP_AFTER)
        & (CourseSession.state == SessionState.PLANNED)
        & CourseRun.state.in_(_HELD)
        & (CourseRun.seats_taken > 0)
        & ~anybody_was_recorded()
    )


def _write_the_missing_down(session: Session, meeting: CourseSession) -> None:
    """Whoever had a seat when it began, and of whom nothing is written."""
    expected = session.scalars(
        select(Registration)
        .options(joinedload(Registration.resident))
        .where(
            Registration.run_id == meeting.run_id,
            Registration.state.in_(ATTENDING),
            Registration.confirmed_at <= meeting.starts_at,
        )
        .order_by(Registration.number)
    ).all()
    written = attendance_of(session, meeting, [one.id for one in expected])
    for registration in expected:
        if registration.id not in written:
            write(
                session,
                meeting,
                registration,
                None,
                state=AttendanceState.ABSENT,
                how=RecordedHow.TOWN,
                at=clock.now(),
                by=Recorder(),
            )


def _take_seats_back(session: Session, meeting: CourseSession, registrations: Sequence[int]) -> set[int]:
    """The seats (by registration id) of those who missed so many evenings of this run go to whoever waits, while there is one left."""
    too_many = policies_at(session, meeting.run.region_id).absences_to_lose_seat
    if not too_many or not registrations or meeting.run.ends_at <= clock.now():
        return set()
    rows = session.execute(
        select(Attendance.registration_id)
        .where(Attendance.registration_id.in_(registrations), Attendance.state == AttendanceState.ABSENT)
        .group_by(Attendance.registration_id)
        .having(func.count() >= too_many)
    )
    gone = {row.registration_id for row in rows}
    if gone:
        take_back_for_absence(session, meeting.run, gone)
    return gone


def _tell(
    session: Session,
    meeting: CourseSession,
    absent: Sequence[tuple[Registration, Resident, int | None, set[int], bool]],
) -> None:
    run, now, kind = meeting.run, clock.now(), NoticeKind.ABSENCE_NOTED
    due_at, appeal = goes_out_at(session, kind, run.region_id, now), how_to_appeal(session, run.region_id)
    debts = []
    for registration, learner, registered_by, gone, counts in absent:
        told = hearers(own=learner.account_id, registered_by=registered_by, name=learner.name)
        lost = registration.id in gone
        debts.append(
            Debt(
                kind,
                subject_key=registration.key,
                page_subject=meeting.key,
                account_ids=told.accounts,
                facts={
                    "course": run.course.title,
                    "starts_at": meeting.starts_at.isoformat(),
                    "evening": meeting.key,
                    "learner": told.learner,
                    "activity": run.course.is_activity,
                    "result": "名额已让出" if lost else "缺席" if run.course.is_activity else "缺课",
                    "follows": _follows(lost=lost, counts=counts),
                    "appeal": appeal,
                },
                due_at=due_at,
                version=meeting.key,
            )
        )
    owe_once(session.connection(), debts)


def _follows(*, lost: bool, counts: bool) -> str:
    if lost:
        return "这个班已缺课多次，名额让给了候补的邻居"
    return "下次来不了请提前请假" if counts else "只作记录，不影响报名"
