"""Which rows are one 班次, and what they must agree on."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from models.clock import TOWN_ZONE, StoppedClock
from server.timetable import PAST_RUN, DayKind, read_timetable
from tests.data.make_timetable import COMMITTED, Row, lesson, one_sheet
from tests.server.timetable.conftest import Reads, lines, only_run, warned

FOUR = "四次课为一个班次"
TUESDAY = date(2026, 12, 1)


def weekly(count: int, remark: str | None = FOUR, first: date = TUESDAY, **changes: object) -> list[Row]:
    return [lesson("合唱", first + timedelta(days=7 * week), 备注=remark, **changes) for week in range(count)]


def test_rows_without_such_a_remark_are_runs_of_their_own(reads: Reads) -> None:
    plan = reads(*weekly(3, None))
    assert [(run.ordinal, len(run.sessions)) for _, run in plan.runs()] == [(1, 1), (2, 1), (3, 1)]


def test_eight_rows_of_four_are_two_runs_in_order_of_date(reads: Reads) -> None:
    rows = weekly(8)
    plan = reads(*reversed(rows))
    assert plan.is_clean
    by_ordinal = {run.ordinal: run for _, run in plan.runs()}
    assert by_ordinal[1].sessions[0].starts_at.date() == TUESDAY
    assert by_ordinal[2].sessions[0].starts_at.date() == TUESDAY + timedelta(days=28)
    assert by_ordinal[1].rows == (7, 8, 9, 10)
    assert [s.row for s in by_ordinal[1].sessions] == [10, 9, 8, 7]


def test_two_lines_held_side_by_side_are_told_apart_by_their_teacher(reads: Reads) -> None:
    monday = weekly(4, 授课老师="刘老师")
    thursday = weekly(4, first=TUESDAY + timedelta(days=2), 授课老师="陈老师")
    mixed = [row for pair in zip(monday, thursday, strict=True) for row in pair]
    plan = reads(*mixed)
    assert plan.is_clean
    assert [(run.teacher, len(run.sessions)) for _, run in plan.runs()] == [("刘老师", 4), ("陈老师", 4)]


def test_a_run_of_four_with_three_rows_says_how_many_were_found(reads: Reads) -> None:
    plan = reads(*weekly(3))
    (line,) = lines(plan)
    assert line == (
        "「梧桐里社区」第3行 M列“备注”：备注说 4 次课为一个班次，“合唱”这样写的却有 3 行（第3、4、5行）。"
        "请补上缺的课，或改备注里的次数"
    )


def test_a_row_that_lost_its_remark_is_pointed_at(reads: Reads) -> None:
    rows = weekly(4)
    rows[2] = {**rows[2], "备注": None}
    (line,) = lines(reads(*rows))
    assert "第5行也是这门课，备注却不一样" in line


def test_an_unreadable_row_is_not_blamed_twice(reads: Reads) -> None:
    rows = weekly(4)
    rows[1] = {**rows[1], "课程名称": None}
    assert [fault.row for fault in reads(*rows).faults] == [4]
    rows = weekly(4)
    rows[1] = {**rows[1], "上课日期": "12月32日"}
    assert lines(reads(*rows)) == [
        "「梧桐里社区」第4行 E列“上课日期”：看不懂“12月32日”。请写成 2026-12-03 或 12月3日"
    ]


@pytest.mark.parametrize(
    ("header", "other", "column"),
    [
        ("名额", 25, "I"),
        ("授课老师", "陈老师", "D"),
        ("类别", "文化艺术", "C"),
        ("报名对象", "18周岁以上", "K"),
        ("报名开始时间", "11月26日 10:00", "J"),
    ],
)
def test_rows_of_one_run_agree_and_those_that_differ_are_named(
    reads: Reads, header: str, other: object, column: str
) -> None:
    rows = weekly(4)
    rows[3] = {**rows[3], header: other}
    (fault,) = reads(*rows).faults
    assert (fault.row, fault.column) == (6, column)
    assert "第3、4、5行是“" in fault.message
    assert f"第6行是“{other}”" in fault.message


def test_rows_of_one_run_keep_the_same_seats_and_one_row_may_say_so_for_all(reads: Reads) -> None:
    rows = [{**row, "备注": f"{FOUR}；留20%名额给电话和现场登记"} for row in weekly(4)]
    rows[3] = {**rows[3], "备注": f"{FOUR}；留30%名额给电话和现场登记"}
    (fault,) = reads(*rows).faults
    assert (fault.row, fault.column) == (6, "M")
    assert "同一个班次的备注要一样" in fault.message
    rows[3] = {**rows[3], "备注": FOUR}
    assert only_run(reads(*rows)).held_share == 0.2


def test_the_notes_of_a_runs_rows_are_kept_each_once(reads: Reads) -> None:
    rows = weekly(2, "两次课为一个班次")
    rows[1] = {**rows[1], "备注": "2次课为一个班次，带水杯", "自备材料": "水杯"}
    run = only_run(reads(*rows))
    assert run.note == "两次课为一个班次；2次课为一个班次，带水杯"
    assert run.materials == "水杯"


def test_a_room_cannot_hold_two_classes_at_once(reads: Reads) -> None:
    plan = reads(
        lesson("合唱", TUESDAY),
        lesson("剪纸", TUESDAY, 授课老师="刘老师", 开始时间="18:30", 结束时间="20:00"),
    )
    (line,) = lines(plan)
    assert line == (
        "「梧桐里社区」第4行 H列“场地”：“百姓议事厅”同一时间排了两节课：这一行 2026-12-01 18:30-20:00，"
        "第3行“合唱”18:00-19:00。请改其中一行的时间或场地"
    )


def test_one_class_after_another_is_no_clash(reads: Reads) -> None:
    assert reads(lesson("合唱"), lesson("剪纸", 开始时间="19:00", 结束时间="20:00")).is_clean


def test_the_same_row_twice_is_one_fault(reads: Reads) -> None:
    assert [fault.header for fault in reads(lesson(), lesson()).faults] == ["场地"]


def test_a_teacher_cannot_teach_in_two_communities_at_once(reads: Reads) -> None:
    here = one_sheet(lesson("瑜伽", 授课老师="周老师"))
    there = one_sheet(lesson("美妆", 授课老师="周老师、志愿者团队"), name="同心社区")
    (line,) = lines(reads(here, there))
    assert line.startswith("「同心社区」第3行 D列“授课老师”：“周老师”同一时间要上两节课")
    assert "「梧桐里社区」第3行“瑜伽”" in line


def test_an_organisation_teaches_in_two_communities_at_once(reads: Reads) -> None:
    here = one_sheet(lesson("舞蹈", 授课老师="文艺志愿者协会"))
    there = one_sheet(lesson("剪纸", 授课老师="文艺志愿者协会"), name="同心社区")
    assert reads(here, there).is_clean


def test_registration_opens_before_the_first_class(reads: Reads) -> None:
    plan = reads(*weekly(4, 报名开始时间="12月1日 18:00"))
    assert [(fault.row, fault.column) for fault in plan.faults] == [(3, "J")]
    late = reads(lesson(on=date(2027, 5, 4), 报名开始时间="2026-12-01 10:00"))
    assert late.is_clean
    assert any("早了 154 天" in line for line in warned(late))


def test_a_session_already_held_is_a_warning_and_a_run_already_over_a_fault(
    reads: Reads, november: StoppedClock
) -> None:
    november.move_to(datetime(2026, 12, 10, 9, 0, tzinfo=TOWN_ZONE))
    plan = reads(*weekly(4), lesson("剪纸", date(2026, 12, 3), 场地="书画室"))
    assert [(warning.row, warning.message) for warning in plan.warnings] == [
        (3, "这节课的时间已经过了"),
        (4, "这节课的时间已经过了"),
    ]
    assert [(fault.row, fault.code) for fault in plan.faults] == [(7, PAST_RUN)]
    assert [run.is_past for _, run in plan.runs()] == [False, True]


def test_a_class_on_a_public_holiday_or_adjusted_workday_is_a_warning(
    reads: Reads, november: StoppedClock
) -> None:
    november.move_to(datetime(2026, 9, 1, 9, 0, tzinfo=TOWN_ZONE))
    opens = "9月10日 10:00"
    days = [date(2026, 10, 1), date(2026, 10, 8), date(2026, 10, 10), date(2026, 10, 17)]
    plan = reads(*(lesson(on=day, 报名开始时间=opens) for day in days), title="梧桐里社区（2026年10月）")
    assert plan.is_clean
    assert [(warning.row, warning.message) for warning in plan.warnings] == [
        (3, "2026-10-01（周四）是法定节假日"),
        (5, "2026-10-10（周六）是调休上班日"),
    ]


def test_the_towns_own_calendar_decides_when_given() -> None:
    plan = read_timetable(COMMITTED, day_kind=lambda _: DayKind.HOLIDAY)
    assert plan.is_clean
    assert sum("法定节假日" in line for line in warned(plan)) == 38


def test_a_year_nobody_has_announced_is_said_once(reads: Reads) -> None:
    rows = [lesson(on=date(2099, 1, day), 报名开始时间="2098-12-20 10:00") for day in (6, 13)]
    plan = reads(*rows, title="梧桐里社区（2099年1月）")
    assert plan.is_clean
    assert [warning.row for warning in plan.warnings if "放假安排还没有" in warning.message] == [3]


def test_a_remark_that_speaks_of_runs_without_a_count_is_remarked_on(reads: Reads) -> None:
    plan = reads(lesson(备注="报名后不能换班次"))
    only_run(plan)
    assert "单独算一个班次" in warned(plan)[0]


def test_hours_that_make_no_class_are_faults(reads: Reads) -> None:
    wrong = [
        (time(18, 0), "不晚于"),
        ("6:00", "不晚于"),
        ("25:00", "没有“25:00”这个时间"),
        (None, "没有填结束时间"),
        ("18:30-19:00", "写了两个时间"),
    ]
    for end, said in wrong:
        (fault,) = reads(lesson(结束时间=end)).faults
        assert (fault.column, said in fault.message) == ("G", True)
    (long,) = reads(lesson(开始时间="9:00", 结束时间="15:01")).faults
    assert "超过 6 小时" in long.message
    assert reads(lesson(开始时间="9:00", 结束时间="15:00")).is_clean
    (torn,) = reads(lesson(开始时间="18:00-19:30")).faults
    assert "写到 19:30，这里却是 19:00" in torn.message
