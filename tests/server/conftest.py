"""The town, its phones and its WeChat, for what the processes do on their own."""

from __future__ import annotations

from tests.phones import door, doors, sandbox

__all__ = ["door", "doors", "sandbox"]
