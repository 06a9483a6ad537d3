"""What is shown of courses: the published runs of a place, and one person's own registrations.

Finders take what they filter by as arguments and load everything a page shows in a fixed number of queries.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal_column, select, tuple_
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from models import clock
from models.accounts import Account
from models.courses.hearing import registered_and_hears
from models.courses.registrations import IN_CLASS, LIVE, Registration, RegistrationState
from models.courses.runs import (
    LISTED,
    UNSEEN,
    Course,
    CourseKind,
    CourseRun,
    CourseSession,
    RunPhase,
    RunState,
    SessionState,
)
from models.errors import NotFound
from models.regions import Region, is_within, regions_within
from models.residents import Resident
from models.sites import Venue

# literals, not parameters: only so can PostgreSQL see that a partial index fits
_LISTED: list[ColumnElement[Any]] = [literal_column(f"'{state.value}'") for state in LISTED]
FIRST_DAY, LAST_DAY = date(1949, 10, 1), date(2999, 12, 31)


@dataclass(frozen=True)
class RunFilter:
    """What somebody looks for: all of it optional, all of it together."""

    region: Region | None = None
    category: str | None = None
    day: date | None = None
    phase: RunPhase | None = None
    kind: CourseKind | None = None


def published_runs(
    session: Session, wanted: RunFilter, *, after: tuple[datetime, int] | None, most: int
) -> Sequence[CourseRun]:
    """Up to ``most`` runs everybody may see, by first evening; ``after`` is (starts_at, id) of the last one seen."""
    if wanted.phase is RunPhase.SCHEDULED:
        return []  # nobody sees those
    query = (
        with_all_that_is_shown(_public())
        .where(CourseRun.state.in_(_LISTED))
        .order_by(CourseRun.starts_at, CourseRun.id)
        .limit(most)
    )
    if wanted.region is not None:
        query = query.where(CourseRun.region_id.in_(regions_within(wanted.region)))
    if wanted.category is not None:
        query = query.where(Course.category == wanted.category)
    if wanted.kind is not None:
        query = query.where(Course.kind == wanted.kind)
    if wanted.day is not None:
        if not FIRST_DAY <= wanted.day <= LAST_DAY:
            return []  # no calendar goes there, and no database counts so far
        starts = datetime.combine(wanted.day, time(), clock.TOWN_ZONE)
        query = query.where(
            CourseRun.id.in_(  # the day's evenings first, which are few; not every run, whether it has one that day
                select(CourseSession.run_id).where(
                    CourseSession.starts_at >= starts,
                    CourseSession.starts_at < starts + timedelta(days=1),
                    CourseSession.state == SessionState.PLANNED,
                )
            )
        )
    if wanted.phase is not None:
        query = query.where(CourseRun.is_in_phase(wanted.phase, clock.now()))
    if wanted.phase is RunPhase.RUNNING:
        going_on = (
            CourseRun.__table__.alias()
        )  # what is not over, which is little; not everything that ever began
        query = query.where(
            CourseRun.id.in_(
                select(going_on.c.id).where(
                    going_on.c.ends_at > clock.now(),
                    going_on.c.starts_at <= clock.now(),
                    going_on.c.state.in_(_LISTED),
                )
            )
        )
    if after is not None:
        query = query.where(tuple_(CourseRun.starts_at, CourseRun.id) > after)
    return session.scalars(query).unique().all()


def published_run(session: Session, key: str) -> CourseRun:
    """One run everybody may see. Raises NotFound for a draft as for nothing at all."""
    run = session.scalars(with_all_that_is_shown(_public()).where(CourseRun.key == key)).unique().first()
    if run is None:
        raise NotFound("没有找到这门课，可能已经下架")
    return run


def runs_not_over(session: Session, keys: Collection[str], *, at: datetime) -> set[str]:
    """Those of these runs whose last evening was not over at a moment."""
    return set(session.scalars(select(CourseRun.key).where(CourseRun.key.in_(keys), CourseRun.ends_at >= at)))


def sessions_not_over(session: Session, keys: Collection[str], *, at: datetime) -> set[str]:
    """Those of these evenings that were not over at a moment."""
    return set(
        session.scalars(
            select(CourseSession.key).where(CourseSession.key.in_(keys), CourseSession.ends_at >= at)
        )
    )


def registrations_of(
    session: Session, residents: Sequence[int], *, run_key: str | None, before_id: int | None, most: int
) -> Sequence[Registration]:
    """The registrations of these people, newest first, cancelled ones too; of one run when it is named."""
    query = (
        select(Registration)
        .join(Registration.run)
        .options(
            contains_eager(Registration.run).options(*_shown_of_a_run()),
            joinedload(Registration.resident),
        )
        .where(Registration.resident_id.in_(residents))
        .order_by(Registration.id.desc())
        .limit(most)
    )
    if run_key is not None:
        query = query.where(CourseRun.key == run_key)
    if before_id is not None:
        query = query.where(Registration.id < before_id)
    return session.scalars(query).unique().all()


def run_for_staff(session: Session, key: str, *, within: Sequence[Region]) -> CourseRun:
    """A run of any state in the places a staff member looks after. Raises NotFound outside of them."""
    run = session.scalars(
        select(CourseRun).options(joinedload(CourseRun.region)).where(CourseRun.key == key)
    ).first()
    if run is None or not is_within(run.region, within):
        raise NotFound("没有找到这个班")
    return run


def runs_for_staff(
    session: Session,
    *,
    within: Sequence[Region],
    state: RunState | None,
    after: tuple[datetime, int] | None,
    most: int,
) -> Sequence[CourseRun]:
    """Up to ``most`` runs of these places in any state (or in one), by first evening; ``after`` is (starts_at, id) of the last seen."""
    if not within:
        return []
    query = (
        with_all_that_is_shown(select(CourseRun).join(CourseRun.course))
        .options(joinedload(CourseRun.after_course))
        .where(CourseRun.region_id.in_(regions_within(*within)))
        .order_by(CourseRun.starts_at, CourseRun.id)
        .limit(most)
    )
    if state is not None:
        query = query.where(CourseRun.state == state)
    if after is not None:
        query = query.where(tuple_(CourseRun.starts_at, CourseRun.id) > after)
    return session.scalars(query).unique().all()


def session_for_staff(session: Session, key: str, *, within: Sequence[Region]) -> CourseSession:
    """An evening of a run in the places a staff member looks after. Raises NotFound outside of them."""
    meeting = session.scalars(
        select(CourseSession)
        .options(joinedload(CourseSession.run).joinedload(CourseRun.region))
        .where(CourseSession.key == key)
    ).first()
    if meeting is None or not is_within(meeting.run.region, within):
        raise NotFound("没有找到这次课")
    return meeting


def published_session(session: Session, key: str) -> CourseSession:
    """An evening of a run everybody may see. Raises NotFound for one of a draft as for nothing at all."""
    meeting = session.scalars(
        select(CourseSession)
        .join(CourseSession.run)
        .options(
            contains_eager(CourseSession.run).options(
                joinedload(CourseRun.course), joinedload(CourseRun.region)
            )
        )
        .where(
            CourseSession.key == key,
            CourseRun.state.not_in(UNSEEN),
            CourseRun.is_shown_at(clock.now()),
        )
    ).first()
    if meeting is None:
        raise NotFound("没有找到这次课")
    return meeting


def roster_of(session: Session, run: CourseRun, *, after_id: int | None, most: int) -> Sequence[Registration]:
    """The live and the completed registrations of a run with their learners, in the order they were decided."""
    query = (
        select(Registration)
        .options(joinedload(Registration.resident), joinedload(Registration.paired_with))
        .where(Registration.run_id == run.id, Registration.state.in_({*LIVE, *IN_CLASS}))
        .order_by(Registration.id)
        .limit(most)
    )
    return session.scalars(query if after_id is None else query.where(Registration.id > after_id)).all()


def people_to_tell(session: Session, run: CourseRun) -> dict[int, list[int]]:
    """Everybody with a live place in a run (by id, in the order of registration), each with the account that registered them and hears."""
    rows = session.execute(
        select(Registration.resident_id, Account.id)
        .join(Resident, Resident.id == Registration.resident_id)
        .outerjoin(Account, registered_and_hears())
        .where(Registration.run_id == run.id, Registration.state.in_(LIVE))
        .order_by(Registration.id)
    )
    return {resident_id: [] if account_id is None else [account_id] for resident_id, account_id in rows}


def live_registration(session: Session, run: CourseRun, resident: Resident) -> Registration:
    """What one person holds in one run. Raises NotFound when it is nothing."""
    registration = session.scalar(
        select(Registration)
        .options(joinedload(Registration.run), joinedload(Registration.resident))
        .where(
            Registration.run_id == run.id,
            Registration.resident_id == resident.id,
            Registration.state.in_(LIVE),
        )
    )
    if registration is None:
        raise NotFound("还没有报名", code="not_registered")
    return registration


def positions_of(session: Session, registrations: Sequence[Registration]) -> dict[int, int]:
    """For each waiting registration (by id) its place in the queue, counted from 1."""
    waiting = [r for r in registrations if r.state is RegistrationState.WAITLISTED]
    if not waiting:
        return {}
    # each queue is counted through once, however many of it are asked about
    place = func.row_number().over(partition_by=Registration.run_id, order_by=Registration.number)
    queue = (
        select(Registration.id, place.label("place"))
        .where(
            Registration.run_id.in_({one.run_id for one in waiting}),
            Registration.state == literal_column("'waitlisted'"),  # a literal, so that the partial index fits
        )
        .subquery()
    )
    rows = session.execute(
        select(queue.c.id, queue.c.place).where(queue.c.id.in_([one.id for one in waiting]))
    )
    return {row.id: row.place for row in rows}


def _public() -> Select[CourseRun]:
    """What everybody may see: also what is archived, for who has its address."""
    return (
        select(CourseRun)
        .join(CourseRun.course)
        .where(CourseRun.state.not_in(UNSEEN), CourseRun.is_shown_at(clock.now()))
    )


def with_all_that_is_shown(query: Select[CourseRun]) -> Select[CourseRun]:
    """A query of runs, joined with their courses, with everything a page shows of them in a fixed number of statements."""
    course, region, sessions = _shown_of_a_run(course_is_joined=True)
    return query.options(course, region, sessions)


def _shown_of_a_run(*, course_is_joined: bool = False):  # type: ignore[no-untyped-def]  # loader options have no public type
    course = contains_eager(CourseRun.course) if course_is_joined else joinedload(CourseRun.course)
    return (
        course,
        joinedload(CourseRun.region),
        selectinload(CourseRun.sessions).joinedload(CourseSession.venue).joinedload(Venue.site),
    )
