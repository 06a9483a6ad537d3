"""The cells of the outbox: messages through a real worker to a sandbox that takes its time, and what a claim costs after years."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Self

from miniprogram_api.wechat import SendOutcome, SendResult
from server.jobs import delivery
from server.jobs.delivery import AHEAD
from tests.bench.outbox import Outbox
from tests.bench.posting import Wechat, Worker
from tests.bench.serving import busy_seconds, cpu_seconds_of, family_of, memory_of, until
from tests.bench.stores import Store
from tests.bench.wechat import ANSWER_MS, PHONES
from tests.sandbox import SEND, SandboxHands

ANSWER_SECONDS = 0.05
LONGEST_SECONDS = 900.0
LOOK_SECONDS = 0.25
WARM_UP = 500


@dataclass
class Posted:
    """So many messages, all owed at one moment, from the first that WeChat heard of to the last outcome written down."""

    connections: int
    messages: int
    seconds: float
    worker_cpu_us: float
    wechat_cpu_us: float
    database_cpu_us: float
    rss_first: float  # MiB, the worker's, in the first quarter of the time
    rss_last: float
    others_share: float
    faults: list[str] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Messages."""
        return self.messages / self.seconds

    @property
    def share(self) -> float:
        """Of what the connections could carry if nothing but WeChat's answers took time."""
        return self.per_second / (self.connections / ANSWER_SECONDS)


@dataclass
class Post(AbstractContextManager["Post"]):
    """A worker process with so many connections, the outbox it empties, and the WeChat it speaks to."""

    store: Store
    outbox: Outbox
    connections: int

    def __enter__(self) -> Self:
        directory = self.store.directory
        built = {ANSWER_MS: str(round(ANSWER_SECONDS * 1000)), PHONES: str(len(self.outbox.seats))}
        self.wechat = Wechat(directory / "wechat.log", "tests.bench.wechat:create()", built)
        self.wechat.__enter__()
        self.hands = SandboxHands(self.wechat.base_url)
        self.worker = Worker(self._environment(), directory / "worker.log")
        self.worker.__enter__()
        self.play(WARM_UP)
        return self

    def _environment(self) -> Mapping[str, str]:
        return {
            **self.outbox.town.environment,
            "JIAMENKOU_MODE": "demo",
            "WECHAT_BASE_URL": self.wechat.base_url,
            "WECHAT_CONNECTIONS": str(self.connections),
        }

    def __exit__(self, *_: object) -> None:
        self.hands.close()
        self.worker.__exit__()
        self.wechat.__exit__()

    def play(self, messages: int) -> Posted:
        """Owe so many, and see them through."""
        heard = self.hands.calls(SEND)
        before = self.outbox.owe(messages)
        until(
            lambda: self.hands.calls(SEND) > heard, within=LONGEST_SECONDS, what="WeChat hears of the first"
        )
        began, cpu, busy, ours = time.monotonic(), self._cpu(), busy_seconds(), time.process_time()
        rss = [memory_of(self.worker.pid).rss]
        while not self.outbox.is_empty():
            if time.monotonic() > began + LONGEST_SECONDS:
                raise TimeoutError(f"{messages} messages are not through, see {self.worker.log}")
            time.sleep(LOOK_SECONDS)
            rss.append(memory_of(self.worker.pid).rss)
        seconds = time.monotonic() - began
        ours, busy = time.process_time() - ours, busy_seconds() - busy
        spent = [after - earlier for after, earlier in zip(self._cpu(), cpu, strict=True)]
        worker, wechat, database = (each * 1e6 / messages for each in spent)
        quarter = max(1, len(rss) // 4)
        return Posted(
            connections=self.connections,
            messages=messages,
            seconds=seconds,
            worker_cpu_us=worker,
            wechat_cpu_us=wechat,
            database_cpu_us=database,
            rss_first=statistics.median(rss[:quarter]),
            rss_last=statistics.median(rss[-quarter:]),
            others_share=max(0.0, busy - sum(spent) - ours) / seconds / (os.cpu_count() or 1),
            faults=self._faults(messages, before, heard),
        )

    def _faults(self, messages: int, before: int, heard: int) -> list[str]:
        faults = []
        calls, left = self.hands.calls(SEND) - heard, self.outbox.not_sent_since(before)
        if calls != messages:
            faults.append(f"WeChat heard {calls} times of {messages} messages")
        if left:
            faults.append(f"{left} of {messages} messages are not sent")
        return faults

    def _cpu(self) -> tuple[float, float, float]:
        return (
            cpu_seconds_of([self.worker.pid]),
            cpu_seconds_of(family_of(self.wechat.pid)),
            cpu_seconds_of(self.store.processes()),
        )


@dataclass
class Claims:
    """What a claim of one batch costs with its letters and its commit, and writing down what came of it; seconds, medians."""

    old: int
    batch: int
    claim: float
    settle: float
    others_share: float
    faults: list[str] = field(default_factory=list)


def claim_in_turn(
    store: Store, outboxes: Sequence[tuple[int, Outbox]], *, connections: int, times: int
) -> list[Claims]:
    """Claim and settle batches as the worker does, in turn from each of the outboxes, of which each has so many old notices."""
    batch = connections * AHEAD
    claims: list[list[float]] = [[] for _ in outboxes]
    settles: list[list[float]] = [[] for _ in outboxes]
    for _, outbox in outboxes:
        outbox.owe(batch * (times + 1))
    began, busy, ours = time.monotonic(), busy_seconds(), _ours(store)
    for turn in range(times + 1):
        for place, (_, outbox) in enumerate(outboxes):
            with outbox.town.app.app_context():
                start = time.perf_counter()
                taken, letters = delivery._claim(batch, out=0)
                claimed = time.perf_counter()
                delivery._write_down([(letter, _ACCEPTED) for letter in letters])
                settled = time.perf_counter()
            assert taken == len(letters) == batch, (taken, len(letters))
            if turn:  # the first opens the connection and compiles the statements
                claims[place].append(claimed - start)
                settles[place].append(settled - claimed)
    others = busy_seconds() - busy - (_ours(store) - ours)
    share = max(0.0, others) / (time.monotonic() - began) / (os.cpu_count() or 1)
    return [
        Claims(old, batch, statistics.median(claim), statistics.median(settle), share)
        for (old, _), claim, settle in zip(outboxes, claims, settles, strict=True)
    ]


def _ours(store: Store) -> float:
    return time.process_time() + cpu_seconds_of(store.processes())


_ACCEPTED = SendOutcome(SendResult.ACCEPTED, msgid="3600000000000000001")
