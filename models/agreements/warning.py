"""Warning (履约提醒): once a month, whoever promised service and whoever lent the room hear of what is behind (domain.md §6, M32)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from models import clock
from models.agreements.delivering import those_behind
from models.notices import Debt, Notice, NoticeKind, goes_out_at, owe_once
from models.partners import members_of
from models.staff import offices, over


def owe_warnings(session: Session, now: datetime) -> int:
    """Owe the word of this month about every agreement that is behind, to each reader once; how many are new."""
    today = clock.in_town(now).date()
    behind = those_behind(session, today)
    if not behind:
        return 0
    staff = offices(session)
    members = members_of(session, {agreement.partner_id for agreement, _, _ in behind})
    return owe_once(
        session.connection(),
        [
            Debt(
                NoticeKind.SERVICE_BEHIND,
                subject_key=agreement.key,
                page_subject=agreement.key,
                account_ids=sorted({*members.get(agreement.partner_id, ()), *over(staff, path)}),
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
    staff = offices(session)
    members = members_of(session, {agreement.partner_id for agreement, _ in behind.values()})
    concerned = {
        key: {*members.get(agreement.partner_id, ()), *over(staff, path)}
        for key, (agreement, path) in behind.items()
    }
    return {notice.id for notice in notices if notice.account_id in concerned.get(notice.subject_key, ())}
