"""The town puts two runs together: every live place in one becomes a place in the other, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, case, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from models import clock
from models.base import new_key
from models.bulk import insert_rows
from models.courses.hearing import adults_of
from models.courses.registrations import CancelledBy, Registration, RegistrationState
from models.courses.runs import CourseRun
from models.courses.seats.asking import LockedRun, Person, lock_runs, person_of
from models.courses.seats.finding import places_in
from models.courses.seats.moving_up import Freed, move_up
from models.courses.seats.writing import (
    APPLIED,
    CONFIRMED,
    LIVE_STATES,
    OFFERED,
    WAITING,
    journal_each,
    write_counters,
)

BY_CLAIM = (  # who comes first where two runs become one: whoever sits, whoever was promised a seat, who waits, who applied
    CONFIRMED,
    OFFERED,
    WAITING,
    APPLIED,
)


@dataclass(frozen=True, slots=True)
class Moved:
    """One person's new place, as it stands once everybody has one; ``position`` counts from 1, in the queue only.

    ``heard_by`` is the account that registered them and is told of it, ``adult`` the name of who comes along, where pairs come.
    """

    key: str
    learner: Person
    heard_by: int | None
    adult: str | None
    had_seat: bool
    state: RegistrationState
    position: int | None


def move_places(
    session: Session, run: CourseRun, into: CourseRun, *, by_account_id: int | None, identity: str
) -> list[Moved]:
    """Give everybody with a place in a run one in another, and end the old one. Both runs are locked.

    Seats come first, each in the order they were given: a seat stays one while there is any and nobody waits for it there, the rest
    queue behind those who wait already, past the limit of the queue if need be. What is free then goes to who waits, as ever. Who has a
    place there keeps that one.
    """
    session.flush()
    connection, now = session.connection(), clock.now()
    locked = lock_runs(connection, {run.key, into.key})
    source, target = locked[run.key], locked[into.key]
    there = set(
        connection.scalars(
            select(Registration.resident_id).where(
                Registration.run_id == target.id, Registration.state.in_(LIVE_STATES)
            )
        )
    )
    claims = case(*((Registration.state == state, place) for place, state in enumerate(BY_CLAIM)))
    live = connection.execute(
        places_in(source, Registration.state.in_(LIVE_STATES))
        .add_columns(
            Registration.by_account_id.label("tapped_by"),
            Registration.seats_directly,
            Registration.paired_with_id,
        )
        .order_by(None)
        .order_by(claims, Registration.number)
    ).all()
    connection.execute(
        update(Registration)
        .where(Registration.id.in_([row.registration_id for row in live]))
        .values(
            state=RegistrationState.CANCELLED,
            offer_expires_at=None,
            cancelled_at=now,
            cancelled_by=CancelledBy.TOWN,
            cancelled_by_account_id=by_account_id,
        )
    )
    adults = adults_of(connection, [row.registration_id for row in live if row.paired_with_id is not None])
    coming = {new_key(): row for row in live if row.id not in there}
    rows = []
    for key, row in coming.items():
        state = _place_in(target, row.seats, had_seat=row.state is RegistrationState.CONFIRMED)
        rows.append(
            {
                "key": key,
                "run_id": target.id,
                "resident_id": row.id,
                "by_account_id": row.tapped_by,
                "state": state,
                "number": target.last_number,
                "registered_at": now,
                "confirmed_at": now if state is RegistrationState.CONFIRMED else None,
                "cancelled_late": False,
                "seats": row.seats,
                "seats_directly": row.seats_directly,
                "paired_with_id": row.paired_with_id,
            }
        )
    stored = insert_rows(connection, Registration, rows, "id", "resident_id") if rows else ()
    by: dict[str, Any] = {"by_account_id": by_account_id, "identity": identity}
    journal_each(connection, "registration.ended", [(row.registration_id, row.id) for row in live], now, **by)
    journal_each(connection, "registration.merged", [(row.id, row.resident_id) for row in stored], now, **by)
    source.seats_taken, source.waiting, source.seats_held = 0, 0, 0
    source.touched = target.touched = True
    move_up(connection, target, now, because=Freed.MERGED)
    write_counters(connection, [source, target])
    moved = _as_they_stand(connection, target, coming, adults)
    session.expire_all()
    return moved


def _as_they_stand(
    connection: Connection,
    run: LockedRun,
    coming: Mapping[str, Row[*tuple[Any, ...]]],
    adults: Mapping[int, str],
) -> list[Moved]:
    """What became of these, by the key of their new place, in the order they came."""
    rows = connection.execute(
        select(Registration.key, Registration.state)
        .where(Registration.run_id == run.id, Registration.state.in_(LIVE_STATES))
        .order_by(Registration.number)
    )
    states = {row.key: row.state for row in rows}
    queue = [key for key, state in states.items() if state is RegistrationState.WAITLISTED]
    positions = {key: position for position, key in enumerate(queue, 1)}
    return [
        Moved(
            key,
            person_of(row),
            row.by_account_id,
            adults.get(row.registration_id),
            had_seat=row.state is RegistrationState.CONFIRMED,
            state=states[key],
            position=positions.get(key),
        )
        for key, row in coming.items()
    ]


def _place_in(run: LockedRun, heads: int, *, had_seat: bool) -> RegistrationState:
    run.last_number += 1
    if had_seat and run.has_room_for(heads):
        run.seats_taken += heads
        return RegistrationState.CONFIRMED
    run.waiting += 1
    return RegistrationState.WAITLISTED
