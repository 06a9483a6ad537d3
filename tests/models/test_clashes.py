"""One person, two nouns, one hour: a room is no room for who sits in a class then, and a class comes before a room one has already."""

from __future__ import annotations

import pytest

from models.base import reading, transaction
from models.coordination.clashes import rooms_at_ones_classes
from models.courses import (
    Audience,
    CourseRun,
    CourseSession,
    Registration,
    RegistrationState,
    registrations_of,
)
from models.courses.attendance import LeaveReason, Recorder, ask_leave
from models.errors import Conflict
from models.reservations import ReservationState
from models.sites import Venue
from tests.people import Person, Town
from tests.rooms import MONDAY, SUNDAY, Centre, a_group, accepts, at, by_staff, cancels, takes

APPROVED = ReservationState.APPROVED


@pytest.fixture
def run(town: Town) -> CourseRun:
    """太极, on Sunday from nine to eleven, for two."""
    return town.a_run(title="太极", starts_at=at(9, on=SUNDAY), capacity=2)


def is_refused(person: Person, room: Venue, run: CourseRun) -> None:
    with pytest.raises(Conflict) as no:
        takes(person, room, at(10, on=SUNDAY))
    assert (no.value.code, no.value.details) == ("own_clash", {"run": run.key})
    assert "太极" in no.value.message


def rooms_then(of: Person, *others: Person) -> list[list[str]]:
    """The rooms somebody is shown beside each of these people's registrations, the newest first."""
    people = [who.resident_id for who in (of, *others)]
    with reading() as session:
        found: list[Registration] = list(
            registrations_of(session, people, run_key=None, before_id=None, most=9)
        )
        rooms = rooms_at_ones_classes(session, found, of=people)
        return [[room.title for room in rooms.get(one.id, ())] for one in found]


def test_nobody_takes_a_room_at_the_time_of_their_own_class(
    town: Town, centre: Centre, run: CourseRun
) -> None:
    town.resident.tap(run)
    is_refused(town.resident, centre.reading_room, run)
    is_refused(town.resident, centre.dance_room, run)
    with pytest.raises(Conflict) as at_the_counter:
        takes(town.resident, centre.reading_room, at(10, on=SUNDAY), by=by_staff(town.clerk))
    assert at_the_counter.value.code == "own_clash"
    assert takes(town.neighbour, centre.hall, at(10, on=SUNDAY)).state is APPROVED
    assert takes(town.resident, centre.reading_room, at(11, on=SUNDAY)).state is APPROVED  # it is over then


def test_whoever_gives_the_class_up_or_asked_leave_may_have_the_room(
    town: Town, centre: Centre, run: CourseRun
) -> None:
    for person in (town.resident, town.neighbour):
        person.tap(run)
    town.resident.give_up(run)
    assert takes(town.resident, centre.reading_room, at(9, on=SUNDAY)).state is APPROVED
    with transaction() as session:
        evening = session.get_one(CourseSession, run.sessions[0].id)
        neighbour = town.neighbour.resident(session)
        by = Recorder(town.neighbour.account_id, "resident")
        ask_leave(session, evening, neighbour, reason=LeaveReason.FAMILY, by=by)
    assert takes(town.neighbour, centre.hall, at(9, on=SUNDAY)).state is APPROVED


def test_who_waits_for_a_class_may_have_a_room_and_who_is_offered_a_seat_may_not(
    town: Town, centre: Centre, run: CourseRun
) -> None:
    for person in (town.neighbour, town.helper):
        person.tap(run)
    assert town.resident.tap(run).state is RegistrationState.WAITLISTED
    had = takes(town.resident, centre.reading_room, at(9, on=SUNDAY))
    assert rooms_then(town.resident) == [[]]
    cancels(town.resident, had)
    town.helper.give_up(run)
    with reading() as session:
        (mine,) = registrations_of(
            session, [town.resident.resident_id], run_key=run.key, before_id=None, most=2
        )
        assert mine.state in (RegistrationState.OFFERED, RegistrationState.CONFIRMED)
    is_refused(town.resident, centre.reading_room, run)


def test_the_adult_who_comes_along_is_in_the_class_too_and_another_is_not(town: Town, centre: Centre) -> None:
    run = town.a_run(title="太极亲子", audience=Audience.PAIR, starts_at=at(9, on=SUNDAY))
    room = takes(town.guardian, centre.hall, at(10, on=SUNDAY))
    town.guardian.tap(run, for_whom=town.child)
    assert rooms_then(town.guardian, town.child) == [["多功能厅"]]
    assert rooms_then(town.child) == [[]]  # nobody else reads of the adult's room
    cancels(town.guardian, room)
    is_refused(town.guardian, centre.reading_room, run)
    assert takes(town.neighbour, centre.reading_room, at(10, on=SUNDAY)).state is APPROVED


def test_a_group_reserves_while_its_leader_sits_in_a_class(
    town: Town, centre: Centre, run: CourseRun
) -> None:
    town.resident.tap(run)
    group = a_group(town, town.resident)
    assert takes(town.resident, centre.reading_room, at(9, on=SUNDAY), group=group).state is APPROVED
    assert rooms_then(town.resident) == [[]]
    assert takes(None, centre.hall, at(9, on=SUNDAY)).state is APPROVED  # nor does it stop the community


def test_a_class_comes_before_the_room_one_has_and_says_which(
    town: Town, centre: Centre, run: CourseRun
) -> None:
    room = takes(town.resident, centre.reading_room, at(10, on=SUNDAY))
    takes(town.resident, centre.hall, at(9, on=MONDAY))
    assert town.resident.tap(run).state is RegistrationState.CONFIRMED
    assert rooms_then(town.resident) == [["阅览室"]]
    cancels(town.resident, room)
    assert rooms_then(town.resident) == [[]]


def test_an_offered_room_is_not_taken_by_who_has_a_class_then(
    town: Town, centre: Centre, run: CourseRun
) -> None:
    held = takes(town.neighbour, centre.reading_room, at(9, on=SUNDAY))
    waits = takes(town.resident, centre.reading_room, at(9, on=SUNDAY), waits=True)
    town.resident.tap(run)
    cancels(town.neighbour, held)
    with pytest.raises(Conflict) as no:
        accepts(town.resident, waits)
    assert (no.value.code, no.value.details) == ("own_clash", {"run": run.key})
    town.resident.give_up(run)
    assert accepts(town.resident, waits).state is APPROVED


def test_the_list_costs_the_same_for_one_class_and_for_three(
    town: Town, centre: Centre, run: CourseRun, statements: list[str]
) -> None:
    town.resident.tap(run)
    statements.clear()
    assert rooms_then(town.resident) == [[]]
    asked = len(statements)
    for hour in (13, 16):
        town.resident.tap(town.a_run(starts_at=at(hour, on=SUNDAY)))
    takes(town.resident, centre.reading_room, at(19, on=SUNDAY))
    statements.clear()
    assert rooms_then(town.resident) == [[], [], []]
    assert len(statements) == asked
