"""Falling (下一级): what WeChat could not tell goes one rung down, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select, update
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
    pass on different ones (``SKIP LOCKED`` on PostgreSQL).
    """
    fallen = session.scalars(
        select(Notice)
        .where(TO_PASS_ON, Notice.settled_at < clock.now() - WAITS_FOR)
        .order_by(Notice.settled_at, Notice.id)
        .limit(most)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    if not fallen:
        return 0
    falling = [*fallen, *_told_with(session, fallen)]
    people = {
        person.account_id: person
        for person in session.execute(
            select(Resident.account_id, Resident.id, Resident.home_region_id).where(
                Resident.account_id.in_({notice.account_id for notice in falling})
            )
        )
    }
    now = clock.now()
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
                "resident_id": person.id,
                "region_id": person.home_region_id,
                "notice_id": notice.id,
            }
            for notice in falling
            # who left is nobody to tell, and whoever has a seat has said where home is
            if (person := people.get(notice.account_id)) is not None and person.home_region_id is not None
        ],
    )
    session.execute(
        update(Notice)
        .where(Notice.id.in_([notice.id for notice in falling]))
        .values(passed_on_at=now)
        .execution_options(synchronize_session=False)
    )
    return len(falling)


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
