"""The whole application, spoken to as phones do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import event

from models.base import db
from tests.conftest import House
from tests.phones import Door, door, doors, impatient, sandbox

__all__ = ["door", "doors", "impatient", "sandbox"]


@pytest.fixture
def statements(house: House, door: Door) -> Iterator[list[str]]:
    """Every SQL statement that runs from here on, the application's as well as the test's own, without the transaction's."""
    seen: list[str] = []

    def keep(*executed: Any) -> None:
        seen.append(executed[2])

    with ExitStack() as stack:
        for app in (house.app, door.app):
            with app.app_context():
                engine = db.engine
            event.listen(engine, "before_cursor_execute", keep)
            stack.callback(event.remove, engine, "before_cursor_execute", keep)
        yield seen
