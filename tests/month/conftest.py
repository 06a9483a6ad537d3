"""The whole application and its phones, for statements about all of it."""

from __future__ import annotations

from tests.phones import door, doors, sandbox

__all__ = ["door", "doors", "sandbox"]
