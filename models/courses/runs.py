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
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import clock
from models.base import Base, Keyed, PlainText, chosen_from
from models.calendars import Term, term_of
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
_IS_IN_REVIEW = text("state = 'in_review'")
_IS_PUBLISHED = text("state = 'published'")
_IS_CANCELLED = text("cancelled_at IS NOT NULL")
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


class CourseKind(StrEnum):
    """What sort of thing people come to."""

    COURSE = "course"  # 课程
    ACTIVITY = "activity"  # 活动，只有一次


class Admission(StrEnum):
    """How the seats of a run are given (architecture.md §4)."""

    FIRST_COME = "first_come"  # 先到先得
    DRAW = "draw"  # 抽签
    REVIEW = "review"  # 审核录取


class Promotion(StrEnum):
    """What becomes of a seat that is free while people wait."""

    AUTOMATIC = "automatic"  # 直接转正
    OFFER = "offer"  # 通知本人，限时确认


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
    kind: Mapped[CourseKind] = mapped_column(
        chosen_from(CourseKind), default=CourseKind.COURSE, server_default=CourseKind.COURSE.value
    )

    region: Mapped[Region] = relationship()

    @property
    def is_activity(self) -> bool:
        """Whether people come to it once, and it is no class."""
        return self.kind is CourseKind.ACTIVITY


class CourseRun(Keyed, Base):
    """One offering of a course. The counters belong to ``registrations`` and change only there.

    ``seats_taken`` counts who sits and who is offered a seat, companions included; ``seats_held`` are kept for the counter until
    ``held_until``; ``waiting`` counts registrations, not heads.
    """

    __tablename__ = "course_runs"
    __table_args__ = (
        UniqueConstraint("course_id", "month", "ordinal"),
        CheckConstraint("seats_taken >= 0 AND seats_taken <= capacity", name="seats_within_capacity"),
        CheckConstraint("waiting >= 0", name="waiting_not_negative"),
        CheckConstraint(
            "seats_held >= 0 AND seats_taken + seats_held <= capacity", name="held_within_capacity"
        ),
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
        # staff see every state: all of them in one place, and those of one state
        Index("ix_course_runs_all_starts", "starts_at", "id"),
        Index("ix_course_runs_all_region_starts", "region_id", "starts_at", "id"),
        Index("ix_course_runs_state_starts", "state", "starts_at", "id"),
        Index(
            "ix_course_runs_in_review",
            "region_id",
            postgresql_where=_IS_IN_REVIEW,
            sqlite_where=_IS_IN_REVIEW,
        ),
        # what is new, and what opens soon
        Index(
            "ix_course_runs_published",
            "published_at",
            postgresql_where=_IS_PUBLISHED,
            sqlite_where=_IS_PUBLISHED,
        ),
        # what goes on now, and what was called off
        Index("ix_course_runs_ends", "ends_at", postgresql_where=_IS_LISTED, sqlite_where=_IS_LISTED),
        Index(
            "ix_course_runs_cancelled",
            "starts_at",
            "id",
            postgresql_where=_IS_CANCELLED,
            sqlite_where=_IS_CANCELLED,
        ),
        Index("ix_course_runs_opens", "opens_at", postgresql_where=_IS_PUBLISHED, sqlite_where=_IS_PUBLISHED),
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
    seats_held: Mapped[int] = mapped_column(default=0, server_default="0")  # 留给柜台和电话的名额
    held_until: Mapped[datetime | None]  # from when what is still held is everybody's

    admission: Mapped[Admission] = mapped_column(
        chosen_from(Admission), default=Admission.FIRST_COME, server_default=Admission.FIRST_COME.value
    )
    promotion: Mapped[Promotion] = mapped_column(
        chosen_from(Promotion), default=Promotion.AUTOMATIC, server_default=Promotion.AUTOMATIC.value
    )
    draws_at: Mapped[datetime | None]  # until when one may apply for the draw
    drawn_at: Mapped[datetime | None]  # since then seats are given as they come (补录)
    home_first_hours: Mapped[int] = mapped_column(default=0, server_default="0")  # 先对本社区开放
    street_first_hours: Mapped[int] = mapped_column(default=0, server_default="0")  # 再对本街道开放
    most_companions: Mapped[int] = mapped_column(default=0, server_default="0")  # 同行人，每人占一个名额
    after_course_id: Mapped[int | None] = mapped_column(ForeignKey("courses.id"))  # 要先学完的课程
    min_to_open: Mapped[int | None]  # 最少开班人数; none: the community's policy

    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    starts_at: Mapped[datetime]  # of its first session
    ends_at: Mapped[datetime]  # of its last session

    audience: Mapped[Audience] = mapped_column(chosen_from(Audience), default=Audience.EVERYONE)
    min_age: Mapped[int | None]
    max_age: Mapped[int | None]
    asks_questions: Mapped[bool] = mapped_column(
        default=False, server_default=false()
    )  # has a form (报名问题)
    published_at: Mapped[datetime | None]  # from when everybody sees it; in the future: 定时发布
    submitted_at: Mapped[datetime | None]  # when it was last handed in for review
    sent_back_because: Mapped[str] = mapped_column(PlainText(200), default="", server_default="")
    completed_at: Mapped[datetime | None]  # when it was decided who completed it
    changed_at: Mapped[datetime | None]  # when the town last changed when or where it is
    opening_decided_at: Mapped[datetime | None]  # when staff said it goes on with fewer than it needs
    cancelled_at: Mapped[datetime | None]
    cancelled_because: Mapped[str] = mapped_column(PlainText(200), default="", server_default="")

    course: Mapped[Course] = relationship(foreign_keys=course_id)
    after_course: Mapped[Course | None] = relationship(foreign_keys=after_course_id)
    region: Mapped[Region] = relationship()
    sessions: Mapped[list[CourseSession]] = relationship(
        back_populates="run", order_by="CourseSession.starts_at", cascade="all, delete-orphan"
    )

    @property
    def seats_left(self) -> int:
        """Seats a tap could still get now: none while anybody waits, nor those held for the counter."""
        return 0 if self.waiting else self.capacity - self.seats_taken - self.seats_held

    @property
    def term(self) -> Term:
        """The school term (学期) of its first evening."""
        return term_of(clock.in_town(self.starts_at).date())

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
        if self.cancelled_at is not None:
            return RunPhase.CANCELLED
        if self.published_at is None:
            return RunPhase.SCHEDULED
        now = clock.now()
        if now < self.published_at:
            return RunPhase.SCHEDULED
        since = (
            (self.ends_at, RunPhase.FINISHED),
            (self.starts_at, RunPhase.RUNNING),
            (self.closes_at, RunPhase.CLOSED),
        )
        open_now = RunPhase.ENROLLING if self.seats_left else RunPhase.FULL
        later = RunPhase.UPCOMING if now < self.opens_at else open_now
        return next((phase for moment, phase in since if now >= moment), later)

    @staticmethod
    def is_in_phase(phase: RunPhase, now: datetime) -> ColumnElement[bool]:
        """The condition that a run stands so at this moment."""
        is_cancelled = CourseRun.cancelled_at.is_not(None)
        is_shown = CourseRun.is_shown_at(now)
        if phase is RunPhase.CANCELLED:
            return is_cancelled
        if phase is RunPhase.SCHEDULED:
            return and_(~is_cancelled, ~is_shown)
        has_seats = (CourseRun.waiting == 0) & (
            CourseRun.seats_taken + CourseRun.seats_held < CourseRun.capacity
        )
        opened, closed = CourseRun.opens_at <= now, CourseRun.closes_at <= now
        started, ended = CourseRun.starts_at <= now, CourseRun.ends_at <= now
        conditions: dict[RunPhase, ColumnElement[bool]] = {
            # what has not started is found from now on: a page does not walk through the years
            RunPhase.UPCOMING: ~opened & ~closed & ~started,
            RunPhase.ENROLLING: opened & ~closed & ~started & has_seats,
            RunPhase.FULL: opened & ~closed & ~started & ~has_seats,
            RunPhase.CLOSED: closed & ~started,
            RunPhase.RUNNING: started & ~ended,
            RunPhase.FINISHED: ended,
        }
        return and_(~is_cancelled, is_shown, conditions[phase])

    @staticmethod
    def waits_for_review() -> ColumnElement[bool]:
        """The condition that it was handed in for review, as a literal for the same reason as ``stands_published``."""
        return CourseRun.state == literal_column("'in_review'")

    @staticmethod
    def stands_published() -> ColumnElement[bool]:
        """The condition that staff have published it, as a literal: only so can PostgreSQL see that a partial index fits."""
        return CourseRun.state == literal_column("'published'")

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
        Index(
            "ix_course_sessions_to_note",
            "ends_at",
            "id",
            postgresql_where=text("absences_noted_at IS NULL"),
            sqlite_where=text("absences_noted_at IS NULL"),
        ),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id"))
    venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    state: Mapped[SessionState] = mapped_column(chosen_from(SessionState), default=SessionState.PLANNED)
    moved_from: Mapped[datetime | None]  # when it was to start before the town moved it
    absences_noted_at: Mapped[datetime | None]  # when it was settled who missed it
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
