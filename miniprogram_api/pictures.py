"""Kept pictures (图片): what was expensive to get is got once and kept on disk, whoever asks and from whichever process.

Names are ours (``[a-z0-9-]``), never a visitor's. A picture stands whole from its first moment; what failed leaves nothing. The
directory may be emptied at any time: the next one who asks makes the picture again.
"""

from __future__ import annotations

import fcntl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from miniprogram_api.storage import Storage
from models.errors import Busy

PATIENCE_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 0.05
_TURNS = 64


class PictureShelf:
    """Pictures in one directory, made once: those who ask meanwhile share the end, good or bad.

    Within a process they wait for one maker; between processes makers take turns with a lock the kernel lets go of when its holder
    dies. ``patience_seconds`` is how long one waits for another process.
    """

    def __init__(self, directory: Path, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._directory = directory
        self._storage = Storage(directory, kind="picture")
        self._patience_seconds = patience_seconds
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[bytes]] = {}

    def made_once(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The kept picture, or the one that ``make`` gives.

        What ``make`` raises goes to everyone who waited for it, and nothing is kept. Raises Busy when another process takes longer
        than one has patience for.
        """
        kept = self._storage.find(name)
        if kept is not None:
            return kept
        with self._lock:
            shared = self._under_way.get(name)
            if shared is None:
                flight = self._under_way[name] = Future()
        if shared is not None:
            return shared.result()
        try:
            picture = self._made(name, make)
        except BaseException as failed:
            flight.set_exception(failed)
            raise
        else:
            flight.set_result(picture)
            return picture
        finally:
            with self._lock:
                del self._under_way[name]

    def names(self) -> list[str]:
        """The names of every picture that is kept now."""
        return list(self._storage.names())

    def drop(self, beginning: str) -> None:
        """Let go of every picture whose name begins so."""
        self._storage.delete(*(name for name in self._storage.names() if name.startswith(beginning)))

    def _made(self, name: str, make: Callable[[], bytes]) -> bytes:
        self._directory.mkdir(parents=True, exist_ok=True)
        with self._turn(name):
            kept = self._storage.find(name)
            if kept is not None:
                return kept  # another process was quicker
            picture = make()
            self._storage.put(picture, name)
            return picture

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        # a handful of files for all names: a lock's own file cannot be removed without a race
        path = self._directory / f"turn-{zlib.crc32(name.encode()) % _TURNS:02}"
        with path.open("a") as turn:
            give_up_at = time.monotonic() + self._patience_seconds
            while True:
                try:
                    # asked again and again, because waiting in the kernel would hold up every request of a gevent worker
                    fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= give_up_at:
                        raise Busy from None
                    time.sleep(_LOOK_AGAIN_SECONDS)
            yield
