"""Announcing (告知): everybody is told once when the text they agreed to has a new version (domain.md §6, M30).

Nothing of theirs changes; only what is new waits until they agree. Who took the agreement back is not asked again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased

from models import clock
from models.accounts import Account
from models.consents import PRIVACY_POLICY, Consent
from models.notices.catalogue import NoticeKind
from models.notices.outbox import Debt, Notice, goes_out_at, owe_once
from models.residents import Resident


def not_yet_told(session: Session, *, most: int) -> list[int]:
    """Up to ``most`` accounts whose standing agreement is to an older privacy policy, and who were not told of the one in force."""
    return list(
        session.scalars(
            select(Account.id)
            .where(
                Account.closed_at.is_(None),
                _agreed_to_an_older_one(),
                ~select(Notice.id)
                .where(
                    Notice.account_id == Account.id,
                    Notice.kind == NoticeKind.POLICY_CHANGED,
                    Notice.subject_key == PRIVACY_POLICY.version,
                )
                .exists(),
            )
            .order_by(Account.id)
            .limit(most)
        )
    )


def announce_policy(session: Session, account_ids: Collection[int]) -> int:
    """Tell these accounts of the privacy policy in force, in the morning if it is night; how many had not been told."""
    version, now = PRIVACY_POLICY.version, clock.now()
    rows = session.execute(
        select(Account.id, Resident.home_region_id)
        .outerjoin(Resident, Resident.account_id == Account.id)
        .where(Account.id.in_(account_ids), Account.closed_at.is_(None))
    ).all()
    due_at = cache(lambda region_id: goes_out_at(session, NoticeKind.POLICY_CHANGED, region_id, now))
    return owe_once(
        session.connection(),
        [
            Debt(
                NoticeKind.POLICY_CHANGED,
                subject_key=version,
                page_subject=version,
                account_ids=[row.id],
                facts={"version": version, "told_at": now.isoformat()},
                due_at=due_at(row.home_region_id),
            )
            for row in rows
        ],
    )


def still_true(session: Session, notices: Sequence[Notice]) -> set[int]:
    """The ids of those of these notices whose people have still not agreed to the version in force, which is the one they are told of."""
    theirs = set(
        session.scalars(
            select(Account.id).where(
                Account.id.in_({notice.account_id for notice in notices}), _agreed_to_an_older_one()
            )
        )
    )
    return {
        notice.id
        for notice in notices
        if notice.account_id in theirs and notice.subject_key == PRIVACY_POLICY.version
    }


def _agreed_to_an_older_one() -> ColumnElement[bool]:
    older, current = aliased(Consent), aliased(Consent)
    standing = [
        (each.account_id == Account.id, each.kind == PRIVACY_POLICY.kind, each.withdrawn_at.is_(None))
        for each in (older, current)
    ]
    return (
        select(older.id).where(*standing[0], older.version != PRIVACY_POLICY.version).exists()
        & ~select(current.id).where(*standing[1], current.version == PRIVACY_POLICY.version).exists()
    )
