"""Lessons (一行一节课): one row of the sheet, every cell read, every fault of the row named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import TypeVar

from models import clock
from models.clock import TOWN_ZONE
from server.timetable.cells import Unreadable, as_seen, read_capacity, read_text
from server.timetable.columns import REQUIRED, Field
from server.timetable.faults import Findings
from server.timetable.moments import (
    RANGE_ADVICE,
    TIME_ADVICE,
    Month,
    read_date,
    read_hours,
    read_moment,
    read_time,
    weekday_in,
)
from server.timetable.remarks import Audience, held_share, mentions_run, read_audience, sessions_said
from server.timetable.sheet import Layout, SheetRow

LONGEST_LESSON = timedelta(hours=6)
MOST_LETTERS = {
    Field.COURSE: 60,
    Field.CATEGORY: 20,  # as long as the column that keeps it
    Field.TEACHER: 40,
    Field.ROOM: 40,
    Field.MATERIALS: 200,
    Field.NOTE: 500,
}
BLANKS_OF_A_STRAY_ROW = 3

T = TypeVar("T")


@dataclass(frozen=True)
class Lesson:
    """One row as read. None stands where the cell could not be read; its fault is already named."""

    row: int
    course: str | None
    category: str | None
    teacher: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    room: str | None
    capacity: int | None
    opens_at: datetime | None
    audience: Audience | None
    materials: str | None
    note: str | None
    sessions_said: int | None
    held_share: float | None
    is_whole: bool  # nothing on the row is at fault
    remark_is_clear: bool


@dataclass
class RowReader:
    """Reads the rows of one sheet, one at a time."""

    layout: Layout
    month: Month
    epoch: datetime
    findings: Findings

    def read(self, row: SheetRow) -> Lesson:
        """The row's lesson; what is wrong with it goes to the findings."""
        before = len(self.findings.faults)
        blank = self._name_blanks(row)
        text = {field: self._text(row, field) for field in MOST_LETTERS}
        on = self._ask(row, Field.DATE, partial(read_date, month=self.month, epoch=self.epoch))
        self._check_weekday(row, on)
        hours = self._hours(row, named_already=Field.STARTS in blank and len(blank) >= BLANKS_OF_A_STRAY_ROW)
        capacity = self._ask(row, Field.CAPACITY, read_capacity)
        opens_at = self._ask(row, Field.OPENS, partial(read_moment, month=self.month, epoch=self.epoch))
        audience = self._ask(row, Field.AUDIENCE, read_audience)
        note = text[Field.NOTE]
        faults_before_remark = len(self.findings.faults)
        said = self._ask(row, Field.NOTE, lambda _: sessions_said(note)) if note else None
        remark_is_clear = note is not None and len(self.findings.faults) == faults_before_remark
        held = self._ask(row, Field.NOTE, lambda _: held_share(note)) if note else None
        if note and remark_is_clear and said is None and mentions_run(note):
            self._warn(row, Field.NOTE, "备注提到班次，没看出几次课为一个班次，这一行单独算一个班次", "")
        starts, ends = hours or (None, None)
        return Lesson(
            row=row.number,
            course=text[Field.COURSE] or None,
            category=text[Field.CATEGORY] or None,
            teacher=text[Field.TEACHER] or None,
            starts_at=datetime.combine(on, starts, tzinfo=TOWN_ZONE) if on and starts else None,
            ends_at=datetime.combine(on, ends, tzinfo=TOWN_ZONE) if on and ends else None,
            room=text[Field.ROOM] or None,
            capacity=capacity,
            opens_at=opens_at,
            audience=audience,
            materials=text[Field.MATERIALS],
            note=note,
            sessions_said=said,
            held_share=held,
            is_whole=len(self.findings.faults) == before,
            remark_is_clear=remark_is_clear,
        )

    def _name_blanks(self, row: SheetRow) -> list[Field]:
        """Name the required cells left blank: one by one, or all in one breath when the row is hardly a lesson."""
        blank = [field for field in REQUIRED if not as_seen(self.layout.value(row, field))]
        if len(blank) >= BLANKS_OF_A_STRAY_ROW:
            names = "、".join(f"“{field.value}”" for field in blank)
            self._fault(row, blank[0], f"这一行没有填{names}", "请补全；不是课程的话请删掉这一行")
        else:
            for field in blank:
                advice = "不限年龄请写“不限”" if field is Field.AUDIENCE else "请补上"
                self._fault(row, field, "没有填", advice)
        return blank

    def _text(self, row: SheetRow, field: Field) -> str | None:
        value = self.layout.value(row, field)
        return "" if value is None else self._ask(row, field, partial(read_text, most=MOST_LETTERS[field]))

    def _ask(self, row: SheetRow, field: Field, read: Callable[[object], T]) -> T | None:
        """What the reader makes of the cell, or None after naming what it could not make of it."""
        value = self.layout.value(row, field)
        if not as_seen(value):
            return None
        try:
            return read(value)
        except Unreadable as unreadable:
            self._fault(row, field, unreadable.message, unreadable.advice)
            return None

    def _hours(self, row: SheetRow, *, named_already: bool) -> tuple[time, time] | None:
        """From when to when, if both can be told and make a lesson."""
        faults = len(self.findings.faults)
        started = self._ask(row, Field.STARTS, read_hours)
        ended = self._ask(row, Field.ENDS, read_time)
        if named_already or len(self.findings.faults) > faults or started is None:
            return None
        start, ranged = started
        has_column = self.layout.column(Field.ENDS) is not None
        end = ranged if ended is None else ended
        if end is None:
            at, advice = (Field.ENDS, TIME_ADVICE) if has_column else (Field.STARTS, RANGE_ADVICE)
            self._fault(row, at, "没有填结束时间", advice)
        elif ranged is not None and end != ranged:
            message = f"开始时间一列写到 {ranged:%H:%M}，这里却是 {end:%H:%M}"
            self._fault(row, Field.ENDS, message, "请改成一样，或只留一处")
        elif self._makes_a_lesson(row, start, end, at=Field.STARTS if ended is None else Field.ENDS):
            return start, end
        return None

    def _makes_a_lesson(self, row: SheetRow, start: time, end: time, *, at: Field) -> bool:
        """Whether the class ends after it begins and within ``LONGEST_LESSON``; named if not."""
        length = timedelta(hours=end.hour - start.hour, minutes=end.minute - start.minute)
        if length <= timedelta(0):
            message = f"{end:%H:%M} 下课，不晚于上课的 {start:%H:%M}"
            self._fault(row, at, message, "请改对时间；下午和晚上请按 24 小时写，例如 18:00")
        elif length > LONGEST_LESSON:
            self._fault(row, at, f"{start:%H:%M} 到 {end:%H:%M} 超过 6 小时", "请改对时间，或拆成几节课")
        return timedelta(0) < length <= LONGEST_LESSON

    def _check_weekday(self, row: SheetRow, on: date | None) -> None:
        said = weekday_in(self.layout.value(row, Field.WEEKDAY))
        if on is not None and said is not None and said != on.weekday():
            self._fault(
                row,
                Field.WEEKDAY,
                f"写的是周{clock.WEEKDAYS[said]}，可是 {on.isoformat()} 是周{clock.weekday(on)}",
                "请改对日期或星期",
            )

    def _fault(self, row: SheetRow, field: Field, message: str, advice: str) -> None:
        self.findings.fault(message, advice, at=self.layout.place(row, field))

    def _warn(self, row: SheetRow, field: Field, message: str, advice: str) -> None:
        self.findings.warn(message, advice, at=self.layout.place(row, field))
