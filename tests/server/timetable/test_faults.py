"""Every fault at once, in the order of the sheet, none twice."""

from __future__ import annotations

from datetime import date

from tests.data.make_timetable import lesson, one_sheet
from tests.server.timetable.conftest import Reads, lines


def test_a_fault_reads_as_one_line(reads: Reads) -> None:
    (fault,) = reads(lesson(on="12月32日")).faults
    assert fault.line == "「梧桐里社区」第3行 E列“上课日期”：看不懂“12月32日”。请写成 2026-12-03 或 12月3日"
    assert (fault.sheet, fault.row, fault.column, fault.header) == ("梧桐里社区", 3, "E", "上课日期")
    assert fault.seen == "12月32日"


def test_all_faults_come_at_once_by_sheet_row_and_column(reads: Reads) -> None:
    here = one_sheet(
        lesson(名额=0, 上课日期="待定"),
        lesson("剪纸", 开始时间="晚饭后", 报名对象="女性"),
        lesson("合唱", 备注="留五个名额给电话登记", 授课老师=None),
    )
    there = one_sheet(lesson("书法", 名额="若干"), name="同心社区")
    found = [(fault.sheet, fault.row, fault.column) for fault in reads(here, there).faults]
    assert found == [
        ("梧桐里社区", 3, "E"),
        ("梧桐里社区", 3, "I"),
        ("梧桐里社区", 4, "F"),
        ("梧桐里社区", 4, "K"),
        ("梧桐里社区", 5, "D"),
        ("梧桐里社区", 5, "M"),
        ("同心社区", 3, "I"),
    ]


def test_a_row_that_is_hardly_a_class_is_one_fault(reads: Reads) -> None:
    plan = reads(lesson(), {"课程名称": "待定课程", "名额": 20})
    (line,) = lines(plan)
    assert line.startswith("「梧桐里社区」第4行 C列“类别”：这一行没有填“类别”、“授课老师”")


def test_blank_cells_are_named_one_by_one(reads: Reads) -> None:
    plan = reads(lesson(名额=None, 报名对象=" "))
    assert lines(plan) == [
        "「梧桐里社区」第3行 I列“名额”：没有填。请补上",
        "「梧桐里社区」第3行 K列“报名对象”：没有填。不限年龄请写“不限”",
    ]


def test_at_most_200_are_listed_and_the_rest_counted(reads: Reads) -> None:
    rows = [lesson(f"课{n}", date(2026, 12, 1 + n % 28), 名额=0, 报名对象="女性") for n in range(105)]
    rows = [{**row, "场地": f"教室{n}", "授课老师": "志愿者团队"} for n, row in enumerate(rows)]
    plan = reads(*rows)
    assert len(plan.faults) == 201
    assert plan.faults[-1].line == "整个文件：还有 10 处没有列出。改好上面这些再导入一次，就会列出其余的"
    assert not plan.is_clean


def test_endless_and_odd_cells_are_shortened_in_the_line(reads: Reads) -> None:
    (fault,) = reads(lesson(名额="很" * 500)).faults
    assert len(fault.line) < 120
    (fault,) = reads(lesson(场地="书_x0007_画室")).faults
    assert "书□画室" in fault.line
