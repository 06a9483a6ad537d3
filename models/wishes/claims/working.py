"""Working (办理): from the community's yes to the day of hand-over: the first word, whom to call, more time, and who of the unit does it.

Whom to call is told to one person, the lead of a claim that is under way, if who wished agreed to that by itself (个保法 art. 23); every look is journalled,
and when the claim ends there is nothing to look at any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import clock
from models.errors import Conflict, Fault, Forbidden
from models.journal import enter
from models.partners import Partner, acts_for
from models.policies import policies_at
from models.residents import is_minor
from models.wishes.claims.claiming import hold_claim, must_be_no_kin, must_stand
from models.wishes.claims.rows import UNDER_WAY, Claim, ClaimHelper, ClaimState
from models.wishes.claims.telling import tell_progress
from models.wishes.parties import By
from models.wishes.rows import HandOver, WishKind
from models.wishes.thread import wind


@dataclass(frozen=True)
class Contacts:
    """Whom to call. ``address`` only where it is brought to their home, never of what is public; of a child's wish the guardian is called by the community."""

    name: str
    phone: str
    address: str


def contacts_of(session: Session, claim: Claim, *, by: By) -> Contacts:
    """Name and phone of who wished, for the lead of a claim under way; the look is written down.

    Raises Forbidden ``lead_alone`` for anybody else of the unit, Conflict ``claim_decided`` before and after, and ``contacts_not_shared`` where
    who wished has not agreed, is a child, or cannot be called: the community arranges it then.
    """
    wish = claim.wish
    wish.lock()
    claim.lock()
    must_lead(claim, by)
    must_stand(claim, *UNDER_WAY)
    whose = wish.resident
    if whose is None or not wish.may_share or is_minor(whose.birth_year) or not whose.phone:
        raise Conflict("contacts_not_shared", "许愿人没有同意公开联系方式，请通过社区联系和转交")
    enter(session, "claim.contacts_looked_at", claim, **by.of(wish))
    session.flush()
    at_home = wish.hand_over is HandOver.HOME and wish.kind is not WishKind.PUBLIC
    return Contacts(whose.name or "", whose.phone, (wish.address or "") if at_home else "")


def whom_to_visit(session: Session, claim: Claim, *, by: By) -> Contacts:
    """Name, phone and address of who wished, for somebody who works here and looks after them, and asks whether it is done; the look is written down.

    Raises Conflict ``claim_decided`` while the unit has not said that it is done, and once they were asked.
    """
    hold_claim(session, claim)
    must_stand(claim, ClaimState.DELIVERED)
    wish = claim.wish
    enter(session, "claim.visit_looked_at", claim, **by.of(wish))
    session.flush()
    whose = wish.resident
    return Contacts(
        (whose.name or "") if whose else "", (whose.phone or "") if whose else "", wish.address or ""
    )


def note_contact(session: Session, claim: Claim, *, by: By) -> None:
    """The lead has spoken with who wished, or with the community for them, within the days there are for it. Twice is fine.

    Raises Forbidden ``lead_alone``, Conflict ``claim_decided``.
    """
    hold_claim(session, claim)
    if not by.is_staff:
        must_lead(claim, by)
    must_stand(claim, *UNDER_WAY)
    if claim.contacted_at is not None:  # what was brought was brought to somebody
        return
    claim.contacted_at = clock.now()
    enter(session, "claim.contacted", claim, **by.of(claim.wish), details=_until(claim.finishes_on))
    wind(session, claim)


def extend_claim(session: Session, claim: Claim, to: date, because: str, *, by: By) -> None:
    """Take longer, once, and say why before the day is over; who wished is told. The same twice is fine.

    Raises Forbidden ``lead_alone``, Conflict ``claim_decided``, ``claim_extended`` the second time, ``claim_overdue`` once the day is over,
    ``contact_first``, and ``extension_unfit`` naming the last day it may take.
    """
    hold_claim(session, claim)
    if not by.is_staff:
        must_lead(claim, by)
    must_stand(claim, ClaimState.IN_PROGRESS)
    if (claim.extended_to, claim.extended_because) == (to, because):
        return
    if claim.extended_to is not None:
        raise Conflict("claim_extended", "已经延期过一次，不能再延期，请联系社区")
    promised = claim.promised_on
    if claim.contacted_at is None or promised is None:
        raise Conflict("contact_first", "请先联系许愿人，再申请延期")
    if clock.today() > promised:
        raise Conflict("claim_overdue", "已经超过承诺的日子，不能再延期，请联系社区")
    last = promised + timedelta(days=policies_at(session, claim.wish.region_id).wish_extension_days)
    if not promised < to <= last:
        message = f"最多延期到 {last.month}月{last.day}日" if last > promised else "这里不能延期"
        raise Conflict("extension_unfit", message, faults=[Fault("to", message)])
    claim.extended_to, claim.extended_because = to, because
    enter(session, "claim.extended", claim, **by.of(claim.wish), details=_until(to))
    wind(session, claim)
    tell_progress(session, claim, "已延期", claim.finishes_on)


def hand_lead_on(session: Session, claim: Claim, account_id: int, *, by: By) -> None:
    """Somebody else of the unit leads from now on. Twice is fine. Raises Conflict ``claim_decided``, ``not_of_the_unit``, Forbidden ``own_household``."""
    claim.partner.lock()  # who leaves it at this moment comes first, or what they lead is found
    hold_claim(session, claim)
    if claim.lead_account_id == account_id:
        return
    must_stand(claim, ClaimState.APPLIED, *UNDER_WAY)
    _must_be_of(session, claim.partner, account_id)
    must_be_no_kin(session, claim.wish, By(account_id, by.identity))
    pass_lead_to(session, claim, account_id, by=by)


def pass_lead_to(session: Session, claim: Claim, account_id: int | None, *, by: By) -> None:
    """Put on a claim (held by the caller, with its wish) who leads it from now on, who helps themselves no longer; nobody, where nobody may."""
    session.execute(
        delete(ClaimHelper).where(ClaimHelper.claim_id == claim.id, ClaimHelper.account_id == account_id)
    )
    claim.lead_account_id = account_id
    enter(session, "claim.lead_handed_on", claim, **by.of(claim.wish))
    session.flush()


def help_with(session: Session, claim: Claim, partner: Partner, account_id: int, *, by: By) -> None:
    """Somebody helps the lead, of the same unit or another (协办). Twice is fine.

    Raises Conflict ``claim_decided``, ``not_of_the_unit``, ``leads_already``, and Forbidden ``own_household`` for a wish of their own.
    """
    partner.lock()  # as above
    hold_claim(session, claim)
    must_stand(claim, ClaimState.APPLIED, *UNDER_WAY)
    _must_be_of(session, partner, account_id)
    must_be_no_kin(session, claim.wish, By(account_id, by.identity))
    if claim.lead_account_id == account_id:
        raise Conflict("leads_already", "您是牵头人，不用再登记协办")
    if _helper(session, claim, account_id) is None:
        session.add(ClaimHelper(claim_id=claim.id, account_id=account_id, partner_id=partner.id))
        enter(session, "claim.helper_joined", claim, by_account_id=by.account_id, identity=by.identity)
        session.flush()


def help_no_more(session: Session, claim: Claim, account_id: int, *, by: By) -> None:
    """Somebody helps no longer. Twice is fine. Raises Conflict ``claim_decided`` once it is over: then it counts what they did."""
    hold_claim(session, claim)
    helper = _helper(session, claim, account_id)
    if helper is None:
        return
    must_stand(claim, ClaimState.APPLIED, *UNDER_WAY)
    _strike(session, claim, helper, by)


def stop_helping(session: Session, claim: Claim, partner: Partner, account_id: int, *, by: By) -> None:
    """Somebody who acts for a unit no longer helps for it with a claim (held by the caller, with its wish), if they did."""
    helper = _helper(session, claim, account_id)
    if helper is not None and helper.partner_id == partner.id:
        _strike(session, claim, helper, by)


def _strike(session: Session, claim: Claim, helper: ClaimHelper, by: By) -> None:
    session.delete(helper)
    enter(session, "claim.helper_left", claim, by_account_id=by.account_id, identity=by.identity)
    session.flush()


def _helper(session: Session, claim: Claim, account_id: int) -> ClaimHelper | None:
    return session.scalar(
        select(ClaimHelper).where(ClaimHelper.claim_id == claim.id, ClaimHelper.account_id == account_id)
    )


def must_lead(claim: Claim, by: By) -> None:
    """Raises Forbidden ``lead_alone`` for anybody but the lead."""
    if claim.lead_account_id is None or claim.lead_account_id != by.account_id:
        raise Forbidden("lead_alone", "只有这个心愿的牵头人可以办理")


def _must_be_of(session: Session, partner: Partner, account_id: int) -> None:
    if not acts_for(session, partner, account_id):
        message = "这个人不是单位的成员"
        raise Conflict("not_of_the_unit", message, faults=[Fault("member", message)])


def _until(day: date | None) -> dict[str, str]:
    return {"until": day.isoformat()} if day else {}
