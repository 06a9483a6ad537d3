"""Follows (关注): who wants to hear of new classes, and the word they get of them (domain.md §6, M6).

Whoever lives in a community hears of its new classes unless they muted it; anybody may follow other communities, and a course, to be
told when it runs again.
"""

from __future__ import annotations

from models.follows.digests import Digest, open_digests, tell_next
from models.follows.follows import (
    MOST_FOLLOWS,
    Follow,
    follow_community,
    follow_course,
    followed_course,
    follows_of,
    unfollow_community,
    unfollow_course,
)
from models.follows.openings import owe_opening_soon
from models.follows.truth import still_true

__all__ = [
    "MOST_FOLLOWS",
    "Digest",
    "Follow",
    "follow_community",
    "follow_course",
    "followed_course",
    "follows_of",
    "open_digests",
    "owe_opening_soon",
    "still_true",
    "tell_next",
    "unfollow_community",
    "unfollow_course",
]
