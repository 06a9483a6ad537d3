"""A class is over, and somebody completed it: the seat stays theirs, and is called what it became."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import update
from sqlalchemy.orm import Session

from models import clock
from models.courses.registrations import Registration, RegistrationState
from models.courses.runs import CourseRun
from models.courses.seats.writing import journal_each


def complete_places(
    session: Session,
    run: CourseRun,
    registrations: Collection[int],
    *,
    by_account_id: int | None,
    identity: str,
) -> list[int]:
    """Let these confirmed registrations of a run be completed; the ids of those that were not yet. The run is locked.

    A completed one counts as a seat taken, as before: no counter changes.
    """
    session.flush()
    connection, now = session.connection(), clock.now()
    completed = connection.execute(
        update(Registration)
        .where(
            Registration.run_id == run.id,
            Registration.id.in_(registrations),
            Registration.state == RegistrationState.CONFIRMED,
        )
        .values(state=RegistrationState.COMPLETED)
        .returning(Registration.id, Registration.resident_id)
    ).all()
    if completed:
        journal_each(
            connection,
            "registration.completed",
            [(row.id, row.resident_id) for row in completed],
            now,
            by_account_id=by_account_id,
            identity=identity,
        )
        session.expire_all()
    return sorted(row.id for row in completed)
