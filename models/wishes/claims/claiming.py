"""Claiming (认领): a unit takes a wish on, or some pieces of it, and says how and by when; the community agrees, or trusts the unit (domain.md §2.3).

Here alone pieces are taken and freed again: under the wish's lock, counted on the wish, and held as rows no second claim can have.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import clock
from models.errors import Conflict, Fault, Forbidden, NotFound
from models.journal import enter
from models.partners import Partner, acts_for, is_paired, is_trusted, must_be_able_to_claim
from models.policies import policies_at
from models.wishes.claims.promises import must_be_in_time, must_have_promised
from models.wishes.claims.rows import (
    CODE_LENGTH,
    LIVE,
    Claim,
    ClaimState,
    EndedBecause,
    Promise,
    WishPart,
)
from models.wishes.claims.telling import tell_claimed, tell_unit
from models.wishes.parties import By, is_of_the_household
from models.wishes.rows import WITH_THE_STREET, Wish, WishState
from models.wishes.street import IssueOrder, IssueSource, OrderState, open_order_on
from models.wishes.thread import wind, wind_wish
from models.wishes.wall import wall

_OTHERS = 3


def claim_wish(
    session: Session,
    wish: Wish,
    partner: Partner,
    promise: Promise,
    *,
    promise_version: str | None,
    by: By,
) -> Claim:
    """Take a wish on for a unit: the community agrees within working time, at once where it trusts the unit. The same twice is one claim.

    Raises as ``must_act_for`` and ``must_be_welcome``, Conflict ``promise_needed``, ``promise_unfit`` naming the field, ``claim_exists`` for a unit that takes part
    already, ``wish_pieces`` saying how many are left, ``wish_taken`` with other wishes that hang there; and Forbidden ``own_household`` for
    one's own household.
    """
    partner.lock()  # who is suspended at this moment comes first, or its claims are found and end
    must_act_for(session, partner, by)
    must_be_welcome(session, partner, wish)
    must_be_no_kin(session, wish, by)
    version = must_have_promised(promise_version)
    policy = policies_at(session, wish.region_id)
    wish.lock()
    standing = live_claim(session, wish, partner)
    if standing is not None:
        if (standing.plan, standing.promised_on, standing.pieces) == (
            promise.plan,
            promise.promised_on,
            promise.pieces,
        ):
            return standing
        raise Conflict(
            "claim_exists",
            "贵单位已经认领了这个心愿，可以在“我的认领”里查看",
            details={"claim": standing.key},
        )
    must_be_in_time(promise, policy)
    claim = _take(session, wish, partner, promise.pieces, state=ClaimState.APPLIED)
    claim.plan, claim.promised_on = promise.plan, promise.promised_on
    claim.promise_version, claim.lead_account_id = version, by.account_id
    enter(session, "claim.made", claim, by_account_id=by.account_id, identity=by.identity)
    _take_down_if_taken(session, wish)
    if is_trusted(session, partner, wish.region):
        agree(session, claim, by=By())
    else:
        wind(session, claim)
    return claim


def agree(session: Session, claim: Claim, *, by: By) -> None:
    """The community agrees to a claim (held by the caller, with its wish), and the unit hears that it may begin.

    Where the day it promised went by meanwhile, it has as many days from now as it had asked for.
    """
    news = "认领已确认，请联系许愿人"
    if claim.promised_on is not None and claim.promised_on < clock.today():
        claim.promised_on += clock.today() - clock.in_town(claim.claimed_at).date()
        news = f"认领已确认，请{claim.promised_on.month}月{claim.promised_on.day}日前办好"
    enter(session, "claim.agreed", claim, **by.of(claim.wish))
    begin(session, claim)
    tell_unit(session, claim, news)


def begin(session: Session, claim: Claim) -> None:
    """A claim (held by the caller, with its wish) that both sides agreed to is under way; who wished hears who will come."""
    claim.state, claim.agreed_at = ClaimState.IN_PROGRESS, clock.now()
    claim.code = "".join(secrets.choice("0123456789") for _ in range(CODE_LENGTH))
    wind(session, claim)
    tell_claimed(session, claim)


def hold_claim(session: Session, claim: Claim) -> None:
    """Hold a claim and its wish, in this order as everybody does."""
    claim.wish.lock()
    claim.lock()


def must_stand(claim: Claim, *states: ClaimState) -> None:
    """Raises Conflict ``claim_decided`` for a claim that stands elsewhere."""
    if claim.state not in states:
        raise Conflict(
            "claim_decided", "这个认领的状态已经变了，请刷新后查看", details={"state": claim.state.value}
        )


def send(session: Session, wish: Wish, partner: Partner, pieces: int, *, by: By) -> Claim:
    """Send so many pieces of a wish to a unit (both held by the caller), which hears by when to accept. Raises as ``_take``."""
    claim = _take(session, wish, partner, pieces, state=ClaimState.DISPATCHED)
    enter(session, "claim.dispatched", claim, **by.of(wish))
    _take_down_if_taken(session, wish)
    wind(session, claim)
    tell_unit(session, claim, "社区派单，请尽快接单")
    return claim


def assign(session: Session, order: IssueOrder, partner: Partner, until: date, *, by: By) -> Claim:
    """Give a unit every free piece of what lies with the street (held by the caller, with its wish and the unit), to be done by a day (交办).

    It is under way at once; the unit and who wished hear by when. Raises Conflict ``wish_taken`` where no piece is free.
    """
    wish = order.wish
    claim = _take(
        session, wish, partner, wish.parts_left, state=ClaimState.IN_PROGRESS, among=WITH_THE_STREET
    )
    claim.promised_on, claim.order, order.state = until, order, OrderState.ASSIGNED
    enter(session, "claim.assigned", claim, **by.of(wish), details={"until": until.isoformat()})
    _take_down_if_taken(session, wish)
    begin(session, claim)
    tell_unit(session, claim, f"街道交办，请{until.month}月{until.day}日前办好")
    return claim


def _take(
    session: Session,
    wish: Wish,
    partner: Partner,
    pieces: int,
    *,
    state: ClaimState,
    among: Collection[WishState] = (WishState.PUBLISHED,),
) -> Claim:
    """Give a unit so many pieces of a wish (held by the caller). Raises Conflict ``wish_taken``, ``wish_pieces``."""
    if wish.state not in among:
        raise taken(session, wish)
    if not 1 <= pieces <= wish.parts_left:
        message = f"还剩 {wish.parts_left} {wish.piece}没有人认领，请填写 1 到 {wish.parts_left}"
        raise Conflict(
            "wish_pieces", message, details={"left": wish.parts_left}, faults=[Fault("pieces", message)]
        )
    claim = Claim(wish=wish, partner=partner, state=state, pieces=pieces)
    session.add(claim)
    session.flush()
    held = set(session.scalars(select(WishPart.number).where(WishPart.wish_id == wish.id, WishPart.is_held)))
    free = [number for number in range(1, wish.quantity + 1) if number not in held]
    session.add_all(WishPart(wish_id=wish.id, number=number, claim_id=claim.id) for number in free[:pieces])
    wish.parts_taken += pieces
    session.flush()
    return claim


def _take_down_if_taken(session: Session, wish: Wish) -> None:
    """A wish (held by the caller) of which no piece is left hangs no longer; said after who took it, as whoever wished reads it."""
    if not wish.parts_left:
        wish.state = WishState.CLAIMED
        enter(session, "wish.taken", wish, for_resident_id=wish.resident_id)
        wind_wish(session, wish)
        session.flush()


def end_claim(session: Session, claim: Claim, why: EndedBecause, because: str, *, by: By) -> None:
    """A claim (held by the caller, with its wish) comes to nothing: its pieces are free, and the wish hangs again before those nobody had taken."""
    claim.state = {
        EndedBecause.DECLINED: ClaimState.DECLINED,
        EndedBecause.REFUSED: ClaimState.REFUSED,
    }.get(why, ClaimState.RELEASED)
    claim.ended_at, claim.ended_because, claim.because = clock.now(), why, because
    claim.code = None
    session.execute(update(WishPart).where(WishPart.claim_id == claim.id).values(is_held=False))
    wish = claim.wish
    wish.parts_taken -= claim.pieces
    if why is not EndedBecause.WISH_OVER:
        wish.priority += 1
    enter(session, "claim.ended", claim, **by.of(wish), details={"because": why.value})
    if wish.state is WishState.CLAIMED and why is EndedBecause.TRANSFERRED:
        wish.state = WishState.PUBLISHED  # for the other unit alone, in the same breath
    elif wish.state is WishState.CLAIMED and why is not EndedBecause.WISH_OVER:
        _put_back(session, wish)
    wind(session, claim)


def _put_back(session: Session, wish: Wish) -> None:
    """Some pieces of a wish are free again: for everybody, or for the street to assign, if it lies there."""
    order = open_order_on(session, wish)
    if order is None:
        wish.state = WishState.PUBLISHED
        enter(session, "wish.freed", wish, for_resident_id=wish.resident_id)
    else:
        by_source = {
            IssueSource.UNCLAIMED_WISH: WishState.ESCALATED,
            IssueSource.PUBLIC_WISH: WishState.CONVERTED,
        }
        wish.state, order.state = by_source[order.source], OrderState.WAITING
        enter(session, "wish.with_the_street", wish, for_resident_id=wish.resident_id)
    wind_wish(session, wish)


def live_claim(session: Session, wish: Wish, partner: Partner) -> Claim | None:
    """What a unit has of a wish and something may still come of."""
    return session.scalar(
        select(Claim).where(Claim.wish_id == wish.id, Claim.partner_id == partner.id, Claim.state.in_(LIVE))
    )


def must_act_for(session: Session, partner: Partner, by: By) -> None:
    """Raises NotFound ``identity_unknown`` for somebody who left a unit (held by the caller) a moment ago: nobody would lead what they take on."""
    if by.account_id is not None and not acts_for(session, partner, by.account_id):
        raise NotFound("您已经不是这个单位的成员", code="identity_unknown")


def must_be_welcome(session: Session, partner: Partner, wish: Wish) -> None:
    """Raises as ``must_be_able_to_claim``, and Forbidden ``not_paired`` for a unit (held by the caller) of other communities."""
    must_be_able_to_claim(partner)
    if not is_paired(session, partner, wish.region):
        raise Forbidden("not_paired", f"贵单位还没有和{wish.region.name}结对，请先向社区申请结对")


def must_hang_still(session: Session, wish: Wish, partner: Partner) -> None:
    """Raises Conflict ``wish_taken`` as ``_take`` would, before anything is asked of anybody; a unit that has it hears what ``claim_wish`` says."""
    if wish.state is not WishState.PUBLISHED and live_claim(session, wish, partner) is None:
        raise taken(session, wish)


def must_be_no_kin(session: Session, wish: Wish, by: By) -> None:
    """Raises Forbidden ``own_household`` for somebody who would take on a wish of their own household (domain.md §2.3)."""
    if is_of_the_household(session, wish, by.account_id):
        raise Forbidden("own_household", "这是您自己或家人的心愿，请让其他同事来认领")


def taken(session: Session, wish: Wish) -> Conflict:
    """The no for a wish that hangs there no longer, with others of the community that do."""
    others: Sequence[Wish] = wall(session, wish.region, most=_OTHERS)
    became = "由街道交办了" if wish.state in WITH_THE_STREET else "刚刚被认领了"
    return Conflict(
        "wish_taken",
        f"这个心愿{became}，{'看看别的心愿吧' if others else '谢谢您'}",
        details={"others": [{"key": one.key, "title": one.title} for one in others]},
    )
