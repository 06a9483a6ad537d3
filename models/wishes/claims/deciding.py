"""Deciding (确认 · 派单): the community agrees to a claim or does not, or sends a wish to a unit, which accepts it or does not."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.errors import Conflict
from models.journal import enter
from models.partners import Partner, must_not_act_for
from models.policies import policies_at
from models.wishes.claims.claiming import (
    agree,
    begin,
    end_claim,
    hold_claim,
    live_claim,
    must_act_for,
    must_be_no_kin,
    must_be_welcome,
    must_stand,
    send,
)
from models.wishes.claims.promises import must_be_in_time, must_have_promised
from models.wishes.claims.rows import Claim, ClaimState, EndedBecause, Promise
from models.wishes.claims.telling import tell_ended
from models.wishes.claims.units import must_be_impartial
from models.wishes.parties import By, must_not_be_of_the_household
from models.wishes.rows import Wish


def agree_to_claim(session: Session, claim: Claim, *, by: By) -> Claim:
    """The community agrees. Twice is fine. Raises Forbidden ``own_content`` for one's own unit or household, Conflict ``claim_decided``."""
    _hold(session, claim, by)
    if claim.agreed_at is not None and claim.is_live:
        return claim
    must_stand(claim, ClaimState.APPLIED)
    agree(session, claim, by=by)
    return claim


def decline_claim(session: Session, claim: Claim, because: str, *, by: By) -> Claim:
    """The community does not agree, for a reason the unit reads; the wish hangs again. Twice is fine. Raises as ``agree_to_claim``."""
    _hold(session, claim, by)
    if claim.ended_because is EndedBecause.DECLINED:
        return claim
    must_stand(claim, ClaimState.APPLIED)
    end_claim(session, claim, EndedBecause.DECLINED, because, by=by)
    tell_ended(session, claim)
    return claim


def dispatch_wish(session: Session, wish: Wish, partner: Partner, pieces: int, *, by: By) -> Claim:
    """Send a wish, or some pieces of it, to a unit (派单), which has working time to accept. The same twice is fine.

    Raises as ``must_be_welcome``, Forbidden ``own_content`` for one's own household or unit, Conflict ``claim_exists``, ``wish_pieces``,
    ``wish_taken``.
    """
    must_not_be_of_the_household(session, wish, by)
    must_not_act_for(session, partner, by.account_id)
    partner.lock()
    must_be_welcome(session, partner, wish)
    wish.lock()
    standing = live_claim(session, wish, partner)
    if standing is not None and standing.state is ClaimState.DISPATCHED and standing.pieces == pieces:
        return standing
    if standing is not None:
        raise Conflict("claim_exists", "这个单位已经认领了这个心愿", details={"claim": standing.key})
    return send(session, wish, partner, pieces, by=by)


def accept_dispatch(
    session: Session, claim: Claim, promise: Promise, *, promise_version: str | None, by: By
) -> Claim:
    """The unit accepts what it was sent, and promises. Twice is fine. Raises as ``claim_wish``, and Conflict ``claim_decided``."""
    claim.partner.lock()
    must_act_for(session, claim.partner, by)
    must_be_welcome(session, claim.partner, claim.wish)
    must_be_no_kin(session, claim.wish, by)
    version = must_have_promised(promise_version)
    hold_claim(session, claim)
    if claim.state is ClaimState.IN_PROGRESS and claim.plan == promise.plan:
        return claim
    must_stand(claim, ClaimState.DISPATCHED)
    must_be_in_time(promise, policies_at(session, claim.wish.region_id))
    claim.plan, claim.promised_on, claim.promise_version = promise.plan, promise.promised_on, version
    claim.lead_account_id = by.account_id
    enter(session, "claim.accepted", claim, by_account_id=by.account_id, identity=by.identity)
    begin(session, claim)
    return claim


def refuse_dispatch(session: Session, claim: Claim, because: str, *, by: By) -> Claim:
    """The unit does not accept, for a reason the community reads; the wish hangs again. Twice is fine. Raises Conflict ``claim_decided``."""
    hold_claim(session, claim)
    if claim.ended_because is EndedBecause.REFUSED:
        return claim
    must_stand(claim, ClaimState.DISPATCHED)
    end_claim(session, claim, EndedBecause.REFUSED, because, by=by)
    return claim


def _hold(session: Session, claim: Claim, by: By) -> None:
    """Hold a claim for somebody who works here. Raises Forbidden ``own_content`` where it is of their own household, or of a unit they act for."""
    must_be_impartial(session, claim, by)
    hold_claim(session, claim)
