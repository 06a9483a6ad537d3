"""The town, its phones and its WeChat, for what the processes do on their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.people import Town
from tests.phones import Door, door, doors, sandbox

__all__ = ["door", "doors", "sandbox"]


@pytest.fixture
def working(door: Door, town: Town) -> Iterator[Door]:
    """A worker at work: the application's context is open."""
    with door.app.app_context():
        yield door
