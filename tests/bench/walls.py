"""The cells of the wall (P19): a page of it in each order, first and far down, where few wishes hang and where very many do.

Sixty of a hundred hang in one community, the others in a hundred more; two quiet communities have the same few wishes in both towns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy.orm import Session

from models import clock
from models.base import db, new_key, reading, transaction
from models.bulk import insert_rows
from models.partners import Partner, PartnerKind, PartnerState, paired_places
from models.partners.pairings import Pairing, PairingState
from models.regions import Region, RegionKind, plant
from models.wishes import (
    AgeBand,
    HandOver,
    Mark,
    WallOrder,
    Wish,
    WishKind,
    WishSource,
    WishState,
    mark_of,
    wall,
)
from tests.bench.lists import AT_ONCE, PAGE
from tests.bench.town import BenchTown, take_statistics

COMMUNITIES = 100
QUIET = 2
OF_ONE_QUIET = (PAGE + 1) // QUIET
A_DAY = timedelta(days=1)


def hang_wishes(town: BenchTown, how_many: int, *, quantity: int = 1) -> dict[str, int]:
    """So many wishes on the wall; the ids of who looks at it: the community and its district, a unit, and a unit of quiet communities."""
    with town.app.app_context():
        with transaction() as session:
            own = session.get_one(Region, town.community_id)
            named = [
                plant(
                    session, kind=RegionKind.COMMUNITY, code=f"wall-{n}", name=f"社区{n}", parent=own.parent
                )
                for n in range(COMMUNITIES + QUIET)
            ]
            quiet, others = [place.id for place in named[:QUIET]], [place.id for place in named[QUIET:]]
            ids = {
                "community": own.id,
                "district": own.parent_id or 0,
                "unit": a_unit_of(town, session, [own.id, *others[:2]]),
                "quiet unit": a_unit_of(town, session, quiet),
            }
        with db.engine.execution_options(writes=True).begin() as connection:
            for first in range(0, how_many, AT_ONCE):
                rows = [
                    _hanging(
                        n,
                        quiet[n % QUIET] if n < OF_ONE_QUIET * QUIET else own_or(n, ids["community"], others),
                        quantity,
                    )
                    for n in range(first, min(first + AT_ONCE, how_many))
                ]
                insert_rows(connection, Wish, rows, "id")
    take_statistics(town.engine)
    return ids


def looks_at_the_wall(town: BenchTown, ids: Mapping[str, int]) -> Mapping[str, Callable[[], object]]:
    """Everybody's wall, and units', in each order, the first page and one half-way down."""
    found: dict[str, Callable[[], object]] = {}
    with town.app.app_context():
        for name, look in _walls(ids).items():
            for order in WallOrder:
                found[f"{name}, {order}"] = partial(look, order, None)
                deep = _half_way_down(look, order)
                found[f"{name}, {order}, far down"] = partial(look, order, deep)
    return found


def _walls(ids: Mapping[str, int]) -> Mapping[str, Callable[[WallOrder, Mark | None], Sequence[Wish]]]:
    def of_place(place: str | None, order: WallOrder, after: Mark | None, most: int = PAGE) -> Sequence[Wish]:
        with reading() as session:
            region = session.get_one(Region, ids[place]) if place else None
            return wall(session, region, order=order, after=after, most=most)

    def of_unit(unit: str, order: WallOrder, after: Mark | None, most: int = PAGE) -> Sequence[Wish]:
        with reading() as session:
            places = paired_places(session, session.get_one(Partner, ids[unit]))
            return wall(session, None, among=places, order=order, after=after, most=most)

    return {
        "everybody's": partial(of_place, None),
        "a community's": partial(of_place, "community"),
        "a district's": partial(of_place, "district"),
        "a unit's": partial(of_unit, "unit"),
        "a quiet unit's": partial(of_unit, "quiet unit"),
    }


def _half_way_down(look: Callable[..., Sequence[Wish]], order: WallOrder) -> Mark:
    """Where the page begins that has as much before it as behind it; for a quiet wall its end."""
    all_of_it = look(order, None, most=1_000_000)
    return mark_of(all_of_it[max(0, min(len(all_of_it) // 2, len(all_of_it) - PAGE - 1))], order)


def own_or(number: int, own: int, others: Sequence[int]) -> int:
    """Sixty of a hundred are the community's own."""
    return own if number % 100 < 60 else others[number % len(others)]


def a_unit_of(town: BenchTown, session: Session, places: Sequence[int]) -> int:
    """A unit that is paired with these communities; its id."""
    unit = Partner(
        name=f"单位{new_key()}",
        kind=PartnerKind.UNIT,
        state=PartnerState.ACTIVE,
        region_id=town.community_id,
        renewed_until=clock.today() + 365 * A_DAY,
    )
    session.add(unit)
    session.flush()
    session.add_all(
        Pairing(partner_id=unit.id, region_id=place, state=PairingState.ACTIVE, since=clock.now())
        for place in places
    )
    return unit.id


def _hanging(number: int, region_id: int, quantity: int) -> dict[str, object]:
    published_at = clock.now() - timedelta(minutes=number % 5000)  # some at one moment, as rounds are
    return {
        "key": new_key(),
        "region_id": region_id,
        "number": number + 1,
        "source": WishSource.ONLINE,
        "state": WishState.PUBLISHED,
        "kind": list(WishKind)[number % 3],
        "words_are_sure": True,
        "quantity": quantity,
        "piece": "件",
        "nickname": "",
        "hand_over": HandOver.CENTRE,
        "may_share": False,
        "submitted_at": published_at - A_DAY,
        "due_at": published_at + A_DAY * (15 + number % 7),
        "because": "",
        "title": f"第{number}个心愿",
        "public_words": "一位居民想要一个新的电饭煲",
        "age_band": AgeBand.ELDER,
        "published_at": published_at,
        "turn": 1,
        "priority": number % 3,
        "supporters": 0,
        "parts_taken": quantity - 1,
    }
