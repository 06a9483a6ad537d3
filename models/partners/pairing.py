"""Pairing (结对), the verbs: asked for by the unit or set by staff, agreed to, trusted, and ended by either with a reason."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.errors import Conflict, Fault
from models.journal import enter
from models.partners.pairings import CAN_BE_PAIRED, Pairing, PairingState
from models.partners.rows import Partner, must_not_act_for
from models.partners.telling import tell_unit
from models.regions import Region


def ask_to_be_paired(
    session: Session, partner: Partner, place: Region, *, by_account_id: int | None, identity: str
) -> Pairing:
    """A unit asks to be paired with a place; staff of it decide. Twice is one.

    Raises Conflict ``pairing_unfit`` naming the place where it is smaller than a community, ``partner_not_approved``, and Forbidden
    ``partner_suspended``.
    """
    partner.lock().must_have_been_approved()
    partner.must_not_be_suspended()
    standing = _standing(session, partner, place)
    if standing is not None:
        return standing
    pairing = begin(session, partner, place)
    enter(session, "pairing.asked", pairing, by_account_id=by_account_id, identity=identity)
    session.flush()
    return pairing


def pair(
    session: Session,
    partner: Partner,
    place: Region,
    *,
    by_account_id: int | None,
    identity: str,
    tells: bool = True,
) -> Pairing:
    """Staff of a place pair a unit with it, or agree to what the unit asked for, which hears of it if it ``tells``. Twice is fine.

    Raises Conflict ``pairing_unfit`` naming the place where it is smaller than a community, ``partner_not_approved``, and Forbidden
    ``own_content`` for one's own unit.
    """
    partner.lock().must_have_been_approved()
    must_not_act_for(session, partner, by_account_id)
    asked = _standing(session, partner, place)
    was_asked, pairing = asked is not None, asked or begin(session, partner, place)
    if pairing.state is PairingState.ACTIVE:
        return pairing
    pairing.state, pairing.since = PairingState.ACTIVE, clock.now()
    session.flush()
    enter(session, "pairing.agreed", pairing, by_account_id=by_account_id, identity=identity)
    session.flush()
    if was_asked and tells:
        tell_unit(session, partner, "结对成功", f"{place.name}同意结对", pairing=pairing)
    return pairing


def agree_to(session: Session, pairing: Pairing, *, by_account_id: int | None, identity: str) -> None:
    """Staff of a place agree to a pairing that was asked for. Twice is fine.

    Raises Conflict ``pairing_over`` for one that has ended, also by a colleague a moment ago, and as ``pair``.
    """
    pairing.partner.lock()
    if pairing.lock().state is PairingState.ENDED:
        raise _over()
    pair(session, pairing.partner, pairing.region, by_account_id=by_account_id, identity=identity)


def end_pairing(
    session: Session, pairing: Pairing, because: str, *, by_account_id: int | None, identity: str
) -> None:
    """End a pairing, or do not agree to one that was asked for, with a reason. Twice is fine, the first reason stays.

    What the unit has taken on there goes on. It hears of it, unless it ends the pairing itself.
    """
    pairing.partner.lock()
    if pairing.lock().state is PairingState.ENDED:
        return
    was_asked = pairing.state is PairingState.ASKED
    end(pairing, because)
    enter(
        session,
        "pairing.ended",
        pairing,
        by_account_id=by_account_id,
        identity=identity,
        details={"because": because},
    )
    session.flush()
    if not identity.startswith("partner:"):
        result = "未同意结对" if was_asked else "结对结束"
        tell_unit(session, pairing.partner, result, because, pairing=pairing)


def strike_pairing_reason(session: Session, key: str, written: str | None) -> None:
    """Why a unit ended a pairing may not stay as it was written; that it ended does."""
    pairing = session.scalar(select(Pairing).where(Pairing.key == key))
    if pairing is not None and pairing.lock().reason and written in (None, pairing.reason):
        pairing.reason = ""
        enter(session, "pairing.reason_struck", pairing)
        session.flush()


def trust(
    session: Session, pairing: Pairing, *, is_trusted: bool, by_account_id: int | None, identity: str
) -> None:
    """Staff of a place say that what this unit claims there needs no confirmation (免审), or that it does again. Twice is fine.

    Raises Conflict ``pairing_over`` for a pairing that does not stand, and Forbidden ``own_content`` for who trusts their own unit.
    """
    pairing.partner.lock()
    if is_trusted:
        must_not_act_for(session, pairing.partner, by_account_id)
    if pairing.lock().state is not PairingState.ACTIVE:
        raise _over()
    if pairing.is_trusted is is_trusted:
        return
    pairing.is_trusted = is_trusted
    enter(
        session,
        "pairing.trusted" if is_trusted else "pairing.trust_taken_back",
        pairing,
        by_account_id=by_account_id,
        identity=identity,
    )
    session.flush()


def begin(session: Session, partner: Partner, place: Region) -> Pairing:
    """A pairing that is asked for; the unit is held by the caller. Raises Conflict ``pairing_unfit``."""
    if place.kind not in CAN_BE_PAIRED:
        message = f"只能和社区、街道或以上的地方结对，“{place.name}”太小了"
        raise Conflict("pairing_unfit", message, faults=[Fault("region", message)])
    pairing = Pairing(partner=partner, region=place, state=PairingState.ASKED)
    session.add(pairing)
    session.flush()
    return pairing


def end(pairing: Pairing, because: str) -> None:
    """Put on the row that it is over."""
    pairing.state, pairing.ended_at, pairing.reason = PairingState.ENDED, clock.now(), because
    pairing.is_trusted = False


def _over() -> Conflict:
    return Conflict("pairing_over", "这个结对已经结束或还没有同意，请刷新后查看")


def _standing(session: Session, partner: Partner, place: Region) -> Pairing | None:
    return session.scalar(
        select(Pairing).where(
            Pairing.partner_id == partner.id,
            Pairing.region_id == place.id,
            Pairing.state != PairingState.ENDED,
        )
    )
