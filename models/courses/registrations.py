"""Registrations (报名): the one place where a seat is given, kept, and given up.

API, counter, import and jobs all come through ``decide``. It works on a whole batch with a handful of statements (see
``models.committer``); a batch of one is the single tap. The rules, in the order a person meets them:

1. Whoever has a live registration gets the same answer again, also after the window closed.
2. The run must be published, open by the server's clock, and not cancelled.
3. Who asks must be known: name, phone, home community, consent; a birth year only where the run has an age rule. Whoever is acted
   for and has an account must not have withdrawn theirs.
4. A seat if nobody waits and one is free, else the end of the queue, else a refusal when the queue is full.
5. A seat given up goes to the first in line in the same transaction: no seat stands idle beside somebody waiting.

Twice protected: by the lock on the run that ``seats`` takes, and by constraints (``seats_within_capacity``; one live registration a person
and run; numbers never repeat) that make a forgotten path fail loudly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import clock
from models.base import Base, Keyed, chosen_from
from models.courses.runs import CourseRun
from models.residents import Resident


class RegistrationState(StrEnum):
    """Where a registration stands."""

    CONFIRMED = "confirmed"  # 已报名
    WAITLISTED = "waitlisted"  # 候补中
    CANCELLED = "cancelled"  # 已取消


class CancelledBy(StrEnum):
    """Why a registration ended before its class did."""

    RESIDENT = "resident"  # 自己取消
    TOWN = "town"  # 班次取消


LIVE = (RegistrationState.CONFIRMED, RegistrationState.WAITLISTED)
_IS_LIVE = text("state IN ('confirmed', 'waitlisted')")
_IS_WAITING = text("state = 'waitlisted'")


class Registration(Keyed, Base):
    """One person's place in one run: a seat, or a number in the queue. ``number`` is the order of decision in the run."""

    __tablename__ = "registrations"
    __table_args__ = (
        UniqueConstraint("run_id", "number"),
        Index(
            "uq_registrations_live",
            "resident_id",
            "run_id",
            unique=True,
            postgresql_where=_IS_LIVE,
            sqlite_where=_IS_LIVE,
        ),
        Index(
            "ix_registrations_waiting",
            "run_id",
            "number",
            postgresql_where=_IS_WAITING,
            sqlite_where=_IS_WAITING,
        ),
        Index("ix_registrations_resident", "resident_id", "id"),
        CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_has_a_time"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id"))
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))  # who tapped
    state: Mapped[RegistrationState] = mapped_column(chosen_from(RegistrationState))
    number: Mapped[int]
    registered_at: Mapped[datetime] = mapped_column(default=clock.now)
    confirmed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancelled_by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    cancelled_by: Mapped[CancelledBy | None] = mapped_column(chosen_from(CancelledBy))
    cancelled_late: Mapped[bool] = mapped_column(default=False)

    run: Mapped[CourseRun] = relationship()
    resident: Mapped[Resident] = relationship()


class Wanting(StrEnum):
    """What a tap wants."""

    A_SEAT = "a_seat"
    TO_GIVE_UP = "to_give_up"


@dataclass(frozen=True, slots=True)
class Tap:
    """One person's wish about one run, as the phone sends it. ``for_key`` names the resident it is for, if not oneself."""

    run_key: str
    login_key: str
    wanting: Wanting = Wanting.A_SEAT
    for_key: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a registration is right now, for the one it belongs to. ``position`` counts from 1, in the queue only."""

    key: str
    run_key: str
    resident_key: str
    state: RegistrationState
    position: int | None
    registered_at: datetime


Taps = Sequence[Tap]
