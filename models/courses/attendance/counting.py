"""Counting attendance (到课次数): what a run's evenings say of its people, for whoever completes a class or asks how it was."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Result, func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from models import clock
from models.courses.attendance.records import CAME, Attendance, AttendanceState, anybody_was_recorded
from models.courses.registrations import Registration
from models.courses.runs import CourseRun, CourseSession, SessionState


@dataclass
class Tally:
    """What one person's evenings were, so far."""

    counts: dict[AttendanceState, int] = field(default_factory=dict)
    time_there: timedelta = timedelta()  # of the evenings they came to, by the timetable

    @property
    def came(self) -> int:
        """How many evenings they were there."""
        return sum(self.counts.get(state, 0) for state in CAME)


@dataclass(frozen=True)
class RunTally:
    """A run's evenings that are over: how many were held, how many of them anybody recorded, and each person's by registration id."""

    held: int
    recorded: int
    by_registration: dict[int, Tally]

    def of(self, registration_id: int) -> Tally:
        """One person's, empty for whom nothing is written."""
        return self.by_registration.get(registration_id, Tally())


def tally_of(session: Session, run: CourseRun) -> RunTally:
    """Count what is written of a run's evenings that are over, in two statements. Evenings that were called off count for nobody."""
    is_over = (
        (CourseSession.run_id == run.id)
        & (CourseSession.state == SessionState.PLANNED)
        & (CourseSession.ends_at <= clock.now())
    )
    evenings = session.execute(
        select(CourseSession.id, anybody_was_recorded().label("recorded")).where(is_over)
    ).all()
    rows = session.execute(
        select(Attendance.registration_id, Attendance.state, CourseSession.starts_at, CourseSession.ends_at)
        .join(CourseSession, CourseSession.id == Attendance.session_id)
        .where(is_over)
    )
    return RunTally(len(evenings), sum(row.recorded for row in evenings), _added_up(rows))


def tallies_of(session: Session, registrations: Collection[int]) -> dict[int, Tally]:
    """What is written of these registrations' evenings that are over and were not called off, by registration id."""
    rows = session.execute(
        select(Attendance.registration_id, Attendance.state, CourseSession.starts_at, CourseSession.ends_at)
        .join(CourseSession, CourseSession.id == Attendance.session_id)
        .where(
            Attendance.registration_id.in_(registrations),
            CourseSession.state == SessionState.PLANNED,
            CourseSession.ends_at <= clock.now(),
        )
    )
    return _added_up(rows)


def _added_up(rows: Result[int, AttendanceState, datetime, datetime]) -> dict[int, Tally]:
    found: dict[int, Tally] = {}
    for registration_id, state, starts_at, ends_at in rows:
        tally = found.setdefault(registration_id, Tally())
        tally.counts[state] = tally.counts.get(state, 0) + 1
        if state in CAME:
            tally.time_there += ends_at - starts_at
    return found


def evenings_of(session: Session, registrations: Collection[int]) -> dict[int, list[Attendance]]:
    """Everything that is written of these registrations, by registration id, in the order of the evenings."""
    rows = session.scalars(
        select(Attendance)
        .join(Attendance.meeting)
        .options(contains_eager(Attendance.meeting), joinedload(Attendance.appeal))
        .where(Attendance.registration_id.in_(registrations))
        .order_by(CourseSession.starts_at, CourseSession.id)
    )
    found: dict[int, list[Attendance]] = {}
    for row in rows:
        found.setdefault(row.registration_id, []).append(row)
    return found


def attendances_of(
    session: Session, residents: Collection[int], *, before_id: int | None, most: int
) -> list[Attendance]:
    """Up to ``most`` things that are written of these people's evenings, newest first."""
    query = (
        select(Attendance)
        .join(Attendance.registration)
        .options(
            contains_eager(Attendance.registration).joinedload(Registration.resident),
            joinedload(Attendance.meeting).joinedload(CourseSession.run).joinedload(CourseRun.course),
        )
        .where(Registration.resident_id.in_(residents))
        .order_by(Attendance.id.desc())
        .limit(most)
    )
    return list(session.scalars(query if before_id is None else query.where(Attendance.id < before_id)))


def is_recorded(session: Session, meeting: CourseSession) -> bool:
    """Whether anybody was recorded at an evening at all."""
    found = session.scalar(
        select(CourseSession.id).where(CourseSession.id == meeting.id, anybody_was_recorded())
    )
    return found is not None


def how_many_are_here(session: Session, meeting: CourseSession) -> int:
    """How many have been seen at an evening, as a number: who brings companions counts for all of their seats."""
    return (
        session.scalar(
            select(func.sum(Registration.seats))
            .join(Attendance, Attendance.registration_id == Registration.id)
            .where(Attendance.session_id == meeting.id, Attendance.state.in_(CAME))
        )
        or 0
    )
