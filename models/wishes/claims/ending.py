"""Ending (退回 · 收回 · 转交 · 释放): a claim nothing comes of; its pieces are free at once, and the wish hangs before the others (domain.md §0, 3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.errors import Conflict, Forbidden
from models.partners import Partner, must_not_act_for
from models.wishes.claims.claiming import (
    end_claim,
    hold_claim,
    live_claim,
    must_be_welcome,
    must_stand,
    send,
)
from models.wishes.claims.rows import (
    LIVE,
    WAITING,
    Claim,
    ClaimState,
    EndedBecause,
)
from models.wishes.claims.telling import tell_ended, tell_progress
from models.wishes.claims.units import must_be_impartial
from models.wishes.parties import By
from models.wishes.rows import Wish
from models.wishes.street import OPEN_ORDERS, IssueOrder, open_order_on

_STILL_OPEN = (*WAITING, ClaimState.IN_PROGRESS)
_RINGS = {
    ClaimState.DISPATCHED: (EndedBecause.NOT_ACCEPTED, "到期没有接单"),
    ClaimState.IN_PROGRESS: (EndedBecause.NOT_CONTACTED, "到期没有联系许愿人"),
}


def give_back(session: Session, claim: Claim, because: str, *, by: By) -> None:
    """The unit cannot do it after all, and says why. Twice is fine.

    Raises Conflict ``claim_decided`` once it says that it is done, and ``order_returned`` for what the street assigned and got back once before.
    """
    hold_claim(session, claim)
    if claim.ended_because is EndedBecause.GIVEN_BACK:
        return
    must_stand(claim, *_STILL_OPEN)
    order = _assigned_by(session, claim)
    if order is not None:
        if order.returns:
            raise Conflict("order_returned", "街道交办的事项只能退回一次，请和街道联系商量怎么办")
        order.returns += 1
    _end(session, claim, EndedBecause.GIVEN_BACK, because, by=by)


def take_back(session: Session, claim: Claim, because: str, *, by: By) -> None:
    """The community takes it from the unit, which reads why. Twice is fine.

    Raises Conflict ``claim_decided``, Forbidden ``own_content``, and ``street_decides`` for what the street assigned.
    """
    must_be_impartial(session, claim, by)
    hold_claim(session, claim)
    if claim.ended_because is EndedBecause.TAKEN_BACK:
        return
    must_stand(claim, *LIVE)
    if _assigned_by(session, claim) is not None:
        raise _of_the_street()
    take_from(session, claim, because, by=by)


def take_from(session: Session, claim: Claim, because: str, *, by: By) -> None:
    """Take a live claim (held by the caller, with its wish) from its unit, which reads why; who wished hears it if they had been told."""
    _end(session, claim, EndedBecause.TAKEN_BACK, because, by=by)
    tell_ended(session, claim)


def transfer_claim(session: Session, claim: Claim, to: Partner, because: str, *, by: By) -> Claim:
    """Take it from one unit and send it to another, which has working time to accept (转交). Twice is fine; nobody else can come between.

    Raises as ``take_back`` and ``dispatch_wish``, and Conflict ``same_unit``; of a wish that lies with the street ``street_decides``.
    """
    must_be_impartial(session, claim, by)
    must_not_act_for(session, to, by.account_id)
    if to.id == claim.partner_id:
        raise Conflict("same_unit", "已经是这个单位在办，请选择其他单位")
    to.lock()
    must_be_welcome(session, to, claim.wish)
    hold_claim(session, claim)
    theirs = live_claim(session, claim.wish, to)
    if claim.ended_because is EndedBecause.TRANSFERRED and theirs is not None:
        return theirs
    must_stand(claim, *_STILL_OPEN)
    if open_order_on(session, claim.wish) is not None:
        raise _of_the_street()
    if theirs is not None:
        raise Conflict("claim_exists", "这个单位已经认领了这个心愿", details={"claim": theirs.key})
    was_told = claim.agreed_at is not None
    end_claim(session, claim, EndedBecause.TRANSFERRED, because, by=by)
    tell_ended(session, claim)
    sent = send(session, claim.wish, to, claim.pieces, by=by)
    if was_told:
        tell_progress(session, claim, "已转交", None)
    return sent


def claims_that_ring(session: Session, now: datetime, *, most: int) -> Sequence[Claim]:
    """Up to ``most`` claims whose unit let the time to accept or to call go by, the longest first."""
    unheard = (Claim.state == ClaimState.IN_PROGRESS) & Claim.contacted_at.is_(None)
    return session.scalars(
        select(Claim)
        .options(joinedload(Claim.wish).joinedload(Wish.region), joinedload(Claim.partner))
        .where(Claim.due_at <= now, unheard | (Claim.state == ClaimState.DISPATCHED))
        .order_by(Claim.due_at, Claim.id)
        .limit(most)
    ).all()


def release_if_due(session: Session, claim: Claim, now: datetime) -> bool:
    """Free what a unit let lie, if its time is over still; whether it did. The unit hears that, and who wished if they had been told."""
    hold_claim(session, claim)
    if claim.due_at is None or claim.due_at > now or claim.contacted_at is not None:
        return False
    if claim.state not in _RINGS:
        return False
    why, because = _RINGS[claim.state]
    _end(session, claim, why, because, by=By())
    tell_ended(session, claim)
    return True


def release_claims_of(session: Session, partner: Partner, because: str, *, by: By) -> int:
    """A unit (held by the caller) may claim nothing for now (暂停): what it has not done yet is free for others; how many (E19).

    What it says is done stays, for who wished to confirm.
    """
    theirs = session.scalars(
        select(Claim)
        .options(joinedload(Claim.wish).joinedload(Wish.region))
        .where(Claim.partner_id == partner.id, Claim.state.in_(_STILL_OPEN))
        .order_by(Claim.wish_id, Claim.id)
    ).all()
    freed = 0
    for claim in theirs:
        hold_claim(session, claim)
        if claim.state in _STILL_OPEN:
            _end(session, claim, EndedBecause.SUSPENDED, because, by=by)
            tell_ended(session, claim)
            freed += 1
    return freed


def end_claims_on(session: Session, wish: Wish, because: str, *, by: By) -> None:
    """Nothing comes of a wish (held by the caller) any more, so nothing of the claims on it; the units hear it."""
    theirs = session.scalars(
        select(Claim)
        .options(joinedload(Claim.partner))
        .where(Claim.wish_id == wish.id, Claim.state.in_(LIVE))
        .order_by(Claim.id)
    ).all()
    for claim in theirs:
        claim.lock()
        end_claim(session, claim, EndedBecause.WISH_OVER, because, by=by)
        tell_ended(session, claim)


def _assigned_by(session: Session, claim: Claim) -> IssueOrder | None:
    """The item of the street's list that a claim (held by the caller, with its wish) was assigned with, if it was and that is open still."""
    order = claim.order
    return order if order is not None and order.lock().state in OPEN_ORDERS else None


def _of_the_street() -> Forbidden:
    return Forbidden("street_decides", "这件事由街道交办，要换单位或收回请联系街道")


def _end(session: Session, claim: Claim, why: EndedBecause, because: str, *, by: By) -> None:
    was_told = claim.agreed_at is not None
    end_claim(session, claim, why, because, by=by)
    if was_told:
        tell_progress(session, claim, "已释放", None)
