"""The wall (心愿墙): what everybody may read, what more those may who reviewed it, and who else wishes the same.

Sorted as those who give look through it: what nobody took in time comes first, then the newest; or the newest first, or what hangs there for the
shortest time to come. A page costs the same however many hang there, and however far down it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, true, tuple_
from sqlalchemy.orm import Session, aliased, contains_eager, joinedload, selectinload

from models import clock
from models.errors import Conflict, NotFound
from models.journal import enter
from models.regions import Region, RegionKind, is_within, lies_within, regions_within
from models.residents import Resident
from models.wishes.households import household_of
from models.wishes.parties import By
from models.wishes.rows import AgeBand, Wish, WishKind, WishState, WishSupport

ALIKE = 0.5  # how much of two texts must be the same for one to be shown beside the other
_LOOKED_THROUGH = 200
_SHOWN = (WishState.PUBLISHED, WishState.CLAIMED, WishState.ESCALATED, WishState.FULFILLED)
_MOST_ALIKE = 3


class WallOrder(StrEnum):
    """In which order one looks through the wall."""

    PRIORITY = "priority"  # 没人认领的优先
    NEWEST = "newest"  # 最新公布
    ENDING = "ending"  # 快到期的优先


@dataclass(frozen=True)
class Mark:
    """Where on the wall a page ended, in whichever order."""

    priority: int
    moment: datetime
    id: int


def mark_of(wish: Wish, order: WallOrder) -> Mark:
    """Where a page ends whose last wish this is."""
    moment = wish.due_at if order is WallOrder.ENDING else wish.published_at
    return Mark(wish.priority, moment or wish.submitted_at, wish.id)


_SORTED_BY: Mapping[WallOrder, Sequence[str]] = {
    WallOrder.PRIORITY: ("priority", "published_at", "id"),
    WallOrder.NEWEST: ("published_at", "id"),
    WallOrder.ENDING: ("due_at", "id"),
}


def wall(
    session: Session,
    region: Region | None,
    *,
    among: Sequence[Region] | None = None,
    kind: WishKind | None = None,
    age_band: AgeBand | None = None,
    in_round: int | None = None,
    order: WallOrder = WallOrder.PRIORITY,
    after: Mark | None = None,
    most: int,
) -> Sequence[Wish]:
    """Up to ``most`` wishes that hang on the wall of a place and what lies under it, or of everywhere; ``among`` these places alone, if any are named.

    ``after`` goes on where a page of the same order ended: none twice, and none left out that hangs there all the while.
    """
    which: list[ColumnElement[bool]] = [Wish.state == WishState.PUBLISHED]
    for column, value in ((Wish.kind, kind), (Wish.age_band, age_band), (Wish.round_id, in_round)):
        if value is not None:
            which.append(column == value)
    if after is not None:
        which.append(_beneath(after, order))
    if (
        region is not None
        and region.kind is RegionKind.COMMUNITY
        and (among is None or is_within(region, among))
    ):
        which.append(Wish.region_id == region.id)
    elif region is not None or among is not None:
        wanted = [places for places in ([region] if region else None, among) if places is not None]
        if not all(wanted):
            return []
        which = [Wish.id.in_(_nearest_of_each(session, wanted, which, order, most))]
    return session.scalars(
        select(Wish)
        .join(Wish.region)
        .options(contains_eager(Wish.region), joinedload(Wish.round), selectinload(Wish.photos))
        .where(*which)
        .order_by(*_sorted(Wish, order))
        .limit(most)
    ).all()


def _nearest_of_each(
    session: Session,
    wanted: Sequence[Sequence[Region]],
    which: Sequence[ColumnElement[bool]],
    order: WallOrder,
    most: int,
) -> Select[int]:
    """The ids of a page of several communities: the first of each by its index, and of those the first. Left to themselves both databases sort all
    that hangs in them, or read the wall of everywhere until a page is full (``docs/hot-path.md``)."""
    of_one = (
        select(Wish).where(Wish.region_id == Region.id, *which).order_by(*_sorted(Wish, order)).limit(most)
    )
    if session.get_bind().dialect.name == "sqlite":  # which knows no LATERAL
        each = aliased(Wish)
        found = (
            select(each.id)
            .select_from(Region)
            .join(each, each.id.in_(of_one.with_only_columns(Wish.id).correlate(Region)))
        )
    else:
        each = aliased(Wish, of_one.correlate(Region).lateral("each"))
        found = select(each.id).select_from(Region).join(each, true())
    return (
        found.where(Region.kind == RegionKind.COMMUNITY, *(lies_within(places) for places in wanted))
        .order_by(*_sorted(each, order))
        .limit(most)
    )


def hanging_wish(session: Session, key: str) -> Wish:
    """The wish with this key, as everybody may read it. Raises NotFound for one that does not hang on the wall."""
    wish = session.scalar(_whole().where(Wish.key == key, Wish.state == WishState.PUBLISHED))
    if wish is None:
        raise NotFound("没有找到这个心愿，可能已经有人认领或撤回了")
    return wish


def wish_by_key(session: Session, key: str, *, among: Sequence[Region]) -> Wish:
    """The wish with this key of one of these places that hangs on the wall, or did until somebody took it on or the street did. Raises NotFound for any other."""
    wish = session.scalar(_whole().where(Wish.key == key, Wish.state.in_(_SHOWN)))
    if wish is None or not is_within(wish.region, among):
        raise NotFound("没有找到这个心愿")
    return wish


def wishes_of(
    session: Session, people: Collection[int], *, before_id: int | None, most: int
) -> Sequence[Wish]:
    """Up to ``most`` wishes of these people, in whatever state, the newest first."""
    query = _whole().where(Wish.resident_id.in_(people)).order_by(Wish.id.desc()).limit(most)
    return session.scalars(query if before_id is None else query.where(Wish.id < before_id)).all()


def wish_of(session: Session, key: str, people: Collection[int]) -> Wish:
    """The wish with this key of one of these people. Raises NotFound for any other."""
    wish = session.scalar(_whole().where(Wish.key == key, Wish.resident_id.in_(people)))
    if wish is None:
        raise NotFound("没有找到这个心愿")
    return wish


def wishes_within(
    session: Session,
    places: Sequence[Region],
    *,
    state: WishState,
    overdue_at: datetime | None = None,
    after_id: int | None,
    most: int,
) -> Sequence[Wish]:
    """Up to ``most`` wishes of these places in a state, as those see them who work there, oldest first.

    ``overdue_at``: only those whose time for what comes next is over at a moment.
    """
    if not places:
        return []
    query = (
        _whole()
        .where(Wish.state == state, Wish.region_id.in_(regions_within(*places)))
        .order_by(Wish.id)
        .limit(most)
    )
    if overdue_at is not None:
        query = query.where(Wish.due_at <= overdue_at)
    return session.scalars(query if after_id is None else query.where(Wish.id > after_id)).all()


def wish_within(session: Session, key: str, *, within: Sequence[Region]) -> Wish:
    """The wish with this key of one of these places. Raises NotFound outside of them."""
    wish = session.scalar(_whole().where(Wish.key == key))
    if wish is None or not is_within(wish.region, within):
        raise NotFound("没有找到这个心愿")
    return wish


def alike(session: Session, region: Region, words: str, *, besides: Wish | None = None) -> list[Wish]:
    """Up to three wishes on the wall of a place that say nearly the same, the nearest first: one may say 我也需要 instead."""
    hanging = wall(session, region, most=_LOOKED_THROUGH)
    likeness = {
        wish.id: max(
            SequenceMatcher(None, words, text, autojunk=False).ratio()
            for text in (wish.title, wish.public_words)
        )
        for wish in hanging
        if besides is None or wish.id != besides.id
    }
    near = [wish for wish in hanging if likeness.get(wish.id, 0) >= ALIKE]
    return sorted(near, key=lambda wish: (-likeness[wish.id], wish.id))[:_MOST_ALIKE]


def support(session: Session, wish: Wish, resident: Resident, *, by: By) -> int:
    """Somebody of the community wishes the same (我也需要); how many do. Twice is fine.

    Raises NotFound for one that hangs there no longer, and Conflict ``own_wish`` for one of the own household.
    """
    resident.lock()  # who leaves at this moment comes first, and needs nothing
    wish.lock()
    if wish.state is not WishState.PUBLISHED:
        raise NotFound("没有找到这个心愿，可能已经有人认领或撤回了")
    if wish.resident_id in household_of(session, resident):
        raise Conflict("own_wish", "这是您自己或家人的心愿")
    if _support_of(session, wish, resident) is None:
        session.add(WishSupport(wish_id=wish.id, resident_id=resident.id, at=clock.now()))
        wish.supporters += 1
        enter(
            session,
            "wish.supported",
            wish,
            by_account_id=by.account_id,
            identity=by.identity,
            for_resident_id=None if resident.account_id == by.account_id else resident.id,
        )
        session.flush()
    return wish.supporters


def support_no_more(session: Session, wish: Wish, resident: Resident, *, by: By) -> int:
    """Take 我也需要 back; how many are left. Twice is fine."""
    wish.lock()
    given = _support_of(session, wish, resident)
    if given is not None:
        session.delete(given)
        wish.supporters -= 1
        enter(session, "wish.supported_no_more", wish, by_account_id=by.account_id, identity=by.identity)
        session.flush()
    return wish.supporters


def supported_by(session: Session, resident: Resident, wishes: Collection[Wish]) -> set[int]:
    """Which of these wishes somebody said 我也需要 to, by id."""
    return set(
        session.scalars(
            select(WishSupport.wish_id).where(
                WishSupport.resident_id == resident.id, WishSupport.wish_id.in_({wish.id for wish in wishes})
            )
        )
    )


def count_in_review(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many wishes waited for a review at a moment, by the path of the community."""
    return _by_place(session, Wish.submitted_at <= as_of)


def count_overdue(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many of them waited longer than they should, by the path of the community."""
    return _by_place(session, Wish.due_at <= as_of)


def _by_place(session: Session, *which: ColumnElement[bool]) -> Mapping[str, int]:
    rows = session.execute(
        select(Region.path, func.count())
        .select_from(Wish)
        .join(Region, Region.id == Wish.region_id)
        .where(Wish.state == WishState.SUBMITTED, *which)
        .group_by(Region.path)
    )
    return dict(rows.all())


def _support_of(session: Session, wish: Wish, resident: Resident) -> WishSupport | None:
    return session.scalar(
        select(WishSupport).where(WishSupport.wish_id == wish.id, WishSupport.resident_id == resident.id)
    )


def _sorted(of: type[Wish], order: WallOrder) -> list[ColumnElement[Any]]:
    columns = [getattr(of, name) for name in _SORTED_BY[order]]
    return [column.asc() if order is WallOrder.ENDING else column.desc() for column in columns]


def _beneath(mark: Mark, order: WallOrder) -> ColumnElement[bool]:
    """What comes after a mark. One comparison of rows: both databases begin to read an index there, which they do not of one column after another."""
    columns = [getattr(Wish, name) for name in _SORTED_BY[order]]
    said = (mark.priority, mark.moment, mark.id)[-len(columns) :]
    here = tuple_(*columns)
    there = tuple_(*(literal(value, column.type) for value, column in zip(said, columns, strict=True)))
    return here > there if order is WallOrder.ENDING else here < there


def _whole() -> Select[Wish]:
    return select(Wish).options(
        joinedload(Wish.region),
        joinedload(Wish.resident),
        joinedload(Wish.round),
        selectinload(Wish.photos),
    )
