"""Settling (双确认): whether it is done is said by who wished, by somebody they trust, or to somebody who comes by; silence never says yes."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models import clock
from models.errors import Busy, Conflict, Fault
from models.journal import enter
from models.partners import PartnerState
from models.wishes.claims.claiming import end_claim, hold_claim, must_stand
from models.wishes.claims.finding import live_claims_on
from models.wishes.claims.rows import Claim, ClaimState, EndedBecause, Fulfilment, SettledBy
from models.wishes.claims.telling import tell_ended, tell_progress, tell_thanks, tell_unit
from models.wishes.claims.units import count_hours, must_be_impartial, units_of
from models.wishes.parties import By
from models.wishes.rows import WishState
from models.wishes.street import close_order_on
from models.wishes.thread import wind

_WITH_A_NOTE = (SettledBy.VISIT, SettledBy.CALL)


def confirm_done(session: Session, claim: Claim, how: SettledBy, note: str = "", *, by: By) -> None:
    """Who wished says that it is done, or said so to who visits or calls, and writes what. Twice is fine.

    Raises Conflict ``claim_decided`` while the unit has not said so itself, ``evidence_unfit`` for a visit or a call without a note, and for
    staff Forbidden ``own_content``.
    """
    _hold(session, claim, by)
    if claim.state is ClaimState.FULFILLED:
        return
    must_stand(claim, ClaimState.DELIVERED)
    _must_say(how, note)
    settle(session, claim, is_done=True, how=how, verdict=note, by=by)


def dispute(session: Session, claim: Claim, how: SettledBy, because: str, *, by: By) -> None:
    """It is not done, or not as it should be: the unit goes on, and reads why. Twice is fine. Raises as ``confirm_done``."""
    _hold(session, claim, by)
    said = claim.fulfilments[-1] if claim.fulfilments else None
    if claim.state is ClaimState.IN_PROGRESS and said is not None and said.verdict == because:
        return
    must_stand(claim, ClaimState.DELIVERED)
    _must_say(how, because)
    settle(session, claim, is_done=False, how=how, verdict=because, by=by)


def settle(session: Session, claim: Claim, *, is_done: bool, how: SettledBy, verdict: str, by: By) -> None:
    """What was said of a claim (held by the caller, with its wish) whose unit says that it is done."""
    said: Fulfilment = claim.fulfilments[-1]
    said.settled_at, said.settled_by, said.is_done = clock.now(), how, is_done
    said.settled_by_account_id, said.verdict = by.account_id, verdict
    wish = claim.wish
    if is_done:
        claim.state, claim.ended_at, claim.code = ClaimState.FULFILLED, clock.now(), None
        enter(session, "claim.fulfilled", claim, **by.of(wish), details={"by": how.value})
    else:
        claim.state = ClaimState.IN_PROGRESS
        until = {"until": claim.finishes_on.isoformat()} if claim.finishes_on else None
        enter(session, "claim.disputed", claim, **by.of(wish), details=until)
    wind(session, claim)
    if not is_done:
        _go_on(session, claim)
        return
    count_hours(session, claim, said, by=by)
    tell_thanks(session, claim, "已确认")
    if wish.state is WishState.CLAIMED and not _is_owed(session, claim):
        wish.state, wish.ended_at = WishState.FULFILLED, clock.now()
        enter(session, "wish.fulfilled", wish, for_resident_id=wish.resident_id)
        close_order_on(session, wish)
        session.flush()


def _go_on(session: Session, claim: Claim) -> None:
    """What was not done is done by the unit that promised it, or is free for others where that one is suspended by now (E19)."""
    if claim.partner.state is not PartnerState.SUSPENDED:
        tell_unit(session, claim, "许愿人说还没有办好，请继续办理")
        return
    end_claim(session, claim, EndedBecause.SUSPENDED, claim.partner.reason, by=By())
    tell_ended(session, claim)
    tell_progress(session, claim, "已释放", None)


def _is_owed(session: Session, claim: Claim) -> bool:
    """Whether other pieces of the wish are still to come."""
    return bool(live_claims_on(session, claim.wish))


def _hold(session: Session, claim: Claim, by: By) -> None:
    if by.is_staff:
        must_be_impartial(session, claim, by)
    hold_with_units(session, claim)


def hold_with_units(session: Session, claim: Claim) -> None:
    """Hold a claim whose units' hours may be written: the units first, as everybody does who holds both.

    Raises Busy where another came to help meanwhile: to hold it now would be the wrong way round.
    """
    units = units_of(session, claim)
    for unit in units:
        unit.lock()
    hold_claim(session, claim)
    if units_of(session, claim) != units:
        raise Busy


def _must_say(how: SettledBy, note: str) -> None:
    if how in _WITH_A_NOTE and not note:
        message = "请写一下走访或电话里居民怎么说的"
        raise Conflict("evidence_unfit", message, faults=[Fault("note", message)])
