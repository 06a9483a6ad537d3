"""Calling off (停用一次): what becomes of one block of one day when the room is needed otherwise, and how the unit hears of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from models import clock
from models.agreements.rows import ServiceHold
from models.agreements.standing import let_go_of
from models.agreements.telling import members_of
from models.journal import enter
from models.notices import Debt, Notice, NoticeKind, goes_out_at, owe_once
from models.occupancy import Purpose, occupy, vacate


def call_off_hold(
    session: Session, hold: ServiceHold, because: str, *, by_account_id: int | None, identity: str
) -> None:
    """Let one block of one day go for something that goes before it, and tell the unit's people why; the promise stays as it is.

    Raises as ``let_go_of``.
    """
    agreement, key, starts_at, ends_at = hold.agreement, hold.key, hold.starts_at, hold.ends_at
    let_go_of(session, hold, by_account_id=by_account_id, identity=identity)
    venue, now = agreement.venue, clock.now()
    owe_once(
        session.connection(),
        [
            Debt(
                NoticeKind.SERVICE_CALLED_OFF,
                subject_key=agreement.key,
                page_subject=agreement.key,
                account_ids=members_of(session, {agreement.partner_id}).get(agreement.partner_id, []),
                facts={
                    "room": venue.name,
                    "place": venue.full_name,
                    "starts_at": starts_at.isoformat(),
                    "ends": f"{clock.in_town(ends_at):%H:%M}",
                    "reason": because,
                },
                due_at=goes_out_at(session, NoticeKind.SERVICE_CALLED_OFF, venue.site.region_id, now),
                version=key,
            )
        ],
    )


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
        hold.agreement.venue,
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
