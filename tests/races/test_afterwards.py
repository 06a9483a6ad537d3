"""Afterwards, many at once: one class is completed once, one person says one thing, one account has one feed."""

from __future__ import annotations

from functools import partial

from flask import Flask
from sqlalchemy import func, select

from models.base import reading, transaction
from models.clock import StoppedClock
from models.coordination.feeds import CalendarFeed, feed_token, open_feed
from models.coordination.room_feeds import VenueFeed, open_venue_feed, venue_feed_token
from models.courses import (
    Certificate,
    CourseRun,
    Feedback,
    QuestionKind,
    QuestionPlan,
    RunAnswer,
    answer_questions,
    ask_questions,
    complete_run,
    give_feedback,
    questions_of,
)
from models.errors import Conflict
from models.journal import JournalEntry
from models.sites import Venue
from tests.people import Person, Town, a_bond
from tests.races.rush import rush
from tests.rooms import Centre


def completes(run: CourseRun) -> int:
    with transaction() as session:
        return complete_run(session, session.get_one(CourseRun, run.id), by_their_word=True)


def rates(run: CourseRun, person: Person, stars: int) -> str:
    with transaction() as session:
        person.account(session).lock()
        mine = session.get_one(CourseRun, run.id)
        give_feedback(
            session, mine, person.resident(session), stars=stars, words=None, by_account_id=person.account_id
        )
    return "said"


def answers(run: CourseRun, learner: Person, by: Person, said: str) -> str:
    with transaction() as session:
        by.account(session).lock()
        mine = session.get_one(CourseRun, run.id)
        (question,) = questions_of(session, mine)
        answer_questions(
            session, mine, learner.resident(session), {question.key: said}, by_account_id=by.account_id
        )
    return said


def opens_a_feed(person: Person) -> str:
    with transaction() as session:
        account = person.account(session).lock()
        return feed_token(open_feed(session, account))


def opens_a_rooms_feed(room: Venue) -> str:
    with transaction() as session:
        here = session.get_one(Venue, room.id)
        return venue_feed_token(open_venue_feed(session, here, by_account_id=None, identity="town"))


def count(table: type[Certificate | Feedback | RunAnswer | CalendarFeed | VenueFeed]) -> int:
    with reading() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


def test_a_class_is_completed_once_however_many_say_so(town: Town, app: Flask, clock: StoppedClock) -> None:
    run, people = town.a_run(), town.people(5)
    for person in people:
        person.tap(run)
    clock.move_to(run.ends_at)
    done = rush(app, [partial(completes, run)] * 6, threads=6)
    assert sorted(map(str, done)) == ["0", "0", "0", "0", "0", "5"]
    assert count(Certificate) == 5
    with reading() as session:
        entries = session.scalars(
            select(JournalEntry.subject_id).where(JournalEntry.act == "registration.completed")
        ).all()
    assert len(entries) == len(set(entries)) == 5


def test_two_devices_say_one_thing(town: Town, app: Flask, clock: StoppedClock) -> None:
    run = town.a_run()
    town.resident.tap(run)
    clock.move_to(run.ends_at)
    said = rush(app, [partial(rates, run, town.resident, stars) for stars in (1, 2, 3, 4)], threads=4)
    assert said == ["said"] * 4
    assert count(Feedback) == 1


def test_two_who_answer_for_a_child_leave_one_answer(town: Town, app: Flask) -> None:
    run = town.a_run()
    with transaction() as session:
        a_bond(session, town.neighbour, town.child)
        ask_questions(
            session, session.get_one(CourseRun, run.id), [QuestionPlan(QuestionKind.TEXT, "想学什么")]
        )
    deeds = [
        partial(answers, run, town.child, by, said)
        for by, said in ((town.guardian, "包子"), (town.neighbour, "饺子"))
    ]
    said = rush(app, deeds, threads=2)
    refused = [one for one in said if isinstance(one, Exception)]
    assert len(refused) < 2
    assert all(isinstance(one, Conflict) and one.code == "answers_outdated" for one in refused)
    assert count(RunAnswer) == 1


def test_two_phones_open_one_feed(town: Town, app: Flask) -> None:
    tokens = rush(app, [partial(opens_a_feed, town.resident)] * 4, threads=4)
    assert len(set(map(str, tokens))) == 1
    assert count(CalendarFeed) == 1


def test_two_who_work_there_open_one_feed_of_a_room(town: Town, app: Flask, centre: Centre) -> None:
    tokens = rush(app, [partial(opens_a_rooms_feed, centre.left)] * 4, threads=4)
    assert len(set(map(str, tokens))) == 1
    assert count(VenueFeed) == 1
