"""Calendars (日历): working days as the State Council announces them, with 调休, not as the week suggests.

The published lists come with the chinesecalendar package; rows of ``calendar_days`` stand above it, because next year's list
arrives each November and a community may have days of its own. A year nobody has announced yet counts Monday to Friday as
work, and says so (domain.md §5).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import chinese_calendar
from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, PlainText, chosen_from

SPRING_FROM, AUTUMN_FROM = 2, 8  # the months in which the terms begin
FRIDAY = 5  # as ISO counts the days of the week, Monday being 1


class DayKind(StrEnum):
    """What a day is in the town's calendar."""

    WORKDAY = "workday"  # 工作日
    WEEKEND = "weekend"  # 周末
    HOLIDAY = "holiday"  # 法定节假日
    ADJUSTED_WORKDAY = "adjusted_workday"  # 调休上班

    @property
    def is_work(self) -> bool:
        """Whether offices work and working-day clocks run."""
        return self in (DayKind.WORKDAY, DayKind.ADJUSTED_WORKDAY)


class CalendarDay(Base):
    """A day that differs from the published list."""

    __tablename__ = "calendar_days"

    on: Mapped[date] = mapped_column(unique=True)
    kind: Mapped[DayKind] = mapped_column(chosen_from(DayKind))
    name: Mapped[str] = mapped_column(PlainText(40), default="")


class Calendar:
    """The calendar in force: the published list with the town's own rows above it."""

    def __init__(self, exceptions: dict[date, DayKind] | None = None) -> None:
        self._exceptions = exceptions or {}

    @classmethod
    def in_force(cls, session: Session) -> Calendar:
        """The calendar with every exception now stored."""
        rows = session.execute(select(CalendarDay.on, CalendarDay.kind))
        return cls(dict(rows.all()))

    def kind_of(self, day: date) -> DayKind:
        """What this day is. A year without a published list goes by the week; see ``is_announced``."""
        if day in self._exceptions:
            return self._exceptions[day]
        by_week = DayKind.WEEKEND if day.isoweekday() > FRIDAY else DayKind.WORKDAY
        if not self.is_announced(day.year):
            return by_week
        works = chinese_calendar.is_workday(day)
        if by_week is DayKind.WORKDAY:
            return DayKind.WORKDAY if works else DayKind.HOLIDAY
        if works:
            return DayKind.ADJUSTED_WORKDAY
        _, festival = chinese_calendar.get_holiday_detail(day)
        return DayKind.HOLIDAY if festival else DayKind.WEEKEND

    def is_announced(self, year: int) -> bool:
        """Whether the year's holidays are known; if not, staff are warned wherever it matters."""
        try:
            chinese_calendar.is_workday(date(year, 1, 1))
        except NotImplementedError:
            return False
        return True


def set_day(session: Session, day: date, kind: DayKind, *, name: str = "") -> CalendarDay:
    """Say what a day is, above the published list; saying it again replaces it."""
    row = session.scalar(select(CalendarDay).where(CalendarDay.on == day))
    if row is None:
        row = CalendarDay(on=day)
        session.add(row)
    row.kind, row.name = kind, name
    session.flush()
    return row


@dataclass(frozen=True)
class Term:
    """A school term (学期), from its first day to its last: spring until the end of July, autumn until the end of January."""

    first: date
    last: date

    @property
    def name(self) -> str:
        """2026年秋季."""
        return f"{self.first.year}年{'春季' if self.first.month == SPRING_FROM else '秋季'}"


def term_of(day: date) -> Term:
    """The term a day belongs to; a day in January belongs to the autumn before (E16)."""
    if SPRING_FROM <= day.month < AUTUMN_FROM:
        return Term(date(day.year, SPRING_FROM, 1), date(day.year, AUTUMN_FROM - 1, 31))
    year = day.year if day.month >= AUTUMN_FROM else day.year - 1
    return Term(date(year, AUTUMN_FROM, 1), date(year + 1, SPRING_FROM - 1, 31))
