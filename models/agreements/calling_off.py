"""Calling off and moving (停用一次 · 改一次): what becomes of one block of one day when the room is needed otherwise, and how the unit hears of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from models import clock
from models.agreements.rows import ServiceAgreement, ServiceHold
from models.agreements.standing import let_go_of
from models.errors import Conflict
from models.journal import enter
from models.notices import Debt, Notice, NoticeKind, goes_out_at, owe_once
from models.occupancy import Purpose, occupy, vacate
from models.partners import members_of
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
    version = f"{hold.key}:{venue.id}:{starts_at.isoformat()}"
    _tell(
        session,
        NoticeKind.SERVICE_MOVED,
        agreement,
        version,
        venue,
        {**facts, "to": to, "remark": f"改到{to}"},
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
    """End a block that goes on at a moment, the room let go from then on."""
    hold.agreement.lock()
    if not hold.starts_at < at < hold.ends_at:
        return
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
    session.flush()


def those_still_ahead(session: Session, notices: Sequence[Notice]) -> set[int]:
    """The ids of those of these notices whose block would still be to come: what is called off is not given back."""
    now = clock.now()
    return {notice.id for notice in notices if datetime.fromisoformat(str(notice.facts["starts_at"])) > now}


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
    facts: Mapping[str, str],
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
