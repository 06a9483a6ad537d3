"""Attendance (签到记录): who came to which evening, as rows; and what of the room the town has to remember for it.

It lives inside ``courses``, not above: an evening that moves lets go of whoever had checked in to it, seats ask about it, and whoever
completes a class is judged by it. One row is one person's part in one evening; whoever has no row was not recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import clock
from models.base import Base, EncryptedText, Keyed, PlainText, chosen_from
from models.courses.registrations import Registration
from models.courses.runs import CourseSession


class AttendanceState(StrEnum):
    """What became of one person on one evening."""

    PRESENT = "present"  # 到课
    LATE = "late"  # 迟到
    LEAVE = "leave"  # 请假
    ABSENT = "absent"  # 缺课
    EXCUSED = "excused"  # 免计缺课


CAME = (AttendanceState.PRESENT, AttendanceState.LATE)
SEEN_OR_MISSED = (*CAME, AttendanceState.ABSENT)


class RecordedHow(StrEnum):
    """Where a record comes from."""

    ROOM_CODE = "room_code"  # 输入教室屏幕上的签到码
    STAFF_SCAN = "staff_scan"  # 工作人员扫码
    OFFLINE = "offline"  # 没有网络时记下，后来补传
    PAPER = "paper"  # 纸质名单，也用于更正
    RESIDENT = "resident"  # 本人请假
    TOWN = "town"  # 课后自动记缺课


CHECKED_IN = (RecordedHow.ROOM_CODE, RecordedHow.STAFF_SCAN, RecordedHow.OFFLINE)
RECORDED_IN_THE_ROOM = (*CHECKED_IN, RecordedHow.PAPER)


@dataclass(frozen=True)
class Recorder:
    """Who writes it down, in which hat."""

    account_id: int | None = None
    identity: str = "town"


class LeaveReason(StrEnum):
    """Why somebody does not come, chosen from a list: nobody has to write down an illness."""

    UNWELL = "unwell"  # 身体不适
    FAMILY = "family"  # 家里有事
    WORK = "work"  # 工作冲突
    OTHER = "other"  # 其他


class Attendance(Base):
    """One person's part in one evening: ``at`` is when they were seen, or when it was said of them."""

    __tablename__ = "attendances"
    __table_args__ = (
        UniqueConstraint("session_id", "registration_id"),
        Index("ix_attendances_registration", "registration_id"),
    )

    session_id: Mapped[int] = mapped_column(ForeignKey("course_sessions.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    state: Mapped[AttendanceState] = mapped_column(chosen_from(AttendanceState))
    how: Mapped[RecordedHow] = mapped_column(chosen_from(RecordedHow))
    at: Mapped[datetime]
    reason: Mapped[LeaveReason | None] = mapped_column(chosen_from(LeaveReason))  # of a leave
    because: Mapped[str] = mapped_column(PlainText(200), default="", server_default="")  # of a correction
    by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))  # none: the town
    identity: Mapped[str] = mapped_column(PlainText(40), default="town", server_default="town")

    meeting: Mapped[CourseSession] = relationship()
    registration: Mapped[Registration] = relationship()
    appeal: Mapped[AbsenceAppeal | None] = relationship(back_populates="attendance")

    @property
    def came(self) -> bool:
        """Whether they were there."""
        return self.state in CAME

    @property
    def was_checked_in(self) -> bool:
        """Whether it was a check-in, of the room or of staff, and not somebody's word afterwards."""
        return self.how in CHECKED_IN

    @property
    def gives_way(self) -> bool:
        """Whether somebody who comes all the same is there: after a leave, or where only the town had written an absence."""
        return self.state is AttendanceState.LEAVE or self.how is RecordedHow.TOWN


def anybody_was_recorded() -> ColumnElement[bool]:
    """The condition that a record was kept of an evening (``CourseSession``): somebody was seen there, or missed by who kept the list.

    Leave, and what staff excuse, says nothing of the others.
    """
    return (
        select(Attendance.id)
        .where(
            Attendance.session_id == CourseSession.id,
            Attendance.how.in_(RECORDED_IN_THE_ROOM),
            Attendance.state.in_(SEEN_OR_MISSED),
        )
        .correlate(CourseSession)
        .exists()
    )


class AppealState(StrEnum):
    """What became of an appeal."""

    WAITING = "waiting"  # 待处理
    GRANTED = "granted"  # 已免计
    DECLINED = "declined"  # 维持原记录


_WAITS = text("state = 'waiting'")


class AbsenceAppeal(Keyed, Base):
    """Why one absence should not count, in the words of whom it is about."""

    __tablename__ = "absence_appeals"
    __table_args__ = (
        Index("ix_absence_appeals_waiting", "id", postgresql_where=_WAITS, sqlite_where=_WAITS),
    )

    attendance_id: Mapped[int] = mapped_column(ForeignKey("attendances.id"), unique=True)
    words: Mapped[str | None] = mapped_column(EncryptedText)
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    state: Mapped[AppealState] = mapped_column(chosen_from(AppealState), default=AppealState.WAITING)
    answer: Mapped[str] = mapped_column(PlainText(200), default="", server_default="")
    decided_at: Mapped[datetime | None]

    attendance: Mapped[Attendance] = relationship(back_populates="appeal")

    @property
    def waits(self) -> bool:
        """Whether nobody has decided about it yet."""
        return self.state is AppealState.WAITING


_OPEN = text("closed_at IS NULL")


class RoomScreen(Keyed, Base):
    """A screen in a room that shows the evening's code. Its secret is the evening's own, and ends with the link to it."""

    __tablename__ = "room_screens"
    __table_args__ = (
        Index("uq_room_screens_open", "session_id", unique=True, postgresql_where=_OPEN, sqlite_where=_OPEN),
    )

    session_id: Mapped[int] = mapped_column(ForeignKey("course_sessions.id"))
    secret: Mapped[str] = mapped_column(EncryptedText)
    opened_at: Mapped[datetime] = mapped_column(default=clock.now)
    closed_at: Mapped[datetime | None]

    meeting: Mapped[CourseSession] = relationship()


class BatchVerdict(StrEnum):
    """What became of one item of a batch that was recorded without a network."""

    ACCEPTED = "accepted"  # 已签到
    ALREADY = "already"  # 早已登记
    NOT_OF_THIS_SESSION = "not_of_this_session"  # 不是这个班的学员
    OUT_OF_WINDOW = "out_of_window"  # 不在签到时间内
    UNKNOWN = "unknown"  # 认不出的码
    EVENT_TAKEN = "event_taken"  # 这个编号记的是别人


class CheckInEvent(Base):
    """One thing a device saw while it had no network, by the device's own name for it: told twice, it counts once."""

    __tablename__ = "check_in_events"
    __table_args__ = (
        UniqueConstraint("session_id", "event"),
        CheckConstraint("event <> ''", name="event_has_a_name"),
        Index("ix_check_in_events_registration", "registration_id"),
        Index("ix_check_in_events_received", "received_at"),
    )

    session_id: Mapped[int] = mapped_column(ForeignKey("course_sessions.id"))
    event: Mapped[str] = mapped_column(PlainText(64))
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id"))
    seen_at: Mapped[datetime]
    verdict: Mapped[BatchVerdict] = mapped_column(chosen_from(BatchVerdict))
    received_at: Mapped[datetime] = mapped_column(default=clock.now)
