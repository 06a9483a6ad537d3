"""Clashes (撞课): one room with two classes at a time, one person teaching two.

Times are half-open: a class that begins when another ends is no clash. Rooms are told apart by community; a person is the
same person in every community.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from server.timetable.columns import Field
from server.timetable.faults import Findings, shown
from server.timetable.lessons import Lesson
from server.timetable.sheet import Layout
from server.timetable.teachers import people_named


@dataclass(frozen=True)
class Held:
    """One lesson where and when it is held, with the sheet it stands on."""

    order: int  # of the sheet in the file
    layout: Layout
    findings: Findings
    lesson: Lesson
    starts_at: datetime
    ends_at: datetime

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in the file."""
        return self.order, self.lesson.row


def held(order: int, layout: Layout, findings: Findings, lessons: Iterable[Lesson]) -> list[Held]:
    """The lessons of one sheet whose hours are known."""
    return [
        Held(order, layout, findings, lesson, lesson.starts_at, lesson.ends_at)
        for lesson in lessons
        if lesson.starts_at and lesson.ends_at
    ]


def name_clashes(classes: Sequence[Held]) -> None:
    """Name every clash in the file at the later of its two rows; a pair that clashes twice is named once."""
    in_room: dict[tuple[str, str], list[Held]] = defaultdict(list)
    taught_by: dict[str, list[Held]] = defaultdict(list)
    for one in classes:
        if one.lesson.room:
            in_room[one.layout.community, _same(one.lesson.room)].append(one)
        for person in people_named(one.lesson.teacher or ""):
            taught_by[_same(person)].append(one)
    named: set[tuple[tuple[int, int], tuple[int, int]]] = set()
    for uses in in_room.values():
        for earlier, later in _overlapping(uses):
            named.add((earlier.place, later.place))
            _name(later, earlier, Field.ROOM, f"“{shown(later.lesson.room or '')}”同一时间排了两节课")
    for person, uses in taught_by.items():
        for earlier, later in _overlapping(uses):
            if (earlier.place, later.place) not in named:
                named.add((earlier.place, later.place))
                _name(later, earlier, Field.TEACHER, f"“{shown(person)}”同一时间要上两节课")


def _same(name: str) -> str:
    return unicodedata.normalize("NFKC", name).replace(" ", "").casefold()


def _overlapping(uses: Sequence[Held]) -> Iterable[tuple[Held, Held]]:
    """For each use that begins inside another, the pair in the order of the file. Each use is named against one other."""
    longest: Held | None = None
    for use in sorted(uses, key=lambda use: (use.starts_at, use.place)):
        if longest is not None and use.starts_at < longest.ends_at:
            earlier, later = sorted((longest, use), key=lambda pair: pair.place)
            yield earlier, later
        if longest is None or use.ends_at > longest.ends_at:
            longest = use


def _name(later: Held, earlier: Held, field: Field, message: str) -> None:
    sheet = "" if earlier.order == later.order else f"「{shown(earlier.findings.sheet)}」"
    when = f"{later.starts_at:%Y-%m-%d %H:%M}-{later.ends_at:%H:%M}"
    other = f"{earlier.starts_at:%H:%M}-{earlier.ends_at:%H:%M}"
    later.findings.fault(
        f"{message}：这一行 {when}，{sheet}第{earlier.lesson.row}行“{shown(earlier.lesson.course or '')}”{other}",
        "请改其中一行的时间或场地" if field is Field.ROOM else "请改其中一行的时间或老师",
        at=later.layout.place(later.layout.row(later.lesson.row), field),
    )
