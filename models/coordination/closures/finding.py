"""Finding (查找): closures by key and in lists, what became of what was in their way, and what everybody may know of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from models import clock
from models.coordination.closures.rows import (
    ClosureEffect,
    ClosureKind,
    MoveAnswer,
    MoveQuestion,
    RoomClosure,
)
from models.coordination.closures.standing import still_so
from models.errors import NotFound
from models.regions import Region, is_within, regions_within
from models.sites import Site

MOST_PUBLIC = 50


class ClosureState(StrEnum):
    """How a closure stands by the clock."""

    STANDING = "standing"  # 将要或正在停用
    OVER = "over"  # 已到期
    LIFTED = "lifted"  # 已恢复开放


@dataclass(frozen=True)
class Answers:
    """How many were asked about something, and what they said."""

    by_answer: Mapping[MoveAnswer | None, int] = field(default_factory=dict)

    @property
    def asked(self) -> int:
        """How many were asked, but for those who need not answer any more."""
        return sum(self.by_answer.values()) - self.by_answer.get(MoveAnswer.MOOT, 0)

    @property
    def accepted(self) -> int:
        """How many said yes."""
        return self.by_answer.get(MoveAnswer.ACCEPTED, 0)

    @property
    def declined(self) -> int:
        """How many said no."""
        return self.by_answer.get(MoveAnswer.DECLINED, 0)

    @property
    def silent(self) -> int:
        """How many said nothing in time."""
        return self.by_answer.get(MoveAnswer.SILENT, 0)

    @property
    def open(self) -> int:
        """How many may still answer."""
        return self.by_answer.get(None, 0)


def state_of(closure: RoomClosure) -> ClosureState:
    """How it stands now."""
    if closure.lifted_at is not None:
        return ClosureState.LIFTED
    return ClosureState.OVER if closure.ends_at <= clock.now() else ClosureState.STANDING


def closure_within(session: Session, key: str, *, within: Sequence[Region]) -> RoomClosure:
    """The closure with this key of a site in these places. Raises NotFound outside of them."""
    found = session.scalar(_whole().where(RoomClosure.key == key))
    if found is None or not is_within(found.site.region, within):
        raise NotFound("没有找到这次停用")
    return found


def closures_within(
    session: Session,
    places: Sequence[Region],
    *,
    site: Site | None = None,
    state: ClosureState | None = None,
    before_id: int | None = None,
    most: int,
) -> Sequence[RoomClosure]:
    """Up to ``most`` closures of sites in these places, the newest first; of one site, or that stand so, if that is said."""
    if not places:
        return []
    query = _whole().where(Site.region_id.in_(regions_within(*places)))
    if site is not None:
        query = query.where(RoomClosure.site_id == site.id)
    if state is not None:
        query = query.where(_stands(state))
    if before_id is not None:
        query = query.where(RoomClosure.id < before_id)
    return session.scalars(query.order_by(RoomClosure.id.desc()).limit(most)).all()


def closures_ahead(session: Session, site: Site) -> Sequence[RoomClosure]:
    """What of a site is closed now or will be, the nearest first: the first fifty, which is more than anybody reads."""
    return session.scalars(
        _whole()
        .where(
            RoomClosure.site_id == site.id,
            RoomClosure.kind != ClosureKind.HOURS,
            _stands(ClosureState.STANDING),
        )
        .order_by(RoomClosure.starts_at, RoomClosure.id)
        .limit(MOST_PUBLIC)
    ).all()


def reasons_of(session: Session, keys: Collection[str]) -> Mapping[str, str]:
    """Why each of these closures was made, by its key: what everybody may read beside a time that cannot be had."""
    if not keys:
        return {}
    rows = session.execute(
        select(RoomClosure.key, RoomClosure.because).where(RoomClosure.key.in_(sorted(keys)))
    )
    return dict(rows.all())


def effects_of(session: Session, closure: RoomClosure) -> Sequence[ClosureEffect]:
    """What became of each thing that was in its way, in order of time."""
    return session.scalars(
        select(ClosureEffect)
        .options(joinedload(ClosureEffect.venue), joinedload(ClosureEffect.to_venue))
        .where(ClosureEffect.closure_id == closure.id)
        .order_by(ClosureEffect.starts_at, ClosureEffect.id)
    ).all()


def answers_about(session: Session, closures: Collection[RoomClosure]) -> Mapping[int, Mapping[int, Answers]]:
    """What was said about each thing that was in the way: by the closure's id, by the effect's id; with one statement.

    What nobody answered and nobody need answer any more counts as moot before its time is over.
    """
    each = (
        select(
            ClosureEffect.closure_id, MoveQuestion.effect_id, MoveQuestion.answer, still_so().label("stands")
        )
        .join(ClosureEffect, ClosureEffect.id == MoveQuestion.effect_id)
        .where(ClosureEffect.closure_id.in_([one.id for one in closures]))
        .subquery()
    )
    rows = session.execute(
        select(each.c.closure_id, each.c.effect_id, each.c.answer, each.c.stands, func.count()).group_by(
            each.c.closure_id, each.c.effect_id, each.c.answer, each.c.stands
        )
    )
    counted: dict[int, dict[int, Counter[MoveAnswer | None]]] = defaultdict(lambda: defaultdict(Counter))
    for closure_id, effect_id, said, stands, number in rows:
        counted[closure_id][effect_id][said if said or stands else MoveAnswer.MOOT] += number
    return {
        closure_id: {effect_id: Answers(by_answer) for effect_id, by_answer in of_it.items()}
        for closure_id, of_it in counted.items()
    }


def together(answers: Collection[Answers]) -> Answers:
    """What all of these come to."""
    total: Counter[MoveAnswer | None] = Counter()
    for one in answers:
        total.update(one.by_answer)
    return Answers(total)


def _stands(state: ClosureState) -> ColumnElement[bool]:
    now, stands = clock.now(), RoomClosure.lifted_at.is_(None)
    if state is ClosureState.LIFTED:
        return RoomClosure.lifted_at.is_not(None)
    return stands & (
        RoomClosure.ends_at > now if state is ClosureState.STANDING else RoomClosure.ends_at <= now
    )


def _whole() -> Select[RoomClosure]:
    return (
        select(RoomClosure)
        .join(Site, Site.id == RoomClosure.site_id)
        .options(joinedload(RoomClosure.site).joinedload(Site.region), selectinload(RoomClosure.venues))
    )
