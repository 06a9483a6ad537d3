"""Moments (日期和时间): dates, hours and opening moments in all the ways a clerk writes them.

Excel's own values (dates, fractions of a day, serial numbers) and text mean the same. Everything read here is the town's
wall clock; aware moments carry ``TOWN_ZONE``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from openpyxl.utils.datetime import WINDOWS_EPOCH, from_excel

from models.clock import TOWN_ZONE, WEEKDAYS, weekday
from server.timetable.cells import Unreadable, in_digits, plain, refuse_uncalculated
from server.timetable.faults import shown

FIRST_YEAR, LAST_YEAR = 2000, 2100
MINUTES_A_DAY = 24 * 60

DATE_ADVICE = "请写成 2026-12-03 或 12月3日"
TIME_ADVICE = "请写成 18:00"
RANGE_ADVICE = "请写成 18:00，或 18:00-19:00"
MOMENT_ADVICE = "请写成 2026-11-25 10:00 或 11月25日 10:00"

_WEEKDAY = re.compile(r"[(\[,]?\s*(?:周|星期|礼拜)\s*([一二三四五六日天])\s*[)\],]?")
_DATE = re.compile(
    r"(?:(?P<year>\d{4}|\d{2}(?=年))\s*[-/.年]\s*)?(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*[日号]?"
)
_RUN_TOGETHER = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?!\d)")
_MONTH = re.compile(r"(?P<year>\d{4})\s*[-/.年]\s*(?P<month>\d{1,2})(?!\d)")

_MORNING = ("上午", "早上", "早晨", "清晨", "早", "am", "a.m.", "a.m")
_NIGHT = ("凌晨",)
_NOON = ("中午", "午间")
_AFTER_NOON = ("下午", "傍晚", "晚上", "夜里", "晚间", "晚", "pm", "p.m.", "p.m")
_PARTS = "|".join(re.escape(part) for part in (*_MORNING, *_NIGHT, *_NOON, *_AFTER_NOON))
_TIME = re.compile(
    rf"(?P<before>{_PARTS})?\s*(?P<hour>\d{{1,2}})"
    r"(?:(?P<colon>\s*[:.]\s*(?P<minute>\d{2})(?::\d{2}(?:\.0+)?)?)"
    r"|(?P<point>\s*[点时]\s*(?:(?P<minutes>\d{1,2})\s*分?|(?P<quarter>半|一刻|三刻)|整|钟)?))?"
    rf"\s*(?P<after>{_PARTS})?",
    re.IGNORECASE,
)
_TO = re.compile(r"\s*(?:-+|[—–―‒−]+|~+|〜|至|到)\s*")
_QUARTERS = {"半": 30, "一刻": 15, "三刻": 45}
_YEAR_END, _YEAR_START = 10, 3


class Month(NamedTuple):
    """A month of a year, the one a timetable is for."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def in_words(self) -> str:
        """2026年12月."""
        return f"{self.year}年{self.month}月"

    def year_of(self, month: int) -> int:
        """The year a date without one means on this month's sheet: January on a December sheet is next year's."""
        if self.month >= _YEAR_END and month <= _YEAR_START:
            return self.year + 1
        if self.month <= _YEAR_START and month >= _YEAR_END:
            return self.year - 1
        return self.year


@dataclass(frozen=True)
class WrittenDay:
    """A day as it was written: the year and the weekday only if the clerk wrote them; ``rest`` is what follows."""

    seen: str
    year: int | None
    month: int
    day: int
    weekday: int | None = None  # Monday is 0
    rest: str = ""

    def on_sheet(self, month: Month) -> date:
        """The date it means on the sheet of this month. Raises ``Unreadable`` for one no calendar has."""
        year = month.year_of(self.month) if self.year is None else self.year
        try:
            day = date(year, self.month, self.day)
        except ValueError:
            raise Unreadable(f"看不懂“{shown(self.seen)}”", DATE_ADVICE) from None
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise Unreadable(f"“{shown(self.seen)}”是 {day.year} 年，不像是上课的日子", DATE_ADVICE)
        if self.weekday is not None and self.weekday != day.weekday():
            raise Unreadable(
                f"“{shown(self.seen)}”对不上：{day.isoformat()} 是周{weekday(day)}，"
                f"不是周{WEEKDAYS[self.weekday]}",
                "请改对日期或星期",
            )
        return day


def month_in(text: str) -> Month | None:
    """The month a title names (2026年12月, 二〇二六年十二月, 2026-12), if it does."""
    found = _MONTH.search(in_digits(plain(text), before="年月"))
    if found is None:
        return None
    year, month = int(found["year"]), int(found["month"])
    return Month(year, month) if FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12 else None


def weekday_in(value: object) -> int | None:
    """The weekday a cell names (周四, 星期四, 四), Monday 0; None when it names none."""
    found = re.fullmatch(r"(?:周|星期|礼拜)?\s*([一二三四五六日天])", plain(value))
    return None if found is None else WEEKDAYS.index(found[1].replace("天", "日"))


def written_day(value: object, *, epoch: datetime = WINDOWS_EPOCH) -> WrittenDay:
    """The day a cell names, before its year is settled. ``epoch`` is where the file's serial numbers start."""
    refuse_uncalculated(value)
    seen = plain(value)
    excel = _from_serial(value, epoch=epoch)
    if excel is not None:
        return WrittenDay(seen, excel.year, excel.month, excel.day, rest=f"{excel:%H:%M}")
    if isinstance(value, time | timedelta | bool):
        raise Unreadable(f"“{shown(seen)}”不是日期", DATE_ADVICE)
    text = in_digits(seen, before="年月日号")
    named = _WEEKDAY.search(text)
    if named is not None:
        text = f"{text[: named.start()]} {text[named.end() :]}".strip()
    found = _RUN_TOGETHER.match(text) or _DATE.match(text)
    if found is None:
        raise Unreadable(f"看不懂“{shown(seen)}”", DATE_ADVICE)
    year = found["year"]
    return WrittenDay(
        seen,
        year=None if year is None else int(year) + (2000 if len(year) == 2 else 0),
        month=int(found["month"]),
        day=int(found["day"]),
        weekday=None if named is None else WEEKDAYS.index(named[1].replace("天", "日")),
        rest=re.sub(r"^[\sTt,]+", "", text[found.end() :]),
    )


def read_date(value: object, *, month: Month, epoch: datetime = WINDOWS_EPOCH) -> date:
    """The date of a class on the sheet of ``month``. A time of day behind it is let pass; the time columns decide."""
    day = written_day(value, epoch=epoch)
    if day.rest and _TIME.fullmatch(in_digits(day.rest, before="点时分")) is None:
        raise Unreadable(f"看不懂“{shown(day.seen)}”", DATE_ADVICE)
    return day.on_sheet(month)


def read_hours(value: object) -> tuple[time, time | None]:
    """The hour a class starts and, when the cell holds a range, the hour it ends."""
    refuse_uncalculated(value)
    excel = _excel_time(value)
    if excel is not None:
        return excel, None
    seen = plain(value)
    parts = _TO.split(in_digits(seen, before="点时分"))
    if len(parts) > 2 or not parts[0]:
        raise Unreadable(f"看不懂“{shown(seen)}”", RANGE_ADVICE)
    start, part_of_day = _time_in(parts[0], seen=seen, inherited="")
    if len(parts) == 1:
        return start, None
    end, _ = _time_in(parts[1], seen=seen, inherited=part_of_day)
    return start, end


def read_time(value: object) -> time:
    """One hour of the day."""
    start, end = read_hours(value)
    if end is not None:
        raise Unreadable(f"“{shown(plain(value))}”写了两个时间", TIME_ADVICE)
    return start


def read_moment(value: object, *, month: Month, epoch: datetime = WINDOWS_EPOCH) -> datetime:
    """An aware moment, day and hour both; a day alone is not enough for people who wait for the minute."""
    day = written_day(value, epoch=epoch)
    on = day.on_sheet(month)
    midnight = isinstance(value, datetime | date | int | float) and day.rest == "00:00"
    if not day.rest or midnight:
        raise Unreadable(f"“{shown(day.seen)}”没有写几点", MOMENT_ADVICE)
    hour, _ = _time_in(
        in_digits(day.rest, before="点时分"), seen=day.seen, inherited="", advice=MOMENT_ADVICE
    )
    return datetime.combine(on, hour, tzinfo=TOWN_ZONE)


def _from_serial(value: object, *, epoch: datetime) -> datetime | None:
    """An Excel date or a serial number that can be one; numbers like 20261203 are text that lost its quotes."""
    if isinstance(value, datetime):
        return _to_the_minute(value)
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 1 <= value < 100_000:
        return None
    moment = from_excel(value, epoch)
    return _to_the_minute(moment) if isinstance(moment, datetime) else None


def _to_the_minute(moment: datetime) -> datetime:
    """Fractions of a day come back a hair early or late: 17:59:59.999 was written 18:00."""
    if moment.year >= LAST_YEAR + 1000:
        return moment
    return (moment + timedelta(seconds=30)).replace(second=0, microsecond=0, tzinfo=None)


def _excel_time(value: object) -> time | None:
    minutes: float
    match value:
        case bool():
            return None
        case datetime():
            return _to_the_minute(value).time()
        case time():
            minutes = value.hour * 60 + value.minute + value.second / 60
        case timedelta():
            minutes = value / timedelta(minutes=1)
        case float() if 0 <= value < 1:
            minutes = value * MINUTES_A_DAY
        case _:
            return None
    rounded = round(minutes)
    return time(rounded // 60, rounded % 60) if 0 <= rounded < MINUTES_A_DAY else None


def _time_in(text: str, *, seen: str, inherited: str, advice: str = RANGE_ADVICE) -> tuple[time, str]:
    """The hour a piece of text names and the part of the day it was said with (or inherits: 下午2:30-4:00)."""
    found = _TIME.fullmatch(text.strip())
    unclear = Unreadable(f"看不懂“{shown(seen)}”", advice)
    if found is None:
        raise unclear
    own = (found["before"] or found["after"] or "").lower()
    if found["colon"] is None and found["point"] is None and not own:
        raise unclear
    hour, part = int(found["hour"]), own or inherited
    if found["quarter"]:
        minute = _QUARTERS[found["quarter"]]
    else:
        minute = int(found["minute"] or found["minutes"] or 0)
    if (part in _AFTER_NOON and hour < 12) or (part in _NOON and hour < 11):
        hour += 12
    elif own in (*_NIGHT, "am", "a.m.", "a.m") and hour == 12:
        hour = 0
    elif own in ("晚", "晚上", "夜里", "晚间") and hour == 12:
        raise Unreadable(f"“{shown(seen)}”是半夜十二点", advice)
    elif own in (*_MORNING, *_NIGHT) and hour > 12:
        raise Unreadable(f"“{shown(seen)}”前后矛盾", advice)
    if hour > 23 or minute > 59:
        raise Unreadable(f"没有“{shown(seen)}”这个时间", advice)
    return time(hour, minute), part
