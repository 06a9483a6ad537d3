"""The cells of the bench: one kind of load each, played against one running server, and what came of it."""

from __future__ import annotations

import math
import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.bench import storm, town
from tests.bench.claiming import WantedWish
from tests.bench.exactness import faults_after, faults_of_refusals
from tests.bench.phones import Outcome
from tests.bench.reserving import WantedRoom
from tests.bench.serving import Memory, Server, busy_seconds, cpu_seconds_of, family_of, memory_of
from tests.bench.stores import PostgreSql, Store
from tests.bench.town import BenchTown
from tests.bench.wsgi import FRESH_SECONDS

APPLICATION = "tests.bench.wsgi:create()"
LISTED = 24  # runs nobody storms, first in the list; a page shows 20
LIST = "/api/v1/course-runs?state=enrolling"


@dataclass(frozen=True)
class Scale:
    """How much of everything. ``bursts`` are (residents, connections)."""

    residents: int
    bursts: Sequence[tuple[int, int]]
    orm_residents: int
    looks: int
    remade_looks: int
    pgbench_seconds: int
    history: int
    messages: int
    message_rounds: int
    claims: int
    opening_looks: int
    risen: tuple[int, int]  # of so few and of so many at once
    applicants: tuple[int, int]
    old_runs: tuple[int, int]
    pages: int
    room_looks: int
    room_storm: tuple[int, int]  # people, connections
    hanging: tuple[int, int]
    wall_looks: int
    wish_storm: tuple[int, int]  # units, connections
    threads: int


FULL = Scale(
    10_000,
    ((2_000, 256), (10_000, 1_000)),
    1_500,
    6_000,
    400,
    3,
    1_000_000,
    20_000,
    3,
    40,
    20_000,
    (100, 1_000),
    (1_000, 10_000),
    (100, 100_000),
    20,
    40,
    (2_000, 256),
    (100, 100_000),
    20,
    (200, 200),
    100_000,
)
QUICK = Scale(
    1_000,
    ((1_000, 128),),
    300,
    1_500,
    100,
    1,
    20_000,
    2_000,
    1,
    10,
    2_000,
    (50, 400),
    (100, 900),
    (100, 5_000),
    3,
    15,
    (200, 64),
    (100, 5_000),
    5,
    (200, 64),
    2_000,
)
LOOKERS = 64
SMALL_HISTORY = 1_000


@dataclass
class Cell:
    """What one load gave."""

    per_second: float
    p50: float
    p99: float
    server_cpu_us: float
    database_cpu_us: float
    phones_cpu_us: float
    phones_share: float
    others_share: float  # of the whole machine, taken by programs that are none of ours
    faults: list[str] = field(default_factory=list)

    @property
    def cpu_us(self) -> float:
        """All CPU of one request, of everybody who took part."""
        return self.server_cpu_us + self.database_cpu_us + self.phones_cpu_us


class House(AbstractContextManager["House"]):
    """One town, its server, and fresh runs to storm."""

    def __init__(
        self, store: Store, built: BenchTown, *, remade: bool = False, application: str = APPLICATION
    ) -> None:
        self.store, self.town = store, built
        environment = dict(built.environment)
        if remade:
            environment[FRESH_SECONDS] = "0"
        self.server = Server(environment, store.directory / "server.log", application)
        self._runs: list[str] = []
        self._seed = 0

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    # --- the loads ------------------------------------------------------------------------------------------------

    def taps(
        self,
        residents: int,
        connections: int,
        *,
        strike: Callable[[], None] | None = None,
        strike_at: float = 0.0,
    ) -> Cell:
        """A burst on a run nobody has tapped yet, checked against the rows. ``strike`` comes after that share of the answers."""
        order, run = self._order(residents), self._a_run()
        path = f"/api/v1/course-runs/{run}/registration"
        requests = [storm.request("PUT", path, self.town.tokens[who]) for who in order]
        cell, outcome = self._play(requests, connections, strike=strike, strike_at=strike_at)
        cell.faults = faults_after(self.town.engine, run, order, self.town.resident_keys, outcome)
        self.town.end(run)
        return cell

    def opening_minute(self, looks: int, residents: int, connections: int, *, real: bool) -> Cell:
        """So many look at the list while so many tap, mixed all through; ``real`` or, to compare, nothing done for either."""
        order, tokens = self._order(residents), self.town.tokens
        run = self._a_run() if real else ""
        tap = ("PUT", f"/api/v1/course-runs/{run}/registration") if real else ("POST", "/bench/nothing")
        look = storm.request("GET", LIST if real else "/bench/nothing")
        every = max(1, looks // len(order))
        requests: list[bytes] = []
        for who in order:
            requests += [storm.request(*tap, tokens[who])] + [look] * every
        cell, outcome = self._play(requests, connections)
        cell.faults = [
            f"a look was answered {answer.status}"
            for place, answer in enumerate(outcome.answers)
            if place % (every + 1) and answer.status != 200
        ][:1]
        if real:
            outcome.answers = outcome.answers[:: every + 1]
            cell.faults += faults_after(self.town.engine, run, order, self.town.resident_keys, outcome)
            self.town.end(run)
        return cell

    def refusals(self, residents: int, connections: int) -> Cell:
        """The same burst on a run that takes nobody into a queue: all but the first few are told no, and why is kept."""
        order, (run,) = self._order(residents), self.town.open_runs(1, waitlist_limit=0)
        path = f"/api/v1/course-runs/{run}/registration"
        requests = [storm.request("PUT", path, self.town.tokens[who]) for who in order]
        cell, outcome = self._play(requests, connections)
        cell.faults = faults_of_refusals(self.town.engine, run, order, self.town.resident_keys, outcome)
        self.town.end(run)
        return cell

    def storm_on(self, room: WantedRoom, people: int, connections: int) -> Cell:
        """Everybody wants one slot of one room, checked against the rows; it is free again afterwards."""
        order = self._order(people)
        # on a busy machine it takes minutes: what is asked is whether every answer is right, and p99 tells how long people waited
        cell, outcome = self._play(room.requests(order), connections, patience_seconds=240.0)
        cell.faults = room.faults_after(order, outcome)
        room.let_go()
        return cell

    def storm_on_wish(self, wish: WantedWish, units: int, connections: int) -> Cell:
        """Every unit wants one wish, checked against the rows; it hangs again afterwards."""
        order = self._order(units)
        cell, outcome = self._play(wish.requests(order), connections, patience_seconds=240.0)
        cell.faults = wish.faults_after(order, outcome)
        wish.let_go()
        return cell

    def posts_of_nothing(self, residents: int, connections: int) -> Cell:
        """The same people in the same order; the token is verified, nothing is done."""
        tokens = self.town.tokens
        requests = [storm.request("POST", "/bench/nothing", tokens[who]) for who in self._order(residents)]
        return self._good(*self._play(requests, connections))

    def orm_taps(self, residents: int, connections: int) -> Cell:
        """The same burst on the route as it is usually written."""
        run = self.town.open_bench_run()
        tokens = self.town.tokens
        path = f"/bench/orm-runs/{run}/registration"
        requests = [storm.request("PUT", path, tokens[who]) for who in self._order(residents)]
        return self._good(*self._play(requests, connections))

    def looks(self, how_many: int, path: str = LIST, connections: int = LOOKERS) -> Cell:
        """Everybody opens the same address."""
        return self._good(*self._play([storm.request("GET", path)] * how_many, connections))

    def hot_row(self, store: PostgreSql, seconds: int) -> Cell:
        """pgbench with one guarded statement a tap on the same PostgreSQL; it is client and database, and no web."""
        run = self.town.open_bench_run()
        (_, database), busy, pgbench = self._cpu(), busy_seconds(), _cpu_of_children()
        rate = store.hot_row_per_second(self.town.url, run, clients=32, seconds=seconds)
        database, pgbench = self._cpu()[1] - database, _cpu_of_children() - pgbench
        others = busy_seconds() - busy - database - pgbench
        each = 1e6 / (rate * seconds)
        return Cell(
            per_second=rate,
            p50=32 / rate,  # pgbench tells the average alone
            p99=32 / rate,
            server_cpu_us=0.0,
            database_cpu_us=database * each,
            phones_cpu_us=pgbench * each,
            phones_share=pgbench / seconds,
            others_share=max(0.0, others) / seconds / (os.cpu_count() or 1),
        )

    def warm_up(self, scale: Scale) -> None:
        """What a server that has been up for a day has done before: every token seen, every path walked once."""
        for residents, connections in scale.bursts:
            self.posts_of_nothing(residents, connections)
        self.taps(min(1_000, scale.residents), 128)
        self.looks(200)

    # --- how ------------------------------------------------------------------------------------------------------

    def open_the_list(self) -> None:
        """The runs that are first in the list and stay as they are."""
        self.town.open_runs(LISTED)

    def _a_run(self) -> str:
        if not self._runs:
            self._runs = self.town.open_runs(8)
        return self._runs.pop()

    def _order(self, residents: int) -> list[int]:
        self._seed += 1
        return storm.with_repeats(residents, seed=self._seed)

    def _play(self, requests: Sequence[bytes], connections: int, **striking: Any) -> tuple[Cell, Outcome]:
        if "strike_at" in striking:
            striking["strike_at"] = int(len(requests) * striking["strike_at"])
        before, busy, bench = self._cpu(), busy_seconds(), _cpu_of_the_bench()
        outcome = storm.play(self.server.port, requests, connections=connections, **striking)
        busy, bench = busy_seconds() - busy, _cpu_of_the_bench() - bench
        server, database = (after - before for after, before in zip(self._cpu(), before, strict=True))
        waited = sorted(answer.seconds for answer in outcome.answers)
        each = 1e6 / len(requests)
        return Cell(
            per_second=len(requests) / outcome.seconds,
            p50=statistics.median(waited),
            p99=waited[min(len(waited) - 1, math.ceil(len(waited) * 0.99) - 1)],
            server_cpu_us=server * each,
            database_cpu_us=database * each,
            phones_cpu_us=outcome.cpu_seconds * each,
            phones_share=outcome.cpu_seconds / outcome.seconds,
            others_share=max(0.0, busy - server - database - bench) / outcome.seconds / (os.cpu_count() or 1),
        ), outcome

    def _cpu(self) -> tuple[float, float]:
        return cpu_seconds_of(family_of(self.server.pid)), cpu_seconds_of(self.store.processes())

    @staticmethod
    def _good(cell: Cell, outcome: Outcome) -> Cell:
        wrong = [answer for answer in outcome.answers if answer.status != 200]
        if wrong:
            cell.faults = [
                f"{len(wrong)} answers were not 200, the first {wrong[0].status}: {wrong[0].body[:200]!r}"
            ]
        return cell

    def memory(self) -> dict[str, Memory]:
        """Each process of the server, and the database's together."""
        found = {"master": memory_of(self.server.pid)}
        found |= {f"web worker {n}": memory_of(pid) for n, pid in enumerate(self.server.workers, start=1)}
        ours = [memory_of(pid) for pid in self.store.processes()]
        if ours:
            found["database, all processes"] = Memory(
                sum(memory.rss for memory in ours), sum(memory.pss for memory in ours)
            )
        return found


def _cpu_of_the_bench() -> float:
    """CPU seconds of this process, and of the phones it has waited for, their start and their end included."""
    return time.process_time() + _cpu_of_children()


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def strike_a_worker(house: House) -> Callable[[], None]:
    """kill -9 one web worker; gunicorn starts another."""

    def strike() -> None:
        house.server.kill_a_worker()

    return strike


def strike_the_database(store: PostgreSql) -> Callable[[], None]:
    """Immediate stop, and up again."""

    def strike() -> None:
        store.kill()
        store.restart()

    return strike


def build_town(store: Store, name: str, scale: Scale, *, history: int, stack: ExitStack) -> BenchTown:
    """A migrated town of this scale with its past; closed with the stack."""
    directory = Path(store.directory) / name
    directory.mkdir()
    built = town.build(store.database(name), directory, scale.residents)
    stack.callback(built.close)
    built.add_history(history)
    return built
