"""A pause (歇一歇): whoever does not answer is left alone for a while, so that an outage of WeChat's is no wait for everybody."""

from __future__ import annotations

import time

MOST_IN_VAIN = 3
PAUSE_SECONDS = 20.0


class Pause:
    """After ``MOST_IN_VAIN`` questions in a row without an answer nobody asks for ``PAUSE_SECONDS``; then one may try.

    Counted in one process, and roughly where several ask at once: it spares time and quota, and decides nothing.
    """

    def __init__(self, seconds: float = PAUSE_SECONDS) -> None:
        self._seconds = seconds
        self._in_vain = 0
        self._until = float("-inf")

    @property
    def is_on(self) -> bool:
        """Whether asking is of no use now."""
        return time.monotonic() < self._until

    def learn(self, *, answered: bool) -> None:
        """How a question ended. Any answer, be it a no, ends the count."""
        self._in_vain = 0 if answered else self._in_vain + 1
        if self._in_vain >= MOST_IN_VAIN:
            self._until = time.monotonic() + self._seconds
