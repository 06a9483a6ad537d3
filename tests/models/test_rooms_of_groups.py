"""A group that may use nothing any more has no rooms ahead either: they go to who waits, and its leader hears of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.base import transaction
from models.clock import StoppedClock
from models.coordination.rooms_of_groups import disband, disband_by_staff, suspend
from models.errors import Conflict, NotFound
from models.groups import Group, GroupState
from models.reservations import Party, ReservationEnd, ReservationState, reserve_series
from models.sites import Venue
from tests.people import Person, Town
from tests.rooms import (
    MONDAY,
    SATURDAY,
    SUNDAY,
    Centre,
    a_centre,
    a_group,
    at,
    by_phone,
    cancels,
    checks_in,
    now_of,
    state_of,
    takes,
    told,
    wish,
)


@pytest.fixture
def centre(town: Town) -> Centre:
    """The centre of the first community."""
    with transaction() as session:
        return a_centre(session, town.wutong)


def test_a_disbanded_group_lets_its_rooms_go_to_who_waits(town: Town, centre: Centre) -> None:
    group = a_group(town, town.resident)
    theirs = takes(town.resident, centre.hall, at(9), group=group, heads=18)
    waits = takes(town.neighbour, centre.left, at(9), waits=True)
    with transaction() as session:
        by = town.clerk.member(session)
        assert disband_by_staff(session, session.get_one(Group, group.id), "不活动了", by=by) == 1
        assert disband_by_staff(session, session.get_one(Group, group.id), "不活动了", by=by) == 0
    gone = now_of(theirs)
    assert (gone.state, gone.cancelled_by) == (ReservationState.CANCELLED, ReservationEnd.STAFF)
    assert not gone.cancelled_late
    assert state_of(waits) is ReservationState.OFFERED
    assert "room_called_off" in told(town.resident)


def test_a_suspended_group_keeps_what_begins_afterwards(town: Town, centre: Centre) -> None:
    group = a_group(town, town.resident)
    soon = takes(town.resident, centre.hall, at(9, on=SUNDAY), group=group, heads=18)
    later = takes(town.resident, centre.hall, at(9, on=MONDAY), group=group, heads=18)
    with transaction() as session:
        held = session.get_one(Group, group.id)
        assert suspend(session, held, "损坏了音响", until=SUNDAY, by=town.clerk.member(session)) == 1
    assert state_of(soon) is ReservationState.CANCELLED
    assert state_of(later) is ReservationState.APPROVED


def test_who_is_in_the_room_stays_to_the_end(town: Town, centre: Centre, clock: StoppedClock) -> None:
    group = a_group(town, town.resident)
    theirs = takes(town.resident, centre.hall, at(9), group=group, heads=18)
    clock.move_to(at(9))
    checks_in(town.resident, theirs)
    clock.move_to(at(9) + timedelta(minutes=30))
    with transaction() as session:
        held = session.get_one(Group, group.id)
        assert suspend(session, held, "损坏了音响", until=SATURDAY, by=town.clerk.member(session)) == 0
    assert state_of(theirs) is ReservationState.CHECKED_IN


def test_a_leader_who_disbands_gives_up_its_rooms_and_nobody_elses(town: Town, centre: Centre) -> None:
    group = a_group(town, town.resident)
    theirs = takes(town.resident, centre.hall, at(9), group=group, heads=18)
    own = takes(town.resident, centre.reading_room, at(14))
    with transaction() as session:
        held = session.get_one(Group, group.id)
        assert disband(session, town.resident.account(session), held) == 1
        assert held.state is GroupState.DISBANDED
    assert now_of(theirs).cancelled_by is ReservationEnd.RESIDENT
    assert state_of(own) is ReservationState.APPROVED


def test_what_a_leader_has_themselves_the_group_may_still_wait_for(town: Town, centre: Centre) -> None:
    group = a_group(town, town.resident)
    own = takes(town.resident, centre.hall, at(9), heads=18)
    theirs = takes(town.resident, centre.hall, at(9), group=group, heads=18, waits=True)
    assert state_of(theirs) is ReservationState.WAITLISTED
    assert takes(town.resident, centre.hall, at(9), group=group, heads=18, waits=True).key == theirs.key
    cancels(town.resident, own)
    assert state_of(theirs) is ReservationState.OFFERED


def test_of_two_groups_one_person_leads_each_waits_for_itself(town: Town, centre: Centre) -> None:
    takes(town.neighbour, centre.hall, at(9), heads=18)
    waiting = [
        takes(town.resident, centre.hall, at(9), group=group, heads=18, waits=True)
        for group in (a_group(town, town.resident), a_group(town, town.resident, name="舞蹈队"))
    ]
    assert waiting[0].key != waiting[1].key


@pytest.mark.parametrize("weeks", [0, 2])
def test_a_group_that_was_suspended_since_it_was_looked_up_gets_no_room(
    town: Town, centre: Centre, weeks: int
) -> None:
    group = a_group(town, town.resident)
    with transaction() as session:
        suspend(
            session,
            session.get_one(Group, group.id),
            "损坏了音响",
            until=SUNDAY,
            by=town.clerk.member(session),
        )
    with pytest.raises(Conflict) as caught:
        takes_some_weeks(town.resident, centre, group, weeks)
    assert caught.value.code == "group_not_approved"


@pytest.mark.parametrize("weeks", [0, 2])
def test_who_leads_a_group_no_longer_takes_no_room_in_its_name(
    town: Town, centre: Centre, weeks: int
) -> None:
    group = a_group(town, town.resident)
    with transaction() as session:
        session.get_one(Group, group.id).leader_id = town.neighbour.resident_id
    with pytest.raises(NotFound) as caught:
        takes_some_weeks(town.resident, centre, group, weeks)
    assert caught.value.code == "no_group"


def takes_some_weeks(leader: Person, centre: Centre, group: Group, weeks: int) -> None:
    """Take the hall on Monday at nine in a group's name: once, or for some weeks."""
    if not weeks:
        takes(leader, centre.hall, at(9, on=MONDAY), group=group, heads=18)
        return
    with transaction() as session:
        reserve_series(
            session,
            session.get_one(Venue, centre.hall.id),
            wish(at(9, on=MONDAY), heads=18),
            weeks,
            whose=Party(leader.resident(session), session.get_one(Group, group.id)),
            by=by_phone(leader),
        )
