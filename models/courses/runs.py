"""Courses (课程), their runs (班次) and the sessions of a run (课次).

A course is what is taught; a run is one offering of it with seats; a session is one evening. People register for a run and come
to its sessions. Stored is what staff decided (``RunState``); what the clock and the counters make of it is computed (``RunPhase``).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, UniqueConstraint, and_
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import clock
from models.base import Base, Keyed, PlainText, chosen_from
from models.regions import Region
from models.sites import Venue


class RunState(StrEnum):
    """What staff decided about a run."""

    DRAFT = "draft"  # 草稿
    PUBLISHED = "published"  # 已发布
    CANCELLED = "cancelled"  # 已取消


class RunPhase(StrEnum):
    """Where a published run stands by the clock and its counters; never stored."""

    UPCOMING = "upcoming"  # 预告
    ENROLLING = "enrolling"  # 报名中
    FULL = "full"  # 已满
    CLOSED = "closed"  # 报名截止
    RUNNING = "running"  # 开课中
    FINISHED = "finished"  # 已结束
    CANCELLED = "cancelled"  # 已取消


class Audience(StrEnum):
    """Who a run is for, besides an age."""

    EVERYONE = "everyone"  # 不限
    CHILD = "child"  # 监护人替孩子报名
    PAIR = "pair"  # 家长和孩子成对报名


class SessionState(StrEnum):
    """What became of one evening."""

    PLANNED = "planned"  # 计划
    CANCELLED = "cancelled"  # 已取消


class Course(Keyed, Base):
    """What is taught in one community."""

    __tablename__ = "courses"
    __table_args__ = (UniqueConstraint("region_id", "title"),)

    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    title: Mapped[str] = mapped_column(PlainText(60))
    category: Mapped[str] = mapped_column(PlainText(20), index=True)  # 类别, the clerk's own word

    region: Mapped[Region] = relationship()


class CourseRun(Keyed, Base):
    """One offering of a course. The counters belong to ``registrations`` and change only there."""

    __tablename__ = "course_runs"
    __table_args__ = (
        UniqueConstraint("course_id", "month", "ordinal"),
        CheckConstraint("seats_taken >= 0 AND seats_taken <= capacity", name="seats_within_capacity"),
        CheckConstraint("waiting >= 0", name="waiting_not_negative"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        Index("ix_course_runs_starts", "starts_at", "id"),
        Index("ix_course_runs_region_starts", "region_id", "starts_at", "id"),
    )

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    month: Mapped[str] = mapped_column(PlainText(7))  # the timetable it came from, 2026-12
    timetable: Mapped[str] = mapped_column(PlainText(40), default="", server_default="")  # its name, 社区夜校
    ordinal: Mapped[int]  # the how-manieth run of the course in that timetable
    state: Mapped[RunState] = mapped_column(chosen_from(RunState), default=RunState.DRAFT)

    teacher: Mapped[str] = mapped_column(PlainText(40))
    teacher_is_person: Mapped[bool] = mapped_column(default=True)  # a person cannot teach twice at once
    materials: Mapped[str] = mapped_column(PlainText(200), default="")  # 自备材料
    note: Mapped[str] = mapped_column(PlainText(500), default="")  # 备注

    capacity: Mapped[int]
    waitlist_limit: Mapped[int | None]  # none: no limit
    seats_taken: Mapped[int] = mapped_column(default=0)
    waiting: Mapped[int] = mapped_column(default=0)
    last_number: Mapped[int] = mapped_column(default=0)

    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    starts_at: Mapped[datetime]  # of its first session
    ends_at: Mapped[datetime]  # of its last session

    audience: Mapped[Audience] = mapped_column(chosen_from(Audience), default=Audience.EVERYONE)
    min_age: Mapped[int | None]
    max_age: Mapped[int | None]
    published_at: Mapped[datetime | None]

    course: Mapped[Course] = relationship()
    region: Mapped[Region] = relationship()
    sessions: Mapped[list[CourseSession]] = relationship(
        back_populates="run", order_by="CourseSession.starts_at", cascade="all, delete-orphan"
    )

    @property
    def seats_left(self) -> int:
        """Seats a tap could still get now: none while anybody waits."""
        return 0 if self.waiting else self.capacity - self.seats_taken

    @property
    def has_age_rule(self) -> bool:
        """Whether a birth year is needed to register."""
        return self.min_age is not None or self.max_age is not None

    @property
    def phase(self) -> RunPhase:
        """Where the run stands now. The same as the condition ``is_in_phase``, which a property test holds together."""
        now = clock.now()
        if self.state is RunState.CANCELLED:
            return RunPhase.CANCELLED
        if now < self.opens_at:
            return RunPhase.UPCOMING
        if now >= self.ends_at:
            return RunPhase.FINISHED
        if now >= self.starts_at:
            return RunPhase.RUNNING
        if now >= self.closes_at:
            return RunPhase.CLOSED
        return RunPhase.ENROLLING if self.seats_left else RunPhase.FULL

    @staticmethod
    def is_in_phase(phase: RunPhase, now: datetime) -> ColumnElement[bool]:
        """The condition that a run stands so at this moment."""
        if phase is RunPhase.CANCELLED:
            return CourseRun.state == RunState.CANCELLED
        has_seats = (CourseRun.waiting == 0) & (CourseRun.seats_taken < CourseRun.capacity)
        opened, closed = CourseRun.opens_at <= now, CourseRun.closes_at <= now
        started, ended = CourseRun.starts_at <= now, CourseRun.ends_at <= now
        conditions: dict[RunPhase, ColumnElement[bool]] = {
            RunPhase.UPCOMING: ~opened,
            RunPhase.ENROLLING: opened & ~closed & ~started & has_seats,
            RunPhase.FULL: opened & ~closed & ~started & ~has_seats,
            RunPhase.CLOSED: opened & closed & ~started,
            RunPhase.RUNNING: opened & started & ~ended,
            RunPhase.FINISHED: opened & ended,
        }
        return and_(CourseRun.state != RunState.CANCELLED, conditions[phase])


class CourseSession(Keyed, Base):
    """One evening of a run, in one room. It holds the room through ``occupancy``, under its key."""

    __tablename__ = "course_sessions"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        Index("ix_course_sessions_starts", "starts_at", "run_id"),
        Index("ix_course_sessions_run", "run_id"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id"))
    venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    state: Mapped[SessionState] = mapped_column(chosen_from(SessionState), default=SessionState.PLANNED)

    run: Mapped[CourseRun] = relationship(back_populates="sessions")
    venue: Mapped[Venue] = relationship()
