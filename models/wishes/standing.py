"""Standing (现在在谁手里): whose desk a wish is on, what is waited for, and until when, as whoever wished may know it.

Pure: a wish and the claims on it say all of it, whatever hour it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.wishes.claims.rows import Claim, ClaimState
from models.wishes.clocks import Awaited, Desk
from models.wishes.rows import Wish, WishState


@dataclass(frozen=True)
class Standing:
    """Whose desk it is on, what is waited for there, until when (none: no day is set), and whose claim it is about, if a unit has it."""

    desk: Desk
    awaited: Awaited
    until: datetime | None
    claim: Claim | None = None


_OF_A_WISH: Mapping[WishState, tuple[Desk, Awaited]] = {
    WishState.SUBMITTED: (Desk.COMMUNITY, Awaited.REVIEW),
    WishState.NEED_INFO: (Desk.WISHER, Awaited.MORE),
    WishState.APPROVED: (Desk.COMMUNITY, Awaited.SHOWING),
    WishState.PUBLISHED: (Desk.WALL, Awaited.TAKING),
    WishState.ESCALATED: (Desk.STREET, Awaited.DECISION),
    WishState.CONVERTED: (Desk.STREET, Awaited.DECISION),
}
# whoever is furthest behind is waited for first
_OF_A_CLAIM: Mapping[ClaimState, tuple[Desk, Awaited]] = {
    ClaimState.APPLIED: (Desk.COMMUNITY, Awaited.AGREEMENT),
    ClaimState.DISPATCHED: (Desk.UNIT, Awaited.ACCEPTANCE),
    ClaimState.IN_PROGRESS: (Desk.UNIT, Awaited.FULFILMENT),
    ClaimState.DELIVERED: (Desk.WISHER, Awaited.CONFIRMATION),
}
_FURTHEST_BEHIND = list(_OF_A_CLAIM)


def standing_of(wish: Wish, claims: Sequence[Claim]) -> Standing | None:
    """Where a wish stands, with the claims on it; none once nothing is waited for."""
    if wish.state is WishState.CLAIMED:
        return min(standings_of(claims), key=_behind, default=None)
    if wish.state is WishState.FULFILLED:
        unrated = [claim for claim in claims if claim.state is ClaimState.FULFILLED and claim.rating is None]
        return Standing(Desk.WISHER, Awaited.RATING, None, unrated[0]) if unrated else None
    if wish.state not in _OF_A_WISH:
        return None
    desk, awaited = _OF_A_WISH[wish.state]
    return Standing(desk, awaited, wish.due_at)


def standings_of(claims: Sequence[Claim]) -> list[Standing]:
    """Where each of these claims stands that something may still come of."""
    return [_of_claim(claim) for claim in claims if claim.state in _OF_A_CLAIM]


def _of_claim(claim: Claim) -> Standing:
    desk, awaited = _OF_A_CLAIM[claim.state]
    is_silent = claim.state is ClaimState.IN_PROGRESS and claim.contacted_at is None
    return Standing(desk, Awaited.CONTACT if is_silent else awaited, claim.due_at, claim)


def _behind(standing: Standing) -> tuple[int, bool, int]:
    claim = standing.claim
    if claim is None:
        raise AssertionError("what a claim waits for is about a claim")
    return _FURTHEST_BEHIND.index(claim.state), standing.awaited is not Awaited.CONTACT, claim.id
