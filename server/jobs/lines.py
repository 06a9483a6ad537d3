"""The lines (线路) to WeChat: so many connections at once, each with its next letter as soon as the last is through.

One thread a line waits for WeChat; whoever runs them claims and writes down meanwhile, so that neither waits for the other, and one
answer that takes ten seconds holds up one line and nobody else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Generic, Self, TypeVar

# so long the first to come back waits for others, to be written down together: less when the lines need more to do
GATHERED_SECONDS = 0.1
HASTE_SECONDS = 0.01

Letter = TypeVar("Letter")
Answer = TypeVar("Answer")


class Lines(AbstractContextManager["Lines[Letter, Answer]"], Generic[Letter, Answer]):
    """At most ``most`` calls of ``send`` at once, which must not raise. Used by one thread."""

    def __init__(self, send: Callable[[Letter], Answer], *, most: int) -> None:
        self._send = send
        self._most = most
        self._waiting: SimpleQueue[Letter | None] = SimpleQueue()
        self._through: SimpleQueue[Answer] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.out = 0  # letters given and not brought back

    @property
    def need_more(self) -> bool:
        """Whether less than a letter a line waits to be taken up."""
        return self._waiting.qsize() < self._most

    def give(self, letters: Iterable[Letter]) -> None:
        """More to send, in this order."""
        for letter in letters:
            self._waiting.put(letter)
            self.out += 1
        while len(self._threads) < min(self._most, self.out):
            thread = threading.Thread(target=self._work, name=f"line-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def bring_back(self) -> list[Answer]:
        """What came of some, waiting for the first of them and a moment for more; nothing when none is out."""
        if not self.out:
            return []
        brought = [self._through.get()]
        began = time.monotonic()
        with suppress(Empty):
            while len(brought) < self.out:
                patience = HASTE_SECONDS if self.need_more else GATHERED_SECONDS
                brought.append(self._through.get(timeout=max(0.0, began + patience - time.monotonic())))
        self.out -= len(brought)
        return brought

    def _work(self) -> None:
        while (letter := self._waiting.get()) is not None:
            self._through.put(self._send(letter))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Begin no more, and wait for those under way."""
        with suppress(Empty):
            while True:
                self._waiting.get_nowait()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()
