"""The town puts two runs together: every live place in one becomes a place in the other, in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account
from models.base import new_key
from models.bulk import insert_rows
from models.courses.hearing import registered_and_hears
from models.courses.registrations import CancelledBy, Registration, RegistrationState
from models.courses.runs import CourseRun
from models.courses.seats.asking import LockedRun, lock_runs
from models.courses.seats.writing import LIVE_STATES, write_counters
from models.journal import JournalEntry
from models.residents import Resident


@dataclass(frozen=True, slots=True)
class Moved:
    """One person's new place; ``position`` counts from 1, in the queue only. ``account_id`` is the learner's own."""

    key: str
    resident_id: int
    name: str | None
    account_id: int | None
    registered_by: int | None
    home_region_id: int | None
    position: int | None


def move_places(
    session: Session, run: CourseRun, into: CourseRun, *, by_account_id: int | None, identity: str
) -> list[Moved]:
    """Give everybody with a place in a run one in another, and end the old one. Both runs are locked.

    Seats come first, each in the order they were given: a seat stays one while there is any and nobody waits for it there, the rest
    queue behind those who wait already, past the limit of the queue if need be. Who has a place there keeps that one.
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
    live = connection.execute(
        select(
            Registration.id,
            Registration.state,
            Registration.resident_id,
            Registration.by_account_id,
            Registration.seats,
            Registration.seats_directly,
            Registration.paired_with_id,
            Account.id.label("registered_by"),
            Resident.name,
            Resident.account_id,
            Resident.home_region_id,
        )
        .join(Resident, Resident.id == Registration.resident_id)
        .outerjoin(Account, registered_and_hears())
        .where(Registration.run_id == source.id, Registration.state.in_(LIVE_STATES))
        .order_by((Registration.state == RegistrationState.WAITLISTED), Registration.number)
    ).all()
    connection.execute(
        update(Registration)
        .where(Registration.id.in_([row.id for row in live]))
        .values(
            state=RegistrationState.CANCELLED,
            offer_expires_at=None,
            cancelled_at=now,
            cancelled_by=CancelledBy.TOWN,
            cancelled_by_account_id=by_account_id,
        )
    )
    moved, rows = [], []
    for row in live:
        if row.resident_id in there:
            continue
        state, position = _place_in(target, row.seats, had_seat=row.state is RegistrationState.CONFIRMED)
        key = new_key()
        rows.append(
            {
                "key": key,
                "run_id": target.id,
                "resident_id": row.resident_id,
                "by_account_id": row.by_account_id,
                "state": state,
                "number": target.last_number,
                "registered_at": now,
                "confirmed_at": now if position is None else None,
                "cancelled_late": False,
                "seats": row.seats,
                "seats_directly": row.seats_directly,
                "paired_with_id": row.paired_with_id,
            }
        )
        moved.append(
            Moved(
                key,
                row.resident_id,
                row.name,
                row.account_id,
                row.registered_by,
                row.home_region_id,
                position,
            )
        )
    stored = insert_rows(connection, Registration, rows, "id", "resident_id") if rows else ()
    acts = [("registration.ended", row) for row in live] + [("registration.merged", row) for row in stored]
    _journal(connection, acts, now, by_account_id=by_account_id, identity=identity)
    source.seats_taken, source.waiting, source.seats_held = 0, 0, 0
    source.touched = target.touched = True
    write_counters(connection, [source, target])
    session.expire_all()
    return moved


def _place_in(run: LockedRun, heads: int, *, had_seat: bool) -> tuple[RegistrationState, int | None]:
    run.last_number += 1
    if had_seat and run.has_room_for(heads):
        run.seats_taken += heads
        return RegistrationState.CONFIRMED, None
    run.waiting += 1
    return RegistrationState.WAITLISTED, run.waiting


def _journal(
    connection: Connection,
    acts: list[tuple[str, Any]],
    now: datetime,
    *,
    by_account_id: int | None,
    identity: str,
) -> None:
    if acts:
        insert_rows(
            connection,
            JournalEntry,
            [
                {
                    "at": now,
                    "act": act,
                    "subject_kind": Registration.__tablename__,
                    "subject_id": row.id,
                    "by_account_id": by_account_id,
                    "identity": identity,
                    "for_resident_id": row.resident_id,
                    "details": None,
                }
                for act, row in acts
            ],
            "id",
        )
