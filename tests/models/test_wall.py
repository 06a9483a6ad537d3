"""The wall in its orders: page after page no wish twice and none left out, whoever looks (domain.md §2.3)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from models import clock
from models.base import new_key, reading, transaction
from models.regions import Region, RegionKind, is_within, plant
from models.wishes import Mark, WallOrder, Wish, WishKind, WishSource, WishState, mark_of, wall
from tests.people import Town

AN_HOUR = timedelta(hours=1)
_BY: dict[WallOrder, Callable[[Wish], Any]] = {
    WallOrder.PRIORITY: lambda wish: (-wish.priority, -moment(wish.published_at), -wish.id),
    WallOrder.NEWEST: lambda wish: (-moment(wish.published_at), -wish.id),
    WallOrder.ENDING: lambda wish: (moment(wish.due_at), wish.id),
}


def moment(of: Any) -> float:
    """A moment of a wish on the wall."""
    return float(of.timestamp())


@pytest.fixture
def places(town: Town) -> Sequence[str]:
    """Keys of the places one may look at: three communities, a street, the district; forty wishes hang there, many of them at one moment."""
    chance = random.Random(7)
    with transaction() as session:
        street = session.get_one(Region, town.east_street.id)
        third = plant(session, kind=RegionKind.COMMUNITY, code="wall-3", name="三社区", parent=street)
        here = [town.wutong.id, third.id, town.outsider.resident(session).home_region_id]
        now = clock.now()
        session.execute(
            insert(Wish),
            [
                {
                    "key": new_key(),
                    "region_id": here[number % 3],
                    "number": 1000 + number,
                    "source": WishSource.ONLINE,
                    "state": chance.choice([WishState.PUBLISHED] * 5 + [WishState.CLAIMED]),
                    "kind": chance.choice([WishKind.GOODS, WishKind.SERVICE]),
                    "submitted_at": now,
                    "published_at": now - AN_HOUR * chance.randrange(4),
                    "due_at": now + AN_HOUR * chance.randrange(1, 5),
                    "priority": chance.randrange(3),
                }
                for number in range(40)
            ],
        )
        keys = select(Region.key).where(Region.id.in_([*here, street.id, town.district.id]))
        return session.scalars(keys.order_by(Region.id)).all()


def paged(size: int, order: WallOrder, **wanted: Any) -> list[int]:
    """Every wish of the wall, page after page."""
    found: list[int] = []
    after: Mark | None = None
    while True:
        with reading() as session:
            named = wanted.get("region")
            region = session.scalars(select(Region).where(Region.key == named)).one() if named else None
            among = wanted.get("among")
            chosen = (
                session.scalars(select(Region).where(Region.key.in_(among))).all()
                if among is not None
                else None
            )
            rows = wall(
                session, region, among=chosen, kind=wanted.get("kind"), order=order, after=after, most=size
            )
            if not rows:
                return found
            found += [wish.id for wish in rows]
            after = mark_of(rows[-1], order)


@pytest.mark.parametrize("order", WallOrder)
@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_page_after_page_no_wish_twice_and_none_left_out(
    places: Sequence[str], order: WallOrder, size: int
) -> None:
    with reading() as session:
        by_key = {region.key: region for region in session.scalars(select(Region))}
        hanging = session.scalars(select(Wish).where(Wish.state == WishState.PUBLISHED)).all()
        looks: list[dict[str, Any]] = [
            {},
            {"kind": WishKind.GOODS},
            *({"region": key} for key in places),
            *({"among": [key]} for key in places),
            {"among": places[:2], "kind": WishKind.SERVICE},
            {"among": places},
            {"among": places, "region": places[0]},
            {"among": []},
        ]
        wanted = []
        for look in looks:
            within = [[by_key[look["region"]]]] if "region" in look else []
            within += [[by_key[key] for key in look["among"]]] if "among" in look else []
            chosen = [
                wish
                for wish in hanging
                if all(is_within(by_key[wish.region.key], some) for some in within)
                and look.get("kind") in (None, wish.kind)
            ]
            wanted.append([wish.id for wish in sorted(chosen, key=_BY[order])])
    assert len(wanted[0]) > 20
    assert [paged(size, order, **look) for look in looks] == wanted
