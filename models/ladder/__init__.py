"""The ladder (兜底): how what must arrive reaches a person whom WeChat cannot tell.

The rungs, one after the other: WeChat and the inbox (``models.notices``), a short message, a call by somebody of the community. A
moment of the catalogue that has a short message must arrive. What the ladder promises:

* Each rung is a row with its state; one piece of news stands on each rung once (``dedupe_key`` travels down with it).
* A rung is taken only when the one above has surely not told: a notice that WeChat may still be allowed to carry is waited for, one
  that was read in the inbox goes no further, and what may have arrived by WeChat is not told again.
* What went stale meanwhile is told by nobody; whoever calls finds it gone from the list.
* The number is read from the resident at the moment of sending and stands in no row of the ladder.
"""

from __future__ import annotations

from models.ladder.calls import (
    Call,
    CallOutcome,
    CallScope,
    CallState,
    call_within,
    calls_to_make,
    calls_within,
    cancel_calls,
    count_waiting,
    write_outcome,
)
from models.ladder.falling import pass_on
from models.ladder.leaving import end_rungs
from models.ladder.reach import Reach, Rung, reach_of
from models.ladder.short_messages import ShortMessage, ShortMessageState, ToTell, owe_to_people

__all__ = [
    "Call",
    "CallOutcome",
    "CallScope",
    "CallState",
    "Reach",
    "Rung",
    "ShortMessage",
    "ShortMessageState",
    "ToTell",
    "call_within",
    "calls_to_make",
    "calls_within",
    "cancel_calls",
    "count_waiting",
    "end_rungs",
    "owe_to_people",
    "pass_on",
    "reach_of",
    "write_outcome",
]
