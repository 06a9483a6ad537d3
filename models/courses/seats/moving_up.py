"""A seat given up goes to the first in line, in the same transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from models.accounts import Account
from models.courses.hearing import registered_and_hears
from models.courses.registrations import CancelledBy, Registration, RegistrationState, Standing
from models.courses.runs import RunState
from models.courses.seats.asking import PERSON_COLUMNS, Ask, LockedRun, Person
from models.courses.seats.giving import held_by
from models.courses.seats.telling import tell_of_leaving, tell_of_rising
from models.courses.seats.writing import WAITING, Held, journal
from models.errors import Conflict, Refusal
from models.policies import policies_at
from models.residents import Resident


def give_up(connection: Connection, ask: Ask, now: datetime) -> Refusal | None:
    """Give up what one holds; having nothing is fine. The first in line moves up at once."""
    run, learner = ask.run, ask.asker.learner
    mine = held_by(connection, [ask]).get((run.id, learner.id)) if learner else None
    if mine is None:
        return None
    if now >= run.ends_at:
        return Conflict("run_finished", "这个班已经结束，不能再取消")
    had_seat = mine.standing.state is RegistrationState.CONFIRMED
    free_hours = policies_at(connection, run.region_id).free_cancel_hours
    connection.execute(
        update(Registration)
        .where(Registration.id == mine.id)
        .values(
            state=RegistrationState.CANCELLED,
            cancelled_at=now,
            cancelled_by_account_id=ask.asker.account_id,
            cancelled_by=CancelledBy.RESIDENT,
            cancelled_late=had_seat
            and now > run.starts_at - timedelta(hours=free_hours)
            and not _was_changed_since(run, mine.standing.registered_at),
        )
    )
    journal(connection, [("registration.cancelled", mine.id, ask.asker, mine.learner)], now)
    tell_of_leaving(connection, ask, mine, now)
    run.touched = True
    if had_seat:
        run.seats_taken -= 1
        move_up(connection, run, now)
    else:
        run.waiting -= 1
    return None


def _was_changed_since(run: LockedRun, registered_at: datetime) -> bool:
    """Whether the town changed the class under somebody's feet: giving up such a seat is never late."""
    return run.changed_at is not None and run.changed_at > registered_at


def move_up(connection: Connection, run: LockedRun, now: datetime) -> None:
    """Free seats go to the first in line, until the class starts."""
    free = run.capacity - run.seats_taken
    if free <= 0 or not run.waiting or run.state is not RunState.PUBLISHED or now >= run.starts_at:
        return
    first = connection.execute(
        select(
            Registration.id,
            Registration.key.label("registration_key"),
            Account.id.label("by_account_id"),
            Registration.number,
            Registration.registered_at,
            *PERSON_COLUMNS[1:],
            Resident.id.label("resident_id"),
        )
        .join(Resident, Resident.id == Registration.resident_id)
        .outerjoin(Account, registered_and_hears())
        .where(Registration.run_id == run.id, Registration.state == WAITING)
        .order_by(Registration.number)
        .limit(free)
    ).all()
    connection.execute(
        update(Registration)
        .where(Registration.id.in_([row.id for row in first]))
        .values(state=RegistrationState.CONFIRMED, confirmed_at=now)
    )
    run.seats_taken += len(first)
    run.waiting -= len(first)
    run.touched = True
    risen: list[Held] = []
    for row in first:
        learner = Person(
            row.resident_id,
            row.key,
            row.account_id,
            row.name,
            row.phone_fingerprint is not None,
            row.home_region_id,
            row.birth_year,
        )
        standing = Standing(
            row.registration_key, run.key, row.key, RegistrationState.CONFIRMED, None, row.registered_at
        )
        risen.append(Held(row.id, standing, learner, row.by_account_id, row.number))
    journal(connection, [("registration.promoted", mine.id, None, mine.learner) for mine in risen], now)
    tell_of_rising(connection, run, risen, now)
