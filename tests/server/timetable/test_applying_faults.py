"""What is wrong with a sheet in this town is named at its cell, and nothing of the file is kept."""

from __future__ import annotations

from datetime import date

from models.base import transaction
from models.courses import (
    open_course,
    plan_run,
    publish,
)
from models.sites import SiteKind, add_venue, open_site
from tests.data.make_timetable import lesson, one_sheet
from tests.people import Town, a_plan
from tests.server.timetable.desk import (
    PAINT,
    TALK,
    Desk,
    counts,
    december,
    every_row,
    lines,
    on,
    weekly,
)


def test_an_unknown_room_names_the_nearest_and_all_there_are(desk: Desk) -> None:
    before = every_row()
    (line,) = lines(desk.imports({**TALK, "场地": "书画教室"}, PAINT))
    assert "第3行 H列“场地”：梧桐里社区没有叫“书画教室”的场地。是不是“书画室”？" in line
    assert "舞蹈室" in line
    assert every_row() == before


def test_a_room_of_another_community_is_unknown_here(desk: Desk) -> None:
    (line,) = lines(desk.imports({**TALK, "场地": "电脑教室"}))
    assert "没有叫“电脑教室”的场地" in line


def test_two_rooms_of_one_name_ask_for_the_site(desk: Desk, town: Town) -> None:
    with transaction() as session:
        station = open_site(session, session.merge(town.wutong), kind=SiteKind.STATION, name="第一网格站")
        add_venue(session, station, name="书画室", capacity=12)
    (line,) = lines(desk.imports(PAINT))
    assert "“第一网格站书画室”" in line
    desk.must_import({**PAINT, "场地": "第一网格站书画室"})


def test_an_unknown_community_names_the_nearest(desk: Desk) -> None:
    (line,) = lines(desk.imports(one_sheet(TALK, name="梧桐社区")))
    assert line.startswith("「梧桐社区」：没有登记过叫“梧桐社区”的社区。是不是“梧桐里社区”？")


def test_only_one_community_is_taken_when_it_is_named(desk: Desk) -> None:
    there = one_sheet(lesson("编程", date(2026, 12, 2), 场地="不存在", 授课老师="马老师"), name="望江社区")
    report = desk.imports(one_sheet(TALK), there, only="梧桐里")
    assert lines(report) == []
    assert counts(report) == (1, 0, 0, 0)


def test_a_named_community_the_file_does_not_have_is_a_fault(desk: Desk) -> None:
    (line,) = lines(desk.imports(TALK, only="望江社区"))
    assert line == "整个文件：文件里没有“望江社区”的课程表。能读的有：「梧桐里社区」"
    (line,) = lines(desk.imports(TALK, only="火星"))
    assert "没有登记过叫“火星”的社区" in line


def test_a_room_that_is_taken_says_by_whom(desk: Desk) -> None:
    desk.must_import(one_sheet(TALK, title="梧桐里社区“日间课堂”课程表（2026年12月）"))
    (line,) = lines(desk.imports({**PAINT, "上课日期": on(2), "场地": "百姓议事厅"}))
    assert "第3行 H列“场地”" in line
    assert "已经被梧桐里社区“口才与表达”（12月2日 18:00-19:00）占用" in line


def test_a_hall_is_taken_when_its_half_is(desk: Desk) -> None:
    hall, half = (
        {**TALK, "场地": "多功能厅"},
        {**PAINT, "上课日期": on(2), "场地": "多功能厅A"},
    )
    (line,) = lines(desk.imports(hall, half))
    assert "第4行 H列“场地”：“多功能厅A”这个时间已经被梧桐里社区“口才与表达”" in line


def test_a_person_cannot_teach_in_two_places_at_once_an_organisation_can(desk: Desk, town: Town) -> None:
    with transaction() as session:
        plan = a_plan(session, town.wangjiang, teacher="庞老师", starts_at=december(2, 18))
        course = open_course(session, session.merge(town.wangjiang), title="演讲", category="职业发展")
        publish(session, plan_run(session, course, plan))
    (line,) = lines(desk.imports(TALK))
    assert "第3行 D列“授课老师”：“庞老师”这个时间在上望江社区“演讲”" in line
    (line,) = lines(desk.imports({**TALK, "授课老师": "周老师、庞老师"}))
    assert "一个人不能同时上两门课" in line
    desk.must_import({**TALK, "授课老师": "老年大学"})


def test_two_evenings_of_one_run_cannot_be_at_one_time(desk: Desk) -> None:
    first, second = weekly("合唱", 2, 2, 授课老师="老年大学")
    (line,) = lines(desk.imports(first, {**second, "场地": "舞蹈室"}))
    assert "第4行 E列“上课日期”：和第3行是同一个班次，时间却重叠了" in line


def test_one_course_has_one_category_and_a_short_one(desk: Desk) -> None:
    (line,) = lines(desk.imports(TALK, {**TALK, "上课日期": on(9), "类别": "艺术"}))
    assert "同一门课的类别请写成一样" in line
    (line,) = lines(desk.imports({**TALK, "类别": "很" * 21}))
    assert "请缩到 20 个字以内" in line


def test_one_fault_anywhere_and_nothing_of_the_file_is_kept(desk: Desk) -> None:
    before = every_row()
    report = desk.imports(TALK, PAINT, {**TALK, "课程名称": "插花", "授课老师": "马老师", "场地": "花房"})
    assert report.summary == "有 1 处要改，这个文件没有导入，什么都没有变"
    assert every_row() == before


def test_every_fault_is_named_at_once(desk: Desk) -> None:
    elsewhere = one_sheet({**TALK, "授课老师": "马老师"}, name="丙社区")
    report = desk.imports({**TALK, "场地": "甲", "名额": "很多"}, {**PAINT, "场地": "乙"}, elsewhere)
    assert {(fault.sheet, fault.row, fault.header) for fault in report.faults} == {
        ("梧桐里社区", 3, "名额"),
        ("梧桐里社区", 3, "场地"),
        ("梧桐里社区", 4, "场地"),
        ("丙社区", 0, ""),
    }
    assert len(report.faults) == 4


def test_a_missing_name_in_one_row_hides_no_wrong_room_in_another(desk: Desk) -> None:
    first, second, third = weekly("合唱", 2, 9, 16, 授课老师="老年大学")
    report = desk.imports({**first, "课程名称": None}, {**second, "场地": "书画教室"}, third)
    assert [fault.row for fault in report.faults] == [3, 4]
    assert "是不是“书画室”" in lines(report)[1]
    report = desk.imports({**TALK, "课程名称": None, "场地": "花房"})
    assert [(fault.row, fault.header) for fault in report.faults] == [(3, "课程名称"), (3, "场地")]


def test_a_row_at_fault_hides_no_category_that_differs(desk: Desk) -> None:
    report = desk.imports({**TALK, "名额": "很多"}, {**TALK, "上课日期": on(9), "类别": "艺术"})
    assert [(fault.row, fault.header) for fault in report.faults] == [(3, "名额"), (4, "类别")]


def test_two_sheets_for_one_community_and_month_must_be_one(desk: Desk) -> None:
    title = "“社区夜校”课程安排表（2026年12月）"
    (line,) = lines(
        desk.imports(
            one_sheet(TALK, name="梧桐里", title=title), one_sheet(PAINT, name="梧桐里社区", title=title)
        )
    )
    assert "请合成一张表" in line


def test_a_rehearsal_says_what_would_happen_and_changes_nothing(desk: Desk) -> None:
    before = every_row()
    report = desk.imports(TALK, PAINT, dry_run=True)
    assert report.summary.startswith("试导入，没有写入。正式导入会新增 2 个班")
    assert len(list(report.lines())) >= 2
    assert every_row() == before
