"""Wishes at one moment: a household gets no more than one, numbers never repeat, the first decision counts, everybody counts once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from models import wishes as nouns
from models.base import Base, reading, transaction
from models.errors import Refusal
from models.journal import JournalEntry
from models.wishes import (
    Wish,
    WishState,
    approve_wish,
    publish,
    reject_wish,
    support,
    withdraw_wish,
)
from tests.people import Person, Town, a_bond
from tests.races.rush import all_look_first, rush
from tests.wishes import CARD, COOKER, a_round, by_resident, by_staff, hung, now, say, somebody, told, wishes

BLANKET = replace(COOKER, words="想要一床棉被，冬天冷")


def codes(answers: Sequence[object]) -> Counter[str]:
    return Counter(answer.code if isinstance(answer, Refusal) else "done" for answer in answers)


def a_couple(town: Town) -> tuple[Person, Person]:
    """Two of one household."""
    one, other = somebody(town, "老张"), somebody(town, "老伴")
    with transaction() as session:
        a_bond(session, one, other)
    return one, other


def test_a_household_that_asks_twice_at_once_gets_one_wish(town: Town, app: Flask) -> None:
    one, other = a_couple(town)
    answers = rush(app, [partial(wishes, one, COOKER), partial(wishes, other, BLANKET)])
    assert codes(answers) == {"done": 1, "wish_limit": 1}


def test_many_taps_of_one_wish_are_one_wish(town: Town, app: Flask) -> None:
    who = somebody(town)
    answers = rush(app, [partial(wishes, who)] * 6)
    assert len({answer.id for answer in answers if isinstance(answer, Wish)}) == 1


def test_numbers_follow_each_other_whoever_wishes_at_once(town: Town, app: Flask) -> None:
    people = [somebody(town) for _ in range(6)]
    rush(app, [partial(wishes, who) for who in people])
    with reading() as session:
        assert session.scalars(select(Wish.number).order_by(Wish.number)).all() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # writers take turns on SQLite anyway
def test_without_the_lock_the_number_is_guarded_loudly(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = a_couple(town)
    with (
        monkeypatch.context() as patch,
        all_look_first(monkeypatch, nouns.asking, "_must_be_within_limits", many=2),
    ):
        patch.setattr(Base, "lock", lambda self: self)
        answers = rush(app, [partial(wishes, one, COOKER), partial(wishes, other, BLANKET)])
    assert sorted(type(answer).__name__ for answer in answers) == ["IntegrityError", "Wish"]
    assert any(isinstance(answer, IntegrityError) for answer in answers)


def test_of_two_reviewers_at_once_the_first_counts_and_is_told(town: Town, app: Flask) -> None:
    who = somebody(town)
    made = wishes(who)
    deeds = [
        partial(say, approve_wish, made, CARD, by=by_staff(town.clerk)),
        partial(say, reject_wish, made, "重复", by=by_staff(town.admin)),
    ] * 3
    rush(app, deeds)
    with reading() as session:
        acts = Counter(
            session.scalars(
                select(JournalEntry.act).where(JournalEntry.act.in_(["wish.approved", "wish.rejected"]))
            )
        )
    # a wish that hangs may still be taken off the wall; nothing brings back one that was refused
    assert now(made).state is WishState.REJECTED
    assert acts["wish.rejected"] == 1
    assert acts["wish.approved"] <= 1
    assert len(told(who)) == sum(acts.values())


def test_what_is_taken_back_while_its_round_is_hung_up_hangs_nowhere(town: Town, app: Flask) -> None:
    who = somebody(town)
    made = wishes(who, in_round=a_round(town.wutong))
    say(approve_wish, made, CARD, by=by_staff(town.clerk))

    def hangs() -> bool:
        with transaction() as session:
            return publish(session, session.get_one(Wish, made.id))

    deeds: list[Callable[[], object]] = [hangs, hangs]
    deeds.insert(1, partial(say, withdraw_wish, made, by=by_resident(who)))
    rush(app, deeds)
    assert now(made).state is WishState.WITHDRAWN


def test_everybody_who_needs_the_same_counts_once(town: Town, app: Flask) -> None:
    made = hung(town, somebody(town))
    people = [somebody(town) for _ in range(3)]

    def needs(who: Person) -> int:
        with transaction() as session:
            wish = session.get_one(Wish, made.id)
            return support(session, wish, who.resident(session), by=by_resident(who))

    rush(app, [partial(needs, who) for who in people * 2])
    assert now(made).supporters == 3
