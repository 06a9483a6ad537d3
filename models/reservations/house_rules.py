"""House rules (馆规): when some rooms are open and the numbers each goes by, read together. Nobody's own: the same for whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.hours import OpeningTimes
from models.policies import Policies
from models.sites import Venue
from models.venue_policies import policies_of_each


@dataclass(frozen=True)
class HouseRules:
    """Plain values, which no session need stay open for. ``numbers``: by the room's id."""

    times: OpeningTimes
    numbers: Mapping[int, Policies]


ReadRules = Callable[[Session, Sequence[Venue]], HouseRules]


def house_rules_of(session: Session, rooms: Sequence[Venue]) -> HouseRules:
    """What these rooms go by as it stands now, in four statements however many rooms of one community they are."""
    return HouseRules(
        OpeningTimes(session, list({room.site for room in rooms})), policies_of_each(session, rooms)
    )
