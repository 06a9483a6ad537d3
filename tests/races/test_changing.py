"""Staff change a class while people tap on it: nobody keeps a place in what is off, and nobody misses the news."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from flask import Flask
from sqlalchemy import select

from models.base import reading, transaction
from models.courses import By, CourseRun, RunState, Standing, cancel_run, move_session, unpublish
from models.errors import Refusal
from models.notices import Notice, NoticeKind
from models.occupancy import Occupancy
from models.sites import Venue
from tests.people import FIRST_EVENING, Person, Town, a_venue
from tests.races.rush import must_be_whole, rush

WHY = By("老师出差")
DAY = timedelta(days=1)


def cancel(run: CourseRun) -> int:
    with transaction() as session:
        return cancel_run(session, session.get_one(CourseRun, run.id), by=WHY)


def move(run: CourseRun, *, by: timedelta, venue_id: int | None = None) -> int:
    with transaction() as session:
        meeting = session.get_one(CourseRun, run.id).sessions[0]
        return move_session(
            session,
            meeting,
            starts_at=meeting.starts_at + by,
            ends_at=meeting.ends_at + by,
            venue=session.get_one(Venue, venue_id) if venue_id else meeting.venue,
            by=WHY,
        )


def take_down(run: CourseRun) -> None:
    with transaction() as session:
        unpublish(session, session.get_one(CourseRun, run.id))


def told(kind: NoticeKind) -> list[int]:
    with reading() as session:
        return sorted(session.scalars(select(Notice.account_id).where(Notice.kind == kind)))


def accounts(people: list[Person]) -> list[int]:
    return sorted(person.account_id or 0 for person in people)


def test_who_got_a_place_before_the_class_was_off_is_told_and_nobody_keeps_one(
    big_town: Town, app: Flask
) -> None:
    run, people = big_town.a_run(capacity=5, waitlist_limit=None), list(big_town.crowd[:23])
    deeds: list[Callable[[], object]] = [partial(person.tap, run) for person in people]
    deeds.insert(12, partial(cancel, run))
    answers = rush(app, deeds)
    taps = [*answers[:12], *answers[13:]]
    got = [person for person, answer in zip(people, taps, strict=True) if isinstance(answer, Standing)]
    late = {answer.code for answer in taps if isinstance(answer, Refusal)}
    assert late <= {"run_cancelled"}
    assert set(big_town.states(run)) <= {"cancelled"}
    assert told(NoticeKind.RUN_CANCELLED) == accounts(got)
    assert answers[12] == len(got)
    must_be_whole(run)


def test_two_clerks_cancel_one_class_and_everybody_hears_it_once(big_town: Town, app: Flask) -> None:
    run, people = big_town.a_run(), list(big_town.crowd[:6])
    for person in people:
        person.tap(run)
    assert sorted(map(str, rush(app, [partial(cancel, run)] * 4))) == ["0", "0", "0", "6"]
    assert told(NoticeKind.RUN_CANCELLED) == accounts(people)


def test_whoever_registers_while_a_class_moves_knows_when_it_is(big_town: Town, app: Flask) -> None:
    """They tapped before and are told of the move, or after and are told the new time at once."""
    run, people = big_town.a_run(), list(big_town.crowd[:16])
    deeds: list[Callable[[], object]] = [partial(person.tap, run) for person in people]
    deeds.append(partial(move, run, by=DAY))
    answers = rush(app, deeds)
    assert all(isinstance(answer, Standing) for answer in answers[:-1])
    now = big_town.now(run)
    with reading() as session:
        notices = session.scalars(select(Notice)).all()
    knows = {notice.account_id for notice in notices if "2026年12月4日" in notice.body}
    assert knows == set(accounts(people))
    assert now.starts_at == run.starts_at + DAY
    assert len(told(NoticeKind.CLASS_MOVED)) == answers[-1]
    must_be_whole(run)


def test_two_classes_that_move_into_one_room_do_not_both_get_it(big_town: Town, app: Flask) -> None:
    with transaction() as session:
        room = a_venue(session, big_town.wutong).id
    runs = [big_town.a_run(starts_at=FIRST_EVENING) for _ in range(4)]
    answers = rush(app, [partial(move, run, by=timedelta(0), venue_id=room) for run in runs])
    assert sum(answer == 0 for answer in answers) == 1, "nobody is registered, so nobody is told"
    assert {answer.code for answer in answers if isinstance(answer, Refusal)} <= {"room_taken", "busy"}
    with reading() as session:
        spaces = [one.id for one in session.get_one(Venue, room).spaces]
        held = session.scalars(select(Occupancy).where(Occupancy.space_id.in_(spaces))).all()
    assert len(held) == 1


def test_a_class_is_taken_down_or_tapped_never_both(big_town: Town, app: Flask) -> None:
    for _ in range(4):
        run = big_town.a_run()
        deeds: list[Callable[[], object]] = [partial(take_down, run), partial(big_town.resident.tap, run)]
        down, tap = rush(app, deeds)
        now = big_town.now(run)
        if isinstance(tap, Standing):
            assert isinstance(down, Refusal)
            assert (down.code, now.state, now.seats_taken) == ("run_has_learners", RunState.PUBLISHED, 1)
        else:
            assert isinstance(tap, Refusal)
            assert (tap.code, now.state, now.seats_taken) == ("not_found", RunState.DRAFT, 0)
