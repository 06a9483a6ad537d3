"""Somebody leaves for good: everything they hold is given up at once, by the same rules as one tap on 取消报名."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from models import clock
from models.courses.registrations import CancelledBy, Registration, RegistrationState, Tap, Wanting
from models.courses.runs import CourseRun
from models.courses.seats.asking import PERSON_COLUMNS, Ask, Asker, lock_runs, person_of
from models.courses.seats.giving_up import give_up
from models.courses.seats.moving_up import Freed, move_up
from models.courses.seats.writing import CONFIRMED, LIVE_STATES, journal_each, write_counters
from models.residents import Resident


def hold_runs_of(session: Session, residents: Collection[int]) -> frozenset[int]:
    """Hold every run in which these people have a place, by id, until the transaction ends; their ids.

    Whoever means to change the people too calls this first: runs are locked before people, as a tap does.
    """
    session.flush()
    connection = session.connection()
    held = _places_of(connection, residents, clock.now())
    return frozenset(run.id for run in lock_runs(connection, {row.run_key for row in held}).values())


def give_up_all(
    session: Session, residents: Collection[int], *, by_account_id: int | None, identity: str
) -> int:
    """Give up every seat and every place in a queue of these people; how many. Classes that are over stay as they were.

    Their neighbours in the queue move up at once and are told. Places in a queue go first, so that nobody who leaves is called
    to a seat that another one of them leaves.
    """
    session.flush()
    connection, now = session.connection(), clock.now()
    runs = lock_runs(connection, {row.run_key for row in _places_of(connection, residents, now)})
    places = _places_of(connection, residents, now)  # as they stand now that the runs are held
    for place, row in enumerate(
        sorted(places, key=lambda row: row.state is not RegistrationState.WAITLISTED)
    ):
        learner = person_of(row)
        oneself = learner if learner.account_id is not None and learner.account_id == by_account_id else None
        asker = Asker(by_account_id, False, oneself, learner, identity)
        tap = Tap(row.run_key, "", Wanting.TO_GIVE_UP)
        give_up(connection, Ask(place, tap, asker, runs[row.run_key]), now)
    write_counters(connection, runs.values())
    session.expire_all()
    return len(places)


def take_back_for_absence(session: Session, run: CourseRun, registrations: Collection[int]) -> int:
    """The seats of people who missed too many evenings of a run go to whoever waits; how many. The caller holds the run."""
    return _end_seats(
        session,
        run,
        registrations,
        CancelledBy.ABSENCE,
        because=Freed.ABSENCE,
    )


def give_back_seats(session: Session, run: CourseRun, registrations: Collection[int]) -> int:
    """The seats of people who cannot come since the town moved the class go to whoever waits; how many. It is never late. The caller holds the run."""
    return _end_seats(
        session,
        run,
        registrations,
        CancelledBy.RESIDENT,
        because=Freed.GIVEN_UP,
    )


def _end_seats(
    session: Session,
    run: CourseRun,
    registrations: Collection[int],
    how: CancelledBy,
    *,
    because: Freed,
) -> int:
    session.flush()
    connection, now = session.connection(), clock.now()
    locked = lock_runs(connection, {run.key})[run.key]
    rows = connection.execute(
        update(Registration)
        .where(Registration.id.in_(registrations), Registration.state == CONFIRMED)
        .values(state=RegistrationState.CANCELLED, cancelled_at=now, cancelled_by=how)
        .returning(Registration.id, Registration.resident_id, Registration.seats)
    ).all()
    if not rows:
        return 0
    journal_each(
        connection,
        "registration.taken_back" if how is CancelledBy.ABSENCE else "registration.cancelled",
        [(row.id, row.resident_id) for row in rows],
        now,
    )
    locked.seats_taken -= sum(row.seats for row in rows)
    locked.touched = True
    move_up(connection, locked, now, because=because)
    write_counters(connection, [locked])
    session.expire_all()
    return len(rows)


def _places_of(
    connection: Connection, residents: Collection[int], now: datetime
) -> list[Row[*tuple[Any, ...]]]:
    rows = connection.execute(
        select(CourseRun.key.label("run_key"), Registration.state, *PERSON_COLUMNS)
        .join(CourseRun, CourseRun.id == Registration.run_id)
        .join(Resident, Resident.id == Registration.resident_id)
        .where(
            Registration.resident_id.in_(residents),
            Registration.state.in_(LIVE_STATES),
            CourseRun.ends_at > now,
        )
        .order_by(Registration.id)
    )
    return list(rows)
