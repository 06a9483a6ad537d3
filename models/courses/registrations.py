"""Registrations (报名): the one place where a seat is given, kept, and given up.

API, counter, import and jobs all come through ``decide``. It works on a whole batch with a handful of statements (see
``models.committer``); a batch of one is the single tap. The rules, in the order a person meets them:

1. Whoever has a live registration gets the same answer again, also after the window closed.
2. The run must be published, open by the server's clock, and not cancelled.
3. Who asks must be known: name, phone, home community, consent; a birth year only where the run has an age rule. Whoever is acted
   for and has an account must not have withdrawn theirs.
4. What they hold elsewhere must leave room (``seats.limits``): one live place a course, so many courses a term, no two classes at one
   time, so many queues; the course that comes before must be completed; neighbours come first where the run says so.
5. A seat if nobody waits and one is free, else the end of the queue, else a refusal when the queue is full. Where seats are drawn or
   reviewed, an application instead (``seats.drawing``, ``seats.reviewing``).
6. A seat that becomes free goes to the first in line in the same transaction, or is offered to them for a time (``seats.moving_up``): no
   seat stands idle beside somebody waiting who could take it.

Twice protected: by the lock on the run that ``seats`` takes, and by constraints (``seats_within_capacity``; one live registration a person
and run; numbers never repeat) that make a forgotten path fail loudly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import clock
from models.base import Base, Keyed, PlainText, chosen_from
from models.courses.runs import CourseRun
from models.residents import Resident


class RegistrationState(StrEnum):
    """Where a registration stands."""

    APPLIED = "applied"  # 已申请，等抽签或审核
    CONFIRMED = "confirmed"  # 已报名
    WAITLISTED = "waitlisted"  # 候补中
    OFFERED = "offered"  # 有名额，等本人确认
    NOT_SELECTED = "not_selected"  # 未中签、未通过
    CANCELLED = "cancelled"  # 已取消
    COMPLETED = "completed"  # 已结业


class CancelledBy(StrEnum):
    """Why a registration ended before its class did."""

    RESIDENT = "resident"  # 自己取消
    TOWN = "town"  # 班次取消
    EXPIRED = "expired"  # 到时没有确认
    ABSENCE = "absence"  # 缺课，名额让出


LIVE = (
    RegistrationState.APPLIED,
    RegistrationState.CONFIRMED,
    RegistrationState.WAITLISTED,
    RegistrationState.OFFERED,
)
HAVING_A_SEAT = (RegistrationState.CONFIRMED, RegistrationState.OFFERED)
# whose seat in a class is or was theirs: it is not over yet, or they completed it, or did not
IN_CLASS = (RegistrationState.CONFIRMED, RegistrationState.COMPLETED)
SEATED = (RegistrationState.CONFIRMED, RegistrationState.OFFERED, RegistrationState.COMPLETED)
_IS_LIVE = text("state IN ('applied', 'confirmed', 'waitlisted', 'offered')")
_IS_WAITING = text("state = 'waitlisted'")
_IS_PAIR = text("paired_with_id IS NOT NULL")
_IS_OFFERED = text("state = 'offered'")


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
        Index(
            "ix_registrations_offered",
            "offer_expires_at",
            "run_id",
            postgresql_where=_IS_OFFERED,
            sqlite_where=_IS_OFFERED,
        ),
        Index("ix_registrations_resident", "resident_id", "id"),
        Index(
            "ix_registrations_paired",
            "paired_with_id",
            postgresql_where=_IS_PAIR,
            sqlite_where=_IS_PAIR,
        ),
        CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_has_a_time"),
        CheckConstraint("(state = 'offered') = (offer_expires_at IS NOT NULL)", name="offer_has_an_end"),
        CheckConstraint("seats >= 1", name="at_least_one_seat"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id"))
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))  # who tapped
    state: Mapped[RegistrationState] = mapped_column(chosen_from(RegistrationState))
    number: Mapped[int]
    seats: Mapped[int] = mapped_column(default=1, server_default="1")  # oneself and one's companions
    seats_directly: Mapped[bool] = mapped_column(default=False, server_default=false())  # 直接转正
    paired_with_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"))  # the adult of a pair
    ticket: Mapped[int | None]  # 抽签号: the number it had when the seats were drawn
    rank: Mapped[int | None]  # 签序: which place its ticket was drawn at
    offered_at: Mapped[datetime | None]
    offer_expires_at: Mapped[datetime | None]  # only while it is offered
    reminded_at: Mapped[datetime | None]  # of the offer, when half of its time was over
    decided_because: Mapped[str] = mapped_column(PlainText(200), default="", server_default="")
    registered_at: Mapped[datetime] = mapped_column(default=clock.now)
    confirmed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancelled_by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    cancelled_by: Mapped[CancelledBy | None] = mapped_column(chosen_from(CancelledBy))
    cancelled_late: Mapped[bool] = mapped_column(default=False)

    run: Mapped[CourseRun] = relationship()
    resident: Mapped[Resident] = relationship(foreign_keys=resident_id)
    paired_with: Mapped[Resident | None] = relationship(foreign_keys=paired_with_id)


class Wanting(StrEnum):
    """What a tap wants."""

    A_SEAT = "a_seat"
    TO_GIVE_UP = "to_give_up"
    TO_ACCEPT = "to_accept"  # the seat that is offered


@dataclass(frozen=True, slots=True)
class AtCounter:
    """Who of the staff acts for somebody they look after, at the counter or at the door, and how the person is told of it.

    ``gives_held_seats``: whether they are of the place the run belongs to, whose held seats they give out.
    """

    account_id: int | None
    identity: str
    name: str
    says: str  # 社区工作人员, 网格员
    gives_held_seats: bool


@dataclass(frozen=True, slots=True)
class Tap:
    """One person's wish about one run, as the phone sends it. ``for_key`` names the resident it is for, if not oneself.

    Who of the staff acts for somebody says so with ``at_counter``, whom they look after; ``with_key`` is the adult of a pair there.
    """

    run_key: str
    login_key: str
    wanting: Wanting = Wanting.A_SEAT
    for_key: str | None = None
    companions: int = 0
    directly: bool = False  # who has to wait wants a freed seat without being asked (直接转正)
    at_counter: AtCounter | None = None
    with_key: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a registration is right now, for the one it belongs to. ``position`` counts from 1, in the queue only.

    ``ticket`` is its number in a draw; ``offer_expires_at`` until when an offered seat is theirs to accept.
    """

    key: str
    run_key: str
    resident_key: str
    state: RegistrationState
    position: int | None
    registered_at: datetime
    seats: int = 1
    ticket: int | None = None
    offer_expires_at: datetime | None = None


Taps = Sequence[Tap]
