"""Sending (发短信): the verbs of the worker that empties the rung of short messages, with the manners of the outbox.

A worker claims rows (``SKIP LOCKED`` on PostgreSQL), commits, sends, and writes the outcomes; one person has one message under way,
whoever sends. Nothing is sent in the quiet hours of the person's community unless the morning comes too late, more than its day's most
to a phone, or to a number that was found to be somebody else's. What ends without having told becomes a call in the same transaction.
A row claimed by a worker that died is ``unknown``: it may have arrived, so it is never sent again, and somebody calls.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, time, timedelta
from functools import cache

from sqlalchemy import ColumnElement, func, literal_column, select, update
from sqlalchemy.orm import Session, aliased, contains_eager, joinedload

from models import clock
from models.ladder.calls import owe_call, wrong_phones
from models.ladder.holding import hold_people
from models.ladder.short_messages import NOT_TOLD, ShortMessage, ShortMessageState
from models.notices import News, morning_in_time
from models.policies import Policies, policies_at
from models.residents import Resident, is_mobile

LEASE = timedelta(minutes=2)
LOOK_FURTHER = 4  # how many times the wanted number are looked at, because several may be for one person

# literals, not parameters: only so can PostgreSQL see that a partial index fits
_OWED: ColumnElement[str] = literal_column("'owed'")
_SENDING: ColumnElement[str] = literal_column("'sending'")
_SENT: ColumnElement[str] = literal_column("'sent'")

StillTrue = Callable[[Session, Sequence[News]], Collection[int]]


def claim_due(session: Session, *, worker: str, most: int, still_true: StillTrue) -> list[ShortMessage]:
    """Take up to ``most`` messages that are due, for this worker alone, one a phone. Commit before sending.

    ``still_true`` is asked of what is due. What is stale, was read in the inbox, has no phone to go to or is over a phone's day's most
    is settled here; what falls into the quiet hours waits for a morning that comes in time.
    """
    now = clock.now()
    policies = cache(lambda region_id: policies_at(session, region_id))
    due = _due(session, now, most=most * LOOK_FURTHER)
    awake = _without_sleepers(due, policies, now)
    true = _worth_telling(session, awake, still_true, now)
    first: dict[str, ShortMessage] = {}
    taken: list[ShortMessage] = []
    wrong = wrong_phones(session, {each.resident_id for each in true})
    sent = _sent_today(session, true, now)
    under_way = _under_way(session, true)
    for message in true:
        phone = message.resident.phone_fingerprint
        if phone is None or not is_mobile(message.resident.phone or ""):
            end(session, message, ShortMessageState.NO_PHONE)
        elif (message.resident_id, phone) in wrong:
            end(session, message, ShortMessageState.NO_PHONE, outcome="wrong_number")
        elif sent.get(phone, 0) >= policies(message.region_id).short_messages_a_day:
            end(session, message, ShortMessageState.CAPPED)
        elif phone not in under_way and phone not in first and len(taken) < most:
            first[phone] = message
            taken.append(message)
    return _take(session, taken, worker, now)


def _due(session: Session, now: datetime, *, most: int) -> list[ShortMessage]:
    """What is due of everybody who has nothing under way, their people locked against other workers."""
    in_hand = aliased(ShortMessage)
    return list(
        session.scalars(
            select(ShortMessage)
            .join(ShortMessage.resident)
            .options(contains_eager(ShortMessage.resident), joinedload(ShortMessage.notice))
            .where(
                ShortMessage.state == _OWED,
                ShortMessage.due_at <= now,
                ~select(in_hand.id)
                .where(in_hand.resident_id == ShortMessage.resident_id, in_hand.state == _SENDING)
                .exists(),
            )
            .order_by(ShortMessage.due_at, ShortMessage.id)
            .limit(most)
            .with_for_update(of=[ShortMessage, Resident], skip_locked=True, key_share=True)
            .execution_options(populate_existing=True)
        )
    )


def _without_sleepers(
    due: Sequence[ShortMessage], policies: Callable[[int], Policies], now: datetime
) -> list[ShortMessage]:
    """Those whose community is awake, or who would hear of it too late in its morning; the others are due then."""
    awake: list[ShortMessage] = []
    for message in due:
        message.due_at = max(message.due_at, morning_in_time(policies(message.region_id), message, now))
        if message.due_at <= now:
            awake.append(message)
    return awake


def _worth_telling(
    session: Session, due: Sequence[ShortMessage], still_true: StillTrue, now: datetime
) -> list[ShortMessage]:
    """Those that are still so and still news; the others are settled."""
    true = still_true(session, due) if due else ()
    worth: list[ShortMessage] = []
    for message in due:
        if message.notice is not None and message.notice.read_at is not None:
            end(session, message, ShortMessageState.STALE, outcome="read")
        elif message.id not in true or message.worth_until <= now:
            end(session, message, ShortMessageState.STALE)
        else:
            worth.append(message)
    return worth


def _sent_today(session: Session, messages: Sequence[ShortMessage], now: datetime) -> Mapping[str, int]:
    """How many messages each of these phones had today, whoever of a household they were for."""
    midnight = datetime.combine(clock.in_town(now).date(), time(), clock.TOWN_ZONE)
    rows = session.execute(
        select(Resident.phone_fingerprint, func.count())
        .join(ShortMessage, ShortMessage.resident_id == Resident.id)
        .where(
            Resident.phone_fingerprint.in_(_phones_of(messages)),
            ShortMessage.state == _SENT,
            ShortMessage.settled_at >= midnight,
        )
        .group_by(Resident.phone_fingerprint)
    )
    return {phone: count for phone, count in rows if phone is not None}


def _under_way(session: Session, messages: Sequence[ShortMessage]) -> set[str | None]:
    """Those of these phones to which something is being sent, also by a worker that claimed it after we looked for what is due."""
    return set(
        session.scalars(
            select(Resident.phone_fingerprint)
            .join(ShortMessage, ShortMessage.resident_id == Resident.id)
            .where(ShortMessage.state == _SENDING, Resident.phone_fingerprint.in_(_phones_of(messages)))
        )
    )


def _phones_of(messages: Sequence[ShortMessage]) -> set[str]:
    return {phone for message in messages if (phone := message.resident.phone_fingerprint) is not None}


def _take(
    session: Session, messages: Sequence[ShortMessage], worker: str, now: datetime
) -> list[ShortMessage]:
    for message in messages:
        message.state, message.claimed_at, message.claimed_by = ShortMessageState.SENDING, now, worker
        message.attempts += 1
    session.flush()
    return list(messages)


def settle(
    session: Session, message_id: int, state: ShortMessageState, *, outcome: str = "", serial: str = ""
) -> None:
    """Write down how a claimed message ended; when it did not tell, a call is owed. One that was settled meanwhile stays as it is."""
    message = session.get_one(ShortMessage, message_id)
    hold_people(session, [message.resident_id])
    message.lock()
    if message.state is ShortMessageState.SENDING:
        message.serial = serial[:64] or None
        end(session, message, state, outcome=outcome)


def put_back(session: Session, message_id: int, *, due_at: datetime, outcome: str) -> None:
    """A claimed message that surely did not go out is tried again later."""
    session.execute(
        update(ShortMessage)
        .where(ShortMessage.id == message_id, ShortMessage.state == ShortMessageState.SENDING)
        .values(
            state=ShortMessageState.OWED,
            due_at=due_at,
            outcome=outcome[:80] or None,
            claimed_at=None,
            claimed_by=None,
        )
        .execution_options(synchronize_session=False)
    )


def give_up_on_the_dead(session: Session) -> int:
    """Messages claimed longer than ``LEASE`` ago by a worker that never came back: nobody knows, so somebody calls. How many."""
    lost = session.scalars(
        select(ShortMessage)
        .where(ShortMessage.state == _SENDING, ShortMessage.claimed_at < clock.now() - LEASE)
        .order_by(ShortMessage.id)
    ).all()
    hold_people(session, {message.resident_id for message in lost})
    for message in lost:
        settle(session, message.id, ShortMessageState.UNKNOWN, outcome="worker_lost")
    return len(lost)


def end(session: Session, message: ShortMessage, state: ShortMessageState, *, outcome: str = "") -> None:
    """End a message that this transaction holds; when it did not tell, a call is owed."""
    message.state, message.settled_at, message.outcome = state, clock.now(), outcome[:80] or None
    session.flush()
    if state in NOT_TOLD:
        owe_call(session, message)
