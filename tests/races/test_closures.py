"""Closing rooms while others act upon them: one after the other, nothing is held twice, and nobody's answer is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import select

from models import occupancy
from models.base import Base, db, reading, transaction
from models.clock import StoppedClock
from models.coordination.closures import (
    MoveAnswer,
    MoveQuestion,
    RoomClosure,
    deciding,
    settle_silence,
    shutting,
)
from models.errors import Refusal
from models.groups import Group
from models.occupancy import Occupancy
from models.reservations import Party, Reservation, ReservationState, reserve_series
from models.sites import Venue
from tests.closing import answer_about, closes, lifts, plan_of, question_about, says
from tests.people import Town
from tests.races.controls import is_loud, without_the_rooms_guard
from tests.races.rush import all_look_first, rush
from tests.races.test_reservations import must_be_whole
from tests.rooms import (
    MONDAY,
    Centre,
    a_centre,
    a_group,
    at,
    by_phone,
    held_times,
    now_of,
    state_of,
    takes,
    wish,
)


@pytest.fixture
def centre(town: Town) -> Centre:
    """The centre of the first community."""
    with transaction() as session:
        return a_centre(session, town.wutong)


def at_once(app: Flask, *deeds: Callable[[], object]) -> list[object]:
    """Do these at one moment; what each came to."""
    return list(rush(app, deeds))


def outcomes(answers: Sequence[object]) -> Counter[str]:
    """What each came to: the code of a refusal, or the name of what was made."""
    return Counter(one.code if isinstance(one, Refusal) else type(one).__name__ for one in answers)


def twice_held() -> list[int]:
    """The spaces that are held twice at one moment."""
    with reading() as session:
        rows = session.scalars(select(Occupancy).order_by(Occupancy.space_id, Occupancy.starts_at)).all()
    return [
        one.space_id
        for one, later in pairwise(rows)
        if one.space_id == later.space_id and later.starts_at < one.ends_at
    ]


def test_a_closure_and_a_tap_on_the_same_hour_come_one_after_the_other(
    town: Town, app: Flask, centre: Centre
) -> None:
    seen = plan_of([centre.left], at(8), at(12)).fingerprint
    close = partial(closes, town, [centre.left], at(8), at(12), fingerprint=seen)
    tap = partial(takes, town.resident, centre.left, at(9), heads=30)
    answers = at_once(app, close, tap)
    told = outcomes(answers)
    # whoever comes second hears that the world has changed
    assert told in (
        Counter({"RoomClosure": 1, "room_taken": 1}),
        Counter({"plan_changed": 1, "Reservation": 1}),
    )
    must_be_whole()
    assert twice_held() == []


def test_of_two_who_close_a_hall_and_its_half_the_second_sees_the_first_before_it_decides(
    town: Town, app: Flask, centre: Centre
) -> None:
    hall = plan_of([centre.hall], at(8), at(12)).fingerprint
    half = plan_of([centre.left], at(10), at(14)).fingerprint
    answers = at_once(
        app,
        *[
            partial(closes, town, [centre.hall], at(8), at(12), fingerprint=hall),
            partial(closes, town, [centre.left], at(10), at(14), fingerprint=half),
        ],
    )
    assert outcomes(answers) == Counter({"RoomClosure": 1, "plan_changed": 1})
    assert twice_held() == []


def test_of_two_who_close_the_same_one_does(town: Town, app: Flask, centre: Centre) -> None:
    seen = plan_of([centre.left], at(8), at(12)).fingerprint
    close = partial(closes, town, [centre.left], at(8), at(12), fingerprint=seen)
    assert outcomes(at_once(app, close, close)) == Counter({"RoomClosure": 1, "closed_already": 1})
    assert twice_held() == []


def test_two_closures_of_one_room_that_are_lifted_at_once_leave_nothing_shut(
    town: Town, app: Flask, centre: Centre
) -> None:
    both = [closes(town, [centre.left], at(8), at(12)), closes(town, [centre.hall], at(10), at(14))]
    answers = at_once(app, *[partial(lifts, town, one) for one in both])
    assert outcomes(answers) == Counter({"NoneType": 2})
    assert held_times(centre.left) == held_times(centre.right) == []


def everybody_looks_and_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the locks: the floor's, and every row's."""
    monkeypatch.setattr(occupancy, "lock_spaces", lambda venues: None)
    monkeypatch.setattr(Base, "lock", lambda row: row)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_control_without_the_locks_the_guard_of_the_calendar_refuses(
    town: Town, app: Flask, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody_looks_and_nobody_waits(monkeypatch)
    monkeypatch.setattr(deciding, "_hold", lambda session, plan, decision: None)
    seen = plan_of([centre.left], at(8), at(12)).fingerprint
    close = partial(closes, town, [centre.left], at(8), at(12), fingerprint=seen)
    with all_look_first(monkeypatch, shutting, "_held", many=2):
        answers = at_once(app, close, close)
    assert sum(isinstance(one, RoomClosure) for one in answers) == 1
    assert sum(is_loud(one) for one in answers) == 1
    assert twice_held() == []


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_control_without_locks_and_guard_the_room_is_closed_twice(
    town: Town, app: Flask, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody_looks_and_nobody_waits(monkeypatch)
    monkeypatch.setattr(deciding, "_hold", lambda session, plan, decision: None)
    seen = plan_of([centre.left], at(8), at(12)).fingerprint
    close = partial(closes, town, [centre.left], at(8), at(12), fingerprint=seen)
    with (
        without_the_rooms_guard(db.engine),
        all_look_first(monkeypatch, shutting, "_held", many=2),
    ):
        answers = at_once(app, close, close)
        assert sum(isinstance(one, RoomClosure) for one in answers) == 2
        assert twice_held() != []


def test_an_answer_and_the_end_of_its_time_come_one_after_the_other(
    town: Town, app: Flask, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.hall, at(9), heads=70)
    closes(town, [centre.left], at(8), at(12))  # to another hour: silence lets it go
    question = question_about(made)
    clock.move_to(question.answer_by)

    def settle() -> bool:
        with transaction() as session:
            return settle_silence(session, session.get_one(MoveQuestion, question.id))

    answers = at_once(app, settle, partial(says, town.resident, question, yes=True), settle)
    assert [one.code for one in answers if isinstance(one, Refusal)] == ["question_over"]
    assert sorted(one for one in answers if isinstance(one, bool)) == [False, True]
    assert (answer_about(made), state_of(made)) == (MoveAnswer.SILENT, ReservationState.OVERRIDDEN)
    must_be_whole()


def test_yes_and_no_at_once_are_one_answer(town: Town, app: Flask, centre: Centre) -> None:
    made = takes(town.resident, centre.left, at(9), heads=30)
    closes(town, [centre.left], at(8), at(12))
    question = question_about(made)
    answers = at_once(app, *[partial(says, town.resident, question, yes=yes) for yes in (True, False)])
    assert [one.code for one in answers if isinstance(one, Refusal)] == ["question_answered"]
    stands = state_of(made) is ReservationState.APPROVED
    assert (answer_about(made) is MoveAnswer.ACCEPTED) == stands
    must_be_whole()


def test_an_answer_and_a_lift_do_not_disturb_each_other(town: Town, app: Flask, centre: Centre) -> None:
    made = takes(town.resident, centre.left, at(9), heads=30)
    closure = closes(town, [centre.left], at(8), at(12))
    answers = at_once(
        app,
        partial(lifts, town, closure),
        partial(says, town.resident, question_about(made), yes=False),
    )
    assert not [one for one in answers if isinstance(one, Exception)]
    assert state_of(made) is ReservationState.OVERRIDDEN
    must_be_whole()


def test_a_closure_and_a_series_come_one_after_the_other(town: Town, app: Flask, centre: Centre) -> None:
    group = a_group(town, town.resident)
    on = at(9, on=MONDAY)
    seen = plan_of([centre.hall], on - timedelta(hours=1), on + timedelta(days=15)).fingerprint

    def series() -> Sequence[Reservation]:
        with transaction() as session:
            return reserve_series(
                session,
                session.get_one(Venue, centre.left.id),
                wish(on, heads=18),
                3,
                whose=Party(town.resident.resident(session), session.get_one(Group, group.id)),
                by=by_phone(town.resident),
            )

    answers = at_once(
        app,
        partial(
            closes,
            town,
            [centre.hall],
            on - timedelta(hours=1),
            on + timedelta(days=15),
            fingerprint=seen,
        ),
        series,
    )
    assert sorted(one.code for one in answers if isinstance(one, Refusal)) in (
        ["plan_changed"],
        ["series_unfit"],
    )
    must_be_whole()
    assert twice_held() == []


def test_who_taps_twice_for_what_makes_a_lost_room_good_has_it_once(
    town: Town, app: Flask, centre: Centre
) -> None:
    takes(town.resident, centre.hall, at(9), heads=70)
    closes(town, [centre.left], at(8), at(21))
    takes(town.resident, centre.reading_room, at(9))
    answers = at_once(
        app, *[partial(takes, town.resident, centre.reading_room, at(hour)) for hour in (12, 15, 18)]
    )
    assert outcomes(answers) == Counter({"Reservation": 1, "reservation_limit": 2})
    (made,) = [one for one in answers if isinstance(one, Reservation)]
    assert now_of(made).makes_good_id is not None
