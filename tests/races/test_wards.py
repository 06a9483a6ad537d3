"""A helper taps while the one acted for takes the consent back, or ends the bond: afterwards nothing new is registered for them.

Both hold the ward's account: the tap shares it, whoever takes something back has it alone. With the control. On SQLite writers take turns
from their first moment.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import Select

from models.base import transaction
from models.courses import Standing
from models.errors import Refusal
from models.profiles import withdraw_from_all
from models.residents import bonds_over, leave_helper
from tests.people import Person, Town, a_bond, a_resident
from tests.races.rush import a_tap_that_stops, meanwhile, must_be_whole, rush

PATIENCE = 30
LONG_ENOUGH = 1.0


@pytest.fixture
def elder(town: Town) -> Person:
    """An elder with a WeChat of her own, for whom the helper may act too."""
    with transaction() as session:
        ward = a_resident(session, town.wutong, name="孙奶奶", birth_year=1950)
        a_bond(session, town.helper, ward)
    return ward


def withdraws(person: Person) -> str:
    with transaction() as session:
        withdraw_from_all(session, person.account(session).lock())
    return "withdrawn"


def leaves_everybody(person: Person) -> str:
    with transaction() as session:
        account = person.account(session).lock()
        for bond in bonds_over(session, person.resident(session)):
            leave_helper(session, bond, by_account_id=account.id)
    return "left"


TAKES_BACK = [(withdraws, "ward_withdrew"), (leaves_everybody, "no_bond")]


@pytest.mark.parametrize(("takes_back", "code"), TAKES_BACK)
def test_what_is_taken_back_waits_for_the_tap_under_way(
    town: Town,
    app: Flask,
    elder: Person,
    monkeypatch: pytest.MonkeyPatch,
    takes_back: Callable[[Person], str],
    code: str,
) -> None:
    run = town.a_run()
    with a_tap_that_stops(monkeypatch, "recognise", done=True) as (stands_there, may_go_on):
        tapping, tapped = meanwhile(app, partial(town.helper.tap, run, for_whom=elder))
        assert stands_there.wait(PATIENCE)
        taking, taken = meanwhile(app, partial(takes_back, elder))
        taking.join(LONG_ENOUGH)
        assert taken == [], "nothing is answered while a seat may still come"
        may_go_on.set()
        tapping.join(PATIENCE)
        taking.join(PATIENCE)
    assert isinstance(tapped[0], Standing)
    assert len(taken) == 1
    with pytest.raises(Refusal) as no:
        town.helper.tap(town.a_run(), for_whom=elder)
    assert no.value.code == code


@pytest.mark.parametrize(("takes_back", "code"), TAKES_BACK)
def test_a_tap_waits_for_what_is_being_taken_back_and_hears_of_it(
    town: Town, app: Flask, elder: Person, takes_back: Callable[[Person], str], code: str
) -> None:
    run = town.a_run()
    with transaction() as session:
        elder.account(session).lock()
        tapping, tapped = meanwhile(app, partial(town.helper.tap, run, for_whom=elder))
        tapping.join(LONG_ENOUGH)
        assert tapped == []
        if takes_back is withdraws:
            withdraw_from_all(session, elder.account(session))
        else:
            for bond in bonds_over(session, elder.resident(session)):
                leave_helper(session, bond, by_account_id=elder.account_id or 0)
    tapping.join(PATIENCE)
    (no,) = tapped
    assert isinstance(no, Refusal)
    assert no.code == code
    assert town.states(run) == []


# on SQLite writers take turns from their first moment: nothing can come between
@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_if_the_tap_did_not_wait_a_seat_would_come_after_the_answer(
    town: Town, app: Flask, elder: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: with the tap's share of the account out, the elder is answered and registered afterwards."""
    monkeypatch.setattr(Select, "with_for_update", lambda self, **_: self)
    run = town.a_run()
    with a_tap_that_stops(monkeypatch, "recognise", done=True) as (stands_there, may_go_on):
        tapping, tapped = meanwhile(app, partial(town.helper.tap, run, for_whom=elder))
        assert stands_there.wait(PATIENCE)
        taking, taken = meanwhile(app, partial(withdraws, elder))
        taking.join(PATIENCE)
        assert taken == ["withdrawn"]
        may_go_on.set()
        tapping.join(PATIENCE)
    assert isinstance(tapped[0], Standing)


def test_taps_and_words_taken_back_by_many_end_and_leave_the_run_whole(town: Town, app: Flask) -> None:
    """Nobody waits for ever, and whoever is registered was so before their word was taken back."""
    run = town.a_run(capacity=100)
    with transaction() as session:
        wards = [a_resident(session, town.wutong, name=f"老人{n}", birth_year=1950) for n in range(12)]
        for ward in wards:
            a_bond(session, town.helper, ward)
    deeds: list[Callable[[], object]] = []
    for ward in wards:
        deeds += [partial(town.helper.tap, run, for_whom=ward), partial(withdraws, ward)]
    answers = rush(app, deeds, threads=16)
    for tapped, taken in zip(answers[::2], answers[1::2], strict=True):
        assert taken == "withdrawn"
        assert isinstance(tapped, Standing) or getattr(tapped, "code", None) == "ward_withdrew"
    must_be_whole(run)
