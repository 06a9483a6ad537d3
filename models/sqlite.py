"""SQLite as this house uses it: connections that begin their own transactions, and writers that take turns.

``BEGIN IMMEDIATE`` alone is correct; its waiters sleep and poll, unfairly, for seconds (``performance`` bench), and while one
polls it stops every other waiting request of a gevent worker. So the writers of one file queue first: inside a process on a
lock, between processes on a file lock, which a killed process loses with its life.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import ClassVar

from models.errors import Busy

WAIT_FOR_TURN_SECONDS = 10.0
POLL_SECONDS = 0.0005


class SqliteConnection(sqlite3.Connection):
    """A connection that begins its own transactions: readers cannot write, writers wait for their turn."""

    _turn: Turn | None = None
    _holds_turn = False
    _query_only = False

    def settle_in(self, turn: Turn) -> None:
        """Full durability, foreign keys, WAL (readers never wait for a writer)."""
        self._turn = turn
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            self.execute(f"PRAGMA {pragma}").close()

    def begin(self, *, writing: bool) -> None:
        """Start a transaction; a writing one holds the write lock from its first moment."""
        if self._query_only is writing:
            self.execute(f"PRAGMA query_only={'OFF' if writing else 'ON'}").close()
            self._query_only = not writing
        if not writing:
            self.execute("BEGIN").close()
            return
        if self._turn is not None:
            self._turn.take()
            self._holds_turn = True
        try:
            self.execute("BEGIN IMMEDIATE").close()
        except BaseException as error:
            self._give_turn()
            if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorname.startswith(
                "SQLITE_BUSY"
            ):
                raise Busy from error  # somebody writes who does not take turns
            raise

    def commit(self) -> None:
        """Commit, then let the next writer in. A commit that failed keeps the turn for its rollback."""
        super().commit()
        self._give_turn()

    def rollback(self) -> None:
        """Roll back, then let the next writer in."""
        try:
            super().rollback()
        finally:
            self._give_turn()

    def close(self) -> None:
        """Close; a turn still held goes to the next writer."""
        try:
            super().close()
        finally:
            self._give_turn()

    def _give_turn(self) -> None:
        if self._holds_turn and self._turn is not None:
            self._holds_turn = False
            self._turn.give()


class Turn:
    """The order in which the writers of one SQLite file write: one a process (a lock), one on the machine (a file lock)."""

    _turns: ClassVar[dict[str, Turn]] = {}

    def __init__(self, path: str) -> None:
        self._path = None if path == ":memory:" else Path(f"{path}.turn")
        self._file: int | None = None
        self._inside = threading.Lock()

    @classmethod
    def at(cls, path: str) -> Turn:
        return cls._turns.setdefault(path, cls(path))

    def take(self) -> None:
        deadline = time.monotonic() + WAIT_FOR_TURN_SECONDS
        if not self._inside.acquire(timeout=WAIT_FOR_TURN_SECONDS):
            raise Busy
        try:
            while not self._lock_file():
                if time.monotonic() > deadline:
                    raise Busy
                time.sleep(POLL_SECONDS)
        except BaseException:
            self._inside.release()
            raise

    def give(self) -> None:
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._inside.release()

    def _lock_file(self) -> bool:
        if self._path is None:
            return True
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def forget(self) -> None:
        """Start anew, holding nothing."""
        if self._file is not None:
            os.close(self._file)
        self._file = None
        self._inside = threading.Lock()

    @classmethod
    def forget_after_fork(cls) -> None:
        """A child shares its parent's open file, and with it the parent's lock: it must open its own."""
        for turn in cls._turns.values():
            turn.forget()


os.register_at_fork(after_in_child=Turn.forget_after_fork)
