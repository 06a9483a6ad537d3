"""Turns (轮次 · 上报): what nobody takes on hangs again before the others, and lies with the street after its last turn (domain.md §2.3)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.policies import set_policy
from models.regions import Region, RegionKind, plant
from models.wishes import Card, Wish, WishKind, WishState, WishWords, turn_if_due, wishes_that_ring
from models.wishes.claims import ClaimState, SettledBy, confirm_done, give_back
from models.wishes.street import IssueOrder, IssueSource, OrderState, open_order_on, street_over
from tests.claims import a_claimer, by_unit, claim_now, claims, delivered, does, under_way
from tests.people import Person, Town
from tests.wishes import by_resident, hung, now, somebody, state_of, told

COATS = WishWords("想要五件棉衣给合唱队的老人", WishKind.GOODS, quantity=5, value_yuan=100)
COATS_CARD = Card("五件棉衣", "五位长者想要棉衣过冬")


@pytest.fixture
def wisher(town: Town) -> Person:
    """Somebody who wishes."""
    return somebody(town)


def turns(wish: Wish, moment: datetime | None = None) -> bool:
    """The town looks at a wish whose days may be over."""
    with transaction() as session:
        return turn_if_due(session, session.get_one(Wish, wish.id), moment or town_clock.now())


def let_lie(wish: Wish, clock: StoppedClock, *, times: int = 2) -> None:
    """Nobody takes it on, so often."""
    for _ in range(times):
        clock.advance(days=15)
        assert turns(wish)


def order_on(wish: Wish) -> IssueOrder | None:
    with reading() as session:
        return open_order_on(session, session.get_one(Wish, wish.id))


def test_what_nobody_takes_on_hangs_again_before_the_others(
    town: Town, wisher: Person, clock: StoppedClock
) -> None:
    wish = hung(town, wisher)
    began = now(wish)
    assert (began.turn, began.priority, began.due_at) == (1, 0, town_clock.now() + timedelta(days=15))
    clock.advance(days=15)
    assert turns(wish)
    again = now(wish)
    assert (again.state, again.turn, again.priority) == (WishState.PUBLISHED, 2, 1)
    assert again.due_at == town_clock.now() + timedelta(days=15)
    assert order_on(wish) is None


def test_what_nobody_takes_on_twice_lies_with_the_street(
    town: Town, wisher: Person, clock: StoppedClock
) -> None:
    """E24."""
    wish = hung(town, wisher)
    let_lie(wish, clock)
    assert state_of(wish) is WishState.ESCALATED
    order = order_on(wish)
    assert order is not None
    assert (order.source, order.state, order.number) == (IssueSource.UNCLAIMED_WISH, OrderState.WAITING, 1)
    assert (order.region_id, order.title) == (town.east_street.id, "想要一个电饭煲")
    waits = now(wish)
    assert waits.due_at is not None
    assert waits.due_at > town_clock.now()


def test_who_wished_and_the_community_hear_both_times(
    town: Town, wisher: Person, clock: StoppedClock
) -> None:
    wish = hung(town, wisher)
    let_lie(wish, clock)
    number = f"梧桐里社区{now(wish).number:04}号心愿"
    said = [
        f"{number}进入下一轮：还没有人认领，已排到前面，继续等人认领。",
        f"{number}已上报街道：到期没有人认领，由街道研究交办。",
    ]
    assert [words for kind, words in told(wisher) if kind == "wish_turned"] == said
    for who in (town.clerk, town.admin):
        heard = [words for kind, words in told(who) if kind == "wish_turned_here"]
        assert heard == said


def test_a_street_counts_its_items_whichever_community_they_come_from(
    town: Town, clock: StoppedClock
) -> None:
    wishes = [hung(town, somebody(town)) for _ in range(3)]
    clock.advance(days=15)
    assert [turns(wish) for wish in wishes] == [True] * 3
    clock.advance(days=15)
    assert [turns(wish) for wish in wishes] == [True] * 3
    with reading() as session:
        assert list(session.scalars(select(IssueOrder.number).order_by(IssueOrder.id))) == [1, 2, 3]


def test_nothing_turns_before_its_time_nor_twice(town: Town, wisher: Person, clock: StoppedClock) -> None:
    wish = hung(town, wisher)
    clock.advance(days=15, seconds=-1)
    assert not turns(wish)
    clock.advance(seconds=1)
    assert turns(wish)
    assert not turns(wish)
    assert now(wish).turn == 2


def test_a_community_may_bring_a_wish_before_the_street_after_one_turn(
    town: Town, wisher: Person, clock: StoppedClock
) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "wish_turns", "1")
    wish = hung(town, wisher)
    let_lie(wish, clock, times=1)
    assert state_of(wish) is WishState.ESCALATED


def test_what_was_taken_in_time_does_not_turn(town: Town, wisher: Person, clock: StoppedClock) -> None:
    wish = hung(town, wisher)
    claims(a_claimer(town.wutong), wish)
    clock.advance(days=15)
    assert not turns(wish)
    with reading() as session:
        assert not wishes_that_ring(session, town_clock.now(), most=9)


def test_only_the_pieces_that_are_free_go_on(town: Town, wisher: Person, clock: StoppedClock) -> None:
    """E18: two coats of five are on their way when the rest goes to the street; they arrive, and the street still owes three."""
    wish = hung(town, wisher, COATS, COATS_CARD)
    unit = a_claimer(town.wutong)
    clock.advance(days=14)
    claim = delivered(town, unit, wish, pieces=2, promised_on=town_clock.today() + timedelta(days=20))
    clock.advance(days=1)
    assert turns(wish)
    let_lie(wish, clock, times=1)
    assert state_of(wish) is WishState.ESCALATED
    assert claim_now(claim).state is ClaimState.DELIVERED
    does(confirm_done, claim, SettledBy.RESIDENT, by=by_resident(wisher))
    stands = now(wish)
    assert (stands.state, stands.parts_left) == (WishState.ESCALATED, 3)
    assert order_on(wish) is not None


def test_what_is_given_back_of_a_wish_with_the_street_is_the_streets_to_assign(
    town: Town, wisher: Person, clock: StoppedClock
) -> None:
    wish = hung(town, wisher, COATS, COATS_CARD)
    unit = a_claimer(town.wutong)
    clock.advance(days=15)
    turns(wish)
    clock.advance(days=14)
    claim = under_way(town, unit, wish, pieces=2, promised_on=town_clock.today() + timedelta(days=20))
    clock.advance(days=1)
    assert turns(wish)
    does(give_back, claim, "做不了", by=by_unit(unit))
    stands = now(wish)
    assert (stands.state, stands.parts_left) == (WishState.ESCALATED, 5)


def test_a_town_without_streets_brings_it_before_what_lies_above_the_community(town: Town) -> None:
    with transaction() as session:
        city = plant(session, kind=RegionKind.CITY, code="lone-city", name="独市")
        place = plant(session, kind=RegionKind.COMMUNITY, code="lone", name="独村", parent=city)
        assert street_over(session, place).id == city.id
        assert street_over(session, city).id == city.id
