"""Clocks of wishes and claims: what happened says whose desk it is on and until when, and nothing else does (domain.md §2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import clock as town_clock
from models.calendars import Calendar, DayKind
from models.policies import DEFAULTS
from models.wishes.clocks import _AFTER as CLAIM_ACTS  # every act that winds a clock
from models.wishes.clocks import _AFTER_WISH as WISH_ACTS
from models.wishes.clocks import Awaited, Clock, Desk, Event, clock_of_claim, clock_of_wish

CALENDAR = Calendar()
SILENT = ("wish.looked_at", "wish.supported", "wish.urged", "claim.helper_joined")


def at(month: int, day: int, hour: int = 9, minute: int = 0) -> datetime:
    """A moment of 2026 on the town's wall."""
    return datetime(2026, month, day, hour, minute, tzinfo=town_clock.TOWN_ZONE)


def of_wish(*thread: Event, calendar: Calendar = CALENDAR) -> Clock:
    running = clock_of_wish(thread, calendar, DEFAULTS)
    assert running is not None
    return running


def of_claim(*thread: Event, calendar: Calendar = CALENDAR) -> Clock:
    running = clock_of_claim(thread, calendar, DEFAULTS)
    assert running is not None
    return running


def threads(acts: Sequence[str]) -> st.SearchStrategy[list[Event]]:
    """Things that happened one after the other in the autumn of 2026, the long holiday included."""
    some = st.tuples(st.sampled_from([*acts, *SILENT]), st.integers(0, 60 * 24 * 40), st.integers(0, 40))
    return st.lists(some, max_size=12).map(
        lambda drawn: [
            Event(act, at(9, 14) + timedelta(minutes=minutes), date(2026, 9, 20) + timedelta(days=until))
            for act, minutes, until in sorted(drawn, key=lambda one: one[1])
        ]
    )


def test_what_offices_must_do_stands_still_on_holidays_and_what_hangs_on_the_wall_does_not() -> None:
    """E26: Mid-Autumn is from Friday the 25th to Sunday the 27th of September."""
    made, hung = at(9, 24, 16), at(9, 24, 16)
    review = of_wish(Event("wish.made", made))
    assert (review.desk, review.due_at, review.remind_at) == (
        Desk.COMMUNITY,
        at(9, 29, 16),
        [at(9, 28, 16)],
    )
    assert of_wish(Event("wish.published", hung)).due_at == at(10, 9, 16)


def test_a_holiday_announced_late_moves_the_street_and_not_the_wall() -> None:
    """E26."""
    snow = Calendar({date(2026, 11, 23): DayKind.HOLIDAY})
    thread = [Event("wish.escalated", at(11, 20, 12))]
    assert of_wish(*thread).due_at == at(12, 4, 12)
    assert of_wish(*thread, calendar=snow).due_at == at(12, 7, 12)
    hung = Event("wish.hung_again", at(11, 20, 12))
    assert of_wish(hung).due_at == of_wish(hung, calendar=snow).due_at == at(12, 5, 12)


def test_the_street_decides_whether_or_not_it_meets() -> None:
    """E25: nothing of a meeting is asked for the clock of an item."""
    decision = of_wish(Event("wish.published", at(11, 1)), Event("wish.escalated", at(11, 20)))
    assert (decision.awaited, decision.desk) == (Awaited.DECISION, Desk.STREET)
    assert len(decision.press_at) == DEFAULTS.wish_press_days


def test_who_is_late_is_pressed_on_working_mornings_alone() -> None:
    """E26: over the National Day's week nobody is pressed, on the Saturday that is worked they are; the sixth morning is the street's."""
    promised = of_claim(Event("claim.contacted", at(9, 20), date(2026, 9, 30)))
    assert promised.due_at == at(10, 1, 0)
    assert promised.press_at == [at(10, day) for day in (8, 9, 10, 12, 13, 14)]
    assert [promised.times_pressed(at(10, day, 12)) for day in (7, 8, 10, 11, 14, 30)] == [0, 1, 3, 3, 6, 6]


@pytest.mark.parametrize("due", [at(11, 23, 8, 59), at(11, 22, 23), at(11, 20, 9)])
def test_the_first_morning_is_the_first_after_it_was_due(due: datetime) -> None:
    """Friday at nine is in time, and Monday at nine the next morning on which somebody works."""
    decision = of_wish(
        Event("wish.escalated", due),
        calendar=Calendar(),
    )
    assert decision.due_at is not None
    assert decision.press_at[0] > decision.due_at
    assert decision.press_at[0] - decision.due_at <= timedelta(days=3)
    assert town_clock.in_town(decision.press_at[0]).time() == DEFAULTS.wish_press_hour


def test_while_somebody_else_must_answer_the_community_has_time() -> None:
    waits = of_wish(Event("wish.made", at(11, 2)), Event("wish.more_asked", at(11, 3)))
    assert (waits.desk, waits.due_at, waits.next_after(at(11, 2))) == (Desk.WISHER, None, None)
    again = of_wish(
        Event("wish.made", at(11, 2)), Event("wish.more_asked", at(11, 3)), Event("wish.corrected", at(11, 9))
    )
    assert again.due_at == at(11, 11)


@given(threads(list(WISH_ACTS)))
def test_the_same_thread_is_the_same_clock_and_each_prefix_has_its_own(thread: list[Event]) -> None:
    """What happened later never changes what ran before, and what winds no clock changes nothing."""
    for end in range(len(thread) + 1):
        prefix = thread[:end]
        running = clock_of_wish(prefix, CALENDAR, DEFAULTS)
        assert running == clock_of_wish(list(prefix), Calendar(), DEFAULTS)
        assert running == clock_of_wish(
            [event for event in prefix if event.act not in SILENT], CALENDAR, DEFAULTS
        )
        winding = [event for event in prefix if event.act in WISH_ACTS]
        assert running == clock_of_wish(winding[-1:], CALENDAR, DEFAULTS)


@given(threads(list(CLAIM_ACTS)), threads(list(WISH_ACTS)))
def test_reminders_come_before_it_rings_and_pressing_after_on_working_days(
    of_a_claim: list[Event], of_a_wish: list[Event]
) -> None:
    for running in (
        clock_of_claim(of_a_claim, CALENDAR, DEFAULTS),
        clock_of_wish(of_a_wish, CALENDAR, DEFAULTS),
    ):
        if running is None:
            continue
        assert all(one < other for one, other in pairwise(running.press_at))
        if running.due_at is None:
            assert not running.press_at
            continue
        assert all(moment < running.due_at for moment in running.remind_at)
        for moment in running.press_at:
            assert moment > running.due_at
            assert CALENDAR.kind_of(town_clock.in_town(moment).date()).is_work
        moments, walked, here = sorted((*running.remind_at, *running.press_at)), [], at(1, 1)
        while (following := running.next_after(here)) is not None:
            walked.append(following)
            here = following
        assert walked == moments
