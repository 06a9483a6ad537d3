"""Holding (预留) seats for the counter and the phone (domain.md §2.1): kept until a day before the class, then everybody's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.courses.runs import CourseRun
from models.courses.seating import usually_held_until
from models.courses.seats.asking import lock_runs
from models.courses.seats.moving_up import Freed, move_up
from models.courses.seats.writing import write_counters
from models.errors import Conflict
from models.journal import enter


def hold_seats(
    session: Session, run: CourseRun, seats: int, *, by_account_id: int | None = None, identity: str = "town"
) -> None:
    """Hold so many seats of a run from now on; what is let go moves up who waits. Raises Conflict ``not_enough_seats``.

    They are held until the community's hour before the class, or, when that is over, until the class begins.
    """
    session.flush()
    connection, now = session.connection(), clock.now()
    locked = lock_runs(connection, {run.key})[run.key]
    if seats == locked.seats_held:
        return
    if seats > locked.capacity - locked.seats_taken:
        free = locked.capacity - locked.seats_taken
        raise Conflict("not_enough_seats", f"只剩 {free} 个名额，不能预留 {seats} 个", details={"free": free})
    was, locked.seats_held, locked.touched = locked.seats_held, seats, True
    if seats > was and (locked.held_until is None or locked.held_until <= now):
        session.refresh(run)
        until = usually_held_until(session, run)
        run.held_until = until if until > now else run.starts_at
    move_up(connection, locked, now, because=Freed.RELEASED)
    write_counters(connection, [locked])
    enter(
        session,
        "course_run.seats_held",
        run,
        by_account_id=by_account_id,
        identity=identity,
        details={"seats": [was, seats]},
    )
    session.flush()
    session.expire_all()


def runs_to_release(session: Session, now: datetime, *, most: int) -> Sequence[str]:
    """The keys of up to ``most`` runs that hold seats past their time."""
    return session.scalars(
        select(CourseRun.key)
        .where(CourseRun.stands_published(), CourseRun.seats_held > 0, CourseRun.held_until <= now)
        .order_by(CourseRun.id)
        .limit(most)
    ).all()


def release_seats(session: Session, run_key: str) -> int:
    """Let go of what a run holds past its time, to who waits first; how many seats."""
    run = session.scalars(select(CourseRun).where(CourseRun.key == run_key)).one().lock()
    if not run.seats_held or run.held_until is None or run.held_until > clock.now():
        return 0
    held = run.seats_held
    hold_seats(session, run, 0)
    return held
