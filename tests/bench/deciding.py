"""The cells of seats decided for many at once (P14, P15): what one of them costs, and what all of them take of memory.

Played in this process, on the town's own database, by the product's own verbs, each with its commit. The measure of all is a tap: one of
a batch of a hundred, as the committer decides it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Login
from models.base import db, transaction, writer
from models.courses import (
    Admission,
    CourseRun,
    Promotion,
    Receipt,
    Registration,
    RegistrationState,
    Tap,
    decide,
    draw,
    end_offers,
    promote,
)
from models.courses.draws import Draw
from models.errors import Refusal
from tests.bench.serving import busy_seconds, cpu_seconds_of, memory_of
from tests.bench.stores import Store
from tests.bench.town import CAPACITY, BenchTown

TAPS_IN_A_BATCH = 100


@dataclass
class Decided:
    """So many people decided about with one verb: seconds of the clock, and MiB this process grew by meanwhile."""

    people: int
    seconds: float
    grown: float
    others_share: float
    faults: list[str] = field(default_factory=list)

    @property
    def each(self) -> float:
        """Seconds a person."""
        return self.seconds / self.people


@dataclass
class Deciding:
    """A town whose people wait, are offered and are drawn."""

    store: Store
    town: BenchTown

    def __post_init__(self) -> None:
        with self.town.app.app_context(), db.engine.connect() as connection:
            self._logins = list(connection.scalars(select(Login.key).order_by(Login.id)))

    def taps(self, people: int) -> Decided:
        """As many taps on a run with twenty seats, in batches."""
        (run,) = self.town.open_runs(1)
        cell = self._measure(people, lambda: self._tap(run, people))
        self.town.end(run)
        return cell

    def offers(self, people: int) -> tuple[Decided, Decided]:
        """Twice as many wait; as many more seats are offered to the first half; nobody accepts, and they go to the second."""
        (run,) = self.town.open_runs(1)
        self._as(run, promotion=Promotion.OFFER)
        self._tap(run, CAPACITY + 2 * people)

        def raise_capacity() -> None:
            with transaction() as session:
                locked = _by_key(run, session).lock()
                locked.capacity += people
                promote(session, locked)

        def lapse() -> None:
            with transaction() as session:
                end_offers(session, run)

        offered = self._measure(people, raise_capacity)
        offered.faults = self._faults(run, RegistrationState.OFFERED, people, receipts=people)
        with self.town.engine.execution_options(writes=True).begin() as connection:
            connection.execute(
                update(Registration)
                .where(Registration.state == RegistrationState.OFFERED)
                .values(offer_expires_at=clock.now() - timedelta(minutes=1))
            )
        ended = self._measure(people, lapse)
        ended.faults = self._faults(run, RegistrationState.CANCELLED, people, receipts=3 * people)
        ended.faults += self._faults(run, RegistrationState.OFFERED, people, receipts=3 * people)
        self.town.end(run)
        return offered, ended

    def draw(self, people: int) -> Decided:
        """So many apply to a run with twenty seats and a queue of as many, and their lots are drawn."""
        (run,) = self.town.open_runs(1, waitlist_limit=CAPACITY)
        later = clock.now() + timedelta(hours=1)
        self._as(run, admission=Admission.DRAW, draws_at=later)
        self._tap(run, people)
        self._as(run, draws_at=clock.now() - timedelta(minutes=1))

        def draw_lots() -> None:
            with transaction() as session:
                draw(session, _by_key(run, session))

        cell = self._measure(people, draw_lots)
        cell.faults = self._faults(run, RegistrationState.CONFIRMED, CAPACITY, receipts=people)
        cell.faults += self._faults(
            run, RegistrationState.NOT_SELECTED, people - 2 * CAPACITY, receipts=people
        )
        self.town.end(run)
        return cell

    # --- how ------------------------------------------------------------------------------------------------------

    def _tap(self, run: str, people: int) -> None:
        with self.town.app.app_context():
            for first in range(0, people, TAPS_IN_A_BATCH):
                logins = self._logins[first : min(people, first + TAPS_IN_A_BATCH)]
                with writer(db.engine).begin() as connection:
                    answers = decide(connection, [Tap(run, login) for login in logins])
                refused = [answer for answer in answers if isinstance(answer, Refusal)]
                assert not refused, refused[0].code

    def _as(self, run: str, **seating: object) -> None:
        with self.town.app.app_context(), transaction() as session:
            found = _by_key(run, session)
            for name, value in seating.items():
                setattr(found, name, value)
            if "admission" in seating:
                session.add(Draw.promise(found))

    def _measure(self, people: int, deed: Callable[[], None]) -> Decided:
        with self.town.app.app_context():
            grown, busy, ours, began = self._memory(), busy_seconds(), self._ours(), time.monotonic()
            deed()
            seconds = time.monotonic() - began
            others = busy_seconds() - busy - (self._ours() - ours)
            return Decided(
                people,
                seconds,
                self._memory() - grown,
                max(0.0, others) / seconds / (os.cpu_count() or 1),
            )

    def _faults(self, run: str, state: RegistrationState, how_many: int, *, receipts: int) -> list[str]:
        with self.town.app.app_context(), db.engine.connect() as connection:
            run_id, taken, capacity = connection.execute(
                select(CourseRun.id, CourseRun.seats_taken, CourseRun.capacity).where(CourseRun.key == run)
            ).one()
            there = connection.scalar(
                select(func.count()).where(Registration.run_id == run_id, Registration.state == state)
            )
            kept = connection.scalar(select(func.count()).where(Receipt.run_id == run_id))
        faults = [] if there == how_many else [f"{there} are {state}, not {how_many}"]
        faults += [] if kept == receipts else [f"{kept} receipts, not {receipts}"]
        return faults + ([] if taken == capacity else [f"{taken} seats of {capacity} are taken"])

    def _ours(self) -> float:
        return time.process_time() + cpu_seconds_of(self.store.processes())

    @staticmethod
    def _memory() -> float:
        return memory_of(os.getpid()).rss


def _by_key(run: str, session: Session) -> CourseRun:
    return session.scalars(select(CourseRun).where(CourseRun.key == run)).one()
