"""The town's December timetable, read whole."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import openpyxl

from models.clock import TOWN_ZONE
from server.timetable import Audience, Field, RunKey, TimetablePlan, read_timetable
from tests.data.make_timetable import COMMITTED, town_drafts, write_workbook


def town() -> TimetablePlan:
    return read_timetable(COMMITTED)


def test_the_committed_file_is_what_the_builder_writes(tmp_path: Path) -> None:
    built = openpyxl.load_workbook(write_workbook(tmp_path / "built.xlsx", town_drafts()))
    kept = openpyxl.load_workbook(COMMITTED)
    assert kept.sheetnames == built.sheetnames
    for sheet in built.worksheets:
        assert list(kept[sheet.title].values) == list(sheet.values)
        assert kept[sheet.title].merged_cells.ranges == sheet.merged_cells.ranges


def test_the_town_reads_without_a_fault() -> None:
    plan = town()
    assert plan.is_clean
    assert [
        (s.community, s.month, len(s.runs), sum(len(r.sessions) for r in s.runs)) for s in plan.sheets
    ] == [
        ("梧桐里社区", "2026-12", 7, 13),
        ("同心社区", "2026-12", 5, 8),
        ("望江社区", "2026-12", 5, 9),
        ("红枫社区", "2026-12", 5, 8),
    ]


def test_pairs_are_imported_like_everything_else() -> None:
    plan = town()
    pairs = [(sheet.sheet, run.course_title) for sheet, run in plan.runs() if run.audience.pair]
    assert pairs == [("红枫社区", "家长学校：青春期情绪"), ("红枫社区", "亲子阅读")]
    assert not plan.warnings


def test_rows_of_one_banci_become_one_run_of_four_sessions() -> None:
    sheet = town().sheets[0]
    run = sheet.runs[0]
    assert sheet.key_of(run) == RunKey("梧桐里社区", "2026-12", "公文写作入门", 1)
    assert run.rows == (3, 4, 5, 6)
    assert [s.starts_at for s in run.sessions] == [
        datetime(2026, 11, 30, 18, 0, tzinfo=TOWN_ZONE),
        datetime(2026, 12, 7, 18, 0, tzinfo=TOWN_ZONE),
        datetime(2026, 12, 14, 18, 0, tzinfo=TOWN_ZONE),
        datetime(2026, 12, 21, 18, 0, tzinfo=TOWN_ZONE),
    ]
    assert {(s.ends_at.hour, s.room) for s in run.sessions} == {(19, "多功能厅A")}
    assert run.opens_at == datetime(2026, 11, 25, 10, 0, tzinfo=TOWN_ZONE)
    assert (run.capacity, run.materials, run.category) == (20, "笔记本", "职业发展")


def test_elders_class_keeps_a_fifth_of_its_seats_for_telephone_and_counter() -> None:
    run = town().sheets[1].runs[0]
    assert (run.held_share, run.audience) == (0.2, Audience(min_age=60))


def test_a_guardian_registers_a_child_for_the_law_class() -> None:
    run = town().sheets[3].runs[-1]
    assert run.audience == Audience(min_age=7, max_age=15, for_child=True)


def test_persons_and_organisations_are_told_apart() -> None:
    by_teacher = {run.teacher: run.teacher_is_person for _, run in town().runs()}
    persons = {teacher for teacher, is_person in by_teacher.items() if is_person}
    assert persons == {"刘老师", "庞老师", "非遗传承人孙老师", "周老师"}


def test_a_later_fault_is_named_like_the_readers_own() -> None:
    sheet = town().sheets[0]
    fault = sheet.fault_at(7, Field.ROOM, message="没有这个场地“百姓议事亭”", advice="请写成 百姓议事厅")
    assert fault.line == "「梧桐里社区」第7行 H列“场地”：没有这个场地“百姓议事亭”。请写成 百姓议事厅"
    assert fault.as_refused().field == "梧桐里社区!H7"
