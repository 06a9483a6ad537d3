"""The counter against another counter, and against the phones: one place a person, and no seat twice."""

from __future__ import annotations

from flask import Flask

from models.base import transaction
from models.consents import PRIVACY_POLICY
from models.counter import ConsentGiver, take_consent
from models.courses import AtCounter, CourseRun, Standing, Tap, register
from tests.people import Person, Town, Worker, a_bond
from tests.races.rush import must_be_whole, rush


def signs(town: Town, whom: Person, *, given_by: ConsentGiver = ConsentGiver.ONESELF) -> None:
    with transaction() as session:
        take_consent(
            session,
            whom.resident(session),
            version=PRIVACY_POLICY.version,
            given_by=given_by,
            by=town.clerk.member(session),
        )


def takes(run: CourseRun, whom: Person, by: Worker) -> Standing:
    hat = AtCounter(by.account_id, by.identity, by.name, "社区工作人员", gives_held_seats=True)
    with transaction() as session:
        standing = register(session, Tap(run.key, "", for_key=whom.key, at_counter=hat))
    assert standing is not None
    return standing


def test_two_clerks_register_the_same_elder_at_once_once(town: Town, app: Flask) -> None:
    signs(town, town.elder)
    run = town.a_run()
    workers = [town.clerk, town.admin, town.grid_worker] * 4
    answers = rush(app, [lambda by=by: takes(run, town.elder, by) for by in workers])  # type: ignore[misc]
    assert len({answer.key for answer in answers if isinstance(answer, Standing)}) == 1
    assert all(isinstance(answer, Standing) for answer in answers)
    assert town.states(run) == ["confirmed"]
    must_be_whole(run)


def test_guardian_and_clerk_register_the_same_child_at_once_once(town: Town, app: Flask) -> None:
    signs(town, town.child, given_by=ConsentGiver.GUARDIAN)
    run = town.a_run()
    deeds = [
        lambda: town.guardian.tap(run, for_whom=town.child),
        lambda: takes(run, town.child, town.clerk),
    ] * 6
    answers = rush(app, deeds)
    assert len({answer.key for answer in answers if isinstance(answer, Standing)}) == 1
    assert town.states(run) == ["confirmed"]
    must_be_whole(run)


def test_helper_and_guardian_at_once_have_one_place(town: Town, app: Flask) -> None:
    with transaction() as session:
        a_bond(session, town.helper, town.child)
    run = town.a_run()
    deeds = [
        lambda: town.guardian.tap(run, for_whom=town.child),
        lambda: town.helper.tap(run, for_whom=town.child),
    ] * 6
    answers = rush(app, deeds)
    assert len({answer.key for answer in answers if isinstance(answer, Standing)}) == 1
    must_be_whole(run)


def test_counter_and_phones_share_the_last_seats(town: Town, app: Flask) -> None:
    signs(town, town.elder)
    run = town.a_run(capacity=3, waitlist_limit=None)
    crowd = town.people(11)
    deeds = [lambda: takes(run, town.elder, town.clerk)]
    deeds += [lambda person=person: person.tap(run) for person in crowd]  # type: ignore[misc]
    answers = rush(app, deeds)
    assert all(isinstance(answer, Standing) for answer in answers)
    assert town.states(run).count("confirmed") == 3
    must_be_whole(run)


def test_counter_and_phones_at_once_share_the_held_seat_once(town: Town, app: Flask) -> None:
    signs(town, town.elder)
    signs(town, town.resident)
    run = town.a_run(capacity=2, waitlist_limit=None)
    with transaction() as session:
        session.get_one(CourseRun, run.id).seats_held = 1
    crowd = town.people(6)
    deeds = [lambda: takes(run, town.elder, town.clerk), lambda: takes(run, town.resident, town.admin)]
    deeds += [lambda person=person: person.tap(run) for person in crowd]  # type: ignore[misc]
    answers = rush(app, deeds)
    assert all(isinstance(answer, Standing) for answer in answers)
    now = town.now(run)
    assert (now.seats_taken, now.seats_held) == (2, 0)
    assert town.states(run).count("confirmed") == 2
