"""Calling off and moving (停用一次 · 改一次): what becomes of one block of one day when the room is needed otherwise, and how the unit hears of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.agreements.rows import ServiceAgreement, ServiceHold
from models.agreements.standing import let_go_of
from models.base import new_key
from models.errors import Conflict
from models.journal import enter
from models.notices import Debt, Notice, NoticeKind, goes_out_at, owe_once
from models.occupancy import Purpose, occupy, vacate
from models.partners import PartnerMember, members_of
from models.sites import Venue


def call_off_hold(
    session: Session, hold: ServiceHold, because: str, *, by_account_id: int | None, identity: str
) -> None:
    """Let one block of one day go for something that goes before it, and tell the unit's people why; the promise stays as it is.

    Raises as ``let_go_of``.
    """
    facts = _facts(hold, because)
    owed = hold.agreement, hold.key, hold.venue
    let_go_of(session, hold, by_account_id=by_account_id, identity=identity)
    _tell(session, NoticeKind.SERVICE_CALLED_OFF, *owed, facts)


def move_hold(
    session: Session,
    hold: ServiceHold,
    venue: Venue,
    starts_at: datetime,
    ends_at: datetime,
    because: str,
    *,
    by_account_id: int | None,
    identity: str,
) -> None:
    """Give one block of one day another room or another time of it, and tell the unit's people; the promise stays as it is.

    Raises Conflict ``hold_begun`` for one that has begun, and ``room_taken``.
    """
    agreement = hold.agreement.lock()
    if hold.starts_at <= clock.now():
        raise Conflict("hold_begun", "这个时段已经开始，不能再改")
    facts = _facts(hold, because)
    vacate(session, [hold.key])
    hold.elsewhere = None if venue.id == agreement.venue_id else venue
    hold.starts_at, hold.ends_at = starts_at, ends_at
    session.flush()
    occupy(
        session,
        venue,
        starts_at=starts_at,
        ends_at=ends_at,
        purpose=Purpose.SERVICE,
        holder_key=hold.key,
    )
    enter(
        session,
        "service_agreement.day_moved",
        agreement,
        by_account_id=by_account_id,
        identity=identity,
        details={
            "from": {"starts_at": facts["starts_at"], "venue": facts["room"]},
            "to": {"starts_at": starts_at.isoformat(), "venue": venue.name},
            "because": because,
        },
    )
    to = f"{venue.name} {clock.in_town(starts_at):%H:%M}-{clock.in_town(ends_at):%H:%M}"
    _tell(
        session,
        NoticeKind.SERVICE_MOVED,
        agreement,
        new_key(),  # each move is told, also back and there again
        venue,
        {**facts, **_standing(hold), "to": to, "remark": f"改到{to}"},
    )
    session.flush()


def cut_hold(
    session: Session,
    hold: ServiceHold,
    at: datetime,
    because: str,
    *,
    by_account_id: int | None,
    identity: str,
) -> None:
    """End a block that goes on at a moment, the room let go from then on, and tell the unit's people, who are there now."""
    hold.agreement.lock()
    if not hold.starts_at < at < hold.ends_at:
        return
    facts = _facts(hold, because)
    vacate(session, [hold.key])
    hold.ends_at = at
    session.flush()
    occupy(
        session,
        hold.venue,
        starts_at=hold.starts_at,
        ends_at=at,
        purpose=Purpose.SERVICE,
        holder_key=hold.key,
    )
    enter(
        session,
        "service_agreement.day_cut_short",
        hold.agreement,
        by_account_id=by_account_id,
        identity=identity,
        details={"starts_at": hold.starts_at.isoformat(), "because": because},
    )
    until = {"until": f"{clock.in_town(at):%H:%M}"}
    _tell(
        session,
        NoticeKind.SERVICE_CUT_SHORT,
        hold.agreement,
        new_key(),
        hold.venue,
        {**facts, **_standing(hold), **until},
    )
    session.flush()


def those_still_called_off(session: Session, notices: Sequence[Notice]) -> set[int]:
    """The ids of those of these notices whose block would still be to come, as it is not given back, and whose readers still act for the unit."""
    now = clock.now()
    acting = _acting(session, notices)
    return {
        notice.id
        for notice in notices
        if (notice.subject_key, notice.account_id) in acting
        and datetime.fromisoformat(str(notice.facts["starts_at"])) > now
    }


def those_still_moved(session: Session, notices: Sequence[Notice]) -> set[int]:
    """The ids of those of these notices whose block is to come where and when they say, and whose readers still act for the unit."""
    now = clock.now()
    return {notice.id for hold, notice in _as_told(session, notices) if hold.starts_at > now}


def those_still_cut_short(session: Session, notices: Sequence[Notice]) -> set[int]:
    """The ids of those of these notices whose block ends as they say, and whose readers still act for the unit."""
    return {notice.id for _, notice in _as_told(session, notices)}


def _as_told(session: Session, notices: Sequence[Notice]) -> list[tuple[ServiceHold, Notice]]:
    """Those of these notices whose block stands as they say and whose readers still act for the unit, each with its block."""
    blocks = session.scalars(
        select(ServiceHold)
        .options(
            joinedload(ServiceHold.elsewhere),
            joinedload(ServiceHold.agreement).joinedload(ServiceAgreement.venue),
        )
        .where(ServiceHold.key.in_({notice.facts.get("block") for notice in notices}))
    )
    found = {block.key: block for block in blocks}
    acting = _acting(session, notices)
    return [
        (block, notice)
        for notice in notices
        if (block := found.get(str(notice.facts.get("block")))) is not None
        and _standing(block).items() <= notice.facts.items()
        and (notice.subject_key, notice.account_id) in acting
    ]


def _acting(session: Session, notices: Sequence[Notice]) -> set[tuple[str, int]]:
    """Who acts for the unit of which of the agreements these notices are about, by the agreement's key."""
    rows = session.execute(
        select(ServiceAgreement.key, PartnerMember.account_id)
        .join(PartnerMember, PartnerMember.partner_id == ServiceAgreement.partner_id)
        .where(
            ServiceAgreement.key.in_({notice.subject_key for notice in notices}),
            PartnerMember.left_at.is_(None),
        )
    )
    return {(key, account_id) for key, account_id in rows}


def _standing(hold: ServiceHold) -> dict[str, str | int]:
    """Which block it is, and where and when, so that it is known later whether that is so still."""
    return {
        "block": hold.key,
        "block_at": hold.venue.key,
        "block_from": int(hold.starts_at.timestamp()),
        "block_until": int(hold.ends_at.timestamp()),
    }


def _facts(hold: ServiceHold, because: str) -> dict[str, str]:
    """Where and when it is before anything becomes of it."""
    return {
        "room": hold.venue.name,
        "place": hold.venue.full_name,
        "starts_at": hold.starts_at.isoformat(),
        "ends": f"{clock.in_town(hold.ends_at):%H:%M}",
        "reason": because,
    }


def _tell(
    session: Session,
    kind: NoticeKind,
    agreement: ServiceAgreement,
    version: str,
    venue: Venue,
    facts: Mapping[str, str | int],
) -> None:
    owe_once(
        session.connection(),
        [
            Debt(
                kind,
                subject_key=agreement.key,
                page_subject=agreement.key,
                account_ids=members_of(session, {agreement.partner_id}).get(agreement.partner_id, []),
                facts=dict(facts),
                due_at=goes_out_at(session, kind, venue.site.region_id, clock.now()),
                version=version,
            )
        ],
    )
