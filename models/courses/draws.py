"""Draws (抽签): seats by lot, so that anybody can work out the result again.

When a run of the draw is published a seed is made and kept secret; its SHA-256 is published, so that nobody can choose another one later.
Everybody who applies has a ticket, which is the number of their registration. At ``draws_at`` the seed is published with the tickets, and
the lot of a ticket is ``sha256("<seed>:<ticket>")``: the lowest lots get the seats. Whoever has the seed and the tickets can repeat it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, PlainText
from models.courses.runs import CourseRun

RULE = "抽签号的签值 = SHA-256（种子:抽签号）的十六进制；签值从小到大排，依次得到名额，排在后面的进入候补"


class Draw(Base):
    """The draw of one run: the promise made beforehand, and what came of it."""

    __tablename__ = "draws"

    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id"), unique=True)
    seed: Mapped[str] = mapped_column(PlainText(64))  # published once it is drawn
    promised: Mapped[str] = mapped_column(
        PlainText(64)
    )  # the SHA-256 of the seed, published before anybody applies
    drawn_at: Mapped[datetime | None]
    tickets: Mapped[int | None]  # how many took part
    seats: Mapped[int | None]  # how many seats there were

    run: Mapped[CourseRun] = relationship()

    @classmethod
    def promise(cls, run: CourseRun) -> Draw:
        """A draw with a seed of its own that nobody knows."""
        seed = secrets.token_hex(16)
        return cls(run=run, seed=seed, promised=hashlib.sha256(seed.encode()).hexdigest())


def lot_of(seed: str, ticket: int) -> str:
    """The lot of a ticket: 64 hexadecimal digits, lowest first."""
    return hashlib.sha256(f"{seed}:{ticket}".encode()).hexdigest()


def in_order_of_lots(seed: str, tickets: Iterable[int]) -> list[int]:
    """The tickets as they were drawn, the first one first."""
    return sorted(tickets, key=lambda ticket: lot_of(seed, ticket))
