"""Closing rooms: what is in the way is seen, gets a remedy of the same day, and is moved, called off or ended with everybody told."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from models.availability import Stretch
from models.base import reading, transaction
from models.clock import StoppedClock
from models.coordination.closures import Choice, ClosureKind, Remedy, RoomClosure
from models.equipment import add_equipment
from models.errors import Conflict, Forbidden, Refusal
from models.journal import JournalEntry
from models.notices import Notice, NoticeKind
from models.occupancy import Occupancy
from models.reservations import ReservationState
from models.sites import Site
from tests.closing import PIPE, closes, effects, lifts, plan_of, remedies
from tests.people import Person, Town, a_run
from tests.rooms import (
    MONDAY,
    SATURDAY,
    SUNDAY,
    Centre,
    a_centre,
    a_group,
    at,
    checks_in,
    now_of,
    set_number,
    state_of,
    takes,
    told,
)


@pytest.fixture
def centre(town: Town) -> Centre:
    """The centre of the first community."""
    with transaction() as session:
        return a_centre(session, town.wutong)


def refused(*given: object, **more: object) -> Refusal:
    """The refusal that closing comes to."""
    with pytest.raises(Refusal) as caught:
        closes(*given, **more)  # type: ignore[arg-type]
    return caught.value


def held_by(closure: RoomClosure) -> list[tuple[int, datetime, datetime]]:
    """What a closure holds, in order."""
    with reading() as session:
        rows = session.scalars(
            select(Occupancy)
            .where(Occupancy.holder_key == closure.key)
            .order_by(Occupancy.space_id, Occupancy.starts_at)
        )
        return [(row.space_id, row.starts_at, row.ends_at) for row in rows]


def notice_to(who: Person, kind: NoticeKind) -> Notice:
    """The only notice of a kind to somebody."""
    with reading() as session:
        return session.scalars(
            select(Notice).where(Notice.account_id == who.account_id, Notice.kind == kind)
        ).one()


# --- the plan -----------------------------------------------------------------------------------------------------


def test_looking_writes_nothing_and_says_the_same_again(town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.left, at(9), heads=30)
    first = plan_of([centre.left], at(8), at(12))
    assert remedies(first) == [("个人预约", "move", "多功能厅右", at(9))]
    assert plan_of([centre.left], at(8), at(12)).fingerprint == first.fingerprint
    assert state_of(made) is ReservationState.APPROVED
    assert now_of(made).venue_id == centre.left.id


def test_the_smallest_room_that_fits_at_the_same_hour_comes_first(town: Town, centre: Centre) -> None:
    takes(town.resident, centre.left, at(9), heads=15)
    takes(town.neighbour, centre.left, at(14), heads=30)
    assert remedies(plan_of([centre.left], at(8), at(21))) == [
        ("个人预约", "move", "阅览室", at(9)),
        ("个人预约", "move", "多功能厅右", at(14)),
    ]


def test_two_remedies_never_take_the_same_hour(town: Town, centre: Centre) -> None:
    for person, hour in ((town.resident, 9), (town.neighbour, 12), (town.guardian, 15)):
        takes(person, centre.left, at(hour), heads=30)
    takes(town.helper, centre.right, at(9), heads=30)
    plan = plan_of([centre.left], at(8), at(21))
    taken = [one.stretch for one in plan.items if one.stretch]
    assert [one.venue and one.venue.name for one in plan.items] == ["多功能厅右"] * 3
    assert not any(a is not b and a.overlaps(b) for a in taken for b in taken)
    assert not any(one.overlaps(Stretch(at(9), at(11, 10))) for one in taken)


def test_what_fits_nowhere_is_called_off(town: Town, centre: Centre) -> None:
    takes(town.resident, centre.hall, at(9), heads=70)
    assert remedies(plan_of([centre.left], at(8), at(21))) == [("个人预约", "call_off", None, None)]


def test_the_hall_gives_way_when_a_half_is_closed_and_goes_to_another_hour_where_there_is_one(
    town: Town, centre: Centre
) -> None:
    takes(town.resident, centre.hall, at(9), heads=70)
    assert remedies(plan_of([centre.left], at(8), at(12))) == [("个人预约", "move", "多功能厅", at(12))]


def test_groups_choose_before_persons(town: Town, centre: Centre) -> None:
    takes(town.resident, centre.left, at(9), heads=30)
    takes(town.neighbour, centre.hall, at(14), heads=60, group=a_group(town, town.neighbour))
    plan = plan_of([centre.left], at(8), at(13, 30))
    assert [one.affected.title for one in plan.items] == ["个人预约"]
    plan = plan_of([centre.left], at(8), at(21))
    assert [one.affected.title for one in plan.items] == ["夕阳红合唱团", "个人预约"]


def test_equipment_that_is_promised_keeps_the_hour(town: Town, centre: Centre) -> None:
    with transaction() as session:
        site = session.get_one(Site, centre.left.site_id)
        key = add_equipment(session, site, name="投影仪", stock=1).key
    takes(town.resident, centre.left, at(9), heads=30, pieces={key: 1})
    takes(town.neighbour, centre.right, at(9), heads=30)
    assert remedies(plan_of([centre.left], at(8), at(12))) == [("个人预约", "call_off", None, None)]


def test_nobody_is_proposed_an_hour_at_which_they_have_another_room(town: Town, centre: Centre) -> None:
    set_number(town.wutong, "reservations_a_day", "0")
    takes(town.resident, centre.hall, at(9), heads=70)
    takes(town.resident, centre.reading_room, at(12))
    assert remedies(plan_of([centre.left], at(8), at(12))) == [("个人预约", "move", "多功能厅", at(14))]


def test_who_waits_for_a_closed_room_waits_in_vain(town: Town, centre: Centre) -> None:
    takes(town.resident, centre.reading_room, at(9))
    waits = takes(town.neighbour, centre.reading_room, at(9), waits=True)
    assert remedies(plan_of([centre.reading_room], at(8), at(12)))[1] == ("个人预约", "call_off", None, None)
    closes(town, [centre.reading_room], at(8), at(12))
    assert state_of(waits) is ReservationState.OVERRIDDEN
    assert now_of(waits).made_good_until is None  # they had nothing yet
    assert told(town.neighbour) == ["room_called_off"]


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "field"),
    [
        (at(12), at(9), "ends_at"),
        (at(9) - timedelta(days=2), at(9), "starts_at"),
        (at(9), at(9) + timedelta(days=93), "ends_at"),
        (at(9) + timedelta(days=364), at(9) + timedelta(days=367), "ends_at"),
    ],
)
def test_a_closure_that_cannot_be_names_its_field(
    town: Town, centre: Centre, starts_at: datetime, ends_at: datetime, field: str
) -> None:
    with pytest.raises(Conflict) as caught:
        plan_of([centre.left], starts_at, ends_at)
    assert (caught.value.code, caught.value.faults[0].field) == ("closure_unfit", field)


# --- closing ------------------------------------------------------------------------------------------------------


def test_a_closed_room_is_held_day_by_day_and_nobody_can_take_it(town: Town, centre: Centre) -> None:
    closure = closes(town, [centre.left], at(8), at(8, on=MONDAY) + timedelta(hours=4))
    rows = held_by(closure)
    assert rows[0][1] == at(8)
    assert rows[-1][2] == at(12, on=MONDAY)
    assert all(ends - starts <= timedelta(days=1) for _, starts, ends in rows)
    for room in (centre.left, centre.hall):
        with pytest.raises(Refusal) as caught:
            takes(town.resident, room, at(14))
        assert caught.value.code == "room_taken"
    assert state_of(takes(town.resident, centre.right, at(14))) is ReservationState.APPROVED


def test_a_moved_reservation_holds_the_other_room_and_its_person_is_told_at_once(
    town: Town, centre: Centre
) -> None:
    """E12."""
    made = takes(town.resident, centre.left, at(9), heads=30)
    closure = closes(town, [centre.left], at(8), at(12))
    moved = now_of(made)
    assert (moved.venue_id, moved.starts_at, moved.state) == (
        centre.right.id,
        at(9),
        ReservationState.APPROVED,
    )
    assert moved.moved_from == at(9)
    assert effects(closure) == [("个人预约", Remedy.MOVE)]
    with reading() as session:
        spaces = session.scalars(select(Occupancy.space_id).where(Occupancy.holder_key == made.key)).all()
    assert spaces == [centre.right.spaces[0].id]
    assert told(town.resident) == ["room_reserved", "room_moved"]
    notice = notice_to(town.resident, NoticeKind.ROOM_MOVED)
    assert notice.facts["reason"] == PIPE
    assert "多功能厅左" in notice.facts["was"]


def test_what_is_called_off_costs_nothing_and_is_made_good(town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.hall, at(9), heads=70)
    closes(town, [centre.left], at(8), at(21), offers="送两张电影票")
    gone = now_of(made)
    assert gone.state is ReservationState.OVERRIDDEN
    assert gone.made_good_until is not None
    assert told(town.resident) == ["room_reserved", "room_called_off"]
    assert "送两张电影票" in notice_to(town.resident, NoticeKind.ROOM_CALLED_OFF).facts["remark"]


def test_staff_choose_otherwise(town: Town, centre: Centre) -> None:
    first = takes(town.resident, centre.left, at(9), heads=30)
    second = takes(town.neighbour, centre.left, at(14), heads=30)
    closes(
        town,
        [centre.left],
        at(8),
        at(21),
        choices={
            first.key: Choice(Remedy.CALL_OFF),
            second.key: Choice(Remedy.MOVE, starts_at=at(14, on=SUNDAY), ends_at=at(16, on=SUNDAY)),
        },
    )
    assert state_of(first) is ReservationState.OVERRIDDEN
    assert (now_of(second).starts_at, now_of(second).venue_id) == (at(14, on=SUNDAY), centre.left.id)


def test_a_choice_that_cannot_be_is_named_and_nothing_is_done(town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.left, at(9), heads=30)
    other = takes(town.neighbour, centre.right, at(9), heads=30)
    refusal = refused(town, [centre.left], at(8), at(12), choices={other.key: Choice(Remedy.CALL_OFF)})
    assert (refusal.code, refusal.faults[0].field) == ("choices_unfit", "choices.0.thing")
    refusal = refused(town, [centre.left], at(8), at(12), choices={made.key: Choice(Remedy.KEEP)})
    assert refusal.faults[0].field == "choices.0.remedy"
    refusal = refused(
        town,
        [centre.left],
        at(8),
        at(12),
        choices={made.key: Choice(Remedy.MOVE, starts_at=at(11), ends_at=at(10))},
    )
    assert refusal.faults[0].field == "choices.0.ends_at"
    with reading() as session:
        assert session.scalars(select(RoomClosure)).all() == []
    assert now_of(made).venue_id == centre.left.id


@pytest.mark.parametrize(
    ("begins", "ends", "field"),
    [
        (at(23), at(1, on=SUNDAY), "ends_at"),  # over midnight
        (at(9, on=SATURDAY + timedelta(days=367)), at(11, on=SATURDAY + timedelta(days=367)), "starts_at"),
        (at(9, on=date(2099, 1, 1)), at(11, on=date(2099, 1, 1)), "starts_at"),
    ],
)
def test_staff_give_nobody_a_time_that_nobody_could_have(
    town: Town, centre: Centre, begins: datetime, ends: datetime, field: str
) -> None:
    made = takes(town.resident, centre.left, at(9), heads=30)
    to = Choice(Remedy.MOVE, starts_at=begins, ends_at=ends)
    refusal = refused(town, [centre.left], at(8), at(12), choices={made.key: to})
    assert (refusal.code, refusal.faults[0].field) == ("choices_unfit", f"choices.0.{field}")


def test_staff_give_a_reservation_the_last_hour_before_midnight_or_its_own_odd_hour_elsewhere(
    town: Town, centre: Centre
) -> None:
    set_number(town.wutong, "reserve_slots", "08:50-10:20")
    odd = takes(town.resident, centre.left, at(8, 50), minutes=90, heads=30)
    late = takes(town.neighbour, centre.left, at(14), heads=30)
    choices = {
        odd.key: Choice(Remedy.MOVE, venue=centre.right),
        late.key: Choice(Remedy.MOVE, starts_at=at(22), ends_at=at(0, on=SUNDAY)),
    }
    closes(town, [centre.left], at(8), at(18), choices=choices)
    assert (now_of(odd).venue_id, now_of(odd).starts_at) == (centre.right.id, at(8, 50))
    assert now_of(late).ends_at == at(0, on=SUNDAY)


def test_a_chosen_place_that_is_taken_is_refused_as_a_whole(town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.left, at(9), heads=15)
    takes(town.neighbour, centre.right, at(9), heads=30)
    refusal = refused(
        town, [centre.left], at(8), at(12), choices={made.key: Choice(Remedy.MOVE, venue=centre.right)}
    )
    assert refusal.code == "room_taken"
    assert now_of(made).venue_id == centre.left.id


def test_a_plan_that_changed_is_shown_anew(town: Town, centre: Centre) -> None:
    seen = plan_of([centre.left], at(8), at(12)).fingerprint
    takes(town.resident, centre.left, at(9))
    refusal = refused(town, [centre.left], at(8), at(12), fingerprint=seen)
    assert refusal.code == "plan_changed"
    assert refusal.details["fingerprint"] == plan_of([centre.left], at(8), at(12)).fingerprint != seen


def test_a_closure_leaves_the_cleaning_after_a_use_alone(town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.reading_room, at(9))
    closure = closes(town, [centre.reading_room], at(11), at(13))
    assert now_of(made).venue_id == centre.reading_room.id
    assert [row[1:] for row in held_by(closure)] == [(at(11, 10), at(13))]


def test_who_waits_for_what_a_move_sets_free_is_offered_it(town: Town, centre: Centre) -> None:
    takes(town.resident, centre.hall, at(9), heads=60)
    waits = takes(town.neighbour, centre.right, at(9), heads=30, waits=True)
    closes(town, [centre.left], at(8), at(12))
    assert state_of(waits) is ReservationState.OFFERED


# --- a room in use, notice, and who may -----------------------------------------------------------------------------


def test_a_room_in_use_is_closed_in_an_emergency_only(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.left, at(9), heads=30)
    clock.move_to(at(9))
    checks_in(town.resident, made)
    clock.move_to(at(10))
    assert remedies(plan_of([centre.left], None, at(14))) == [("个人预约", "end_now", None, None)]
    refusal = refused(town, [centre.left], None, at(14))
    assert (refusal.code, refusal.details["things"]) == ("room_in_use", [made.key])
    closure = closes(town, [centre.left], None, at(14), emergency_because="漏电")
    over = now_of(made)
    assert (over.state, over.ends_at) == (ReservationState.FINISHED, at(10))
    assert told(town.resident)[-1] == "room_cut_short"
    assert [row[1:] for row in held_by(closure)] == [(at(10), at(14))]


def test_whoever_is_late_and_finds_the_room_closed_gets_another(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.left, at(9), heads=30)
    clock.move_to(at(9, 5))
    closes(town, [centre.left], None, at(14), emergency_because="漏电")
    assert state_of(made) is ReservationState.OVERRIDDEN
    assert now_of(made).made_good_until is not None


def test_a_public_need_is_told_a_day_before(town: Town, centre: Centre) -> None:
    near = takes(town.resident, centre.left, at(9), heads=30)
    refusal = refused(town, [centre.left], at(8), at(12), kind=ClosureKind.PUBLIC_NEED)
    assert (refusal.code, refusal.details["things"]) == ("notice_too_short", [near.key])
    far = takes(town.neighbour, centre.left, at(9, on=MONDAY), heads=30)
    closes(town, [centre.left], at(8, on=MONDAY), at(12, on=MONDAY), kind=ClosureKind.PUBLIC_NEED)
    assert now_of(far).venue_id == centre.right.id
    closes(
        town,
        [centre.left],
        at(8),
        at(12),
        kind=ClosureKind.PUBLIC_NEED,
        emergency_because="防汛值守",
    )
    assert now_of(near).venue_id == centre.right.id


def test_the_journal_says_who_closed_what_and_why(town: Town, centre: Centre) -> None:
    takes(town.resident, centre.left, at(9), heads=30)
    closes(town, [centre.left], at(8), at(12))
    with reading() as session:
        acts = session.execute(
            select(JournalEntry.act, JournalEntry.by_account_id, JournalEntry.for_resident_id)
            .where(JournalEntry.act.in_(["room_closure.decided", "reservation.moved"]))
            .order_by(JournalEntry.id)
        ).all()
    assert [tuple(one) for one in acts] == [
        ("reservation.moved", town.clerk.account_id, town.resident.resident_id),
        ("room_closure.decided", town.clerk.account_id, None),
    ]


# --- opening again ------------------------------------------------------------------------------------------------


def test_lifting_lets_go_from_now_on_and_offers_it_to_who_waits(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    closure = closes(town, [centre.left], at(8), at(20))
    waits = takes(town.neighbour, centre.left, at(14), heads=30, waits=True)
    clock.move_to(at(10))
    lifts(town, closure)
    lifts(town, closure)
    assert [row[1:] for row in held_by(closure)] == [(at(8), at(10))]
    assert state_of(waits) is ReservationState.OFFERED


def test_a_closure_that_never_began_leaves_nothing(town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.left, at(9), heads=30)
    closure = closes(town, [centre.left], at(8), at(20))
    lifts(town, closure)
    assert held_by(closure) == []
    assert now_of(made).venue_id == centre.right.id  # what was moved stays where it is


def test_what_is_over_is_not_lifted(town: Town, centre: Centre, clock: StoppedClock) -> None:
    closure = closes(town, [centre.left], at(8), at(20))
    clock.move_to(at(20, 1))
    with pytest.raises(Conflict) as caught:
        lifts(town, closure)
    assert caught.value.code == "closure_over"


def test_a_clerk_takes_no_room_from_a_class_for_a_public_need(town: Town, centre: Centre) -> None:
    with transaction() as session:
        a_run(session, town.wutong, venue=centre.left, starts_at=at(9, on=MONDAY), title="合唱")
    with pytest.raises(Forbidden) as caught:
        closes(
            town,
            [centre.left],
            at(8, on=MONDAY),
            at(12, on=MONDAY),
            kind=ClosureKind.PUBLIC_NEED,
            may_override_classes=False,
        )
    assert caught.value.code == "admin_needed"
