"""Closures of the same room at the same time: what is closed already stays, the rest is closed, and what one lets go of the other has."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.base import reading, transaction
from models.clock import StoppedClock
from models.coordination.closures import ClosureKind, RoomClosure, closures_beside
from models.errors import Conflict
from models.occupancy import Occupancy
from models.reservations import ReservationState
from models.sites import Site, Venue
from tests.closing import closes, effects, lifts, plan_of, remedies
from tests.people import Town
from tests.rooms import Centre, a_centre, at, held_times, now_of, state_of, takes, told


@pytest.fixture
def centre(town: Town) -> Centre:
    """The centre of the first community."""
    with transaction() as session:
        return a_centre(session, town.wutong)


@pytest.fixture
def everything(centre: Centre) -> list[Venue]:
    """Every room of the site."""
    with reading() as session:
        return list(session.get_one(Site, centre.left.site_id).venues)


def holders(room: Venue) -> list[tuple[str, int, int]]:
    """By what the first piece of floor of a room is held, from which hour to which, in order."""
    with reading() as session:
        floor = session.get_one(Venue, room.id).spaces[0].id
        rows = session.scalars(
            select(Occupancy).where(Occupancy.space_id == floor).order_by(Occupancy.starts_at)
        ).all()
        begins = at(0)
        return [
            (
                row.holder_key,
                int((row.starts_at - begins).total_seconds()) // 3600,
                int((row.ends_at - begins).total_seconds()) // 3600,
            )
            for row in rows
        ]


def beside(closure: RoomClosure) -> list[str]:
    """The keys of the other closures of the same floor."""
    with reading() as session:
        return [one.key for one in closures_beside(session, session.get_one(RoomClosure, closure.id))]


def test_a_site_is_closed_though_one_of_its_rooms_is_closed_for_part_of_the_time(
    town: Town, centre: Centre, everything: list[Venue]
) -> None:
    mended = closes(town, [centre.dance_room], at(9), at(12))
    plan = plan_of(everything, at(8), at(20))
    assert [one.key for one in plan.closed_already] == [mended.key]
    dark = closes(town, everything, at(8), at(20))
    assert holders(centre.dance_room) == [(dark.key, 8, 9), (mended.key, 9, 12), (dark.key, 12, 20)]
    assert holders(centre.left) == holders(centre.reading_room) == [(dark.key, 8, 20)]
    assert (beside(mended), beside(dark)) == ([dark.key], [mended.key])
    with pytest.raises(Conflict) as caught:
        takes(town.resident, centre.dance_room, at(9))
    assert caught.value.code == "room_taken"


def test_what_is_in_the_way_of_both_is_told_once_and_by_the_one_that_found_it(
    town: Town, centre: Centre, everything: list[Venue]
) -> None:
    """A hall is two pieces of floor, and one of them is closed already."""
    moved = takes(town.resident, centre.left, at(9), heads=30)
    halls = takes(town.neighbour, centre.hall, at(14), heads=70)
    waits = takes(town.guardian, centre.hall, at(14), heads=70, waits=True)
    first = closes(town, [centre.left], at(8), at(12))
    assert effects(first) == [("个人预约", "move")]
    plan = plan_of(everything, at(8), at(20))
    assert [one.key for one in plan.closed_already] == [first.key]
    assert sorted(one.affected.key for one in plan.items) == sorted([moved.key, halls.key, waits.key])
    second = closes(town, everything, at(8), at(20))
    assert len(effects(second)) == 3
    assert {state_of(one) for one in (moved, halls, waits)} == {ReservationState.OVERRIDDEN}
    assert told(town.resident).count("room_called_off") == 1
    assert told(town.neighbour).count("room_called_off") == 1


def test_a_closure_of_the_same_room_that_goes_on_for_longer_closes_what_is_left(
    town: Town, centre: Centre
) -> None:
    first = closes(town, [centre.left], at(8), at(12))
    made = takes(town.resident, centre.left, at(14), heads=30)
    assert remedies(plan_of([centre.left], at(10), at(18))) == [("个人预约", "move", "多功能厅右", at(14))]
    second = closes(town, [centre.left], at(10), at(18))
    assert holders(centre.left) == [(first.key, 8, 12), (second.key, 12, 18)]
    assert now_of(made).venue_id == centre.right.id


def test_a_hall_is_closed_though_a_half_of_it_is(town: Town, centre: Centre) -> None:
    half = closes(town, [centre.left], at(8), at(12))
    hall = closes(town, [centre.hall], at(8), at(12))
    assert holders(centre.left) == [(half.key, 8, 12)]
    assert holders(centre.right) == [(hall.key, 8, 12)]


def test_what_is_closed_all_the_while_is_not_closed_again(town: Town, centre: Centre) -> None:
    first = closes(town, [centre.hall], at(8), at(12))
    second = closes(town, [centre.left], at(12), at(14))
    for begins, ends in ((8, 12), (9, 11), (10, 14)):
        with pytest.raises(Conflict) as caught:
            plan_of([centre.left], at(begins), at(ends))
        assert caught.value.code == "closed_already"
        assert caught.value.details["closures"] == sorted(
            [first.key, second.key] if ends > 12 else [first.key]
        )


def test_a_room_taken_for_a_public_need_stays_taken_when_the_site_is_closed(
    town: Town, centre: Centre, everything: list[Venue]
) -> None:
    need = closes(town, [centre.hall], at(14), at(18), kind=ClosureKind.PUBLIC_NEED)
    closes(town, everything, at(9), at(20))
    assert (need.key, 14, 18) in holders(centre.left)
    with reading() as session:
        purposes = session.scalars(
            select(Occupancy.purpose).where(Occupancy.holder_key == need.key).distinct()
        ).all()
    assert [one.value for one in purposes] == ["public_need"]


def test_a_plan_is_another_once_somebody_has_closed_part_of_it(
    town: Town, centre: Centre, everything: list[Venue]
) -> None:
    seen = plan_of(everything, at(8), at(20))
    closes(town, [centre.dance_room], at(9), at(12))  # it was in nobody's way
    with pytest.raises(Conflict) as caught:
        closes(town, everything, at(8), at(20), fingerprint=seen.fingerprint)
    assert caught.value.code == "plan_changed"


def test_what_a_lifted_closure_lets_go_of_the_other_has(
    town: Town, centre: Centre, everything: list[Venue], clock: StoppedClock
) -> None:
    mended = closes(town, [centre.hall], at(8), at(16))
    dark = closes(town, everything, at(9), at(12))
    waits = takes(town.neighbour, centre.left, at(10, 30), minutes=90, heads=30, waits=True)
    clock.move_to(at(10))
    lifts(town, mended)
    assert holders(centre.left) == holders(centre.right) == [(mended.key, 8, 10), (dark.key, 10, 12)]
    assert state_of(waits) is ReservationState.WAITLISTED  # the site is dark still
    assert takes(town.resident, centre.left, at(13), heads=30).state is ReservationState.APPROVED
    lifts(town, dark)
    assert state_of(waits) is ReservationState.OFFERED
    assert held_times(centre.dance_room) == [("09:00", "10:00")]


def test_what_a_lifted_closure_never_held_stays_with_the_other(
    town: Town, centre: Centre, everything: list[Venue]
) -> None:
    mended = closes(town, [centre.left], at(8), at(16))
    dark = closes(town, everything, at(9), at(18))
    lifts(town, dark)
    assert holders(centre.left) == [(mended.key, 8, 16)]
    assert holders(centre.right) == holders(centre.dance_room) == []


def test_of_three_closures_the_two_that_stand_share_what_the_third_lets_go_of(
    town: Town, centre: Centre
) -> None:
    first = closes(town, [centre.left], at(8), at(20))
    second = closes(town, [centre.hall], at(9), at(13))
    third = closes(town, [centre.hall], at(11), at(16))
    lifts(town, first)
    assert holders(centre.left) == [(second.key, 9, 13), (third.key, 13, 16)]
    assert holders(centre.right) == [(second.key, 9, 13), (third.key, 13, 16)]


def test_what_was_moved_out_of_one_closure_and_into_the_time_of_the_next_is_asked_about_anew(
    town: Town, centre: Centre
) -> None:
    made = takes(town.resident, centre.left, at(9), heads=30)
    first = closes(town, [centre.left], at(8), at(12))
    assert now_of(made).venue_id == centre.right.id
    second = closes(town, [centre.hall], at(8), at(12))
    assert effects(second) == [("个人预约", "move")]
    assert now_of(made).starts_at == at(12)
    assert (first.key, 8, 12) in holders(centre.left)
    assert told(town.resident) == ["room_reserved", "room_moved", "room_moved"]
