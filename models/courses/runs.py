"""Courses (课程), their runs (班次) and the sessions of a run (课次).

A course is what is taught; a run is one offering of it with seats; a session is one evening. People register for a run and come
to its sessions. Stored is what staff decided (``RunState``); what the clock and the counters make of it is computed (``RunPhase``,
``SessionPhase``).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    and_,
    false,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import clock
from models.base import Base, Keyed, PlainText, chosen_from
from models.regions import Region
from models.sites import Venue


class RunState(StrEnum):
    """What staff decided about a run."""

    DRAFT = "draft"  # 草稿
    IN_REVIEW = "in_review"  # 待审核
    PUBLISHED = "published"  # 已发布，或定时发布
    CANCELLED = "cancelled"  # 已取消
    ARCHIVED = "archived"  # 已归档


UNSEEN = (RunState.DRAFT, RunState.IN_REVIEW)
LISTED = (RunState.PUBLISHED, RunState.CANCELLED)
_IS_LISTED = text("state IN ('published', 'cancelled')")


class RunPhase(StrEnum):
    """Where a published run stands by the clock and its counters; never stored."""

    SCHEDULED = "scheduled"  # 待发布
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
    """What staff decided about one evening."""

    PLANNED = "planned"  # 计划
    CANCELLED = "cancelled"  # 已取消


class SessionPhase(StrEnum):
    """What became of one evening, by what staff decided and by the clock; never stored."""

    PLANNED = "planned"  # 计划
    MOVED = "moved"  # 已改期
    HELD = "held"  # 已上课
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
        # what is archived stands in no list: a page costs the same after ten years
        Index(
            "ix_course_runs_starts", "starts_at", "id", postgresql_where=_IS_LISTED, sqlite_where=_IS_LISTED
        ),
        Index(
            "ix_course_runs_region_starts",
            "region_id",
            "starts_at",
            "id",
            postgresql_where=_IS_LISTED,
            sqlite_where=_IS_LISTED,
        ),
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
    published_at: Mapped[datetime | None]  # from when everybody sees it; in the future: 定时发布
    sent_back_because: Mapped[str] = mapped_column(PlainText(200), default="", server_default="")
    changed_at: Mapped[datetime | None]  # when the town last changed when or where it is
    cancelled_at: Mapped[datetime | None]
    cancelled_because: Mapped[str] = mapped_column(PlainText(200), default="", server_default="")

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
    def is_published(self) -> bool:
        """Whether staff have published it, be it for a later moment."""
        return self.state is RunState.PUBLISHED

    @property
    def is_scheduled(self) -> bool:
        """Whether it is published for a moment that has not come."""
        return self.is_published and self.published_at is not None and self.published_at > clock.now()

    @property
    def is_called_off(self) -> bool:
        """Whether staff cancelled it and said why; a timetable that still has it does not bring it back."""
        return self.state is RunState.CANCELLED and bool(self.cancelled_because)

    def fit_to_sessions(self) -> None:
        """From when to when it goes, by the evenings that stand; registration closes when the first one starts."""
        standing = [meeting for meeting in self.sessions if meeting.state is SessionState.PLANNED]
        closed_with_start = self.closes_at == self.starts_at
        self.starts_at = min(meeting.starts_at for meeting in standing)
        self.closes_at = self.starts_at if closed_with_start else min(self.closes_at, self.starts_at)
        self.ends_at = max(meeting.ends_at for meeting in standing)

    @property
    def phase(self) -> RunPhase:
        """Where the run stands now. The same as the condition ``is_in_phase``, which a property test holds together."""
        if self.state is RunState.CANCELLED or self.cancelled_at is not None:
            return RunPhase.CANCELLED
        if self.published_at is None:
            return RunPhase.SCHEDULED
        now = clock.now()
        before = (
            (self.published_at, RunPhase.SCHEDULED),
            (self.opens_at, RunPhase.UPCOMING),
        )
        since = (
            (self.ends_at, RunPhase.FINISHED),
            (self.starts_at, RunPhase.RUNNING),
            (self.closes_at, RunPhase.CLOSED),
        )
        open_now = RunPhase.ENROLLING if self.seats_left else RunPhase.FULL
        return next(
            (phase for moment, phase in before if now < moment),
            next((phase for moment, phase in since if now >= moment), open_now),
        )

    @staticmethod
    def is_in_phase(phase: RunPhase, now: datetime) -> ColumnElement[bool]:
        """The condition that a run stands so at this moment."""
        is_cancelled = (CourseRun.state == RunState.CANCELLED) | CourseRun.cancelled_at.is_not(None)
        is_shown = CourseRun.is_shown_at(now)
        if phase is RunPhase.CANCELLED:
            return is_cancelled
        if phase is RunPhase.SCHEDULED:
            return and_(~is_cancelled, ~is_shown)
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
        return and_(~is_cancelled, is_shown, conditions[phase])

    @staticmethod
    def is_shown_at(now: datetime) -> ColumnElement[bool]:
        """The condition that the moment of publishing has come."""
        return func.coalesce(CourseRun.published_at <= now, false())


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
    moved_from: Mapped[datetime | None]  # when it was to start before the town moved it
    cancelled_because: Mapped[str] = mapped_column(PlainText(200), default="", server_default="")

    run: Mapped[CourseRun] = relationship(back_populates="sessions")
    venue: Mapped[Venue] = relationship()

    @property
    def phase(self) -> SessionPhase:
        """What became of it."""
        if self.state is SessionState.CANCELLED:
            return SessionPhase.CANCELLED
        if clock.now() >= self.ends_at:
            return SessionPhase.HELD
        return SessionPhase.PLANNED if self.moved_from is None else SessionPhase.MOVED

    def stands_for(self, starts_at: datetime, ends_at: datetime) -> bool:
        """Whether it is the evening a timetable has at this time: held then, or moved from there by staff."""
        return (self.starts_at, self.ends_at) == (starts_at, ends_at) or self.moved_from == starts_at

    def is_held_where(self, venue: Venue) -> bool:
        """Whether it is in the room a timetable has, unless staff decided otherwise."""
        return (
            self.venue_id == venue.id or self.moved_from is not None or self.state is SessionState.CANCELLED
        )
