"""Reserving a room: who may, when, how often, and what whoever comes too late is told (domain.md §2.2)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from models.base import reading, transaction
from models.clock import StoppedClock
from models.errors import Conflict
from models.hours import Hours, OpenOn, write_hours
from models.inductions import record_induction, take_induction_back
from models.journal import JournalEntry
from models.policies import DEFAULTS
from models.reservations import By, Reservation, ReservationState, ReservedFor, RoomTaken
from models.sites import Venue, VenueUse
from models.venue_policies import set_venue_policy
from tests.people import Person, Town
from tests.rooms import (
    MONDAY,
    NEXT_FRIDAY,
    SATURDAY,
    SUNDAY,
    Centre,
    a_group,
    at,
    by_staff,
    cancels,
    held_times,
    set_number,
    state_of,
    takes,
    told,
)

APPROVED, PENDING, WAITLISTED = (
    ReservationState.APPROVED,
    ReservationState.PENDING,
    ReservationState.WAITLISTED,
)


def refused(person: Person | None, room: Venue, starts_at: datetime, **more: Any) -> Conflict:
    """What somebody is told who may not."""
    with pytest.raises(Conflict) as caught:
        takes(person, room, starts_at, **more)
    return caught.value


def test_one_tap_takes_a_room_and_holds_it_with_the_time_to_clean_up(town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.reading_room, at(9))
    assert made.state is APPROVED
    assert held_times(centre.reading_room) == [("09:00", "11:10")]
    assert told(town.resident) == ["room_reserved"]
    assert len(made.code) == 6


def test_a_second_tap_for_the_same_is_the_same_reservation(town: Town, centre: Centre) -> None:
    first = takes(town.resident, centre.reading_room, at(9))
    assert takes(town.resident, centre.reading_room, at(9)).key == first.key
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Reservation)) == 1
    assert told(town.resident) == ["room_reserved"]


def test_a_reviewed_room_is_held_honestly_until_staff_say_so(town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.dance_room, at(9, on=SUNDAY))
    assert made.state is PENDING
    assert held_times(centre.dance_room) == [("09:00", "11:10")]
    assert told(town.resident) == []
    assert refused(town.neighbour, centre.dance_room, at(10, on=SUNDAY)).code == "room_taken"


@pytest.mark.parametrize(
    ("starts_at", "minutes", "field", "says"),
    [
        (at(9, 15), 120, "starts_at", "整点或半点"),
        (at(9), 45, "ends_at", "整点或半点"),
        (at(9), 0, "ends_at", "晚于"),
        (at(9), -60, "ends_at", "晚于"),
        (at(23), 120, "ends_at", "半夜"),
        (at(9) - timedelta(days=2), 120, "starts_at", "已经过了"),
        (at(9) + timedelta(days=400), 120, "starts_at", "一年"),
        (at(9), 150, "ends_at", "120"),
        (at(9) + timedelta(seconds=1), 120, "starts_at", "整点或半点"),
    ],
)
def test_a_time_that_cannot_be_names_its_field(
    town: Town, centre: Centre, starts_at: datetime, minutes: int, field: str, says: str
) -> None:
    refusal = refused(town.resident, centre.reading_room, starts_at, minutes=minutes)
    assert (refusal.code, refusal.faults[0].field) == ("time_unfit", field)
    assert says in refusal.faults[0].message


def test_a_fixed_slot_of_the_room_is_taken_though_it_lies_off_the_grid(town: Town, centre: Centre) -> None:
    with transaction() as session:
        room = session.get_one(Venue, centre.reading_room.id)
        set_venue_policy(session, room, "reserve_slots", "09:15-11:15 13:45-15:45")
    assert refused(town.neighbour, centre.reading_room, at(9, 15), minutes=90).code == "time_unfit"
    assert refused(town.neighbour, centre.hall, at(9, 15)).code == "time_unfit"
    takes(town.resident, centre.reading_room, at(9, 15))
    assert held_times(centre.reading_room) == [("09:15", "11:25")]
    told = refused(town.neighbour, centre.reading_room, at(9, 15))
    assert isinstance(told, RoomTaken)
    first, *_ = told.details["alternatives"]
    assert (first["venue"], first["starts_at"]) == (centre.reading_room.key, "2026-11-21T13:45:00+08:00")
    assert takes(town.neighbour, centre.reading_room, at(13, 45)).state is ReservationState.APPROVED


def test_midnight_at_the_end_is_still_the_same_day(town: Town, centre: Centre) -> None:
    with transaction() as session:
        write_hours(
            session, session.get_one(Venue, centre.reading_room.id), [Hours(OpenOn.WEEKEND, 480, 1440)]
        )
    assert takes(town.resident, centre.reading_room, at(22)).state is APPROVED


def test_the_next_day_opens_at_eight_seven_days_before(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    eighth_day = NEXT_FRIDAY + timedelta(days=1)
    refusal = refused(town.resident, centre.reading_room, at(9, on=eighth_day))
    assert (refusal.code, refusal.details["opens_at"]) == ("not_open_yet", "2026-11-21T08:00:00+08:00")
    clock.move_to(at(7, 59))
    assert refused(town.resident, centre.reading_room, at(9, on=eighth_day)).code == "not_open_yet"
    clock.move_to(at(8))
    assert takes(town.resident, centre.reading_room, at(9, on=eighth_day)).state is APPROVED


def test_a_group_reserves_farther_ahead_and_for_longer(town: Town, centre: Centre) -> None:
    choir = a_group(town, town.resident)
    far = at(9, on=SATURDAY + timedelta(days=12))
    assert refused(town.resident, centre.hall, far).code == "not_open_yet"
    made = takes(town.resident, centre.hall, far, minutes=240, group=choir, heads=30)
    assert (made.state, made.group_id) == (APPROVED, choir.id)


def test_today_may_be_reserved_until_it_begins(town: Town, centre: Centre, clock: StoppedClock) -> None:
    clock.move_to(at(9))
    assert takes(town.resident, centre.reading_room, at(9)).state is APPROVED
    clock.advance(seconds=1)
    assert refused(town.neighbour, centre.hall, at(9)).code == "time_unfit"


def test_outside_the_hours_it_is_closed_and_says_when_it_is_open(town: Town, centre: Centre) -> None:
    refusal = refused(town.resident, centre.reading_room, at(20, 30))
    assert refusal.code == "closed_then"
    assert "08:30-21:00" in refusal.message
    with transaction() as session:
        write_hours(
            session, session.get_one(Venue, centre.reading_room.id), [Hours(OpenOn.WORKDAY, 540, 1020)]
        )
    assert "不开放" in refused(town.resident, centre.reading_room, at(9)).message


def test_more_heads_than_the_room_holds_are_refused(town: Town, centre: Centre) -> None:
    refusal = refused(town.resident, centre.reading_room, at(9), heads=21)
    assert (refusal.code, refusal.faults[0].field) == ("too_many_heads", "headcount")
    assert takes(town.resident, centre.reading_room, at(9), heads=20).headcount == 20


def test_one_a_day_two_a_week_and_so_many_minutes(town: Town, centre: Centre) -> None:
    takes(town.resident, centre.reading_room, at(9, on=MONDAY))
    assert "每天" in refused(town.resident, centre.hall, at(14, on=MONDAY)).message
    takes(town.resident, centre.reading_room, at(9, on=MONDAY + timedelta(days=1)))
    week = refused(town.resident, centre.reading_room, at(9, on=MONDAY + timedelta(days=2)))
    assert (week.code, "每周最多预约 2 次" in week.message) == ("reservation_limit", True)
    set_number(town.wutong, "reservations_a_week", "9")
    minutes = refused(town.resident, centre.reading_room, at(9, on=MONDAY + timedelta(days=2)))
    assert "240 分钟" in minutes.message
    takes(town.resident, centre.reading_room, at(9))  # Saturday belongs to the week before


def test_what_was_cancelled_in_time_counts_for_nothing(town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.reading_room, at(9, on=MONDAY))
    cancels(town.resident, made)
    assert takes(town.resident, centre.hall, at(14, on=MONDAY)).state is APPROVED


def test_nobody_has_two_rooms_at_one_time(town: Town, centre: Centre) -> None:
    set_number(town.wutong, "reservations_a_day", "0")
    first = takes(town.resident, centre.reading_room, at(9))
    refusal = refused(town.resident, centre.hall, at(10))
    assert (refusal.code, refusal.details["reservation"]) == ("own_clash", first.key)
    assert takes(town.resident, centre.hall, at(11)).state is APPROVED


def test_rooms_say_who_may_use_them_and_how(town: Town, centre: Centre) -> None:
    assert refused(town.resident, centre.corridor, at(9)).code == "no_need_to_reserve"
    assert refused(town.resident, centre.kitchen, at(9)).code == "staff_only"
    made = takes(town.resident, centre.kitchen, at(9), by=by_staff(town.clerk))
    assert made.state is APPROVED


def test_a_room_with_a_stove_is_for_who_was_shown_it(town: Town, centre: Centre) -> None:
    with transaction() as session:
        room = session.get_one(Venue, centre.kitchen.id)
        room.use = VenueUse.AFTER_INDUCTION
    assert refused(town.resident, centre.kitchen, at(9)).code == "induction_needed"
    with transaction() as session:
        record_induction(
            session,
            session.get_one(Venue, centre.kitchen.id),
            town.resident.resident(session),
            done_on=SATURDAY - timedelta(days=1),
            by_account_id=town.clerk.account_id,
            identity=town.clerk.identity,
        )
    assert takes(town.resident, centre.kitchen, at(9)).state is APPROVED
    with transaction() as session:
        take_induction_back(
            session, session.get_one(Venue, centre.kitchen.id), town.resident.resident(session)
        )
    assert refused(town.resident, centre.kitchen, at(9, on=MONDAY)).code == "induction_needed"


def test_other_communities_are_admitted_where_the_room_allows_it(town: Town, centre: Centre) -> None:
    assert refused(town.outsider, centre.reading_room, at(9)).code == "others_not_admitted"
    with transaction() as session:
        set_venue_policy(session, session.get_one(Venue, centre.reading_room.id), "others_may_reserve", "1")
    assert takes(town.outsider, centre.reading_room, at(9)).state is APPROVED
    assert refused(town.outsider, centre.hall, at(14)).code == "others_not_admitted"


def test_a_child_does_not_reserve_alone(town: Town, centre: Centre) -> None:
    assert refused(town.child, centre.reading_room, at(9), by=By(None, "resident")).code == "adult_needed"
    made = takes(
        town.child, centre.reading_room, at(9), by=By(town.guardian.account_id, "resident"), acted_for=True
    )
    assert (made.state, told(town.guardian)) == (APPROVED, [])


def test_who_did_not_promise_to_keep_the_room_safe_is_asked_to(town: Town, centre: Centre) -> None:
    refusal = refused(town.resident, centre.reading_room, at(9), pledge_version=None)
    assert (refusal.code, refusal.details) == ("pledge_needed", {"version": "2026-11"})
    assert (
        refused(town.resident, centre.reading_room, at(9), pledge_version="2020-01").code == "pledge_needed"
    )
    assert takes(town.resident, centre.reading_room, at(9)).pledge_version == "2026-11"


def test_a_reviewed_room_is_asked_for_while_there_is_time_to_review(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    clock.move_to(at(9, on=SUNDAY) - timedelta(hours=12))
    assert refused(town.resident, centre.dance_room, at(9, on=SUNDAY)).code == "too_late_for_review"
    assert takes(town.resident, centre.dance_room, at(9, 30, on=SUNDAY)).state is PENDING


def test_who_comes_too_late_is_told_what_else_there_is(town: Town, centre: Centre) -> None:
    takes(town.neighbour, centre.reading_room, at(14))
    with pytest.raises(RoomTaken) as caught:
        takes(town.resident, centre.reading_room, at(14))
    offered = caught.value.details["alternatives"]
    assert {one["kind"] for one in offered} >= {"other_time", "other_room"}
    assert caught.value.details["may_wait"]
    assert "厨房" not in {one["name"] for one in offered}
    for one in offered:  # every one of them may really be taken
        with transaction() as session:
            venue = session.scalars(select(Venue).where(Venue.key == one["venue"])).one()
        other = town.people(1)[0]
        starts, ends = (datetime.fromisoformat(one[each]) for each in ("starts_at", "ends_at"))
        made = takes(other, venue, starts, minutes=int((ends - starts).total_seconds() // 60))
        assert made.state in (APPROVED, PENDING)
        cancels(other, made)


def test_the_hall_and_its_halves_are_one_floor(town: Town, centre: Centre) -> None:
    """E13."""
    takes(town.resident, centre.left, at(9))
    assert refused(town.neighbour, centre.hall, at(10), heads=60).code == "room_taken"
    assert takes(town.neighbour, centre.right, at(9)).state is APPROVED
    assert refused(town.people(1)[0], centre.hall, at(10, 30)).code == "room_taken"


def test_between_two_uses_there_is_time_to_clean_up(town: Town, centre: Centre) -> None:
    takes(town.resident, centre.reading_room, at(9))
    assert refused(town.neighbour, centre.reading_room, at(11)).code == "room_taken"
    assert takes(town.neighbour, centre.reading_room, at(11, 30)).state is APPROVED
    assert refused(town.people(1)[0], centre.reading_room, at(8, 30), minutes=30).code == "room_taken"


def test_where_no_time_to_clean_up_is_asked_for_two_fixed_slots_that_touch_are_two(
    town: Town, centre: Centre
) -> None:
    set_number(town.wutong, "buffer_minutes", "0")
    assert DEFAULTS.buffer_minutes == 0
    takes(town.resident, centre.reading_room, at(14))
    assert takes(town.neighbour, centre.reading_room, at(16)).state is APPROVED


def test_the_community_itself_reserves_without_limits_and_is_nobodys_credit(
    town: Town, centre: Centre
) -> None:
    for hour in (9, 13, 17):
        made = takes(None, centre.hall, at(hour), minutes=180, heads=80, about="重阳节演出")
        assert (made.state, made.resident_id, made.about) == (APPROVED, None, "重阳节演出")
    takes(None, centre.hall, at(9) + timedelta(days=200))


def test_staff_reserve_for_somebody_without_a_phone_who_hears_of_it(town: Town, centre: Centre) -> None:
    made = takes(town.elder, centre.dance_room, at(9), by=by_staff(town.clerk))
    assert (made.state, made.by_account_id) == (APPROVED, town.clerk.account_id)
    with reading() as session:
        entry = session.scalars(select(JournalEntry).where(JournalEntry.act == "reservation.made")).one()
        assert (entry.for_resident_id, entry.identity) == (town.elder.resident_id, town.clerk.identity)


def test_who_acts_for_an_adult_is_named_to_them(town: Town, centre: Centre) -> None:
    takes(town.neighbour, centre.hall, at(9), by=by_staff(town.clerk))
    assert told(town.neighbour) == ["reserved_for_you"]


def test_one_may_wait_for_a_room_that_is_taken(town: Town, centre: Centre) -> None:
    takes(town.resident, centre.reading_room, at(9))
    made = takes(town.neighbour, centre.reading_room, at(9), waits=True)
    assert made.state is WAITLISTED
    assert held_times(centre.reading_room) == [("09:00", "11:10")]
    assert takes(town.neighbour, centre.reading_room, at(9), waits=True).key == made.key


def test_a_free_room_is_taken_at_once_also_by_one_who_would_wait(town: Town, centre: Centre) -> None:
    assert takes(town.resident, centre.reading_room, at(9), waits=True).state is APPROVED


def test_what_is_wanted_is_written_down_as_it_was_said(town: Town, centre: Centre) -> None:
    made = takes(
        town.resident,
        centre.hall,
        at(9),
        heads=12,
        wanted_for=ReservedFor.REHEARSAL,
        loudspeaker=True,
        with_children=True,
    )
    assert (made.headcount, made.wanted_for, made.loudspeaker, made.with_children) == (
        12,
        ReservedFor.REHEARSAL,
        True,
        True,
    )
    assert state_of(made) is APPROVED
