"""The bars P1–P21: what is divided by what, what is asked of it, and how the result reads."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from server.settings import WECHAT_CONNECTIONS
from tests.bench.clocks import Rewinding
from tests.bench.deciding import Decided
from tests.bench.lists import Look
from tests.bench.measuring import Cell
from tests.bench.messages import Claims, Posted
from tests.bench.serving import Memory

REPORTED = "reported"


@dataclass(frozen=True)
class Bar:
    """One bar: at least ``least`` or at most ``most``."""

    name: str
    says: str
    least: float | None = None
    most: float | None = None

    def is_met_by(self, value: float) -> bool:
        """Whether a median passes."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    @property
    def wants(self) -> str:
        """The demand, as a reader writes it."""
        if self.least is None and self.most is None:
            return REPORTED
        return f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}"


TAP_PG = Bar("P1", "taps ÷ authenticated no-op POST", least=0.40)
TAP_SQLITE = Bar("P2", "taps ÷ authenticated no-op POST", least=0.40)
# what P1 and P2 would be on a machine with nothing else to do: CPU is counted for our own processes alone
TAP_CPU = Bar("P1", "CPU of a no-op ÷ CPU of a tap, database and phones included")
REFUSED = "taps refused, and why is kept ÷ taps"
REFUSED_PG, REFUSED_SQLITE = Bar("P1", REFUSED, least=0.9), Bar("P2", REFUSED, least=0.9)
HOT_ROW = Bar("P3", "taps ÷ pgbench, one guarded statement, hot row, 32 clients", least=1.0)
ORM = Bar("P4", "taps ÷ plain ORM lock-and-count route", least=8)
# the bar was set for a row lock, which SQLite has not: its ORM route is faster, and a no-op is barely ten of it
ORM_SQLITE = Bar("P4", "taps ÷ plain ORM lock-and-count route")
LIST = Bar("P5", "list of 20 runs ÷ no-op GET", least=0.6)
EXACT = Bar("P6", "bursts with a fault", most=0)
TAIL = Bar("P7", "p99 ÷ p50 of the burst", most=4)
OLD_TAP = Bar("P8", "cost of a tap after years ÷ when new", most=1.3)
OLD_LIST = Bar("P8", "cost of making the list after years ÷ when new", most=1.3)
POSTED = Bar("P10", "messages sent ÷ connections ÷ WeChat's 50 ms", least=0.8)
POSTED_MORE = Bar("P10", "messages sent ÷ connections ÷ WeChat's 50 ms")
FLAT = Bar("P11", "the worker's memory in the last quarter ÷ in the first", most=1.1)
OLD_CLAIM = Bar("P12", "cost of a claim after years ÷ when new", most=1.3)
OLD_SETTLE = Bar("P12", "cost of writing down outcomes after years ÷ when new", most=1.3)
OPENING = Bar("P13", "list and taps of the opening minute ÷ as many no-ops", least=0.5)
DECIDED_WRONG = Bar("P14", "offers, lapses and draws with a fault", most=0)
OFFERED = Bar("P14", "cost of one of many offers ÷ of a tap", most=2)
LAPSED = Bar("P14", "cost of one of many offers that end, and go to the next ÷ of a tap", most=3)
RISEN_FLAT = Bar("P14", "cost of one of many offers ÷ of few", most=1.3)
DRAWN = Bar("P15", "cost of one of many lots ÷ of a tap", most=2)
DRAWN_FLAT = Bar("P15", "cost of one of many lots ÷ of few", most=1.3)
DRAWN_MEMORY = Bar("P15", "MiB the process grew by in a draw", most=64)
FLAT_LIST = Bar("P16", "a page of a list among many old runs ÷ among few", most=2)
FLAT_ROOMS = Bar("P17", "cost of it in rooms with years behind them ÷ with days", most=1.3)
STORMED = "taps on one slot of a room ÷ authenticated no-op POST"
ROOM_STORM_PG, ROOM_STORM_SQLITE = Bar("P18", STORMED, least=0.02), Bar("P18", STORMED, least=0.04)
ROOM_EXACT = Bar("P18", "storms on a room with a fault", most=0)
FLAT_WALL = Bar("P19", "a page of the wall among very many wishes ÷ among a hundred", most=2)
WISH_STORM = Bar("P20", "claims of units on one wish ÷ authenticated no-op POST", least=0.02)
WISH_EXACT = Bar("P20", "storms on a wish with a fault", most=0)
REWOUND = Bar("P21", "seconds to wind the clocks of 100,000 open threads anew", most=60)
REWOUND_FLAT = Bar("P21", "memory in the last quarter of it ÷ in the first", most=1.1)
REWOUND_EXACT = Bar("P21", "times a clock was not wound", most=0)
LOST = Bar("P10", "runs with a message lost or twice", most=0)


@dataclass
class Verdict:
    """One bar on one database: the ratio of every round, and whether its median passes."""

    bar: Bar
    engine: str
    case: str
    ratios: list[float]

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return statistics.median(self.ratios)

    @property
    def passes(self) -> bool:
        """Whether the bar is met."""
        return self.bar.is_met_by(self.median)

    def row(self) -> list[str]:
        """As a line of the table."""
        spread = f"{min(self.ratios):.2f}..{max(self.ratios):.2f}"
        return [
            self.bar.name,
            self.engine,
            f"{self.bar.says}{f', {self.case}' if self.case else ''}",
            f"{self.median:.2f}",
            spread,
            self.bar.wants,
            "" if self.bar.wants == REPORTED else "pass" if self.passes else "FAIL",
        ]


@dataclass
class Findings:
    """Everything a run found. ``cells[engine, kind]`` holds one cell a round."""

    cells: dict[tuple[str, str], list[Cell]] = field(default_factory=dict)
    strikes: dict[tuple[str, str], list[Cell]] = field(default_factory=dict)
    memory: dict[tuple[str, str], dict[str, Memory]] = field(default_factory=dict)
    posted: dict[str, list[Posted]] = field(default_factory=dict)
    claims: dict[str, list[list[Claims]]] = field(
        default_factory=dict
    )  # a round: the new outbox's, the old one's
    decided: dict[tuple[str, str, int], list[Decided]] = field(default_factory=dict)
    lists: dict[str, list[Look]] = field(default_factory=dict)
    rooms: dict[str, list[Look]] = field(default_factory=dict)
    walls: dict[str, list[Look]] = field(default_factory=dict)
    rewound: dict[str, list[Rewinding]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def add(self, engine: str, kind: str, cell: Cell) -> None:
        """One more round of a cell."""
        self.cells.setdefault((engine, kind), []).append(cell)

    def rates(self, engine: str, kind: str) -> list[float]:
        """Answers per second, one a round."""
        return [cell.per_second for cell in self.cells.get((engine, kind), [])]


def judge(found: Findings, engines: Sequence[str], bursts: Sequence[tuple[int, int]]) -> list[Verdict]:
    """Every bar that was measured."""
    verdicts: list[Verdict] = []

    def weigh(bar: Bar, engine: str, case: str, over: Sequence[float], under: Sequence[float]) -> None:
        if over and under:
            ratios = [a / b for a, b in zip(over, under, strict=False)]
            verdicts.append(Verdict(bar, engine, case, ratios))

    for engine in engines:
        for residents, _ in bursts:
            taps, case = found.rates(engine, f"taps {residents}"), f"{residents} residents"
            bar = TAP_SQLITE if engine == "sqlite" else TAP_PG
            weigh(bar, engine, case, taps, found.rates(engine, f"nothing {residents}"))
            weigh(
                TAP_CPU,
                engine,
                case,
                [cell.cpu_us for cell in found.cells.get((engine, f"nothing {residents}"), [])],
                [cell.cpu_us for cell in found.cells.get((engine, f"taps {residents}"), [])],
            )
        first = found.rates(engine, f"taps {bursts[0][0]}")
        bar = REFUSED_SQLITE if engine == "sqlite" else REFUSED_PG
        weigh(bar, engine, "", found.rates(engine, "refusals"), first)
        if engine == "postgresql":
            weigh(HOT_ROW, engine, "", first, found.rates(engine, "pgbench"))
        weigh(ORM_SQLITE if engine == "sqlite" else ORM, engine, "", first, found.rates(engine, "orm"))
        weigh(LIST, engine, "", found.rates(engine, "list"), found.rates(engine, "get"))
        for residents, _ in bursts:
            cells = found.cells.get((engine, f"taps {residents}"), [])
            weigh(TAIL, engine, f"{residents} residents", [c.p99 for c in cells], [c.p50 for c in cells])
        for bar, kind in ((OLD_TAP, "taps"), (OLD_LIST, "list")):
            new, old = found.rates(engine, f"{kind} new"), found.rates(engine, f"{kind} old")
            weigh(bar, engine, "", new, old)
        bursts_played = [
            cell
            for (where, kind), cells in found.cells.items()
            if where == engine and "taps" in kind
            for cell in cells
        ]
        for case, cells in [
            ("undisturbed", bursts_played),
            *((what, cells) for (where, what), cells in found.strikes.items() if where == engine),
        ]:
            if cells:
                faulty = float(sum(bool(cell.faults) for cell in cells))
                verdicts.append(Verdict(EXACT, engine, f"{case}, of {len(cells)}", [faulty]))
        weigh(OPENING, engine, "", found.rates(engine, "opening"), found.rates(engine, "opening of nothing"))
        verdicts += _judge_room_storm(found, engine)
        verdicts += _judge_messages(found, engine)
        verdicts += _judge_deciding(found, engine)
        verdicts += _judge_looks(found.lists.get(engine, []), FLAT_LIST, engine)
        verdicts += _judge_looks(found.rooms.get(engine, []), FLAT_ROOMS, engine)
        verdicts += _judge_looks(found.walls.get(engine, []), FLAT_WALL, engine)
        verdicts += _judge_wishes(found, engine)
    return sorted(verdicts, key=lambda verdict: int(verdict.bar.name[1:]))


def _judge_messages(found: Findings, engine: str) -> list[Verdict]:
    """P10 to P12."""
    verdicts: list[Verdict] = []
    posted = found.posted.get(engine, [])
    for connections in sorted({each.connections for each in posted}):
        case, of_it = (
            f"{connections} connections",
            [each for each in posted if each.connections == connections],
        )
        bar = POSTED if connections == WECHAT_CONNECTIONS else POSTED_MORE
        verdicts.append(Verdict(bar, engine, case, [each.share for each in of_it]))
        verdicts.append(Verdict(FLAT, engine, case, [each.rss_last / each.rss_first for each in of_it]))
    if posted:
        faulty = float(sum(bool(each.faults) for each in posted))
        verdicts.append(Verdict(LOST, engine, f"of {len(posted)}", [faulty]))
    rounds = found.claims.get(engine, [])
    if rounds:
        verdicts.append(Verdict(OLD_CLAIM, engine, "", [old.claim / new.claim for new, old in rounds]))
        verdicts.append(Verdict(OLD_SETTLE, engine, "", [old.settle / new.settle for new, old in rounds]))
    return verdicts


def _judge_deciding(found: Findings, engine: str) -> list[Verdict]:
    """P14 and P15."""
    of_it = {
        (what, people): cells for (where, what, people), cells in found.decided.items() if where == engine
    }
    taps = [cell.each for (what, _), cells in of_it.items() if what == "tap" for cell in cells]
    verdicts: list[Verdict] = []
    for what, bar, flat in (
        ("offer", OFFERED, RISEN_FLAT),
        ("lapse", LAPSED, None),
        ("draw", DRAWN, DRAWN_FLAT),
    ):
        sizes = sorted(people for kind, people in of_it if kind == what)
        if not sizes:
            continue
        few, many = of_it[what, sizes[0]], of_it[what, sizes[-1]]
        case = f"{sizes[-1]:,} at once"
        verdicts.append(
            Verdict(bar, engine, case, [cell.each / tap for cell, tap in zip(many, taps, strict=True)])
        )
        if flat is not None:
            ratios = [cell.each / less.each for cell, less in zip(many, few, strict=True)]
            verdicts.append(Verdict(flat, engine, f"{case}, {sizes[0]:,}", ratios))
        if what == "draw":
            verdicts.append(Verdict(DRAWN_MEMORY, engine, case, [cell.grown for cell in many]))
    played = [cell for cells in of_it.values() for cell in cells]
    if played:
        faulty = float(sum(bool(cell.faults) for cell in played))
        verdicts.append(Verdict(DECIDED_WRONG, engine, f"of {len(played)}", [faulty]))
    return verdicts


def _judge_looks(looks: Sequence[Look], bar: Bar, engine: str) -> list[Verdict]:
    """P16, P17 and P19, a line for each look."""
    cost = {(look.name, look.past): look.seconds for look in looks}
    few, many = min((past for _, past in cost), default=0), max((past for _, past in cost), default=0)
    return [
        Verdict(bar, engine, name, [cost[name, many] / cost[name, few]])
        for name in dict.fromkeys(name for name, _ in cost)
    ]


def _judge_room_storm(found: Findings, engine: str) -> list[Verdict]:
    """P18."""
    cells = found.cells.get((engine, "room"), [])
    if not cells:
        return []
    nothing = found.rates(engine, "room of nothing")
    ratios = [cell.per_second / rate for cell, rate in zip(cells, nothing, strict=True)]
    faulty = float(sum(bool(cell.faults) for cell in cells))
    return [
        Verdict(ROOM_STORM_PG if engine == "postgresql" else ROOM_STORM_SQLITE, engine, "", ratios),
        Verdict(ROOM_EXACT, engine, f"of {len(cells)}", [faulty]),
    ]


def _judge_wishes(found: Findings, engine: str) -> list[Verdict]:
    """P20 and P21."""
    verdicts: list[Verdict] = []
    cells = found.cells.get((engine, "wish"), [])
    if cells:
        nothing = found.rates(engine, "wish of nothing")
        ratios = [cell.per_second / rate for cell, rate in zip(cells, nothing, strict=True)]
        faulty = float(sum(bool(cell.faults) for cell in cells))
        verdicts += [
            Verdict(WISH_STORM, engine, "", ratios),
            Verdict(WISH_EXACT, engine, f"of {len(cells)}", [faulty]),
        ]
    rewound = found.rewound.get(engine, [])
    if rewound:
        case = f"{rewound[0].threads:,} threads"
        each = [one.seconds / one.threads * 100_000 for one in rewound]
        verdicts += [
            Verdict(REWOUND, engine, case, each),
            Verdict(REWOUND_FLAT, engine, case, [one.rss_last / one.rss_first for one in rewound]),
            Verdict(REWOUND_EXACT, engine, case, [float(sum(bool(one.faults) for one in rewound))]),
        ]
    return verdicts


def as_markdown(found: Findings, verdicts: Sequence[Verdict]) -> str:
    """The readable file."""
    parts = [
        "# make bench",
        *found.remarks,
        _table(
            ["bar", "database", "ratio", "median", "min..max", "bar asks", ""], [v.row() for v in verdicts]
        ),
        *_titled(
            "P9, memory of each process, MiB (PSS counts shared pages once):",
            ["database", "process", "at rest RSS", "PSS", "after the bursts RSS", "PSS"],
            _memory_rows(found),
        ),
        *_titled(
            "P10 and P11, messages through the worker (medians; CPU in µs a message):",
            [
                "database",
                "connections",
                "messages",
                "per second",
                "min..max",
                "worker CPU",
                "WeChat's CPU",
                "database CPU",
                "worker RSS, MiB",
                "others' share of the machine",
            ],
            _posted_rows(found),
        ),
        *_titled(
            "P12, a batch as the worker claims it and writes it down (medians, ms):",
            ["database", "old notices", "batch", "claim", "write down", "others' share of the machine"],
            _claim_rows(found),
        ),
        *_titled(
            "What was measured (medians; CPU in µs a request, a tick of the kernel's clock at the least):",
            [
                "database",
                "load",
                "per second",
                "min..max",
                "p50 ms",
                "p99 ms",
                "server CPU",
                "database CPU",
                "phones CPU",
                "phones' share of a core",
                "others' share of the machine",
            ],
            [_cell_row(engine, kind, cells) for (engine, kind), cells in sorted(found.cells.items())],
        ),
    ]
    faults = [
        f"- {engine}, {kind}: {fault}"
        for (engine, kind), cells in [*found.cells.items(), *found.strikes.items()]
        for cell in cells
        for fault in cell.faults
    ] + [
        f"- {engine}, messages: {fault}"
        for engine, posted in found.posted.items()
        for each in posted
        for fault in each.faults
    ]
    if faults:
        parts += ["Faults:", "\n".join(faults)]
    return "\n\n".join(part for part in parts if part) + "\n"


def as_json(found: Findings, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Everything, for machines."""
    return {
        "bars": [
            {
                "bar": v.bar.name,
                "says": v.bar.says,
                "engine": v.engine,
                "case": v.case,
                "median": v.median,
                "ratios": v.ratios,
                "wants": v.bar.wants,
                "passes": v.passes,
            }
            for v in verdicts
        ],
        "cells": {
            f"{engine}: {kind}": [asdict(c) for c in cells] for (engine, kind), cells in found.cells.items()
        },
        "strikes": {
            f"{engine}: {what}": [asdict(c) for c in cells] for (engine, what), cells in found.strikes.items()
        },
        "memory_mib": {
            f"{engine}, {when}": {who: asdict(memory) for who, memory in processes.items()}
            for (engine, when), processes in found.memory.items()
        },
        "posted": {engine: [asdict(each) for each in posted] for engine, posted in found.posted.items()},
        "claims": {
            engine: [[asdict(each) for each in pair] for pair in rounds]
            for engine, rounds in found.claims.items()
        },
        "decided": {
            f"{engine}: {what} of {people}": [asdict(each) for each in cells]
            for (engine, what, people), cells in found.decided.items()
        },
        "lists": {engine: [asdict(each) for each in looks] for engine, looks in found.lists.items()},
        "rooms": {engine: [asdict(each) for each in looks] for engine, looks in found.rooms.items()},
        "walls": {engine: [asdict(each) for each in looks] for engine, looks in found.walls.items()},
        "rewound": {engine: [asdict(each) for each in times] for engine, times in found.rewound.items()},
        "remarks": found.remarks,
    }


def _memory_rows(found: Findings) -> list[list[str]]:
    rows = []
    for (engine, when), at_rest in found.memory.items():
        if when != "at rest":
            continue
        after = found.memory.get((engine, "after"), {})
        for who, memory in at_rest.items():
            later = after.get(who)
            rows.append(
                [engine, who, f"{memory.rss:.0f}", f"{memory.pss:.0f}"]
                + ([f"{later.rss:.0f}", f"{later.pss:.0f}"] if later else ["", ""])
            )
    return rows


def _posted_rows(found: Findings) -> list[list[str]]:
    rows = []
    for engine, posted in found.posted.items():
        for connections in sorted({each.connections for each in posted}):
            of_it = [each for each in posted if each.connections == connections]
            rates = [each.per_second for each in of_it]
            cpu = [
                f"{statistics.median(getattr(each, name) for each in of_it):.0f}"
                for name in ("worker_cpu_us", "wechat_cpu_us", "database_cpu_us")
            ]
            rows.append(
                [
                    engine,
                    str(connections),
                    f"{of_it[0].messages:,}",
                    f"{statistics.median(rates):.0f}",
                    f"{min(rates):.0f}..{max(rates):.0f}",
                    *cpu,
                    f"{of_it[0].rss_first:.0f} → {of_it[-1].rss_last:.0f}",
                    f"{statistics.median(each.others_share for each in of_it):.2f}",
                ]
            )
    return rows


def _claim_rows(found: Findings) -> list[list[str]]:
    rows = []
    for engine, rounds in found.claims.items():
        for of_it in zip(*rounds, strict=True):
            claim, settle, others = (
                statistics.median(getattr(each, name) for each in of_it)
                for name in ("claim", "settle", "others_share")
            )
            rows.append(
                [
                    engine,
                    f"{of_it[0].old:,}",
                    str(of_it[0].batch),
                    f"{claim * 1000:.1f}",
                    f"{settle * 1000:.1f}",
                    f"{others:.2f}",
                ]
            )
    return rows


def _titled(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table under its title; nothing where nothing was measured."""
    return [title, _table(head, rows)] if rows else []


def _cell_row(engine: str, kind: str, cells: Sequence[Cell]) -> list[str]:
    def middle(name: str) -> float:
        return float(statistics.median(getattr(cell, name) for cell in cells))

    rates = [cell.per_second for cell in cells]
    return [
        engine,
        kind,
        f"{middle('per_second'):.0f}",
        f"{min(rates):.0f}..{max(rates):.0f}",
        f"{middle('p50') * 1000:.0f}",
        f"{middle('p99') * 1000:.0f}",
        f"{middle('server_cpu_us'):.0f}",
        f"{middle('database_cpu_us'):.0f}",
        f"{middle('phones_cpu_us'):.0f}",
        f"{middle('phones_share'):.2f}",
        f"{middle('others_share'):.2f}",
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    lines = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in (head, *rows)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
