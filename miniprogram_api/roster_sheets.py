"""Rosters and sign-in sheets (名单与签到表) as tables: who stands on which line, and with what beside them."""

from __future__ import annotations

from collections.abc import Sequence

from miniprogram_api.schemas.courses import STATE_LABELS, WORDS
from miniprogram_api.sheets import Table, named
from models import clock
from models.courses import CourseRun, CourseSession, Registration, Sheet, SheetKind

KIND_LABELS = {SheetKind.ROSTER: "名单", SheetKind.SIGN_IN: "签到表"}
NAME_WIDTH, EVENING_WIDTH, ANSWER_WIDTH = 14, 11, 20


def table_of(sheet: Sheet) -> Table:
    """The sheet as a table."""
    run, is_roster = sheet.run, sheet.kind is SheetKind.ROSTER
    said = [_roster_line(sheet, line) if is_roster else [_said(line)] for line in sheet.lines]
    return Table(
        tab=KIND_LABELS[sheet.kind],
        title=f"{run.course.title} {KIND_LABELS[sheet.kind]}",
        about=f"{run.region.name}　{run.teacher}　{_when(sheet)}　{_where(sheet)}　共 {sheet.people} 人",
        columns=_roster_columns(sheet) if is_roster else _sign_in_columns(sheet.evenings),
        lines=[[str(number), *line] for number, line in enumerate(said, start=1)],
        watermark=sheet.watermark,
        below="" if is_roster else f"{WORDS[run.course.kind]['teacher']}签字：______________",
    )


def file_name_of(sheet: Sheet) -> str:
    """What the file is called: the course, when it starts, and what it is."""
    return named(f"{sheet.run.course.title}{_day(sheet.run)}{KIND_LABELS[sheet.kind]}", "xlsx")


def _roster_columns(sheet: Sheet) -> list[tuple[str, float]]:
    return [
        ("序号", 6),
        ("姓名", NAME_WIDTH),
        ("手机号", 16),
        ("状态", 12),
        ("报名时间", 18),
        *((question.title, ANSWER_WIDTH) for question in sheet.questions),
        ("备注", 24),
    ]


def _roster_line(sheet: Sheet, line: Registration) -> list[str]:
    at = clock.in_town(line.registered_at)
    answers = {one.question_id: one.as_read for one in sheet.answers.get(line.resident_id, ())}
    return [
        _said(line),
        line.resident.phone or "",
        STATE_LABELS[line.state],
        f"{at:%Y-%m-%d %H:%M}",
        *(answers.get(question.id, "") for question in sheet.questions),
    ]


def _said(line: Registration) -> str:
    """Who it is, and who comes along: of a pair the adult by name, companions by their number."""
    name = line.resident.name or ""
    if line.paired_with:
        return f"{name}（家长 {line.paired_with.name or ''}）"
    return f"{name}（同行 {line.seats - 1} 人）" if line.seats > 1 else name


def _sign_in_columns(evenings: Sequence[CourseSession]) -> list[tuple[str, float]]:
    return [
        ("序号", 6),
        ("姓名", NAME_WIDTH),
        *((_evening(meeting), EVENING_WIDTH) for meeting in evenings),
    ]


def _evening(meeting: CourseSession) -> str:
    at = clock.in_town(meeting.starts_at)
    return f"{at.month}月{at.day}日\n周{clock.weekday(at)} {at:%H:%M}"


def _day(run: CourseRun) -> str:
    at = clock.in_town(run.starts_at)
    return f"{at:%Y%m%d}"


def _when(sheet: Sheet) -> str:
    first, last = clock.in_town(sheet.run.starts_at), clock.in_town(sheet.run.ends_at)
    days = f"{first.month}月{first.day}日"
    if last.date() != first.date():
        days += f"至{last.month}月{last.day}日"
    return f"{days} {first:%H:%M} 开始，共 {len(sheet.evenings)} 次"


def _where(sheet: Sheet) -> str:
    rooms = dict.fromkeys(one.venue.full_name for one in sheet.evenings)
    return "、".join(rooms)
