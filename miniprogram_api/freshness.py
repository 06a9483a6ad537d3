"""Freshness (新鲜度): lists that are the same bytes for everyone are made once a moment, not once a reader.

When twenty thousand people open the list in one minute, the answer is kept, encoded, for a second; one reader makes it anew
while the others still get the last one, never older than ``OLDEST_SECONDS`` (architecture: seats at most 2 s old).
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import Response, request

FRESH_SECONDS = 1.0
OLDEST_SECONDS = 2.0
MOST_KEPT = 512
MOST_BYTES = 16 * 1024 * 1024  # a week of a centre of thirty rooms is a quarter of a million


K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class _Kept:
    body: bytes
    etag: str
    made_at: float
    being_made: bool = False


class Freshness:
    """Keeps the bodies of public GETs by their full address. ``fresh_seconds`` 0 keeps nothing."""

    def __init__(self, fresh_seconds: float = FRESH_SECONDS) -> None:
        self.fresh_seconds = fresh_seconds
        self._kept: dict[bytes, _Kept] = {}
        self._making: dict[bytes, threading.Lock] = {}

    def serve(self, make: Callable[[], Response]) -> Response:
        """The kept body of this address, or a new one. Only 200 answers are kept; refusals raise through."""
        if not self.fresh_seconds:
            return self._answer(self._make(make))
        where = request.environ["PATH_INFO"].encode() + b"?" + request.query_string
        kept = self._kept.get(where)
        now = time.monotonic()
        if kept is not None:
            age = now - kept.made_at
            if age < self.fresh_seconds or (kept.being_made and age < OLDEST_SECONDS):
                return self._answer(kept)
            kept.being_made = True
        with self._making.setdefault(where, threading.Lock()):
            again = self._kept.get(where)
            if again is not None and again is not kept and time.monotonic() - again.made_at < OLDEST_SECONDS:
                return self._answer(again)
            try:
                made = self._make(make)
            except BaseException:
                self._making.pop(
                    where, None
                )  # what was refused leaves nothing behind, however many addresses are tried
                if kept is not None:
                    kept.being_made = False
                raise
            if self._is_full(made):  # somebody invents addresses; the next readers fill it again
                self._kept.clear()
                self._making.clear()
            self._kept[where] = made
        return self._answer(made)

    def _is_full(self, made: _Kept) -> bool:
        kept = list(self._kept.values())
        return len(kept) >= MOST_KEPT or sum(len(each.body) for each in (*kept, made)) > MOST_BYTES

    def _make(self, make: Callable[[], Response]) -> _Kept:
        began = time.monotonic()  # the body is as old as the look at the database, not as its encoding
        body = make().get_data()
        return _Kept(body, etag_of(body), began)

    def _answer(self, kept: _Kept) -> Response:
        return unless_known(kept.body, kept.etag, kind="application/json", fresh_seconds=1)


class Lately(Generic[K, V]):
    """Values that were true a moment ago, for looks that decide nothing: kept ``fresh_seconds`` by what they are of; 0 keeps none."""

    def __init__(self, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._fresh_seconds = fresh_seconds
        self._kept: dict[K, tuple[V, float]] = {}

    def of(self, what: K, read: Callable[[], V]) -> V:
        """The kept value, or a new one."""
        began = time.monotonic()  # as old as the look at the database
        value, read_at = self._kept.get(what, (None, float("-inf")))
        if value is not None and began - read_at < self._fresh_seconds:
            return value
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        value = read()
        self._kept[what] = value, began
        return value


def etag_of(body: bytes) -> str:
    """The name of these bytes: other bytes have another."""
    return f'"{hashlib.blake2b(body, digest_size=9).hexdigest()}"'


def unless_known(
    body: bytes, etag: str, *, kind: str, fresh_seconds: int, for_good: bool = False, private: bool = False
) -> Response:
    """A body with its ETag, the same for everyone; 304 without it for who has it already.

    ``for_good``: nothing else will ever stand under this address, so nobody who keeps it need ask again. ``private``: it is for whoever asks
    alone, and nobody on the way keeps it.
    """
    kept = f"{'private' if private else 'public'}, max-age={fresh_seconds}{', immutable' if for_good else ''}"
    headers = {"ETag": etag, "Cache-Control": kept}
    asked = request.environ.get("HTTP_IF_NONE_MATCH")
    if asked and (etag in asked or asked.strip() == "*"):
        return Response(status=304, headers=headers)
    return Response(body, headers=headers, mimetype=kind)
