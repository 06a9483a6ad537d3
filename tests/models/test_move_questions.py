"""社区请您改到……，可以吗: who is asked, until when, and what yes, no and silence come to; and what making good is worth."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.coordination.closures import (
    Choice,
    MoveAnswer,
    MoveQuestion,
    Remedy,
    answer,
    answers_about,
    questions_about,
    questions_open_to,
    together,
)
from models.errors import Conflict, Forbidden, Refusal
from models.reservations import By, Reservation, ReservationState, call_off, cancel, let_go_of_group_rooms
from server.jobs import rooms as jobs
from tests.closing import answer_about, closes, question_about, says
from tests.people import Person, Town, a_bond
from tests.rooms import (
    SATURDAY,
    SUNDAY,
    Centre,
    a_centre,
    a_group,
    again,
    at,
    by_phone,
    by_staff,
    cancels,
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


def moved_to_another_room(town: Town, centre: Centre, who: Person, *, on: int = 0) -> Reservation:
    """Somebody's reservation at the same hour in the other half."""
    day = SATURDAY + timedelta(days=on)
    made = takes(who, centre.left, at(9, on=day), heads=30)
    closes(town, [centre.left], at(8, on=day), at(12, on=day))
    return made


def moved_to_another_hour(town: Town, centre: Centre, who: Person) -> Reservation:
    """Somebody's reservation of the hall, three hours later than they wanted."""
    made = takes(who, centre.hall, at(9), heads=70)
    closes(town, [centre.left], at(8), at(12))
    assert now_of(made).starts_at == at(12)
    return made


def test_yes_keeps_it_where_it_is_now(town: Town, centre: Centre) -> None:
    made = moved_to_another_hour(town, centre, town.resident)
    question = question_about(made)
    assert says(town.resident, question, yes=True) is MoveAnswer.ACCEPTED
    assert says(town.resident, question, yes=True) is MoveAnswer.ACCEPTED
    assert (state_of(made), now_of(made).was_agreed_to) == (ReservationState.APPROVED, True)
    with pytest.raises(Conflict) as caught:
        says(town.resident, question, yes=False)
    assert caught.value.code == "question_answered"


def test_no_lets_it_go_without_cost_and_is_made_good(town: Town, centre: Centre) -> None:
    made = moved_to_another_room(town, centre, town.resident)
    assert says(town.resident, question_about(made), yes=False) is MoveAnswer.DECLINED
    gone = now_of(made)
    assert gone.state is ReservationState.OVERRIDDEN
    assert gone.made_good_until is not None
    assert told(town.resident)[-1] == "room_called_off"
    assert says(town.resident, question_about(made), yes=False) is MoveAnswer.DECLINED


def test_what_is_declined_goes_to_who_waits_for_it(town: Town, centre: Centre) -> None:
    made = moved_to_another_room(town, centre, town.resident)
    waits = takes(town.neighbour, centre.right, at(9), heads=30, waits=True)
    says(town.resident, question_about(made), yes=False)
    assert state_of(waits) is ReservationState.OFFERED


def test_silence_keeps_the_same_hour_in_another_room(town: Town, centre: Centre, clock: StoppedClock) -> None:
    made = moved_to_another_room(town, centre, town.resident)
    clock.move_to(question_about(made).answer_by)
    assert jobs.settle_room_questions(town_clock.now()) == 1
    assert jobs.settle_room_questions(town_clock.now()) == 0
    assert (answer_about(made), state_of(made)) == (MoveAnswer.SILENT, ReservationState.APPROVED)


def test_silence_lets_another_hour_go(town: Town, centre: Centre, clock: StoppedClock) -> None:
    made = moved_to_another_hour(town, centre, town.resident)
    clock.move_to(question_about(made).answer_by - timedelta(seconds=1))
    assert jobs.settle_room_questions(town_clock.now()) == 0
    clock.move_to(question_about(made).answer_by)
    jobs.settle_room_questions(town_clock.now())
    assert (answer_about(made), state_of(made)) == (MoveAnswer.SILENT, ReservationState.OVERRIDDEN)


def test_after_the_time_to_answer_there_is_nothing_to_answer(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = moved_to_another_room(town, centre, town.resident)
    clock.move_to(question_about(made).answer_by)
    with pytest.raises(Conflict) as caught:
        says(town.resident, question_about(made), yes=True)
    assert caught.value.code == "question_over"


def test_there_is_a_day_to_answer_but_two_hours_before_it_begins_it_is_over(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    far = moved_to_another_room(town, centre, town.resident, on=2)
    assert question_about(far).answer_by == town_clock.now() + timedelta(hours=24)
    near = moved_to_another_room(town, centre, town.neighbour)
    assert question_about(near).answer_by == at(7)


def test_who_is_asked_at_the_last_moment_has_an_hour_or_what_there_is(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.left, at(9), heads=30)
    clock.move_to(at(7, 30))
    closes(town, [centre.left], at(8), at(12))
    assert question_about(made).answer_by == at(8, 30)
    other = takes(town.neighbour, centre.left, at(14), heads=30)
    clock.move_to(at(13, 45))
    closes(town, [centre.left], at(13, 50), at(18))
    assert question_about(other).answer_by == at(14)


def test_who_never_said_yes_is_not_charged_for_not_coming(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = moved_to_another_room(town, centre, town.resident)
    clock.move_to(at(9, 15))
    jobs.settle_room_questions(town_clock.now())
    assert jobs.release_no_shows(town_clock.now()) == 1
    assert state_of(made) is ReservationState.NO_SHOW
    assert told(town.resident)[-1] == "room_released"


def test_who_said_yes_is_charged_like_everybody(town: Town, centre: Centre, clock: StoppedClock) -> None:
    made = moved_to_another_room(town, centre, town.resident)
    says(town.resident, question_about(made), yes=True)
    clock.move_to(at(9, 15))
    jobs.release_no_shows(town_clock.now())
    assert told(town.resident)[-1] == "credit_taken"


def test_giving_up_what_was_moved_is_never_late(town: Town, centre: Centre, clock: StoppedClock) -> None:
    made = moved_to_another_room(town, centre, town.resident)
    clock.move_to(at(8, 30))
    cancels(town.resident, made)
    assert not now_of(made).cancelled_late
    clock.move_to(at(9))
    jobs.settle_room_questions(town_clock.now())
    assert answer_about(made) is MoveAnswer.MOOT


def test_coming_is_a_yes(town: Town, centre: Centre, clock: StoppedClock) -> None:
    made = moved_to_another_room(town, centre, town.resident)
    clock.move_to(at(8, 45))
    checks_in(town.resident, made)
    assert now_of(made).was_agreed_to
    jobs.settle_room_questions(town_clock.now())
    assert answer_about(made) is MoveAnswer.ACCEPTED


def test_what_is_called_off_meanwhile_needs_no_answer(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = moved_to_another_room(town, centre, town.resident)
    with transaction() as session:
        call_off(session, again(session, made), "不办了", by=by_staff(town.clerk))
    with pytest.raises(Conflict) as caught:
        says(town.resident, question_about(made), yes=True)
    assert caught.value.code == "question_over"


def open_to(who: Person) -> list[int]:
    """The ids of what somebody is asked to answer."""
    with reading() as session:
        return [one.id for one in questions_open_to(session, [who.resident_id], most=10)]


def open_of(closure_of: MoveQuestion) -> tuple[list[int], int, int]:
    """The ids of those staff have to call because of a closure; how many of it are asked, and how many of these may answer still."""
    with reading() as session:
        closure = session.get_one(MoveQuestion, closure_of.id).effect.closure
        rows = [one.id for one in questions_about(session, closure, only_open=True, most=10)]
        said = together(answers_about(session, [closure]).get(closure.id, {}).values())
        return rows, said.asked, said.open


@pytest.mark.parametrize("how", ["given_up", "called_off", "suspended"])
def test_nobody_is_asked_about_what_they_have_no_more(town: Town, centre: Centre, how: str) -> None:
    group = a_group(town, town.resident) if how == "suspended" else None
    made = takes(town.resident, centre.left, at(9), heads=30, group=group)
    other = takes(town.neighbour, centre.left, at(14), heads=30)
    closes(town, [centre.left], at(8), at(18))
    gone, stays = question_about(made), question_about(other)
    assert open_to(town.resident) == [gone.id]
    assert open_of(gone) == ([gone.id, stays.id] if gone.id < stays.id else [stays.id, gone.id], 2, 2)
    with transaction() as session:
        if how == "given_up":
            cancel(session, again(session, made), by=by_phone(town.resident))
        elif how == "called_off":
            call_off(session, again(session, made), "不办了", by=by_staff(town.clerk))
        elif group is not None:
            of_theirs = session.merge(group, load=False)
            let_go_of_group_rooms(session, of_theirs, "团队暂停使用", by=by_staff(town.clerk))
    assert open_to(town.resident) == []
    assert open_of(stays) == ([stays.id], 1, 1)
    says(town.neighbour, stays, yes=True)
    assert open_of(stays) == ([], 1, 0)


def test_who_came_before_they_answered_is_asked_no_longer(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    set_number(town.wutong, "move_answer_before_hours", "0")
    made = takes(town.resident, centre.left, at(9), heads=30)
    closes(town, [centre.left], at(8), at(12))
    clock.move_to(at(8, 45))
    checks_in(town.resident, made)
    assert open_to(town.resident) == []


def test_the_leader_answers_for_the_group(town: Town, centre: Centre) -> None:
    group = a_group(town, town.resident)
    made = takes(town.resident, centre.left, at(9), heads=30, group=group)
    closes(town, [centre.left], at(8), at(12))
    says(town.resident, question_about(made), yes=False)
    assert state_of(made) is ReservationState.OVERRIDDEN


def test_staff_answer_for_who_phoned_but_not_for_themselves(town: Town, centre: Centre) -> None:
    made = moved_to_another_room(town, centre, town.resident)
    asked = question_about(made)
    with transaction() as session:
        question = session.get_one(MoveQuestion, asked.id)
        answer(session, question, accepts=True, by=by_staff(town.clerk), because="本人来电")
    assert answer_about(made) is MoveAnswer.ACCEPTED
    own = question_about(moved_to_another_room(town, centre, town.neighbour, on=1))
    at_the_desk = By(town.neighbour.account_id, town.clerk.identity)
    with pytest.raises(Forbidden), transaction() as session:
        answer(session, session.get_one(MoveQuestion, own.id), accepts=True, by=at_the_desk)


def test_moved_again_it_is_asked_about_anew(town: Town, centre: Centre) -> None:
    made = moved_to_another_room(town, centre, town.resident)
    first = question_about(made)
    closes(
        town,
        [centre.right],
        at(8),
        at(12),
        choices={made.key: Choice(Remedy.MOVE, starts_at=at(14), ends_at=at(16))},
    )
    assert question_about(made).id != first.id
    with pytest.raises(Conflict) as caught:
        says(town.resident, first, yes=True)
    assert caught.value.code == "question_over"
    says(town.resident, question_about(made), yes=True)
    assert now_of(made).moved_from == at(9)


# --- making good --------------------------------------------------------------------------------------------------


def refused(who: Person, centre: Centre, hour: int, **more: object) -> str | None:
    """The code of the refusal, if it is refused."""
    try:
        takes(who, centre.reading_room, at(hour, **more))  # type: ignore[arg-type]
    except Refusal as refusal:
        return refusal.code
    return None


def who_lost_the_hall(town: Town, centre: Centre, clock: StoppedClock) -> Person:
    """Somebody who had the hall on Saturday and lost it for the whole day."""
    takes(town.resident, centre.hall, at(9), heads=70)
    closes(town, [centre.left], at(8), at(21))
    return town.resident


def test_who_lost_a_room_may_have_one_more_than_the_limits_allow(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    who = who_lost_the_hall(town, centre, clock)
    takes(who, centre.reading_room, at(9))  # the one a day, within the limits
    assert now_of(takes(who, centre.reading_room, at(14))).makes_good_id is not None
    assert refused(who, centre, 18) == "reservation_limit"


def test_who_is_within_the_limits_spends_nothing(town: Town, centre: Centre, clock: StoppedClock) -> None:
    who = who_lost_the_hall(town, centre, clock)
    assert now_of(takes(who, centre.reading_room, at(9))).makes_good_id is None


def test_what_made_good_and_was_given_up_in_time_is_theirs_again(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    who = who_lost_the_hall(town, centre, clock)
    takes(who, centre.reading_room, at(9))
    extra = takes(who, centre.reading_room, at(14))
    cancels(who, extra)
    assert now_of(takes(who, centre.reading_room, at(18))).makes_good_id is not None


def test_making_good_ends_after_the_days_the_community_says(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    set_number(town.wutong, "made_good_days", "1")
    who = who_lost_the_hall(town, centre, clock)
    clock.move_to(at(12, 1, on=SATURDAY))
    takes(who, centre.reading_room, at(9, on=SUNDAY))
    assert refused(who, centre, 14, on=SUNDAY) == "reservation_limit"


def test_a_community_that_makes_nothing_good(town: Town, centre: Centre, clock: StoppedClock) -> None:
    set_number(town.wutong, "made_good_days", "0")
    who = who_lost_the_hall(town, centre, clock)
    takes(who, centre.reading_room, at(9))
    assert refused(who, centre, 14) == "reservation_limit"


def test_the_helper_of_an_elder_answers_for_them(town: Town, centre: Centre) -> None:
    with transaction() as session:
        a_bond(session, town.neighbour, town.resident)
    made = moved_to_another_room(town, centre, town.resident, on=2)
    assert says(town.neighbour, question_about(made), yes=True) is MoveAnswer.ACCEPTED
