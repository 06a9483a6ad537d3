"""Sending (发送): the verbs of the worker that empties the outbox.

A worker claims rows (``SKIP LOCKED`` on PostgreSQL), commits, sends, and writes the outcomes. One person has at most one message
under way, whoever sends (WeChat answers 43108 otherwise): the claim locks the accounts. What waited for the morning goes out in
order, several of a kind to one person as one. A row claimed by a worker that died is ``unknown``: it may have arrived, so it is shown
to staff and never sent again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select, update
from sqlalchemy.orm import Session, aliased

from models import clock
from models.accounts import Account
from models.notices.catalogue import MOMENTS
from models.notices.outbox import Delivery, Notice
from models.policies import RULES, policies_at
from models.residents import Resident

LEASE = timedelta(minutes=2)
TOO_LATE = "too_late"  # its news is no longer worth sending
LOOK_FURTHER = 4  # how many times the wanted number are looked at, because several may be for one person

# literals, not parameters: only so can PostgreSQL see that a partial index fits
_OWED: ColumnElement[Any] = literal_column("'owed'")
_SENDING: ColumnElement[Any] = literal_column("'sending'")
_SENT: ColumnElement[Any] = literal_column("'sent'")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A notice taken by this worker, and how many others of its kind are told with it."""

    notice: Notice
    others: int


def claim_due(session: Session, *, worker: str, most: int) -> list[Claimed]:
    """Take up to ``most`` notices that are due, for this worker alone, one a person. Commit before sending.

    What is no longer worth sending, over a person's day's most, or told with another, is settled here.
    """
    now = clock.now()
    due = _due(session, now, most=most * LOOK_FURTHER)
    late = [notice for notice in due if notice.worth_until <= now]
    settle_owed(session, late, Delivery.STALE, outcome=TOO_LATE)
    due = [notice for notice in due if notice.worth_until > now]
    first: dict[int, Notice] = {}
    for notice in due:
        if len(first) < most:
            first.setdefault(notice.account_id, notice)
    told_with = {account_id: _waited_with(notice, due) for account_id, notice in first.items()}
    over = _over_the_days_most(session, first.values(), now)
    for account_id in over:
        told_with.pop(account_id)
        settle_owed(session, [first.pop(account_id)], Delivery.CAPPED)
    settle_owed(session, [other for others in told_with.values() for other in others], Delivery.MERGED)
    return [
        Claimed(notice, len(told_with[notice.account_id]))
        for notice in _take(session, first.values(), worker, now)
    ]


def _due(session: Session, now: datetime, *, most: int) -> list[Notice]:
    """What is due of everybody who has nothing under way, their accounts locked against other workers."""
    in_hand = aliased(Notice)
    return list(
        session.scalars(
            select(Notice)
            .join(Account, Account.id == Notice.account_id)
            .where(
                Notice.delivery == _OWED,
                Notice.due_at <= now,
                ~select(in_hand.id)
                .where(in_hand.account_id == Notice.account_id, in_hand.delivery == _SENDING)
                .exists(),
            )
            .order_by(Notice.due_at, Notice.id)
            .limit(most)
            .with_for_update(of=[Notice, Account], skip_locked=True, key_share=True)
        )
    )


def _waited_with(first: Notice, due: Sequence[Notice]) -> list[Notice]:
    """The later ones of the same kind to the same person that waited for the same morning."""
    if first.due_at <= first.created_at or first.attempts:
        return []
    return [
        other
        for other in due
        if other.account_id == first.account_id
        and other.kind is first.kind
        and other.id != first.id
        and other.due_at > other.created_at
        and not other.attempts
    ]


def _over_the_days_most(session: Session, notices: Iterable[Notice], now: datetime) -> list[int]:
    """The accounts that had a day's most already, and of whom this one is not urgent."""
    ordinary = [notice.account_id for notice in notices if not notice.moment.urgent]
    if not ordinary:
        return []
    midnight = datetime.combine(clock.in_town(now).date(), time(), clock.TOWN_ZONE)
    counted = session.execute(
        select(Notice.account_id, Resident.home_region_id, func.count())
        .outerjoin(Resident, Resident.account_id == Notice.account_id)
        .where(
            Notice.account_id.in_(ordinary),
            Notice.delivery == _SENT,
            Notice.settled_at >= midnight,
            Notice.kind.in_([moment.kind for moment in MOMENTS.values() if not moment.urgent]),
        )
        .group_by(Notice.account_id, Resident.home_region_id)
    )
    by_default = int(RULES["messages_a_day"].default)
    most_at = cache(lambda region_id: policies_at(session, region_id).messages_a_day)
    return [
        account_id
        for account_id, home_id, count in counted
        if count >= (most_at(home_id) if home_id else by_default)
    ]


def _take(session: Session, notices: Collection[Notice], worker: str, now: datetime) -> list[Notice]:
    """Those of the notices that are still owed, now this worker's."""
    taken = session.scalars(
        update(Notice)
        .where(Notice.id.in_([notice.id for notice in notices]), Notice.delivery == Delivery.OWED)
        .values(delivery=Delivery.SENDING, claimed_at=now, claimed_by=worker, attempts=Notice.attempts + 1)
        .returning(Notice.id)
        .execution_options(synchronize_session=False)
    ).all()
    return list(
        session.scalars(
            select(Notice)
            .where(Notice.id.in_(taken))
            .order_by(Notice.id)
            .execution_options(populate_existing=True)
        )
    )


def settle_owed(
    session: Session, notices: Sequence[Notice], delivery: Delivery, *, outcome: str | None = None
) -> None:
    """End notices nobody will send; ``outcome`` says why, where that is more than the state."""
    if notices:
        session.execute(
            update(Notice)
            .where(Notice.id.in_([notice.id for notice in notices]))
            .values(
                {
                    Notice.delivery: delivery,
                    Notice.settled_at: clock.now(),
                    **({Notice.outcome: outcome} if outcome else {}),
                }
            )
            .execution_options(synchronize_session=False)
        )


def settle(session: Session, notice_id: int, delivery: Delivery, *, outcome: str = "") -> None:
    """Write down how a claimed notice ended. One that was settled meanwhile stays as it is."""
    session.execute(
        update(Notice)
        .where(Notice.id == notice_id, Notice.delivery == Delivery.SENDING)
        .values(delivery=delivery, outcome=outcome[:80] or None, settled_at=clock.now())
        .execution_options(synchronize_session=False)
    )


def put_back(session: Session, notice_id: int, *, due_at: datetime, outcome: str) -> None:
    """A claimed notice that surely did not arrive goes out again later."""
    session.execute(
        update(Notice)
        .where(Notice.id == notice_id, Notice.delivery == Delivery.SENDING)
        .values(delivery=Delivery.OWED, due_at=due_at, outcome=outcome[:80], claimed_at=None, claimed_by=None)
        .execution_options(synchronize_session=False)
    )


def give_up_on_the_dead(session: Session) -> int:
    """Notices claimed longer than ``LEASE`` ago by a worker that never came back: nobody knows, so nobody sends again."""
    lost = session.execute(
        update(Notice)
        .where(Notice.delivery == Delivery.SENDING, Notice.claimed_at < clock.now() - LEASE)
        .values(delivery=Delivery.UNKNOWN, outcome="worker_lost", settled_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    return int(lost.rowcount)  # type: ignore[attr-defined,unused-ignore]  # an UPDATE's result always counts rows
