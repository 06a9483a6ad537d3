"""The clerk's desk: a sheet goes in, a report comes out, and what stands in the town can be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path

from openpyxl.utils import get_column_letter
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from models import clock as town_clock
from models.base import db, reading
from models.courses import (
    Course,
    CourseRun,
    CourseSession,
)
from server.timetable import Report, import_timetable
from tests.data.make_timetable import HEADERS, Draft, Row, lesson, one_sheet, write_workbook
from tests.databases import Rows, photograph
from tests.people import Person, Town

ROOMS = {"书画室": 20, "手工教室": 20, "舞蹈室": 25, "百姓议事厅": 24}


@dataclass
class Desk:
    """The clerk's desk: 梧桐里 with its rooms, and a way to import what stands on the sheet."""

    town: Town
    folder: Path
    sheets: int = field(default=0)

    def imports(self, *what: Row | Draft, only: str | None = None, dry_run: bool = False) -> Report:
        """Import rows of 梧桐里 in December, or whole drafts."""
        drafts = [draft for draft in what if isinstance(draft, Draft)]
        rows = [row for row in what if not isinstance(row, Draft)]
        if rows:
            drafts.append(one_sheet(*rows))
        self.sheets += 1
        path = write_workbook(self.folder / f"{self.sheets}.xlsx", drafts)
        return import_timetable(path, only_community=only, dry_run=dry_run)

    def must_import(self, *what: Row | Draft) -> Report:
        """Import what must be clean."""
        report = self.imports(*what)
        assert lines(report) == []
        return report

    def runs(self, title: str) -> Sequence[CourseRun]:
        """The runs of a course as they stand, by ordinal."""
        with reading() as session:
            return session.scalars(
                select(CourseRun)
                .join(Course, Course.id == CourseRun.course_id)
                .options(selectinload(CourseRun.sessions).joinedload(CourseSession.venue))
                .where(Course.title == title)
                .order_by(CourseRun.ordinal)
            ).all()

    def run(self, title: str) -> CourseRun:
        """The one run of a course."""
        (run,) = self.runs(title)
        return run

    def evenings(self, title: str) -> list[str]:
        """The sessions of the one run of a course."""
        return [
            f"{town_clock.in_town(one.starts_at):%m-%d %H:%M} {one.venue.name}"
            for one in self.run(title).sessions
        ]

    def register(self, title: str, people: Sequence[Person]) -> CourseRun:
        """These people register for the one run of a course, once it is open."""
        run = self.run(title)
        for person in people:
            person.tap(run)
        return self.run(title)


def lines(report: Report) -> list[str]:
    """The faults as the clerk reads them."""
    return [fault.line for fault in report.faults]


def warned(report: Report) -> list[str]:
    """The warnings as the clerk reads them."""
    return [warning.line for warning in report.warnings]


def counts(report: Report) -> tuple[int, int, int, int]:
    """Created, revised, withdrawn, unchanged."""
    return len(report.created), len(report.revised), len(report.withdrawn), len(report.unchanged)


def every_row() -> Rows:
    """Every row of every table."""
    with db.engine.connect() as connection:
        return photograph(connection)


def on(day: int) -> datetime:
    """A day of December, as a cell holds it."""
    return datetime.combine(date(2026, 12, day), time())


OPEN = datetime.combine(date(2026, 11, 20), time(10, 0))
TALK = lesson("口才与表达", date(2026, 12, 2), 报名开始时间=OPEN)
PAINT = lesson("团扇绘画", date(2026, 12, 3), 场地="书画室", 授课老师="孙老师", 报名开始时间=OPEN)


def weekly(course: str, *days: int, **changes: object) -> list[Row]:
    """One run of several evenings."""
    words = {1: "一", 2: "两", 3: "三", 4: "四"}
    remark = f"{words[len(days)]}次课为一个班次"
    rows = [lesson(course, date(2026, 12, day), 备注=remark, 报名开始时间=OPEN) for day in days]
    return [{**row, **changes} for row in rows]


def december(day: int, hour: int) -> datetime:
    """A moment of December on the town's clock."""
    return datetime(2026, 12, day, hour, tzinfo=town_clock.TOWN_ZONE)


def column_of(header: str) -> str:
    """The letter of a column of our own sheets."""
    return get_column_letter(HEADERS.index(header) + 1)
