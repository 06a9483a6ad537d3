"""The time to review wound anew: the calendar or a number changes, and staff have the time they would have had, had it always been so (E26)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from models import clock as town_clock
from models.base import reading, transaction
from models.calendars import DayKind, set_day
from models.clock import StoppedClock
from models.coordination.closures import Choice, Remedy
from models.reservations import (
    Reservation,
    ReservationState,
    reject,
    rewind_review,
    to_be_rewound,
    waiting_for_review,
)
from models.sites import Venue
from models.venue_policies import set_venue_policy
from server.jobs import clocks
from server.jobs.clocks import rewind_clocks, rewind_reviews_within
from tests.closing import closes
from tests.people import Town
from tests.rooms import (
    MONDAY,
    NEXT_FRIDAY,
    SATURDAY,
    Centre,
    a_centre,
    accepts,
    again,
    at,
    by_staff,
    cancels,
    is_approved_by,
    now_of,
    set_number,
    takes,
)

TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + timedelta(days=n) for n in (1, 2, 3))
FRIDAY = date(2026, 11, 20)  # noon of which it is


@pytest.fixture
def centre(town: Town) -> Centre:
    """The centre of the first community."""
    with transaction() as session:
        return a_centre(session, town.wutong)


def announce(day: date, kind: DayKind = DayKind.HOLIDAY) -> None:
    """The town says late what a day is."""
    with transaction() as session:
        set_day(session, day, kind)


def due(one: Reservation) -> datetime | None:
    """By when it is to be looked at, as it is kept."""
    return now_of(one).review_due_at


def kept() -> dict[int, datetime | None]:
    """The same of all there are."""
    with reading() as session:
        return dict(session.execute(select(Reservation.id, Reservation.review_due_at)).all())


def test_a_worked_saturday_announced_late_is_a_day_to_review_in(town: Town, centre: Centre) -> None:
    """E15 and E26."""
    made = takes(town.resident, centre.dance_room, at(9, on=WEDNESDAY))
    assert due(made) == at(12, on=MONDAY)
    announce(SATURDAY, DayKind.ADJUSTED_WORKDAY)
    assert rewind_clocks(town_clock.now()) == 1
    assert due(made) == at(12, on=SATURDAY)
    assert rewind_clocks(town_clock.now()) == 0
    announce(SATURDAY, DayKind.WEEKEND)
    assert rewind_clocks(town_clock.now()) == 1
    assert due(made) == at(12, on=MONDAY)


def test_a_day_off_announced_late_is_none_and_who_has_waited_counts_from_when_they_began(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.dance_room, at(9, on=THURSDAY))
    clock.move_to(at(11, on=MONDAY))
    announce(MONDAY)
    assert rewind_clocks(town_clock.now()) == 1
    assert due(made) == at(12, on=TUESDAY)
    clock.move_to(at(13, on=TUESDAY))
    assert now_of(made).review_overdue
    announce(TUESDAY)
    assert rewind_clocks(town_clock.now()) == 1
    assert not now_of(made).review_overdue


def test_a_number_moves_what_waits_there_and_nothing_else(town: Town, centre: Centre) -> None:
    with transaction() as session:
        elsewhere = a_centre(session, town.wangjiang)
    here = takes(town.resident, centre.dance_room, at(9, on=NEXT_FRIDAY))
    there = takes(town.outsider, elsewhere.dance_room, at(9, on=NEXT_FRIDAY))
    set_number(town.wutong, "room_review_days", "2")
    assert rewind_reviews_within(town.wangjiang) == 0
    assert rewind_reviews_within(town.wutong) == 1
    assert (due(here), due(there)) == (at(12, on=TUESDAY), at(12, on=MONDAY))
    set_number(town.district, "unreviewed_until_hours", "96")
    assert rewind_reviews_within(town.district) == 2  # a place and everything under it
    assert due(here) == due(there) == at(9, on=MONDAY)
    assert rewind_clocks(town_clock.now()) == 0


def test_a_room_with_a_number_of_its_own_does_not_go_by_its_communitys(town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.dance_room, at(9, on=THURSDAY))
    with transaction() as session:
        room = session.get_one(Venue, centre.dance_room.id)
        set_venue_policy(session, room, "room_review_days", "0.5")
    assert rewind_clocks(town_clock.now()) == 1
    assert due(made) == at(0, on=SATURDAY)
    set_number(town.wutong, "room_review_days", "3")
    assert rewind_clocks(town_clock.now()) == 0


def test_what_is_decided_or_waits_for_nobody_is_left_as_it_is(town: Town, centre: Centre) -> None:
    approved = takes(town.resident, centre.dance_room, at(9, on=THURSDAY))
    rejected = takes(town.neighbour, centre.dance_room, at(14, on=THURSDAY))
    cancelled = takes(town.guardian, centre.dance_room, at(16, 30, on=THURSDAY))
    takes(town.guardian, centre.reading_room, at(9, on=WEDNESDAY))
    is_approved_by(town.clerk, approved)
    with transaction() as session:
        reject(session, again(session, rejected), "这一天要消毒", by=by_staff(town.clerk))
    cancels(town.guardian, cancelled)
    takes(town.neighbour, centre.dance_room, at(9, on=THURSDAY), waits=True)
    before = kept()
    announce(MONDAY)
    set_number(town.wutong, "room_review_days", "3")
    with reading() as session:
        assert waiting_for_review(session, within=None) == []
    assert rewind_clocks(town_clock.now()) == 0
    assert kept() == before


def test_one_that_is_decided_before_it_is_its_turn_is_left_as_it_is(town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.dance_room, at(9, on=THURSDAY))
    announce(MONDAY)
    with reading() as session:
        assert to_be_rewound(session, waiting_for_review(session, within=None)) == [made.id]
    is_approved_by(town.clerk, made)
    with transaction() as session:
        assert not rewind_review(session, again(session, made))
    assert due(made) == at(12, on=MONDAY)


def test_every_time_to_review_is_as_it_would_be_had_the_rules_always_been_so(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    """Reserved, accepted days after it was waited for, moved to another hour, and moved to another room."""
    with transaction() as session:
        session.get_one(Venue, centre.left.id).use = centre.dance_room.use
    reserved = takes(town.guardian, centre.dance_room, at(16, 30, on=NEXT_FRIDAY))
    had = takes(town.resident, centre.dance_room, at(9, on=NEXT_FRIDAY))
    queued = takes(town.neighbour, centre.dance_room, at(9, on=NEXT_FRIDAY), waits=True)
    moved = takes(town.guardian, centre.dance_room, at(14, on=WEDNESDAY))
    elsewhere = takes(town.resident, centre.dance_room, at(9, on=WEDNESDAY))
    with transaction() as session:
        room = session.get_one(Venue, centre.left.id)
        set_venue_policy(session, room, "room_review_days", "0.5")
    to_another_hour = Choice(
        Remedy.MOVE, starts_at=at(16, 30, on=WEDNESDAY), ends_at=at(18, 30, on=WEDNESDAY)
    )
    to_another_room = Choice(Remedy.MOVE, venue=centre.left)
    closes(
        town,
        [centre.dance_room],
        at(8, on=WEDNESDAY),
        at(16, on=WEDNESDAY),
        choices={moved.key: to_another_hour, elsewhere.key: to_another_room},
    )
    assert now_of(elsewhere).state is ReservationState.PENDING
    assert due(elsewhere) == at(0, on=SATURDAY)  # by the numbers of the room it is in now
    clock.move_to(at(10, on=MONDAY))
    cancels(town.resident, had)
    accepts(town.neighbour, queued)
    assert rewind_clocks(town_clock.now()) == 0
    announce(TUESDAY)
    set_number(town.wutong, "room_review_days", "1.5")
    assert rewind_clocks(town_clock.now()) == 3
    assert due(reserved) == due(moved) == at(0, on=TUESDAY)
    assert due(queued) == at(
        22, on=WEDNESDAY
    )  # what is left of Monday, and of Wednesday as much as is wanting
    assert due(elsewhere) == at(0, on=SATURDAY)


def test_nobody_is_promised_an_answer_after_the_room_is_let_go_of_by_the_new_rules_either(
    town: Town, centre: Centre
) -> None:
    made = takes(town.resident, centre.dance_room, at(9, on=TUESDAY))
    announce(MONDAY)
    assert rewind_clocks(town_clock.now()) == 1
    assert due(made) == at(21, on=MONDAY)


def test_one_whose_beginning_nobody_knows_keeps_what_it_has(town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.dance_room, at(9, on=THURSDAY))
    with transaction() as session:
        session.execute(update(Reservation).values(review_began_at=None))
    announce(MONDAY)
    assert rewind_clocks(town_clock.now()) == 0
    assert due(made) == at(12, on=MONDAY)


def test_batches_miss_none(town: Town, centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    for person, hour in ((town.resident, 9), (town.neighbour, 11), (town.guardian, 14)):
        takes(person, centre.dance_room, at(hour, on=THURSDAY), minutes=60)
    announce(MONDAY)
    monkeypatch.setattr(clocks, "A_BATCH", 2)
    assert rewind_clocks(town_clock.now()) == 3
