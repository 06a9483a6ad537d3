"""A class is held again next term: the same in everything but its days and its people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from models import clock as town_clock
from models.base import transaction
from models.calendars import DayKind, set_day
from models.courses import (
    Admission,
    By,
    CourseRun,
    Evening,
    HolidayRule,
    RunPhase,
    RunState,
    Seating,
    cancel_session,
    copy_run,
    move_session,
    plan_run,
    release_seats,
)
from models.errors import Refusal
from models.sites import Venue
from tests.people import FIRST_EVENING, Town, a_course, a_plan, a_venue

NEXT_TERM = date(2027, 3, 4)  # a Thursday, as the first evening is
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)


def copied(
    town: Town, run: CourseRun, first_on: date = NEXT_TERM, holidays: HolidayRule = HolidayRule.SKIP
) -> CourseRun:
    with transaction() as session:
        copy = copy_run(session, session.get_one(CourseRun, run.id), first_on=first_on, holidays=holidays)
    return town.now(copy)


def refused(run: CourseRun, first_on: date = NEXT_TERM) -> Refusal:
    with pytest.raises(Refusal) as refusal, transaction() as session:
        copy_run(session, session.get_one(CourseRun, run.id), first_on=first_on)
    return refusal.value


def starts(run: CourseRun) -> list[str]:
    return [f"{town_clock.in_town(meeting.starts_at):%m-%d %H:%M}" for meeting in run.sessions]


def held_on(town: Town, *moments: datetime) -> CourseRun:
    """A run with evenings of 90 minutes at these moments."""
    with transaction() as session:
        room = a_venue(session, town.wutong)
        plan = a_plan(session, town.wutong, venue=room)
        evenings: Sequence[Evening] = [
            Evening(start, start + timedelta(minutes=90), session.get_one(Venue, room.id))
            for start in moments
        ]
        run = plan_run(session, a_course(session, town.wutong), replace(plan, evenings=evenings))
    return town.now(run)


def test_a_copy_is_a_draft_with_the_same_course_teacher_room_hours_and_rules(town: Town) -> None:
    run = town.a_run(evenings=3, capacity=12, teacher="周老师", min_age=18, max_age=60)
    town.resident.tap(run)
    copy = copied(town, run)
    assert (copy.state, copy.phase, copy.published_at) == (RunState.DRAFT, RunPhase.SCHEDULED, None)
    assert starts(copy) == ["03-04 18:00", "03-11 18:00", "03-18 18:00"]
    assert (copy.course_id, copy.teacher, copy.capacity, copy.min_age, copy.max_age) == (
        run.course_id,
        "周老师",
        12,
        18,
        60,
    )
    assert {meeting.venue_id for meeting in copy.sessions} == {meeting.venue_id for meeting in run.sessions}
    assert (copy.month, copy.seats_taken, town.registrations(copy)) == ("2027-03", 0, [])
    assert copy.starts_at - copy.opens_at == run.starts_at - run.opens_at
    assert town.now(run).seats_taken == 1


def test_how_seats_are_given_is_copied_with_its_moments(town: Town) -> None:
    seating = Seating(
        admission=Admission.DRAW,
        draws_at=FIRST_EVENING - 2 * DAY,
        seats_held=4,
        home_first_hours=24,
        min_to_open=5,
    )
    with transaction() as session:
        plan = replace(a_plan(session, town.wutong), seating=seating)
        run = plan_run(session, a_course(session, town.wutong), plan)
    copy = copied(town, town.now(run))
    assert (copy.admission, copy.seats_held, copy.home_first_hours, copy.min_to_open) == (
        Admission.DRAW,
        4,
        24,
        5,
    )
    for moment in ("draws_at", "held_until", "opens_at"):
        assert copy.starts_at - getattr(copy, moment) == run.starts_at - getattr(run, moment)


def test_a_class_of_one_weekday_may_be_copied_to_another(town: Town) -> None:
    assert starts(copied(town, town.a_run(evenings=2), date(2027, 3, 2))) == ["03-02 18:00", "03-09 18:00"]


def test_the_days_of_a_copy_follow_the_calendar(town: Town) -> None:
    run = town.a_run(evenings=2)
    with transaction() as session:
        set_day(session, date(2027, 3, 11), DayKind.HOLIDAY)
    assert starts(copied(town, run)) == ["03-04 18:00", "03-18 18:00"]
    later = copied(town, town.a_run(starts_at=FIRST_EVENING), date(2027, 3, 11), HolidayRule.MOVE)
    assert starts(later)[0] == "03-12 18:00"


def test_each_weekday_keeps_its_own_hours(town: Town) -> None:
    saturday = FIRST_EVENING + 2 * DAY - timedelta(hours=9)
    run = held_on(town, FIRST_EVENING, saturday, FIRST_EVENING + WEEK, saturday + WEEK)
    copy = copied(town, run)
    assert starts(copy) == ["03-04 18:00", "03-06 09:00", "03-11 18:00", "03-13 09:00"]
    assert "星期四、六" in str(refused(run, date(2027, 3, 5)).faults[0].message)


def test_a_fortnightly_class_stays_one_and_a_week_that_was_left_out_makes_none(town: Town) -> None:
    fortnightly = held_on(town, FIRST_EVENING, FIRST_EVENING + 2 * WEEK, FIRST_EVENING + 4 * WEEK)
    assert starts(copied(town, fortnightly)) == ["03-04 18:00", "03-18 18:00", "04-01 18:00"]
    with_a_gap = held_on(
        town, FIRST_EVENING + DAY, FIRST_EVENING + DAY + WEEK, FIRST_EVENING + DAY + 3 * WEEK
    )
    assert starts(copied(town, with_a_gap, date(2027, 3, 5))) == ["03-05 18:00", "03-12 18:00", "03-19 18:00"]


def test_what_staff_moved_or_called_off_once_is_no_habit(town: Town) -> None:
    run = town.a_run(evenings=3)

    def disturb(session: Session) -> None:
        first, second, _ = session.get_one(CourseRun, run.id).sessions
        move_session(
            session,
            first,
            starts_at=FIRST_EVENING + DAY,
            ends_at=FIRST_EVENING + DAY + timedelta(hours=1),
            venue=a_venue(session, town.wutong),
            by=By("老师出差"),
        )
        cancel_session(session, second, by=By("停电"))

    with transaction() as session:
        disturb(session)
    assert starts(copied(town, run)) == ["03-04 18:00", "03-18 18:00"]


def test_an_evening_made_up_for_a_holiday_is_no_day_of_the_class(town: Town) -> None:
    thursdays = [FIRST_EVENING + n * WEEK for n in range(4)]
    run = held_on(town, *thursdays, FIRST_EVENING + 4 * WEEK + DAY)
    assert {each[:5] for each in starts(copied(town, run))} == {"03-04", "03-11", "03-18", "03-25", "04-01"}


def test_a_copy_over_another_class_is_refused_whole(town: Town) -> None:
    run = town.a_run(evenings=2)
    copied(town, run)
    assert refused(run).code in {"room_taken", "teacher_taken"}


def test_a_copy_lies_ahead_and_of_nothing_there_is_none(town: Town) -> None:
    run = town.a_run(evenings=2)
    assert [fault.field for fault in refused(run, date(2026, 11, 19)).faults] == ["first_on"]
    with transaction() as session:
        for meeting in session.get_one(CourseRun, run.id).sessions:
            session.delete(meeting)
    assert refused(run).code == "nothing_to_copy"


def test_what_would_have_opened_already_opens_at_once(town: Town) -> None:
    run = town.a_run(opens_at=FIRST_EVENING - 40 * DAY)
    copy = copied(town, run, date(2026, 12, 10))
    assert copy.opens_at == town_clock.now()


def test_a_copy_leaves_time_to_apply_before_its_draw(town: Town, clock: town_clock.StoppedClock) -> None:
    """The clerk chose a day, and the day is what is named."""
    by_lot = Seating(admission=Admission.DRAW, draws_at=FIRST_EVENING - 3 * DAY)
    run = town.a_run(starts_at=FIRST_EVENING, seating=by_lot)
    clock.move_to(FIRST_EVENING + WEEK - 3 * DAY)
    refusal = refused(run, (FIRST_EVENING + WEEK).date())
    assert [fault.field for fault in refusal.faults] == ["first_on"]
    assert copied(town, run, (FIRST_EVENING + 2 * WEEK).date()).draws_at == FIRST_EVENING + 2 * WEEK - 3 * DAY


def test_a_class_that_held_seats_holds_as_many_again_as_its_community_does(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    """They were let go of before it began; who comes to the counter next term finds some."""
    run = town.a_run(capacity=10, seating=Seating(seats_held=1))
    clock.move_to(run.starts_at - DAY)
    with transaction() as session:
        assert release_seats(session, run.key) == 1
    assert copied(town, run).seats_held == 2
    assert copied(town, town.a_run(capacity=10)).seats_held == 0
