"""Reminders of classes: the evening before and two hours before, once, and never of what is no longer so."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import CourseRun, CourseSession, SessionState, owe_reminders, still_true
from models.notices import Notice, NoticeKind
from tests.people import FIRST_EVENING, Person, Town

EVENING_BEFORE = (FIRST_EVENING - timedelta(days=1)).replace(hour=18)
TWO_HOURS_BEFORE = FIRST_EVENING - timedelta(hours=2)


def remind() -> int:
    with transaction() as session:
        return owe_reminders(session, town_clock.now())


def reminders(person: Person) -> list[Notice]:
    with reading() as session:
        return list(
            session.scalars(
                select(Notice)
                .where(
                    Notice.account_id == person.account_id,
                    Notice.kind.in_([NoticeKind.CLASS_TOMORROW, NoticeKind.CLASS_SOON]),
                )
                .order_by(Notice.id)
            )
        )


def truth_of(notices: list[Notice]) -> list[bool]:
    with reading() as session:
        true = still_true(session, notices)
    return [notice.id in true for notice in notices]


@pytest.fixture
def run(town: Town) -> CourseRun:
    """A class of two evenings a week apart; the resident has a seat, the neighbour waits, the outsider knows nothing of it."""
    run = town.a_run(capacity=1, evenings=2)
    town.resident.tap(run)
    town.neighbour.tap(run)
    return run


def test_whoever_has_a_seat_is_reminded_the_evening_before_and_two_hours_before_once_each(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(EVENING_BEFORE - timedelta(minutes=1))
    assert remind() == 0
    clock.move_to(EVENING_BEFORE)
    assert [remind(), remind()] == [1, 0]
    clock.move_to(TWO_HOURS_BEFORE + timedelta(minutes=3))
    assert [remind(), remind()] == [1, 0]
    assert [notice.kind for notice in reminders(town.resident)] == [
        NoticeKind.CLASS_TOMORROW,
        NoticeKind.CLASS_SOON,
    ]
    assert reminders(town.neighbour) == []
    assert reminders(town.outsider) == []


def test_every_evening_of_a_class_is_reminded_of(town: Town, run: CourseRun, clock: StoppedClock) -> None:
    for evening in run.sessions:
        clock.move_to(evening.starts_at - timedelta(hours=1))
        assert remind() == 1
    assert len({notice.facts["evening"] for notice in reminders(town.resident)}) == 2


def test_a_class_that_has_begun_is_not_reminded_of(town: Town, run: CourseRun, clock: StoppedClock) -> None:
    clock.move_to(FIRST_EVENING)
    assert remind() == 0


def test_a_moved_evening_is_reminded_of_anew_and_the_old_word_is_no_longer_true(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(EVENING_BEFORE)
    remind()
    moved = FIRST_EVENING + timedelta(hours=1)
    move(run, starts_at=moved, ends_at=moved + timedelta(hours=1))
    assert remind() == 1
    first, second = reminders(town.resident)
    assert truth_of([first, second]) == [False, True]
    assert "19:00" in second.body


def test_a_cancelled_evening_is_not_reminded_of_and_what_was_owed_is_no_longer_true(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(EVENING_BEFORE)
    remind()
    move(run, state=SessionState.CANCELLED)
    assert truth_of(reminders(town.resident)) == [False]
    clock.move_to(TWO_HOURS_BEFORE)
    assert remind() == 0


def test_who_gave_the_seat_up_is_not_reminded_and_who_moved_up_is(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(EVENING_BEFORE)
    remind()
    town.resident.give_up(run)
    assert truth_of(reminders(town.resident)) == [False]
    assert remind() == 1
    assert truth_of(reminders(town.neighbour)) == [True]


def test_a_late_worker_reminds_in_the_morning_rather_than_at_night(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(EVENING_BEFORE.replace(hour=22))
    remind()
    (notice,) = reminders(town.resident)
    assert town_clock.in_town(notice.due_at) == FIRST_EVENING.replace(hour=8)


def test_who_registered_another_is_reminded_too_and_told_of_whom(town: Town, clock: StoppedClock) -> None:
    run = town.a_run(min_age=7, max_age=15)
    town.guardian.tap(run, for_whom=town.child)
    clock.move_to(EVENING_BEFORE)
    assert remind() == 1
    (notice,) = reminders(town.guardian)
    assert notice.body.startswith(f"{town.child.name}：")


def move(run: CourseRun, **values: object) -> None:
    """Change the first evening, as staff will."""
    with transaction() as session:
        first: datetime = FIRST_EVENING
        session.execute(
            update(CourseSession)
            .where(CourseSession.run_id == run.id, CourseSession.starts_at == first)
            .values(**values)
        )
