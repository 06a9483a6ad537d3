"""Figures (统计): how wishes go in a place over some days, counted anew each time from the rows and kept nowhere (domain.md §2.4).

Each figure says of how many it is so; none is a bare percent. Whoever is counted:

- *Published*: wishes that were hung on the wall for the first time on these days, however often they were hung again since. 认领率: every piece of them is in the hands of units the community
  agreed to, or was brought by them. What was released and hangs again is not taken on; what was taken on again is, once. 圆梦率: they are fulfilled,
  every piece of them confirmed by who wished.
- *Due*: claims both sides agreed to (受理) whose promised day, longer waiting included, was one of these days and is over. 办结率: brought, and confirmed
  by who wished; the day that counts is the one on which it was brought, and after a dispute the one on which it was brought at last. Also by when: on the
  day of the agreement, within two and within three days of it (by the day, as units promise; holidays run too), and by the day that was promised
  (按时办结率).
- *Accepted*: claims both sides agreed to on these days, whose time for a first word is over or was used. 响应率: there was a first word within the days
  the community has for it now.
- *Rated*: claims that were rated on these days. 满意率: basically satisfied or better, at the first word: what is put right afterwards stays counted.

A claim that was handed to another unit counts there, and one whose wish was taken back nowhere. What else ended counts as not done.

A group of fewer than five is not told: neither how many, nor of how many. Nor is one that could be worked out from a total that is told: of each list of
groups either none is hidden, or at least two, of five or more together.

That holds within one answer, and not across several: of two periods that overlap, or of one that is asked for on two days, one may be taken from the
other, and the few wishes in which they differ are counted then: how many of them were taken on, fulfilled or rated well, never whose. A community reads
its own wishes anyway, and a unit its own claims; so it is who works for a street or a district that may learn so much of a community. To hold that too,
periods would have to be few and fixed and every answer be kept beside the next, or figures that are checked by hand be blurred.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from models import clock
from models.partners import Partner
from models.policies import policies_at_each
from models.regions import Region, RegionKind, regions_within
from models.wishes.claims.rows import Claim, ClaimState, EndedBecause, Level, Rating
from models.wishes.clocks import end_of
from models.wishes.rows import Wish, WishKind, WishState

FEWEST = 5  # of whom something is told (domain.md §2.4)
_HIDES = 2  # groups of one list, where any is hidden
_LONGEST_EXTENSION = timedelta(days=90)  # the most the policy ``wish_extension_days`` takes
_AT_ONCE = 1000
_ELSEWHERE = (EndedBecause.TRANSFERRED, EndedBecause.WISH_OVER)


class FigureName(StrEnum):
    """Which figure."""

    CLAIMED = "claimed"  # 认领率
    FULFILLED = "fulfilled"  # 圆梦率
    CLOSED = "closed"  # 办结率
    CLOSED_SAME_DAY = "closed_same_day"  # 当日办结率
    CLOSED_IN_TWO_DAYS = "closed_in_two_days"  # 两日办结率
    CLOSED_IN_THREE_DAYS = "closed_in_three_days"  # 三日办结率
    CLOSED_IN_TIME = "closed_in_time"  # 按时办结率
    ANSWERED = "answered"  # 响应率
    SATISFIED = "satisfied"  # 满意率


_OF_CLAIMS = tuple(name for name in FigureName if name not in (FigureName.CLAIMED, FigureName.FULFILLED))
_WITHIN_DAYS = {
    FigureName.CLOSED_SAME_DAY: 0,
    FigureName.CLOSED_IN_TWO_DAYS: 2,
    FigureName.CLOSED_IN_THREE_DAYS: 3,
}


@dataclass(frozen=True)
class Figure:
    """So many of so many; both unknown where the group is too small to be told, or would give away one that is."""

    name: FigureName
    counted: int | None
    of: int | None

    @property
    def is_hidden(self) -> bool:
        """Whether it is not told."""
        return self.of is None

    @property
    def rate(self) -> float | None:
        """The share, 0 to 1; none where nothing is counted or told."""
        return round(self.counted / self.of, 4) if self.of and self.counted is not None else None


@dataclass(frozen=True)
class CommunityFigures:
    """One community of a place."""

    region: Region
    figures: Sequence[Figure]


@dataclass(frozen=True)
class KindFigures:
    """Wishes of one kind."""

    kind: WishKind
    figures: Sequence[Figure]


@dataclass(frozen=True)
class WishFigures:
    """A place, or what a unit did, from a day to a day, as it stood at a moment. ``communities`` where there is more than one."""

    region: Region | None
    first: date
    last: date
    counted_at: datetime
    figures: Sequence[Figure]
    communities: Sequence[CommunityFigures]
    kinds: Sequence[KindFigures]


_Tally: TypeAlias = dict[FigureName, list[int]]
_Rows: TypeAlias = "Select[*tuple[Any, ...]]"


def figures_of_place(session: Session, place: Region, *, first: date, last: date) -> WishFigures:
    """The figures of a place and everything under it: in all, by community and by kind, with as few statements whatever there was before."""
    tallies = _Tallies(session, first, last, Wish.region_id.in_(regions_within(place)))
    tallies.count_published()
    tallies.count_claims()
    communities = (
        session.scalars(
            select(Region)
            .where(Region.id.in_(regions_within(place)), Region.kind == RegionKind.COMMUNITY)
            .order_by(Region.path)
        ).all()
        if place.kind is not RegionKind.COMMUNITY
        else ()
    )
    of_each = _told([tallies.of_region[one.id] for one in communities], FigureName)
    return WishFigures(
        place,
        first,
        last,
        clock.now(),
        _told_alone(tallies.of_all, FigureName),
        [CommunityFigures(one, told) for one, told in zip(communities, of_each, strict=True)],
        tallies.by_kind(FigureName),
    )


def figures_of_unit(session: Session, partner: Partner, *, first: date, last: date) -> WishFigures:
    """The same of the claims of one unit alone, wherever; by kind."""
    tallies = _Tallies(session, first, last, Claim.partner_id == partner.id)
    tallies.count_claims()
    return WishFigures(
        None,
        first,
        last,
        clock.now(),
        _told_alone(tallies.of_all, _OF_CLAIMS),
        (),
        tallies.by_kind(_OF_CLAIMS),
    )


class _Tallies:
    """One count: in all, by community and by kind."""

    def __init__(self, session: Session, first: date, last: date, which: ColumnElement[bool]) -> None:
        self._session, self._which, self._now = session, which, clock.now()
        self._first, self._last = first, last
        self._begins, self._ends = end_of(first - timedelta(days=1)), end_of(last)
        self.of_all = _empty()
        self.of_region: dict[int, _Tally] = defaultdict(_empty)
        self._of_kind: dict[WishKind, _Tally] = defaultdict(_empty)

    def count_published(self) -> None:
        """Wishes that were hung on these days: taken on, fulfilled."""
        held = (
            select(Claim.wish_id, func.sum(Claim.pieces).label("pieces"))
            .join(Wish, Wish.id == Claim.wish_id)
            .where(
                self._which,
                self._during(Wish.first_published_at),
                Claim.agreed_at.is_not(None),
                Claim.ended_because.is_(None),
            )
            .group_by(Claim.wish_id)
            .subquery()
        )
        rows = self._read(
            select(Wish.region_id, Wish.kind, Wish.quantity, Wish.state, func.coalesce(held.c.pieces, 0))
            .outerjoin(held, held.c.wish_id == Wish.id)
            .where(self._which, self._during(Wish.first_published_at))
        )
        for region_id, kind, quantity, state, pieces in rows:
            where = region_id, kind
            self._count(where, FigureName.CLAIMED, is_so=pieces >= quantity)
            self._count(where, FigureName.FULFILLED, is_so=state is WishState.FULFILLED)

    def count_claims(self) -> None:
        """Claims that were due, accepted, or rated on these days."""
        counts = Claim.ended_because.is_(None) | Claim.ended_because.not_in(_ELSEWHERE)
        finishes_on = func.coalesce(Claim.extended_to, Claim.promised_on)
        due = self._read(
            select(Wish.region_id, Wish.kind, Claim.state, Claim.agreed_at, Claim.delivered_at, finishes_on)
            .join(Claim, Claim.wish_id == Wish.id)
            .where(
                self._which,
                counts,
                Claim.agreed_at.is_not(None),
                Claim.promised_on.between(self._first - _LONGEST_EXTENSION, self._last),
                finishes_on.between(self._first, min(self._last, clock.today() - timedelta(days=1))),
            )
        )
        for region_id, kind, state, agreed_at, delivered_at, until in due:
            self._count_due((region_id, kind), state, agreed_at, delivered_at, until)
        accepted = list(
            self._read(
                select(Wish.region_id, Wish.kind, Claim.agreed_at, Claim.contacted_at, Claim.ended_at)
                .join(Claim, Claim.wish_id == Wish.id)
                .where(self._which, counts, self._during(Claim.agreed_at))
            )
        )
        numbers = policies_at_each(self._session, {region_id for region_id, *_ in accepted})
        for region_id, kind, agreed_at, contacted_at, ended_at in accepted:
            limit = agreed_at + timedelta(days=numbers[region_id].wish_contact_days)
            if contacted_at is not None or ended_at is not None or limit <= self._now:
                in_time = contacted_at is not None and contacted_at <= limit
                self._count((region_id, kind), FigureName.ANSWERED, is_so=in_time)
        rated = self._read(
            select(Wish.region_id, Wish.kind, Rating.level)
            .join(Claim, Claim.wish_id == Wish.id)
            .join(Rating, Rating.claim_id == Claim.id)
            .where(self._which, self._during(Rating.rated_at))
        )
        for region_id, kind, level in rated:
            self._count((region_id, kind), FigureName.SATISFIED, is_so=level >= Level.FAIR)

    def by_kind(self, names: Iterable[FigureName]) -> Sequence[KindFigures]:
        """Of each kind there is."""
        told = _told([self._of_kind[kind] for kind in WishKind], names)
        return [KindFigures(kind, figures) for kind, figures in zip(WishKind, told, strict=True)]

    def _count_due(
        self,
        where: tuple[int, WishKind],
        state: ClaimState,
        agreed_at: datetime,
        delivered_at: datetime | None,
        until: date,
    ) -> None:
        is_closed = state is ClaimState.FULFILLED and delivered_at is not None
        brought = clock.in_town(delivered_at).date() if delivered_at is not None else None
        took = (brought - clock.in_town(agreed_at).date()).days if brought is not None else 0
        self._count(where, FigureName.CLOSED, is_so=is_closed)
        for name, days in _WITHIN_DAYS.items():
            self._count(where, name, is_so=is_closed and took <= days)
        self._count(
            where, FigureName.CLOSED_IN_TIME, is_so=is_closed and brought is not None and brought <= until
        )

    def _count(self, where: tuple[int, WishKind], name: FigureName, *, is_so: bool) -> None:
        region_id, kind = where
        for tally in (self.of_all, self.of_region[region_id], self._of_kind[kind]):
            tally[name][0] += is_so
            tally[name][1] += 1

    def _during(self, column: Any) -> ColumnElement[bool]:
        chosen: ColumnElement[bool] = (column >= self._begins) & (column < self._ends)
        return chosen

    def _read(self, query: _Rows) -> Iterable[Any]:
        return self._session.execute(query.execution_options(yield_per=_AT_ONCE))


def _empty() -> _Tally:
    return {name: [0, 0] for name in FigureName}


def _told_alone(tally: _Tally, names: Iterable[FigureName]) -> Sequence[Figure]:
    """A total: told from five on, or where there is nothing."""
    return [
        Figure(name, *(tally[name] if tally[name][1] == 0 or tally[name][1] >= FEWEST else (None, None)))
        for name in names
    ]


def _told(groups: Sequence[_Tally], names: Iterable[FigureName]) -> Sequence[Sequence[Figure]]:
    """Groups beside the total of them all, none of which gives away one that is hidden."""
    told: list[list[Figure]] = [[] for _ in groups]
    for name in names:
        hidden = hidden_among({number: group[name][1] for number, group in enumerate(groups)})
        for number, group in enumerate(groups):
            told[number].append(Figure(name, *((None, None) if number in hidden else group[name])))
    return told


def hidden_among(sizes: Mapping[Any, int]) -> set[Hashable]:
    """Which groups of a total are not told: those of fewer than five, and the smallest others until what is hidden is two groups of five or more together.

    A group of nobody hides nothing and gives nothing away.
    """
    rising = sorted((group for group, size in sizes.items() if size), key=lambda group: sizes[group])
    hidden = [group for group in rising if sizes[group] < FEWEST]
    for group in rising[len(hidden) :]:
        if not hidden or (len(hidden) >= _HIDES and sum(sizes[one] for one in hidden) >= FEWEST):
            break
        hidden.append(group)
    return set(hidden)
