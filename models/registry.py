"""Every table of the house in one import, for migrations and for the tests that wipe rows."""

from __future__ import annotations

from models import (
    accounts,
    calendars,
    consents,
    content_checks,
    courses,
    grants,
    journal,
    kept_answers,
    ladder,
    notices,
    occupancy,
    partners,
    policies,
    pushes,
    regions,
    residents,
    scenes,
    sites,
    staff,
    wechat_tokens,
)

__all__ = [
    "accounts",
    "calendars",
    "consents",
    "content_checks",
    "courses",
    "grants",
    "journal",
    "kept_answers",
    "ladder",
    "notices",
    "occupancy",
    "partners",
    "policies",
    "pushes",
    "regions",
    "residents",
    "scenes",
    "sites",
    "staff",
    "wechat_tokens",
]
