"""Enlisting (登记单位): units with their papers, as staff write them down. What staff write down themselves is active at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import clock
from models.credit_codes import as_written, fault_in
from models.errors import Conflict, Fault
from models.journal import enter
from models.partners.pairing import pair
from models.partners.rows import Partner, PartnerKind, PartnerState, UnitCard
from models.policies import policies_at


def enlist(session: Session, name: str, kind: PartnerKind) -> Partner:
    """Add a unit that gives to the community, without any members yet, of which nothing more is known."""
    partner = Partner(name=name, kind=kind, state=PartnerState.ACTIVE)
    begin_a_year(session, partner)
    session.add(partner)
    session.flush()
    return partner


def enlist_unit(session: Session, card: UnitCard, *, by_account_id: int | None, identity: str) -> Partner:
    """Add a unit with its papers, active and paired with the place it serves, without any members yet.

    Raises Conflict ``credit_code_wrong`` saying which sign is wrong where one can tell, ``credit_code_needed`` and
    ``credit_code_unneeded`` at the field, and ``partner_exists`` naming the field in which it is the same as another.
    """
    partner = Partner(state=PartnerState.ACTIVE)
    partner.region = card.region
    begin_a_year(session, partner)
    write(session, partner, card)
    enter(session, "partner.enlisted", partner, by_account_id=by_account_id, identity=identity)
    session.flush()
    pair(session, partner, card.region, by_account_id=by_account_id, identity=identity)
    return partner


def correct_unit(
    session: Session, partner: Partner, card: UnitCard, *, by_account_id: int | None, identity: str
) -> None:
    """Write anew what is known of a unit; the same again changes nothing. Raises as ``enlist_unit``."""
    partner.lock()
    changed = write(session, partner, card)
    if changed:
        enter(
            session,
            "partner.corrected",
            partner,
            by_account_id=by_account_id,
            identity=identity,
            details={"changed": changed},
        )
        session.flush()


def begin_a_year(session: Session, partner: Partner) -> None:
    """What a unit may do, it may do until its year is over: from today, or from where the one it still has ends."""
    region_id = partner.region.id if partner.region is not None else None
    days = policies_at(session, region_id).partner_renewal_days
    begins = max(clock.today(), partner.renewed_until or clock.today())
    partner.renewed_until, partner.renewal_asked_at = begins + timedelta(days=days), None


def _exists(field: str, other: str) -> Conflict:
    message = f"已有单位用这个{'代码' if field == 'credit_code' else '名称'}（{other}），请核对"
    return Conflict("partner_exists", message, faults=[Fault(field, message)])


def write(
    session: Session,
    partner: Partner,
    card: UnitCard,
    *,
    same_as_another: Callable[[str, str], Conflict] = _exists,
) -> list[str]:
    """Put on a row what a card says, and tell which of its columns that changed.

    Raises as ``enlist_unit``; ``same_as_another`` says what is said of a field in which the unit is the same as another, and of its name.
    """
    code = _checked_code(card)
    wanted: dict[str, Any] = {
        "name": card.name,
        "kind": card.kind,
        "credit_code": code,
        "region": card.region,
        "contact_name": card.contact_name,
        "contact_phone": card.contact_phone,
    }
    changed = [name for name, value in wanted.items() if getattr(partner, name) != value]
    _must_be_the_only_one(session, partner, card.name, code, same_as_another)
    try:
        with session.begin_nested():
            for name in changed:
                setattr(partner, name, wanted[name])
            session.add(partner)
    except IntegrityError:  # another unit of this name or code came first, a moment ago
        _must_be_the_only_one(session, partner, card.name, code, same_as_another)
        raise
    return changed


def _checked_code(card: UnitCard) -> str | None:
    """The code as it is kept; nothing for a branch."""
    if card.kind is PartnerKind.BRANCH:
        if card.credit_code:
            message = "党支部没有统一社会信用代码，请把这一项空着，或改选单位类型"
            raise Conflict("credit_code_unneeded", message, faults=[Fault("credit_code", message)])
        return None
    if not card.credit_code:
        message = "请填写证照上的 18 位统一社会信用代码"
        raise Conflict("credit_code_needed", message, faults=[Fault("credit_code", message)])
    code = as_written(card.credit_code)
    wrong = fault_in(code)
    if wrong is not None:
        raise Conflict("credit_code_wrong", wrong, faults=[Fault("credit_code", wrong)])
    return code


def _must_be_the_only_one(
    session: Session,
    partner: Partner,
    name: str,
    code: str | None,
    same_as_another: Callable[[str, str], Conflict],
) -> None:
    is_same = Partner.name == name if code is None else (Partner.name == name) | (Partner.credit_code == code)
    others = session.execute(
        select(Partner.name, Partner.credit_code).where(
            is_same, Partner.state != PartnerState.REJECTED, Partner.id.is_distinct_from(partner.id)
        )
    ).all()
    for other_name, other_code in others:
        is_code = code is not None and other_code == code
        raise same_as_another("credit_code" if is_code else "name", other_name)
