"""Planning a run and revising it: rooms, teachers, seats and evenings move together, and nobody who has a seat is hurt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import (
    Audience,
    Change,
    CourseRun,
    Evening,
    RunPlan,
    RunState,
    Seating,
    SessionPhase,
    changes_of,
    hurts_of,
    leave_rooms,
    plan_run,
    publish,
    revise_run,
    seating_of,
    submit,
    withdraw_run,
)
from models.errors import Conflict, Invalid
from models.journal import JournalEntry
from models.occupancy import Occupancy
from models.sites import Venue
from tests.people import FIRST_EVENING, Town, a_course, a_plan, a_venue, plan_as_it_stands

LATER = timedelta(days=1)


def planned(session: Session, town: Town, plan: RunPlan) -> CourseRun:
    """A published run of this plan."""
    run = plan_run(session, a_course(session, town.wutong), plan)
    publish(session, run)
    return run


def moved(plan: RunPlan, by: timedelta, *, venue: Venue | None = None) -> RunPlan:
    """The plan with every evening at another time, or in another room too."""
    return replace(
        plan,
        evenings=[Evening(one.starts_at + by, one.ends_at + by, venue or one.venue) for one in plan.evenings],
    )


def in_session(session: Session, run: CourseRun) -> CourseRun:
    """The run in a session of its own."""
    return session.get_one(CourseRun, run.id)


def acts(session: Session, run: CourseRun) -> list[str]:
    """What the journal says of a run."""
    return list(
        session.scalars(
            select(JournalEntry.act)
            .where(JournalEntry.subject_kind == "course_runs", JournalEntry.subject_id == run.id)
            .order_by(JournalEntry.id)
        )
    )


def test_an_equal_plan_changes_nothing_and_leaves_no_entry(town: Town) -> None:
    run = town.a_run(evenings=2)
    with transaction() as session:
        mine = in_session(session, run)
        assert revise_run(session, mine, plan_as_it_stands(mine)) == ()
        assert acts(session, mine) == ["course_run.planned", "course_run.published"]


def test_what_changed_is_told_and_written_down(town: Town) -> None:
    run = town.a_run(capacity=20)
    with transaction() as session:
        mine = in_session(session, run)
        plan = replace(plan_as_it_stands(mine), capacity=24, note="请早到")
        changes = revise_run(session, mine, plan)
        assert changes == (Change("capacity", "名额", "20", "24"), Change("note", "备注", "", "请早到"))
        assert [change.line for change in changes] == ["名额由“20”改为“24”", "备注由“空”改为“请早到”"]
        assert acts(session, mine)[-1] == "course_run.revised"
        assert mine.waitlist_limit == 24
        assert changes_of(mine, plan) == ()


def test_evenings_move_with_their_rooms(town: Town) -> None:
    with transaction() as session:
        run = planned(session, town, a_plan(session, town.wutong, evenings=3))
        plan = plan_as_it_stands(run)
        other = a_venue(session, town.wutong)
        shorter = replace(
            moved(plan, LATER, venue=other), evenings=moved(plan, LATER, venue=other).evenings[:2]
        )
        revise_run(session, run, shorter)
        assert [one.starts_at for one in run.sessions] == [one.starts_at for one in shorter.evenings]
        assert (run.starts_at, run.closes_at) == (FIRST_EVENING + LATER, FIRST_EVENING + LATER)
        held = session.scalars(select(Occupancy).order_by(Occupancy.starts_at)).all()
        assert [(one.starts_at, one.holder_key) for one in held] == [
            (one.starts_at, one.key) for one in run.sessions
        ]
        revise_run(session, run, plan)
        assert len(run.sessions) == 3


def test_an_evening_that_stays_keeps_its_session(town: Town) -> None:
    with transaction() as session:
        run = planned(session, town, a_plan(session, town.wutong, evenings=3))
        plan, keys = plan_as_it_stands(run), [one.key for one in run.sessions]
        revise_run(session, run, replace(plan, evenings=plan.evenings[1:]))
        assert [one.key for one in run.sessions] == keys[1:]


def test_a_room_that_is_taken_is_not_taken_twice(town: Town) -> None:
    with transaction() as session:
        room = a_venue(session, town.wutong)
        planned(session, town, a_plan(session, town.wutong, venue=room))
        run = planned(session, town, a_plan(session, town.wutong))
        with pytest.raises(Conflict) as refusal:
            revise_run(session, run, moved(plan_as_it_stands(run), timedelta(), venue=room))
        assert refusal.value.code == "room_taken"
        session.rollback()


def test_two_runs_swap_their_rooms_once_both_have_left(town: Town) -> None:
    with transaction() as session:
        one = planned(session, town, a_plan(session, town.wutong))
        other = planned(session, town, a_plan(session, town.wutong))
        rooms = one.sessions[0].venue, other.sessions[0].venue
        to_other = moved(plan_as_it_stands(one), timedelta(), venue=rooms[1])
        to_one = moved(plan_as_it_stands(other), timedelta(), venue=rooms[0])
        leave_rooms(session, one, to_other)
        leave_rooms(session, other, to_one)
        revise_run(session, one, to_other)
        revise_run(session, other, to_one)
        assert (one.sessions[0].venue, other.sessions[0].venue) == (rooms[1], rooms[0])


@pytest.mark.parametrize("teacher", ["孙老师", "周老师、孙老师", "孙 老师"])
def test_a_new_teacher_must_be_free(town: Town, teacher: str) -> None:
    with transaction() as session:
        planned(session, town, a_plan(session, town.wutong, teacher="孙老师"))
        run = planned(session, town, a_plan(session, town.wutong))
        plan = replace(plan_as_it_stands(run), teacher=teacher)
        with pytest.raises(Conflict) as refusal:
            revise_run(session, run, plan)
        assert refusal.value.code == "teacher_taken"
        session.rollback()


def test_an_organisation_may_teach_twice_and_a_run_is_no_clash_with_itself(town: Town) -> None:
    with transaction() as session:
        planned(session, town, a_plan(session, town.wutong, teacher="老年大学", teacher_is_person=False))
        run = planned(session, town, a_plan(session, town.wutong))
        revise_run(session, run, replace(plan_as_it_stands(run), teacher="老年大学", teacher_is_person=False))
        half_an_hour = timedelta(minutes=30)
        revise_run(session, run, replace(moved(plan_as_it_stands(run), half_an_hour), teacher="庞老师"))
        assert run.teacher == "庞老师"


def test_a_plan_that_cannot_be_is_refused(town: Town) -> None:
    with transaction() as session:
        run = planned(session, town, a_plan(session, town.wutong))
        plan = plan_as_it_stands(run)
        twice = [*plan.evenings, *moved(plan, timedelta(minutes=30)).evenings]
        for impossible in (
            replace(plan, evenings=[]),
            replace(plan, capacity=0),
            replace(plan, opens_at=plan.starts_at),
            replace(plan, evenings=twice),
        ):
            with pytest.raises(Invalid):
                revise_run(session, run, impossible)
        session.rollback()


def test_changes_that_hurt_learners_are_refused_with_what_to_do(town: Town) -> None:
    run = town.a_run(evenings=2, capacity=2, min_age=18, max_age=60)
    for person in (town.resident, town.neighbour, town.helper):
        person.tap(run)
    with transaction() as session:
        mine = in_session(session, run)
        plan = plan_as_it_stands(mine)
        hurting = {
            "evenings": moved(plan, LATER),
            "capacity": replace(plan, capacity=1),
            "audience": replace(plan, max_age=50),
        }
        for field, worse in hurting.items():
            with pytest.raises(Conflict) as refusal:
                revise_run(session, mine, worse)
            assert refusal.value.code == "run_has_learners"
            assert list(refusal.value.details["hurts"]) == [field]
            assert "已有 2 人报名、1 人候补" in refusal.value.message
        with pytest.raises(Conflict) as refusal:
            revise_run(session, mine, replace(moved(plan, LATER), capacity=1, audience=Audience.PAIR))
        assert list(refusal.value.details["hurts"]) == ["evenings", "capacity", "audience"]
        with pytest.raises(Conflict) as refusal:
            withdraw_run(session, mine)
        assert refusal.value.code == "run_has_learners"
        assert acts(session, mine) == ["course_run.planned", "course_run.published"]


def test_a_wider_audience_and_more_seats_are_welcome(town: Town) -> None:
    run = town.a_run(capacity=1, min_age=18, max_age=60)
    town.resident.tap(run)
    town.neighbour.tap(run)
    with transaction() as session:
        mine = in_session(session, run)
        revise_run(session, mine, replace(plan_as_it_stands(mine), capacity=2, min_age=16, max_age=None))
    assert town.states(run) == ["confirmed", "confirmed"]
    now = town.now(run)
    assert (now.seats_taken, now.waiting, now.min_age, now.max_age) == (2, 0, 16, None)


def test_a_run_everybody_left_may_change_again(town: Town) -> None:
    run = town.a_run()
    town.resident.tap(run)
    town.resident.give_up(run)
    with transaction() as session:
        mine = in_session(session, run)
        revise_run(session, mine, moved(plan_as_it_stands(mine), LATER))
        withdraw_run(session, mine)
    assert town.now(run).state is RunState.CANCELLED


def test_of_a_withdrawn_run_what_was_held_stays_held(town: Town, clock: StoppedClock) -> None:
    run = town.a_run(evenings=2)
    clock.move_to(FIRST_EVENING + timedelta(days=1))
    with transaction() as session:
        withdraw_run(session, in_session(session, run))
    now = town.now(run)
    assert (now.state, [one.phase for one in now.sessions]) == (
        RunState.CANCELLED,
        [SessionPhase.HELD, SessionPhase.CANCELLED],
    )
    with reading() as session:
        (kept,) = session.scalars(select(Occupancy))
        assert kept.holder_key == now.sessions[0].key


def test_a_withdrawn_run_lets_go_of_its_room_and_stands_again_as_a_draft(town: Town) -> None:
    run = town.a_run(evenings=2)
    with transaction() as session:
        mine = in_session(session, run)
        plan = plan_as_it_stands(mine)
        withdraw_run(session, mine)
        withdraw_run(session, mine)
        assert session.scalars(select(Occupancy)).all() == []
        assert [change.field for change in revise_run(session, mine, plan)] == ["state"]
        assert mine.state is RunState.DRAFT
        assert len(session.scalars(select(Occupancy)).all()) == 2
        publish(session, mine)
        assert acts(session, mine)[2:] == [
            "course_run.withdrawn",
            "course_run.revised",
            "course_run.published",
        ]


def for_later(session: Session, run: CourseRun) -> None:
    publish(session, run, at=run.starts_at - timedelta(days=1))


@pytest.mark.parametrize("deed", [lambda session, run: None, submit, for_later])
def test_what_nobody_saw_is_removed(town: Town, deed: Callable[[Session, CourseRun], object]) -> None:
    run = town.a_run(published=False)
    with transaction() as session:
        deed(session, in_session(session, run))
        withdraw_run(session, in_session(session, run))
    with reading() as session:
        assert session.get(CourseRun, run.id) is None
        assert session.scalars(select(Occupancy)).all() == []


def test_a_published_run_that_becomes_one_for_pairs_stays_published(town: Town) -> None:
    run = town.a_run()
    with transaction() as session:
        mine = in_session(session, run)
        revise_run(session, mine, replace(plan_as_it_stands(mine), audience=Audience.PAIR))
        assert mine.state is RunState.PUBLISHED
        assert mine.audience is Audience.PAIR


# --- how many seats -----------------------------------------------------------------------------------------------


def test_fewer_chairs_and_fewer_held_ones_at_once_seat_as_many_as_there_is_room_for(town: Town) -> None:
    """What is let go of the held seats is free only as far as there are still seats."""
    run = town.a_run(capacity=6, waitlist_limit=None, seating=Seating(seats_held=3))
    for person in town.people(6):
        person.tap(run)
    assert (town.now(run).seats_taken, town.now(run).waiting) == (3, 3)
    with transaction() as session:
        mine = in_session(session, run)
        seating = replace(seating_of(mine), seats_held=0)
        revise_run(session, mine, replace(plan_as_it_stands(mine), capacity=4, seating=seating))
    now = town.now(run)
    assert (now.capacity, now.seats_taken, now.seats_held, now.waiting) == (4, 4, 0, 2)


def test_a_timetable_that_says_only_fewer_chairs_lets_go_of_held_ones_first(town: Town) -> None:
    run = town.a_run(capacity=6, waitlist_limit=None, seating=Seating(seats_held=3))
    for person in town.people(5):
        person.tap(run)
    with transaction() as session:
        mine = in_session(session, run)
        revise_run(session, mine, replace(plan_as_it_stands(mine), capacity=4))
        assert acts(session, mine)[-2:] == ["course_run.seats_held", "course_run.revised"]
    now = town.now(run)
    assert (now.capacity, now.seats_taken, now.seats_held, now.waiting) == (4, 3, 1, 2)


def test_no_more_seats_are_held_than_the_fewer_chairs_leave_and_the_clerk_is_told_how_many(
    town: Town,
) -> None:
    run = town.a_run(capacity=6, seating=Seating(seats_held=3))
    for person in town.people(3):
        person.tap(run)
    with transaction() as session:
        mine = in_session(session, run)
        plan = replace(plan_as_it_stands(mine), capacity=5, seating=seating_of(mine))
        with pytest.raises(Conflict) as refusal:
            revise_run(session, mine, plan)
        session.rollback()
    assert (refusal.value.code, refusal.value.details) == ("not_enough_seats", {"free": 2})
    now = town.now(run)
    assert (now.capacity, now.seats_held) == (6, 3)


def test_whoever_brings_companions_keeps_room_for_them(town: Town) -> None:
    """A correction does not leave a group in the queue that no seat could ever be given to."""
    run = town.a_run(capacity=3, waitlist_limit=None, seating=Seating(most_companions=2))
    seated, pair = town.people(2)
    seated.tap(run, companions=2)
    pair.tap(run, companions=1)
    seated.give_up(run)
    for most, is_refused in ((0, True), (1, False)):
        with transaction() as session:
            mine = in_session(session, run)
            plan = replace(plan_as_it_stands(mine), seating=Seating(most_companions=most))
            assert ("seating" in hurts_of(session, mine, plan)) is is_refused


def test_held_seats_are_let_go_as_long_before_a_class_that_was_planned_anew(town: Town) -> None:
    """Nobody is in it yet. What is said of a class staff moved by an evening alone moves nothing else."""
    run = town.a_run(seating=Seating(seats_held=2))
    before = run.held_until
    assert before is not None
    with transaction() as session:
        mine = in_session(session, run)
        revise_run(session, mine, moved(plan_as_it_stands(mine), -LATER))
        revise_run(session, mine, replace(plan_as_it_stands(mine), note="请早到"))
    assert town.now(run).held_until == before - LATER
