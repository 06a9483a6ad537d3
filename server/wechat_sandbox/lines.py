"""A line of jobs done one after the other on a thread of its own, each at its time."""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

log = logging.getLogger(__name__)

# A job that is to be overtaken waits this long for the next one, then goes all the same.
_SWAP_SECONDS = 2.0


@dataclass(order=True)
class _Job:
    due: float
    number: int
    run: Callable[[], None] = field(compare=False)
    swapped: bool = field(compare=False, default=False)


class Line:
    """Jobs in order of their time, then of their coming. The thread starts with the first job."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._wake = threading.Condition()
        self._jobs: list[_Job] = []
        self._numbers = count()
        self._held: _Job | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def put(self, run: Callable[[], None], *, after_seconds: float = 0.0, swapped: bool = False) -> None:
        """Do it in so many seconds, after everything due earlier; ``swapped``: after the next one that comes, too."""
        with self._wake:
            if self._closed:
                return
            heapq.heappush(
                self._jobs, _Job(time.monotonic() + after_seconds, next(self._numbers), run, swapped)
            )
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._wake.notify()

    def hurry(self) -> None:
        """Nothing waits for its time any more; the order stays."""
        with self._wake:
            now = time.monotonic()
            for job in self._jobs:
                job.due = min(job.due, now)
            heapq.heapify(self._jobs)
            self._wake.notify()

    def close(self) -> None:
        """Do no more; returns when the job at hand has ended or after a second."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                job.run()
            except Exception:
                log.exception("a job of the line %s failed", self._name)

    def _next(self) -> _Job | None:
        with self._wake:
            while not self._closed:
                wait = self._jobs[0].due - time.monotonic() if self._jobs else None
                if wait is not None and wait <= 0:
                    job = heapq.heappop(self._jobs)
                    if not self._is_held_back(job):
                        return job
                    continue
                self._wake.wait(wait)
            return None

    def _is_held_back(self, job: _Job) -> bool:
        """Every job that is to be overtaken lets exactly one other pass."""
        if self._held is not None:
            if job is not self._held:
                self._held.due = time.monotonic()
                heapq.heapify(self._jobs)
            self._held = None
            return False
        if not job.swapped:
            return False
        job.swapped = False
        job.due = time.monotonic() + _SWAP_SECONDS
        self._held = job
        heapq.heappush(self._jobs, job)
        return True
