"""The town calls a run off: every place in it ends at once. Nobody moves up, for there is nothing to move up to."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from models import clock
from models.courses.registrations import CancelledBy, Registration, RegistrationState
from models.courses.runs import CourseRun
from models.courses.seats.asking import lock_runs
from models.courses.seats.writing import LIVE_STATES, journal_each, write_counters


def end_all_places(session: Session, run: CourseRun, *, by_account_id: int | None, identity: str) -> int:
    """End every seat and every place in the queue of a run, in the town's name; how many. The run is locked."""
    session.flush()
    connection, now = session.connection(), clock.now()
    locked = lock_runs(connection, {run.key})[run.key]
    ended = connection.execute(
        update(Registration)
        .where(Registration.run_id == run.id, Registration.state.in_(LIVE_STATES))
        .values(
            state=RegistrationState.CANCELLED,
            offer_expires_at=None,
            cancelled_at=now,
            cancelled_by=CancelledBy.TOWN,
            cancelled_by_account_id=by_account_id,
        )
        .returning(Registration.id, Registration.resident_id)
    ).all()
    if not ended:
        return 0
    journal_each(
        connection,
        "registration.ended",
        [(row.id, row.resident_id) for row in ended],
        now,
        by_account_id=by_account_id,
        identity=identity,
    )
    locked.seats_taken, locked.waiting, locked.seats_held, locked.touched = 0, 0, 0, True
    write_counters(connection, [locked])
    session.expire_all()
    return len(ended)
