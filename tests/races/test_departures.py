"""Leaving while something else happens: a tap, a promotion, a second tap on 注销, another guardian. With the controls.

What protects a seat from being given to somebody who just left is not a lock of the tap's, which is bare, but that the person's row
is deleted: the tap's foreign key has nothing to point at. On SQLite writers take turns from their first moment, so there such a tap
comes wholly before or wholly after.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models import clock as town_clock
from models.accounts import Account
from models.base import db, reading, transaction
from models.committer import Committer
from models.consents import PRIVACY_POLICY
from models.courses import CourseRun, Registration, RegistrationState, Standing, Tap, decide, register
from models.departures import close_account, leaving, see_off, what_closing_means
from models.errors import Busy, Conflict, Unauthenticated
from models.grants import GrantReport, MessageGrant
from models.notices import TemplateName
from models.residents import BondKind, Profile, Resident, introduce
from tests.people import Person, Town, a_bond, a_person_without_phone
from tests.phones import TEMPLATES, Door, door, doors, sandbox, the_problem
from tests.races.rush import (
    a_tap_that_stops,
    meanwhile,
    must_be_whole,
    rush,
    until_somebody_waits_for_a_lock,
)

__all__ = ["door", "doors", "sandbox"]

PATIENCE = 30


def shown(who: Person) -> str:
    """The fingerprint of what this person was told."""
    with reading() as session:
        return what_closing_means(session, who.account(session)).fingerprint


def close(who: Person, seen: str) -> str:
    """Close their account."""
    with transaction() as session:
        close_account(session, who.account(session), seen=seen)
    return "closed"


def close_at_last(who: Person) -> str:
    """Look and close, again when something came between, as a person does."""
    for _ in range(20):
        try:
            return close(who, shown(who))
        except (Busy, Conflict):
            continue
    raise AssertionError("something always comes between")


def nobody_holds(run: CourseRun) -> bool:
    """Whether no seat and no place in the queue is held by somebody who left."""
    with reading() as session:
        rows = session.scalars(
            select(Registration)
            .join(Resident, Resident.id == Registration.resident_id)
            .where(
                Registration.run_id == run.id,
                Registration.state != RegistrationState.CANCELLED,
                Resident.left_at.is_not(None),
            )
        )
        return not rows.all()


# --- a tap --------------------------------------------------------------------------------------------------------


def close_behind_a_tap(
    town: Town, app: Flask, engine_name: str, monkeypatch: pytest.MonkeyPatch, tap: Callable[[], object]
) -> tuple[object, object]:
    """The resident's tap has begun and knows them; they close; the tap goes on: what became of the tap and of closing."""
    seen = shown(town.resident)
    with a_tap_that_stops(monkeypatch, "lock_runs", done=False) as (stands_there, may_go_on):
        tapping, tapped = meanwhile(app, tap)
        assert stands_there.wait(PATIENCE)
        closing, closed = meanwhile(app, partial(close, town.resident, seen))
        if engine_name == "postgresql":
            closing.join(PATIENCE)  # on SQLite it waits for its turn
        may_go_on.set()
        tapping.join(PATIENCE)
        closing.join(PATIENCE)
    return tapped[0], closed[0]


def test_a_tap_under_way_meets_a_foreign_key_not_a_seat(
    town: Town, app: Flask, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = town.a_run()
    tap, closing = close_behind_a_tap(town, app, engine_name, monkeypatch, partial(town.resident.tap, run))
    if engine_name == "postgresql":
        assert isinstance(tap, IntegrityError)
        assert closing == "closed"
        assert town.states(run) == []
    else:
        assert isinstance(tap, Standing)
        assert isinstance(closing, Conflict), "what was shown is no longer so"
        assert town.states(run) == ["confirmed"]
    assert nobody_holds(run)
    must_be_whole(run)


def test_the_committer_asks_again_and_finds_them_signed_out(
    town: Town, app: Flask, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = town.a_run()
    committer: Committer[Tap, Standing | None] = Committer(db.engine, decide)
    ask = partial(committer.ask, town.resident.wants(run))
    tap, closing = close_behind_a_tap(town, app, engine_name, monkeypatch, ask)
    if engine_name == "postgresql":
        assert isinstance(tap, Unauthenticated)
        assert closing == "closed"
    else:
        assert isinstance(tap, Standing)
    assert nobody_holds(run)
    must_be_whole(run)


# on SQLite writers take turns from their first moment: nothing can come between
@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_if_the_row_stayed_somebody_who_left_would_get_a_seat(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: with the deletion out, the tap wins and nobody sits there for ever."""

    def only_blank(session: Session, resident: Resident) -> Resident:
        session.execute(
            update(Resident)
            .where(Resident.id == resident.id)
            .values(name=None, account_id=None, left_at=town_clock.now())
        )
        return resident

    monkeypatch.setattr(leaving, "_put_nobody_in_place_of", only_blank)
    run = town.a_run()
    tap, closing = close_behind_a_tap(town, app, "postgresql", monkeypatch, partial(town.resident.tap, run))
    assert isinstance(tap, Standing)
    assert closing == "closed"
    assert not nobody_holds(run)


def test_closing_waits_for_a_tap_that_is_not_committed_yet(town: Town, app: Flask, engine_name: str) -> None:
    """It sees the new seat, which it had not told about, and closes nothing."""
    run = town.a_run()
    seen = shown(town.resident)
    seated, may_commit = threading.Event(), threading.Event()

    def slow_tap() -> object:
        with transaction() as session:
            standing = register(session, town.resident.wants(run))
            seated.set()
            assert may_commit.wait(PATIENCE)
        return standing

    tapping, tapped = meanwhile(app, slow_tap)
    assert seated.wait(PATIENCE)
    closing, closed = meanwhile(app, partial(close, town.resident, seen))
    if engine_name == "postgresql":
        until_somebody_waits_for_a_lock()
    may_commit.set()
    tapping.join(PATIENCE)
    closing.join(PATIENCE)
    assert isinstance(tapped[0], Standing)
    assert isinstance(closed[0], Conflict)
    assert closed[0].code == "closure_outdated"
    assert town.states(run) == ["confirmed"]
    assert close_at_last(town.resident) == "closed"
    assert town.states(run) == ["cancelled"]


def test_taps_and_closures_of_many_leave_every_run_whole(big_town: Town, app: Flask) -> None:
    """E1 among people who leave: no seat is held by nobody, none stands idle, and who left is signed out."""
    runs = [big_town.a_run(capacity=5, waitlist_limit=None) for _ in range(3)]
    crowd = big_town.crowd[:24]
    for person in crowd[:12]:
        for run in runs[:2]:
            person.tap(run)
    deeds: list[Callable[[], object]] = []
    for n, person in enumerate(crowd):
        deeds.append(partial(person.tap, runs[n % 3]))
        if n % 3 == 0:
            deeds.append(partial(close_at_last, person))
    answers = rush(app, deeds, threads=16)
    assert [answer for answer in answers if answer == "closed"] == ["closed"] * 8
    for run in runs:
        must_be_whole(run)
        assert nobody_holds(run)


# --- a promotion --------------------------------------------------------------------------------------------------


def test_the_first_in_line_closes_while_being_called(big_town: Town, app: Flask) -> None:
    """Whichever comes first, the seat goes to the second in line."""
    run = big_town.a_run(capacity=1, waitlist_limit=None)
    seated, first, second = big_town.crowd[:3]
    for person in (seated, first, second):
        person.tap(run)
    deeds: list[Callable[[], object]] = [partial(seated.give_up, run), partial(close_at_last, first)]
    answers = rush(app, deeds)
    assert answers == [None, "closed"]
    assert big_town.states(run) == ["cancelled", "cancelled", "confirmed"]
    assert nobody_holds(run)
    must_be_whole(run)


def test_everybody_who_sits_closes_at_once(big_town: Town, app: Flask) -> None:
    run = big_town.a_run(capacity=4, waitlist_limit=None)
    for person in big_town.crowd[:10]:
        person.tap(run)
    answers = rush(app, [partial(close_at_last, person) for person in big_town.crowd[:4]])
    assert answers == ["closed"] * 4
    assert big_town.states(run) == ["cancelled"] * 4 + ["confirmed"] * 4 + ["waitlisted"] * 2
    must_be_whole(run)


# --- oneself, elsewhere -------------------------------------------------------------------------------------------


def test_a_double_tap_on_close_closes_once(town: Town, app: Flask) -> None:
    town.resident.tap(town.a_run())
    answers = rush(app, [partial(close, town.resident, shown(town.resident))] * 6)
    assert answers.count("closed") == 1
    assert sum(isinstance(answer, Unauthenticated) for answer in answers) == 5


def test_what_is_told_while_closing_is_not_kept(town: Town, app: Flask) -> None:
    """The form is sent from another phone at the same moment: nothing of it outlives the account."""

    def tell() -> str:
        with transaction() as session:
            account = session.get_one(Account, town.resident.account_id)
            account.lock()  # as the door does
            introduce(session, account, Profile(name="陈静静", phone="13712345678"))
        return "told"

    deeds: list[Callable[[], object]] = [tell, partial(close_at_last, town.resident)]
    answers = rush(app, deeds, threads=2)
    assert answers[1] == "closed"
    assert answers[0] == "told" or isinstance(answers[0], Unauthenticated)
    with reading() as session:
        assert session.scalars(select(Resident).where(Resident.name == "陈静静")).all() == []
        assert (
            session.scalars(select(Resident).where(Resident.account_id == town.resident.account_id)).all()
            == []
        )


def test_what_is_allowed_while_closing_is_not_kept(
    door: Door, town: Town, app: Flask, engine_name: str
) -> None:
    """The phone reports an answer to a prompt while the account closes: no ledger outlives it."""
    seen = shown(town.resident)
    closed, may_commit = threading.Event(), threading.Event()

    def slow_close() -> None:
        with transaction() as session:
            close_account(session, town.resident.account(session), seen=seen)
            closed.set()
            assert may_commit.wait(PATIENCE)

    def allow() -> TestResponse:
        answers = {TEMPLATES[TemplateName.REGISTRATION_RESULT]: "accept"}
        return door.phone(town.resident).post("/me/message-grants", json={"answers": answers})

    closing, _ = meanwhile(app, slow_close)
    assert closed.wait(PATIENCE)
    allowing, answered = meanwhile(app, allow)
    if engine_name == "postgresql":
        until_somebody_waits_for_a_lock()
    may_commit.set()
    closing.join(PATIENCE)
    allowing.join(PATIENCE)
    (answer,) = answered
    assert isinstance(answer, TestResponse)
    the_problem(answer, 401, "token_revoked")
    with reading() as session:
        assert session.scalars(select(MessageGrant)).all() == []
        assert session.scalars(select(GrantReport)).all() == []


def test_a_clerk_who_waits_for_somebody_who_leaves_finds_nobody(
    door: Door, town: Town, app: Flask, engine_name: str
) -> None:
    """The row the clerk holds in hand is gone when the wait is over: that is no fault of the house."""
    seen = shown(town.resident)
    closed, may_commit = threading.Event(), threading.Event()

    def slow_close() -> None:
        with transaction() as session:
            close_account(session, town.resident.account(session), seen=seen)
            closed.set()
            assert may_commit.wait(PATIENCE)

    def take_what_was_signed() -> TestResponse:
        signed = {"version": PRIVACY_POLICY.version, "given_by": "oneself"}
        return door.phone(town.clerk).put(f"/staff/residents/{town.resident.key}/consent", json=signed)

    closing, _ = meanwhile(app, slow_close)
    assert closed.wait(PATIENCE)
    taking, taken = meanwhile(app, take_what_was_signed)
    if engine_name == "postgresql":
        until_somebody_waits_for_a_lock()
    may_commit.set()
    closing.join(PATIENCE)
    taking.join(PATIENCE)
    (answer,) = taken
    assert isinstance(answer, TestResponse)
    the_problem(answer, 404, "not_found")


def test_two_guardians_who_close_at_once_do_not_leave_a_child_alone(town: Town, app: Flask) -> None:
    """Each was told that the other stays: one of them was told wrong, and must look again."""
    with transaction() as session:
        a_bond(session, town.resident, town.child, kind=BondKind.GUARDIAN)
    both = (town.guardian, town.resident)
    answers = rush(app, [partial(close, person, shown(person)) for person in both])
    assert {getattr(answer, "code", answer) for answer in answers} == {"closed", "closure_outdated"}
    with reading() as session:
        assert town.child.resident(session).name == "李小雨"
    for person in both:
        with reading() as session:
            is_open = person.account(session).closed_at is None
        if is_open:
            assert close_at_last(person) == "closed"
    with reading() as session:
        assert session.get(Resident, town.child.resident_id) is None


def test_a_helper_taps_for_somebody_who_is_being_seen_off(town: Town, app: Flask) -> None:
    runs = [town.a_run(capacity=1, waitlist_limit=None) for _ in range(6)]
    with transaction() as session:
        elder = a_person_without_phone(session, town.wutong)
        a_bond(session, town.helper, elder)

    def leave() -> str:
        with transaction() as session:
            one = session.get(Resident, elder.resident_id)
            if one is not None:
                see_off(session, one, by_account_id=town.clerk.account_id, identity=town.clerk.identity)
        return "left"

    taps = [partial(town.helper.tap, run, for_whom=elder) for run in runs]
    deeds: list[Callable[[], object]] = [*taps[:3], leave, *taps[3:]]
    rush(app, deeds, threads=7)
    while True:
        try:
            leave()
            break
        except Busy:
            continue
    for run in runs:
        assert nobody_holds(run)
        must_be_whole(run)
