"""The evenings of a weekly class by the town's calendar: holidays, 调休, year ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time

import pytest

from models import clock
from models.calendars import Calendar, DayKind
from models.courses import HolidayRule, Series, Verdict, lay_out
from models.errors import Invalid

CALENDAR = Calendar()
# before the National Day of 2026: Thursday 1 to Wednesday 7 October are off
BEFORE_THE_HOLIDAY = Series(date(2026, 9, 24), time(18), time(19, 30), times=3)


def days(series: Series, calendar: Calendar = CALENDAR) -> list[str]:
    """The days on which it is held."""
    return [f"{e.on:%m-%d}" for e in lay_out(calendar, series) if not e.is_skipped]


def verdicts(series: Series, calendar: Calendar = CALENDAR) -> list[tuple[str, str]]:
    return [(f"{e.on:%m-%d}", "+".join(e.verdicts)) for e in lay_out(calendar, series)]


def test_a_class_is_held_every_week_on_the_weekday_of_its_first_day() -> None:
    weekly = Series(date(2026, 11, 5), time(18), time(19, 30), times=3)
    first, *_ = lay_out(CALENDAR, weekly)
    assert days(weekly) == ["11-05", "11-12", "11-19"]
    assert (first.starts_at, first.ends_at) == (
        datetime(2026, 11, 5, 18, tzinfo=clock.TOWN_ZONE),
        datetime(2026, 11, 5, 19, 30, tzinfo=clock.TOWN_ZONE),
    )
    assert first.verdicts == (Verdict.OK,)


def test_several_weekdays_and_a_last_day() -> None:
    series = Series(
        date(2026, 11, 3), time(9), time(10), weekdays=frozenset({2, 5}), until=date(2026, 11, 13)
    )
    assert days(series) == ["11-03", "11-06", "11-10", "11-13"]


def test_a_holiday_is_skipped_shown_and_not_counted() -> None:
    assert verdicts(BEFORE_THE_HOLIDAY) == [
        ("09-24", "ok"),
        ("10-01", "holiday_skipped"),
        ("10-08", "ok"),
        ("10-15", "ok"),
    ]


def test_a_holiday_class_moves_to_the_next_possible_day_of_the_week_or_is_skipped() -> None:
    """The 1st to the 4th are off, so nothing of that week is left; of a single day off the next day is."""
    moving = replace(BEFORE_THE_HOLIDAY, holidays=HolidayRule.MOVE)
    assert days(moving) == ["09-24", "10-08", "10-15"]
    one_day_off = Calendar({date(2026, 11, 12): DayKind.HOLIDAY})
    weekly = Series(date(2026, 11, 5), time(18), time(19), times=3, holidays=HolidayRule.MOVE)
    assert verdicts(weekly, one_day_off) == [("11-05", "ok"), ("11-13", "moved"), ("11-19", "ok")]
    assert [evening.moved_from for evening in lay_out(one_day_off, weekly)][1] == date(2026, 11, 12)


def test_a_class_does_not_move_onto_another_of_its_days_nor_where_the_room_is_taken() -> None:
    one_day_off = Calendar({date(2026, 11, 12): DayKind.HOLIDAY})
    twice_a_week = Series(
        date(2026, 11, 12),
        time(18),
        time(19),
        weekdays=frozenset({4, 5}),
        times=2,
        holidays=HolidayRule.MOVE,
    )
    assert days(twice_a_week, one_day_off) == ["11-13", "11-14"]

    def taken_on_saturday(starts_at: datetime, ends_at: datetime) -> list[Verdict]:
        return [Verdict.ROOM_TAKEN] if starts_at.isoweekday() == 6 else []

    laid = lay_out(one_day_off, twice_a_week, obstacles=taken_on_saturday)
    assert [f"{e.on:%m-%d}" for e in laid if not e.is_skipped] == ["11-13", "11-15"]


def test_a_holiday_may_be_kept() -> None:
    assert verdicts(replace(BEFORE_THE_HOLIDAY, holidays=HolidayRule.KEEP)) == [
        ("09-24", "ok"),
        ("10-01", "holiday_kept"),
        ("10-08", "ok"),
    ]


def test_a_saturday_that_is_worked_is_pointed_out_and_still_held() -> None:
    """E15."""
    saturdays = Series(date(2026, 10, 10), time(9), time(10, 30), times=2)
    assert verdicts(saturdays) == [("10-10", "adjusted_workday"), ("10-17", "ok")]
    assert all(evening.can_be_held for evening in lay_out(CALENDAR, saturdays))


def test_a_leap_day_and_the_end_of_a_year_are_days_like_others() -> None:
    """E16; the year after next is not announced, and staff are told."""
    leap = Series(date(2028, 2, 22), time(18), time(19), times=3)
    assert verdicts(leap) == [
        ("02-22", "year_not_announced"),
        ("02-29", "year_not_announced"),
        ("03-07", "year_not_announced"),
    ]
    over_the_year = Series(date(2025, 12, 24), time(18), time(19), times=3)
    assert days(over_the_year) == ["12-24", "12-31", "01-07"]


def test_room_and_teacher_are_told_evening_by_evening() -> None:
    def second_one(starts_at: datetime, ends_at: datetime) -> list[Verdict]:
        return [Verdict.ROOM_TAKEN, Verdict.TEACHER_TAKEN] if starts_at.day == 12 else []

    laid = lay_out(CALENDAR, Series(date(2026, 11, 5), time(18), time(19), times=2), obstacles=second_one)
    assert [evening.can_be_held for evening in laid] == [True, False]
    assert laid[1].verdicts == (Verdict.ROOM_TAKEN, Verdict.TEACHER_TAKEN)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ends": time(18)}, "ends"),
        ({"times": None}, "times"),
        ({"times": 0}, "times"),
        ({"times": 61}, "times"),
        ({"until": date(2026, 12, 1)}, "times"),
        ({"times": None, "until": date(2026, 9, 23)}, "until"),
        ({"times": None, "until": date(2027, 9, 30)}, "until"),
    ],
)
def test_a_series_that_cannot_be_is_refused_by_field(change: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        lay_out(CALENDAR, replace(BEFORE_THE_HOLIDAY, **change))  # type: ignore[arg-type]
    assert [fault.field for fault in refused.value.faults] == [field]
