"""Warning (履约提醒): once a month, whoever promised service and whoever lent the room hear of what is behind (domain.md §6, M32)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.agreements.delivering import those_behind
from models.agreements.telling import members_of
from models.notices import Debt, Notice, NoticeKind, goes_out_at, owe_once
from models.regions import Region
from models.staff import OFFICE, RoleGrant, StaffMember


def owe_warnings(session: Session, now: datetime) -> int:
    """Owe the word of this month about every agreement that is behind, to each reader once; how many are new."""
    today = clock.in_town(now).date()
    behind = those_behind(session, today)
    if not behind:
        return 0
    staff = _offices(session)
    members = members_of(session, {agreement.partner_id for agreement, _, _ in behind})
    return owe_once(
        session.connection(),
        [
            Debt(
                NoticeKind.SERVICE_BEHIND,
                subject_key=agreement.key,
                page_subject=agreement.key,
                account_ids=sorted({*members.get(agreement.partner_id, ()), *_over(staff, path)}),
                facts={"agreement": agreement.title, "hours": math.ceil(hours)},
                due_at=goes_out_at(session, NoticeKind.SERVICE_BEHIND, agreement.venue.site.region_id, now),
                version=f"{today:%Y%m}",
            )
            for agreement, path, hours in behind
        ],
    )


def those_still_behind(session: Session, notices: Sequence[Notice]) -> set[int]:
    """The ids of those of these notices whose agreement is still behind, and whose readers still have to do with it."""
    behind = {
        agreement.key: (agreement, path)
        for agreement, path, _ in those_behind(session, clock.today())
        if agreement.key in {notice.subject_key for notice in notices}
    }
    staff = _offices(session)
    members = members_of(session, {agreement.partner_id for agreement, _ in behind.values()})
    concerned = {
        key: {*members.get(agreement.partner_id, ()), *_over(staff, path)}
        for key, (agreement, path) in behind.items()
    }
    return {notice.id for notice in notices if notice.account_id in concerned.get(notice.subject_key, ())}


def _offices(session: Session) -> list[tuple[str, int]]:
    """Where somebody runs an office now, and with which account."""
    rows = session.execute(
        select(Region.path, StaffMember.account_id)
        .join(RoleGrant, RoleGrant.region_id == Region.id)
        .join(StaffMember, StaffMember.id == RoleGrant.staff_member_id)
        .where(
            StaffMember.left_at.is_(None),
            StaffMember.account_id.is_not(None),
            RoleGrant.role.in_(OFFICE),
            RoleGrant.is_live_at(clock.now()),
        )
    )
    return [(path, account_id) for path, account_id in rows if account_id is not None]


def _over(offices: Sequence[tuple[str, int]], path: str) -> set[int]:
    return {account_id for office, account_id in offices if path.startswith(office)}
