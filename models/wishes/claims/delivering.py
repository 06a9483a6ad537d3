"""Delivering (送达): the unit says that it is done and how that shows; a photo may show it and need not (domain.md §0, 6)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from sqlalchemy.orm import Session

from models import clock
from models.errors import Conflict, Fault
from models.journal import enter
from models.wishes.claims.claiming import must_stand
from models.wishes.claims.rows import Claim, ClaimState, Evidence, Fulfilment, SettledBy
from models.wishes.claims.settling import hold_with_units, settle
from models.wishes.claims.telling import tell_delivered
from models.wishes.claims.working import must_lead
from models.wishes.parties import By
from models.wishes.thread import wind

_SAYS_MORE = (Evidence.CALL, Evidence.SLIP)
_SAID = (ClaimState.DELIVERED, ClaimState.FULFILLED)


@dataclass(frozen=True)
class Done:
    """What a unit says it did: how that shows, what there is to say of it, and how many minutes it took."""

    evidence: Evidence
    note: str = ""
    minutes: int = 0
    code: str = ""


def deliver(session: Session, claim: Claim, done: Done, *, by: By) -> Fulfilment:
    """The unit, or the community that handed it over for it, says that it is done. The same twice is fine.

    With the code who wished told whoever brought it, that is confirmed at once; else they are asked. Raises Forbidden ``lead_alone``, Conflict
    ``claim_decided``, ``evidence_unfit`` naming the field, and ``wish_code_wrong``.
    """
    hold_with_units(session, claim)
    if not by.is_staff:
        must_lead(claim, by)
    said = claim.fulfilments[-1] if claim.fulfilments else None
    if said is not None and claim.state in _SAID and _is_said(said, done):
        return said
    must_stand(claim, ClaimState.IN_PROGRESS)
    _must_show(claim, done)
    said = Fulfilment(
        claim=claim,
        evidence=done.evidence,
        note=done.note,
        minutes=done.minutes,
        by_account_id=by.account_id,
    )
    session.add(said)
    claim.state, claim.delivered_at = ClaimState.DELIVERED, clock.now()
    claim.contacted_at = claim.contacted_at or claim.delivered_at  # whoever brought it was there
    session.flush()
    enter(
        session,
        "claim.delivered",
        claim,
        **by.of(claim.wish),
        details={"evidence": done.evidence.value, "minutes": done.minutes},
    )
    if done.evidence is Evidence.CODE:
        settle(session, claim, is_done=True, how=SettledBy.CODE, verdict="", by=By())
    else:
        wind(session, claim)
        tell_delivered(session, claim)
    return said


def _is_said(said: Fulfilment, done: Done) -> bool:
    return (said.evidence, said.note, said.minutes) == (done.evidence, done.note, done.minutes)


def _must_show(claim: Claim, done: Done) -> None:
    if done.evidence in _SAYS_MORE and not done.note:
        message = "请写一下电话里怎么说的，或者谁签收的"
        raise Conflict("evidence_unfit", message, faults=[Fault("note", message)])
    if done.evidence is Evidence.PHOTO and not claim.photos:
        message = "请先上传物品照片；不方便拍照的，可以选别的方式"
        raise Conflict("evidence_unfit", message, faults=[Fault("evidence", message)])
    if done.evidence is not Evidence.CODE:
        if done.code:
            message = "只有凭圆梦码确认时填写"
            raise Conflict("evidence_unfit", message, faults=[Fault("code", message)])
        return
    if claim.code is None or not hmac.compare_digest(claim.code.encode(), done.code.encode()):
        message = "圆梦码不对，请让许愿人再看一下；也可以不填，请他在手机上确认"
        raise Conflict("wish_code_wrong", message, faults=[Fault("code", message)])
