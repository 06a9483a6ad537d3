"""Wishes of the tests: who wishes what, by the verbs, each in a transaction of its own."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import select

from models.base import reading, transaction
from models.notices import Notice
from models.regions import Region
from models.wishes import (
    By,
    Card,
    RoundPlan,
    Wish,
    WishKind,
    WishRound,
    WishSource,
    WishState,
    WishWords,
    approve_wish,
    make_wish,
    plan_round,
)
from tests.people import Person, Town, UnitMember, Worker, a_resident

COOKER = WishWords("想要一个电饭煲，家里的坏了", WishKind.GOODS, value_yuan=200)
TAP = WishWords("厨房水龙头一直滴水，想请人修一修", WishKind.SERVICE)
CARD = Card("想要一个电饭煲", "一位居民家里的电饭煲坏了，想要一个新的")

_phones = itertools.count(19900001000)


def somebody(town: Town, name: str = "许愿人", *, birth_year: int | None = 1950, **more: Any) -> Person:
    """A resident of the community with a phone of their own, so that nobody is taken for their household."""
    with transaction() as session:
        return a_resident(
            session, town.wutong, name=name, phone=f"{next(_phones)}", birth_year=birth_year, **more
        )


def by_resident(who: Person) -> By:
    """Somebody acts for themselves or their family."""
    return By(who.account_id, "resident")


def by_staff(who: Worker, source: WishSource = WishSource.COUNTER) -> By:
    """Somebody acts who works here."""
    return By(who.account_id, who.identity, source)


def wishes(
    who: Person,
    words: WishWords = TAP,
    *,
    by: By | None = None,
    in_round: WishRound | None = None,
    **more: Any,
) -> Wish:
    """Somebody wishes something."""
    with transaction() as session:
        return make_wish(
            session,
            who.resident(session),
            words,
            by=by or by_resident(who),
            in_round=session.get_one(WishRound, in_round.id) if in_round else None,
            **more,
        )


def say(deed: Any, wish: Wish, *said: Any, by: By, **more: Any) -> Any:
    """Somebody does something about a wish."""
    with transaction() as session:
        return deed(session, session.get_one(Wish, wish.id), *said, by=by, **more)


def hung(town: Town, who: Person, words: WishWords = TAP, card: Card = CARD) -> Wish:
    """A wish on the wall."""
    made = wishes(who, words)
    say(approve_wish, made, card, by=by_staff(town.clerk))
    return made


def now(wish: Wish) -> Wish:
    """A wish as it stands."""
    with reading() as session:
        return session.get_one(Wish, wish.id)


def state_of(wish: Wish) -> WishState:
    """Where it stands."""
    return now(wish).state


def told(who: Person | UnitMember | Worker) -> list[tuple[str, str]]:
    """What somebody was told: the kind and the words."""
    with reading() as session:
        rows = session.scalars(select(Notice).where(Notice.account_id == who.account_id).order_by(Notice.id))
        return [(notice.kind.value, notice.body) for notice in rows]


def a_round(
    region: Region, *, title: str = "重阳", shown_on: date = date(2026, 11, 27), **more: Any
) -> WishRound:
    """A round that collects now."""
    plan = replace(RoundPlan(title, "给长者的", date(2026, 11, 16), date(2026, 11, 25), shown_on), **more)
    with transaction() as session:
        return plan_round(
            session, session.get_one(Region, region.id), plan, by_account_id=None, identity="town"
        )
