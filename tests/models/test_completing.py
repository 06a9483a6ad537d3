"""Completing a class: who came often enough has a certificate, what nobody recorded waits for staff's word, and seats stay counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import (
    Attendance,
    AttendanceState,
    By,
    Certificate,
    CourseRun,
    cancel_run,
    cancel_session,
    certificate_with,
    complete_run,
    record_of,
    revoke_certificate,
)
from models.courses.attendance import RecordedHow
from models.departures import begin_closure
from models.errors import Conflict, NotFound
from models.journal import JournalEntry
from models.policies import set_policy
from models.regions import Region
from server.jobs.tidying import complete_runs
from tests.people import Person, Town

CAME, LATE, ABSENT, LEAVE = (
    AttendanceState.PRESENT,
    AttendanceState.LATE,
    AttendanceState.ABSENT,
    AttendanceState.LEAVE,
)


def mark(town: Town, run: CourseRun, person: Person, states: Sequence[AttendanceState | None]) -> None:
    """What the paper lists say of somebody's evenings, in order."""
    (mine,) = [one for one in town.registrations(run) if one.resident_id == person.resident_id]
    evenings = town.now(run).sessions
    with transaction() as session:
        for meeting, state in zip(evenings, states, strict=False):
            if state is not None:
                session.add(
                    Attendance(
                        session_id=meeting.id,
                        registration_id=mine.id,
                        state=state,
                        how=RecordedHow.RESIDENT if state is LEAVE else RecordedHow.PAPER,
                        at=meeting.starts_at,
                    )
                )


def a_class(town: Town, *people: Person, evenings: int = 3) -> CourseRun:
    run = town.a_run(evenings=evenings)  # each class at an hour of its own
    for person in people:
        person.tap(run)
    return run


def certificates() -> list[Certificate]:
    with reading() as session:
        return list(session.scalars(select(Certificate).order_by(Certificate.id)))


def half_a_day_after(run: CourseRun, clock: StoppedClock) -> int:
    clock.move_to(run.ends_at + timedelta(hours=12))
    return complete_runs(town_clock.now())


def test_two_evenings_of_three_complete_a_class(town: Town, clock: StoppedClock) -> None:
    run = a_class(town, town.resident, town.neighbour, town.helper)
    mark(town, run, town.resident, [CAME, ABSENT, LATE])
    mark(town, run, town.neighbour, [CAME, ABSENT, LEAVE])
    clock.move_to(run.ends_at + timedelta(hours=11))
    assert complete_runs(town_clock.now()) == 0, "the paper list may still be entered"
    assert half_a_day_after(run, clock) == 1
    assert town.states(run) == ["completed", "confirmed", "confirmed"]
    (paper,) = certificates()
    assert (paper.name, paper.evenings, paper.evenings_held, paper.hours) == (town.resident.name, 2, 3, 3.0)
    now = town.now(run)
    assert (now.seats_taken, now.waiting) == (3, 0), "a completed class is a seat that was taken"
    with reading() as session:
        acts = session.scalars(select(JournalEntry.act).order_by(JournalEntry.id.desc()).limit(2)).all()
    assert sorted(acts) == ["course_run.completed", "registration.completed"]


def test_an_evening_nobody_recorded_or_that_was_called_off_counts_for_nobody(
    town: Town, clock: StoppedClock
) -> None:
    run = a_class(town, town.resident, evenings=4)
    with transaction() as session:
        cancel_session(session, session.get_one(CourseRun, run.id).sessions[3], by=By("停电"))
    mark(town, run, town.resident, [CAME, CAME, None])
    half_a_day_after(town.now(run), clock)
    assert [(paper.evenings, paper.evenings_held) for paper in certificates()] == [(2, 2)]


def test_a_community_says_how_often_is_enough(town: Town, clock: StoppedClock) -> None:
    run = a_class(town, town.resident)
    mark(town, run, town.resident, [CAME, CAME, ABSENT])
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "completion_percent", "100")
    half_a_day_after(run, clock)
    assert town.states(run) == ["confirmed"]


def test_whoever_never_came_completes_nothing_however_little_is_asked(
    town: Town, clock: StoppedClock
) -> None:
    run = a_class(town, town.resident, town.neighbour)
    mark(town, run, town.resident, [CAME, ABSENT, ABSENT])
    mark(town, run, town.neighbour, [LEAVE, ABSENT, ABSENT])
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "completion_percent", "0")
    half_a_day_after(run, clock)
    assert town.states(run) == ["completed", "confirmed"]


def test_where_nothing_was_recorded_staff_say_so(town: Town, clock: StoppedClock) -> None:
    run = a_class(town, town.resident, town.neighbour)
    assert half_a_day_after(run, clock) == 0
    with transaction() as session:
        mine = session.get_one(CourseRun, run.id)
        with pytest.raises(Conflict) as refusal:
            complete_run(session, mine)
        assert refusal.value.code == "nobody_recorded"
        assert complete_run(session, mine, by_their_word=True) == 2
        assert complete_run(session, mine, by_their_word=True) == 0
    assert [paper.hours for paper in certificates()] == [4.5, 4.5]


def test_a_corrected_list_is_counted_anew_and_what_was_completed_stays(
    town: Town, clock: StoppedClock
) -> None:
    run = a_class(town, town.resident, town.neighbour)
    mark(town, run, town.resident, [CAME, CAME, CAME])
    half_a_day_after(run, clock)
    mark(town, run, town.neighbour, [CAME, CAME, ABSENT])
    assert complete_runs(town_clock.now()) == 0
    with transaction() as session:
        assert complete_run(session, session.get_one(CourseRun, run.id), by_their_word=True) == 1
    assert town.states(run) == ["completed", "completed"]
    assert len(certificates()) == 2


def test_nothing_is_completed_before_the_last_evening_is_over(town: Town, clock: StoppedClock) -> None:
    run = a_class(town, town.resident)
    clock.move_to(run.ends_at - timedelta(minutes=1))
    with transaction() as session, pytest.raises(Conflict) as refusal:
        complete_run(session, session.get_one(CourseRun, run.id), by_their_word=True)
    assert refusal.value.code == "completion_too_early"


def test_a_class_that_was_cancelled_is_completed_by_nobody(town: Town, clock: StoppedClock) -> None:
    run = a_class(town, town.resident)
    with transaction() as session:
        cancel_run(session, session.get_one(CourseRun, run.id), by=By("老师出国"))
    clock.move_to(run.ends_at + timedelta(days=1))
    with transaction() as session, pytest.raises(Conflict) as refusal:
        complete_run(session, session.get_one(CourseRun, run.id), by_their_word=True)
    assert refusal.value.code == "run_cancelled"


def test_a_code_is_found_as_it_is_typed_and_says_when_it_was_taken_back(
    town: Town, clock: StoppedClock
) -> None:
    run = a_class(town, town.resident)
    mark(town, run, town.resident, [CAME] * 3)
    half_a_day_after(run, clock)
    (paper,) = certificates()
    with transaction() as session:
        for typed in (paper.code, paper.printed_code, f" {paper.printed_code.lower()} "):
            assert certificate_with(session, typed).id == paper.id
        for wrong in ("", "A" * 16, "证书", "\x00", paper.code[:-1]):
            with pytest.raises(NotFound):
                certificate_with(session, wrong)
        for _ in range(2):
            revoke_certificate(session, certificate_with(session, paper.code), because="代签")
    (paper,) = certificates()
    assert (paper.is_valid, paper.revoked_because) == (False, "代签")


def test_the_record_has_every_course_that_began_and_adds_up(town: Town, clock: StoppedClock) -> None:
    done = a_class(town, town.resident)
    mark(town, done, town.resident, [CAME, CAME, ABSENT])
    later = town.a_run(starts_at=done.ends_at + timedelta(days=30))
    given_up = town.a_run()
    for run in (later, given_up):
        town.resident.tap(run)
    town.resident.give_up(given_up)
    half_a_day_after(done, clock)
    with reading() as session:
        record = record_of(session, town.resident.resident(session))
    assert [
        (one.registration.run_id, one.evenings_held, one.evenings, one.hours, one.certificate is not None)
        for one in record.taken
    ] == [(done.id, 3, 2, 3.0, True)]
    assert (record.hours, record.completed) == (3.0, 1)


def test_a_record_costs_the_same_for_one_course_and_for_many(
    town: Town, clock: StoppedClock, statements: list[str]
) -> None:
    def cost() -> int:
        del statements[:]
        with reading() as session:
            record_of(session, town.resident.resident(session))
        return len(statements)

    last = a_class(town, town.resident)
    clock.move_to(last.ends_at)
    for_one = cost()
    clock.move_to(last.opens_at)
    for _ in range(5):
        a_class(town, town.resident)
    clock.move_to(last.ends_at)
    assert cost() == for_one


def test_a_certificate_loses_its_name_with_the_person(town: Town, clock: StoppedClock) -> None:
    run = a_class(town, town.resident)
    mark(town, run, town.resident, [CAME] * 3)
    half_a_day_after(run, clock)
    with transaction() as session:
        revoke_certificate(session, session.scalars(select(Certificate)).one(), because="陈静代签")
    with transaction() as session:
        begin_closure(session, town.resident.account(session))
    (paper,) = certificates()
    assert (paper.name, paper.evenings) == (None, 3)
    assert "陈静" not in paper.revoked_because
