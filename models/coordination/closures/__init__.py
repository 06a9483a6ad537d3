"""Closures (停用 · 征用): rooms that cannot be used as they were given, and what becomes of everybody who counts on them.

``planning`` looks and proposes a remedy of the same day for each thing in the way, ``choosing`` takes what staff want instead, ``deciding`` does it all at once, ``asking`` asks
each person one question and does what they say, ``lifting`` opens again. Closures hold their rooms in the one calendar (``shutting``); so do the
things that were in their way, each by its own noun's verbs.
"""

from __future__ import annotations

from models.coordination.closures.asking import (
    answer,
    question_of,
    question_within,
    questions_about,
    questions_kept_of,
    questions_open_to,
    resident_asked,
    settle_silence,
    unanswered,
)
from models.coordination.closures.choosing import Choice
from models.coordination.closures.deciding import Decision, close
from models.coordination.closures.finding import (
    Answers,
    ClosureState,
    answers_about,
    closure_within,
    closures_ahead,
    closures_within,
    effects_of,
    reasons_of,
    state_of,
    together,
)
from models.coordination.closures.hours import (
    LOOKS_AHEAD,
    SiteOutsideHours,
    count_again,
    count_outside_hours,
    sites_to_count,
)
from models.coordination.closures.lifting import lift
from models.coordination.closures.planning import Plan, Wanted, look, outside_hours
from models.coordination.closures.proposing import Proposal
from models.coordination.closures.rows import (
    PURPOSES,
    ClosureEffect,
    ClosureKind,
    MoveAnswer,
    MoveQuestion,
    Noun,
    Remedy,
    RoomClosure,
)
from models.coordination.closures.seeing import Affected
from models.coordination.closures.shutting import closures_beside

__all__ = [
    "LOOKS_AHEAD",
    "PURPOSES",
    "Affected",
    "Answers",
    "Choice",
    "ClosureEffect",
    "ClosureKind",
    "ClosureState",
    "Decision",
    "MoveAnswer",
    "MoveQuestion",
    "Noun",
    "Plan",
    "Proposal",
    "Remedy",
    "RoomClosure",
    "SiteOutsideHours",
    "Wanted",
    "answer",
    "answers_about",
    "close",
    "closure_within",
    "closures_ahead",
    "closures_beside",
    "closures_within",
    "count_again",
    "count_outside_hours",
    "effects_of",
    "lift",
    "look",
    "outside_hours",
    "question_of",
    "question_within",
    "questions_about",
    "questions_kept_of",
    "questions_open_to",
    "reasons_of",
    "resident_asked",
    "settle_silence",
    "sites_to_count",
    "state_of",
    "together",
    "unanswered",
]
