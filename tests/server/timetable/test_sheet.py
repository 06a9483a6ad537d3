"""Where title, header, columns and rows are, whatever the clerk's layout."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import openpyxl

from server.timetable import read_timetable
from tests.data.make_timetable import HEADERS, Draft, lesson, one_sheet, write_workbook
from tests.server.timetable.conftest import Reads, lines, only_run, warned

TWO = "两次课为一个班次"


def test_columns_stand_in_any_order_under_any_plausible_name(reads: Reads) -> None:
    usual = only_run(reads(lesson()))
    renamed = {
        "课程名称": "课程",
        "授课老师": "授课教师*",
        "上课日期": "日 期",
        "场地": "上课地点",
        "名额": "人数（人）",
        "报名开始时间": "报名时间",
        "报名对象": "招生对象",
    }
    row = {renamed.get(header, header): value for header, value in lesson().items()}
    plan = reads(one_sheet(row, headers=list(reversed(row))))
    assert only_run(plan) == usual
    assert warned(plan) == []


def test_an_unknown_column_is_ignored_with_a_warning(reads: Reads) -> None:
    plan = reads(one_sheet({**lesson(), "经费来源": "党建经费"}, headers=(*HEADERS, "经费来源")))
    only_run(plan)
    assert warned(plan) == [
        "「梧桐里社区」第2行 N列“经费来源”：不认识这一列，没有读。需要的话请改用模板里的列名"
    ]


def test_missing_columns_are_one_fault_that_names_them(reads: Reads) -> None:
    plan = reads(one_sheet(lesson(), headers=[h for h in HEADERS if h not in ("名额", "场地")]))
    assert lines(plan) == ["「梧桐里社区」第2行：表头缺少“场地”、“名额”。请补上这些列"]


def test_two_columns_of_one_meaning_are_a_fault(reads: Reads) -> None:
    plan = reads(one_sheet({**lesson(), "地点": "书画室"}, headers=(*HEADERS, "地点")))
    assert [fault.header for fault in plan.faults] == ["地点"]


def test_the_end_may_stand_in_the_starting_time(reads: Reads) -> None:
    usual = only_run(reads(lesson()))
    assert only_run(reads(lesson(开始时间="18:00-19:00", 结束时间=None))) == usual
    without = [header for header in HEADERS if header != "结束时间"]
    assert only_run(reads(one_sheet(lesson(开始时间="18:00~19:00"), headers=without))) == usual
    assert only_run(reads(lesson(开始时间="18:00-19:00"))) == usual


def test_a_merged_course_name_fills_down(reads: Reads) -> None:
    rows = [lesson("剪纸", date(2026, 12, 2), 备注=TWO), lesson(None, date(2026, 12, 9), 备注=TWO)]  # type: ignore[arg-type]
    run = only_run(reads(one_sheet(*rows, merged=["B3:B4"])))
    assert (run.course_title, run.rows) == ("剪纸", (3, 4))


def test_blank_rows_and_leftover_numbers_are_skipped(reads: Reads) -> None:
    plan = reads(
        one_sheet(lesson(), {}, {"序号": 3}, lesson("剪纸", 场地="书画室", 授课老师="刘老师"), {"备注": "  "})
    )
    assert plan.is_clean
    assert [run.rows for _, run in plan.runs()] == [(3,), (6,)]
    assert warned(plan) == []


def test_totals_signatures_and_footnotes_are_skipped_with_a_warning(reads: Reads) -> None:
    below: list[list[object]] = [["合计", None, None, None, None, None, None, None, 20], ["制表人：王小明"]]
    below += [["以上课程全部免费，欢迎参加"], [None, "说明：雨天照常上课"]]
    plan = reads(one_sheet(lesson(), below=below, merged=["A6:M6"]))
    only_run(plan)
    assert [(warning.row, "跳过" in warning.message) for warning in plan.warnings] == [
        (4, True),
        (5, True),
        (6, True),
        (7, True),
    ]


def test_a_course_about_explaining_is_no_footnote(reads: Reads) -> None:
    assert only_run(reads(lesson("说明文写作"))).course_title == "说明文写作"


def test_hidden_rows_are_read(reads: Reads) -> None:
    assert only_run(reads(one_sheet(lesson(), hidden_rows=[3]))).rows == (3,)


def test_a_header_printed_again_is_passed_over(reads: Reads) -> None:
    again = {header: header for header in HEADERS}
    plan = reads(one_sheet(lesson(), dict(again), lesson(on=date(2026, 12, 9))))
    assert plan.is_clean
    assert [run.ordinal for _, run in plan.runs()] == [1, 2]


def test_without_a_title_the_month_is_that_of_most_dates(reads: Reads) -> None:
    days = [date(2026, 11, 30), date(2026, 12, 7), date(2026, 12, 14)]
    plan = reads(one_sheet(*(lesson(on=day) for day in days), title=None))
    assert plan.sheets[0].month == "2026-12"
    assert "按大多数上课日期算作2026年12月" in warned(plan)[0]


def test_without_title_or_years_the_month_is_the_nearest(reads: Reads) -> None:
    plan = reads(one_sheet(lesson(on="1月5日", 报名开始时间="12月25日 10:00"), title=None))
    assert plan.sheets[0].month == "2027-01"
    assert only_run(plan).sessions[0].starts_at.date() == date(2027, 1, 5)


def test_a_title_that_names_no_month_of_the_classes_is_remarked_on(reads: Reads) -> None:
    plan = reads(one_sheet(lesson(), title="梧桐里社区课程表（2027年2月）"))
    assert "没有一节课在这个月" in warned(plan)[0]


def test_the_tab_names_the_community_and_the_title_stands_in_for_an_unnamed_tab(reads: Reads) -> None:
    title = "梧桐里社区“社区夜校”课程安排表（2026年12月）"
    for tab in ("梧桐里社区", "Sheet1", "梧桐里", "梧桐里社区 (2)"):
        assert reads(one_sheet(lesson(), name=tab, title=title)).sheets[0].community == "梧桐里社区"
    plan = reads(one_sheet(lesson(), name="同心社区", title=title))
    assert lines(plan) == ["「同心社区」：表名是“同心社区”，标题里却是“梧桐里社区”。请改成同一个社区"]
    assert "看不出" in lines(reads(one_sheet(lesson(), name="Sheet1", title="2026年12月社区课程表")))[0]
    street = one_sheet(lesson(), title="书香街道社区夜校课程表（2026年12月）")
    assert reads(street).sheets[0].community == "梧桐里社区"


def test_one_community_and_month_stands_on_one_sheet(reads: Reads) -> None:
    other = one_sheet(
        lesson(on=date(2026, 12, 9)), name="梧桐里社区 (2)", title="梧桐里社区课程表（2026年12月）"
    )
    plan = reads(one_sheet(lesson()), other)
    assert lines(plan) == [
        "「梧桐里社区 (2)」：“梧桐里社区”2026年12月的课程表在「梧桐里社区」里已经有了。请合成一张表"
    ]


def test_sheets_that_are_no_timetable_are_passed_over(reads: Reads) -> None:
    lists = Draft(name="下拉", rows=[], title="职业发展", headers=("选项",), hidden=True)
    words = Draft(name="填写说明", rows=[], title="请按模板填写", headers=("请勿改动",))
    blank = Draft(name="Sheet3", rows=[], headers=())
    plan = reads(one_sheet(lesson()), lists, words, blank)
    only_run(plan)
    assert [warning.sheet for warning in plan.warnings] == ["下拉", "填写说明"]


def test_a_sheet_without_a_header_is_a_fault(reads: Reads) -> None:
    plan = reads(one_sheet(lesson(), headers=("甲", "乙", "丙")))
    assert "找不到表头" in lines(plan)[0]


def test_a_file_without_a_single_class_is_a_fault(reads: Reads) -> None:
    assert lines(reads(one_sheet({}))) == ["整个文件：一节课也没有找到。请检查是不是选错了文件"]


def test_a_formula_gives_its_value_and_without_one_asks_for_it(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "formula.xlsx", [one_sheet(lesson(名额="=4*5", 备注="=cmd"))])
    book = openpyxl.load_workbook(path)
    cell = book.worksheets[0]["M3"]
    cell.value, cell.data_type = "=cmd|' /C calc'!A0", "s"
    book.save(path)
    assert lines(read_timetable(path)) == [
        "「梧桐里社区」第3行 I列“名额”：公式“=4*5”没有算出结果。请把这一列复制后“粘贴为数值”"
    ]
    book.worksheets[0]["I3"] = 20
    book.save(path)
    assert only_run(read_timetable(path)).note == "=cmd|' /C calc'!A0"


def test_a_weekday_column_must_agree_with_the_date(reads: Reads) -> None:
    headers = (*HEADERS, "星期")
    only_run(reads(one_sheet(lesson(星期="周三"), headers=headers)))
    plan = reads(one_sheet(lesson(星期="周五"), headers=headers))
    assert lines(plan) == [
        "「梧桐里社区」第3行 N列“星期”：写的是周五，可是 2026-12-02 是周三。请改对日期或星期"
    ]


def test_a_workbook_from_a_mac_counts_its_days_from_1904(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "mac.xlsx", [one_sheet(lesson(开始时间=time(18, 0)))])
    book = openpyxl.load_workbook(path)
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.worksheets[0]["E3"].number_format = "General"
    book.worksheets[0]["E3"].value = 46358 - 1462
    book.save(path)
    assert only_run(read_timetable(path)).sessions[0].starts_at.date() == date(2026, 12, 2)
