"""The last seat (E1), with its controls: the lock out, and then the constraint too (architecture §4)."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from models import clock as town_clock
from models.base import db, new_key, transaction, writer
from models.committer import Committer
from models.courses import CourseRun, Registration, RegistrationState, Standing, Tap, decide, register
from models.errors import Refusal
from tests.conftest import DATA_KEY, LOOKUP_KEY, NOON
from tests.people import Person, Town, raise_capacity
from tests.races.controls import without_check, without_index
from tests.races.rush import must_be_whole, rush

REPOSITORY = Path(__file__).parents[2]


def with_repeats(people: tuple[Person, ...], run: CourseRun) -> list[Tap]:
    """Everybody taps; 15 % tap twice, most of them soon after the first time."""
    taps = [person.wants(run) for person in people]
    for n in range(0, len(people), 20):
        taps.insert(min(n + 40, len(taps)), people[n].wants(run))
        taps.insert(min(n + 5, len(taps)), people[n + 1].wants(run))
        taps.append(people[n + 2].wants(run))
    return taps


def same_to_everybody(taps: list[Tap], answers: list[object]) -> None:
    """Whoever asked twice was told the same registration."""
    told: dict[str, set[str]] = {}
    for tap, answer in zip(taps, answers, strict=True):
        assert isinstance(answer, Standing), answer
        told.setdefault(tap.login_key, set()).add(answer.key)
    assert all(len(keys) == 1 for keys in told.values())


def test_last_seat_goes_to_one_of_24(big_town: Town, app: Flask) -> None:
    """E1, small: 24 threads, one seat, each in a transaction of its own."""
    run = big_town.a_run(capacity=1, waitlist_limit=None)
    answers = rush(app, [partial(p.tap, run) for p in big_town.crowd[:24]])
    assert sum(isinstance(a, Standing) and a.state is RegistrationState.CONFIRMED for a in answers) == 1
    must_be_whole(run)
    assert big_town.now(run).waiting == 23


def test_500_residents_on_20_seats_each_on_their_own(big_town: Town, app: Flask) -> None:
    """E1: exactly 20 sit, 480 wait in the order of decision, repeats change nothing."""
    run = big_town.a_run(capacity=20, waitlist_limit=None)
    taps = with_repeats(big_town.crowd, run)

    def deed(tap: Tap) -> Standing | None:
        with transaction() as session:
            return register(session, tap)

    answers = rush(app, [partial(deed, t) for t in taps])
    same_to_everybody(taps, list(answers))
    assert big_town.states(run) == ["confirmed"] * 20 + ["waitlisted"] * 480
    must_be_whole(run)


def test_500_residents_on_20_seats_through_the_committer(big_town: Town, app: Flask) -> None:
    """E1, as the server does it: one committer, many who ask."""
    run = big_town.a_run(capacity=20, waitlist_limit=None)
    taps = with_repeats(big_town.crowd, run)
    committer: Committer[Tap, Standing | None] = Committer(db.engine, decide)
    answers = rush(app, [partial(committer.ask, t) for t in taps], threads=64)
    same_to_everybody(taps, list(answers))
    assert big_town.states(run) == ["confirmed"] * 20 + ["waitlisted"] * 480
    must_be_whole(run)


def test_two_committers_on_overlapping_runs_do_not_stop_each_other(big_town: Town, app: Flask) -> None:
    """Runs are locked in one order, so two processes that want the same runs wait, and none is a victim."""
    runs = [big_town.a_run(capacity=5, waitlist_limit=None) for _ in range(4)]
    committers: list[Committer[Tap, Standing | None]] = [Committer(db.engine, decide) for _ in range(2)]
    deeds: list[Callable[[], object]] = []
    for n, person in enumerate(big_town.crowd[:60]):
        ordered = runs if n % 2 else runs[::-1]
        deeds += [partial(committers[n % 2].ask, person.wants(run)) for run in ordered]
    answers = rush(app, deeds, threads=32)
    assert all(isinstance(answer, Standing) for answer in answers)
    for run in runs:
        must_be_whole(run)
        assert big_town.now(run).last_number == 60


def in_processes(database_url: str, run: CourseRun, orders: list[dict[str, object]]) -> list[list[str]]:
    """What each process told that got one of these orders about a run; all start at one moment."""
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.races.rusher"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in orders
    ]
    to_all = {"url": database_url, "keys": [DATA_KEY, LOOKUP_KEY], "now": NOON.isoformat(), "run": run.key}
    try:
        for child, order in zip(children, orders, strict=True):
            assert child.stdin is not None
            child.stdin.write(json.dumps(to_all | order) + "\n")
            child.stdin.flush()
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        return [json.loads(child.communicate(timeout=60)[0]) for child in children]
    finally:
        for child in children:
            child.kill()
            child.communicate()


def test_two_processes_give_20_seats(big_town: Town, database_url: str) -> None:
    """E1 across processes: the database, not a lock in memory, decides."""
    run = big_town.a_run(capacity=20, waitlist_limit=None)
    halves = (big_town.crowd[:250], big_town.crowd[250:])
    told = in_processes(
        database_url, run, [{"logins": [person.login_key for person in half]} for half in halves]
    )
    states = [state for answers in told for state in answers]
    assert sorted(set(states)) == ["confirmed", "waitlisted"]
    assert (states.count("confirmed"), states.count("waitlisted")) == (20, 480)
    assert big_town.states(run) == ["confirmed"] * 20 + ["waitlisted"] * 480
    must_be_whole(run)


def test_staff_change_the_number_of_seats_in_one_process_while_people_tap_in_another(
    big_town: Town, database_url: str
) -> None:
    """Nobody who was told of a seat loses it, and no number is accepted that is fewer than people sit."""
    run = big_town.a_run(capacity=20)
    wanted = [12, 30, 8, 25, 3, 40] * 5
    told, answers = in_processes(
        database_url, run, [{"logins": [person.login_key for person in big_town.crowd]}, {"seats": wanted}]
    )
    assert set(answers) <= {"done", "run_has_learners"}
    assert set(told) <= {"confirmed", "waitlisted", "waitlist_full"}
    accepted = [seats for seats, answer in zip(wanted, answers, strict=True) if answer == "done"]
    now = big_town.now(run)
    assert now.capacity == (accepted or [20])[-1]
    assert big_town.states(run).count("confirmed") == now.seats_taken >= told.count("confirmed")
    must_be_whole(run)


# --- pairs of deeds that meet -------------------------------------------------------------------------------------


def test_giving_up_meets_tapping(big_town: Town, app: Flask) -> None:
    """E3: whichever comes first, no seat stands idle and nobody sits twice."""
    run = big_town.a_run(capacity=4, waitlist_limit=None)
    sitting, coming = big_town.crowd[:4], big_town.crowd[4:12]
    for person in sitting:
        person.tap(run)
    deeds: list[Callable[[], object]] = [partial(p.give_up, run) for p in sitting]
    deeds += [partial(p.tap, run) for p in coming]
    assert not [answer for answer in rush(app, deeds) if isinstance(answer, Exception)]
    must_be_whole(run)
    now = big_town.now(run)
    assert (now.seats_taken, now.waiting) == (4, 4)


def test_the_first_in_line_leaves_while_being_called(big_town: Town, app: Flask) -> None:
    """E3: the seat given up at the moment the first in line gives up goes to the second."""
    run = big_town.a_run(capacity=1, waitlist_limit=None)
    seated, first, second = big_town.crowd[:3]
    for person in (seated, first, second):
        person.tap(run)
    answers = rush(app, [partial(seated.give_up, run), partial(first.give_up, run)])
    assert answers == [None, None]
    assert big_town.states(run) == ["cancelled", "cancelled", "confirmed"]
    must_be_whole(run)


def test_more_chairs_come_while_somebody_leaves(big_town: Town, app: Flask) -> None:
    run = big_town.a_run(capacity=2, waitlist_limit=None)
    for person in big_town.crowd[:6]:
        person.tap(run)

    def more_chairs() -> None:
        with transaction() as session:
            raise_capacity(session, run, 3)

    deeds: list[Callable[[], object]] = [more_chairs]
    deeds += [partial(p.give_up, run) for p in big_town.crowd[:2]]
    rush(app, deeds)
    assert big_town.states(run) == ["cancelled"] * 2 + ["confirmed"] * 3 + ["waitlisted"]
    must_be_whole(run)


def test_one_person_on_many_phones_sits_once(big_town: Town, app: Flask) -> None:
    """E5."""
    run = big_town.a_run(capacity=5)
    answers = rush(app, [partial(big_town.resident.tap, run)] * 16)
    assert len({answer.key for answer in answers if isinstance(answer, Standing)}) == 1
    assert big_town.states(run) == ["confirmed"]


def test_a_class_is_cancelled_while_people_tap(big_town: Town, app: Flask) -> None:
    """Whoever tapped before is in, whoever came after is told; nothing in between."""
    run = big_town.a_run(capacity=30)

    def call_off() -> None:
        with transaction() as session:
            session.execute(update(CourseRun).where(CourseRun.id == run.id).values(state="cancelled"))

    deeds: list[Callable[[], object]] = [partial(p.tap, run) for p in big_town.crowd[:20]]
    answers = rush(app, [*deeds, call_off])
    seated = sum(isinstance(answer, Standing) for answer in answers)
    refused = [answer.code for answer in answers if isinstance(answer, Refusal)]
    assert seated + len(refused) == 20
    assert set(refused) <= {"run_cancelled"}
    assert big_town.states(run) == ["confirmed"] * seated


# --- controls -----------------------------------------------------------------------------------------------------


def forgetful_tap(run: CourseRun, person: Person, looked: threading.Barrier) -> str:
    """A path that forgot the verb: look, wait until everybody has looked, then write. No lock."""
    engine = db.engine
    with engine.connect() as connection:
        taken = connection.execute(select(CourseRun.seats_taken).where(CourseRun.id == run.id)).scalar_one()
    looked.wait(30)
    if taken >= run.capacity:
        return "full"
    with writer(engine).begin() as connection:
        connection.execute(
            update(CourseRun).where(CourseRun.id == run.id).values(seats_taken=CourseRun.seats_taken + 1)
        )
        connection.execute(
            insert(Registration),
            {
                "key": new_key(),
                "run_id": run.id,
                "resident_id": person.resident_id,
                "state": RegistrationState.CONFIRMED,
                "number": person.resident_id,
                "registered_at": town_clock.now(),
                "cancelled_late": False,
            },
        )
    return "seated"


def test_without_the_lock_the_constraint_is_loud(big_town: Town, app: Flask) -> None:
    """Control 1: two who both saw the last seat; the check on the counter lets one in."""
    run = big_town.a_run(capacity=1)
    looked = threading.Barrier(2)
    pair = big_town.crowd[:2]
    answers = rush(app, [partial(forgetful_tap, run, p, looked) for p in pair])
    assert sorted(type(answer).__name__ for answer in answers) == ["IntegrityError", "str"]
    assert big_town.states(run) == ["confirmed"]


def test_without_lock_and_constraint_two_win(big_town: Town, app: Flask) -> None:
    """Control 2: what the lock and the constraint are for."""
    run = big_town.a_run(capacity=1)
    looked = threading.Barrier(2)
    with (
        without_check(db.engine, CourseRun, "seats_within_capacity", seats_taken=0),
        without_check(db.engine, CourseRun, "held_within_capacity", seats_taken=0),
    ):
        answers = rush(app, [partial(forgetful_tap, run, p, looked) for p in big_town.crowd[:2]])
        assert answers == ["seated", "seated"]
        assert big_town.states(run) == ["confirmed", "confirmed"]
        with pytest.raises(AssertionError):
            must_be_whole(run)


def twice_without_looking(run: CourseRun, person: Person, number: int) -> str:
    """A path that forgot to look whether the person is in already."""
    with writer(db.engine).begin() as connection:
        connection.execute(
            insert(Registration),
            {
                "key": new_key(),
                "run_id": run.id,
                "resident_id": person.resident_id,
                "state": RegistrationState.WAITLISTED,
                "number": number,
                "registered_at": town_clock.now(),
                "cancelled_late": False,
            },
        )
    return "in"


def test_one_person_cannot_be_in_twice_even_by_a_forgetful_path(big_town: Town, app: Flask) -> None:
    run = big_town.a_run()
    deeds = [partial(twice_without_looking, run, big_town.resident, n) for n in (1, 2)]
    answers = rush(app, deeds)
    assert sum(isinstance(answer, IntegrityError) for answer in answers) == 1
    with without_index(db.engine, Registration, "uq_registrations_live"):
        with writer(db.engine).begin() as connection:
            connection.execute(text("DELETE FROM registrations"))
        assert rush(app, deeds) == ["in", "in"]


def test_numbers_never_repeat_even_by_a_forgetful_path(big_town: Town) -> None:
    run = big_town.a_run()
    twice_without_looking(run, big_town.resident, 1)
    with pytest.raises(IntegrityError):
        twice_without_looking(run, big_town.neighbour, 1)


def test_who_wants_a_held_run_waits_or_is_told(big_town: Town, engine_name: str) -> None:
    """What the lock does when it is in: the second writer cannot even look with intent."""
    run = big_town.a_run()
    with transaction() as session:
        session.get_one(CourseRun, run.id).lock()
        if engine_name == "postgresql":
            with writer(db.engine).connect() as other:
                other.execute(text("SET LOCAL lock_timeout = '20ms'"))
                with pytest.raises(DBAPIError, match="lock timeout"):
                    decide(other, [big_town.resident.wants(run)])
        else:
            intruder = sqlite3.connect(str(db.engine.url.database), isolation_level=None, timeout=0.02)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                intruder.execute("BEGIN IMMEDIATE")
            intruder.close()
