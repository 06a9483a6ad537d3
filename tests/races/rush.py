"""Many at one moment: threads that start together, and what must be true of a run afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from models.base import db, reading
from models.courses import LIVE, SEATED, Admission, CourseRun, Registration, RegistrationState, seats
from models.errors import Refusal

Result = TypeVar("Result")

LONGEST_SECONDS = 60
LOUD = (Refusal, DBAPIError)


def rush(app: Flask, deeds: Sequence[Callable[[], Result]], *, threads: int = 24) -> list[Result | Exception]:
    """Do all deeds on that many threads that start at one moment; what each returned, or the refusal or database error."""
    answers: list[Any] = [None] * len(deeds)
    threads = min(threads, len(deeds))
    start = threading.Barrier(threads)
    broken: list[BaseException] = []

    def run(first: int) -> None:
        try:
            start.wait(LONGEST_SECONDS)
            for place in range(first, len(deeds), threads):
                with app.app_context():
                    try:
                        answers[place] = deeds[place]()
                    except LOUD as error:
                        answers[place] = error
        except BaseException as error:
            broken.append(error)

    crowd = [threading.Thread(target=run, args=(n,), daemon=True) for n in range(threads)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(LONGEST_SECONDS)
    assert not any(one.is_alive() for one in crowd), "somebody waits for ever"
    if broken:
        raise broken[0]
    return answers


@contextmanager
def all_look_first(monkeypatch: pytest.MonkeyPatch, where: object, step: str, *, many: int) -> Iterator[None]:
    """Nobody goes on from a step of a verb before ``many`` threads have done it: each saw the world before anybody wrote."""
    looked, has_looked = threading.Barrier(many), threading.local()
    look = getattr(where, step)

    def looking(*given: Any, **more: Any) -> Any:
        seen = look(*given, **more)
        if not getattr(has_looked, "already", False):
            has_looked.already = True
            looked.wait(LONGEST_SECONDS / 2)
        return seen

    with monkeypatch.context() as patch:
        patch.setattr(where, step, looking)
        yield


def meanwhile(app: Flask, deed: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """A deed on a thread of its own, and what became of it."""
    ended: list[object] = []

    def run() -> None:
        with app.app_context():
            try:
                ended.append(deed())
            except LOUD as error:
                ended.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, ended


def until_somebody_waits_for_a_lock() -> None:
    """Look at PostgreSQL until a transaction stands before a lock."""
    deadline = time.monotonic() + LONGEST_SECONDS / 2  # before whoever holds the lock is given up
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    while time.monotonic() < deadline:
        with db.engine.connect() as connection:
            if connection.execute(waiting).scalar_one():
                return
    raise AssertionError("nobody waits")


@contextmanager
def a_tap_that_stops(
    monkeypatch: pytest.MonkeyPatch, step: str, *, done: bool
) -> Iterator[tuple[threading.Event, threading.Event]]:
    """The first tap stops at a step of ``decide``, before it or once it is ``done``: ``(it stands there, it may go on)``."""
    stands_there, may_go_on = threading.Event(), threading.Event()
    walk = getattr(seats, step)

    def wait_once() -> None:
        if not stands_there.is_set():
            stands_there.set()
            assert may_go_on.wait(LONGEST_SECONDS)

    def stopping(*given: object) -> object:
        if done:
            walked = walk(*given)
            wait_once()
            return walked
        wait_once()
        return walk(*given)

    with monkeypatch.context() as patch:
        patch.setattr(seats, step, stopping)
        try:
            yield stands_there, may_go_on
        finally:
            may_go_on.set()


def must_be_whole(run: CourseRun) -> None:
    """The invariants of one run (architecture §7), read from the database."""
    with reading() as session:
        now = session.scalars(select(CourseRun).where(CourseRun.id == run.id)).one()
        rows = session.scalars(
            select(Registration).where(Registration.run_id == run.id).order_by(Registration.number)
        ).all()
        live_twice = session.scalar(
            select(func.count()).select_from(
                select(Registration.resident_id)
                .where(
                    Registration.run_id == run.id,
                    Registration.state.in_(LIVE),
                )
                .group_by(Registration.resident_id)
                .having(func.count() > 1)
                .subquery()
            )
        )
    sitting = [row for row in rows if row.state in SEATED]
    waiting = [row for row in rows if row.state is RegistrationState.WAITLISTED]
    free = now.capacity - now.seats_taken - now.seats_held
    assert now.seats_taken == sum(row.seats for row in sitting)
    assert now.seats_held >= 0
    assert free >= 0
    assert now.waiting == len(waiting)
    fitting = [row for row in waiting if row.seats <= free]
    assert not fitting, "a seat stands idle beside somebody waiting"
    numbers = [row.number for row in rows]
    if now.admission is Admission.FIRST_COME:
        assert numbers == list(range(1, now.last_number + 1))
    else:  # who is drawn or admitted gets a new one
        assert len(numbers) == len(set(numbers))
        assert max(numbers, default=0) <= now.last_number
    assert live_twice == 0
    if waiting and sitting and not now.most_companions:
        assert max(row.number for row in sitting) < min(row.number for row in waiting)
