"""The rows of closures (停用 · 征用): what was closed when, what became of everything that was in its way, and what each person was asked.

A closure holds its rooms in the one calendar under its key. One that follows from other opening hours (``HOURS``) holds nothing: the
rooms are not open then anyhow.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import clock
from models.base import Base, Keyed, PlainText, chosen_from
from models.courses import CourseSession, Registration
from models.occupancy import Purpose
from models.reservations import Reservation
from models.sites import Site, Venue


class ClosureKind(StrEnum):
    """Why rooms are not to be used as they were given."""

    CLOSURE = "closure"  # 停用：维修、消毒、停水停电
    PUBLIC_NEED = "public_need"  # 征用：政府、应急用途优先
    HOURS = "hours"  # 开放时间、调休变了


PURPOSES = {ClosureKind.CLOSURE: Purpose.CLOSURE, ClosureKind.PUBLIC_NEED: Purpose.PUBLIC_NEED}


class Noun(StrEnum):
    """What is in the way of a closure."""

    COURSE_SESSION = "course_session"  # 一次课
    RESERVATION = "reservation"  # 预约
    SERVICE_HOLD = "service_hold"  # 场地换服务的一个时段


class Remedy(StrEnum):
    """What becomes of something that is in the way."""

    MOVE = "move"  # 改到别的场地或时间
    CALL_OFF = "call_off"  # 取消
    END_NOW = "end_now"  # 正在用，提前结束
    KEEP = "keep"  # 照旧（只在开放时间变了时）


class MoveAnswer(StrEnum):
    """What came of a question."""

    ACCEPTED = "accepted"  # 同意
    DECLINED = "declined"  # 不同意
    SILENT = "silent"  # 到时没有答复
    MOOT = "moot"  # 不用再答复：已取消，或又改了


room_closure_venues = Table(
    "room_closure_venues",
    Base.metadata,
    Column("closure_id", ForeignKey("room_closures.id"), primary_key=True),
    Column("venue_id", ForeignKey("venues.id"), primary_key=True, index=True),
)
_IS_OPEN = text("answer IS NULL")


class RoomClosure(Keyed, Base):
    """Some rooms of a site closed, or taken for a public need, from one moment to another."""

    __tablename__ = "room_closures"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        Index("ix_room_closures_site_ends", "site_id", "ends_at"),
    )

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    kind: Mapped[ClosureKind] = mapped_column(chosen_from(ClosureKind))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    because: Mapped[str] = mapped_column(PlainText(100))  # everybody reads it
    emergency_because: Mapped[str] = mapped_column(PlainText(100), default="")  # none: no emergency
    offers: Mapped[str] = mapped_column(PlainText(60), default="")  # what else they get for it
    decided_at: Mapped[datetime] = mapped_column(default=clock.now)
    lifted_at: Mapped[datetime | None]
    lifted_because: Mapped[str] = mapped_column(PlainText(100), default="")

    site: Mapped[Site] = relationship()
    venues: Mapped[list[Venue]] = relationship(secondary=room_closure_venues, order_by=Venue.id)

    @property
    def is_emergency(self) -> bool:
        """Whether nobody could be told in time."""
        return bool(self.emergency_because)


class ClosureEffect(Base):
    """What became of one thing that was in the way: where it was, and where it is since."""

    __tablename__ = "closure_effects"
    __table_args__ = (UniqueConstraint("closure_id", "thing"), Index("ix_closure_effects_thing", "thing"))

    closure_id: Mapped[int] = mapped_column(ForeignKey("room_closures.id"))
    noun: Mapped[Noun] = mapped_column(chosen_from(Noun))
    thing: Mapped[str] = mapped_column(
        PlainText(16)
    )  # its key; a block of a day that was let go is no row any more
    title: Mapped[str] = mapped_column(PlainText(120))  # never a person's name
    venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    remedy: Mapped[Remedy] = mapped_column(chosen_from(Remedy))
    to_venue_id: Mapped[int | None] = mapped_column(ForeignKey("venues.id"))
    to_starts_at: Mapped[datetime | None]
    to_ends_at: Mapped[datetime | None]
    people: Mapped[int] = mapped_column(default=0)

    closure: Mapped[RoomClosure] = relationship()
    venue: Mapped[Venue] = relationship(foreign_keys=venue_id)
    to_venue: Mapped[Venue | None] = relationship(foreign_keys=to_venue_id)

    @property
    def keeps_its_hour(self) -> bool:
        """Whether only the room is another."""
        return (self.starts_at, self.ends_at) == (self.to_starts_at, self.to_ends_at)


class MoveQuestion(Keyed, Base):
    """One person asked whether they want what they had where it is now: of a reservation, or of their seat in a class."""

    __tablename__ = "move_questions"
    __table_args__ = (
        CheckConstraint("(reservation_id IS NULL) <> (registration_id IS NULL)", name="about_one_thing"),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answer_has_a_time"),
        UniqueConstraint("effect_id", "reservation_id", "registration_id"),
        Index("ix_move_questions_reservation", "reservation_id"),
        Index("ix_move_questions_registration", "registration_id"),
        Index("ix_move_questions_open", "answer_by", postgresql_where=_IS_OPEN, sqlite_where=_IS_OPEN),
    )

    effect_id: Mapped[int] = mapped_column(ForeignKey("closure_effects.id"))
    reservation_id: Mapped[int | None] = mapped_column(ForeignKey("reservations.id"))
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("course_sessions.id"))  # with a registration
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    answer_by: Mapped[datetime]
    answer: Mapped[MoveAnswer | None] = mapped_column(chosen_from(MoveAnswer))
    answered_at: Mapped[datetime | None]

    effect: Mapped[ClosureEffect] = relationship()
    reservation: Mapped[Reservation | None] = relationship()
    registration: Mapped[Registration | None] = relationship()
    meeting: Mapped[CourseSession | None] = relationship()

    @property
    def is_open(self) -> bool:
        """Whether it can be answered now."""
        return self.answer is None and clock.now() < self.answer_by
