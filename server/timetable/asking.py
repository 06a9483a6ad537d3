"""Asking (表上要什么): one community's sheet in the town's own terms: rooms for names, an audience rule for 报名对象.

What the town does not know is a fault at its cell; what works but deserves a second look is a warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from models.courses import Audience, Course, CourseRun, CourseSession, Evening, RunState
from models.courses import RunPlan as TownPlan
from models.regions import Region
from models.sites import Venue
from server.timetable.columns import Field
from server.timetable.faults import Fault
from server.timetable.matching import Pair, match
from server.timetable.naming import Rooms, Unknown
from server.timetable.plan import RunPlan, SheetPlan


@dataclass(frozen=True)
class Asked:
    """One run of the file: as the sheet has it, and as the town would keep it."""

    run: RunPlan
    plan: TownPlan

    def row_at(self, starts_at: datetime) -> int:
        """The row of the session that starts then; the run's first row when none does."""
        rows = {session.starts_at: session.row for session in self.run.sessions}
        return rows.get(starts_at, self.run.rows[0])


@dataclass
class TownSheet:
    """One sheet, the community it means, what its runs ask for, and which standing run each of them is."""

    sheet: SheetPlan
    region: Region
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    pairs: list[tuple[Asked, Pair]] = field(default_factory=list)
    standing: list[CourseRun] = field(default_factory=list)

    def fault(self, row: int, at: Field, message: str, advice: str = "", *, seen: str = "") -> None:
        """Name something that must be mended, at its cell."""
        self.faults.append(self.sheet.fault_at(row, at, message=message, advice=advice, seen=seen))

    def warn(self, row: int, at: Field, message: str, advice: str = "") -> None:
        """Name something to look at, at its cell."""
        fault = self.sheet.fault_at(row, at, message=message, advice=advice)
        self.warnings.append(replace(fault, code="timetable_warning"))

    def fault_of_sheet(self, message: str, advice: str = "") -> None:
        """Name something that no row of the sheet stands for."""
        self.faults.append(_of_sheet(self.sheet, message, advice))

    def warn_of_sheet(self, message: str, advice: str = "") -> None:
        """Name something to look at that no row of the sheet stands for."""
        self.warnings.append(replace(_of_sheet(self.sheet, message, advice), code="timetable_warning"))

    @property
    def gone(self) -> list[CourseRun]:
        """The runs of this very timetable that stand and are in the file no more. A sheet without any class has none."""
        kept = {pair.stands.id for _, pair in self.pairs if pair.stands}
        return [
            run
            for run in self.standing
            if self.sheet.runs
            and run.id not in kept
            and run.timetable == self.sheet.timetable
            and run.state is not RunState.CANCELLED
        ]


def ask(session: Session, sheet: TownSheet) -> None:
    """Find the rooms a sheet names and the runs that stand for its month, and pair them with what the sheet asks for."""
    venues = _venues(session, sheet)
    asked = [one for run in sheet.sheet.runs if (one := _asked(sheet, run, venues))]
    sheet.standing = list(
        session.scalars(
            select(CourseRun)
            .join(CourseRun.course)
            .options(
                joinedload(CourseRun.region),
                joinedload(CourseRun.course),
                selectinload(CourseRun.sessions).joinedload(CourseSession.venue).selectinload(Venue.spaces),
            )
            .where(Course.region_id == sheet.region.id, CourseRun.month == sheet.sheet.month)
            .order_by(CourseRun.id)
        )
    )
    for title in dict.fromkeys(one.run.course_title for one in asked):
        of_course = [one for one in asked if one.run.course_title == title]
        standing = [run for run in sheet.standing if run.course.title == title]
        sheet.pairs += [
            (of_course[pair.place], pair) for pair in match([one.plan for one in of_course], standing)
        ]
    for one, pair in sheet.pairs:
        if pair.stands is not None:
            _look_at_held(sheet, one.run, pair.stands)
    sheet.pairs.sort(key=lambda pair: pair[0].run.rows)


def _venues(session: Session, sheet: TownSheet) -> dict[int, Venue]:
    """The room of every row, by its number; rooms nobody knows are named, whatever else is wrong with their rows."""
    known = Rooms(session, sheet.region)
    venues = {}
    for row, room in sheet.sheet.rooms:
        try:
            venues[row] = known.named(room)
        except Unknown as unknown:
            sheet.fault(row, Field.ROOM, unknown.message, unknown.advice, seen=room)
    return venues


def _asked(sheet: TownSheet, run: RunPlan, venues: Mapping[int, Venue]) -> Asked | None:
    """The run as the town would keep it; None when a room of it is not known, or it overlaps itself."""
    evenings = [
        Evening(meeting.starts_at, meeting.ends_at, venues[meeting.row])
        for meeting in run.sessions
        if meeting.row in venues
    ]
    if len(evenings) < len(run.sessions) or _overlaps_itself(sheet, run):
        return None
    _look_at_seats(sheet, run, evenings)
    plan = TownPlan(
        month=sheet.sheet.month,
        timetable=sheet.sheet.timetable,
        ordinal=run.ordinal,
        teacher=run.teacher,
        teacher_is_person=run.teacher_is_person,
        capacity=run.capacity,
        opens_at=run.opens_at,
        evenings=evenings,
        audience=_audience(run),
        min_age=run.audience.min_age,
        max_age=run.audience.max_age,
        materials=run.materials,
        note=run.note,
    )
    return Asked(run, plan)


def _overlaps_itself(sheet: TownSheet, run: RunPlan) -> bool:
    """Whether two sessions of a run are held at one time, which nobody registered for both could attend."""
    overlapping = [(a, b) for a, b in pairwise(run.sessions) if b.starts_at < a.ends_at]
    for earlier, later in overlapping:
        sheet.fault(
            later.row,
            Field.DATE,
            f"和第{earlier.row}行是同一个班次，时间却重叠了",
            "请改其中一行的时间；不是一个班次的话，请改备注",
        )
    return bool(overlapping)


def _audience(run: RunPlan) -> Audience:
    if run.audience.pair:
        return Audience.PAIR
    return Audience.CHILD if run.audience.for_child else Audience.EVERYONE


def _look_at_seats(sheet: TownSheet, run: RunPlan, evenings: list[Evening]) -> None:
    smallest = min((evening.venue for evening in evenings), key=lambda venue: venue.capacity)
    if run.capacity > smallest.capacity:
        sheet.warn(
            run.rows[0],
            Field.CAPACITY,
            f"名额 {run.capacity} 人，“{smallest.name}”只坐得下 {smallest.capacity} 人",
            "请看看名额和场地",
        )


def _look_at_held(sheet: TownSheet, run: RunPlan, stands: CourseRun) -> None:
    """The counter uses seats up and staff change them: a file says how many a class begins with, not how many are left."""
    if run.seats_held not in (0, stands.seats_held):
        sheet.warn(
            run.rows[0],
            Field.NOTE,
            f"备注要给电话和现场登记留 {run.seats_held} 个名额；这个班已经建好，现在预留 {stands.seats_held} 个，不随课程表改",
            "要改的话，请在这个班的“预留名额”里改",
        )


def _of_sheet(sheet: SheetPlan, message: str, advice: str) -> Fault:
    return Fault(sheet.sheet, 0, "", "", "", message, advice)
