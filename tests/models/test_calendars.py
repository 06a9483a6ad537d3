"""Working days with 调休 (E15), the town's own days, and years nobody has announced."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from models.base import reading, transaction
from models.calendars import Calendar, DayKind, set_day


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 1, 1), DayKind.HOLIDAY),
        (date(2026, 1, 4), DayKind.ADJUSTED_WORKDAY),  # a Sunday worked for New Year
        (date(2026, 2, 17), DayKind.HOLIDAY),  # Spring Festival
        (date(2026, 10, 1), DayKind.HOLIDAY),
        (date(2026, 10, 10), DayKind.ADJUSTED_WORKDAY),  # E15: a Saturday that is worked
        (date(2026, 11, 20), DayKind.WORKDAY),
        (date(2026, 11, 21), DayKind.WEEKEND),
        (date(2026, 11, 22), DayKind.WEEKEND),
    ],
)
def test_a_day_is_what_the_state_council_says(day: date, kind: DayKind) -> None:
    assert Calendar().kind_of(day) is kind


@pytest.mark.parametrize(
    ("day", "kind"),
    [(date(2099, 10, 1), DayKind.WORKDAY), (date(2099, 10, 3), DayKind.WEEKEND)],
)
def test_a_year_nobody_announced_goes_by_the_week_and_says_so(day: date, kind: DayKind) -> None:
    calendar = Calendar()
    assert not calendar.is_announced(day.year)
    assert calendar.is_announced(2026)
    assert calendar.kind_of(day) is kind


def test_the_towns_own_days_stand_above_the_list(context: Flask) -> None:
    with transaction() as session:
        set_day(session, date(2099, 10, 1), DayKind.HOLIDAY, name="国庆")
        set_day(session, date(2026, 11, 20), DayKind.WORKDAY)
        set_day(session, date(2026, 11, 20), DayKind.HOLIDAY, name="运动会")
    with reading() as session:
        calendar = Calendar.in_force(session)
    assert calendar.kind_of(date(2099, 10, 1)) is DayKind.HOLIDAY
    assert calendar.kind_of(date(2026, 11, 20)) is DayKind.HOLIDAY
    assert calendar.kind_of(date(2026, 11, 21)) is DayKind.WEEKEND


def test_adjusted_days_are_worked() -> None:
    assert [kind for kind in DayKind if kind.is_work] == [DayKind.WORKDAY, DayKind.ADJUSTED_WORKDAY]
