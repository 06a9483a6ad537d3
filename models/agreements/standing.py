"""The life of an agreement (生效与结束): it is drafted, holds its room while in force, and lets go of what is yet to come when it ends."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.agreements.planning import BlockDay, look, must_make_sense
from models.agreements.rows import AgreementState, ServiceAgreement, ServiceBlock, ServiceHold, Terms
from models.base import new_key
from models.errors import Conflict, Fault
from models.journal import enter
from models.occupancy import Hold, Purpose, lock_spaces, occupy_each, vacate
from models.partners import Partner, must_be_able_to_claim
from models.sites import Venue


def draft_agreement(
    session: Session,
    partner: Partner,
    venue: Venue,
    terms: Terms,
    *,
    by_account_id: int | None,
    identity: str,
) -> ServiceAgreement:
    """Write down what is to be agreed on; it holds nothing yet.

    Raises Conflict ``agreement_unfit`` naming every field that cannot be, and what ``must_be_able_to_claim`` says of the unit.
    """
    must_be_able_to_claim(partner)
    must_make_sense(terms)
    agreement = ServiceAgreement(
        partner=partner,
        venue=venue,
        service=terms.service,
        starts_on=terms.starts_on,
        ends_on=terms.ends_on,
        on_holidays=terms.on_holidays,
        promised_hours=terms.promised_hours,
        blocks=[
            ServiceBlock(weekday=one.weekday, from_minute=one.from_minute, to_minute=one.to_minute)
            for one in sorted(terms.blocks)
        ],
    )
    session.add(agreement)
    session.flush()
    enter(session, "service_agreement.drafted", agreement, by_account_id=by_account_id, identity=identity)
    session.flush()
    return agreement


def put_in_force(
    session: Session,
    agreement: ServiceAgreement,
    *,
    leave_out: Collection[date] = (),
    by_account_id: int | None,
    identity: str,
) -> None:
    """Hold the room from now to the end of the period, but on the days to ``leave_out``. Twice is fine.

    Raises Conflict ``agreement_settled`` for one that has ended; ``room_taken`` naming every day (``details.days``) on which somebody else
    has the room and which is not left out; ``agreement_empty`` when nothing would be left to hold; ``agreement_unfit``.
    """
    if agreement.lock().state is AgreementState.IN_FORCE:
        return
    if agreement.state is AgreementState.ENDED:
        raise Conflict("agreement_settled", "这份协议已经结束，要继续请另签一份")
    if agreement.venue.spaces:
        lock_spaces([agreement.venue])  # nobody takes a day between the look and the hold
    days = [day for day in look(session, agreement.venue, agreement.terms) if day.on not in leave_out]
    _must_be_free(agreement, days)
    holds = [
        ServiceHold(key=new_key(), agreement_id=agreement.id, starts_at=day.starts_at, ends_at=day.ends_at)
        for day in days
        if day.can_be_held
    ]
    if not holds:
        raise Conflict("agreement_empty", "这份协议没有可以使用的时段，请检查期限、时段和要跳过的日期")
    session.add_all(holds)
    occupy_each(
        session,
        agreement.venue,
        [Hold(hold.starts_at, hold.ends_at, hold.key) for hold in holds],
        purpose=Purpose.SERVICE,
    )
    agreement.state, agreement.in_force_at = AgreementState.IN_FORCE, clock.now()
    enter(
        session,
        "service_agreement.put_in_force",
        agreement,
        by_account_id=by_account_id,
        identity=identity,
        details={"left_out": sorted({day.isoformat() for day in leave_out})},
    )
    session.flush()


def let_go_of(session: Session, hold: ServiceHold, *, by_account_id: int | None, identity: str) -> None:
    """Let one block of one day go, for whoever needs the room then; the promise stays as it is.

    Raises Conflict ``hold_begun`` for one that has begun.
    """
    hold.agreement.lock()
    if hold.starts_at <= clock.now():
        raise Conflict("hold_begun", "这个时段已经开始，不能再让出")
    enter(
        session,
        "service_agreement.day_let_go",
        hold.agreement,
        by_account_id=by_account_id,
        identity=identity,
        details={"starts_at": hold.starts_at.isoformat()},
    )
    vacate(session, [hold.key])
    session.delete(hold)
    session.flush()


def end_agreement(
    session: Session, agreement: ServiceAgreement, because: str, *, by_account_id: int | None, identity: str
) -> None:
    """From this moment on the room is free again; what was, stays, and so does what has begun. Twice is fine."""
    if agreement.lock().state is AgreementState.ENDED:
        return
    to_come = session.scalars(
        select(ServiceHold).where(
            ServiceHold.agreement_id == agreement.id, ServiceHold.starts_at > clock.now()
        )
    ).all()
    vacate(session, [hold.key for hold in to_come])
    for hold in to_come:
        session.delete(hold)
    agreement.state, agreement.ended_at, agreement.end_reason = AgreementState.ENDED, clock.now(), because
    enter(
        session,
        "service_agreement.ended",
        agreement,
        by_account_id=by_account_id,
        identity=identity,
        details={"let_go": len(to_come)},
    )
    session.flush()


def _must_be_free(agreement: ServiceAgreement, days: Collection[BlockDay]) -> None:
    taken = sorted({day.on for day in days if day.is_taken})
    if not taken:
        return
    named = "、".join(f"{on.month}月{on.day}日" for on in taken[:5]) + ("等" if len(taken) > 5 else "")
    message = f"“{agreement.venue.name}”{named}已被占用，请选择跳过这些天，或改时间"
    raise Conflict(
        "room_taken",
        message,
        details={"venue": agreement.venue.key, "days": [on.isoformat() for on in taken]},
        faults=[Fault("leave_out", message)],
    )
