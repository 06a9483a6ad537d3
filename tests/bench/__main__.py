"""``make bench``: the running server and the worker against the bars P1–P21, on both databases. ``--help`` tells the options."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from models import clock
from server.settings import WECHAT_CONNECTIONS
from tests.bench.bars import (
    DECIDED_WRONG,
    EXACT,
    LOST,
    REWOUND_EXACT,
    ROOM_EXACT,
    WISH_EXACT,
    Findings,
    as_json,
    as_markdown,
    judge,
)
from tests.bench.claiming import WantedWish
from tests.bench.clocks import open_threads, rewind
from tests.bench.deciding import Deciding
from tests.bench.lists import add_old_runs, look_in_turn, looks_at_lists
from tests.bench.measuring import (
    FULL,
    LISTED,
    QUICK,
    SMALL_HISTORY,
    Cell,
    House,
    Scale,
    build_town,
    strike_a_worker,
    strike_the_database,
)
from tests.bench.messages import Post, claim_in_turn
from tests.bench.outbox import Outbox
from tests.bench.reserving import WantedRoom
from tests.bench.rooms import add_centre, looks_at_rooms
from tests.bench.serving import busy_seconds
from tests.bench.stores import PostgreSql, Sqlite, Store
from tests.bench.walls import hang_wishes, looks_at_the_wall

BARS = tuple(f"P{n}" for n in range(1, 22))
ENGINES = ("sqlite", "postgresql")
OUT = Path("var/bench")
STRIKE_AT = 0.3
MOST_OF_OTHERS = 0.10
SMALL_PAST = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, keep; 1 when a bar fails in a full run or an answer was wrong in any."""
    asked = _read(arguments)
    scale = QUICK if asked.quick else FULL
    rounds = asked.rounds or (1 if asked.quick else 5)
    history = asked.history or scale.history
    quiet = Quiet(asked.patience * 60 if asked.patience is not None else (0 if asked.quick else 600))
    found = Findings()
    found.remarks.append(
        f"{rounds} interleaved rounds in shuffled order, medians; {os.cpu_count()} cores shared by phones, server and database; "
        f"gunicorn with deploy/gunicorn.conf.py, two gevent workers; SQLite with synchronous FULL, PostgreSQL with fsync."
    )
    with ExitStack() as stack:
        stores: dict[str, Store] = {
            engine: stack.enter_context(Sqlite() if engine == "sqlite" else PostgreSql())
            for engine in asked.engine
        }
        if "postgresql" in stores:
            found.remarks.append(f"PostgreSQL {getattr(stores['postgresql'], 'version', '')}.")
        if asked.only & {"P1", "P2", "P3", "P4", "P5", "P6", "P7", "P9", "P13"}:
            _measure_the_burst(found, stores, scale, rounds, asked.only, quiet)
        if "P8" in asked.only:
            _measure_the_years(found, stores, scale, rounds, history, quiet)
        if asked.only & {"P10", "P11"}:
            _measure_the_post(found, stores, scale, asked.connections, quiet)
        if "P12" in asked.only:
            _measure_the_outbox(found, stores, scale, rounds, history)
        if asked.only & {"P14", "P15"}:
            _measure_deciding(found, stores, scale, rounds, asked.only)
        if "P16" in asked.only:
            _measure_lists(found, stores, scale)
        if "P17" in asked.only:
            _measure_rooms(found, stores, scale, history)
        if "P18" in asked.only:
            _measure_room_storm(found, stores, scale, rounds, quiet)
        _measure_wishes(found, stores, scale, rounds, asked.only, quiet)
    verdicts = [v for v in judge(found, asked.engine, scale.bursts) if v.bar.name in asked.only]
    report = as_markdown(found, verdicts)
    print(f"\n{report}")
    OUT.mkdir(parents=True, exist_ok=True)
    name = f"{'quick' if asked.quick else 'bench'}-{clock.in_town(clock.now()):%Y%m%d-%H%M%S}"
    (OUT / f"{name}.md").write_text(report, encoding="utf-8")
    (OUT / f"{name}.json").write_text(
        json.dumps(as_json(found, verdicts), ensure_ascii=False, indent=1), encoding="utf-8"
    )
    print(f"kept in {OUT / name}.md and .json")
    failed = [
        v
        for v in verdicts
        if not v.passes
        and (v.bar in (EXACT, LOST, DECIDED_WRONG, ROOM_EXACT, WISH_EXACT, REWOUND_EXACT) or not asked.quick)
    ]
    return 1 if failed else 0


def _measure_the_burst(
    found: Findings, stores: dict[str, Store], scale: Scale, rounds: int, only: set[str], quiet: Quiet
) -> None:
    """P1–P7 and P9: rounds of all cells of both databases, shuffled; then the strikes."""
    with ExitStack() as stack:
        houses: dict[str, House] = {}
        for engine, store in stores.items():
            built = build_town(store, "burst", scale, history=SMALL_HISTORY, stack=stack)
            built.open_runs(LISTED)
            built.give_everybody_another_place()
            houses[engine] = stack.enter_context(House(store, built))
            found.memory[engine, "at rest"] = houses[engine].memory()
            _say(f"{engine}: a town of {scale.residents} residents is up")
            houses[engine].warm_up(scale)
        for number in range(rounds):
            cells = [
                (engine, kind, play)
                for engine, house in houses.items()
                for kind, play in _cells(house, scale, only).items()
            ]
            random.Random(number).shuffle(cells)
            for engine, kind, play in cells:
                cell = quiet.play(play)
                found.add(engine, kind, cell)
                _say(f"round {number + 1}: {engine:10} {kind:14} {_brief(cell)}")
        for engine, house in houses.items():
            found.memory[engine, "after"] = house.memory()
        if "P6" in only:
            _strike(found, houses, scale, min(rounds, 3))


def _cells(house: House, scale: Scale, only: set[str]) -> dict[str, Callable[[], Cell]]:
    cells: dict[str, Callable[[], Cell]] = {}
    for residents, connections in scale.bursts:
        if only & {"P1", "P2", "P3", "P4", "P6", "P7", "P9"}:
            cells[f"taps {residents}"] = partial(house.taps, residents, connections)
        if only & {"P1", "P2"}:
            cells[f"nothing {residents}"] = partial(house.posts_of_nothing, residents, connections)
    if only & {"P1", "P2"}:
        cells["refusals"] = partial(house.refusals, *scale.bursts[0])
    if "P13" in only:
        minute = partial(house.opening_minute, scale.opening_looks, *scale.bursts[0])
        cells["opening"] = partial(minute, real=True)
        cells["opening of nothing"] = partial(minute, real=False)
    if "P4" in only:
        cells["orm"] = partial(house.orm_taps, scale.orm_residents, scale.bursts[0][1])
    if "P5" in only:
        cells["list"] = partial(house.looks, scale.looks)
        cells["get"] = partial(house.looks, scale.looks, "/bench/nothing")
    if "P3" in only and isinstance(house.store, PostgreSql):
        cells["pgbench"] = partial(house.hot_row, house.store, scale.pgbench_seconds)
    return cells


def _strike(found: Findings, houses: dict[str, House], scale: Scale, times: int) -> None:
    """P6 on its worst days: a worker killed in mid-burst, the database killed in mid-burst."""
    residents, connections = scale.bursts[-1]
    for _ in range(times):
        for engine, house in houses.items():
            blows = {"a worker killed": strike_a_worker(house)}
            if isinstance(house.store, PostgreSql):
                blows["the database killed"] = strike_the_database(house.store)
            for what, blow in blows.items():
                cell = house.taps(residents, connections, strike=blow, strike_at=STRIKE_AT)
                house.server.until_ready()
                found.strikes.setdefault((engine, what), []).append(cell)
                _say(f"{engine:10} {what}: {_brief(cell)}")


def _measure_the_years(
    found: Findings, stores: dict[str, Store], scale: Scale, rounds: int, history: int, quiet: Quiet
) -> None:
    """P8: the same burst and the same list, made anew each time, in a new town and in one with years behind it."""
    residents, connections = scale.bursts[0]
    found.remarks.append(f"P8: {SMALL_HISTORY:,} and {history:,} registrations of runs that are over.")
    for engine, store in stores.items():
        with ExitStack() as stack:
            houses = {}
            for age, past in (("new", SMALL_HISTORY), ("old", history)):
                built = build_town(store, f"years_{age}", scale, history=past, stack=stack)
                built.open_runs(LISTED)
                built.give_everybody_another_place()
                houses[age] = stack.enter_context(House(store, built, remade=True))
                houses[age].warm_up(scale)
                _say(f"{engine}: a town with {past:,} registrations is up")
            for number in range(rounds):
                order = [(age, kind) for age in houses for kind in ("taps", "list")]
                random.Random(number).shuffle(order)
                for age, kind in order:
                    house = houses[age]
                    cell = quiet.play(
                        partial(house.taps, residents, connections)
                        if kind == "taps"
                        else partial(house.looks, scale.remade_looks)
                    )
                    found.add(engine, f"{kind} {age}", cell)
                    _say(f"round {number + 1}: {engine:10} {kind} {age}: {_brief(cell)}")


def _measure_the_post(
    found: Findings, stores: dict[str, Store], scale: Scale, connections: Sequence[int], quiet: Quiet
) -> None:
    """P10 and P11: a real worker empties the outbox, with so many connections to a WeChat that takes its time."""
    found.remarks.append(
        f"P10: {scale.messages:,} messages to {scale.residents:,} people, WeChat answers after 50 ms."
    )
    for engine, store in stores.items():
        with ExitStack() as stack:
            built = build_town(store, "post", scale, history=SMALL_HISTORY, stack=stack)
            outbox = Outbox(built)
            for lines in connections:
                with Post(store, outbox, lines) as post:
                    _say(f"{engine}: a worker with {lines} connections is up")
                    for number in range(scale.message_rounds):
                        posted = quiet.play(partial(post.play, scale.messages))
                        found.posted.setdefault(engine, []).append(posted)
                        _say(
                            f"round {number + 1}: {engine:10} {lines} connections {posted.per_second:7.0f}/s "
                            f" {posted.share:.2f} of the bound  others {posted.others_share:.0%}"
                        )


def _measure_the_outbox(
    found: Findings, stores: dict[str, Store], scale: Scale, rounds: int, history: int
) -> None:
    """P12: claims in turn from an outbox with few old notices and from one with years of them."""
    found.remarks.append(
        f"P12: {SMALL_HISTORY:,} and {history:,} old notices, {scale.claims} claims a round."
    )
    for engine, store in stores.items():
        with ExitStack() as stack:
            outboxes = []
            for age, old in (("new", SMALL_HISTORY), ("old", history)):
                outbox = Outbox(build_town(store, f"outbox_{age}", scale, history=SMALL_HISTORY, stack=stack))
                outbox.add_old(old)
                outboxes.append((old, outbox))
                _say(f"{engine}: an outbox with {old:,} old notices is there")
            for number in range(rounds):
                pair = claim_in_turn(store, outboxes, connections=WECHAT_CONNECTIONS, times=scale.claims)
                found.claims.setdefault(engine, []).append(pair)
                said = "  ".join(f"{each.old:,} old: {each.claim * 1000:.1f} ms" for each in pair)
                _say(f"round {number + 1}: {engine:10} a claim, {said}")


def _measure_deciding(
    found: Findings, stores: dict[str, Store], scale: Scale, rounds: int, only: set[str]
) -> None:
    """P14 and P15: offers to few and to many at once, their lapsing, and draws among few and among many, each beside taps."""
    for engine, store in stores.items():
        with ExitStack() as stack:
            built = build_town(store, "deciding", scale, history=SMALL_HISTORY, stack=stack)
            built.give_everybody_another_place()
            deciding = Deciding(store, built)
            for _ in range(rounds):
                played = {("tap", scale.risen[1]): deciding.taps(scale.risen[1])}
                if "P14" in only:
                    for people in scale.risen:
                        played["offer", people], played["lapse", people] = deciding.offers(people)
                if "P15" in only:
                    for people in scale.applicants:
                        played["draw", people] = deciding.draw(people)
                for (what, people), decided in played.items():
                    found.decided.setdefault((engine, what, people), []).append(decided)
                    _say(
                        f"{engine:10} {what} of {people}: {decided.each * 1e6:.0f} µs each, {decided.grown:.0f} MiB"
                        f"  others {decided.others_share:.0%}  {decided.faults or ''}"
                    )


def _measure_lists(found: Findings, stores: dict[str, Store], scale: Scale) -> None:
    """P16: a page of every list among few old runs and among very many."""
    for engine, store in stores.items():
        with ExitStack() as stack:
            towns = []
            for runs in scale.old_runs:
                built = build_town(store, f"lists_{runs}", QUICK, history=SMALL_HISTORY, stack=stack)
                built.open_runs(LISTED)
                add_old_runs(built, runs)
                towns.append((runs, built, looks_at_lists(built)))
                _say(f"{engine}: a town with {runs:,} old runs is there")
            found.lists[engine] = look_in_turn(store, towns, scale.pages)


def _measure_rooms(found: Findings, stores: dict[str, Store], scale: Scale, history: int) -> None:
    """P17: a week of a centre, and a room taken, with few occupancies behind it and with years of them."""
    found.remarks.append(f"P17: {SMALL_PAST:,} and {history:,} occupancies that are over, in 30 rooms.")
    for engine, store in stores.items():
        with ExitStack() as stack:
            towns = []
            for past in (SMALL_PAST, history):
                built = build_town(store, f"rooms_{past}", QUICK, history=SMALL_HISTORY, stack=stack)
                towns.append((past, built, looks_at_rooms(add_centre(built, past))))
                _say(f"{engine}: a centre with {past:,} occupancies behind it is there")
            found.rooms[engine] = look_in_turn(store, towns, scale.room_looks)


def _measure_room_storm(
    found: Findings, stores: dict[str, Store], scale: Scale, rounds: int, quiet: Quiet
) -> None:
    """P18: everybody wants one slot of one room of a centre of thirty, by the real route; beside it, the same people do nothing."""
    people, connections = scale.room_storm
    for engine, store in stores.items():
        with ExitStack() as stack:
            built = build_town(store, "room_storm", scale, history=SMALL_HISTORY, stack=stack)
            room = WantedRoom(built, add_centre(built, SMALL_PAST))
            house = stack.enter_context(House(store, built))
            house.posts_of_nothing(people, connections)
            for number in range(rounds):
                nothing = quiet.play(partial(house.posts_of_nothing, people, connections))
                cell = quiet.play(partial(house.storm_on, room, people, connections))
                found.add(engine, "room of nothing", nothing)
                found.add(engine, "room", cell)
                _say(f"round {number + 1}: {engine:10} a room: {_brief(cell)}; nothing: {_brief(nothing)}")


def _measure_wishes(
    found: Findings, stores: dict[str, Store], scale: Scale, rounds: int, only: set[str], quiet: Quiet
) -> None:
    """P19 to P21."""
    if "P19" in only:
        _measure_walls(found, stores, scale)
    if "P20" in only:
        _measure_wish_storm(found, stores, scale, rounds, quiet)
    if "P21" in only:
        _measure_clocks(found, stores, scale, rounds)


def _measure_walls(found: Findings, stores: dict[str, Store], scale: Scale) -> None:
    """P19: a page of the wall in each order, everybody's and units', where few wishes hang and where very many do."""
    for engine, store in stores.items():
        with ExitStack() as stack:
            towns = []
            for wishes in scale.hanging:
                built = build_town(store, f"walls_{wishes}", QUICK, history=SMALL_HISTORY, stack=stack)
                towns.append((wishes, built, looks_at_the_wall(built, hang_wishes(built, wishes))))
                _say(f"{engine}: a wall with {wishes:,} wishes is there")
            found.walls[engine] = look_in_turn(store, towns, scale.wall_looks)


def _measure_wish_storm(
    found: Findings, stores: dict[str, Store], scale: Scale, rounds: int, quiet: Quiet
) -> None:
    """P20: every unit wants one wish, by the real route; beside it, the same logins do nothing."""
    units, connections = scale.wish_storm
    for engine, store in stores.items():
        with ExitStack() as stack:
            built = build_town(store, "wish_storm", QUICK, history=SMALL_HISTORY, stack=stack)
            wish = WantedWish(built, units)
            house = stack.enter_context(House(store, built))
            house.posts_of_nothing(units, connections)
            for number in range(rounds):
                nothing = quiet.play(partial(house.posts_of_nothing, units, connections))
                cell = quiet.play(partial(house.storm_on_wish, wish, units, connections))
                found.add(engine, "wish of nothing", nothing)
                found.add(engine, "wish", cell)
                _say(f"round {number + 1}: {engine:10} a wish: {_brief(cell)}; nothing: {_brief(nothing)}")


def _measure_clocks(found: Findings, stores: dict[str, Store], scale: Scale, rounds: int) -> None:
    """P21: numbers of days change, and the clocks of so many open threads are wound anew."""
    for engine, store in stores.items():
        with ExitStack() as stack:
            built = build_town(store, "clocks", QUICK, history=SMALL_HISTORY, stack=stack)
            open_threads(built, scale.threads)
            _say(f"{engine}: {scale.threads:,} threads are open")
            for number in range(rounds):
                done = rewind(store, built, scale.threads, 20 + number % 10)
                found.rewound.setdefault(engine, []).append(done)
                _say(
                    f"round {number + 1}: {engine:10} {done.seconds:.1f} s, {done.rss_first:.0f} → {done.rss_last:.0f} MiB"
                    f"  others {done.others_share:.0%}  {done.faults or ''}"
                )


class Disturbed(Protocol):
    """What others may have spoilt."""

    others_share: float
    faults: list[str]


Played = TypeVar("Played", bound=Disturbed)


class Quiet:
    """Plays a cell again when other programs took too much of the machine meanwhile, as long as there is patience.

    What decides is the CPU of processes that are none of ours, never the result.
    """

    def __init__(self, patience_seconds: float) -> None:
        self._until = time.monotonic() + patience_seconds

    def play(self, play: Callable[[], Played]) -> Played:
        """The cell, the quietest of a few tries."""
        best = play()
        while best.others_share > MOST_OF_OTHERS and self._comes():
            cell = play()
            faults = best.faults + cell.faults
            best = min(best, cell, key=lambda cell: cell.others_share)
            best.faults = faults
        return best

    def _comes(self) -> bool:
        """Wait for a second in which others do little; whether it came."""
        while time.monotonic() < self._until:
            before = busy_seconds()
            time.sleep(1.0)
            if (busy_seconds() - before) / (os.cpu_count() or 1) < MOST_OF_OTHERS:
                return True
        return False


def _brief(cell: Cell) -> str:
    faults = f"  {cell.faults}" if cell.faults else ""
    return (
        f"{cell.per_second:7.0f}/s  p50 {cell.p50 * 1000:5.0f}  p99 {cell.p99 * 1000:5.0f} ms"
        f"  others {cell.others_share:.0%}{faults}"
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _read(arguments: Sequence[str] | None) -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    reader.add_argument(
        "--quick", action="store_true", help="a smoke run of less than a minute; only exactness can fail"
    )
    reader.add_argument("--rounds", type=int, help="how many interleaved rounds (5; quick: 1)")
    reader.add_argument(
        "--patience",
        type=float,
        help="minutes spent on repeating cells that other programs disturbed (10; quick: 0)",
    )
    reader.add_argument("--only", type=_bars, default=set(BARS), help="bars to measure, e.g. P1,P5")
    reader.add_argument(
        "--engine", type=_engines, default=ENGINES, help="sqlite, postgresql, or both with a comma"
    )
    reader.add_argument(
        "--history", type=int, help="rows of the past for P8, P12 and P17 (1,000,000; quick: 20,000)"
    )
    reader.add_argument(
        "--connections",
        type=_connections,
        default=(WECHAT_CONNECTIONS, WECHAT_CONNECTIONS * 2),
        help="connections of the worker for P10, e.g. 16,32",
    )
    return reader.parse_args(arguments)


def _bars(text: str) -> set[str]:
    wanted = {part.strip().upper() for part in text.split(",")}
    if not wanted <= set(BARS):
        raise argparse.ArgumentTypeError(f"bars are {', '.join(BARS)}")
    return wanted


def _connections(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _engines(text: str) -> tuple[str, ...]:
    wanted = tuple(part.strip() for part in text.split(","))
    if not set(wanted) <= set(ENGINES):
        raise argparse.ArgumentTypeError(f"databases are {', '.join(ENGINES)}")
    return wanted


if __name__ == "__main__":
    sys.exit(main())
