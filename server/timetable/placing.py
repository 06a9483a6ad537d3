"""Placing (落位): the deeds of an import, in the one order in which runs of a file can trade places.

Withdraw what is gone; let what moves go of its rooms; then take the new places one by one, naming at its cell whatever stands
in the way and who holds it. Runs are locked by id and spaces by id before anything changes, so no two imports and no tap can
wait for each other in a circle.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.courses import (
    NOTHING_LEFT,
    Change,
    Course,
    CourseRun,
    CourseSession,
    Evening,
    RunState,
    Seating,
    changes_of,
    classes_of_teacher,
    hurts_of,
    leave_rooms,
    leaves_nothing,
    open_course,
    plan_run,
    publish,
    revise_run,
    submit,
    withdraw_run,
)
from models.errors import Conflict
from models.occupancy import holders_between, lock_spaces
from models.policies import policies_at
from server.timetable.asking import Asked, TownSheet
from server.timetable.columns import Field
from server.timetable.faults import shown
from server.timetable.matching import Pair
from server.timetable.report import RunLine, run_line

FIELD_OF = {"evenings": Field.DATE, "capacity": Field.CAPACITY, "audience": Field.AUDIENCE}
ELSEWHERE = "请换一个时间或场地"
SAID_OF_STATE = {
    RunState.PUBLISHED: "",
    RunState.IN_REVIEW: "已送审，等管理员发布",
    RunState.DRAFT: "先不发布",
}


class Placing:
    """The deeds of one import and what came of them; what cannot be done is a fault of its sheet."""

    def __init__(self, session: Session, sheets: list[TownSheet]) -> None:
        self._session = session
        self._sheets = sheets
        self._still_moving: set[int] = set()
        self._timetables = {run.id: run.timetable for sheet in sheets for run in sheet.standing}
        self.created: list[RunLine] = []
        self.revised: list[RunLine] = []
        self.withdrawn: list[RunLine] = []
        self.unchanged: list[RunLine] = []

    def carry_out(self) -> None:
        """Do what the sheets ask for. Faults go to the sheets; the caller rolls back when there are any."""
        for run in sorted((run for sheet in self._sheets for run in sheet.standing), key=lambda run: run.id):
            run.lock()
        planned = [pair.plan for sheet in self._sheets for _, pair in sheet.pairs]
        lock_spaces(evening.venue for plan in planned for evening in plan.evenings)
        for sheet in self._sheets:
            self._withdraw(sheet)
        for sheet in self._sheets:
            self._clear_the_way(sheet)
        for sheet in self._sheets:
            recategorised = self._open_courses(sheet)
            for asked, pair in sheet.pairs:
                self._place(sheet, asked, pair, recategorised.pop(asked.run.course_title, None))
            self._warn_of_an_old_title(sheet)

    # --- what goes ------------------------------------------------------------------------------------------------

    def _withdraw(self, sheet: TownSheet) -> None:
        over = [run for run in sheet.gone if run.ends_at <= clock.now()]
        if over:
            names = "、".join(dict.fromkeys(f"“{shown(run.course.title)}”" for run in over))
            sheet.warn_of_sheet(f"已经上完的 {len(over)} 个班不在这张表里（{names}），保持原样")
        for run in sheet.gone:
            if run in over:
                continue
            line = run_line(run)
            try:
                withdraw_run(self._session, run)
            except Conflict as refusal:
                sheet.fault_of_sheet(
                    f"“{shown(line.course)}”（{line.when}）不在这张表里，可是{refusal.message}",
                    "要保留这个班的话，请把它的行加回来",
                )
            else:
                self.withdrawn.append(line)

    def _clear_the_way(self, sheet: TownSheet) -> None:
        """Every run that may move leaves its rooms before any run takes new ones."""
        for _, pair in sheet.pairs:
            if (
                pair.stands
                and changes_of(pair.stands, pair.plan)
                and not hurts_of(self._session, pair.stands, pair.plan)
            ):
                leave_rooms(self._session, pair.stands, pair.plan)
                self._still_moving.add(pair.stands.id)

    def _warn_of_an_old_title(self, sheet: TownSheet) -> None:
        """A new title takes its runs along; those it left under the old one would otherwise be forgotten."""
        kept = {pair.stands.id for _, pair in sheet.pairs if pair.stands}
        for old in sorted({self._timetables[run_id] for run_id in kept} - {sheet.sheet.timetable}):
            left = [
                run
                for run in sheet.standing
                if run.id not in kept and run.timetable == old and run.state is not RunState.CANCELLED
            ]
            if left:
                sheet.warn_of_sheet(
                    f"课程表的名字由“{shown(old)}”改成了“{shown(sheet.sheet.timetable)}”，"
                    f"原来那张表的另外 {len(left)} 个班不在这张表里，保持原样",
                    "要撤下它们，请把标题改回去再导入",
                )

    # --- what comes and what changes ------------------------------------------------------------------------------

    def _open_courses(self, sheet: TownSheet) -> dict[str, Change]:
        """Make every course of the sheet stand in the sheet's category; the changes of category, by title."""
        rows = self._session.execute(
            select(Course.title, Course.category).where(Course.region_id == sheet.region.id)
        )
        had = {row.title: row.category for row in rows}
        changes = {}
        for asked, _ in sheet.pairs:
            title, category = asked.run.course_title, asked.run.category
            if had.get(title, category) != category and title not in changes:
                changes[title] = Change("category", "类别", had[title], category)
            open_course(self._session, sheet.region, title=title, category=category)
        return changes

    def _place(self, sheet: TownSheet, asked: Asked, pair: Pair, recategorised: Change | None) -> None:
        run = pair.stands
        also = (recategorised,) if recategorised else ()
        if run is not None and not changes_of(run, pair.plan):
            if also:
                self.revised.append(run_line(run, changes=also))
            else:
                self.unchanged.append(run_line(run))
            return
        if self._is_hindered(sheet, asked, pair):
            return
        if run is None:
            self._create(sheet, asked, pair)
            return
        self._still_moving.discard(run.id)
        before = run.state
        changes = revise_run(self._session, run, pair.plan, still_moving=self._still_moving)
        if run.state is RunState.DRAFT and before is RunState.CANCELLED:
            self._publish(run)
        self.revised.append(run_line(run, changes=(*changes, *also)))

    def _create(self, sheet: TownSheet, asked: Asked, pair: Pair) -> None:
        course = open_course(
            self._session, sheet.region, title=asked.run.course_title, category=asked.run.category
        )
        seating = Seating(seats_held=asked.run.seats_held)
        run = plan_run(self._session, course, replace(pair.plan, seating=seating))
        self._publish(run)
        self.created.append(run_line(run, detail=SAID_OF_STATE[run.state]))

    def _publish(self, run: CourseRun) -> None:
        """Let everybody see it, or an administrator first where the community wants that (``courses_reviewed``)."""
        if policies_at(self._session, run.region_id).courses_reviewed:
            submit(self._session, run)
        else:
            publish(self._session, run)

    # --- what stands in the way -----------------------------------------------------------------------------------

    def _is_hindered(self, sheet: TownSheet, asked: Asked, pair: Pair) -> bool:
        """Name everything that stands against a run, each at its cell; whether there was anything."""
        before = len(sheet.faults)
        if pair.stands is not None:
            for field, reason in hurts_of(self._session, pair.stands, pair.plan).items():
                sheet.fault(asked.run.rows[0], FIELD_OF[field], reason)
            if leaves_nothing(pair.stands, pair.plan):
                sheet.fault(asked.run.rows[0], FIELD_OF["evenings"], NOTHING_LEFT)
        if len(sheet.faults) == before:
            for evening in pair.plan.evenings:
                self._name_room_clash(sheet, asked, pair, evening)
                self._name_teacher_clash(sheet, asked, pair, evening)
        return len(sheet.faults) > before

    def _name_room_clash(self, sheet: TownSheet, asked: Asked, pair: Pair, evening: Evening) -> None:
        own = {meeting.key for meeting in pair.stands.sessions} if pair.stands else set()
        holders = (
            holders_between(
                self._session, evening.venue, starts_at=evening.starts_at, ends_at=evening.ends_at
            )
            - own
        )
        if not holders:
            return
        classes = self._session.scalars(
            select(CourseSession)
            .where(CourseSession.key.in_(holders))
            .order_by(CourseSession.starts_at, CourseSession.id)
        ).all()
        by = "、".join(dict.fromkeys(_say_class(meeting) for meeting in classes)) or "别的活动"
        sheet.fault(
            asked.row_at(evening.starts_at),
            Field.ROOM,
            f"“{evening.venue.name}”这个时间已经被{by}占用",
            ELSEWHERE,
            seen=evening.venue.name,
        )

    def _name_teacher_clash(self, sheet: TownSheet, asked: Asked, pair: Pair, evening: Evening) -> None:
        apart_from = {*self._still_moving, *((pair.stands.id,) if pair.stands else ())}
        if not asked.plan.teacher_is_person:
            return
        elsewhere = classes_of_teacher(
            self._session,
            asked.plan.teacher,
            starts_at=evening.starts_at,
            ends_at=evening.ends_at,
            apart_from=apart_from,
        )
        if elsewhere:
            sheet.fault(
                asked.row_at(evening.starts_at),
                Field.TEACHER,
                f"“{shown(asked.plan.teacher)}”这个时间在上{_say_class(elsewhere[0])}，一个人不能同时上两门课",
                "请换一个时间或老师",
                seen=asked.plan.teacher,
            )


def _say_class(meeting: CourseSession) -> str:
    starts, ends = clock.in_town(meeting.starts_at), clock.in_town(meeting.ends_at)
    run = meeting.run
    return f"{run.region.name}“{shown(run.course.title)}”（{starts.month}月{starts.day}日 {starts:%H:%M}-{ends:%H:%M}）"
