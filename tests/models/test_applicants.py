"""People who have applied count: a class they wait to be drawn or admitted to is not taken away or changed under their feet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from models.base import transaction
from models.courses import (
    Admission,
    CourseRun,
    Evening,
    RunPlan,
    RunState,
    Seating,
    revise_run,
    unpublish,
    withdraw_run,
)
from models.errors import Refusal
from models.sites import Venue
from tests.people import FIRST_EVENING, Town

BY_LOT = Seating(admission=Admission.DRAW, draws_at=FIRST_EVENING - timedelta(days=3))
REVIEWED = Seating(admission=Admission.REVIEW)


def refusal_of(deed: Callable[[], object]) -> Refusal:
    """The refusal a deed ends in."""
    with pytest.raises(Refusal) as caught:
        deed()
    return caught.value


def take_down(run: CourseRun) -> None:
    """下架."""
    with transaction() as session:
        unpublish(session, session.get_one(CourseRun, run.id))


def withdraw(run: CourseRun) -> None:
    """The timetable no longer has it."""
    with transaction() as session:
        withdraw_run(session, session.get_one(CourseRun, run.id))


def hold_a_day_later(run: CourseRun, seating: Seating | None = None) -> None:
    """The timetable has it a day later."""
    with transaction() as session:
        stored = session.get_one(CourseRun, run.id)
        evenings = [
            Evening(
                meeting.starts_at + timedelta(days=1),
                meeting.ends_at + timedelta(days=1),
                session.scalars(select(Venue).where(Venue.id == meeting.venue_id)).one(),
            )
            for meeting in stored.sessions
        ]
        plan = RunPlan(
            month=stored.month,
            ordinal=stored.ordinal,
            teacher=stored.teacher,
            teacher_is_person=stored.teacher_is_person,
            capacity=stored.capacity,
            opens_at=stored.opens_at,
            evenings=evenings,
            seating=seating,
        )
        revise_run(session, stored, plan)


@pytest.mark.parametrize("seating", [BY_LOT, REVIEWED])
@pytest.mark.parametrize("deed", [take_down, withdraw, hold_a_day_later])
def test_a_class_people_applied_to_is_not_taken_from_under_them(
    town: Town, seating: Seating, deed: Callable[[CourseRun], None]
) -> None:
    run = town.a_run(seating=seating)
    town.resident.tap(run)
    refusal = refusal_of(lambda: deed(run))
    assert refusal.code == "run_has_learners"
    assert "1 人" in refusal.message
    assert town.states(run) == ["applied"]
    now = town.now(run)
    assert (now.state, now.starts_at) == (RunState.PUBLISHED, run.starts_at)
    town.resident.give_up(run)
    deed(run)


def test_how_seats_are_given_does_not_change_once_somebody_applied(town: Town) -> None:
    run = town.a_run(seating=REVIEWED)
    town.resident.tap(run)
    assert refusal_of(lambda: hold_a_day_later(run, Seating())).code == "run_has_learners"
