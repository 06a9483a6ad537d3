"""Giving seats (名额): ``decide`` answers a batch of taps in one transaction. The rules stand in ``registrations``.

The statements are SQLAlchemy Core, one of each kind for the whole batch, and run alike on both databases. The order of locks is
always: runs by id. Reading who has what comes after the lock, as a statement of its own, so that READ COMMITTED shows what the
previous holder committed.
"""

from __future__ import annotations

from itertools import groupby

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from models import clock
from models.courses.registrations import Standing, Tap, Taps, Wanting
from models.courses.runs import CourseRun
from models.courses.seats.asking import Ask, lock_runs, recognise
from models.courses.seats.giving import seat
from models.courses.seats.leaving import give_up_all, hold_runs_of
from models.courses.seats.moving_up import give_up, move_up
from models.courses.seats.telling import said_helper
from models.courses.seats.writing import write_counters
from models.errors import NotFound, Refusal

__all__ = ["decide", "give_up_all", "hold_runs_of", "promote", "register", "said_helper"]


def decide(connection: Connection, taps: Taps) -> list[Standing | Refusal | None]:
    """Answer each tap, in order: its standing, nothing (a seat given up), or the refusal.

    Runs inside the caller's writing transaction and does not commit. Never raises a refusal: one person's no is not
    their neighbour's.
    """
    now = clock.now()
    answers: list[Standing | Refusal | None] = [None] * len(taps)
    askers = recognise(connection, taps, now)
    runs = lock_runs(connection, {tap.run_key for tap in taps})
    asks: list[Ask] = []
    for place, (tap, asker) in enumerate(zip(taps, askers, strict=True)):
        run = runs.get(tap.run_key)
        if isinstance(asker, Refusal):
            answers[place] = asker
        elif run is None or not run.is_seen_at(now):
            answers[place] = NotFound("没有找到这门课，可能已经下架")
        else:
            asks.append(Ask(place, tap, asker, run))
    for wanting, together in groupby(asks, key=lambda ask: ask.tap.wanting):
        if wanting is Wanting.A_SEAT:
            seat(connection, list(together), answers, now)
        else:
            for ask in together:
                answers[ask.place] = give_up(connection, ask, now)
    write_counters(connection, runs.values())
    return answers


def register(session: Session, tap: Tap) -> Standing | None:
    """One tap in the caller's own transaction: the same rules as a batch. Raises the refusal."""
    session.flush()
    answer = decide(session.connection(), [tap])[0]
    session.expire_all()
    if isinstance(answer, Refusal):
        raise answer
    return answer


def promote(session: Session, run: CourseRun) -> None:
    """Give a run's free seats to the first in line: whoever raises a capacity calls this in the same transaction."""
    session.flush()
    connection = session.connection()
    locked = lock_runs(connection, {run.key})[run.key]
    move_up(connection, locked, clock.now())
    write_counters(connection, [locked])
    session.expire_all()
