"""The whole application, spoken to as phones do."""

from __future__ import annotations

from tests.phones import door, doors, sandbox

__all__ = ["door", "doors", "sandbox"]
