"""Availability (空闲时段): when rooms are open, what holds them, and what is left for whoever asks.

What is left is what the hours of a room say minus what stands in the one calendar; it is counted anew each time, from one look at
the occupancies of all rooms that are asked about, and kept nowhere. So nothing can go stale: what a verb let go is free at once.
"""

from __future__ import annotations

from models.availability.alternatives import Alternative, AlternativeKind, alternatives, other_times
from models.availability.days import Held, RoomDay, RoomDays, Slot, availability, is_free, slots_of
from models.availability.stretches import (
    GRID_MINUTES,
    Stretch,
    fits_grid,
    joined,
    left_of,
    next_on_the_grid,
    stretch_of_day,
)

__all__ = [
    "GRID_MINUTES",
    "Alternative",
    "AlternativeKind",
    "Held",
    "RoomDay",
    "RoomDays",
    "Slot",
    "Stretch",
    "alternatives",
    "availability",
    "fits_grid",
    "is_free",
    "joined",
    "left_of",
    "next_on_the_grid",
    "other_times",
    "slots_of",
    "stretch_of_day",
]
