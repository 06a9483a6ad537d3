"""Fetching children (接送): only whom a guardian named, told to the guardian, and forgotten a month after the class."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from models import clock as town_clock
from models.base import db, reading, transaction
from models.clock import StoppedClock
from models.courses import Audience, By, CourseRun, CourseSession, move_session
from models.courses.attendance import (
    AttendanceState,
    Mark,
    NamedAdult,
    PickUp,
    PickUpAdult,
    Recorder,
    Relation,
    children_at,
    forget_pick_ups,
    mark_sheet,
    name_adults,
    sign_out,
)
from models.departures import close_account, what_closing_means
from models.errors import Refusal
from models.notices import Notice, NoticeKind
from models.residents import BondKind, Resident, bonds_over, end_bond
from tests.people import FIRST_EVENING, Person, Town, a_bond

GRANDPA = NamedAdult("李建国", "13700000001", Relation.GRANDPARENT)
NANNY = NamedAdult("赵阿姨", "13700000002", Relation.NANNY)
DESK = Recorder(identity="staff:desk")


@contextmanager
def refused(code: str) -> Iterator[None]:
    """The town says no with this code."""
    with pytest.raises(Refusal) as caught:
        yield
    assert caught.value.code == code


@pytest.fixture
def run(town: Town) -> CourseRun:
    """A class for children, with the guardian's child in it."""
    run = town.a_run(audience=Audience.CHILD, title="四点半课堂")
    town.guardian.tap(run, for_whom=town.child)
    return run


def names(town: Town, run: CourseRun, *named: NamedAdult, by: Person | None = None) -> list[str]:
    """The guardian says who may fetch the child; their keys."""
    with transaction() as session:
        adults = name_adults(
            session,
            session.get_one(CourseRun, run.id),
            session.get_one(Resident, town.child.resident_id),
            named,
            by=Recorder((by or town.guardian).account_id, "resident"),
        )
        return [adult.key for adult in adults]


def comes(town: Town, run: CourseRun, clock: StoppedClock) -> str:
    """The child is checked in; the key of its place."""
    clock.move_to(FIRST_EVENING)
    (line,) = town.registrations(run)
    with transaction() as session:
        meeting = session.get_one(CourseSession, run.sessions[0].id)
        mark_sheet(session, meeting, [Mark(line.key, AttendanceState.PRESENT)], may_correct=False, by=DESK)
    clock.advance(minutes=90)
    return line.key


def fetches(run: CourseRun, place: str, who: str) -> None:
    with transaction() as session:
        sign_out(session, session.get_one(CourseSession, run.sessions[0].id), place, who, by=DESK)


def waiting(run: CourseRun) -> list[str | None]:
    """The children who are here and not yet fetched."""
    with reading() as session:
        lines = children_at(session, session.get_one(CourseSession, run.sessions[0].id))
        return [line.registration.resident.name for line in lines if line.waits]


def told() -> list[Notice]:
    with reading() as session:
        return list(
            session.scalars(select(Notice).where(Notice.kind == NoticeKind.CHILD_FETCHED).order_by(Notice.id))
        )


def test_a_named_adult_fetches_the_child_and_the_guardian_hears_who_and_when(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    (grandpa,) = names(town, run, GRANDPA)
    assert waiting(run) == []
    place = comes(town, run, clock)
    assert waiting(run) == ["李小雨"]
    fetches(run, place, grandpa)
    fetches(run, place, grandpa)
    assert waiting(run) == []
    (notice,) = told()
    assert notice.account_id == town.guardian.account_id
    assert "19:30" in notice.body
    assert "李（老人）" in notice.body
    assert "李建国" not in notice.body


def test_nobody_else_fetches_it(town: Town, run: CourseRun, clock: StoppedClock) -> None:
    grandpa, nanny = names(town, run, GRANDPA, NANNY)
    assert names(town, run, GRANDPA) == [grandpa], "whoever stays keeps their key"
    place = comes(town, run, clock)
    for stranger in (nanny, town.neighbour.key, "a" * 16):
        with refused("adult_not_named"):
            fetches(run, place, stranger)
    assert waiting(run) == ["李小雨"]
    assert told() == []
    fetches(run, place, town.guardian.key)
    assert waiting(run) == []


def test_who_guards_the_child_no_longer_neither_fetches_it_nor_names_who_does(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    """E8."""
    with transaction() as session:
        a_bond(session, town.neighbour, town.child, kind=BondKind.GUARDIAN)
        a_bond(session, town.helper, town.child)  # helps, and guards nobody
    place = comes(town, run, clock)
    with refused("guardian_only"):
        names(town, run, GRANDPA, by=town.helper)
    with refused("adult_not_named"):
        fetches(run, place, town.helper.key)
    with transaction() as session:
        for bond in bonds_over(session, town.child.resident(session)):
            if bond.helper_id == town.guardian.resident_id:
                end_bond(session, bond, by_account_id=None)
    with refused("guardian_only"):
        names(town, run, GRANDPA)
    with refused("adult_not_named"):
        fetches(run, place, town.guardian.key)
    fetches(run, place, town.neighbour.key)


@pytest.mark.parametrize("said", [None, AttendanceState.LEAVE, AttendanceState.ABSENT])
def test_a_child_that_was_not_here_goes_home_with_nobody(
    town: Town, run: CourseRun, clock: StoppedClock, said: AttendanceState | None
) -> None:
    (line,) = town.registrations(run)
    clock.move_to(FIRST_EVENING)
    with transaction() as session:
        meeting = session.get_one(CourseSession, run.sessions[0].id)
        marks = [Mark(line.key, said)] if said else []
        mark_sheet(session, meeting, marks, may_correct=False, by=DESK)
    with refused("child_not_here"):
        fetches(run, line.key, town.guardian.key)


def test_only_a_guardian_names_and_only_for_a_class_of_children(town: Town, run: CourseRun) -> None:
    with refused("guardian_only"):
        names(town, run, GRANDPA, by=town.neighbour)
    grown_ups = town.a_run()
    with refused("no_pick_up"):
        names(town, grown_ups, GRANDPA)
    other = town.a_run(audience=Audience.CHILD)
    with refused("not_registered"):
        names(town, other, GRANDPA)


def test_names_and_numbers_are_sealed_and_go_a_month_after_the_class(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    (grandpa,) = names(town, run, GRANDPA)
    fetches(run, comes(town, run, clock), grandpa)
    with db.engine.connect() as connection:
        kept = str(connection.execute(text("SELECT name, phone FROM pick_up_adults")).all())
    assert "李建国" not in kept
    assert "13700000001" not in kept
    clock.advance(days=29)
    with transaction() as session:
        assert forget_pick_ups(session, town_clock.now()) == 0
    clock.advance(days=2)
    with transaction() as session:
        assert forget_pick_ups(session, town_clock.now()) == 1
        assert not session.scalars(select(PickUp)).all()
        assert not session.scalars(select(PickUpAdult)).all()
    assert FIRST_EVENING + timedelta(days=32) > town_clock.now()


def test_that_a_guardian_fetched_the_child_goes_too_where_nobody_else_was_named(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    fetches(run, comes(town, run, clock), town.guardian.key)
    clock.advance(days=31)
    with transaction() as session:
        assert forget_pick_ups(session, town_clock.now()) == 1
        assert not session.scalars(select(PickUp)).all()


def test_a_correction_is_told_also_back_to_who_was_said_first(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    grandpa, nanny = names(town, run, GRANDPA, NANNY)
    place = comes(town, run, clock)
    for who in (grandpa, nanny, grandpa):
        fetches(run, place, who)
        clock.advance(minutes=1)
    assert [notice.facts["fetcher"] for notice in told()] == ["李（老人）", "赵（保姆）", "李（老人）"]


def test_a_child_that_went_home_because_the_class_moves_waits_again_when_it_is_held(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING - timedelta(minutes=20))
    (line,) = town.registrations(run)
    here = [Mark(line.key, AttendanceState.PRESENT)]
    with transaction() as session:
        meeting = session.get_one(CourseSession, run.sessions[0].id)
        mark_sheet(session, meeting, here, may_correct=False, by=DESK)
    fetches(run, line.key, town.guardian.key)
    later = timedelta(days=1)
    with transaction() as session:
        meeting = session.get_one(CourseSession, run.sessions[0].id)
        move_session(
            session,
            meeting,
            starts_at=meeting.starts_at + later,
            ends_at=meeting.ends_at + later,
            venue=meeting.venue,
            by=By("老师生病"),
        )
    clock.advance(days=1)
    with transaction() as session:
        meeting = session.get_one(CourseSession, run.sessions[0].id)
        mark_sheet(session, meeting, here, may_correct=False, by=DESK)
    assert waiting(run) == ["李小雨"]
    fetches(run, line.key, town.guardian.key)
    assert len(told()) == 2


def test_who_may_fetch_a_child_is_forgotten_when_it_leaves_with_its_guardian(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    (grandpa,) = names(town, run, GRANDPA)
    fetches(run, comes(town, run, clock), grandpa)
    with transaction() as session:
        account = town.guardian.account(session)
        close_account(session, account, seen=what_closing_means(session, account).fingerprint)
    with reading() as session:
        assert session.scalars(select(PickUpAdult)).all() == []
        assert session.scalars(select(PickUp)).all() == []
