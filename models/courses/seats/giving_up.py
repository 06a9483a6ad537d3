"""Giving up (取消报名): a seat, a place in the queue, or an offer, for good. What it frees goes to the first in line at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.engine import Connection

from models.courses.registrations import CancelledBy, Registration, RegistrationState
from models.courses.seats.asking import Ask, LockedRun
from models.courses.seats.giving import held_by
from models.courses.seats.moving_up import Freed, move_up
from models.courses.seats.telling import tell_of_leaving
from models.courses.seats.writing import Held, journal
from models.errors import Conflict, Refusal
from models.policies import policies_at


def give_up(connection: Connection, ask: Ask, now: datetime) -> Refusal | None:
    """Give up what one holds; having nothing is fine. The first in line moves up at once."""
    run, learner = ask.run, ask.asker.learner
    mine = held_by(connection, [ask]).get((run.id, learner.id)) if learner else None
    if mine is None:
        return None
    if now >= run.ends_at:
        return Conflict("run_finished", "已经结束，不能再取消")
    state = mine.standing.state
    free_hours = policies_at(connection, run.region_id).free_cancel_hours
    connection.execute(
        update(Registration)
        .where(Registration.id == mine.id)
        .values(
            state=RegistrationState.CANCELLED,
            offer_expires_at=None,
            cancelled_at=now,
            cancelled_by_account_id=ask.asker.account_id,
            cancelled_by=CancelledBy.RESIDENT,
            cancelled_late=state is RegistrationState.CONFIRMED
            and now > run.starts_at - timedelta(hours=free_hours)
            and not _was_changed_since(run, mine.standing.registered_at),
        )
    )
    journal(connection, [("registration.cancelled", mine.id, ask.asker, mine.learner)], now)
    tell_of_leaving(connection, ask, mine, now)
    let_go(run, mine)
    if state in (RegistrationState.CONFIRMED, RegistrationState.OFFERED):
        declined = state is RegistrationState.OFFERED
        move_up(connection, run, now, because=Freed.DECLINED if declined else Freed.GIVEN_UP)
    return None


def let_go(run: LockedRun, mine: Held) -> None:
    """Count a live registration out of a locked run."""
    run.touched = True
    if mine.standing.state in (RegistrationState.CONFIRMED, RegistrationState.OFFERED):
        run.seats_taken -= mine.standing.seats
    elif mine.standing.state is RegistrationState.WAITLISTED:
        run.waiting -= 1


def _was_changed_since(run: LockedRun, registered_at: datetime) -> bool:
    """Whether the town changed the class under somebody's feet: giving up such a seat is never late."""
    return run.changed_at is not None and run.changed_at > registered_at
