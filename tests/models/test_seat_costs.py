"""What giving seats costs: as many statements for many people as for few, whatever decides who sits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import (
    Admission,
    CourseRun,
    Promotion,
    Receipt,
    Seating,
    decide,
    draw,
    end_offers,
    settle_unreviewed,
)
from models.errors import Refusal
from tests.people import Person, Town, raise_capacity

FEW, MANY = 4, 40


def test_a_draw_costs_the_same_for_few_and_for_many(
    big_town: Town, clock: StoppedClock, statements: list[str]
) -> None:
    """Winners, waiting and losers; half of the winners take as many courses as they may, and are asked first."""
    big_town.is_as_strict_as_others()
    busy = [big_town.a_run(capacity=100) for _ in range(2)]

    def cost(people: Sequence[Person]) -> int:
        draws_at = town_clock.now() + timedelta(minutes=30)
        run = big_town.a_run(
            capacity=len(people) // 2,
            waitlist_limit=1,
            seating=Seating(admission=Admission.DRAW, draws_at=draws_at),
        )
        for person in people:
            person.tap(run)
        for person in people[::2]:
            for other in busy:
                person.tap(other)
        clock.move_to(draws_at)
        del statements[:]
        with transaction() as session:
            draw(session, session.get_one(CourseRun, run.id))
        return len(statements)

    few = cost(big_town.crowd[:FEW])
    # a notice to who sits and a notice to who is asked are two kinds of statements, and by chance only one is needed
    assert cost(big_town.crowd[FEW : FEW + MANY]) <= few + 8


def test_moving_up_and_lapsing_cost_the_same_for_few_and_for_many(
    big_town: Town, clock: StoppedClock, statements: list[str]
) -> None:
    def cost(people: Sequence[Person]) -> tuple[int, int]:
        run = big_town.a_run(capacity=1, waitlist_limit=None, seating=Seating(promotion=Promotion.OFFER))
        for person in (big_town.resident, *people):
            person.tap(run)
        del statements[:]
        with transaction() as session:
            raise_capacity(session, run, 1 + len(people))
        offering = len(statements)
        clock.move_to(town_clock.now() + timedelta(days=2))
        del statements[:]
        with transaction() as session:
            assert end_offers(session, run.key) == len(people)
        return offering, len(statements)

    assert cost(big_town.crowd[:FEW]) == cost(big_town.crowd[FEW : FEW + MANY])


def test_many_refusals_of_one_batch_are_kept_with_one_statement(
    big_town: Town, statements: list[str]
) -> None:
    run = big_town.a_run(capacity=1, waitlist_limit=0)
    people = big_town.crowd[:MANY]

    def refuse() -> int:
        del statements[:]
        with transaction() as session:
            answers = decide(session.connection(), [person.wants(run) for person in people])
        assert sum(isinstance(answer, Refusal) for answer in answers) == MANY - 1
        return sum("receipts" in each for each in statements)

    assert (refuse(), refuse()) == (1, 1)
    with reading() as session:
        kept = session.scalars(select(Receipt).where(Receipt.run_id == run.id)).all()
    assert [(each.code, each.facts) for each in kept] == [("waitlist_full", {"waiting": 0})] * (MANY - 1)


def test_whoever_nobody_looked_at_costs_the_same_for_few_and_for_many(
    big_town: Town, clock: StoppedClock, statements: list[str]
) -> None:
    def cost(people: Sequence[Person]) -> int:
        run = big_town.a_run(seating=Seating(admission=Admission.REVIEW))
        for person in people:
            person.tap(run)
        clock.move_to(run.starts_at)
        del statements[:]
        with transaction() as session:
            assert settle_unreviewed(session, run.key) == len(people)
        return len(statements)

    assert cost(big_town.crowd[:FEW]) == cost(big_town.crowd[FEW : FEW + MANY])
