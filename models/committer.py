"""Group commits (成组提交): many taps, one transaction.

When two thousand people tap at ten o'clock, the database's time goes into committing, not deciding. So each process has one
committer: asks wait in one queue, in the order they came; the committer takes what is there, decides all of it in one
transaction, commits with full durability, and only then tells everybody. Nothing is answered before the commit, so a crash needs
no repair: who asks again finds the row, or makes it. Measured in ``make bench``; the idea is argued in ``docs/hot-path.md``.

A noun brings a ``decide`` function and gets ``ask``. A batch of one is the single tap: there is one implementation.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from models.base import writer
from models.errors import Busy, Refusal

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")

LINGER_SECONDS = 0.002
MOST_IN_A_BATCH = 256
LONGEST_QUEUE = 20_000
PATIENCE_SECONDS = 15.0

Decide = Callable[[Connection, Sequence[Ask]], "Sequence[Answer | Refusal]"]


class _Waiting(Generic[Ask, Answer]):
    """One ask on its way, and the latch its asker sleeps on."""

    __slots__ = ("answer", "ask", "latch")

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.answer: Answer | BaseException | None = None
        self.latch = threading.Lock()
        self.latch.acquire()


class Committer(Generic[Ask, Answer]):
    """Decides asks in groups, in the order of asking, one group a transaction."""

    def __init__(self, engine: Engine, decide: Decide[Ask, Answer]) -> None:
        self._engine = engine
        self._decide = decide
        self._queue: queue.Queue[_Waiting[Ask, Answer]] = queue.Queue(LONGEST_QUEUE)
        self._pid = 0
        self._starting = threading.Lock()

    def ask(self, ask: Ask) -> Answer:
        """Queue up, wait for the commit, return the answer. The caller must hold no transaction of its own.

        Raises the refusal that was decided, or Busy when the queue is full or the answer takes longer than
        ``PATIENCE_SECONDS``; asking again is always safe.
        """
        self._be_at_work()
        waiting: _Waiting[Ask, Answer] = _Waiting(ask)
        try:
            self._queue.put_nowait(waiting)
        except queue.Full:
            raise Busy from None
        if not waiting.latch.acquire(timeout=PATIENCE_SECONDS):
            raise Busy
        if isinstance(waiting.answer, BaseException):
            raise waiting.answer
        return waiting.answer  # type: ignore[return-value]  # the latch opens only once the answer is there

    def _be_at_work(self) -> None:
        """Start the committing thread in this process: lazily, because web workers are forked."""
        if self._pid == os.getpid():
            return
        with self._starting:
            if self._pid != os.getpid():
                self._queue = queue.Queue(LONGEST_QUEUE)
                threading.Thread(target=self._work, name="committer", daemon=True).start()
                self._pid = os.getpid()

    def _work(self) -> None:
        while True:
            batch = self._gather()
            try:
                self._settle(batch)
            except Exception as error:
                for waiting in batch:
                    waiting.answer = error
            for waiting in batch:
                waiting.latch.release()

    def _gather(self) -> list[_Waiting[Ask, Answer]]:
        batch = [self._queue.get()]
        time.sleep(LINGER_SECONDS)
        while len(batch) < MOST_IN_A_BATCH:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch

    def _settle(self, batch: list[_Waiting[Ask, Answer]]) -> None:
        """Decide a batch; when it fails, once more; when it fails again, one by one, so none spoils its neighbours.

        When it is the database that does not answer, one by one would only keep everybody waiting: all are told to ask again.
        """
        failure: Exception | None = None
        for _ in range(2):
            try:
                answers = self._commit([waiting.ask for waiting in batch])
            except Exception as error:
                failure = error
                continue
            for waiting, answer in zip(batch, answers, strict=True):
                waiting.answer = answer
            return
        for waiting in batch:
            if isinstance(failure, (Busy, OperationalError)):
                waiting.answer = Busy()
                waiting.answer.__cause__ = failure
                continue
            try:
                waiting.answer = self._commit([waiting.ask])[0]
            except Exception as error:
                waiting.answer = error

    def _commit(self, asks: list[Ask]) -> Sequence[Answer | Refusal]:
        with writer(self._engine).begin() as connection:
            return self._decide(connection, asks)
