"""Rounds (轮次 · 主题): 开学季, 重阳, 春节: wishes of one theme are collected for a while, and hang on the wall together on a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.errors import Conflict, Fault, NotFound
from models.journal import enter
from models.regions import Region, is_within, paths_down_to, regions_within
from models.wishes.rows import WishRound


@dataclass(frozen=True)
class RoundPlan:
    """What a round is to be."""

    title: str
    about: str
    collects_from: date
    collects_until: date
    shown_on: date


def plan_round(
    session: Session, region: Region, plan: RoundPlan, *, by_account_id: int | None, identity: str
) -> WishRound:
    """Plan a round for a place and everything under it. Raises Conflict ``round_unfit`` naming what cannot be, ``round_exists``."""
    _must_be_possible(plan)
    _must_be_the_only_one(session, region.lock(), plan.title)
    planned = WishRound(region=region, **vars(plan))
    session.add(planned)
    session.flush()
    enter(session, "wish_round.planned", planned, by_account_id=by_account_id, identity=identity)
    session.flush()
    return planned


def change_round(
    session: Session, planned: WishRound, plan: RoundPlan, *, by_account_id: int | None, identity: str
) -> None:
    """Plan a round anew; what hangs already stays there. The same twice changes nothing. Raises as ``plan_round``."""
    planned.region.lock()
    planned.lock()
    changed = [name for name, value in vars(plan).items() if getattr(planned, name) != value]
    if not changed:
        return
    _must_be_possible(plan)
    if plan.title != planned.title:
        _must_be_the_only_one(session, planned.region, plan.title)
    for name in changed:
        setattr(planned, name, getattr(plan, name))
    enter(
        session,
        "wish_round.changed",
        planned,
        by_account_id=by_account_id,
        identity=identity,
        details={"changed": changed},
    )
    session.flush()


def rounds_at(session: Session, region: Region) -> Sequence[WishRound]:
    """The rounds that collect today for somebody of a place: its own and those above it, the one that ends first before the others."""
    today = clock.today()
    return session.scalars(
        select(WishRound)
        .join(WishRound.region)
        .options(joinedload(WishRound.region))
        .where(
            Region.path.in_(paths_down_to(region.path)),
            WishRound.collects_from <= today,
            WishRound.collects_until >= today,
        )
        .order_by(WishRound.collects_until, WishRound.id)
    ).all()


def round_by_key(session: Session, key: str) -> WishRound:
    """The round with this key. Raises NotFound."""
    found = session.scalar(
        select(WishRound).options(joinedload(WishRound.region)).where(WishRound.key == key)
    )
    if found is None:
        raise NotFound("没有找到这个主题")
    return found


def round_within(session: Session, key: str, *, within: Sequence[Region]) -> WishRound:
    """The round with this key of one of these places. Raises NotFound outside of them."""
    found = round_by_key(session, key)
    if not is_within(found.region, within):
        raise NotFound("没有找到这个主题")
    return found


def rounds_within(
    session: Session, places: Sequence[Region], *, after_id: int | None, most: int
) -> Sequence[WishRound]:
    """Up to ``most`` rounds of these places, in the order they were planned."""
    if not places:
        return []
    query = (
        select(WishRound)
        .options(joinedload(WishRound.region))
        .where(WishRound.region_id.in_(regions_within(*places)))
        .order_by(WishRound.id)
        .limit(most)
    )
    return session.scalars(query if after_id is None else query.where(WishRound.id > after_id)).all()


def _must_be_possible(plan: RoundPlan) -> None:
    faults = []
    if plan.collects_until < plan.collects_from:
        faults.append(Fault("collects_until", "征集的最后一天不能早于第一天"))
    if plan.shown_on < plan.collects_from:
        faults.append(Fault("shown_on", "公布的日子不能早于征集开始"))
    if faults:
        raise Conflict("round_unfit", faults[0].message, faults=faults)


def _must_be_the_only_one(session: Session, region: Region, title: str) -> None:
    """``region`` is held by the caller: whoever plans another of this title at this moment is waited for."""
    if session.scalar(select(WishRound.id).where(WishRound.region_id == region.id, WishRound.title == title)):
        message = f"已有叫“{title}”的主题，请换一个名称"
        raise Conflict("round_exists", message, faults=[Fault("title", message)])
