"""Commitments (已有安排): what takes a person's time, over all nouns; each noun answers for what is its own.

The nouns are strangers to each other, and yet whether a room is somebody's to take depends on the class they sit in. So a noun says here, when
it is imported, who answers for it, and whoever has to know asks here: the rule that refuses stays the one verb it is, whichever door
calls it, and a noun that comes later brings its own answer and changes nobody's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session


class Takes(StrEnum):
    """What takes somebody's time."""

    A_CLASS = "class"  # 上课、活动
    A_ROOM = "room"  # 自己预约的场地


@dataclass(frozen=True)
class Commitment:
    """Where somebody is expected from one moment to another (the end not included). ``key`` names what it leads to: the run, the reservation."""

    resident_id: int
    key: str
    title: str
    starts_at: datetime
    ends_at: datetime

    def overlaps(self, starts_at: datetime, ends_at: datetime) -> bool:
        """Whether it shares any time with a stretch of it."""
        return self.starts_at < ends_at and starts_at < self.ends_at


Answer = Callable[[Session, Collection[int], datetime, datetime], list[Commitment]]
_ANSWERS: dict[Takes, Answer] = {}


def answers_for(takes: Takes) -> Callable[[Answer], Answer]:
    """The noun's answer to what of its own takes the time of these people (by id) in a stretch of time, in order, with one statement."""

    def keep(answer: Answer) -> Answer:
        _ANSWERS[takes] = answer
        return answer

    return keep


def commitments_of(
    session: Session, residents: Collection[int], takes: Takes, *, starts_at: datetime, ends_at: datetime
) -> list[Commitment]:
    """What of this kind takes the time of these people (by id) in a stretch of time, in order. One statement, or none for nobody."""
    return _ANSWERS[takes](session, residents, starts_at, ends_at) if residents else []
