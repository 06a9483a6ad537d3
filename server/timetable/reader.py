"""The reader (读课程表): from a spreadsheet file to a checked plan. No table is read or written here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from models import clock
from models.calendars import Calendar, DayKind
from server.timetable.cells import Unreadable
from server.timetable.clashes import Held, held, name_clashes
from server.timetable.columns import Field
from server.timetable.faults import Findings, listed, shown
from server.timetable.lessons import RowReader
from server.timetable.moments import Month, WrittenDay, written_day
from server.timetable.plan import RoomNamed, SheetPlan, TimetablePlan
from server.timetable.runs import RunMaker
from server.timetable.sheet import Layout, lay_out
from server.timetable.workbook import Grid, open_workbook


def read_timetable(path: Path | str, *, day_kind: Callable[[date], DayKind] | None = None) -> TimetablePlan:
    """The plan a timetable file asks for, with every fault and warning in it.

    What stands in the file never raises: it is collected, all of it, in ``faults`` and ``warnings``. ``day_kind`` is the
    calendar in force; without it the published one. Raises ``Invalid`` (``timetable_unreadable``) only when the file
    itself cannot be read: missing, empty, over 5 MB or 5,000 rows a sheet, encrypted, old .xls, damaged, not a workbook.
    """
    return plan_of(open_workbook(path), day_kind=day_kind)


def plan_of(grids: Sequence[Grid], *, day_kind: Callable[[date], DayKind] | None = None) -> TimetablePlan:
    """The plan of sheets already opened; ``read_timetable`` without the file."""
    kind_of = day_kind or Calendar().kind_of
    whole_file = Findings()
    found: list[Findings] = [whole_file]
    sheets: list[SheetPlan] = []
    classes: list[Held] = []
    first_sheet: dict[tuple[str, Month], str] = {}
    for order, grid in enumerate(grids):
        findings = Findings(grid.name)
        found.append(findings)
        layout = lay_out(grid, findings=findings)
        month = _month(layout, grid, findings=findings) if layout else None
        if layout is None or month is None:
            continue
        reader = RowReader(layout, month, grid.epoch, findings)
        lessons = [reader.read(row) for row in layout.rows]
        runs = RunMaker(layout, findings, kind_of).make(lessons)
        _check_month(
            month, [lesson.starts_at.date() for lesson in lessons if lesson.starts_at], findings=findings
        )
        twin = first_sheet.setdefault((layout.community, month), grid.name)
        if twin != grid.name:
            findings.fault(
                f"“{shown(layout.community)}”{month.in_words}的课程表在「{shown(twin)}」里已经有了",
                "请合成一张表",
            )
        else:
            classes += held(order, layout, findings, lessons)
        if not lessons:
            findings.warn("这张表里一节课也没有")
        sheets.append(
            SheetPlan(
                grid.name,
                layout.community,
                str(month),
                runs,
                layout.columns,
                layout.timetable,
                rooms=tuple(RoomNamed(lesson.row, lesson.room) for lesson in lessons if lesson.room),
            )
        )
    name_clashes(classes)
    if not any(findings.faults for findings in found) and not any(sheet.runs for sheet in sheets):
        whole_file.fault("一节课也没有找到", "请检查是不是选错了文件")
    return TimetablePlan(
        sheets=tuple(sheets),
        faults=listed([findings.faults for findings in found]),
        warnings=listed([findings.warnings for findings in found]),
    )


def _month(layout: Layout, grid: Grid, *, findings: Findings) -> Month | None:
    """The month the sheet is for: the title's, else the one most of its dates fall in. None when nothing tells."""
    if layout.month is not None:
        return layout.month
    days = _written_days(layout, grid)
    dated = Counter(Month(day.year, day.month) for day in days if day.year is not None)
    undated = Counter(day.month for day in days)
    if dated:
        month = min(dated, key=lambda month: (-dated[month], month))
    elif undated:
        month = _nearest(min(undated, key=lambda month: (-undated[month], month)))
    else:
        if layout.rows:
            findings.fault(
                "看不出是哪个月的课程表", "请在表头上面写标题，例如“梧桐里社区课程安排表（2026年12月）”"
            )
        else:
            findings.warn("这张表里一节课也没有")
        return None
    findings.warn(
        f"标题里没有写年月，按大多数上课日期算作{month.in_words}", "请在标题里写上年月，例如（2026年12月）"
    )
    return month


def _written_days(layout: Layout, grid: Grid) -> list[WrittenDay]:
    days = []
    for row in layout.rows:
        value = layout.value(row, Field.DATE)
        if value is None:
            continue
        try:
            day = written_day(value, epoch=grid.epoch)
            day.on_sheet(Month(2028, max(1, min(12, day.month))))  # any leap year: is there such a day at all
        except Unreadable:
            continue  # named when the row is read
        days.append(day)
    return days


def _nearest(month: int) -> Month:
    """The month of this number nearest to today."""
    today = clock.today()
    years = (today.year - 1, today.year, today.year + 1)
    return min(
        (Month(year, month) for year in years),
        key=lambda near: abs((near.year - today.year) * 12 + near.month - today.month),
    )


def _check_month(month: Month, days: Sequence[date], *, findings: Findings) -> None:
    """Remark on a title that names a month none of the classes is in."""
    if days and not any((day.year, day.month) == month for day in days):
        findings.warn(f"标题写的是{month.in_words}，可是没有一节课在这个月", "请看看标题和日期哪个不对")
