"""The rows of reservations (预约): one use of a room by somebody, the series it may be part of, and the states of both.

``starts_at`` to ``ends_at`` is when the room is used; what it is held for in the one calendar is that and the time to clean up after it
(``buffer_minutes``), under the reservation's key.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import clock
from models.accounts import Account
from models.base import Base, Keyed, PlainText, chosen_from
from models.groups import Group
from models.residents import Resident
from models.sites import Venue


class ReservationState(StrEnum):
    """Where a reservation stands (domain.md §2.2). What is not sent yet (草稿) stands on the phone alone."""

    WAITLISTED = "waitlisted"  # 候补中
    OFFERED = "offered"  # 有空位，等本人确认
    PENDING = "pending"  # 待审核
    APPROVED = "approved"  # 已预约
    CHECKED_IN = "checked_in"  # 使用中
    FINISHED = "finished"  # 已结束
    REJECTED = "rejected"  # 未通过
    EXPIRED = "expired"  # 到时没有审核
    CANCELLED = "cancelled"  # 已取消
    NO_SHOW = "no_show"  # 没有来，场地已放开
    OVERRIDDEN = "overridden"  # 被征用、停用


class ReservationEnd(StrEnum):
    """Who or what cancelled a reservation."""

    RESIDENT = "resident"  # 自己取消
    STAFF = "staff"  # 工作人员取消
    UNANSWERED = "unanswered"  # 候补到了没有确认
    TOO_LATE = "too_late"  # 候补没有轮到


class ReservedFor(StrEnum):
    """What a room is wanted for. Free and for the neighbourhood: no selling, no preaching, no paid lessons (domain.md §2.2)."""

    READING = "reading"  # 阅读自习
    GAMES = "games"  # 棋牌球类
    REHEARSAL = "rehearsal"  # 排练
    TRAINING = "training"  # 学习培训
    MEETING = "meeting"  # 会议
    DELIBERATION = "deliberation"  # 议事协商
    PUBLIC_EVENT = "public_event"  # 公益活动
    GATHERING = "gathering"  # 邻里聚会
    OTHER = "other"  # 其他


class Condition(StrEnum):
    """How a room was left."""

    GOOD = "good"  # 完好整洁
    UNTIDY = "untidy"  # 没有收拾
    DAMAGED = "damaged"  # 有损坏


HOLDING = (
    ReservationState.OFFERED,
    ReservationState.PENDING,
    ReservationState.APPROVED,
    ReservationState.CHECKED_IN,
)
LIVE = (ReservationState.WAITLISTED, *HOLDING)
# what was the person's to use: it counts towards what they may reserve, whatever became of it
USED_UP = (*HOLDING, ReservationState.FINISHED, ReservationState.NO_SHOW)

# a group's stands in its leader's name, who may have or wait for just the same themselves
_LIVE_NOW = "state IN ('waitlisted', 'offered', 'pending', 'approved', 'checked_in')"
_IS_LIVE_OF_PERSON = text(f"{_LIVE_NOW} AND group_id IS NULL")
_IS_LIVE_OF_GROUP = text(f"{_LIVE_NOW} AND group_id IS NOT NULL")
_IS_WAITING = text("state = 'waitlisted'")
_IS_OFFERED = text("state = 'offered'")
_IS_PENDING = text("state = 'pending'")
_IS_DUE = text("state IN ('approved', 'checked_in')")
_MAKES_GOOD = text(
    "makes_good_id IS NOT NULL AND state IN "
    "('waitlisted', 'offered', 'pending', 'approved', 'checked_in', 'finished', 'no_show')"
)
_IS_MADE_GOOD = text("made_good_until IS NOT NULL")


class ReservationSeries(Keyed, Base):
    """The same hours of some weeks (固定预约), asked for at once."""

    __tablename__ = "reservation_series"

    venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"))
    made_at: Mapped[datetime] = mapped_column(default=clock.now)


class Reservation(Keyed, Base):
    """One use of one room. Whose it is: a person's, a group's (its leader's in the group's name), or the community's own.

    The order of waiting is the order of ``id``: rows of one room are written under its lock.
    """

    __tablename__ = "reservations"
    __table_args__ = (
        Index(
            "uq_reservations_live_of_person",
            "resident_id",
            "venue_id",
            "starts_at",
            "ends_at",
            unique=True,
            postgresql_where=_IS_LIVE_OF_PERSON,
            sqlite_where=_IS_LIVE_OF_PERSON,
        ),
        Index(
            "uq_reservations_live_of_group",
            "group_id",
            "venue_id",
            "starts_at",
            "ends_at",
            unique=True,
            postgresql_where=_IS_LIVE_OF_GROUP,
            sqlite_where=_IS_LIVE_OF_GROUP,
        ),
        Index("ix_reservations_venue_starts", "venue_id", "starts_at"),
        Index("ix_reservations_resident_starts", "resident_id", "starts_at"),
        Index("ix_reservations_group_starts", "group_id", "starts_at"),
        Index("ix_reservations_series", "series_id"),
        Index("ix_reservations_waiting", "starts_at", postgresql_where=_IS_WAITING, sqlite_where=_IS_WAITING),
        Index(
            "ix_reservations_offered",
            "offer_expires_at",
            postgresql_where=_IS_OFFERED,
            sqlite_where=_IS_OFFERED,
        ),
        Index("ix_reservations_pending", "starts_at", postgresql_where=_IS_PENDING, sqlite_where=_IS_PENDING),
        Index("ix_reservations_due", "starts_at", postgresql_where=_IS_DUE, sqlite_where=_IS_DUE),
        Index(
            "ix_reservations_made_good",
            "made_good_until",
            postgresql_where=_IS_MADE_GOOD,
            sqlite_where=_IS_MADE_GOOD,
        ),
        Index(
            "uq_reservations_makes_good",
            "makes_good_id",
            unique=True,
            postgresql_where=_MAKES_GOOD,
            sqlite_where=_MAKES_GOOD,
        ),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("headcount >= 1", name="somebody_comes"),
        CheckConstraint("(state = 'offered') = (offer_expires_at IS NOT NULL)", name="offer_has_an_end"),
        CheckConstraint("(state = 'cancelled') = (cancelled_by IS NOT NULL)", name="cancelled_by_somebody"),
        CheckConstraint("group_id IS NULL OR resident_id IS NOT NULL", name="group_has_a_person"),
    )

    venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"))
    series_id: Mapped[int | None] = mapped_column(ForeignKey("reservation_series.id"))
    resident_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"))  # none: the community's own
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id"))
    by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))  # who tapped
    state: Mapped[ReservationState] = mapped_column(chosen_from(ReservationState))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    buffer_minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    wanted_for: Mapped[ReservedFor] = mapped_column(chosen_from(ReservedFor))
    about: Mapped[str] = mapped_column(PlainText(60), default="", server_default="")
    headcount: Mapped[int]
    loudspeaker: Mapped[bool] = mapped_column(default=False, server_default=false())
    with_children: Mapped[bool] = mapped_column(default=False, server_default=false())
    pledge_version: Mapped[str] = mapped_column(PlainText(20), default="", server_default="")
    code: Mapped[str] = mapped_column(PlainText(6), default="", server_default="")  # 签到码

    reserved_at: Mapped[datetime] = mapped_column(default=clock.now)
    offered_at: Mapped[datetime | None]
    offer_expires_at: Mapped[datetime | None]  # only while it is offered
    review_began_at: Mapped[datetime | None]  # when it began to wait for staff to review it
    review_due_at: Mapped[datetime | None]  # by when staff were to review it, once it waited for that
    reviewed_at: Mapped[datetime | None]  # staff said yes, also while it still waits
    decided_because: Mapped[str] = mapped_column(PlainText(200), default="", server_default="")
    cancelled_by: Mapped[ReservationEnd | None] = mapped_column(chosen_from(ReservationEnd))
    cancelled_late: Mapped[bool] = mapped_column(default=False, server_default=false())
    moved_from: Mapped[datetime | None]  # when it was to start before the community moved it
    move_agreed_at: Mapped[datetime | None]  # its person said yes to where it is now, or came
    made_good_until: Mapped[datetime | None]  # it was overridden: so long one more may be reserved for it
    makes_good_id: Mapped[int | None] = mapped_column(ForeignKey("reservations.id"))  # for which one it is
    ended_at: Mapped[datetime | None]  # when it was over: cancelled, released, signed out …
    checked_in_at: Mapped[datetime | None]
    signed_out_at: Mapped[datetime | None]
    condition: Mapped[Condition | None] = mapped_column(chosen_from(Condition))
    condition_note: Mapped[str] = mapped_column(PlainText(200), default="", server_default="")

    venue: Mapped[Venue] = relationship()
    series: Mapped[ReservationSeries | None] = relationship()
    resident: Mapped[Resident | None] = relationship()
    group: Mapped[Group | None] = relationship()
    by_account: Mapped[Account | None] = relationship()

    @property
    def is_live(self) -> bool:
        """Whether it waits, is held or is being used."""
        return self.state in LIVE

    @property
    def review_overdue(self) -> bool:
        """Whether it waits for review still, though the working days for that are over."""
        due_at = self.review_due_at
        return self.state is ReservationState.PENDING and due_at is not None and due_at <= clock.now()

    @property
    def was_agreed_to(self) -> bool:
        """Whether its person wanted it as it is: what the community moved costs nobody anything before they said yes to it."""
        return self.moved_from is None or self.move_agreed_at is not None

    @property
    def held_until(self) -> datetime:
        """Until when the room is held for it, cleaning up included."""
        return self.ends_at + timedelta(minutes=self.buffer_minutes)

    @property
    def minutes(self) -> int:
        """How long it is."""
        return int((self.ends_at - self.starts_at).total_seconds()) // 60
