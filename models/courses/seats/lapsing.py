"""Lapsing (逾期): an offer nobody accepted in time ends, and the seat goes to the next; at half time who has not answered is reminded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from models import clock
from models.bulk import among
from models.courses.receipts import Reason, Why, keep_receipts
from models.courses.registrations import CancelledBy, Registration, RegistrationState
from models.courses.runs import CourseRun
from models.courses.seats.asking import LockedRun, lock_runs
from models.courses.seats.finding import held_of, places_in
from models.courses.seats.moving_up import Freed, move_up
from models.courses.seats.telling import tell_of_ending_offers, tell_of_offers
from models.courses.seats.writing import OFFERED, journal, write_counters


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
    ended = [
        held_of(locked, row) for row in _offers(connection, locked, Registration.offer_expires_at <= now)
    ]
    if not ended:
        return 0
    connection.execute(
        update(Registration)
        .where(among(Registration.id, "ended"))
        .values(
            state=RegistrationState.CANCELLED,
            cancelled_at=now,
            cancelled_by=CancelledBy.EXPIRED,
            offer_expires_at=None,
        ),
        {"ended": [mine.id for mine in ended]},
    )
    locked.seats_taken -= sum(mine.standing.seats for mine in ended)
    locked.touched = True
    journal(connection, [("registration.expired", mine.id, None, mine.learner) for mine in ended], now)
    says = "名额保留的时间已过，没有收到您的确认，转给了下一位。想要的话可以重新排队"
    keep_receipts(
        connection,
        [Reason(locked.id, mine.learner.id, Why.EXPIRED, "offer_expired", says) for mine in ended],
        now,
    )
    move_up(connection, locked, now, because=Freed.EXPIRED)
    write_counters(connection, [locked])
    session.expire_all()
    return len(ended)


def shorten_offers(session: Session, run: CourseRun) -> None:
    """Have no offer outlast the start of a class that comes forward; whom it shortens is told until when their offer stands now."""
    session.flush()
    connection, now = session.connection(), clock.now()
    locked = lock_runs(connection, {run.key})[run.key]
    until = locked.starts_at
    offers = [
        held_of(locked, row) for row in _offers(connection, locked, Registration.offer_expires_at > until)
    ]
    if not offers:
        return
    connection.execute(
        update(Registration).where(among(Registration.id, "shortened")).values(offer_expires_at=until),
        {"shortened": [mine.id for mine in offers]},
    )
    shortened = [replace(mine, standing=replace(mine.standing, offer_expires_at=until)) for mine in offers]
    tell_of_offers(connection, locked, shortened, now)
    session.expire_all()


def runs_with_unanswered_offers(session: Session, now: datetime, *, most: int) -> Sequence[str]:
    """The keys of up to ``most`` runs in which half of somebody's time to answer is over, and they were not reminded yet."""
    rows = session.execute(
        select(CourseRun.key, Registration.offered_at, Registration.offer_expires_at)
        .join(CourseRun, CourseRun.id == Registration.run_id)
        .where(Registration.state == OFFERED, *_unanswered(now))
        .order_by(CourseRun.id)
    )
    return list(dict.fromkeys(row.key for row in rows if _is_half_over(row, now)))[:most]


def remind_of_offers(session: Session, run_key: str) -> int:
    """Owe a word to everybody in one run who has not answered when half of their time is over, once an offer; how many are told."""
    session.flush()
    connection, now = session.connection(), clock.now()
    locked = lock_runs(connection, {run_key}).get(run_key)
    if locked is None:
        return 0
    offers = _offers(connection, locked, *_unanswered(now))
    due = [held_of(locked, row) for row in offers if _is_half_over(row, now)]
    if due:
        connection.execute(
            update(Registration).where(among(Registration.id, "due")).values(reminded_at=now),
            {"due": [mine.id for mine in due]},
        )
        tell_of_ending_offers(connection, locked, due, now)
        session.expire_all()
    return len(due)


def _offers(
    connection: Connection, run: LockedRun, *which: ColumnElement[bool]
) -> Sequence[Row[*tuple[Any, ...]]]:
    query = places_in(run, Registration.state == OFFERED, *which).add_columns(Registration.offered_at)
    return connection.execute(query).all()


def _unanswered(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Registration.offer_expires_at > now, Registration.reminded_at.is_(None)


def _is_half_over(row: Row[*tuple[Any, ...]], now: datetime) -> bool:
    at: datetime = row.offered_at + (row.offer_expires_at - row.offered_at) / 2
    return at <= now
