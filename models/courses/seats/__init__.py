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
from models.courses.seats.accepting import accept
from models.courses.seats.asking import Ask, lock_runs, recognise
from models.courses.seats.drawing import Lot, draw, draw_of, lots_of, runs_to_draw
from models.courses.seats.entrusting import look_after
from models.courses.seats.giving import seat
from models.courses.seats.giving_up import give_up
from models.courses.seats.holding import hold_seats, release_seats, runs_to_release
from models.courses.seats.lapsing import (
    end_offers,
    remind_of_offers,
    runs_with_ended_offers,
    runs_with_unanswered_offers,
)
from models.courses.seats.leaving import give_up_all, hold_runs_of
from models.courses.seats.moving_up import Freed, move_up
from models.courses.seats.reviewing import admit, runs_left_unreviewed, settle_unreviewed, turn_down
from models.courses.seats.wishing import seat_directly
from models.courses.seats.writing import write_counters
from models.errors import NotFound, Refusal

__all__ = [
    "Freed",
    "Lot",
    "admit",
    "decide",
    "draw",
    "draw_of",
    "end_offers",
    "give_up_all",
    "hold_runs_of",
    "hold_seats",
    "lots_of",
    "promote",
    "register",
    "register_each",
    "release_seats",
    "remind_of_offers",
    "runs_left_unreviewed",
    "runs_to_draw",
    "runs_to_release",
    "runs_with_ended_offers",
    "runs_with_unanswered_offers",
    "seat_directly",
    "settle_unreviewed",
    "turn_down",
]


def decide(connection: Connection, taps: Taps) -> list[Standing | Refusal | None]:
    """Answer each tap, in order: its standing, nothing (a seat given up), or the refusal.

    Runs inside the caller's writing transaction and does not commit. Never raises a refusal: one person's no is not
    their neighbour's.
    """
    now = clock.now()
    answers: list[Standing | Refusal | None] = [None] * len(taps)
    askers = look_after(connection, taps, recognise(connection, taps, now))
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
            continue
        decide_one = give_up if wanting is Wanting.TO_GIVE_UP else accept
        for ask in together:
            answers[ask.place] = decide_one(connection, ask, now)
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


def register_each(session: Session, taps: Taps) -> list[Standing | Refusal | None]:
    """Several taps in the caller's own transaction, each answered by itself, in order."""
    session.flush()
    answers = decide(session.connection(), taps)
    session.expire_all()
    return answers


def promote(session: Session, run: CourseRun, *, because: Freed = Freed.MORE_SEATS) -> None:
    """Give or offer a run's free seats to the first in line: whoever frees some calls this in the same transaction."""
    session.flush()
    connection = session.connection()
    locked = lock_runs(connection, {run.key})[run.key]
    move_up(connection, locked, clock.now(), because=because)
    write_counters(connection, [locked])
    session.expire_all()
