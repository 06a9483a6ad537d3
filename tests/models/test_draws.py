"""Seats by lot (抽签): promised before anybody applies, drawn once, and anybody can repeat it from what is published."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.courses import (
    Admission,
    CourseRun,
    Draw,
    RegistrationState,
    Seating,
    Standing,
    draw,
    draw_of,
    lots_of,
    revise_run,
    seating_of,
    unpublish,
)
from models.errors import NotFound, Refusal
from models.notices import Notice, NoticeKind
from server.jobs import seats as town_work
from tests.people import FIRST_EVENING, Person, Town, plan_as_it_stands

DRAWS_AT = FIRST_EVENING - timedelta(days=3)
BY_LOT = Seating(admission=Admission.DRAW, draws_at=DRAWS_AT)


def refusal_of(deed: Callable[[], object]) -> Refusal:
    """The refusal a deed ends in."""
    with pytest.raises(Refusal) as caught:
        deed()
    return caught.value


@dataclass(frozen=True)
class Outcome:
    """What a draw came to: people by state, in the order they were drawn."""

    confirmed: list[int]
    waitlisted: list[int]
    not_selected: list[int]


def a_draw(
    town: Town, *, applicants: int, capacity: int = 2, waitlist_limit: int | None = None
) -> tuple[CourseRun, list[Person], list[Standing]]:
    """A run that is drawn, with people who applied."""
    run = town.a_run(capacity=capacity, waitlist_limit=waitlist_limit, seating=BY_LOT)
    people = town.people(applicants)
    return run, people, [person.tap(run) for person in people]


def draw_now(run: CourseRun) -> None:
    """The town draws, by the minute's work."""
    assert town_work.draw_lots(town_clock.now()) == 1


def outcome_of(town: Town, run: CourseRun) -> Outcome:
    """People (by resident) as the draw left them, in order."""
    rows = town.registrations(run)
    by = {
        state: [row.resident_id for row in rows if row.state is state]
        for state in (
            RegistrationState.CONFIRMED,
            RegistrationState.WAITLISTED,
            RegistrationState.NOT_SELECTED,
        )
    }
    return Outcome(*by.values())


def notices(kind: NoticeKind) -> list[int]:
    """The accounts that are owed a notice of this kind."""
    with reading() as session:
        return list(session.scalars(select(Notice.account_id).where(Notice.kind == kind)))


def test_whoever_taps_before_the_draw_has_applied_and_has_a_ticket(town: Town) -> None:
    run, people, standings = a_draw(town, applicants=3, capacity=1)
    assert [standing.state for standing in standings] == [RegistrationState.APPLIED] * 3
    assert [standing.ticket for standing in standings] == [1, 2, 3]
    assert people[0].tap(run) == standings[0]
    now = town.now(run)
    assert (now.seats_taken, now.waiting) == (0, 0)


def test_the_promise_is_made_when_the_run_is_published_and_kept(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    run, _, _ = a_draw(town, applicants=3)
    with reading() as session:
        before = draw_of(session, run)
        promised, seed = before.promised, before.seed
        assert lots_of(session, run, after_rank=None, most=10) == []
    assert hashlib.sha256(seed.encode()).hexdigest() == promised
    clock.move_to(DRAWS_AT)
    draw_now(run)
    with reading() as session:
        after = draw_of(session, run)
        assert (after.promised, after.seed, after.tickets, after.seats) == (promised, seed, 3, 2)


def test_every_draw_has_a_seed_of_its_own(town: Town) -> None:
    for _ in range(3):
        town.a_run(seating=BY_LOT)
    with reading() as session:
        seeds = set(session.scalars(select(Draw.seed)))
    assert len(seeds) == 3


def test_a_run_without_lots_has_no_draw(town: Town) -> None:
    run = town.a_run()
    with reading() as session, pytest.raises(NotFound) as caught:
        draw_of(session, run)
    assert caught.value.code == "no_draw"
    with transaction() as session:
        stored = session.get_one(CourseRun, run.id)
        assert refusal_of(lambda: draw(session, stored)).code == "not_by_lot"


def test_where_there_are_seats_for_all_everybody_gets_one(town: Town, clock: town_clock.StoppedClock) -> None:
    run, _, _ = a_draw(town, applicants=3, capacity=5)
    clock.move_to(DRAWS_AT)
    draw_now(run)
    assert town.states(run) == ["confirmed"] * 3
    now = town.now(run)
    assert (now.seats_taken, now.waiting, now.last_number) == (3, 0, 6)


def test_a_draw_nobody_applied_for_is_drawn_too(town: Town, clock: town_clock.StoppedClock) -> None:
    run, _, _ = a_draw(town, applicants=0)
    clock.move_to(DRAWS_AT)
    draw_now(run)
    assert town_work.draw_lots(town_clock.now()) == 0
    assert town.resident.tap(run).state is RegistrationState.CONFIRMED


def test_who_lost_waits_in_the_order_drawn_as_many_as_the_queue_holds(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    run, people, _ = a_draw(town, applicants=6, capacity=2, waitlist_limit=3)
    clock.move_to(DRAWS_AT)
    draw_now(run)
    outcome = outcome_of(town, run)
    assert [len(group) for group in (outcome.confirmed, outcome.waitlisted, outcome.not_selected)] == [
        2,
        3,
        1,
    ]
    by_id = {person.resident_id: person for person in people}
    places = [by_id[resident].tap(run).position for resident in outcome.waitlisted]
    assert places == [1, 2, 3]
    by_id[outcome.confirmed[0]].give_up(run)
    assert outcome_of(town, run).confirmed[-1] == outcome.waitlisted[0], "the next lot moves up"


def test_seats_held_for_the_counter_are_not_drawn(town: Town, clock: town_clock.StoppedClock) -> None:
    seating = Seating(admission=Admission.DRAW, draws_at=DRAWS_AT, seats_held=2)
    run = town.a_run(capacity=3, seating=seating)
    for person in town.people(3):
        person.tap(run)
    clock.move_to(DRAWS_AT)
    draw_now(run)
    assert sorted(town.states(run)) == ["confirmed", "waitlisted", "waitlisted"]


def test_who_left_before_the_draw_takes_no_part(town: Town, clock: town_clock.StoppedClock) -> None:
    run, people, _ = a_draw(town, applicants=3, capacity=1)
    people[0].give_up(run)
    clock.move_to(DRAWS_AT)
    draw_now(run)
    assert sorted(town.states(run)) == ["cancelled", "confirmed", "waitlisted"]
    assert town.registrations(run)[0].resident_id == people[0].resident_id
    assert town.why(people[0], run) == []
    with reading() as session:
        assert {lot.ticket for lot in lots_of(session, run, after_rank=None, most=10)} == {2, 3}


def test_nobody_draws_before_the_time_nor_a_class_that_is_off(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    run, _, _ = a_draw(town, applicants=1)
    clock.move_to(DRAWS_AT - timedelta(seconds=1))
    assert town_work.draw_lots(town_clock.now()) == 0
    with transaction() as session:
        assert refusal_of(lambda: draw(session, session.get_one(CourseRun, run.id))).code == "draw_too_early"
    with transaction() as session:
        session.get_one(CourseRun, run.id).state = "cancelled"  # type: ignore[assignment]
    clock.move_to(DRAWS_AT)
    assert town_work.draw_lots(town_clock.now()) == 0
    with transaction() as session:
        assert refusal_of(lambda: draw(session, session.get_one(CourseRun, run.id))).code == "run_cancelled"


def test_drawn_again_it_stays_as_it_was_drawn(town: Town, clock: town_clock.StoppedClock) -> None:
    run, _, _ = a_draw(town, applicants=5)
    clock.move_to(DRAWS_AT)
    draw_now(run)
    before = [(row.key, row.state, row.number, row.rank) for row in town.registrations(run)]
    drawn_at = town.now(run).drawn_at
    clock.advance(hours=1)
    assert town_work.draw_lots(town_clock.now()) == 0
    with transaction() as session:
        draw(session, session.get_one(CourseRun, run.id))
    assert [(row.key, row.state, row.number, row.rank) for row in town.registrations(run)] == before
    assert town.now(run).drawn_at == drawn_at
    assert len(notices(NoticeKind.SELECTED)) == 2


def test_who_comes_between_the_end_and_the_draw_is_told_to_come_back(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    """And afterwards whoever comes first gets what is left."""
    run, _, _ = a_draw(town, applicants=1, capacity=2)
    clock.move_to(DRAWS_AT)
    assert refusal_of(lambda: town.resident.tap(run)).code == "being_drawn"
    draw_now(run)
    assert town.resident.tap(run).state is RegistrationState.CONFIRMED
    assert town.neighbour.tap(run).state is RegistrationState.WAITLISTED


def test_a_winner_who_takes_as_many_courses_as_they_may_is_offered_the_seat(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    town.is_as_strict_as_others()
    run, (winner,), _ = a_draw(town, applicants=1)
    mine = [town.a_run(), town.a_run()]
    for other in mine:
        winner.tap(other)
    clock.move_to(DRAWS_AT)
    draw_now(run)
    assert town.states(run) == ["offered"]
    assert notices(NoticeKind.SEAT_OFFERED) == [winner.account_id]
    assert refusal_of(lambda: winner.accept(run)).code == "too_many_runs"
    winner.give_up(mine[0])
    assert winner.accept(run).state is RegistrationState.CONFIRMED


def test_everybody_hears_once_and_can_look_up_why(town: Town, clock: town_clock.StoppedClock) -> None:
    run, people, _ = a_draw(town, applicants=6, capacity=2, waitlist_limit=2)
    clock.move_to(DRAWS_AT)
    draw_now(run)
    outcome = outcome_of(town, run)
    accounts = {person.resident_id: person.account_id for person in people}
    assert sorted(notices(NoticeKind.SELECTED)) == sorted(accounts[each] or 0 for each in outcome.confirmed)
    losers = [*outcome.waitlisted, *outcome.not_selected]
    assert sorted(notices(NoticeKind.NOT_SELECTED)) == sorted(accounts[each] or 0 for each in losers)
    for group, code in (
        (outcome.confirmed, "confirmed"),
        (outcome.waitlisted, "waitlisted"),
        (outcome.not_selected, "not_selected"),
    ):
        for person in people:
            if person.resident_id in group:
                assert town.why(person, run) == [("drawn", code)]


def test_a_draw_the_town_comes_late_for_offers_nothing(town: Town, clock: town_clock.StoppedClock) -> None:
    """The class has begun: there is no time left in which a winner could answer."""
    town.is_as_strict_as_others()
    run, (winner,), _ = a_draw(town, applicants=1)
    for other in (town.a_run(), town.a_run()):
        winner.tap(other)
    clock.move_to(run.starts_at)
    draw_now(run)
    assert town.states(run) == ["confirmed"]
    assert notices(NoticeKind.SEAT_OFFERED) == []


def test_one_draw_that_fails_keeps_no_other_from_its_turn(town: Town, clock: town_clock.StoppedClock) -> None:
    broken, sound = (town.a_run(seating=BY_LOT) for _ in range(2))
    town.resident.tap(sound)
    with transaction() as session:
        session.delete(session.scalars(select(Draw).where(Draw.run_id == broken.id)).one())
    clock.move_to(DRAWS_AT)
    with pytest.raises(NotFound):
        town_work.draw_lots(town_clock.now())
    assert town.states(sound) == ["confirmed"]


def test_what_was_drawn_is_not_drawn_by_another_seed(town: Town, clock: town_clock.StoppedClock) -> None:
    """Nobody applied and it was taken down: seats go as people come, whatever a later draw would promise."""
    run, _, _ = a_draw(town, applicants=0)
    clock.move_to(DRAWS_AT)
    draw_now(run)
    with transaction() as session:
        mine = session.get_one(CourseRun, run.id)
        unpublish(session, mine)
        later = replace(seating_of(mine), draws_at=DRAWS_AT + timedelta(days=1))
        plan = replace(plan_as_it_stands(mine), seating=later)
        assert refusal_of(lambda: revise_run(session, mine, plan)).code == "admission_fixed"


@pytest.mark.parametrize("change", ["starts", "opens"])
def test_a_timetable_that_knows_nothing_of_the_draw_does_not_pass_it(town: Town, change: str) -> None:
    run = town.a_run(seating=BY_LOT)
    with transaction() as session:
        mine = session.get_one(CourseRun, run.id)
        plan = plan_as_it_stands(mine)
        earlier = [
            replace(each, starts_at=DRAWS_AT, ends_at=DRAWS_AT + timedelta(hours=1)) for each in plan.evenings
        ]
        plan = replace(plan, evenings=earlier) if change == "starts" else replace(plan, opens_at=DRAWS_AT)
        refusal = refusal_of(lambda: revise_run(session, mine, plan))
        session.rollback()
    assert [fault.field for fault in refusal.faults] == ["draws_at"]
