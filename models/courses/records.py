"""The learner's record (学习记录): every course somebody had a seat in and that has begun, how often they came, and what they completed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from models import clock
from models.courses.attendance.counting import Tally, tallies_of
from models.courses.certificates import MINUTES_AN_HOUR, Certificate, certificates_of
from models.courses.registrations import IN_CLASS, Registration, RegistrationState
from models.courses.runs import CourseRun, CourseSession, SessionState
from models.residents import Resident


@dataclass(frozen=True)
class Taken:
    """One course somebody took: the evenings held so far, and theirs."""

    registration: Registration
    evenings_held: int
    tally: Tally
    certificate: Certificate | None

    @property
    def evenings(self) -> int:
        """How many evenings they are known to have come to."""
        return self.certificate.evenings if self.certificate else self.tally.came

    @property
    def hours(self) -> float:
        """How long that was, in hours, to one decimal."""
        if self.certificate:
            return self.certificate.hours
        return round(self.tally.time_there / timedelta(minutes=MINUTES_AN_HOUR), 1)


@dataclass(frozen=True)
class Record:
    """All somebody took, newest first."""

    resident: Resident
    taken: Sequence[Taken]

    @property
    def hours(self) -> float:
        """All of it together."""
        return round(sum(one.hours for one in self.taken), 1)

    @property
    def completed(self) -> int:
        """How many courses they completed."""
        return sum(one.registration.state is RegistrationState.COMPLETED for one in self.taken)


def record_of(session: Session, resident: Resident) -> Record:
    """Somebody's record, in a fixed number of statements."""
    registrations = session.scalars(
        select(Registration)
        .join(Registration.run)
        .options(
            contains_eager(Registration.run).options(
                joinedload(CourseRun.course), joinedload(CourseRun.region)
            )
        )
        .where(
            Registration.resident_id == resident.id,
            Registration.state.in_(IN_CLASS),
            CourseRun.starts_at <= clock.now(),
        )
        .order_by(CourseRun.starts_at.desc(), Registration.id.desc())
    ).all()
    tallies = tallies_of(session, [mine.id for mine in registrations])
    evenings = session.execute(
        select(CourseSession.run_id, func.count())
        .where(
            CourseSession.run_id.in_([mine.run_id for mine in registrations]),
            CourseSession.state == SessionState.PLANNED,
            CourseSession.ends_at <= clock.now(),
        )
        .group_by(CourseSession.run_id)
    )
    held = dict(evenings.all())
    certificates = {one.registration_id: one for one in certificates_of(session, [resident.id])}
    return Record(
        resident,
        [
            Taken(
                mine,
                held.get(mine.run_id, 0),
                tallies.get(mine.id, Tally()),
                certificates.get(mine.id),
            )
            for mine in registrations
        ],
    )
