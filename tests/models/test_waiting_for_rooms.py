"""Waiting for a room: what is let go goes to who waits, in their order, before anybody else may take it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.errors import Conflict, Forbidden
from models.ladder import ShortMessage
from models.occupancy import Purpose, occupy, vacate
from models.reservations import (
    By,
    Reservation,
    ReservationEnd,
    ReservationState,
    accept,
    call_off,
    offer_what_is_free,
    reject,
)
from models.sites import Venue
from server.jobs import rooms as jobs
from tests.people import Person, Town
from tests.rooms import (
    MONDAY,
    SUNDAY,
    Centre,
    accepts,
    again,
    at,
    by_phone,
    by_staff,
    cancels,
    checks_in,
    held_times,
    is_approved_by,
    now_of,
    set_number,
    signs_out,
    state_of,
    takes,
    told,
)

OFFERED, WAITLISTED, CANCELLED, APPROVED, PENDING = (
    ReservationState.OFFERED,
    ReservationState.WAITLISTED,
    ReservationState.CANCELLED,
    ReservationState.APPROVED,
    ReservationState.PENDING,
)


def waits_behind(town: Town, centre: Centre) -> tuple[Reservation, Reservation, Reservation]:
    """Somebody who has the room on Saturday at two, and two who wait for it."""
    held = takes(town.resident, centre.reading_room, at(14))
    first = takes(town.neighbour, centre.reading_room, at(14), waits=True)
    second = takes(town.helper, centre.reading_room, at(14), waits=True)
    return held, first, second


def test_who_waited_longest_is_offered_what_is_given_up_and_takes_it(town: Town, centre: Centre) -> None:
    held, first, second = waits_behind(town, centre)
    cancels(town.resident, held)
    assert (state_of(first), state_of(second)) == (OFFERED, WAITLISTED)
    assert held_times(centre.reading_room) == [("14:00", "16:10")]
    assert told(town.neighbour) == ["room_offered"]
    assert accepts(town.neighbour, first).state is APPROVED
    assert accepts(town.neighbour, first).state is APPROVED  # twice is fine
    assert told(town.neighbour) == ["room_offered", "room_reserved"]


def test_nobody_overtakes_who_waits(town: Town, centre: Centre) -> None:
    held, first, _ = waits_behind(town, centre)
    cancels(town.resident, held)
    with pytest.raises(Conflict) as caught:
        takes(town.people(1)[0], centre.reading_room, at(14))
    assert caught.value.code == "room_taken"
    assert state_of(first) is OFFERED


def test_what_something_else_let_go_of_is_offered_before_it_can_be_tapped(town: Town, centre: Centre) -> None:
    """A class that moves away knows nothing of rooms that are waited for."""
    with transaction() as session:
        room = session.get_one(Venue, centre.reading_room.id)
        occupy(
            session,
            room,
            starts_at=at(14),
            ends_at=at(16),
            purpose=Purpose.COURSE_SESSION,
            holder_key="anevening",
        )
    waiting = takes(town.neighbour, centre.reading_room, at(14), waits=True)
    with transaction() as session:
        vacate(session, ["anevening"])
    with pytest.raises(Conflict):
        takes(town.resident, centre.reading_room, at(14))
    assert state_of(waiting) is WAITLISTED  # a refusal writes nothing; the job does
    assert jobs.offer_rooms(town_clock.now()) == 1
    assert state_of(waiting) is OFFERED


def test_an_offer_nobody_accepts_goes_to_the_next_and_the_first_is_told(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    held, first, second = waits_behind(town, centre)
    cancels(town.resident, held)
    assert now_of(first).offer_expires_at == town_clock.now() + timedelta(hours=2)
    clock.advance(hours=2)
    assert jobs.end_room_offers(town_clock.now()) == 1
    assert (state_of(first), now_of(first).cancelled_by) == (CANCELLED, ReservationEnd.UNANSWERED)
    assert state_of(second) is OFFERED
    assert told(town.neighbour) == ["room_offered", "room_wait_over"]
    with pytest.raises(Conflict) as caught:
        accepts(town.neighbour, first)
    assert caught.value.code == "no_offer"


def test_an_offer_of_the_evening_stands_until_people_are_awake(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    held = takes(town.resident, centre.reading_room, at(14, on=MONDAY))
    waiting = takes(town.neighbour, centre.reading_room, at(14, on=MONDAY), waits=True)
    clock.move_to(at(21))
    cancels(town.resident, held)
    assert now_of(waiting).offer_expires_at == at(9, 30, on=SUNDAY)


def test_an_offer_ends_when_it_begins(town: Town, centre: Centre, clock: StoppedClock) -> None:
    held, first, _ = waits_behind(town, centre)
    clock.move_to(at(13))
    cancels(town.resident, held)
    assert now_of(first).offer_expires_at == at(14)


def test_who_does_not_want_it_any_more_lets_the_next_have_it(town: Town, centre: Centre) -> None:
    held, first, second = waits_behind(town, centre)
    cancels(town.resident, held)
    cancels(town.neighbour, first)
    assert (state_of(first), state_of(second)) == (CANCELLED, OFFERED)
    assert not now_of(first).cancelled_late


def test_the_hall_is_offered_when_its_last_half_is_let_go(town: Town, centre: Centre) -> None:
    left = takes(town.resident, centre.left, at(14))
    right = takes(town.neighbour, centre.right, at(14))
    hall = takes(town.helper, centre.hall, at(14), heads=60, waits=True)
    cancels(town.resident, left)
    assert state_of(hall) is WAITLISTED
    cancels(town.neighbour, right)
    assert state_of(hall) is OFFERED


def test_who_waits_for_more_than_is_free_stands_in_nobodys_way(town: Town, centre: Centre) -> None:
    early = takes(town.resident, centre.reading_room, at(14), minutes=60)
    takes(town.neighbour, centre.reading_room, at(15, 30), minutes=60)
    long = takes(town.helper, centre.reading_room, at(14), waits=True)
    short = takes(town.guardian, centre.reading_room, at(14), minutes=60, waits=True)
    cancels(town.resident, early)
    assert (state_of(long), state_of(short)) == (WAITLISTED, OFFERED)


def test_a_room_nobody_came_to_is_offered_for_the_rest_of_its_time(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    _, first, _ = waits_behind(town, centre)
    clock.move_to(at(14, 15))
    assert jobs.release_no_shows(town_clock.now()) == 1
    offered = now_of(first)
    assert (offered.state, offered.starts_at, offered.ends_at) == (OFFERED, at(14, 30), at(16))
    assert offered.offer_expires_at == at(14, 30)
    accepts(town.neighbour, first)
    clock.move_to(at(14, 40))
    assert jobs.release_no_shows(town_clock.now()) == 0  # they have their own quarter of an hour
    checks_in(town.neighbour, first)


def test_leaving_early_frees_the_rest(town: Town, centre: Centre, clock: StoppedClock) -> None:
    held, first, _ = waits_behind(town, centre)
    clock.move_to(at(13, 50))
    checks_in(town.resident, held)
    clock.move_to(at(14, 40))
    signs_out(town.resident, held)
    assert held_times(centre.reading_room) == [("14:00", "14:50"), ("15:00", "16:10")]
    assert (state_of(first), now_of(first).starts_at) == (OFFERED, at(15))


def test_who_waits_in_vain_is_told_so(town: Town, centre: Centre, clock: StoppedClock) -> None:
    held, first, _ = waits_behind(town, centre)
    clock.move_to(at(14))
    checks_in(town.resident, held)
    clock.move_to(at(15, 31))
    assert jobs.end_room_offers(town_clock.now()) == 2
    assert (state_of(first), now_of(first).cancelled_by) == (CANCELLED, ReservationEnd.TOO_LATE)
    assert told(town.neighbour) == ["room_wait_over"]


def test_a_reviewed_room_is_offered_late_only_to_whom_staff_said_yes_before(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    held = takes(town.resident, centre.dance_room, at(14, on=SUNDAY))
    unseen = takes(town.neighbour, centre.dance_room, at(14, on=SUNDAY), waits=True)
    seen = takes(town.helper, centre.dance_room, at(14, on=SUNDAY), waits=True)
    is_approved_by(town.clerk, seen)
    is_approved_by(town.clerk, held)
    clock.move_to(at(9, on=SUNDAY))
    cancels(town.resident, held)
    assert (state_of(unseen), state_of(seen)) == (WAITLISTED, OFFERED)
    assert accepts(town.helper, seen).state is APPROVED
    assert jobs.end_room_offers(town_clock.now()) == 1
    assert state_of(unseen) is CANCELLED


def test_what_is_accepted_in_time_is_still_reviewed(town: Town, centre: Centre) -> None:
    held = takes(town.resident, centre.dance_room, at(14, on=MONDAY))
    waiting = takes(town.neighbour, centre.dance_room, at(14, on=MONDAY), waits=True)
    with transaction() as session:
        reject(session, again(session, held), "场地要检修", by=by_staff(town.clerk))
    assert accepts(town.neighbour, waiting).state is PENDING


def test_who_waits_and_has_used_up_the_week_cannot_accept(town: Town, centre: Centre) -> None:
    held = takes(town.resident, centre.reading_room, at(14, on=MONDAY))
    waiting = takes(town.neighbour, centre.reading_room, at(14, on=MONDAY), waits=True)
    for day in (1, 2):
        takes(town.neighbour, centre.hall, at(14, on=MONDAY + timedelta(days=day)))
    cancels(town.resident, held)
    with pytest.raises(Conflict) as caught:
        accepts(town.neighbour, waiting)
    assert caught.value.code == "reservation_limit"
    assert state_of(waiting) is OFFERED  # they may give up another one and accept then


def test_what_staff_call_off_goes_to_who_waits_too(town: Town, centre: Centre) -> None:
    held, first, _ = waits_behind(town, centre)
    with transaction() as session:
        assert call_off(session, again(session, held), "投影坏了", by=by_staff(town.clerk)) == 1
    assert state_of(first) is OFFERED
    assert told(town.resident) == ["room_reserved", "room_called_off"]


def test_offering_twice_offers_nothing_twice(town: Town, centre: Centre) -> None:
    held, first, _ = waits_behind(town, centre)
    cancels(town.resident, held)
    with transaction() as session:
        assert offer_what_is_free(session, [session.get_one(Venue, centre.reading_room.id)]) == 0
    assert state_of(first) is OFFERED


def test_a_community_decides_how_long_an_offer_stands(town: Town, centre: Centre) -> None:
    set_number(town.wutong, "room_offer_minutes", "30")
    held, first, _ = waits_behind(town, centre)
    cancels(town.resident, held)
    assert now_of(first).offer_expires_at == town_clock.now() + timedelta(minutes=30)


# --- what staff must review first ---------------------------------------------------------------------------------


def a_dance_is_given_up(town: Town, centre: Centre, clock: StoppedClock, when: datetime) -> Reservation:
    """Who waits for the dance room of Monday at two, once somebody else gave it up at a moment."""
    held = takes(town.resident, centre.dance_room, at(14, on=MONDAY))
    waiting = takes(town.neighbour, centre.dance_room, at(14, on=MONDAY), waits=True)
    is_approved_by(town.clerk, held)
    clock.move_to(when)
    cancels(town.resident, held)
    return waiting


def test_what_is_accepted_in_time_is_not_let_go_of_in_the_same_minute(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    waiting = a_dance_is_given_up(town, centre, clock, at(21, on=SUNDAY))
    assert now_of(waiting).offer_expires_at == at(
        2, on=MONDAY
    )  # twelve hours before it begins nobody looks any more
    clock.move_to(at(22, on=SUNDAY))
    assert accepts(town.neighbour, waiting).state is PENDING
    clock.advance(minutes=1)
    assert jobs.expire_unreviewed(town_clock.now()) == 0
    assert is_approved_by(town.clerk, waiting).state is APPROVED


def test_what_nobody_would_have_the_time_to_review_is_not_offered(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    waiting = a_dance_is_given_up(town, centre, clock, at(1, 50, on=MONDAY))
    assert state_of(waiting) is WAITLISTED
    assert jobs.end_room_offers(town_clock.now()) == 1
    assert now_of(waiting).cancelled_by is ReservationEnd.TOO_LATE


def test_an_offer_is_over_when_staff_need_longer_to_review_since(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    waiting = a_dance_is_given_up(town, centre, clock, at(12, on=SUNDAY))
    set_number(town.wutong, "unreviewed_until_hours", "30")
    with pytest.raises(Conflict) as caught:
        accepts(town.neighbour, waiting)
    assert caught.value.code == "offer_expired"


# --- what staff put in the queue ----------------------------------------------------------------------------------


def deeds_told_to(elder: Person) -> list[str]:
    """What was owed as a short message to somebody without a phone of their own to tap on, oldest first."""
    with reading() as session:
        rows = session.scalars(
            select(ShortMessage)
            .where(ShortMessage.resident_id == elder.resident_id)
            .order_by(ShortMessage.id)
        ).all()
        return [row.facts.get("deed", row.kind.value) for row in rows]


@pytest.mark.parametrize("room", ["reading_room", "dance_room"])
def test_staff_accept_for_whom_they_put_in_the_queue(town: Town, centre: Centre, room: str) -> None:
    wanted = getattr(centre, room)
    held = takes(town.resident, wanted, at(14, on=MONDAY))
    waiting = takes(town.elder, wanted, at(14, on=MONDAY), waits=True, by=by_staff(town.clerk))
    assert deeds_told_to(town.elder) == [f"排队候补11月23日14:00的{wanted.name}"]
    cancels(town.resident, held)
    for _ in range(2):
        with transaction() as session:
            made = accept(session, again(session, waiting), by=by_staff(town.clerk))
        assert made.state is APPROVED
    assert deeds_told_to(town.elder)[1:] == ["room_offered", f"预约场地11月23日14:00的{wanted.name}"]


def test_nobody_who_works_here_accepts_their_own(town: Town, centre: Centre) -> None:
    held, first, _ = waits_behind(town, centre)
    cancels(town.resident, held)
    with pytest.raises(Forbidden) as caught, transaction() as session:
        accept(session, again(session, first), by=By(town.neighbour.account_id, town.clerk.identity))
    assert caught.value.code == "own_content"


def test_what_the_community_waits_for_is_its_own_as_soon_as_it_is_free(town: Town, centre: Centre) -> None:
    held = takes(town.resident, centre.dance_room, at(14, on=MONDAY))
    waiting = takes(None, centre.dance_room, at(14, on=MONDAY), waits=True, about="重阳节演出")
    behind = takes(town.neighbour, centre.dance_room, at(14, on=MONDAY), waits=True)
    cancels(town.resident, held)
    assert (state_of(waiting), state_of(behind)) == (APPROVED, WAITLISTED)
    assert held_times(centre.dance_room) == [("14:00", "16:10")]


def test_who_hears_what_was_done_for_them_hears_how_far_it_got(town: Town, centre: Centre) -> None:
    takes(town.resident, centre.reading_room, at(14))
    helper: dict[str, Any] = {"by": by_phone(town.helper), "acted_for": True}
    takes(town.elder, centre.reading_room, at(14), waits=True, **helper)
    takes(town.elder, centre.dance_room, at(14, on=MONDAY), **helper)
    assert deeds_told_to(town.elder) == [
        "排队候补11月21日14:00的阅览室",
        "申请（待审核）11月23日14:00的舞蹈室",
    ]


def test_who_has_no_phone_to_tap_on_hears_too_that_they_waited_in_vain(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    held = takes(town.resident, centre.reading_room, at(14))
    takes(town.elder, centre.reading_room, at(14), waits=True, by=by_staff(town.clerk))
    clock.move_to(at(14))
    checks_in(town.resident, held)
    clock.move_to(at(15, 31))
    assert jobs.end_room_offers(town_clock.now()) == 1
    assert deeds_told_to(town.elder)[1:] == ["room_wait_over"]
