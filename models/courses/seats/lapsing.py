"""Lapsing (逾期): an offer nobody accepted in time ends, and the seat goes to the next; at half time who has not answered is reminded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account
from models.courses.hearing import registered_and_hears
from models.courses.receipts import Reason, Why, keep_receipts
from models.courses.registrations import CancelledBy, Registration, RegistrationState, Standing
from models.courses.runs import CourseRun, RunState
from models.courses.seats.asking import PERSON_COLUMNS, LockedRun, lock_runs, person_of
from models.courses.seats.moving_up import Freed, move_up
from models.courses.seats.telling import tell_of_ending_offers
from models.courses.seats.writing import OFFERED, Held, journal, write_counters
from models.residents import Resident


def runs_with_ended_offers(session: Session, now: datetime, *, most: int) -> Sequence[str]:
    """The keys of up to ``most`` runs in which an offer ended."""
    return session.scalars(
        select(CourseRun.key)
        .join(Registration, Registration.run_id == CourseRun.id)
        .where(Registration.state == OFFERED, Registration.offer_expires_at <= now)
        .group_by(CourseRun.id, CourseRun.key)
        .order_by(CourseRun.id)
        .limit(most)
    ).all()


def end_offers(session: Session, run_key: str) -> int:
    """End what was not accepted in time in one run and move the next up; how many ended."""
    session.flush()
    connection, now = session.connection(), clock.now()
    locked = lock_runs(connection, {run_key}).get(run_key)
    if locked is None:
        return 0
    ended = _offers_of(session, locked, Registration.offer_expires_at <= now)
    if not ended:
        return 0
    connection.execute(
        update(Registration)
        .where(Registration.id.in_([row.registration_id for row in ended]))
        .values(
            state=RegistrationState.CANCELLED,
            cancelled_at=now,
            cancelled_by=CancelledBy.EXPIRED,
            offer_expires_at=None,
        )
    )
    locked.seats_taken -= sum(row.seats for row in ended)
    locked.touched = True
    journal(
        connection,
        [("registration.expired", row.registration_id, None, person_of(row)) for row in ended],
        now,
    )
    says = "名额保留的时间已过，没有收到您的确认，转给了下一位。想要的话可以重新排队"
    keep_receipts(
        connection, [Reason(locked.id, row.id, Why.EXPIRED, "offer_expired", says) for row in ended], now
    )
    move_up(connection, locked, now, because=Freed.EXPIRED)
    write_counters(connection, [locked])
    session.expire_all()
    return len(ended)


def remind_of_offers(session: Session, now: datetime) -> int:
    """Owe a word to everybody who has not answered when half of their time is over, once an offer; how many are told."""
    rows = session.execute(
        select(CourseRun.key, Registration.id, Registration.offered_at, Registration.offer_expires_at)
        .join(CourseRun, CourseRun.id == Registration.run_id)
        .where(
            Registration.state == OFFERED,
            Registration.offer_expires_at > now,
            Registration.reminded_at.is_(None),
            CourseRun.state == RunState.PUBLISHED,
        )
    )
    due: dict[str, list[int]] = {}
    for row in rows:
        if row.offered_at + (row.offer_expires_at - row.offered_at) / 2 <= now:
            due.setdefault(row.key, []).append(row.id)
    connection = session.connection()
    for run in lock_runs(connection, due).values():
        offers = _offers_of(session, run, Registration.id.in_(due[run.key]))
        connection.execute(
            update(Registration)
            .where(Registration.id.in_([row.registration_id for row in offers]))
            .values(reminded_at=now)
        )
        tell_of_ending_offers(connection, run, [_held(run, row) for row in offers], now)
    return sum(map(len, due.values()))


def _offers_of(session: Session, run: LockedRun, which: Any) -> Sequence[Row[*tuple[Any, ...]]]:
    return session.execute(
        select(
            Registration.id.label("registration_id"),
            Registration.key.label("registration_key"),
            Registration.seats,
            Registration.number,
            Registration.registered_at,
            Registration.offer_expires_at,
            Account.id.label("by_account_id"),
            *PERSON_COLUMNS,
        )
        .join_from(Registration, Resident, Resident.id == Registration.resident_id)
        .outerjoin(Account, registered_and_hears())
        .where(Registration.run_id == run.id, Registration.state == OFFERED, which)
        .order_by(Registration.number)
    ).all()


def _held(run: LockedRun, row: Row[*tuple[Any, ...]]) -> Held:
    learner = person_of(row)
    standing = Standing(
        row.registration_key,
        run.key,
        learner.key,
        RegistrationState.OFFERED,
        None,
        row.registered_at,
        row.seats,
        None,
        row.offer_expires_at,
    )
    return Held(row.registration_id, standing, learner, row.by_account_id, row.number)
