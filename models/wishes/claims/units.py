"""Units (认领单位): who of a unit does something about a claim, and the hours they gave when it is done."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.partners import HourSubject, Partner, PartnerMember, Served, must_not_act_for, write_hours
from models.wishes.claims.rows import Claim, ClaimHelper, Fulfilment
from models.wishes.parties import By, must_not_be_of_the_household


def _member(session: Session, partner: Partner, account_id: int) -> PartnerMember | None:
    """Somebody who acts for a unit today, if they do."""
    return session.scalar(
        select(PartnerMember).where(
            PartnerMember.partner_id == partner.id,
            PartnerMember.account_id == account_id,
            PartnerMember.left_at.is_(None),
        )
    )


def must_be_impartial(session: Session, claim: Claim, by: By) -> None:
    """Raises Forbidden ``own_content`` for somebody who works here, and decides about their own household or a unit they act for."""
    must_not_be_of_the_household(session, claim.wish, by)
    must_not_act_for(session, claim.partner, by.account_id)


def count_hours(session: Session, claim: Claim, said: Fulfilment, *, by: By) -> None:
    """Write down the time of a claim whose one confirmed it, for the lead and for each who helped them, with their own unit.

    The units are held by the caller: whoever holds a unit and a wish takes the unit first.
    """
    if not said.minutes:
        return
    helpers = session.execute(
        select(ClaimHelper.account_id, Partner)
        .join(Partner, Partner.id == ClaimHelper.partner_id)
        .where(ClaimHelper.claim_id == claim.id)
        .order_by(Partner.id, ClaimHelper.id)
    )
    for account_id, partner in ((_who_did(session, claim, said), claim.partner), *helpers):
        member = _member(session, partner, account_id) if account_id is not None else None
        write_hours(
            session,
            partner,
            Served(
                HourSubject.CLAIM,
                claim.key,
                said.minutes,
                f"{claim.wish.region.name}{claim.wish.number:04}号心愿",
                clock.in_town(said.at).date(),
            ),
            member=member,
            by_account_id=by.account_id,
            identity=by.identity,
        )


def _who_did(session: Session, claim: Claim, said: Fulfilment) -> int | None:
    """Who of the unit said that it is done, though another leads by now; the lead, where the community handed it over for them."""
    was_of_it = session.scalar(
        select(PartnerMember.id).where(
            PartnerMember.partner_id == claim.partner_id, PartnerMember.account_id == said.by_account_id
        )
    )
    return said.by_account_id if was_of_it is not None else claim.lead_account_id


def units_of(session: Session, claim: Claim) -> list[Partner]:
    """The unit that has a claim and those that help it, in the order in which they are to be held."""
    helping = select(ClaimHelper.partner_id).where(ClaimHelper.claim_id == claim.id)
    return list(
        session.scalars(
            select(Partner)
            .where((Partner.id == claim.partner_id) | Partner.id.in_(helping))
            .order_by(Partner.id)
        )
    )
