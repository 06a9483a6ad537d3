"""The safety pledge (安全承诺): what whoever reserves a room promises, as a text with a version; the reservation keeps which one it was."""

from __future__ import annotations

from models.consents import PolicyText
from models.errors import Conflict

ROOM_PLEDGE = PolicyText("room-pledge", "2026-11")


def must_have_pledged(version: str | None) -> str:
    """The version agreed to. Raises Conflict ``pledge_needed`` naming the one in force, unless it is that."""
    if version != ROOM_PLEDGE.version:
        raise Conflict(
            "pledge_needed",
            "请先阅读并同意《场地使用安全承诺》",
            details={"version": ROOM_PLEDGE.version},
        )
    return ROOM_PLEDGE.version
