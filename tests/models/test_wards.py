"""Wards who have a word of their own: whoever took their consent back is registered by nobody, and may end a bond from their side."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.consents import PRIVACY_POLICY, Consent, ConsentChannel, consents_of
from models.counter import ConsentGiver, take_consent, take_consent_back
from models.courses import RegistrationState
from models.errors import Conflict, NotFound, Refusal
from models.journal import JournalEntry
from models.profiles import withdraw_from_all
from models.residents import BondKind, bond_over, bonds_over, leave_helper
from tests.people import Person, Town, a_bond, a_resident


@pytest.fixture
def elder(town: Town) -> Person:
    """An elder with a WeChat of her own, for whom the helper may act too."""
    return a_ward(town)


def a_ward(
    town: Town,
    *,
    consents: bool = True,
    birth_year: int | None = 1950,
    kind: BondKind = BondKind.FAMILY_HELPER,
) -> Person:
    with transaction() as session:
        ward = a_resident(session, town.wutong, name="孙奶奶", birth_year=birth_year, consents=consents)
        a_bond(session, town.helper, ward, kind=kind)
    return ward


def withdraws(person: Person) -> None:
    with transaction() as session:
        withdraw_from_all(session, person.account(session).lock())


def signs(town: Town, person: Person) -> None:
    with transaction() as session:
        take_consent(
            session,
            person.resident(session),
            version=PRIVACY_POLICY.version,
            given_by=ConsentGiver.ONESELF,
            by=town.clerk.member(session),
        )


def refused(town: Town, ward: Person) -> Refusal:
    with pytest.raises(Refusal) as no:
        town.helper.tap(town.a_run(), for_whom=ward)
    return no.value


# --- consent taken back -------------------------------------------------------------------------------------------


def test_nobody_registers_an_elder_who_took_her_consent_back(town: Town, elder: Person) -> None:
    withdraws(elder)
    refusal = refused(town, elder)
    assert isinstance(refusal, Conflict)
    assert refusal.code == "ward_withdrew"
    assert "重新同意" in refusal.message


def test_once_she_agrees_again_the_helper_may_act(town: Town, elder: Person) -> None:
    withdraws(elder)
    elder.agrees()
    assert town.helper.tap(town.a_run(), for_whom=elder).state is RegistrationState.CONFIRMED
    withdraws(elder)
    assert refused(town, elder).code == "ward_withdrew"


def test_what_she_holds_stays_and_may_be_given_up_for_her(town: Town, elder: Person) -> None:
    run = town.a_run()
    standing = town.helper.tap(run, for_whom=elder)
    withdraws(elder)
    assert town.helper.tap(run, for_whom=elder) == standing
    town.helper.give_up(run, for_whom=elder)
    assert town.states(run) == ["cancelled"]


def test_somebody_without_an_account_is_registered_as_was_agreed_with_the_bond(town: Town) -> None:
    assert town.helper.tap(town.a_run(), for_whom=town.elder).resident_key == town.elder.key


def test_somebody_who_agreed_on_paper_alone_is_registered_until_they_take_that_back(town: Town) -> None:
    elder = a_ward(town, consents=False)
    assert town.helper.tap(town.a_run(), for_whom=elder).resident_key == elder.key
    withdraws(elder)
    withdraws(elder)
    assert refused(town, elder).code == "ward_withdrew"
    with reading() as session:
        (consent,) = consents_of(session, elder.account(session))
        entries = session.scalars(select(JournalEntry).where(JournalEntry.act == "consent.withdrawn")).all()
    assert (consent.channel, consent.withdrawn_at) == (ConsentChannel.COUNTER, town_clock.now())
    assert [entry.by_account_id for entry in entries] == [elder.account_id]
    elder.agrees()
    assert town.helper.tap(town.a_run(), for_whom=elder).resident_key == elder.key


def test_somebody_whom_nobody_helps_has_agreed_to_nothing_on_paper(town: Town) -> None:
    with transaction() as session:
        newcomer = a_resident(session, town.wutong, consents=False)
    withdraws(newcomer)
    with reading() as session:
        assert consents_of(session, newcomer.account(session)) == []


def test_a_new_policy_takes_no_consent_back(town: Town, elder: Person) -> None:
    """Who agreed to an older text and has not read the new one has not said no: only for what she takes herself is she asked anew."""
    with transaction() as session:
        session.scalars(
            select(Consent).where(Consent.account_id == elder.account_id)
        ).one().version = "2025-01"
    assert town.helper.tap(town.a_run(), for_whom=elder).resident_key == elder.key


def test_for_a_child_the_guardian_agrees_whatever_the_childs_own_phone_says(town: Town) -> None:
    child = a_ward(town, birth_year=2016, kind=BondKind.GUARDIAN)
    youth = a_ward(town, birth_year=2010, kind=BondKind.GUARDIAN)
    withdraws(child)
    withdraws(youth)
    assert town.helper.tap(town.a_run(), for_whom=child).resident_key == child.key
    assert refused(town, youth).code == "ward_withdrew"


def test_the_last_word_counts_through_whichever_door_it_came(town: Town, elder: Person) -> None:
    """Who signed at the counter too, took everything back and agrees again in the mini-program has agreed."""
    signs(town, elder)
    withdraws(elder)
    assert refused(town, elder).code == "ward_withdrew"
    elder.agrees()
    assert town.helper.tap(town.a_run(), for_whom=elder).resident_key == elder.key
    withdraws(elder)
    signs(town, elder)
    assert town.helper.tap(town.a_run(), for_whom=elder).resident_key == elder.key


def test_what_is_taken_back_on_paper_leaves_what_was_agreed_to_in_the_mini_program(
    town: Town, elder: Person
) -> None:
    signs(town, elder)
    with transaction() as session:
        take_consent_back(session, elder.resident(session), by=town.clerk.member(session))
    assert town.helper.tap(town.a_run(), for_whom=elder).resident_key == elder.key


def test_a_refusal_for_one_ward_is_none_for_the_next(town: Town, elder: Person) -> None:
    withdraws(elder)
    assert refused(town, elder).code == "ward_withdrew"
    assert town.helper.tap(town.a_run(), for_whom=town.elder).resident_key == town.elder.key
    assert town.helper.tap(town.a_run()).resident_key == town.helper.key


def test_only_who_asks_for_another_costs_a_statement_more(
    town: Town, elder: Person, statements: list[str]
) -> None:
    runs = [town.a_run() for _ in range(2)]
    del statements[:]
    town.resident.tap(runs[0])
    oneself = [said for said in statements if "FROM bonds" in said or "FROM accounts" in said]
    assert oneself == []
    del statements[:]
    town.helper.tap(runs[1], for_whom=elder)
    bonds = [said for said in statements if "JOIN bonds" in said]
    held = [said for said in statements if "FROM accounts JOIN residents" in said]
    assert (len(bonds), len(held)) == (1, 1)


# --- a bond ended by the ward -------------------------------------------------------------------------------------


def leaves(ward: Person, key: str) -> None:
    with transaction() as session:
        oneself = ward.resident(session)
        leave_helper(session, bond_over(session, oneself, key), by_account_id=ward.account_id or 0)


def over(ward: Person) -> list[str]:
    with reading() as session:
        return [bond.key for bond in bonds_over(session, ward.resident(session))]


def test_an_elder_ends_the_bond_of_her_helper_once(town: Town, elder: Person) -> None:
    (key,) = over(elder)
    leaves(elder, key)
    leaves(elder, key)
    assert over(elder) == []
    assert refused(town, elder).code == "no_bond"
    with reading() as session:
        (entry,) = session.scalars(select(JournalEntry).where(JournalEntry.act == "bond.ended")).all()
    assert (entry.by_account_id, entry.for_resident_id) == (elder.account_id, elder.resident_id)


def test_a_bond_that_is_over_is_listed_no_longer(town: Town, elder: Person, clock: StoppedClock) -> None:
    with transaction() as session:
        (bond,) = bonds_over(session, elder.resident(session))
        bond.ends_on = town_clock.today()
    assert len(over(elder)) == 1
    clock.advance(days=1)
    assert over(elder) == []


@pytest.mark.parametrize("birth_year", [2016, 2012, None])
def test_a_child_does_not_end_the_guardians_bond(town: Town, birth_year: int | None) -> None:
    """2012: fourteen this year, and perhaps not yet."""
    child = a_ward(town, birth_year=birth_year, kind=BondKind.GUARDIAN)
    (key,) = over(child)
    with pytest.raises(Conflict) as no:
        leaves(child, key)
    assert no.value.code == "guardian_stays"
    assert over(child) == [key]


def test_a_youth_of_fifteen_may_and_a_child_may_end_any_other_bond(town: Town) -> None:
    youth = a_ward(town, birth_year=2011, kind=BondKind.GUARDIAN)
    child = a_ward(town, birth_year=2016, kind=BondKind.GRID_HELPER)
    for ward in (youth, child):
        (key,) = over(ward)
        leaves(ward, key)
        assert over(ward) == []


def test_nobody_ends_the_bond_of_somebody_else(town: Town, elder: Person) -> None:
    (key,) = over(elder)
    for stranger in (town.resident, town.helper):
        with pytest.raises(NotFound):
            leaves(stranger, key)
    with reading() as session, pytest.raises(NotFound):
        bond_over(session, None, key)
    assert over(elder) == [key]
