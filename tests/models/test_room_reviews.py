"""The one working day in which staff look at a reservation that waits for them, and who sees that it is over."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from models import clock as town_clock
from models.base import reading, transaction
from models.calendars import DayKind, set_day
from models.clock import StoppedClock
from models.coordination.closures import Choice, Remedy
from models.desk import desk_of
from models.reservations import (
    Party,
    ReservationState,
    reject,
    reservations_within,
    reserve_series,
)
from models.reservations.deciding import expire
from models.sites import Venue
from tests.closing import closes
from tests.people import Town, Worker
from tests.rooms import (
    MONDAY,
    Centre,
    a_centre,
    a_group,
    accepts,
    again,
    at,
    by_phone,
    by_staff,
    cancels,
    is_approved_by,
    now_of,
    set_number,
    state_of,
    takes,
    wish,
)

TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + timedelta(days=n) for n in (1, 2, 3))
FRIDAY_NOON = at(12, on=date(2026, 11, 20))


@pytest.fixture
def centre(town: Town) -> Centre:
    """The centre of the first community."""
    with transaction() as session:
        return a_centre(session, town.wutong)


def waiting(worker: Worker, pile: str = "reservations_overdue") -> int:
    """How many of a pile lie on somebody's desk now."""
    with reading() as session:
        return next(one.number for one in desk_of(session, worker.member(session)) if one.pile.name == pile)


def overdue(town: Town) -> list[int]:
    """What the office lists as not looked at in time, by its id."""
    with reading() as session:
        place = [session.merge(town.wutong, load=False)]
        rows = reservations_within(session, place, overdue_at=town_clock.now(), most=10)
        assert all(one.review_overdue for one in rows)
        return [one.id for one in rows]


def test_asked_for_on_a_friday_it_is_to_be_looked_at_by_monday(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.dance_room, at(9, on=WEDNESDAY))
    assert made.review_due_at == FRIDAY_NOON + timedelta(days=3)
    for moment, number in (
        (at(23, on=MONDAY - timedelta(days=1)), 0),  # E26: the weekend does not count
        (at(11, 59, on=MONDAY), 0),
        (at(12, on=MONDAY), 1),
    ):
        clock.move_to(moment)
        assert waiting(town.clerk) == waiting(town.street_officer) == len(overdue(town)) == number
        assert waiting(town.clerk, "reservations") == 1
        assert now_of(made).review_overdue is bool(number)
    assert state_of(made) is ReservationState.PENDING  # it holds its room all the same


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (
            at(15, on=date(2026, 9, 24)),
            at(15, on=date(2026, 9, 28)),
        ),  # Thursday before the Mid-Autumn Festival
        (
            at(15, on=date(2026, 2, 13)),
            at(15, on=date(2026, 2, 14)),
        ),  # Friday; the Saturday after it is worked
        (at(15, on=date(2026, 2, 14)), at(15, on=date(2026, 2, 24))),  # that Saturday, and then nine days off
        (at(9, on=date(2026, 2, 20)), at(0, on=date(2026, 2, 25))),  # amid them: all of Tuesday is left
    ],
)
def test_the_day_of_review_goes_by_the_state_councils_calendar(
    town: Town, centre: Centre, clock: StoppedClock, asked: datetime, due: datetime
) -> None:
    """E26."""
    set_number(town.wutong, "reserve_days", "14")
    clock.move_to(asked)
    on = town_clock.in_town(asked).date() + timedelta(days=14)
    made = takes(town.resident, centre.dance_room, at(9, on=on))
    assert made.review_due_at == due


def test_a_day_off_of_the_towns_own_counts_for_nothing_either(town: Town, centre: Centre) -> None:
    with transaction() as session:
        set_day(session, MONDAY, DayKind.HOLIDAY, name="社区停电检修")
    made = takes(town.resident, centre.dance_room, at(9, on=WEDNESDAY))
    assert made.review_due_at == FRIDAY_NOON + timedelta(days=4)


def test_a_community_says_how_many_days_its_review_takes(town: Town, centre: Centre) -> None:
    set_number(town.wutong, "room_review_days", "0.5")
    made = takes(town.resident, centre.dance_room, at(9, on=WEDNESDAY))
    assert made.review_due_at == at(0, on=date(2026, 11, 21))


def test_whatever_staff_say_it_is_not_overdue_any_more(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    first = takes(town.resident, centre.dance_room, at(9, on=THURSDAY))
    second = takes(town.neighbour, centre.dance_room, at(14, on=THURSDAY))
    third = takes(town.guardian, centre.dance_room, at(16, 30, on=THURSDAY))
    clock.move_to(at(12, on=MONDAY))
    assert overdue(town) == [first.id, second.id, third.id]
    is_approved_by(town.clerk, first)
    with transaction() as session:
        reject(session, again(session, second), "这一天要消毒", by=by_staff(town.clerk))
    cancels(town.guardian, third)
    assert waiting(town.clerk) == 0
    assert overdue(town) == []
    assert now_of(first).review_due_at == FRIDAY_NOON + timedelta(days=3)  # that it was late stays known


def test_what_was_let_go_because_nobody_looked_is_nobodys_work_any_more(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.dance_room, at(9, on=TUESDAY))
    clock.move_to(at(21, on=MONDAY))
    assert waiting(town.clerk) == 1
    with transaction() as session:
        assert expire(session, again(session, made))
    assert waiting(town.clerk) == 0


def test_who_waits_in_the_queue_waits_for_nobodys_word_and_who_accepts_begins_a_day_of_review(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    had = takes(town.resident, centre.dance_room, at(9, on=THURSDAY))
    queued = takes(town.neighbour, centre.dance_room, at(9, on=THURSDAY), waits=True)
    assert queued.review_due_at is None
    clock.move_to(at(10, on=MONDAY))
    cancels(town.resident, had)
    assert accepts(town.neighbour, queued).state is ReservationState.PENDING
    assert now_of(queued).review_due_at == at(10, on=TUESDAY)
    assert waiting(town.clerk) == 0


def test_what_needs_no_review_has_no_time_for_it(town: Town, centre: Centre) -> None:
    assert takes(town.resident, centre.reading_room, at(9)).review_due_at is None
    for_them = takes(town.neighbour, centre.dance_room, at(9, on=MONDAY), by=by_staff(town.clerk))
    assert (for_them.state, for_them.review_due_at) == (ReservationState.APPROVED, None)


def test_every_week_of_a_series_is_to_be_looked_at_by_the_same_moment(town: Town, centre: Centre) -> None:
    group = a_group(town, town.neighbour)
    with transaction() as session:
        made = reserve_series(
            session,
            session.get_one(Venue, centre.dance_room.id),
            wish(at(9, on=WEDNESDAY)),
            3,
            whose=Party(town.neighbour.resident(session), session.merge(group, load=False)),
            by=by_phone(town.neighbour),
        )
        assert {one.review_due_at for one in made} == {FRIDAY_NOON + timedelta(days=3)}


def test_nobody_is_promised_an_answer_after_the_room_is_let_go_of(town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.dance_room, at(9))  # tomorrow; at nine in the evening it is let go of
    assert made.review_due_at == FRIDAY_NOON + timedelta(hours=9)


def test_what_a_closure_moves_to_an_earlier_hour_is_looked_at_before_that(town: Town, centre: Centre) -> None:
    set_number(town.wutong, "unreviewed_until_hours", "48")
    made = takes(town.resident, centre.dance_room, at(14, on=WEDNESDAY))
    assert made.review_due_at == FRIDAY_NOON + timedelta(days=3)
    to = Choice(Remedy.MOVE, starts_at=at(9, on=WEDNESDAY), ends_at=at(11, on=WEDNESDAY))
    closes(town, [centre.dance_room], at(13, on=WEDNESDAY), at(18, on=WEDNESDAY), choices={made.key: to})
    assert now_of(made).review_due_at == at(9, on=MONDAY)
