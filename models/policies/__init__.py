"""Policies (规则参数): the numbers of a community, as rows with defaults from above, never literals in a rule."""

from __future__ import annotations

from models.policies.numbers import DEFAULTS, RULES, Policies, Rule, Slots, read_slots
from models.policies.rows import Policy, as_kept, policies_at, policies_at_each, said_at, set_policy

__all__ = [
    "DEFAULTS",
    "RULES",
    "Policies",
    "Policy",
    "Rule",
    "Slots",
    "as_kept",
    "policies_at",
    "policies_at_each",
    "read_slots",
    "said_at",
    "set_policy",
]
