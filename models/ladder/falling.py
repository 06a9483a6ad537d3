"""Falling (下一级): what WeChat could not tell goes one rung down, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, TextClause, select, update
from sqlalchemy.orm import Session

from models import clock
from models.ladder.short_messages import insert_owed
from models.notices import Delivery, Notice
from models.notices.outbox import TO_PASS_ON
from models.notices.outcomes import STILL_WANTED
from models.residents import Resident

# longer than a late grant may still bring a notice back to WeChat, by more than clocks differ: nothing goes both ways
WAITS_FOR = STILL_WANTED + timedelta(minutes=1)


def pass_on(session: Session, *, most: int) -> int:
    """Owe short messages for up to ``most`` notices that must arrive, did not, and will not any more; how many notices.

    What was told with one of them as a single message falls with it. One that was read in the inbox stays there. Two workers at once
    pass on different ones (``SKIP LOCKED`` on PostgreSQL), and who is just leaving is passed over.
    """
    now = clock.now()
    too_late = (TO_PASS_ON, Notice.settled_at < now - WAITS_FOR)
    rows = session.execute(
        select(Notice, Resident)
        .join(Resident, Resident.account_id == Notice.account_id)
        .where(*too_late)
        .order_by(Notice.settled_at, Notice.id)
        .limit(most)
        .with_for_update(of=[Notice, Resident], skip_locked=True, key_share=True)
    ).all()
    people = {notice.account_id: person for notice, person in rows}
    fallen = [notice for notice, _ in rows]
    falling = [*fallen, *_told_with(session, fallen)]
    insert_owed(
        session.connection(),
        [
            {
                "kind": notice.kind,
                "subject_key": notice.subject_key,
                "dedupe_key": notice.dedupe_key,
                "facts": notice.facts,
                "created_at": notice.created_at,
                "due_at": now,
                "resident_id": people[notice.account_id].id,
                "region_id": people[notice.account_id].home_region_id,
                "notice_id": notice.id,
            }
            for notice in falling
            if people[notice.account_id].has_home  # whoever has a seat has said where home is
        ],
    )
    ended = [notice.id for notice in falling] or _to_nobody(session, most=most, too_late=too_late)
    if ended:
        session.execute(
            update(Notice)
            .where(Notice.id.in_(ended))
            .values(passed_on_at=now)
            .execution_options(synchronize_session=False)
        )
    return len(ended)


def _to_nobody(session: Session, *, most: int, too_late: tuple[TextClause, ColumnElement[bool]]) -> list[int]:
    """Notices to accounts that are nobody here any more: there is nobody to tell, so they end."""
    whose = select(Resident.id).where(Resident.account_id == Notice.account_id)
    return list(session.scalars(select(Notice.id).where(*too_late, ~whose.exists()).limit(most)))


def _told_with(session: Session, fallen: Sequence[Notice]) -> Sequence[Notice]:
    """The notices that were merged into one of these, and so were not told either."""
    return session.scalars(
        select(Notice).where(
            Notice.account_id.in_({notice.account_id for notice in fallen}),
            Notice.delivery == Delivery.MERGED,
            Notice.outcome.in_([notice.key for notice in fallen]),
            Notice.must_arrive,
            Notice.read_at.is_(None),
            Notice.passed_on_at.is_(None),
        )
    ).all()
