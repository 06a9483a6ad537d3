"""The day of a reservation: reviewed, reminded of, checked in, signed out, released, and what it does to somebody's credit."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.errors import Conflict, Forbidden, NotFound
from models.notices import Notice, NoticeKind
from models.policies import DEFAULTS
from models.reservations import (
    By,
    Condition,
    CreditAppealState,
    CreditEntry,
    CreditWhy,
    Reservation,
    ReservationEnd,
    ReservationState,
    Scope,
    appeal_credit,
    approve,
    call_off,
    cancel,
    check_in,
    check_in_by_code,
    credit_of,
    credit_standing,
    decide_credit_appeal,
    excuse,
    note_damage,
    reject,
    renew_door_code,
    sign_out,
)
from models.sites import Venue
from models.venue_policies import set_venue_policy
from server.jobs import rooms as jobs
from tests.people import Person, Town
from tests.rooms import (
    DOOR,
    MONDAY,
    SUNDAY,
    Centre,
    a_group,
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


def credit(person: Person) -> tuple[int, bool]:
    """Somebody's points, and whether they are paused."""
    with reading() as session:
        standing, _ = credit_standing(session, person.resident(session))
        return standing.points, standing.paused_until is not None


def entries(reservation: Reservation) -> list[tuple[str, int]]:
    """What a reservation gave and took."""
    with reading() as session:
        rows = session.scalars(
            select(CreditEntry).where(CreditEntry.reservation_id == reservation.id).order_by(CreditEntry.id)
        ).all()
        return [(row.why.value, row.points) for row in rows]


def the_entry(session: Session) -> CreditEntry:
    """The only entry there is."""
    return session.scalars(select(CreditEntry)).one()


# --- review -------------------------------------------------------------------------------------------------------


def test_staff_say_yes_and_they_are_told(town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.dance_room, at(9, on=SUNDAY))
    assert is_approved_by(town.clerk, made).state is ReservationState.APPROVED
    assert is_approved_by(town.clerk, made).state is ReservationState.APPROVED
    assert told(town.resident) == ["room_reserved"]


def test_staff_say_no_with_a_reason_and_the_room_is_free(town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.dance_room, at(9, on=SUNDAY))
    for _ in range(2):
        with transaction() as session:
            reject(session, again(session, made), "地板在保养", by=by_staff(town.clerk))
    assert state_of(made) is ReservationState.REJECTED
    assert held_times(centre.dance_room) == []
    with reading() as session:
        notice = session.scalars(select(Notice).where(Notice.account_id == town.resident.account_id)).one()
        assert (notice.kind, notice.facts["reason"]) == (NoticeKind.ROOM_REFUSED, "地板在保养")


def test_what_was_decided_is_not_decided_otherwise(town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.dance_room, at(9, on=SUNDAY))
    is_approved_by(town.clerk, made)
    with pytest.raises(Conflict) as caught, transaction() as session:
        reject(session, again(session, made), "不行", by=by_staff(town.admin))
    assert caught.value.code == "review_over"
    cancels(town.resident, made)
    with pytest.raises(Conflict) as caught:
        is_approved_by(town.clerk, made)
    assert caught.value.code == "review_over"


def test_nobody_decides_about_their_own(town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.dance_room, at(9, on=SUNDAY))
    own = By(town.resident.account_id, town.clerk.identity)
    with transaction() as session:
        for deed in (approve, partial(reject, because="不")):
            with pytest.raises(Forbidden) as caught:
                deed(session, again(session, made), by=own)
            assert caught.value.code == "own_content"


def test_what_nobody_reviewed_twelve_hours_before_is_let_go_and_they_are_told_why(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    """E11; and E26: hours run on a day off too."""
    made = takes(town.resident, centre.dance_room, at(9, on=MONDAY))
    clock.move_to(at(21, on=SUNDAY) - timedelta(seconds=1))
    assert jobs.expire_unreviewed(town_clock.now()) == 0
    clock.advance(seconds=1)
    assert jobs.expire_unreviewed(town_clock.now()) == 1
    assert jobs.expire_unreviewed(town_clock.now()) == 0
    assert (state_of(made), held_times(centre.dance_room)) == (ReservationState.EXPIRED, [])
    assert told(town.resident) == ["room_refused"]
    with pytest.raises(Conflict) as caught:
        is_approved_by(town.clerk, made)
    assert caught.value.code == "review_over"


# --- giving up ----------------------------------------------------------------------------------------------------


def test_giving_up_in_time_costs_nothing_and_late_costs_five(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    early = takes(town.resident, centre.reading_room, at(14))
    late = takes(town.neighbour, centre.hall, at(14))
    clock.move_to(at(12))
    assert cancels(town.resident, early) == 1
    clock.advance(minutes=1)
    assert cancels(town.neighbour, late) == 1
    assert cancels(town.neighbour, late) == 0
    assert (entries(early), entries(late)) == ([], [("late", -5)])
    assert (credit(town.resident), credit(town.neighbour)) == ((100, False), (95, False))
    assert now_of(late).cancelled_late
    assert told(town.neighbour) == ["room_reserved", "credit_taken"]


def test_who_took_it_at_the_last_moment_may_give_it_up_until_it_begins(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    clock.move_to(at(13))
    made = takes(town.resident, centre.reading_room, at(14))
    clock.move_to(at(13, 59))
    cancels(town.resident, made)
    assert entries(made) == []


def test_who_waited_for_it_and_got_it_in_good_time_gives_it_up_in_time_too(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    before = takes(town.neighbour, centre.reading_room, at(14))
    made = takes(town.resident, centre.reading_room, at(14), waits=True)
    cancels(town.neighbour, before)
    accepts(town.resident, made)
    clock.move_to(at(13, 50))
    cancels(town.resident, made)
    assert entries(made) == [("late", -5)]


def test_a_room_that_is_being_used_is_signed_out_of_instead(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.reading_room, at(14))
    clock.move_to(at(14))
    checks_in(town.resident, made)
    with pytest.raises(Conflict) as caught:
        cancels(town.resident, made)
    assert caught.value.code == "already_in_use"
    signs_out(town.resident, made)
    with pytest.raises(Conflict) as caught:
        cancels(town.resident, made)
    assert caught.value.code == "reservation_over"


# --- the day ------------------------------------------------------------------------------------------------------


def test_two_hours_before_they_are_reminded_once_with_their_code(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.reading_room, at(14))
    clock.move_to(at(11, 59))
    assert jobs.remind_of_rooms(town_clock.now()) == 0
    clock.move_to(at(12))
    assert [jobs.remind_of_rooms(town_clock.now()) for _ in range(2)] == [1, 0]
    with reading() as session:
        notice = session.scalars(select(Notice).where(Notice.kind == NoticeKind.ROOM_SOON)).one()
        assert notice.facts["code"] == made.code
        assert notice.keyword_values()["character_string3"] == made.code


def test_they_check_in_with_the_code_on_the_door(town: Town, centre: Centre, clock: StoppedClock) -> None:
    made = takes(town.resident, centre.reading_room, at(14))
    clock.move_to(at(13, 29))
    with pytest.raises(Conflict) as caught:
        checks_in(town.resident, made)
    assert caught.value.code == "room_not_ready"
    clock.move_to(at(13, 30))
    with pytest.raises(Conflict) as caught:
        checks_in(town.resident, made, "000000")
    assert caught.value.code == "door_code_wrong"
    for _ in range(2):
        assert checks_in(town.resident, made).checked_in_at == at(13, 30)


def test_a_new_code_on_the_door_ends_the_old_one(town: Town, centre: Centre, clock: StoppedClock) -> None:
    made = takes(town.resident, centre.reading_room, at(14))
    with transaction() as session:
        room = session.get_one(Venue, centre.reading_room.id)
        code = renew_door_code(session, room, by=by_staff(town.clerk))
    clock.move_to(at(14))
    with pytest.raises(Conflict):
        checks_in(town.resident, made, DOOR)
    assert checks_in(town.resident, made, code).state is ReservationState.CHECKED_IN


def test_staff_check_somebody_in_by_the_code_they_show(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.reading_room, at(14))
    clock.move_to(at(14))
    with pytest.raises(NotFound), transaction() as session:
        check_in_by_code(session, session.get_one(Venue, centre.hall.id), made.code, by=by_staff(town.clerk))
    with transaction() as session:
        room = session.get_one(Venue, centre.reading_room.id)
        found = check_in_by_code(session, room, made.code, by=by_staff(town.clerk))
    assert (found.key, found.state) == (made.key, ReservationState.CHECKED_IN)


def test_digits_that_two_reservations_share_are_of_who_can_come_in_now(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    with transaction() as session:
        room = session.get_one(Venue, centre.reading_room.id)
        set_venue_policy(session, room, "buffer_minutes", "0")
    given_up, in_already, theirs, later = (
        takes(who, centre.reading_room, at(hour), minutes=60)
        for who, hour in ((town.resident, 13), (town.helper, 14), (town.neighbour, 15), (town.guardian, 18))
    )
    cancels(town.resident, given_up)
    with transaction() as session:
        for one in (given_up, in_already, theirs, later):
            again(session, one).code = "135790"

    def types_it_in() -> str:
        with transaction() as session:
            room = session.get_one(Venue, centre.reading_room.id)
            return check_in_by_code(session, room, "135790", by=by_staff(town.clerk)).key

    clock.move_to(at(13, 35))
    assert types_it_in() == in_already.key
    clock.move_to(at(14, 20))
    assert types_it_in() == in_already.key, "nobody else can come in yet: the same once more"
    clock.move_to(at(14, 30))
    assert types_it_in() == theirs.key
    clock.move_to(at(16))
    with pytest.raises(Conflict) as caught:
        types_it_in()
    assert caught.value.code == "room_not_ready"
    assert state_of(later) is ReservationState.APPROVED


def test_what_is_not_theirs_yet_cannot_be_entered(town: Town, centre: Centre, clock: StoppedClock) -> None:
    made = takes(town.resident, centre.dance_room, at(9, on=SUNDAY))
    clock.move_to(at(9, on=SUNDAY))
    with pytest.raises(Conflict) as caught:
        checks_in(town.resident, made)
    assert caught.value.code == "not_approved"


def test_an_empty_room_is_released_after_a_quarter_of_an_hour_and_costs_fifteen(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.reading_room, at(14))
    clock.move_to(at(14, 14))
    assert jobs.release_no_shows(town_clock.now()) == 0
    clock.move_to(at(14, 15))
    assert [jobs.release_no_shows(town_clock.now()) for _ in range(2)] == [1, 0]
    assert (state_of(made), held_times(centre.reading_room)) == (ReservationState.NO_SHOW, [])
    assert (entries(made), credit(town.resident)) == ([("no_show", -15)], (85, False))
    assert told(town.resident) == ["room_reserved", "credit_taken"]
    with pytest.raises(Conflict) as caught:
        checks_in(town.resident, made)
    assert caught.value.code == "reservation_over"


def test_where_nothing_is_taken_they_are_told_that_it_was_released(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    set_number(town.wutong, "credit_no_show", "0")
    takes(town.resident, centre.reading_room, at(14))
    clock.move_to(at(14, 15))
    jobs.release_no_shows(town_clock.now())
    assert told(town.resident) == ["room_reserved", "room_released"]


def test_using_it_as_reserved_gives_five_back_but_never_beyond_a_hundred(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    missed = takes(town.resident, centre.reading_room, at(14))
    kept = takes(town.resident, centre.reading_room, at(14, on=MONDAY))
    clock.move_to(at(14, 15))
    jobs.release_no_shows(town_clock.now())
    clock.move_to(at(14, on=MONDAY))
    checks_in(town.resident, kept)
    clock.move_to(at(16, on=MONDAY))
    for _ in range(2):
        signs_out(town.resident, kept)
    assert (entries(missed), entries(kept)) == ([("no_show", -15)], [("kept", 5)])
    assert credit(town.resident) == (90, False)


def test_who_does_not_sign_out_loses_two(town: Town, centre: Centre, clock: StoppedClock) -> None:
    made = takes(town.resident, centre.reading_room, at(14))
    clock.move_to(at(14))
    checks_in(town.resident, made)
    clock.move_to(at(16, 29))
    assert jobs.finish_unsigned(town_clock.now()) == 0
    clock.move_to(at(16, 30))
    assert [jobs.finish_unsigned(town_clock.now()) for _ in range(2)] == [1, 0]
    assert (state_of(made), entries(made)) == (ReservationState.FINISHED, [("no_sign_out", -2)])


def test_the_communitys_own_use_ends_by_itself(town: Town, centre: Centre, clock: StoppedClock) -> None:
    made = takes(None, centre.hall, at(14))
    clock.move_to(at(14, 20))
    assert jobs.release_no_shows(town_clock.now()) == 0
    clock.move_to(at(16))
    assert jobs.release_no_shows(town_clock.now()) == 1
    assert (state_of(made), entries(made)) == (ReservationState.FINISHED, [])


def test_nobody_is_passed_over_for_what_stands_before_them_and_is_not_due(
    town: Town, centre: Centre, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MOST_AT_ONCE", 1)
    with transaction() as session:
        left = session.get_one(Venue, centre.left.id)
        for name in ("no_show_minutes", "sign_out_minutes"):
            set_venue_policy(session, left, name, "240")
    takes(None, centre.dance_room, at(9), minutes=600)  # the community's own, all day
    patient = takes(town.guardian, centre.left, at(12), minutes=60)
    takes(town.helper, centre.left, at(13, 30), minutes=60)
    clock.move_to(at(12))
    checks_in(town.guardian, patient)
    missed = takes(town.resident, centre.reading_room, at(14))
    used = takes(town.neighbour, centre.right, at(13), minutes=60)
    clock.move_to(at(13))
    checks_in(town.neighbour, used)
    clock.move_to(at(14, 30))
    assert [jobs.release_no_shows(town_clock.now()) for _ in range(2)] == [1, 0]
    assert [jobs.finish_unsigned(town_clock.now()) for _ in range(2)] == [1, 0]
    assert (state_of(missed), state_of(used)) == (ReservationState.NO_SHOW, ReservationState.FINISHED)
    assert state_of(patient) is ReservationState.CHECKED_IN


def test_damage_costs_thirty_once_and_only_when_staff_say_so(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.reading_room, at(14))
    with pytest.raises(Conflict) as caught, transaction() as session:
        note_damage(session, again(session, made), "窗破了", by=by_staff(town.clerk))
    assert caught.value.code == "not_used"
    clock.move_to(at(14))
    checks_in(town.resident, made)
    signs_out(town.resident, made, condition=Condition.DAMAGED)
    assert entries(made) == []
    for _ in range(2):
        with transaction() as session:
            note_damage(session, again(session, made), "窗破了", by=by_staff(town.clerk))
    assert (entries(made), now_of(made).condition_note) == ([("damage", -30)], "窗破了")


def is_left_after_damage(town: Town, centre: Centre, clock: StoppedClock, by: By, **how: Any) -> Reservation:
    """Somebody is signed out of a room after staff noted damage in it."""
    made = takes(town.resident, centre.reading_room, at(14))
    clock.move_to(at(14))
    checks_in(town.resident, made)
    with transaction() as session:
        note_damage(session, again(session, made), "窗破了", by=by_staff(town.clerk))
    with transaction() as session:
        sign_out(session, again(session, made), by=by, **how)
    return now_of(made)


@pytest.mark.parametrize("how", [{}, {"condition": Condition.GOOD}, {"condition": Condition.UNTIDY}])
def test_what_staff_noted_as_damaged_nobody_takes_back_by_signing_out(
    town: Town, centre: Centre, clock: StoppedClock, how: dict[str, Any]
) -> None:
    left = is_left_after_damage(town, centre, clock, by_phone(town.resident), **how)
    assert (left.condition, left.condition_note) == (Condition.DAMAGED, "窗破了")
    assert entries(left) == [("damage", -30)]


@pytest.mark.parametrize(
    ("how", "condition", "note", "counted"),
    [
        ({}, Condition.DAMAGED, "窗破了", [("damage", -30)]),
        ({"condition": Condition.DAMAGED, "note": "两扇"}, Condition.DAMAGED, "两扇", [("damage", -30)]),
        ({"condition": Condition.GOOD}, Condition.GOOD, "", [("damage", -30), ("kept", 5)]),
    ],
)
def test_staff_may_think_otherwise_of_what_they_noted_as_damaged(
    town: Town,
    centre: Centre,
    clock: StoppedClock,
    how: dict[str, Any],
    condition: Condition,
    note: str,
    counted: list[tuple[str, int]],
) -> None:
    left = is_left_after_damage(town, centre, clock, by_staff(town.clerk), **how)
    assert (left.condition, left.condition_note, entries(left)) == (condition, note, counted)


def test_staff_sign_somebody_out(town: Town, centre: Centre, clock: StoppedClock) -> None:
    made = takes(town.resident, centre.reading_room, at(14))
    with pytest.raises(Conflict) as caught, transaction() as session:
        sign_out(session, again(session, made), by=by_staff(town.clerk))
    assert caught.value.code == "not_checked_in"
    clock.move_to(at(14))
    with transaction() as session:
        check_in(session, again(session, made), by=by_staff(town.clerk))
        sign_out(
            session,
            again(session, made),
            by=by_staff(town.clerk),
            condition=Condition.DAMAGED,
            note="白板裂了",
        )
    assert entries(made) == [("damage", -30)]


# --- credit -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days_ago_and_points", "points", "is_paused"),
    [
        ([], 100, False),
        ([(10, -15), (9, -15)], 70, False),
        ([(10, -15), (9, -15), (8, -15)], 55, True),
        ([(60, -15), (59, -15), (58, -15)], 55, False),  # the pause is over
        ([(200, -15), (199, -15), (8, -15)], 85, False),  # only 180 days count
        ([(10, -15), (9, 5), (8, 5), (7, 5), (6, 5)], 100, False),
        ([(4, 5), (3, -30), (2, -30)], 40, True),
        ([(5, -60), (4, -60), (3, 5)], 5, True),
    ],
)
def test_credit_is_counted_entry_by_entry(
    clock: StoppedClock, days_ago_and_points: list[tuple[int, int]], points: int, is_paused: bool
) -> None:
    rows = [
        CreditEntry(id=n, why=CreditWhy.KEPT, points=worth, at=town_clock.now() - timedelta(days=ago))
        for n, (ago, worth) in enumerate(days_ago_and_points)
    ]
    found = credit_of(rows, DEFAULTS, town_clock.now())
    assert (found.points, found.paused_until is not None) == (points, is_paused)


def lose_it_all(town: Town, centre: Centre, clock: StoppedClock) -> Reservation:
    """Somebody misses rooms until they are paused; the last of them."""
    for number, worth in (("credit_no_show", "45"), ("reservations_a_week", "0")):
        set_number(town.wutong, number, worth)
    made = takes(town.resident, centre.reading_room, at(14))
    clock.move_to(at(14, 15))
    jobs.release_no_shows(town_clock.now())
    return made


def test_below_sixty_nothing_is_reserved_for_thirty_days_and_then_again(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    lose_it_all(town, centre, clock)
    assert credit(town.resident) == (55, True)
    with pytest.raises(Conflict) as caught:
        takes(town.resident, centre.reading_room, at(14, on=MONDAY))
    assert caught.value.code == "reserving_paused"
    clock.advance(days=29, hours=23)
    assert jobs.remind_of_rooms(town_clock.now()) == 0
    clock.advance(hours=2)
    assert [jobs.remind_of_rooms(town_clock.now()) for _ in range(2)] == [1, 0]
    assert told(town.resident)[-1] == "reserving_resumed"
    later = (town_clock.now() + timedelta(days=2)).date()
    assert takes(town.resident, centre.reading_room, at(14, on=later)).state is ReservationState.APPROVED


def test_two_pauses_that_end_on_one_day_are_told_once(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    set_number(town.wutong, "reservations_a_day", "0")
    takes(town.resident, centre.reading_room, at(17))
    lose_it_all(town, centre, clock)
    clock.move_to(at(17, 15))
    assert jobs.release_no_shows(town_clock.now()) == 1
    clock.advance(days=30)
    assert [jobs.remind_of_rooms(town_clock.now()) for _ in range(2)] == [1, 0]
    assert told(town.resident).count("reserving_resumed") == 1


def test_a_granted_appeal_gives_it_back_and_ends_the_pause(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    lose_it_all(town, centre, clock)
    with transaction() as session:
        entry = the_entry(session)
        for _ in range(2):
            appeal_credit(session, entry, "家里老人住院了", by=by_phone(town.resident))
    assert credit(town.resident) == (55, True)
    for _ in range(2):
        with transaction() as session:
            entry = the_entry(session)
            decide_credit_appeal(session, entry, granted=True, answer="理解", by=by_staff(town.clerk))
    assert credit(town.resident) == (100, False)
    assert told(town.resident)[-1] == "credit_appeal_decided"
    with transaction() as session, pytest.raises(Conflict) as caught:
        decide_credit_appeal(session, the_entry(session), granted=False, answer="不", by=by_staff(town.clerk))
    assert caught.value.code == "appeal_settled"
    clock.advance(days=31)
    assert jobs.remind_of_rooms(town_clock.now()) == 0  # they were not paused in the end


def test_an_appeal_is_made_within_seven_days_and_once_it_is_decided_no_more(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    lose_it_all(town, centre, clock)
    clock.advance(days=7)
    with pytest.raises(Conflict) as caught, transaction() as session:
        appeal_credit(session, the_entry(session), "有事", by=by_phone(town.resident))
    assert caught.value.code == "appeal_too_late"
    clock.advance(seconds=-1)
    with transaction() as session:
        entry = the_entry(session)
        appeal_credit(session, entry, "有事", by=by_phone(town.resident))
        decide_credit_appeal(session, entry, granted=False, answer="次数多", by=by_staff(town.clerk))
        assert entry.appeal_state is CreditAppealState.DECLINED
    with pytest.raises(Conflict) as caught, transaction() as session:
        appeal_credit(session, the_entry(session), "再说", by=by_phone(town.resident))
    assert caught.value.code == "appeal_decided"


def test_staff_let_an_entry_count_for_nothing_without_being_asked(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    lose_it_all(town, centre, clock)
    for _ in range(2):
        with transaction() as session:
            excuse(session, the_entry(session), "停电", by=by_staff(town.clerk))
    assert credit(town.resident) == (100, False)
    with transaction() as session, pytest.raises(Conflict) as caught:
        appeal_credit(session, the_entry(session), "停电了", by=by_phone(town.resident))
    assert caught.value.code == "nothing_to_appeal"


def test_a_groups_credit_is_not_its_leaders(town: Town, centre: Centre, clock: StoppedClock) -> None:
    choir = a_group(town, town.resident)
    made = takes(town.resident, centre.hall, at(14), group=choir)
    clock.move_to(at(14, 15))
    jobs.release_no_shows(town_clock.now())
    assert entries(made) == [("no_show", -15)]
    assert credit(town.resident) == (100, False)
    with reading() as session:
        standing, _ = credit_standing(session, town.resident.resident(session), choir)
        assert standing.points == 85


def test_staff_call_off_with_a_reason_and_without_a_cost(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.reading_room, at(14))
    clock.move_to(at(13, 59))
    with transaction() as session:
        call_off(session, again(session, made), "水管爆了", by=by_staff(town.clerk))
    found = now_of(made)
    assert (found.cancelled_by, found.cancelled_late, entries(made)) == (ReservationEnd.STAFF, False, [])
    assert told(town.resident) == ["room_reserved", "room_called_off"]


def test_a_helper_gives_up_for_somebody_who_hears_of_it(town: Town, centre: Centre) -> None:
    by_helper = By(town.helper.account_id, "resident")
    made = takes(town.elder, centre.reading_room, at(14), by=by_helper, acted_for=True)
    with transaction() as session:
        cancel(session, again(session, made), by=by_helper, scope=Scope.THIS, acted_for=True)
    assert state_of(made) is ReservationState.CANCELLED
