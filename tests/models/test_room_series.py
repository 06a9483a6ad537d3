"""The same hours of some weeks for a group: looked at first, then all of it or the days that were named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from models.base import transaction
from models.clock import StoppedClock
from models.errors import Conflict
from models.groups import Group
from models.reservations import (
    Party,
    Reservation,
    ReservationState,
    Scope,
    SeriesDay,
    call_off,
    cancel,
    look_at_series,
    reserve_series,
)
from models.sites import Venue
from tests.closing import closes
from tests.people import Person, Town
from tests.rooms import (
    SATURDAY,
    Centre,
    a_group,
    again,
    at,
    by_phone,
    by_staff,
    cancels,
    checks_in,
    held_times,
    now_of,
    signs_out,
    state_of,
    takes,
    told,
    wish,
)

APPROVED, CANCELLED, FINISHED = (
    ReservationState.APPROVED,
    ReservationState.CANCELLED,
    ReservationState.FINISHED,
)
WEEKS = [SATURDAY + timedelta(weeks=n) for n in range(4)]


@pytest.fixture
def choir(town: Town) -> Group:
    """A group of the community, led by the resident."""
    return a_group(town, town.resident)


def looks(person: Person, room: Venue, group: Group | None, *, weeks: int = 4) -> Sequence[SeriesDay]:
    """Look at the series of Saturday at two."""
    with transaction() as session:
        return look_at_series(
            session,
            session.get_one(Venue, room.id),
            wish(at(14), heads=18),
            weeks,
            whose=Party(person.resident(session), session.get_one(Group, group.id) if group else None),
            by=by_phone(person),
        )


def takes_series(
    person: Person,
    room: Venue,
    group: Group,
    *,
    weeks: int = 4,
    only: Sequence[date] | None = None,
    first: date = SATURDAY,
    **more: Any,
) -> Sequence[Reservation]:
    """Take the series of Saturday at two, in a transaction of one's own."""
    with transaction() as session:
        return reserve_series(
            session,
            session.get_one(Venue, room.id),
            wish(at(14, on=first), heads=18, **more),
            weeks,
            only=only,
            whose=Party(person.resident(session), session.get_one(Group, group.id)),
            by=by_phone(person),
        )


def test_four_weeks_are_taken_at_once_and_told_once(town: Town, centre: Centre, choir: Group) -> None:
    assert [day.refusal for day in looks(town.resident, centre.hall, choir)] == [None] * 4
    made = takes_series(town.resident, centre.hall, choir)
    assert [one.starts_at for one in made] == [at(14, on=day) for day in WEEKS]
    assert {one.state for one in made} == {APPROVED}
    assert held_times(centre.hall) == [("14:00", "16:10")] * 4
    assert told(town.resident) == ["room_reserved"]


def test_what_does_not_fit_is_shown_before_and_nothing_is_taken_of_it(
    town: Town, centre: Centre, choir: Group, clock: StoppedClock
) -> None:
    takes(None, centre.left, at(15, on=WEEKS[2]))
    verdicts = {
        day.on: day.refusal.code if day.refusal else None for day in looks(town.resident, centre.hall, choir)
    }
    assert verdicts == {WEEKS[0]: None, WEEKS[1]: None, WEEKS[2]: "room_taken", WEEKS[3]: None}
    with pytest.raises(Conflict) as caught:
        takes_series(town.resident, centre.hall, choir)
    assert caught.value.code == "series_unfit"
    assert [fault.code for fault in caught.value.faults] == ["room_taken"]
    assert caught.value.details["fit"] == [day.isoformat() for day in WEEKS if day != WEEKS[2]]
    assert held_times(centre.hall) == [("15:00", "17:10")]
    made = takes_series(town.resident, centre.hall, choir, only=[WEEKS[0], WEEKS[1], WEEKS[3]])
    assert len(made) == 3


def test_days_that_are_none_of_its_own_are_named(town: Town, centre: Centre, choir: Group) -> None:
    with pytest.raises(Conflict) as caught:
        takes_series(town.resident, centre.hall, choir, only=[WEEKS[0], SATURDAY + timedelta(days=1)])
    assert caught.value.code == "series_unfit"
    assert "2026-11-22" in caught.value.faults[0].message
    with pytest.raises(Conflict) as caught:
        takes_series(town.resident, centre.hall, choir, only=[])
    assert caught.value.faults[0].field == "days"


def test_a_series_is_a_groups_and_there_is_one_at_a_time(town: Town, centre: Centre, choir: Group) -> None:
    with pytest.raises(Conflict) as caught:
        looks(town.resident, centre.hall, None)
    assert caught.value.code == "series_for_groups"
    takes_series(town.resident, centre.hall, choir, weeks=2)
    with pytest.raises(Conflict) as caught:
        takes_series(town.resident, centre.reading_room, choir)
    assert caught.value.code == "series_limit"


def test_two_single_reservations_a_week_go_beside_the_series(
    town: Town, centre: Centre, choir: Group
) -> None:
    takes_series(town.resident, centre.hall, choir)
    for days in (2, 3):
        takes(town.resident, centre.hall, at(9, on=WEEKS[0] + timedelta(days=days)), group=choir)
    with pytest.raises(Conflict) as caught:
        takes(town.resident, centre.hall, at(9, on=WEEKS[0] + timedelta(days=4)), group=choir)
    assert caught.value.code == "reservation_limit"


@pytest.mark.parametrize(
    ("scope", "gone"),
    [(Scope.THIS, [1]), (Scope.THIS_AND_LATER, [1, 2, 3]), (Scope.ALL, [1, 2, 3])],
)
def test_this_one_this_and_the_later_ones_or_all_but_never_the_past(
    town: Town, centre: Centre, choir: Group, clock: StoppedClock, scope: Scope, gone: list[int]
) -> None:
    made = takes_series(town.resident, centre.hall, choir)
    clock.move_to(at(14))
    checks_in(town.resident, made[0])
    clock.move_to(at(16))
    signs_out(town.resident, made[0])
    assert cancels(town.resident, made[1], scope=scope) == len(gone)
    assert [state_of(one) for one in made] == [
        FINISHED,
        *(CANCELLED if n in gone else APPROVED for n in (1, 2, 3)),
    ]


def test_all_of_it_is_meant_from_whichever_one_is_pointed_at(
    town: Town, centre: Centre, choir: Group
) -> None:
    made = takes_series(town.resident, centre.hall, choir)
    assert cancels(town.resident, made[2], scope=Scope.ALL) == 4
    assert held_times(centre.hall) == []


def test_staff_call_off_what_is_left_of_it(town: Town, centre: Centre, choir: Group) -> None:
    made = takes_series(town.resident, centre.hall, choir)
    with transaction() as session:
        told_off = call_off(
            session,
            again(session, made[1]),
            "装修",
            by=by_staff(town.clerk),
            scope=Scope.THIS_AND_LATER,
        )
    assert told_off == 3
    assert [state_of(one) for one in made] == [APPROVED, CANCELLED, CANCELLED, CANCELLED]


@pytest.mark.parametrize("by_the_office", [True, False])
def test_a_series_of_which_a_week_was_moved_lets_go_of_both_rooms_for_who_waits(
    town: Town, centre: Centre, choir: Group, by_the_office: bool
) -> None:
    made = takes_series(town.resident, centre.left, choir, weeks=2)
    closes(town, [centre.left], at(13), at(18))
    assert now_of(made[0]).venue_id == centre.reading_room.id
    waits = takes(town.neighbour, centre.reading_room, at(14), waits=True)
    with transaction() as session:
        later = again(session, made[1])
        if by_the_office:
            call_off(session, later, "换届", by=by_staff(town.clerk), scope=Scope.ALL)
        else:
            cancel(session, later, by=by_phone(town.resident), scope=Scope.ALL)
    assert {state_of(one) for one in made} == {CANCELLED}
    assert state_of(waits) is ReservationState.OFFERED


def test_a_week_in_which_the_room_is_closed_is_called_closed(
    town: Town, centre: Centre, choir: Group
) -> None:
    closes(town, [centre.left], at(13, on=WEEKS[1]), at(18, on=WEEKS[1]))
    takes(None, centre.left, at(14, on=WEEKS[2]), about="支部会议")
    said = [day.refusal and day.refusal.message for day in looks(town.resident, centre.left, choir)]
    assert said == [None, "这一天停用", "这一天已被约走", None]


@pytest.mark.parametrize("left_out", [True, False])
def test_nobody_reaches_beyond_the_window_by_leaving_the_first_week_out(
    town: Town, centre: Centre, choir: Group, left_out: bool
) -> None:
    days = WEEKS[3:] if left_out else WEEKS[2:]
    with pytest.raises(Conflict) as caught:
        takes_series(town.resident, centre.hall, choir, weeks=2, first=WEEKS[2], only=days)
    assert caught.value.code == "not_open_yet"
    assert held_times(centre.hall) == []
    takes(town.neighbour, centre.hall, at(14))
    assert len(takes_series(town.resident, centre.hall, choir, only=WEEKS[1:])) == 3  # taken is not too early
