"""Copying (复制到下学期): a new draft of a class that was held before, on days of the calendar ahead.

Course, teacher, rooms, hours, questions and rules are the same, and so is how long before the first evening registration opens; nobody who was
registered is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy.orm import Session

from models import clock
from models.calendars import Calendar
from models.courses.making import make_run, series_obstacles
from models.courses.planning import Evening, RunPlan
from models.courses.questions import copy_questions
from models.courses.runs import CourseRun, CourseSession, SessionState
from models.courses.seating import Seating, seating_of, usual_seating
from models.courses.series import MOST_WEEKS, HolidayRule, Series, lay_out, monday_of
from models.errors import Conflict, Fault, Invalid
from models.sites import Venue

# an evening on a day of the week the class is rarely held on made up for a holiday; it is no day of the class
RARE = 3


@dataclass(frozen=True)
class _Habit:
    """When and where a class is held on one day of the week."""

    starts: time
    lasts: timedelta
    venue: Venue


def copy_run(
    session: Session,
    run: CourseRun,
    *,
    first_on: date,
    holidays: HolidayRule = HolidayRule.SKIP,
    by_account_id: int | None = None,
    identity: str = "town",
) -> CourseRun:
    """Make a draft like this run, as many evenings, from a first day on, holidays skipped, moved or kept.

    A class of one day of the week may be copied to another day. Raises Conflict ``nothing_to_copy`` for a run of which no evening stands,
    ``room_taken`` or ``teacher_taken``, and Invalid naming ``first_on`` for a day the class is not held on, that is over, or
    that leaves no time to apply before the draw.
    """
    habits, every_weeks, times = _habits(run)
    if len(habits) == 1:
        habits = {first_on.isoweekday(): next(iter(habits.values()))}
    if first_on.isoweekday() not in habits:
        days = "、".join(clock.WEEKDAYS[day - 1] for day in sorted(habits))
        raise Invalid([Fault("first_on", f"这个班在星期{days}上课，请选其中一天")])
    habit = habits[first_on.isoweekday()]
    starts_at = datetime.combine(first_on, habit.starts, clock.TOWN_ZONE)
    if starts_at <= clock.now():
        raise Invalid([Fault("first_on", "请选一个还没到的日子")])
    ends = (datetime.combine(first_on, habit.starts) + habit.lasts).time()
    if ends <= habit.starts:
        raise Conflict("nothing_to_copy", "这个班的课跨过了半夜，不能复制，请新建一个班")
    laid = lay_out(
        Calendar.in_force(session),
        Series(
            first_on,
            habit.starts,
            ends,
            weekdays=frozenset(habits),
            times=times,
            holidays=holidays,
            every_weeks=every_weeks,
        ),
        obstacles=series_obstacles(
            session, venue=habit.venue, teacher=run.teacher if run.teacher_is_person else ""
        ),
    )
    evenings = [
        _evening(evening.on, habits[(evening.moved_from or evening.on).isoweekday()])
        for evening in laid
        if not evening.is_skipped
    ]
    first_starts_at = min(evening.starts_at for evening in evenings)
    plan = _plan_like(session, run, evenings, later_by=first_starts_at - run.starts_at)
    if (
        plan.seating is not None
        and plan.seating.draws_at is not None
        and plan.seating.draws_at <= plan.opens_at
    ):
        raise Invalid([Fault("first_on", "离第一次课太近，来不及报名和抽签，请选晚一些的日子")])
    copy = make_run(session, run.course, plan, by_account_id=by_account_id, identity=identity)
    copy_questions(session, run, copy)
    return copy


def _plan_like(
    session: Session, run: CourseRun, evenings: Sequence[Evening], *, later_by: timedelta
) -> RunPlan:
    """Everything staff decided about a run, every moment of it so much later; it opens at once if that is over."""
    own: dict[str, Any] = {
        "month": "",
        "ordinal": 0,
        "timetable": "",
        "evenings": evenings,
        "seating": _seating_like(session, run, later_by=later_by),
    }
    kept = {field.name: getattr(run, field.name) for field in fields(RunPlan) if field.name not in own}
    moved: dict[str, Any] = {
        name: value + later_by if isinstance(value, datetime) else value for name, value in kept.items()
    }
    plan = RunPlan(**own, **moved)
    return replace(plan, opens_at=min(max(plan.opens_at, clock.now()), plan.starts_at - timedelta(minutes=1)))


def _seating_like(session: Session, run: CourseRun, *, later_by: timedelta) -> Seating:
    """How its seats were given; a run that held some for the counter holds as many again as its community does."""
    was = seating_of(run)
    held = usual_seating(session, run.region_id, run.capacity).seats_held if was.held_until else 0
    return replace(was.later_by(later_by), seats_held=max(held, was.seats_held))


def _habits(run: CourseRun) -> tuple[dict[int, _Habit], int, int]:
    """When and where it is held on which day of the week, every how many weeks, and how often."""
    standing = [meeting for meeting in run.sessions if meeting.state is SessionState.PLANNED]
    if not standing:
        raise Conflict("nothing_to_copy", "这个班没有留下的课可以复制，请新建一个班")
    by_weekday: dict[int, list[CourseSession]] = defaultdict(list)
    for meeting in standing:
        by_weekday[_planned_for(meeting).isoweekday()].append(meeting)
    most = max(len(meetings) for meetings in by_weekday.values())
    habits = {
        weekday: Counter(_habit_of(meeting) for meeting in meetings).most_common(1)[0][0]
        for weekday, meetings in by_weekday.items()
        if len(meetings) * RARE >= most
    }
    weeks = sorted({monday_of(_planned_for(meeting).date()) for meeting in standing})
    gaps = [(later - earlier).days // 7 for earlier, later in pairwise(weeks)]
    return habits, min([*gaps, MOST_WEEKS]) if gaps else 1, len(standing)


def _planned_for(meeting: CourseSession) -> datetime:
    return clock.in_town(meeting.moved_from or meeting.starts_at)


def _habit_of(meeting: CourseSession) -> _Habit:
    return _Habit(_planned_for(meeting).time(), meeting.ends_at - meeting.starts_at, meeting.venue)


def _evening(on: date, habit: _Habit) -> Evening:
    starts_at = datetime.combine(on, habit.starts, clock.TOWN_ZONE)
    return Evening(starts_at, starts_at + habit.lasts, habit.venue)
