"""Who is told of somebody's place in a class: oneself, and who registered one as long as they may act; else the next rung is owed it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import By, CourseRun, move_session, owe_reminders, people_to_tell
from models.departures import close_account, what_closing_means
from models.ladder.short_messages import ShortMessage
from models.notices import Notice, NoticeKind
from models.residents import bonds_over, end_bond
from tests.people import FIRST_EVENING, Person, Town


def closes(who: Person, town: Town) -> None:
    with transaction() as session:
        close_account(
            session, who.account(session), seen=what_closing_means(session, who.account(session)).fingerprint
        )


def loses_the_bond(who: Person, town: Town) -> None:
    with transaction() as session:
        for bond in bonds_over(session, town.elder.resident(session)):
            end_bond(session, bond, by_account_id=who.account_id)


def moves(run: CourseRun) -> None:
    with transaction() as session:
        meeting = session.get_one(CourseRun, run.id).sessions[0]
        move_session(
            session,
            meeting,
            starts_at=meeting.starts_at + timedelta(days=1),
            ends_at=meeting.ends_at + timedelta(days=1),
            venue=meeting.venue,
            by=By("老师出差"),
        )


def heard(kind: NoticeKind) -> list[int]:
    """The accounts that are owed a notice of this kind."""
    with reading() as session:
        return list(session.scalars(select(Notice.account_id).where(Notice.kind == kind)))


def owed_by_short_message() -> list[tuple[int, NoticeKind]]:
    """To whom, and what."""
    with reading() as session:
        return [(row.resident_id, row.kind) for row in session.scalars(select(ShortMessage))]


@pytest.fixture
def run(town: Town) -> CourseRun:
    """A class with one seat, which the helper took for the elder."""
    run = town.a_run(capacity=1)
    town.helper.tap(run, for_whom=town.elder)
    return run


GONE = pytest.mark.parametrize("goes", [closes, loses_the_bond])


def test_a_helper_hears_for_the_elder_by_name(town: Town, run: CourseRun) -> None:
    moves(run)
    with reading() as session:
        (notice,) = session.scalars(select(Notice).where(Notice.kind == NoticeKind.CLASS_MOVED))
    assert (notice.account_id, notice.facts["learner"]) == (town.helper.account_id, "王奶奶")


@GONE
def test_when_the_helper_is_gone_the_elder_is_told_of_the_change_herself(
    town: Town, run: CourseRun, goes: Callable[[Person, Town], None]
) -> None:
    goes(town.helper, town)
    with reading() as session:
        assert people_to_tell(session, run) == {town.elder.resident_id: []}
    moves(run)
    assert heard(NoticeKind.CLASS_MOVED) == []
    assert (town.elder.resident_id, NoticeKind.CLASS_MOVED) in owed_by_short_message()


@GONE
def test_nobody_who_is_gone_is_reminded(
    town: Town, run: CourseRun, clock: StoppedClock, goes: Callable[[Person, Town], None]
) -> None:
    goes(town.helper, town)
    clock.move_to(FIRST_EVENING - timedelta(hours=1))
    with transaction() as session:
        owe_reminders(session, town_clock.now())
    assert heard(NoticeKind.CLASS_SOON) == []


@GONE
def test_nobody_who_is_gone_hears_of_a_place_that_moved_up(
    town: Town, goes: Callable[[Person, Town], None]
) -> None:
    full = town.a_run(capacity=1)
    town.resident.tap(full)
    town.helper.tap(full, for_whom=town.elder)
    goes(town.helper, town)
    town.resident.give_up(full)
    assert heard(NoticeKind.REGISTRATION_PROMOTED) == []
    assert (town.elder.resident_id, NoticeKind.REGISTRATION_PROMOTED) in owed_by_short_message()
