"""Deadlines in working days stand still on days off, and run on a Saturday that is worked (E26)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.calendars import Calendar
from models.clock import TOWN_ZONE
from models.working_time import due_after, working_days_between

CALENDAR = Calendar()


def at(month: int, day: int, hour: int = 15) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=TOWN_ZONE)


@pytest.mark.parametrize(
    ("begins", "days", "due"),
    [
        (at(11, 17), 2, at(11, 19)),  # Tuesday to Thursday
        (at(11, 20), 2, at(11, 24)),  # Friday: Saturday and Sunday do not count
        (at(11, 21), 2, at(11, 25, 0)),  # Saturday: from Monday's first minute to Tuesday's last
        (at(9, 24), 1, at(9, 28)),  # the festival's long weekend, 25 to 27 September
        (at(2, 13), 1, at(2, 14)),  # the Saturday before the Spring Festival is worked
        (at(2, 14), 1, at(2, 24)),  # and then nobody works for nine days
        (at(11, 17), 0.5, at(11, 18, 3)),
    ],
)
def test_when_so_many_working_days_have_gone_by(begins: datetime, days: float, due: datetime) -> None:
    assert due_after(CALENDAR, begins, days) == due


MOMENTS = st.timedeltas(timedelta(), timedelta(days=330)).map(lambda gone: at(1, 1, 0) + gone)


@settings(deadline=None)  # a busy machine
@given(MOMENTS, st.integers(1, 400).map(lambda hours: hours / 10))
def test_what_is_due_is_just_so_many_working_days_away(begins: datetime, days: float) -> None:
    due = due_after(CALENDAR, begins, days)
    assert working_days_between(CALENDAR, begins, due) == pytest.approx(days)
    assert due >= begins + timedelta(days=days)


@settings(deadline=None)  # a busy machine
@given(MOMENTS, MOMENTS)
def test_working_days_add_up_and_never_run_backwards(one: datetime, other: datetime) -> None:
    begins, ends = sorted((one, other))
    middle = begins + (ends - begins) / 2
    whole = working_days_between(CALENDAR, begins, ends)
    parts = working_days_between(CALENDAR, begins, middle) + working_days_between(CALENDAR, middle, ends)
    assert whole == pytest.approx(parts)
    assert working_days_between(CALENDAR, ends, begins) == 0
