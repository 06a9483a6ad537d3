"""Series (系列排课): the evenings of a weekly class by the town's calendar, shown before anything is written.

What falls on a public holiday is skipped, held on the next possible day of the same week, or kept, as staff wish; a weekend day that is
worked (调休) is pointed out, and so is a year whose holidays nobody has announced. Nothing here reads or writes rows but the calendar it
is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from models import clock
from models.calendars import Calendar, DayKind
from models.errors import Fault, Invalid

MOST_EVENINGS = 60
LONGEST = timedelta(days=366)
MOST_WEEKS = 8
SUNDAY = 7  # as ISO counts the days of the week


class HolidayRule(StrEnum):
    """What becomes of an evening that falls on a public holiday."""

    SKIP = "skip"  # 跳过，往后顺延
    MOVE = "move"  # 改到同一周的下一个可用日
    KEEP = "keep"  # 照常上课


class Verdict(StrEnum):
    """What is to be said of one evening of a series."""

    OK = "ok"  # 可以上课
    HOLIDAY_SKIPPED = "holiday_skipped"  # 放假，跳过
    HOLIDAY_KEPT = "holiday_kept"  # 放假，照常上课
    MOVED = "moved"  # 因放假改到这一天
    ADJUSTED_WORKDAY = "adjusted_workday"  # 周末调休上班
    ROOM_TAKEN = "room_taken"  # 场地已占用
    TEACHER_TAKEN = "teacher_taken"  # 老师有课
    YEAR_NOT_ANNOUNCED = "year_not_announced"  # 放假安排还没有公布


# what keeps an evening from being held as it is
OBSTACLES = (Verdict.HOLIDAY_SKIPPED, Verdict.ROOM_TAKEN, Verdict.TEACHER_TAKEN)

Obstacles = Callable[[datetime, datetime], list[Verdict]]


@dataclass(frozen=True)
class Series:
    """A weekly class as staff ask for it: so many evenings (``times``), or up to a last day (``until``); just one of the two."""

    first_on: date
    starts: time
    ends: time
    weekdays: frozenset[int] = frozenset()  # as ISO counts them; none: the weekday of the first day
    times: int | None = None
    until: date | None = None
    holidays: HolidayRule = HolidayRule.SKIP
    every_weeks: int = 1  # every second week, 2

    @property
    def days(self) -> frozenset[int]:
        """The days of the week it is held on."""
        return self.weekdays or frozenset({self.first_on.isoweekday()})


@dataclass(frozen=True)
class SeriesEvening:
    """One evening of a series, also one that is skipped. ``moved_from`` is the holiday it would have been on."""

    on: date
    starts_at: datetime
    ends_at: datetime
    verdicts: tuple[Verdict, ...]
    moved_from: date | None = None

    @property
    def is_skipped(self) -> bool:
        """Whether it is shown only to say that it is not held."""
        return Verdict.HOLIDAY_SKIPPED in self.verdicts

    @property
    def can_be_held(self) -> bool:
        """Whether nothing stands in its way."""
        return not set(self.verdicts) & set(OBSTACLES)


def no_obstacles(starts_at: datetime, ends_at: datetime) -> list[Verdict]:
    """The room and the teacher are free at any time."""
    return []


def lay_out(
    calendar: Calendar, series: Series, *, obstacles: Obstacles = no_obstacles
) -> list[SeriesEvening]:
    """Every evening of a series with what is to be said of it, in order of time; what is skipped is shown and not counted.

    ``obstacles`` says whether room and teacher are taken at a time; an evening moved off a holiday goes where neither is. Raises
    Invalid for a series that cannot be.
    """
    _must_make_sense(series)
    evenings: list[SeriesEvening] = []
    held = 0
    taken: set[date] = set()
    for day in _days(series):
        if held in (series.times, MOST_EVENINGS):
            break
        evening = _on(calendar, series, day, taken, obstacles)
        evenings.append(evening)
        if not evening.is_skipped:
            held += 1
            taken.add(evening.on)
    return sorted(evenings, key=lambda evening: (evening.on, evening.moved_from or evening.on))


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.isoweekday() - 1)


def _days(series: Series) -> Iterator[date]:
    last = series.first_on + LONGEST
    if series.until is not None:
        last = min(last, series.until)
    day, monday = series.first_on, monday_of(series.first_on)
    while day <= last:
        is_its_week = (day - monday).days // SUNDAY % series.every_weeks == 0
        if is_its_week and day.isoweekday() in series.days:
            yield day
        day += timedelta(days=1)


def _on(
    calendar: Calendar, series: Series, day: date, taken: set[date], obstacles: Obstacles
) -> SeriesEvening:
    if calendar.kind_of(day) is not DayKind.HOLIDAY:
        return _held(calendar, series, day, obstacles)
    if series.holidays is HolidayRule.KEEP:
        return _held(calendar, series, day, obstacles)
    if series.holidays is HolidayRule.MOVE:
        for later in _rest_of_week(day):
            possible = (
                calendar.kind_of(later) is not DayKind.HOLIDAY
                and later not in taken
                and later.isoweekday() not in series.days
                and not obstacles(*_hours(series, later))
            )
            if possible:
                return _held(calendar, series, later, obstacles, moved_from=day)
    return SeriesEvening(day, *_hours(series, day), (Verdict.HOLIDAY_SKIPPED,))


def _held(
    calendar: Calendar, series: Series, day: date, obstacles: Obstacles, *, moved_from: date | None = None
) -> SeriesEvening:
    starts_at, ends_at = _hours(series, day)
    kind = calendar.kind_of(day)
    said = {
        Verdict.MOVED: moved_from is not None,
        Verdict.HOLIDAY_KEPT: kind is DayKind.HOLIDAY,
        Verdict.ADJUSTED_WORKDAY: kind is DayKind.ADJUSTED_WORKDAY,
        Verdict.YEAR_NOT_ANNOUNCED: not calendar.is_announced(day.year),
    }
    verdicts = [verdict for verdict, is_so in said.items() if is_so] + obstacles(starts_at, ends_at)
    return SeriesEvening(day, starts_at, ends_at, tuple(verdicts) or (Verdict.OK,), moved_from)


def _rest_of_week(day: date) -> Iterator[date]:
    for ahead in range(1, SUNDAY - day.isoweekday() + 1):
        yield day + timedelta(days=ahead)


def _hours(series: Series, day: date) -> tuple[datetime, datetime]:
    return (
        datetime.combine(day, series.starts, clock.TOWN_ZONE),
        datetime.combine(day, series.ends, clock.TOWN_ZONE),
    )


def _must_make_sense(series: Series) -> None:
    faults = []
    if series.ends <= series.starts:
        faults.append(Fault("ends", "结束时间要晚于开始时间"))
    if not 1 <= series.every_weeks <= MOST_WEEKS:
        faults.append(Fault("every_weeks", f"隔几周上一次为 1 到 {MOST_WEEKS}"))
    if (series.times is None) == (series.until is None):
        faults.append(Fault("times", "请填写上几次课，或者上到哪一天，二选一"))
    if series.times is not None and not 1 <= series.times <= MOST_EVENINGS:
        faults.append(Fault("times", f"次数为 1 到 {MOST_EVENINGS}"))
    if series.until is not None and not series.first_on <= series.until <= series.first_on + LONGEST:
        faults.append(Fault("until", "最后一天要在第一天之后的一年以内"))
    if faults:
        raise Invalid(faults)
