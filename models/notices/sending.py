"""Sending (发送): the verbs of the worker that empties the outbox.

A worker claims rows (``SKIP LOCKED`` on PostgreSQL), commits, sends, and writes the outcomes. One person has at most one message
under way, whoever sends (WeChat answers 43108 otherwise): the claim locks the accounts. A person hears of things in the order they
were owed in: what is tried again later holds back what came after it. What waited for the morning goes out in order, several of a kind
to one person as one. A row claimed by a worker that died is ``unknown``: it may have arrived, so it is shown to staff and never sent
again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, literal_column, or_, select, update
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account
from models.notices.catalogue import MOMENTS
from models.notices.outbox import Delivery, Notice
from models.policies import policies_at
from models.residents import Resident

LEASE = timedelta(minutes=2)
TOO_LATE = "too_late"  # its news is no longer worth sending
LOOK_FURTHER = 4  # how many times the wanted number are looked at, because several may be for one person; then again so many times

# literals, not parameters: only so can PostgreSQL see that a partial index fits
_OWED: ColumnElement[Any] = literal_column("'owed'")
_SENDING: ColumnElement[Any] = literal_column("'sending'")
_SENT: ColumnElement[Any] = literal_column("'sent'")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A notice taken by this worker, and how many others of its kind are told with it."""

    notice: Notice
    others: int


@dataclass(frozen=True, slots=True)
class Ending:
    """How a claimed notice ended; with ``due_at`` it did not arrive and goes out again then."""

    notice_id: int
    delivery: Delivery
    outcome: str = ""
    due_at: datetime | None = None


def claim_due(session: Session, *, worker: str, most: int) -> list[Claimed]:
    """Take up to ``most`` notices that are due, for this worker alone, one a person. Commit before sending.

    What is no longer worth sending, over a person's day's most, or told with another, is settled here.
    """
    now = clock.now()
    queues = _queues_of(session, _whose_turn(session, now, most=most), now)
    first = {account_id: queue[0] for account_id, queue in queues.items()}
    told_with = {account_id: _waited_with(queue) for account_id, queue in queues.items()}
    over = _over_the_days_most(session, first.values(), now)
    for account_id in over:
        told_with.pop(account_id)
        settle_owed(session, [first.pop(account_id)], Delivery.CAPPED)
    for account_id, others in told_with.items():
        # what becomes of the one they are told with is what becomes of them (models.ladder)
        settle_owed(session, others, Delivery.MERGED, outcome=first[account_id].key)
    return [
        Claimed(notice, len(told_with[notice.account_id]))
        for notice in _take(session, first.values(), worker, now)
    ]


def _whose_turn(session: Session, now: datetime, *, most: int) -> list[int]:
    """Up to so many accounts to whom something is due and nothing is under way, locked against other workers.

    What came due before the last try of an earlier one, which waits for its next, is not due yet. Plain statements on one index each,
    and no joins: the outbox is nearly empty whenever the database takes its statistics, and a plan made for an empty one takes minutes
    when it is full.
    """
    in_hand = set(session.scalars(select(Notice.account_id).where(Notice.delivery == _SENDING)))
    waiting = _tries_to_come(session, now)
    looked_at, turns, look = set(in_hand), list[int](), most * LOOK_FURTHER
    while True:
        due = session.execute(
            select(Notice.account_id, Notice.id, Notice.due_at)
            .where(Notice.delivery == _OWED, Notice.due_at <= now)
            .order_by(Notice.due_at, Notice.id)
            .limit(look)
        ).all()
        candidates = dict.fromkeys(
            account_id
            for account_id, notice_id, due_at in due
            if account_id not in looked_at
            and not any(
                earlier < notice_id and tried_at >= due_at
                for earlier, tried_at in waiting.get(account_id, ())
            )
        )
        while candidates and len(turns) < most:
            some = list(candidates)[: most - len(turns)]
            turns += _take_hold(session, some)
            looked_at.update(some)
            for account_id in some:
                del candidates[account_id]
        if len(turns) == most or len(due) < look:
            return turns
        look *= LOOK_FURTHER


def _tries_to_come(session: Session, now: datetime) -> dict[int, list[tuple[int, datetime]]]:
    """What was tried before and waits for its next try, by account: the notice, and when it was tried last."""
    waiting: dict[int, list[tuple[int, datetime]]] = {}
    for account_id, notice_id, tried_at in session.execute(
        select(Notice.account_id, Notice.id, Notice.claimed_at).where(
            Notice.delivery == _OWED, Notice.due_at > now, Notice.attempts > 0
        )
    ):
        if tried_at is not None:
            waiting.setdefault(account_id, []).append((notice_id, tried_at))
    return waiting


def _take_hold(session: Session, account_ids: Sequence[int]) -> list[int]:
    """Lock those of the accounts that no other worker holds, and that have nothing under way; in the same order."""
    held = set(
        session.scalars(
            select(Account.id)
            .where(Account.id.in_(account_ids))
            .with_for_update(skip_locked=True, key_share=True)
        )
    )
    held -= _in_hand_of(session, held)
    return [account_id for account_id in account_ids if account_id in held]


def _queues_of(session: Session, account_ids: Sequence[int], now: datetime) -> dict[int, list[Notice]]:
    """What goes out to each of these accounts, which are locked, in the order it was owed in; nobody without anything due.

    What was tried before and waits for its next try goes before whatever is newer. What is no longer worth sending is settled.
    """
    queues: dict[int, list[Notice]] = {account_id: [] for account_id in account_ids}
    theirs = session.scalars(
        select(Notice)
        .where(
            Notice.account_id.in_(account_ids),
            Notice.delivery == _OWED,
            or_(Notice.due_at <= now, Notice.attempts > 0),
        )
        .order_by(Notice.id)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    settle_owed(
        session, [notice for notice in theirs if notice.worth_until <= now], Delivery.STALE, outcome=TOO_LATE
    )
    for notice in theirs:
        if notice.worth_until > now:
            queues[notice.account_id].append(notice)
    return {
        account_id: queue
        for account_id, queue in queues.items()
        if any(notice.due_at <= now for notice in queue)
    }


def _in_hand_of(session: Session, account_ids: Collection[int]) -> set[int]:
    """Those of the locked accounts that have something under way after all.

    Another worker may have claimed and committed between the first look and the lock.
    """
    return set(
        session.scalars(
            select(Notice.account_id).where(Notice.account_id.in_(account_ids), Notice.delivery == _SENDING)
        )
    )


def _waited_with(queue: Sequence[Notice]) -> list[Notice]:
    """The later ones of the same kind as the first of a person's queue that waited for the same morning."""
    first, *others = queue
    if first.due_at <= first.created_at or first.attempts:
        return []
    return [
        other
        for other in others
        if other.kind is first.kind and other.due_at > other.created_at and not other.attempts
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
    most_at = cache(lambda region_id: policies_at(session, region_id).messages_a_day)
    return [account_id for account_id, home_id, count in counted if count >= most_at(home_id)]


def _take(session: Session, notices: Collection[Notice], worker: str, now: datetime) -> list[Notice]:
    """Those of the notices that are still owed, now this worker's."""
    taken = session.scalars(
        update(Notice)
        .where(Notice.id.in_([notice.id for notice in notices]), Notice.delivery == Delivery.OWED)
        .values(delivery=Delivery.SENDING, claimed_at=now, claimed_by=worker, attempts=Notice.attempts + 1)
        .returning(Notice)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return sorted(taken, key=lambda notice: notice.id)


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
    """Write down how one claimed notice ended; see ``settle_all``."""
    settle_all(session, [Ending(notice_id, delivery, outcome)])


def put_back(session: Session, notice_id: int, *, due_at: datetime, outcome: str) -> None:
    """A claimed notice that surely did not arrive goes out again later; see ``settle_all``."""
    settle_all(session, [Ending(notice_id, Delivery.OWED, outcome, due_at)])


def settle_all(session: Session, endings: Sequence[Ending]) -> set[int]:
    """Write down how claimed notices ended, or that they go out again; the ids of those that were still under way.

    The others were settled meanwhile and stay as they are.
    """
    held = set(
        session.scalars(
            select(Notice.id)
            .where(Notice.id.in_([each.notice_id for each in endings]), Notice.delivery == Delivery.SENDING)
            .order_by(Notice.id)
            .with_for_update(key_share=True)
        )
    )
    now = clock.now()
    ended = [
        {"of": each.notice_id, "how": each.delivery, "said": each.outcome[:80] or None, "at": now}
        for each in endings
        if each.notice_id in held and each.due_at is None
    ]
    again = [
        {"of": each.notice_id, "said": each.outcome[:80] or None, "at": each.due_at}
        for each in endings
        if each.notice_id in held and each.due_at is not None
    ]
    one = update(Notice).where(Notice.id == bindparam("of"))
    if ended:
        session.connection().execute(
            one.values(delivery=bindparam("how"), outcome=bindparam("said"), settled_at=bindparam("at")),
            ended,
        )
    if again:  # when it was last in hand stays written: what came due before then waits for it
        session.connection().execute(
            one.values(
                delivery=Delivery.OWED, outcome=bindparam("said"), due_at=bindparam("at"), claimed_by=None
            ),
            again,
        )
    return held


def give_up_on_the_dead(session: Session) -> int:
    """Notices claimed longer than ``LEASE`` ago by a worker that never came back: nobody knows, so nobody sends again."""
    lost = session.execute(
        update(Notice)
        .where(Notice.delivery == Delivery.SENDING, Notice.claimed_at < clock.now() - LEASE)
        .values(delivery=Delivery.UNKNOWN, outcome="worker_lost", settled_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    return int(lost.rowcount)  # type: ignore[attr-defined,unused-ignore]  # an UPDATE's result always counts rows
