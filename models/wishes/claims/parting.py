"""Parting (成员退出): what somebody led for a unit they act for no longer is led by who stays, and they help with nothing for it any more."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from models.partners import Partner, members_by_standing
from models.wishes.claims.claiming import hold_claim
from models.wishes.claims.rows import LIVE, Claim, ClaimHelper
from models.wishes.claims.telling import tell_unit
from models.wishes.claims.working import pass_lead_to, stop_helping
from models.wishes.parties import By, is_of_the_household
from models.wishes.rows import Wish

TAKES_OVER = "原牵头人已退出，由您牵头"


def part_with(session: Session, partner: Partner, account_id: int, *, by: By) -> int:
    """Somebody acts no longer for a unit (held by the caller): how many of its live claims somebody else leads now, who hears it.

    That is the manager who has been there the longest, else whoever else of the unit has, but nobody of the household that wished. Where nobody
    may, nobody leads, and whoever comes to the unit next can. What is over stays as it was, and so does whatever they did for other units.
    """
    stay = [member.account_id for member in members_by_standing(session, partner)]
    led = 0
    for claim in _live(session, partner, account_id):
        hold_claim(session, claim)
        if not claim.is_live:
            continue
        stop_helping(session, claim, partner, account_id, by=by)
        if claim.partner_id != partner.id or claim.lead_account_id != account_id:
            continue
        pass_lead_to(session, claim, _first_who_may(session, claim, stay), by=by)
        led += 1
        if claim.lead_account_id is not None and claim.due_at is not None:
            tell_unit(session, claim, TAKES_OVER)
    return led


def _live(session: Session, partner: Partner, account_id: int) -> Sequence[Claim]:
    """What somebody leads of a unit's, or helps with for it, in the order in which it is held."""
    helps = select(ClaimHelper.claim_id).where(
        ClaimHelper.account_id == account_id, ClaimHelper.partner_id == partner.id
    )
    leads = (Claim.partner_id == partner.id) & (Claim.lead_account_id == account_id)
    return session.scalars(
        select(Claim)
        .options(joinedload(Claim.wish).joinedload(Wish.region), joinedload(Claim.partner))
        .where(Claim.state.in_(LIVE), or_(leads, Claim.id.in_(helps)))
        .order_by(Claim.wish_id, Claim.id)
    ).all()


def _first_who_may(session: Session, claim: Claim, accounts: Sequence[int]) -> int | None:
    return next((one for one in accounts if not is_of_the_household(session, claim.wish, one)), None)
