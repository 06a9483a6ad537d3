"""The plan (课程表计划): what a timetable file asks for, checked as far as a file can be checked without the town's tables.

The plan says what; applying it says whether rooms exist, what changes and whom a change would hurt. A run is the same run
in a later file when community, month, course and ordinal are the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from server.timetable.columns import Column, Field
from server.timetable.faults import Fault, shown
from server.timetable.remarks import Audience
from server.timetable.teachers import people_named


class RunKey(NamedTuple):
    """What makes a run the same run in a corrected file."""

    community: str
    month: str  # YYYY-MM
    course_title: str
    ordinal: int


@dataclass(frozen=True)
class SessionPlan:
    """One 课次: aware times in the town's zone, the room as written, the sheet row it comes from."""

    starts_at: datetime
    ends_at: datetime
    room: str
    row: int


@dataclass(frozen=True)
class RunPlan:
    """One 班次 with its sessions in order of time."""

    course_title: str
    category: str
    teacher: str
    teacher_is_person: bool
    ordinal: int  # counts this course's runs on the sheet from 1, by first session
    capacity: int
    opens_at: datetime
    audience: Audience
    materials: str
    note: str
    held_share: float | None  # of the seats, kept for telephone and counter; 0.2 is a fifth
    sessions: tuple[SessionPlan, ...]
    rows: tuple[int, ...]  # in the order of the sheet
    is_past: bool = False  # every session had begun when the file was read

    @property
    def seats_held(self) -> int:
        """How many seats the remark keeps for telephone and counter; a part of a seat is a seat."""
        return math.ceil(round(self.capacity * (self.held_share or 0), 6))

    @property
    def people(self) -> tuple[str, ...]:
        """The persons who teach; empty when an organisation does."""
        return people_named(self.teacher)


class RoomNamed(NamedTuple):
    """A room as a row of the sheet names it."""

    row: int
    room: str


@dataclass(frozen=True)
class SheetPlan:
    """One community's month. ``rooms`` are those of every row, of rows too that are at fault and make no run."""

    sheet: str
    community: str
    month: str  # YYYY-MM
    runs: tuple[RunPlan, ...]
    columns: tuple[Column, ...] = ()
    timetable: str = ""  # which of the community's timetables, as its title calls it: 社区夜校
    rooms: tuple[RoomNamed, ...] = ()

    def key_of(self, run: RunPlan) -> RunKey:
        """The key this run has for good."""
        return RunKey(self.community, self.month, run.course_title, run.ordinal)

    def fault_at(self, row: int, field: Field, *, message: str, advice: str, seen: str = "") -> Fault:
        """A fault found later (an unknown room, a change that hurts somebody) named the way the reader names its own."""
        column = next((column for column in self.columns if column.field is field), None)
        return Fault(
            sheet=self.sheet,
            row=row,
            column=column.letter if column else "",
            header=shown(column.header) if column else "",
            seen=shown(seen),
            message=message,
            advice=advice,
        )


@dataclass(frozen=True)
class TimetablePlan:
    """A whole file. With ``faults`` the sheets hold only what could be read, and nothing of it should be applied."""

    sheets: tuple[SheetPlan, ...]
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing must be mended first."""
        return not self.faults

    def runs(self) -> Iterator[tuple[SheetPlan, RunPlan]]:
        """Every run with its sheet, in the order of the file."""
        for sheet in self.sheets:
            for run in sheet.runs:
                yield sheet, run
