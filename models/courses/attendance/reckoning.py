"""Reckoning (爽约怎么算): what absences come to, with mercy (domain.md §2.1).

What counts is an absence without leave of a grown-up who registered themselves, in the last ninety days, and a half for a seat of one's own
given up late. Children, and whoever somebody else registered, are never made to pay: their absences are written down and count for
nobody. What a pause was for is settled with it: afterwards one begins anew. A late cancellation weighs at the next absence.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from models import clock
from models.courses.attendance.records import Attendance, AttendanceState
from models.courses.pauses import Pause, PauseEnd, standing_pause
from models.courses.registrations import CancelledBy, Registration
from models.courses.runs import CourseSession
from models.journal import enter
from models.notices import Debt, NoticeKind, goes_out_at, owe_once
from models.policies import policies_at
from models.residents import Resident

OF_AGE = 18
LATE_WEIGHS = 0.5
PAUSES_ENDED_AT_ONCE = 500


@dataclass(frozen=True)
class Misses:
    """What somebody's absences come to, and how many are too many."""

    count: float
    too_many: float
    days: int

    @property
    def are_too_many(self) -> bool:
        """Whether they lead to a pause."""
        return self.count >= self.too_many


def how_to_appeal(session: Session, region_id: int | None) -> str:
    """Where one says that an absence should not count, and how long one may (``appeal_days``)."""
    return f"{policies_at(session, region_id).appeal_days:g}天内可在“我的出勤”里申诉"


def counts_for_somebody() -> ColumnElement[bool]:
    """The condition that a registration (with its ``Resident``) is a grown-up's own doing, so that missing the class counts."""
    of_age = clock.today().year - OF_AGE
    return and_(
        Resident.account_id.is_not(None),
        Registration.by_account_id == Resident.account_id,
        or_(Resident.birth_year.is_(None), Resident.birth_year <= of_age),
    )


def counting_ones(session: Session, registrations: Collection[int]) -> set[int]:
    """Those of these registrations of which a missed evening counts."""
    return set(
        session.scalars(
            select(Registration.id)
            .join(Resident, Resident.id == Registration.resident_id)
            .where(Registration.id.in_(registrations), counts_for_somebody())
        )
    )


def misses_of(session: Session, resident: Resident, *, leaving_out: Pause | None = None) -> Misses:
    """What somebody's absences come to now, since the last pause that is over; ``leaving_out`` is the one that stands."""
    now = clock.now()
    numbers = policies_at(session, resident.home_region_id)
    before = session.scalar(
        select(func.max(Pause.starts_at)).where(
            Pause.resident_id == resident.id,
            Pause.id != (leaving_out.id if leaving_out else 0),
            or_(Pause.lifted_how.is_(None), Pause.lifted_how != PauseEnd.EXCUSED),  # as if it never was
        )
    )
    window = now - timedelta(days=numbers.absence_days)
    since = window if before is None else max(window, before)
    absences = session.scalar(
        select(func.count())
        .select_from(Attendance)
        .join(Registration, Registration.id == Attendance.registration_id)
        .join(Resident, Resident.id == Registration.resident_id)
        .join(CourseSession, CourseSession.id == Attendance.session_id)
        .where(
            Registration.resident_id == resident.id,
            Attendance.state == AttendanceState.ABSENT,
            CourseSession.starts_at > since,
            counts_for_somebody(),
        )
    )
    late = session.scalar(
        select(func.count())
        .select_from(Registration)
        .join(Resident, Resident.id == Registration.resident_id)
        .where(
            Registration.resident_id == resident.id,
            Registration.cancelled_late,
            Registration.cancelled_by == CancelledBy.RESIDENT,
            Registration.cancelled_by_account_id == Resident.account_id,
            Registration.cancelled_at > since,
            counts_for_somebody(),
        )
    )
    return Misses(
        (absences or 0) + LATE_WEIGHS * (late or 0), numbers.absences_to_pause, int(numbers.absence_days)
    )


def pause_if_too_many(session: Session, resident: Resident) -> Pause | None:
    """Begin a pause for somebody whose absences are too many, unless they are in one. The person is told."""
    resident.lock()  # two classes that end at one moment reckon one after the other
    standing = standing_pause(session, resident.id)
    if standing is not None and standing.until <= clock.now():
        _lift(session, standing, PauseEnd.TIME, at=standing.until)
        standing = None
    if standing is not None or not misses_of(session, resident).are_too_many:
        return None
    days = policies_at(session, resident.home_region_id).pause_days
    if not days:
        return None
    now = clock.now()
    pause = Pause(resident=resident, starts_at=now, until=now + timedelta(days=days))
    session.add(pause)
    session.flush()
    enter(session, "pause.began", pause, for_resident_id=resident.id)
    _tell(session, pause, NoticeKind.REGISTERING_PAUSED, result="暂停报名", at=pause.until)
    session.flush()
    return pause


def relieve(session: Session, residents: Collection[int]) -> int:
    """Lift the pauses of these people that rest on too little by now: an absence of theirs was excused; how many."""
    lifted = 0
    standing = session.scalars(
        select(Pause)
        .where(Pause.resident_id.in_(residents), Pause.lifted_at.is_(None))
        .order_by(Pause.resident_id)
    ).all()
    for pause in standing:
        resident = pause.resident.lock()
        session.refresh(pause)
        if pause.lifted_at is None and not misses_of(session, resident, leaving_out=pause).are_too_many:
            _lift(session, pause, PauseEnd.EXCUSED, at=clock.now())
            lifted += 1
    return lifted


def lift_pause(session: Session, pause: Pause, *, because: str, by_account_id: int, identity: str) -> None:
    """Staff lift a pause; the person is told. One that is over already stays as it ended."""
    pause.resident.lock()
    session.refresh(pause)
    if pause.lifted_at is not None:
        return
    _lift(
        session,
        pause,
        PauseEnd.STAFF,
        at=clock.now(),
        because=because,
        by_account_id=by_account_id,
        identity=identity,
    )


def end_pauses(session: Session, now: datetime) -> int:
    """End what has lasted its time, some hundreds at once; the people are told. How many."""
    over = session.scalars(
        select(Pause)
        .where(Pause.lifted_at.is_(None), Pause.until <= now)
        .order_by(Pause.resident_id)
        .limit(PAUSES_ENDED_AT_ONCE)
    ).all()
    ended = 0
    for pause in over:
        pause.resident.lock()
        session.refresh(pause)
        if pause.lifted_at is None:
            _lift(session, pause, PauseEnd.TIME, at=pause.until)
            ended += 1
    return ended


def _lift(
    session: Session,
    pause: Pause,
    how: PauseEnd,
    *,
    at: datetime,
    because: str = "",
    by_account_id: int | None = None,
    identity: str = "town",
) -> None:
    pause.lifted_at, pause.lifted_how, pause.lifted_because = at, how, because
    session.flush()
    enter(
        session,
        "pause.lifted",
        pause,
        by_account_id=by_account_id,
        identity=identity,
        for_resident_id=pause.resident_id,
        details={"how": how},
    )
    _tell(session, pause, NoticeKind.PAUSE_LIFTED, result="恢复报名", at=clock.now())
    session.flush()


def _tell(session: Session, pause: Pause, kind: NoticeKind, *, result: str, at: datetime) -> None:
    resident = pause.resident
    if resident.account_id is None:
        return
    debt = Debt(
        kind,
        subject_key=pause.key,
        page_subject=pause.key,
        account_ids=[resident.account_id],
        facts={
            "course": "社区课程报名",
            "result": result,
            "when_at": at.isoformat(),
            "says_when": f"{clock.in_town(at).month}月{clock.in_town(at).day}日 {clock.in_town(at):%H:%M}",
            "appeal": how_to_appeal(session, resident.home_region_id)
            if kind is NoticeKind.REGISTERING_PAUSED
            else "可以报名新课了",
        },
        due_at=goes_out_at(session, kind, resident.home_region_id, clock.now()),
    )
    owe_once(session.connection(), [debt])
