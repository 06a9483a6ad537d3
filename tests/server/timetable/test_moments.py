"""Dates, hours and opening moments in all the ways a clerk writes them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from models.clock import TOWN_ZONE
from server.timetable.cells import Uncalculated, Unreadable
from server.timetable.moments import (
    Month,
    month_in,
    read_date,
    read_hours,
    read_moment,
    read_time,
    weekday_in,
)

DECEMBER = Month(2026, 12)
THIRD = date(2026, 12, 3)  # a Thursday
THIRD_IN_EXCEL = datetime.combine(THIRD, time())


@pytest.mark.parametrize(
    "written",
    [
        THIRD_IN_EXCEL,
        THIRD,
        datetime.combine(THIRD, time(18, 30)),
        46359,
        46359.75,
        20261203,
        20261203.0,
        "12月3日（周四）",
        "12月3日 (星期四)",
        "12月3号",
        "12月03日，周四",
        "周四 12月3日",
        "12-3",
        "12/3",
        "2026/12/3",
        "2026.12.3",
        "2026-12-03",
        "2026-12-03 00:00:00",
        "2026-12-03T18:00",
        "2026年12月3日",
        "2026 年 12 月 3 日 星期四",
        "26年12月3日",
        "20261203",
        "１２月３日",
        "２０２６／１２／３",
        "十二月三日",
        "二〇二六年十二月三日（星期四）",
        " 12月3日\n",
        "\u200b12月3日",
    ],
)
def test_the_third_of_december_is_read_however_it_is_written(written: object) -> None:
    assert read_date(written, month=DECEMBER) == THIRD


@pytest.mark.parametrize(
    "written",
    [
        "12月32日",
        "2月30日",
        "13月1日",
        "下周四",
        "每周四",
        "12月3日、10日",
        "12月3日-12月10日",
        "3/12/2026",
        "2026-12",
        "待定",
        12.3,
        3,
        True,
        time(18, 0),
        timedelta(hours=18),
        float("nan"),
        float("inf"),
        10**400,
        -5,
        "9999年1月1日",
        "1月",
        "周四",
        "20261332",
        "0000-01-01",
        Uncalculated("=A1"),
    ],
)
def test_what_is_no_date_is_refused_with_how_to_write_one(written: object) -> None:
    with pytest.raises(Unreadable) as refused:
        read_date(written, month=DECEMBER)
    assert refused.value.message
    assert refused.value.advice


def test_a_weekday_that_contradicts_the_date_says_which_day_it_is() -> None:
    with pytest.raises(Unreadable, match="2026-12-03 是周四，不是周五"):
        read_date("12月3日（周五）", month=DECEMBER)


@pytest.mark.parametrize(
    ("sheet", "written", "meant"),
    [
        (Month(2026, 12), "1月5日", date(2027, 1, 5)),
        (Month(2027, 1), "12月28日", date(2026, 12, 28)),
        (Month(2026, 12), "11月30日", date(2026, 11, 30)),
        (Month(2026, 6), "1月5日", date(2026, 1, 5)),
        (Month(2026, 6), "12月28日", date(2026, 12, 28)),
    ],
)
def test_a_date_without_a_year_takes_the_sheets_year_across_new_year(
    sheet: Month, written: str, meant: date
) -> None:
    assert read_date(written, month=sheet) == meant


def test_the_29th_of_february_is_only_a_date_in_a_leap_year() -> None:
    assert read_date("2月29日", month=Month(2028, 2)) == date(2028, 2, 29)
    with pytest.raises(Unreadable):
        read_date("2月29日", month=Month(2027, 2))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (time(18, 0), time(18, 0)),
        (time(17, 59, 59, 999_000), time(18, 0)),
        (0.75, time(18, 0)),
        (18 / 24 + 20 / 1440, time(18, 20)),
        (timedelta(hours=18), time(18, 0)),
        (datetime.combine(date(1899, 12, 30), time(18, 0)), time(18, 0)),
        ("18:00", time(18, 0)),
        ("18：00", time(18, 0)),
        ("18:00:00", time(18, 0)),
        ("18.30", time(18, 30)),
        ("１８：３０", time(18, 30)),
        ("18点", time(18, 0)),
        ("18点整", time(18, 0)),
        ("18时", time(18, 0)),
        ("18点30分", time(18, 30)),
        ("18点半", time(18, 30)),
        ("六点三刻", time(6, 45)),
        ("晚6点", time(18, 0)),
        ("晚上六点半", time(18, 30)),
        ("下午2:30", time(14, 30)),
        ("下午 2 点 30", time(14, 30)),
        ("6:00 PM", time(18, 0)),
        ("6pm", time(18, 0)),
        ("10:00 a.m.", time(10, 0)),
        ("12:00 AM", time(0, 0)),
        ("上午10点", time(10, 0)),
        ("中午12点", time(12, 0)),
        ("中午1点", time(13, 0)),
        ("下午18:00", time(18, 0)),
    ],
)
def test_an_hour_is_read_however_it_is_written(written: object, meant: time) -> None:
    assert read_time(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "25:00",
        "18:60",
        "24:00",
        "晚12点",
        "上午18:00",
        "18",
        18,
        1.5,
        "1800",
        "六",
        "晚饭后",
        "::",
        "18:0",
        True,
    ],
)
def test_what_is_no_hour_is_refused_with_how_to_write_one(written: object) -> None:
    with pytest.raises(Unreadable) as refused:
        read_time(written)
    assert "18:00" in refused.value.advice


@pytest.mark.parametrize(
    "written",
    [
        "18:00-19:00",
        "18:00—19:00",
        "18:00——19:00",
        "18:00~19:00",
        "18：00～19：00",
        "18:00 － 19:00",
        "18:00至19:00",
        "18点到19点",
        "晚6点-7点",
        "晚上6:00-7:00",
        "下午6点至7点",
        "6:00 PM - 7:00 PM",
        "六点-七点".replace("六", "十八").replace("七", "十九"),
    ],
)
def test_a_range_in_the_starting_time_gives_both_ends(written: str) -> None:
    assert read_hours(written) == (time(18, 0), time(19, 0))


def test_morning_ranges_cross_noon() -> None:
    assert read_hours("上午11点-12点") == (time(11, 0), time(12, 0))
    assert read_hours("10:00-11:30") == (time(10, 0), time(11, 30))


@pytest.mark.parametrize("written", ["18:00-", "-19:00", "18:00-19:00-20:00", "18:00、19:00"])
def test_half_a_range_is_refused(written: str) -> None:
    with pytest.raises(Unreadable):
        read_hours(written)


@pytest.mark.parametrize(
    "written",
    [
        datetime.combine(date(2026, 11, 25), time(10, 0)),
        datetime.combine(date(2026, 11, 25), time(9, 59, 59, 999_500)),
        46351 + 10 / 24,
        "2026-11-25 10:00",
        "2026/11/25 10:00:00",
        "2026-11-25T10:00",
        "11月25日 10:00",
        "11月25日10:00",
        "11月25日上午10点",
        "11月25日（周三）上午十点",
        "１１月２５日　１０：００",
    ],
)
def test_an_opening_moment_is_read_however_it_is_written(written: object) -> None:
    assert read_moment(written, month=DECEMBER) == datetime(2026, 11, 25, 10, 0, tzinfo=TOWN_ZONE)


@pytest.mark.parametrize(
    "written", ["11月25日", "2026-11-25", datetime.combine(date(2026, 11, 25), time()), 46351]
)
def test_an_opening_day_without_an_hour_is_refused(written: object) -> None:
    with pytest.raises(Unreadable, match="没有写几点"):
        read_moment(written, month=DECEMBER)


@pytest.mark.parametrize("written", ["即日起", "10:00", "11月25日早饭后", "11月25日10:00-12:00"])
def test_what_is_no_opening_moment_is_refused(written: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_moment(written, month=DECEMBER)
    assert "2026" in refused.value.advice


@pytest.mark.parametrize(
    ("title", "month"),
    [
        ("梧桐里社区“社区夜校”课程安排表（2026年12月）", DECEMBER),
        ("２０２６年１２月课表", DECEMBER),
        ("二〇二六年十二月", DECEMBER),
        ("课程安排 2026-12", DECEMBER),
        ("12月课程安排表", None),
        ("2026年13月", None),
        ("社区夜校", None),
    ],
)
def test_a_title_names_its_month(title: str, month: Month | None) -> None:
    assert month_in(title) == month


def test_a_weekday_column_is_understood() -> None:
    assert [weekday_in(text) for text in ("周四", "星期日", "礼拜天", "一", "", "某天")] == [
        3,
        6,
        6,
        0,
        None,
        None,
    ]
