"""Families: children a guardian adds, help an elder accepts, bonds written down at the counter, and when they end (E8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.accounts import open_login
from models.base import reading, transaction
from models.clock import StoppedClock
from models.consents import PRIVACY_POLICY, ConsentChannel
from models.counter import ConsentGiver, ResidentConsent, people_scope
from models.courses import RegistrationState
from models.errors import Conflict, Invalid, NotFound, Refusal
from models.families import (
    Child,
    accept_help,
    add_child,
    bind_at_counter,
    bond_within,
    end_at_counter,
    offer_help,
)
from models.journal import JournalEntry
from models.policies import set_policy
from models.regions import Region
from models.residents import Bond, BondKind, Profile, Resident, introduce
from tests.people import Person, Town, a_person_without_phone, a_resident

IN_FORCE = PRIVACY_POLICY.version


def adds(
    guardian: Person, *, name: str = "李小明", birth_year: int = 2018, version: str = IN_FORCE
) -> Person:
    """A guardian adds a child from the phone."""
    with transaction() as session:
        bond = add_child(session, guardian.account(session), Child(name, birth_year), consent_version=version)
        return Person(name, bond.ward_id, bond.ward.key)


def offers(helper: Person) -> str:
    with transaction() as session:
        return offer_help(session, helper.account(session))


def accepts(elder: Person, code: str) -> str:
    with transaction() as session:
        return accept_help(session, elder.account(session), code).key


def binds(
    town: Town, helper: Person, ward: Person, kind: BondKind = BondKind.FAMILY_HELPER
) -> tuple[str, date | None]:
    with transaction() as session:
        bond = bind_at_counter(
            session,
            helper=helper.resident(session),
            ward=ward.resident(session),
            kind=kind,
            agreed_how="本人到社区当面同意",
            by=town.clerk.member(session),
        )
        return bond.key, bond.ends_on


def code_of(deed: Callable[[], object]) -> str:
    """The code of the refusal a deed meets."""
    with pytest.raises(Refusal) as no:
        deed()
    return no.value.code


def somebody(town: Town, **more: object) -> Person:
    with transaction() as session:
        return a_resident(session, town.wutong, **more)  # type: ignore[arg-type]


def logged_in_again(person: Person) -> Person:
    """The same person, after a year or so."""
    with transaction() as session:
        return replace(person, login_key=open_login(session, person.account(session)).key)


def bonds_over(ward: Person) -> list[tuple[BondKind, int]]:
    with reading() as session:
        rows = session.scalars(select(Bond).where(Bond.ward_id == ward.resident_id).order_by(Bond.id))
        return [(bond.kind, bond.helper_id) for bond in rows]


def entries_for(ward: Person) -> list[tuple[str, str]]:
    with reading() as session:
        rows = session.scalars(
            select(JournalEntry)
            .where(JournalEntry.for_resident_id == ward.resident_id)
            .order_by(JournalEntry.id)
        )
        return [(entry.act, entry.identity) for entry in rows]


# --- a guardian's children ----------------------------------------------------------------------------------------


def test_a_guardian_adds_a_child_and_registers_it(town: Town) -> None:
    child = adds(town.neighbour)
    with reading() as session:
        resident = child.resident(session)
        assert (resident.name, resident.birth_year, resident.account_id) == ("李小明", 2018, None)
        assert resident.home_region_id == town.wutong.id
    assert town.neighbour.tap(town.a_run(), for_whom=child).state is RegistrationState.CONFIRMED
    assert entries_for(child)[:2] == [("resident_consent.given", "resident"), ("bond.made", "resident")]


def test_the_guardians_agreement_for_the_child_is_kept(town: Town) -> None:
    child = adds(town.neighbour)
    with reading() as session:
        (kept,) = session.scalars(
            select(ResidentConsent).where(ResidentConsent.resident_id == child.resident_id)
        )
    assert (kept.channel, kept.given_by) == (ConsentChannel.MINI_PROGRAM, ConsentGiver.GUARDIAN)
    assert (kept.version, kept.taken_by_id) == (IN_FORCE, None)


def test_a_guardian_agrees_to_the_policy_in_force(town: Town) -> None:
    assert code_of(lambda: adds(town.neighbour, version="2025-01")) == "consent_outdated"


def test_the_same_child_is_added_once(town: Town) -> None:
    child = adds(town.neighbour)
    with pytest.raises(Conflict) as no:
        adds(town.neighbour)
    assert (no.value.code, no.value.details["resident"]) == ("child_exists", child.key)
    adds(town.neighbour, birth_year=2019)  # a cousin of the same name


def test_who_is_of_age_is_no_child(town: Town) -> None:
    assert code_of(lambda: adds(town.neighbour, birth_year=2008)) == "bond_unfit"
    assert adds(town.neighbour, birth_year=2009).key
    with pytest.raises(Invalid):
        adds(town.neighbour, birth_year=2027)


def test_a_guardian_adds_as_many_children_as_the_place_allows(town: Town) -> None:
    for n in range(5):
        adds(town.neighbour, name=f"孩子{n}")
    with pytest.raises(Conflict) as no:
        adds(town.neighbour, name="第六个")
    assert (no.value.code, no.value.details) == ("too_many_children", {"most": 5})
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "children_a_guardian", "6")
    adds(town.neighbour, name="第六个")


def test_a_guardian_is_known_first(town: Town) -> None:
    stranger = somebody(town, phone=None, consents=False)
    with pytest.raises(Conflict) as no:
        adds(stranger)
    assert no.value.code == "profile_needed"
    assert no.value.details["fields"] == ["phone", "consent"]


def test_a_child_adds_no_child(town: Town) -> None:
    assert code_of(lambda: adds(somebody(town, birth_year=2010))) == "bond_unfit"


# --- of age (E8) --------------------------------------------------------------------------------------------------


def test_e8_a_guardian_acts_until_the_year_in_which_the_child_is_of_age_is_over(
    town: Town, clock: StoppedClock
) -> None:
    child = adds(town.neighbour, birth_year=2009)
    clock.move_to(datetime(2027, 12, 31, 23, 0, tzinfo=town_clock.TOWN_ZONE))
    guardian = logged_in_again(town.neighbour)
    soon = town_clock.now() + timedelta(days=3)
    run = town.a_run(starts_at=soon)
    last = town.a_run(starts_at=soon)
    held = guardian.tap(run, for_whom=child)
    clock.move_to(datetime(2028, 1, 1, 0, 0, tzinfo=town_clock.TOWN_ZONE))
    assert code_of(lambda: guardian.tap(last, for_whom=child)) == "no_bond"
    assert town.states(run) == ["confirmed"]  # what was registered stays
    assert held.resident_key == child.key


def test_e8_a_bond_written_down_at_the_counter_ends_by_itself_too(town: Town) -> None:
    assert binds(town, town.guardian, town.child, BondKind.GUARDIAN)[1] == date(
        2034, 12, 31
    )  # the one there was
    with transaction() as session:
        other = a_person_without_phone(session, town.wutong, name="李小雪", birth_year=2012)
    assert binds(town, town.guardian, other, BondKind.GUARDIAN)[1] == date(2030, 12, 31)


def test_e8_a_child_does_not_make_itself_older(town: Town) -> None:
    teenager = somebody(town, name="小周", birth_year=2011)
    binds(town, town.guardian, teenager, BondKind.GUARDIAN)

    def says(year: int) -> None:
        with transaction() as session:
            introduce(session, teenager.account(session), Profile(birth_year=year))

    assert code_of(lambda: says(2000)) == "birth_year_kept"
    says(2011)


def test_e8_who_comes_of_age_this_year_tells_their_own_year_of_birth(town: Town) -> None:
    grown = somebody(town, name="小周", birth_year=2009)
    binds(town, town.guardian, grown, BondKind.GUARDIAN)
    with transaction() as session:
        grown.resident(session).birth_year = 2008
    with transaction() as session:
        introduce(session, grown.account(session), Profile(birth_year=2007))


# --- help that is offered and accepted ----------------------------------------------------------------------------


@pytest.fixture
def elder(town: Town) -> Person:
    """An elder with a WeChat of her own, for whom nobody may act yet."""
    return somebody(town, name="孙奶奶", birth_year=1950)


def test_an_elder_accepts_the_help_of_her_grown_up_child(town: Town, elder: Person) -> None:
    assert code_of(lambda: town.neighbour.tap(town.a_run(), for_whom=elder)) == "no_bond"
    accepts(elder, offers(town.neighbour))
    assert town.neighbour.tap(town.a_run(), for_whom=elder).resident_key == elder.key
    assert ("bond.made", "resident") in entries_for(elder)


def test_a_code_is_good_once_and_for_a_day(town: Town, elder: Person, clock: StoppedClock) -> None:
    code = offers(town.neighbour)
    accepts(elder, code)
    assert code_of(lambda: accepts(town.resident, code)) == "invitation_invalid"
    code = offers(town.neighbour)
    clock.move_to(town_clock.now() + timedelta(hours=24))
    assert code_of(lambda: accepts(town.resident, code)) == "invitation_invalid"


def test_a_newer_code_takes_the_place_of_the_one_before(town: Town, elder: Person) -> None:
    first, second = offers(town.neighbour), offers(town.neighbour)
    assert len(first) == 8
    assert first.isdigit()
    assert code_of(lambda: accepts(elder, first)) == "invitation_invalid"
    accepts(elder, second)


def test_only_the_hash_of_a_code_is_kept(town: Town) -> None:
    code = offers(town.neighbour)
    with reading() as session:
        assert code not in str(session.execute(select(Resident.__table__)).all())


def test_nobody_accepts_their_own_help_nor_does_a_child(town: Town) -> None:
    assert code_of(lambda: accepts(town.neighbour, offers(town.neighbour))) == "bond_unfit"
    child = somebody(town, birth_year=2011)
    assert code_of(lambda: accepts(child, offers(town.neighbour))) == "bond_unfit"
    assert code_of(lambda: offers(child)) == "bond_unfit"


def test_accepting_twice_is_one_bond(town: Town, elder: Person) -> None:
    first = accepts(elder, offers(town.neighbour))
    assert accepts(elder, offers(town.neighbour)) == first
    assert len(bonds_over(elder)) == 1


def test_nobody_helps_half_the_town(town: Town) -> None:
    elders = [somebody(town, birth_year=1950) for _ in range(5)]
    for one in elders:
        accepts(one, offers(town.neighbour))
    assert code_of(lambda: offers(town.neighbour)) == "too_many_wards"


def test_whoever_helps_as_many_as_they_may_is_accepted_by_nobody_more(town: Town, elder: Person) -> None:
    """The code was made while there was room, and the counter wrote another bond down meanwhile."""
    for _ in range(4):
        binds(town, town.neighbour, somebody(town, birth_year=1950))
    code = offers(town.neighbour)
    binds(town, town.neighbour, somebody(town, birth_year=1950))
    assert code_of(lambda: accepts(elder, code)) == "too_many_wards"
    assert bonds_over(elder) == []


def test_who_closed_the_account_meanwhile_is_told_so(town: Town, elder: Person) -> None:
    code = offers(town.neighbour)
    with transaction() as session:
        elder.account(session).closed_at = town_clock.now()
    for deed in (lambda: accepts(elder, code), lambda: offers(elder), lambda: adds(elder)):
        assert code_of(deed) == "token_revoked"


# --- the counter --------------------------------------------------------------------------------------------------


def test_a_bond_is_written_down_at_the_counter(town: Town) -> None:
    key, ends_on = binds(town, town.neighbour, town.elder)
    assert ends_on is None
    assert binds(town, town.neighbour, town.elder)[0] == key
    assert entries_for(town.elder) == [("bond.made", town.clerk.identity)]
    assert town.neighbour.tap(town.a_run(), for_whom=town.elder).resident_key == town.elder.key


def test_a_bond_that_ends_at_the_counter_ends_at_once(town: Town) -> None:
    key, _ = binds(town, town.neighbour, town.elder)
    for _ in range(2):
        with transaction() as session:
            clerk = town.clerk.member(session)
            end_at_counter(session, bond_within(session, people_scope(session, clerk), key), by=clerk)
    assert code_of(lambda: town.neighbour.tap(town.a_run(), for_whom=town.elder)) == "no_bond"
    assert [act for act, _ in entries_for(town.elder)] == ["bond.made", "bond.ended"]


def test_a_bond_that_ended_can_be_made_anew(town: Town) -> None:
    first, _ = binds(town, town.neighbour, town.elder)
    with transaction() as session:
        clerk = town.clerk.member(session)
        end_at_counter(session, bond_within(session, people_scope(session, clerk), first), by=clerk)
    again, _ = binds(town, town.neighbour, town.elder)
    assert again != first
    assert town.neighbour.tap(town.a_run(), for_whom=town.elder).resident_key == town.elder.key


def test_bonds_of_other_communities_are_not_found(town: Town) -> None:
    with transaction() as session:
        elder = a_person_without_phone(session, town.wangjiang)
    key, _ = binds(town, town.outsider, elder)
    with reading() as session:
        scope = people_scope(session, town.clerk.member(session))
        with pytest.raises(NotFound):
            bond_within(session, scope, key)


def test_what_cannot_be_is_refused(town: Town) -> None:
    guardian, helper = BondKind.GUARDIAN, BondKind.FAMILY_HELPER
    ageless = somebody(town, birth_year=None)
    unfit = [
        (town.neighbour, town.neighbour, helper),
        (town.elder, town.resident, helper),  # without WeChat
        (town.neighbour, town.resident, guardian),  # of age
        (town.neighbour, town.child, helper),  # a child has a guardian
        (town.neighbour, ageless, guardian),
        (somebody(town, birth_year=2010), town.elder, helper),
    ]
    for who, ward, kind in unfit:
        assert code_of(lambda who=who, ward=ward, kind=kind: binds(town, who, ward, kind)) == "bond_unfit"  # type: ignore[misc]
