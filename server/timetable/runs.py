"""Runs (班次): which lessons belong together, and whether they agree about what they share.

A remark such as 四次课为一个班次 binds that many rows of one course, in order of date; every other row is a run of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from models import clock
from models.calendars import Calendar, DayKind
from server.timetable.columns import Field
from server.timetable.faults import Findings, shown
from server.timetable.lessons import MOST_LETTERS, Lesson
from server.timetable.plan import RunPlan, SessionPlan
from server.timetable.remarks import RUN_ADVICE
from server.timetable.sheet import Layout, SheetRow
from server.timetable.teachers import is_one_place_only

LONGEST_NOTICE = timedelta(days=120)
PAST_RUN = "timetable_run_is_past"
DAY_OFF = "timetable_day_off"  # depends on the calendar too, which may have changed since a run was imported
SHARED: Mapping[Field, Callable[[Lesson], Hashable]] = {
    Field.TEACHER: lambda lesson: lesson.teacher,
    Field.CAPACITY: lambda lesson: lesson.capacity,
    Field.OPENS: lambda lesson: lesson.opens_at,
    Field.AUDIENCE: lambda lesson: lesson.audience,
    Field.NOTE: lambda lesson: lesson.held_share,
}
DAY_WORDS = {DayKind.HOLIDAY: "法定节假日", DayKind.ADJUSTED_WORKDAY: "调休上班日"}


@dataclass
class RunMaker:
    """Makes one sheet's lessons into runs; what does not fit goes to the findings."""

    layout: Layout
    findings: Findings
    day_kind: Callable[[date], DayKind]

    def make(self, lessons: Sequence[Lesson]) -> tuple[RunPlan, ...]:
        """The sheet's whole runs, in the order of their first rows."""
        runs = []
        self._check_categories(lessons)
        for together in self._gather(lessons):
            agreed = self._agree(together)
            self._check_opening(together)
            is_past = self._check_past(together)
            if agreed and all(lesson.is_whole for lesson in together):
                runs.append(self._run(together, is_past=is_past))
        self._check_days(lessons)
        return _numbered(runs)

    def _gather(self, lessons: Sequence[Lesson]) -> Iterable[Sequence[Lesson]]:
        """The lessons that make one run, run by run. A group that does not come out even is named and left out."""
        bound: dict[tuple[str, int], list[Lesson]] = defaultdict(list)
        for lesson in lessons:
            if lesson.course is None or lesson.sessions_said in (None, 1):
                if lesson.remark_is_clear:
                    yield [lesson]
                else:
                    self._check_opening([lesson])
            else:
                bound[lesson.course, lesson.sessions_said].append(lesson)
        for (course, said), group in bound.items():
            parallel = _parallel(group, said)
            if len(group) % said:
                self._check_opening(group)
                self._name_uneven(course, said, group, lessons)
            elif len(group) == said:
                yield _by_date(group)
            elif all(lesson.starts_at for lesson in group):
                for line in parallel:
                    for first in range(0, len(line), said):
                        yield line[first : first + said]

    def _name_uneven(
        self, course: str, said: int, group: Sequence[Lesson], lessons: Sequence[Lesson]
    ) -> None:
        """Say how many rows there are, unless an unreadable row may be the one that is missing."""
        bound = {lesson.row for lesson in group}
        strays = [lesson for lesson in lessons if lesson.course == course and lesson.row not in bound]
        unread = [lesson for lesson in lessons if lesson.course is None or not lesson.remark_is_clear]
        if any(lesson.course in (None, course) for lesson in unread):
            return
        advice = "请补上缺的课，或改备注里的次数"
        if strays:
            advice = f"{_rows(strays)}也是这门课，备注却不一样；同一个班次每一行的备注要写得一样"
        self.findings.fault(
            f"备注说 {said} 次课为一个班次，“{shown(course)}”这样写的却有 {len(group)} 行（{_rows(group)}）",
            advice,
            at=self.layout.place(self._row(group[0]), Field.NOTE),
        )

    def _agree(self, together: Sequence[Lesson]) -> bool:
        """Whether rows of one run say the same of what they share; the rows that differ are named, once a column."""
        agreed = True
        for field, shared in SHARED.items():
            advice = f"请改成一样的；不是一个班次的话，请改备注。{RUN_ADVICE}"
            if self._name_differing(together, field, shared, f"同一个班次的{field.value}要一样", advice):
                agreed = False
        return agreed

    def _check_categories(self, lessons: Sequence[Lesson]) -> None:
        """A course has one category, in every row of the sheet, whatever else is wrong with the row."""
        by_course: dict[str, list[Lesson]] = defaultdict(list)
        for lesson in lessons:
            if lesson.course is not None:
                by_course[lesson.course].append(lesson)
        for course, of_course in by_course.items():
            self._name_differing(
                of_course,
                Field.CATEGORY,
                lambda lesson: lesson.category,
                f"“{shown(course)}”的类别不一样",
                "同一门课的类别请写成一样",
            )

    def _name_differing(
        self,
        lessons: Sequence[Lesson],
        field: Field,
        shared: Callable[[Lesson], Hashable],
        message: str,
        advice: str,
    ) -> bool:
        """Name the rows that do not say what most of them say in a column; whether there are any."""
        rows: dict[Hashable, list[Lesson]] = defaultdict(list)
        for lesson in sorted(lessons, key=lambda lesson: lesson.row):
            if shared(lesson) is not None:
                rows[shared(lesson)].append(lesson)
        if len(rows) < 2:
            return False
        most, *others = sorted(rows.values(), key=len, reverse=True)
        said = "，".join(f"{_rows(same)}是“{self._seen(same[0], field)}”" for same in (most, *others))
        self.findings.fault(
            f"{message}：{said}", advice, at=self.layout.place(self._row(others[0][0]), field)
        )
        return True

    def _check_opening(self, together: Sequence[Lesson]) -> None:
        """Registration opens before the first session begins, and not absurdly long before."""
        dated = _by_date([lesson for lesson in together if lesson.starts_at and lesson.opens_at])
        if not dated or not (begins := dated[0].starts_at) or not (opens := dated[0].opens_at):
            return
        at = self.layout.place(self._row(dated[0]), Field.OPENS)
        if opens >= begins:
            self.findings.fault(
                f"{_moment(opens)} 才开始报名，可是第一节课 {_moment(begins)} 就上了",
                "请把报名开始时间改到第一节课之前",
                at=at,
            )
        elif begins - opens > LONGEST_NOTICE:
            self.findings.warn(
                f"{_moment(opens)} 开始报名，比第一节课早了 {(begins - opens).days} 天",
                "请看看年份对不对",
                at=at,
            )

    def _check_past(self, together: Sequence[Lesson]) -> bool:
        """Whether the whole run is over before it could be registered for; a session already held is only remarked on."""
        moment = clock.now()
        held = [lesson for lesson in _by_date(together) if lesson.starts_at and lesson.starts_at <= moment]
        if held and len(held) == len(together):
            self.findings.fault(
                f"“{shown(held[0].course or '')}”这个班次的课都已经上过了（{_rows(held)}）",
                "请改日期，或删掉这些行",
                at=self.layout.place(self._row(held[0]), Field.DATE),
                code=PAST_RUN,
            )
            return True
        for lesson in held:
            self.findings.warn(
                "这节课的时间已经过了",
                "请看看日期对不对",
                at=self.layout.place(self._row(lesson), Field.DATE),
            )
        return False

    def _check_days(self, lessons: Sequence[Lesson]) -> None:
        """Remark on classes on public holidays and on weekends that are worked, and on years nobody has announced."""
        unannounced: set[int] = set()
        for lesson in lessons:
            if lesson.starts_at is None:
                continue
            day = lesson.starts_at.date()
            at = self.layout.place(self._row(lesson), Field.DATE)
            if word := DAY_WORDS.get(self.day_kind(day)):
                self.findings.warn(
                    f"{day.isoformat()}（周{clock.weekday(day)}）是{word}",
                    "请确认这一天上课",
                    at=at,
                    code=DAY_OFF,
                )
            if day.year not in unannounced and not Calendar().is_announced(day.year):
                unannounced.add(day.year)
                self.findings.warn(
                    f"{day.year} 年的放假安排还没有，周一到周五都当作工作日",
                    "请等放假通知出来再核对一次",
                    at=at,
                    code=DAY_OFF,
                )

    def _run(self, together: Sequence[Lesson], *, is_past: bool) -> RunPlan:
        first = together[0]
        in_sheet_order = sorted(together, key=lambda lesson: lesson.row)
        if first.audience is None or first.capacity is None or first.opens_at is None:
            raise AssertionError("a whole lesson has every required cell")
        return RunPlan(
            course_title=first.course or "",
            category=first.category or "",
            teacher=first.teacher or "",
            teacher_is_person=is_one_place_only(first.teacher or ""),
            ordinal=1,
            capacity=first.capacity,
            opens_at=first.opens_at,
            audience=first.audience,
            materials=self._joined(in_sheet_order, Field.MATERIALS, lambda lesson: lesson.materials),
            note=self._joined(in_sheet_order, Field.NOTE, lambda lesson: lesson.note),
            held_share=next(
                (lesson.held_share for lesson in together if lesson.held_share is not None), None
            ),
            sessions=tuple(
                SessionPlan(lesson.starts_at, lesson.ends_at, lesson.room, lesson.row)
                for lesson in together
                if lesson.starts_at and lesson.ends_at and lesson.room
            ),
            rows=tuple(lesson.row for lesson in in_sheet_order),
            is_past=is_past,
        )

    def _joined(self, together: Sequence[Lesson], field: Field, text: Callable[[Lesson], str | None]) -> str:
        """What the rows of a run say between them, each thing once."""
        joined = "；".join(dict.fromkeys(said for lesson in together if (said := text(lesson))))
        if len(joined) > MOST_LETTERS[field]:
            self.findings.fault(
                f"这个班次几行的{field.value}合起来有 {len(joined)} 个字，太长了",
                f"请缩到 {MOST_LETTERS[field]} 个字以内",
                at=self.layout.place(self._row(together[0]), field),
            )
        return joined

    def _row(self, lesson: Lesson) -> SheetRow:
        return self.layout.row(lesson.row)

    def _seen(self, lesson: Lesson, field: Field) -> str:
        return shown(self.layout.place(self._row(lesson), field).seen)


def _parallel(group: Sequence[Lesson], said: int) -> list[Sequence[Lesson]]:
    """The group as lines that each come out even: classes held side by side if what they share tells them apart."""
    lines: dict[tuple[Hashable, ...], list[Lesson]] = defaultdict(list)
    for lesson in group:
        lines[tuple(shared(lesson) for shared in SHARED.values())].append(lesson)
    if all(len(line) % said == 0 for line in lines.values()):
        return [_by_date(line) for line in lines.values()]
    return [_by_date(group)]


def _by_date(lessons: Sequence[Lesson]) -> list[Lesson]:
    return sorted(
        lessons, key=lambda lesson: (lesson.starts_at is None, lesson.starts_at or clock.now(), lesson.row)
    )


def _numbered(runs: Sequence[RunPlan]) -> tuple[RunPlan, ...]:
    """Each course's runs counted from 1 by first session, the whole in the order of the sheet."""
    counted: Counter[str] = Counter()
    numbered = []
    for run in sorted(runs, key=lambda run: (run.sessions[0].starts_at, run.rows)):
        counted[run.course_title] += 1
        numbered.append(replace(run, ordinal=counted[run.course_title]))
    return tuple(sorted(numbered, key=lambda run: run.rows))


def _rows(lessons: Sequence[Lesson]) -> str:
    numbers = sorted(lesson.row for lesson in lessons)
    most = 12
    listed = "、".join(map(str, numbers[:most]))
    return f"第{listed}行" if len(numbers) <= most else f"第{listed}等 {len(numbers)} 行"


def _moment(moment: datetime) -> str:
    return f"{clock.in_town(moment):%Y-%m-%d %H:%M}"
