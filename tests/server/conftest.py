"""The town, its phones and its WeChat, for what the processes do on their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from models.base import db
from tests.people import Town
from tests.phones import Door, door, doors, impatient, sandbox

__all__ = ["door", "doors", "impatient", "sandbox"]


@pytest.fixture
def working(door: Door, town: Town) -> Iterator[Door]:
    """A worker at work: the application's context is open."""
    with door.app.app_context():
        yield door


@pytest.fixture
def hang_up_on_outcomes(door: Door) -> Iterator[Callable[[str], list[str]]]:
    """The database hangs up once when an outcome is to be written into this table, after rows of it were claimed and that was committed.

    What was lost that way is in the list.
    """
    with door.app.app_context():
        engine = db.engine
    listening: list[tuple[str, Callable[..., None]]] = []

    def hang_up(table: str) -> list[str]:
        claimed, updated = [False], [False]
        lost: list[str] = []

        def execute(*executed: Any) -> None:
            if executed[2].startswith(f"UPDATE {table} "):
                updated[0] = True
                if claimed[0] and not lost:
                    lost.append(executed[2])
                    raise OperationalError(executed[2], None, ConnectionError("the server went away"))

        def commit(*_: Any) -> None:
            claimed[0] = updated[0]

        for name, hears in (("before_cursor_execute", execute), ("commit", commit)):
            event.listen(engine, name, hears)
            listening.append((name, hears))
        return lost

    yield hang_up
    for name, hears in listening:
        event.remove(engine, name, hears)
