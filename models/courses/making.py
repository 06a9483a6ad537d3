"""Making runs by hand (单独排课): what staff plan one by one, without a timetable file.

The rules are those of ``planning`` and ``revising``; here a run gets the name it keeps (month, ordinal), what is planned must lie ahead,
and a room or teacher that is taken is said of the very evening it is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.calendars import Calendar
from models.courses.planning import RunPlan, classes_of_teacher, must_make_sense, plan_run
from models.courses.revising import Change, revise_run
from models.courses.runs import Course, CourseRun
from models.courses.series import Obstacles, Series, SeriesEvening, Verdict, lay_out
from models.errors import Conflict, Fault, Invalid, NotFound
from models.occupancy import holders_between
from models.regions import Region, is_within, regions_within
from models.sites import Venue

BY_HAND = (
    "单独排课"  # stands where a run of a file has the name of its timetable, so that no file withdraws it
)
FARTHEST = timedelta(days=2 * 366)


def make_run(
    session: Session,
    course: Course,
    plan: RunPlan,
    *,
    by_account_id: int | None = None,
    identity: str = "town",
) -> CourseRun:
    """Make a draft run of a course, its month that of the first evening and its ordinal the next one free.

    Raises Invalid for a plan that cannot be or does not lie ahead, Conflict ``room_taken`` or ``teacher_taken`` naming the evening
    (``evenings.2``); nothing is kept then if the caller rolls back.
    """
    must_make_sense(plan)
    _must_lie_ahead(plan)
    course.lock()
    month = f"{clock.in_town(plan.starts_at):%Y-%m}"
    last = session.scalar(
        select(func.max(CourseRun.ordinal)).where(CourseRun.course_id == course.id, CourseRun.month == month)
    )
    named = replace(plan, month=month, ordinal=(last or 0) + 1, timetable=BY_HAND)
    with _naming_the_evening(plan):
        return plan_run(session, course, named, by_account_id=by_account_id, identity=identity)


def change_run(
    session: Session,
    run: CourseRun,
    plan: RunPlan,
    *,
    by_account_id: int | None = None,
    identity: str = "town",
) -> tuple[Change, ...]:
    """Bring a run into line with what staff write of it now, under the name it has; see ``revise_run`` for what is refused.

    An evening that stands may be over; a new one must lie ahead.
    """
    must_make_sense(plan)
    _must_lie_ahead(plan, run)
    named = replace(plan, month=run.month, ordinal=run.ordinal, timetable=run.timetable)
    with _naming_the_evening(plan):
        return revise_run(session, run, named, by_account_id=by_account_id, identity=identity)


def preview_series(
    session: Session, series: Series, *, venue: Venue | None, teacher: str, apart_from: Sequence[int] = ()
) -> list[SeriesEvening]:
    """Every evening of a series by the town's calendar, and whether room and teacher are free then; nothing is written.

    Nobody's name, and no room, are always free; ``apart_from`` are runs (by id) whose evenings do not count.
    """

    found = series_obstacles(session, venue=venue, teacher=teacher, apart_from=apart_from)
    return lay_out(Calendar.in_force(session), series, obstacles=found)


def series_obstacles(
    session: Session, *, venue: Venue | None, teacher: str, apart_from: Sequence[int] = ()
) -> Obstacles:
    """What says whether room and teacher are taken at a time."""

    def obstacles(starts_at: datetime, ends_at: datetime) -> list[Verdict]:
        found = []
        if venue is not None and holders_between(session, venue, starts_at=starts_at, ends_at=ends_at):
            found.append(Verdict.ROOM_TAKEN)
        if classes_of_teacher(session, teacher, starts_at=starts_at, ends_at=ends_at, apart_from=apart_from):
            found.append(Verdict.TEACHER_TAKEN)
        return found

    return obstacles


def courses_within(
    session: Session, places: Sequence[Region], *, after_id: int | None, most: int
) -> Sequence[Course]:
    """Up to ``most`` courses of these places, in the order they were opened."""
    if not places:
        return []
    query = (
        select(Course)
        .options(joinedload(Course.region))
        .where(Course.region_id.in_(regions_within(*places)))
        .order_by(Course.id)
        .limit(most)
    )
    return session.scalars(query if after_id is None else query.where(Course.id > after_id)).all()


def course_for_staff(session: Session, key: str, *, within: Sequence[Region]) -> Course:
    """A course of the places a staff member looks after. Raises NotFound outside of them."""
    course = session.scalar(select(Course).options(joinedload(Course.region)).where(Course.key == key))
    if course is None or not is_within(course.region, within):
        raise NotFound("没有找到这门课程")
    return course


def _must_lie_ahead(plan: RunPlan, run: CourseRun | None = None) -> None:
    now = clock.now()
    standing = run.sessions if run is not None else []
    faults = []
    for place, evening in enumerate(plan.evenings):
        stands = any(meeting.stands_for(evening.starts_at, evening.ends_at) for meeting in standing)
        if evening.starts_at <= now and not stands:
            faults.append(Fault(f"evenings.{place}.starts_at", "请选一个还没到的时间"))
        elif evening.ends_at > now + FARTHEST:
            faults.append(Fault(f"evenings.{place}.ends_at", "只能排两年以内的课"))
    if faults:
        raise Invalid(faults)


@contextmanager
def _naming_the_evening(plan: RunPlan) -> Iterator[None]:
    """What is taken in here is said of the evening it is about."""
    try:
        yield
    except Conflict as taken:
        starts = taken.details.get("starts_at")
        at = [
            place
            for place, evening in enumerate(plan.evenings)
            if starts is not None and evening.starts_at == datetime.fromisoformat(str(starts))
        ]
        if at:
            taken.faults = (Fault(f"evenings.{at[0]}", taken.message),)
        raise
