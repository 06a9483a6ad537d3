"""Reseating (改录取方式): what a corrected plan changes about how the seats of a run are given. A part of ``revising``."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from models import clock
from models.courses.planning import RunPlan
from models.courses.runs import CourseRun, Promotion
from models.courses.saying import ADMISSIONS
from models.courses.seating import DRAWN_IN_TIME, Seating, seating_of, write_seating
from models.courses.seats.holding import hold_seats
from models.errors import Conflict, Fault, Invalid
from models.journal import enter


def seating_in(run: CourseRun, plan: RunPlan) -> Seating:
    """How the seats of a run are given under a plan: as it is already, where the plan says nothing."""
    if plan.seating is None:
        return seating_of(run)
    return replace(plan.seating, held_until=plan.seating.held_until or run.held_until)


def gives_seats_otherwise(run: CourseRun, plan: RunPlan) -> bool:
    """Whether a plan changes who gets a seat, or when the lot is drawn."""
    seating = seating_in(run, plan)
    return (seating.admission, seating.draws_at) != (run.admission, run.draws_at)


def must_give_seats_alike(run: CourseRun, plan: RunPlan) -> None:
    """Raise Conflict ``admission_fixed`` where everybody was told already how seats are given, or the lot was drawn."""
    if not gives_seats_otherwise(run, plan):
        return
    if run.drawn_at is not None:
        raise Conflict("admission_fixed", "已经抽过签的班不能再改录取方式和抽签时间，请另写成一个班")
    if run.is_published:
        raise Conflict("admission_fixed", "已经发布的班不能改录取方式和抽签时间，请先下架，改好再发布")


def hold_no_more(
    session: Session, run: CourseRun, plan: RunPlan, *, by_account_id: int | None, identity: str
) -> None:
    """Hold no more seats for the counter than the plan does and has room for.

    Nobody moves up here: what is let go is free only once the run has as many seats as planned.
    """
    was, held = run.seats_held, min(_held_in(run, plan), max(plan.capacity - run.seats_taken, 0))
    if held < was:
        run.seats_held = held
        enter(
            session,
            "course_run.seats_held",
            run,
            by_account_id=by_account_id,
            identity=identity,
            details={"seats": [was, held]},
        )


def seat_as_planned(
    session: Session, run: CourseRun, plan: RunPlan, *, by_account_id: int | None, identity: str
) -> None:
    """Write down how seats are given from now on, and hold those the plan holds. Raises Conflict ``not_enough_seats``.

    A timetable says nothing of draws: one that would leave none between the opening and the first class is Invalid.
    """
    if plan.seating is None:
        _must_be_drawn_in_time(run)
        return
    write_seating(session, run, seating_in(run, plan))
    session.flush()
    hold_seats(session, run, _held_in(run, plan), by_account_id=by_account_id, identity=identity)


def _must_be_drawn_in_time(run: CourseRun) -> None:
    if run.drawn_at is not None or run.draws_at is None or run.opens_at < run.draws_at < run.starts_at:
        return
    raise Invalid([Fault("draws_at", DRAWN_IN_TIME)])


def say_seating(seating: Seating) -> str:
    """How seats are given, as a clerk reads it."""
    said = {
        ADMISSIONS[seating.admission]: True,
        f"{_say(seating)} 抽签": seating.draws_at,
        f"本社区优先 {seating.home_first_hours} 小时": seating.home_first_hours,
        f"本街道优先 {seating.street_first_hours} 小时": seating.street_first_hours,
        f"预留 {seating.seats_held} 个名额": seating.seats_held,
        f"可带 {seating.most_companions} 人": seating.most_companions,
        f"要先学完“{seating.after_course and seating.after_course.title}”": seating.after_course,
        f"至少 {seating.min_to_open} 人开班": seating.min_to_open,
        "候补需本人确认": seating.promotion is Promotion.OFFER,
    }
    return "，".join(words for words, is_so in said.items() if is_so)


def _say(seating: Seating) -> str:
    return f"{clock.in_town(seating.draws_at):%Y-%m-%d %H:%M}" if seating.draws_at else ""


def _held_in(run: CourseRun, plan: RunPlan) -> int:
    if plan.seating is not None:
        return plan.seating.seats_held
    return run.seats_held
