"""Joining while something else happens: two phones with one code, a tap of who one was until now. With the control."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from models import joining
from models.base import reading, transaction
from models.consents import PRIVACY_POLICY, ConsentChannel, agree
from models.courses import Registration, Standing
from models.errors import Refusal
from models.joining import invite_to_join, join
from tests.people import Person, Town, a_bond, an_account
from tests.races.rush import a_tap_that_stops, meanwhile, rush, until_somebody_waits_for_a_lock

PATIENCE = 30


def invited(town: Town) -> str:
    with transaction() as session:
        return invite_to_join(session, town.elder.resident(session), by=town.clerk.member(session))


def joins(account_id: int, code: str) -> str:
    with transaction() as session:
        newcomer = Person("", 0, "", account_id)
        return join(session, newcomer.account(session), code).key


def test_two_phones_with_one_code_make_one_of_them_the_elder(town: Town, app: Flask) -> None:
    with transaction() as session:
        accounts = [an_account(session)[0] for _ in range(8)]
        for account in accounts:
            agree(session, account, version=PRIVACY_POLICY.version, channel=ConsentChannel.MINI_PROGRAM)
    code = invited(town)
    answers = rush(app, [partial(joins, account.id, code) for account in accounts])
    assert answers.count(town.elder.key) == 1
    assert {answer.code for answer in answers if isinstance(answer, Refusal)} == {"invitation_invalid"}


def join_behind_a_tap(
    town: Town, app: Flask, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[object, object]:
    """The neighbour's tap has begun and knows them; they join; the tap goes on: what became of the tap and of joining."""
    code, run = invited(town), town.a_run()
    with a_tap_that_stops(monkeypatch, "lock_runs", done=False) as (stands_there, may_go_on):
        tapping, tapped = meanwhile(app, partial(town.neighbour.tap, run))
        assert stands_there.wait(PATIENCE)
        becoming, became = meanwhile(app, partial(joins, town.neighbour.account_id or 0, code))
        if engine_name == "postgresql":
            becoming.join(PATIENCE)  # on SQLite it waits for its turn
        may_go_on.set()
        tapping.join(PATIENCE)
        becoming.join(PATIENCE)
    return tapped[0], became[0]


def seated_people() -> list[int]:
    with reading() as session:
        return list(session.scalars(select(Registration.resident_id)))


def test_a_tap_of_who_one_was_seats_nobody_else(
    town: Town, app: Flask, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tap, became = join_behind_a_tap(town, app, engine_name, monkeypatch)
    if engine_name == "postgresql":
        assert isinstance(tap, IntegrityError)
        assert became == town.elder.key
        assert seated_people() == []
    else:
        assert isinstance(tap, Standing)
        assert isinstance(became, Refusal)
        assert became.code == "already_somebody"
        assert seated_people() == [town.neighbour.resident_id]


def join_behind_a_bond(town: Town, app: Flask, engine_name: str) -> object:
    """A bond of the neighbour's is written and not committed yet; they join: what became of that."""
    code = invited(town)
    written, may_commit = threading.Event(), threading.Event()

    def slow_bond() -> None:
        with transaction() as session:
            a_bond(session, town.neighbour, town.resident)
            written.set()
            assert may_commit.wait(PATIENCE)

    binding, _ = meanwhile(app, slow_bond)
    assert written.wait(PATIENCE)
    becoming, became = meanwhile(app, partial(joins, town.neighbour.account_id or 0, code))
    if engine_name == "postgresql":
        until_somebody_waits_for_a_lock()
    may_commit.set()
    binding.join(PATIENCE)
    becoming.join(PATIENCE)
    return became[0]


def test_joining_waits_for_a_bond_that_is_not_committed_yet(town: Town, app: Flask, engine_name: str) -> None:
    became = join_behind_a_bond(town, app, engine_name)
    assert isinstance(became, Refusal)
    assert became.code == "already_somebody"


# on SQLite writers take turns from their first moment: nothing can come between
@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_if_joining_did_not_wait_only_the_foreign_key_would_say_no(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without the name taken away first, the look finds no bond, and nobody is told why it failed."""
    monkeypatch.setattr(joining, "retire", lambda people: None)
    assert isinstance(join_behind_a_bond(town, app, "postgresql"), IntegrityError)
