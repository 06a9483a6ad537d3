"""Turns at one moment: a wish is taken or goes on, never both; it goes on once; and of a storm of askers one is heard."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from models import clock as town_clock
from models.base import Base, db, reading, transaction
from models.clock import StoppedClock
from models.errors import Refusal
from models.journal import JournalEntry
from models.notices import Notice, NoticeKind
from models.wishes import Urged, Wish, WishState, street, turn_if_due, turning, urge, urging, withdraw_wish
from models.wishes.claims import LIVE, Claim, claiming
from models.wishes.claims.promises import must_be_in_time
from models.wishes.street import IssueOrder
from server.jobs.wishes import remind_of_wishes, turn_wishes
from tests.claims import a_claimer, claims
from tests.people import Person, Town, UnitMember
from tests.races.controls import without_index, without_unique
from tests.races.rush import LONGEST_SECONDS, all_look_first, meanwhile, rush
from tests.wishes import by_resident, hung, now, say, somebody, state_of, wishes

ON_POSTGRESQL = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # SQLite takes turns


def codes(answers: Sequence[object]) -> Counter[str]:
    """How often each answer was given; whatever is neither done nor refused fails."""
    loud = [answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, Refusal)]
    assert not loud
    return Counter(answer.code if isinstance(answer, Refusal) else "done" for answer in answers)


def at_the_last_deadline(clock: StoppedClock, *hanging: Wish) -> None:
    """Their last days on the wall are over."""
    clock.advance(days=15)
    assert turn_wishes(town_clock.now()) == len(hanging)
    clock.advance(days=15)


def takes(who: UnitMember, wish: Wish) -> Claim:
    return claims(who, wish, promised_on=town_clock.today() + timedelta(days=3))


def works() -> int:
    return turn_wishes(town_clock.now())


def turns(wish: Wish) -> bool:
    """What one worker does about one wish it saw ring."""
    with transaction() as session:
        return turn_if_due(session, session.get_one(Wish, wish.id), town_clock.now())


def urges(who: Person, wish: Wish) -> Urged:
    urged: Urged = say(urge, wish, by=by_resident(who))
    return urged


def orders(*about: Wish) -> list[IssueOrder]:
    with reading() as session:
        ids = [wish.id for wish in about]
        return list(session.scalars(select(IssueOrder).where(IssueOrder.wish_id.in_(ids))))


def live_claims(wish: Wish) -> list[Claim]:
    with reading() as session:
        return list(
            session.scalars(select(Claim).where(Claim.wish_id == wish.id, Claim.state.in_(LIVE))).all()
        )


def entries(wish: Wish, act: str) -> int:
    with reading() as session:
        return (
            session.scalar(
                select(func.count())
                .select_from(JournalEntry)
                .where(
                    JournalEntry.subject_kind == "wishes",
                    JournalEntry.subject_id == wish.id,
                    JournalEntry.act == act,
                )
            )
            or 0
        )


def readers_of(kind: NoticeKind) -> Counter[int]:
    with reading() as session:
        return Counter(session.scalars(select(Notice.account_id).where(Notice.kind == kind)))


@pytest.fixture
def wisher(town: Town) -> Person:
    """Somebody who wishes."""
    return somebody(town)


@pytest.fixture
def unit(town: Town) -> UnitMember:
    """Somebody of a unit that is paired with the community."""
    return a_claimer(town.wutong)


# --- the last moment on the wall -----------------------------------------------------------------------------------


def test_who_takes_it_at_the_last_moment_has_it_or_the_street_does(
    town: Town, app: Flask, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    """E24."""
    other, wish = a_claimer(town.wutong), hung(town, wisher)
    at_the_last_deadline(clock, wish)
    deeds: list[Callable[[], object]] = [
        partial(takes, unit, wish),
        works,
        partial(takes, other, wish),
        works,
    ]
    answers = rush(app, deeds)
    found = codes([answers[0], answers[2]])
    assert not [answer for answer in (answers[1], answers[3]) if isinstance(answer, Exception)]
    if state_of(wish) is WishState.ESCALATED:
        assert found == {"wish_taken": 2}
        assert (len(orders(wish)), len(live_claims(wish)), now(wish).parts_taken) == (1, 0, 0)
    else:
        assert state_of(wish) is WishState.CLAIMED
        assert found == {"done": 1, "wish_taken": 1}
        assert (len(orders(wish)), len(live_claims(wish)), now(wish).parts_taken) == (0, 1, 1)


def test_who_takes_it_while_it_hangs_again_has_it_either_way(
    town: Town, app: Flask, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    wish = hung(town, wisher)
    clock.advance(days=15)
    deeds: list[Callable[[], object]] = [works, partial(takes, unit, wish), works]
    answers = rush(app, deeds)
    assert codes(answers) == {"done": 3}
    assert state_of(wish) is WishState.CLAIMED
    assert len(live_claims(wish)) == 1
    assert now(wish).turn - 1 == now(wish).priority == entries(wish, "wish.hung_again")


def test_who_takes_it_back_at_the_last_moment_leaves_nothing_with_the_street_to_wait_for(
    town: Town, app: Flask, wisher: Person, clock: StoppedClock
) -> None:
    wish = hung(town, wisher)
    at_the_last_deadline(clock, wish)
    deeds: list[Callable[[], object]] = [
        works,
        partial(say, withdraw_wish, wish, by=by_resident(wisher)),
        works,
    ]
    answers = rush(app, deeds)
    assert codes(answers) == {"done": 3}
    assert state_of(wish) is WishState.WITHDRAWN
    assert now(wish).due_at is None


@ON_POSTGRESQL
def test_without_the_lock_a_wish_is_in_a_units_hands_and_with_the_street(
    town: Town,
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    wisher: Person,
    unit: UnitMember,
    clock: StoppedClock,
) -> None:
    wish = hung(town, wisher)
    at_the_last_deadline(clock, wish)
    looked, may_go_on = threading.Event(), threading.Event()

    def looking(*given: Any) -> None:
        must_be_in_time(*given)
        looked.set()
        assert may_go_on.wait(LONGEST_SECONDS)

    with monkeypatch.context() as patch:
        patch.setattr(Base, "lock", lambda self: self)
        patch.setattr(claiming, "must_be_in_time", looking)
        thread, ended = meanwhile(app, partial(takes, unit, wish))
        assert looked.wait(LONGEST_SECONDS)
        assert works() == 1
        may_go_on.set()
        thread.join(LONGEST_SECONDS)
    assert [type(one).__name__ for one in ended] == ["Claim"]
    assert (len(orders(wish)), len(live_claims(wish))) == (1, 1)


# --- two workers ---------------------------------------------------------------------------------------------------


def test_however_many_workers_come_a_wish_turns_once(
    town: Town, app: Flask, wisher: Person, clock: StoppedClock
) -> None:
    wish = hung(town, wisher)
    clock.advance(days=15)
    answers = rush(app, [works] * 6)
    assert codes(answers) == {"done": 6}
    assert sum(answer for answer in answers if isinstance(answer, int)) == 1
    assert (now(wish).turn, now(wish).priority, entries(wish, "wish.hung_again")) == (2, 1, 1)
    assert readers_of(NoticeKind.WISH_TURNED) == {wisher.account_id: 1}
    clock.advance(days=15)
    answers = rush(app, [works] * 6)
    assert codes(answers) == {"done": 6}
    assert sum(answer for answer in answers if isinstance(answer, int)) == 1
    assert (len(orders(wish)), entries(wish, "wish.escalated")) == (1, 1)
    assert readers_of(NoticeKind.WISH_TURNED) == {wisher.account_id: 2}


def test_wishes_that_come_to_a_street_together_have_numbers_of_their_own(
    town: Town, app: Flask, clock: StoppedClock
) -> None:
    both = [hung(town, somebody(town)) for _ in range(4)]
    at_the_last_deadline(clock, *both)
    answers = rush(app, [partial(turns, wish) for wish in both])
    assert codes(answers) == {"done": 4}
    assert sorted(order.number for order in orders(*both)) == [1, 2, 3, 4]


def unlocked(
    app: Flask, monkeypatch: pytest.MonkeyPatch, deeds: Sequence[Callable[[], object]], *, looking: str
) -> list[object]:
    """Two workers at once, without any lock: each saw the wish, or the list of its street, before the other wrote on it."""
    where = {"street_over": turning, "_next_number": street}[looking]
    with (
        monkeypatch.context() as patch,
        all_look_first(monkeypatch, where, looking, many=len(deeds)),
    ):
        patch.setattr(Base, "lock", lambda self: self)
        return list(rush(app, deeds))


@ON_POSTGRESQL
def test_without_the_lock_a_second_item_with_the_same_number_is_refused_loudly(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch, clock: StoppedClock
) -> None:
    both = [hung(town, somebody(town)) for _ in range(2)]
    at_the_last_deadline(clock, *both)
    answers = unlocked(app, monkeypatch, [partial(turns, wish) for wish in both], looking="_next_number")
    assert sorted(type(answer).__name__ for answer in answers) == ["IntegrityError", "bool"]
    assert len(orders(*both)) == 1


@ON_POSTGRESQL
def test_without_lock_and_constraint_two_items_have_one_number(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch, clock: StoppedClock
) -> None:
    both = [hung(town, somebody(town)) for _ in range(2)]
    at_the_last_deadline(clock, *both)
    with without_unique(db.engine, IssueOrder, "region_id", "number"):
        deeds = [partial(turns, wish) for wish in both]
        assert unlocked(app, monkeypatch, deeds, looking="_next_number") == [True, True]
        assert [order.number for order in orders(*both)] == [1, 1]


@ON_POSTGRESQL
def test_without_the_lock_a_second_item_about_one_wish_is_refused_loudly(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch, wisher: Person, clock: StoppedClock
) -> None:
    wish = hung(town, wisher)
    at_the_last_deadline(clock, wish)
    answers = unlocked(app, monkeypatch, [partial(turns, wish)] * 2, looking="street_over")
    loud = [answer for answer in answers if isinstance(answer, IntegrityError)]
    assert ["uq_issue_orders_open" in str(one) for one in loud] == [True]
    assert len(orders(wish)) == 1


@ON_POSTGRESQL
def test_without_lock_and_index_a_wish_lies_with_the_street_twice(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch, wisher: Person, clock: StoppedClock
) -> None:
    wish = hung(town, wisher)
    at_the_last_deadline(clock, wish)
    with without_index(db.engine, IssueOrder, "uq_issue_orders_open"):
        deeds = [partial(turns, wish)] * 2
        assert unlocked(app, monkeypatch, deeds, looking="street_over") == [True, True]
        assert len(orders(wish)) == 2


def test_two_workers_remind_of_one_review_once(
    town: Town, app: Flask, clock: StoppedClock, wisher: Person
) -> None:
    wishes(wisher)
    clock.advance(days=3, hours=1)
    answers = rush(app, [partial(remind_of_wishes, town_clock.now())] * 6)
    assert codes(answers) == {"done": 6}
    assert sum(answer for answer in answers if isinstance(answer, int)) == 1
    assert readers_of(NoticeKind.WISH_REVIEW_DUE) == {town.clerk.account_id: 1, town.admin.account_id: 1}


# --- a storm of askers ---------------------------------------------------------------------------------------------


def test_of_fifty_taps_at_once_one_is_heard_and_all_are_answered(
    town: Town, app: Flask, wisher: Person
) -> None:
    """E27."""
    wish = hung(town, wisher)
    answers = rush(app, [partial(urges, wisher, wish)] * 50)
    assert codes(answers) == {"done": 50}
    assert sum(answer.is_new for answer in answers if isinstance(answer, Urged)) == 1
    assert len({answer.again_at for answer in answers if isinstance(answer, Urged)}) == 1
    assert entries(wish, "wish.urged") == 1
    assert readers_of(NoticeKind.WISH_URGED) == {town.clerk.account_id: 1, town.admin.account_id: 1}


@ON_POSTGRESQL
def test_without_the_lock_two_ask_and_the_office_still_hears_one(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch, wisher: Person
) -> None:
    wish = hung(town, wisher)
    with monkeypatch.context() as patch, all_look_first(monkeypatch, urging, "claims_on", many=2):
        patch.setattr(Base, "lock", lambda self: self)
        answers = rush(app, [partial(urges, wisher, wish)] * 2)
    assert [answer.is_new for answer in answers if isinstance(answer, Urged)] == [True, True]
    assert entries(wish, "wish.urged") == 2
    assert readers_of(NoticeKind.WISH_URGED) == {town.clerk.account_id: 1, town.admin.account_id: 1}
