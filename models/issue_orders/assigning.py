"""Assigning (交办): the street gives an item to a unit or a department, with a named day, and takes it back (街道吹哨 · 部门报到).

A department serves the street it lies in or over, and needs no pairing; any other unit is paired with the community. What is assigned is a claim
under way: the same clocks run, and the same consent opens whom to call.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.errors import Conflict, Fault, Forbidden, NotFound
from models.issue_orders.deciding import must_wait
from models.partners import (
    Pairing,
    PairingState,
    Partner,
    PartnerKind,
    PartnerState,
    is_paired,
    must_be_able_to_claim,
    must_not_act_for,
)
from models.policies import policies_at
from models.regions import Region, lies_within, paths_down_to
from models.wishes import By
from models.wishes.claims import Claim, EndedBecause
from models.wishes.claims.claiming import assign, hold_claim, live_claim, must_stand
from models.wishes.claims.ending import take_from
from models.wishes.claims.rows import LIVE
from models.wishes.claims.units import must_be_impartial
from models.wishes.parties import must_not_be_of_the_household
from models.wishes.street import OPEN_ORDERS, IssueOrder, OrderState


def units_to_assign(
    session: Session, street: Region, *, after_id: int | None, most: int
) -> Sequence[Partner]:
    """Up to ``most`` active units and departments items of a street may be assigned to, in the order they were added."""
    paired = (
        select(Pairing.partner_id)
        .join(Region, Region.id == Pairing.region_id)
        .where(Pairing.state == PairingState.ACTIVE, _over_or_under(street))
    )
    here = select(Region.id).where(_over_or_under(street))
    serves_here = (Partner.kind == PartnerKind.DEPARTMENT) & Partner.region_id.in_(here)
    query = (
        _whole()
        .where(Partner.stands(PartnerState.ACTIVE), or_(serves_here, Partner.id.in_(paired)))
        .order_by(Partner.id)
        .limit(most)
    )
    return session.scalars(query if after_id is None else query.where(Partner.id > after_id)).all()


def unit_to_assign(session: Session, key: str, order: IssueOrder) -> Partner:
    """The unit with this key, if an item may be assigned to it. Raises NotFound for any other."""
    partner = session.scalar(_whole().where(Partner.key == key))
    if partner is None or not _may_be_given(session, partner, order):
        raise NotFound("没有找到这个单位，请从本街道的部门和结对单位里选择")
    return partner


def assign_order(session: Session, order: IssueOrder, partner: Partner, until: date, *, by: By) -> Claim:
    """Assign an item to a unit or a department with the day by which it is to be done: every free piece is under way. The same twice is fine.

    The unit hears the day, and who wished who will come. Raises Forbidden ``own_content`` for one's own household or unit, as
    ``must_be_able_to_claim``, ``not_paired`` where it has nothing to do with the place any more; Conflict ``order_decided`` for an item that does not
    wait, ``claim_exists`` for a unit that takes part already, and ``assignment_unfit`` naming the last day there may be.
    """
    wish = order.wish
    must_not_be_of_the_household(session, wish, by)
    must_not_act_for(session, partner, by.account_id)
    partner.lock()  # who is suspended at this moment comes first
    must_be_able_to_claim(partner)
    if not _may_be_given(session, partner, order):
        raise Forbidden("not_paired", f"“{partner.name}”已经不为这里服务，请选择其他单位")
    wish.lock()
    order.lock()
    standing = live_claim(session, wish, partner)
    if standing is not None:
        standing.lock()
    if (
        standing is not None
        and order.state is OrderState.ASSIGNED
        and (standing.order_id, standing.promised_on) == (order.id, until)
    ):
        return standing
    must_wait(order)
    if standing is not None:
        raise Conflict("claim_exists", "这个单位已经在办这个心愿", details={"claim": standing.key})
    _must_be_in_time(until, policies_at(session, wish.region_id).wish_fulfil_days)
    claim = assign(session, order, partner, until, by=by)
    session.flush()
    return claim


def assigned_claim(order: IssueOrder, key: str) -> Claim:
    """The claim with this key of a unit an item was assigned to. Raises NotFound for any other."""
    found = next((claim for claim in order.claims if claim.key == key), None)
    if found is None:
        raise NotFound("这件事没有交办成这个认领，请刷新后选择")
    return found


def recall_order(
    session: Session, order: IssueOrder, because: str, *, by: By, claim: Claim | None = None
) -> None:
    """Take an item back from one it was assigned to, the last where none is named, who reads why; what they had waits again (重新交办). Twice is fine.

    Raises Forbidden ``own_content``, Conflict ``order_decided`` for what lies with the street no more or is not with that unit, ``claim_decided``
    once it is done.
    """
    which = claim or order.claim
    if which is None:
        raise _with_nobody(order)
    must_be_impartial(session, which, by)
    hold_claim(session, which)
    order.lock()
    if order.state not in OPEN_ORDERS or (claim is None and which.id != _last_assigned(session, order)):
        raise _with_nobody(order)
    if which.ended_because is EndedBecause.TAKEN_BACK:
        return
    if which.ended_because is not None:
        raise _with_nobody(order)
    must_stand(which, *LIVE)
    take_from(session, which, because, by=by)


def _last_assigned(session: Session, order: IssueOrder) -> int | None:
    return session.scalar(select(func.max(Claim.id)).where(Claim.order_id == order.id))


def _with_nobody(order: IssueOrder) -> Conflict:
    return Conflict(
        "order_decided", "这件事现在没有交办给单位，请刷新后查看", details={"state": order.state.value}
    )


def _may_be_given(session: Session, partner: Partner, order: IssueOrder) -> bool:
    if partner.kind is PartnerKind.DEPARTMENT and partner.region is not None:
        street, serves = order.region, partner.region
        if street.contains(serves) or serves.contains(street):
            return True
    return is_paired(session, partner, order.wish.region)


def _must_be_in_time(until: date, days: int) -> None:
    last = clock.today() + timedelta(days=days)
    if not clock.today() <= until <= last:
        message = f"办理期限要在今天到 {last.month}月{last.day}日 之间"
        raise Conflict("assignment_unfit", message, faults=[Fault("until", message)])


def _over_or_under(street: Region) -> ColumnElement[bool]:
    """The condition that a region is a street, lies under it or over it."""
    return or_(lies_within([street]), Region.path.in_(paths_down_to(street.path)))


def _whole() -> Select[Partner]:
    return select(Partner).options(joinedload(Partner.region))
