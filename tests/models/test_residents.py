"""Residents and what they say of themselves, and the bonds between them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from models import clock as town_clock
from models.base import db, reading, transaction
from models.errors import Invalid, NotFound
from models.regions import Region
from models.residents import Bond, Profile, Resident, bonds_of, introduce, resident_of, ward_by_key
from models.vault import vault
from tests.people import Town, a_bond, an_account


def test_an_account_is_nobody_until_it_introduces_itself(town: Town) -> None:
    with transaction() as session:
        account, _ = an_account(session)
        assert resident_of(session, account) is None
        resident = introduce(session, account, Profile(name="新来的"))
        assert resident_of(session, account) is resident


def test_what_is_left_out_stays_as_it_was(town: Town) -> None:
    with transaction() as session:
        account = town.resident.account(session)
        introduce(session, account, Profile(elder_mode=True))
        resident = introduce(session, account, Profile(birth_year=1991))
    assert (resident.name, resident.birth_year, resident.elder_mode) == ("陈静", 1991, True)


@pytest.mark.parametrize("year", [0, 58, 1899, 2027, 19580])
def test_a_birth_year_that_cannot_be_is_refused(town: Town, year: int) -> None:
    with transaction() as session:
        account = town.resident.account(session)
        with pytest.raises(Invalid) as caught:
            introduce(session, account, Profile(birth_year=year))
    assert caught.value.faults[0].field == "birth_year"


def test_home_is_a_community(town: Town) -> None:
    with transaction() as session:
        account = town.resident.account(session)
        street = session.get_one(Region, town.east_street.id)
        with pytest.raises(Invalid) as caught:
            introduce(session, account, Profile(home_community=street))
    assert caught.value.faults[0].field == "home_community"


def test_a_phone_number_is_ciphertext_at_rest_and_found_by_its_hash(town: Town) -> None:
    with db.engine.connect() as connection:
        rows = connection.execute(text("SELECT phone, phone_fingerprint FROM residents")).all()
    assert rows
    assert not any("13900000001" in str(row) for row in rows)
    with reading() as session:
        found = session.scalars(
            select(Resident).where(Resident.phone_fingerprint == vault.fingerprint("13900000001"))
        ).one()
    assert (found.id, found.phone) == (town.resident.resident_id, "13900000001")


def test_a_verified_number_stays_verified_until_another_is_entered(town: Town) -> None:
    with transaction() as session:
        resident = town.resident.resident(session)
        moments = [resident.phone_verified_at]
        for phone, verified in (("137", True), ("137", False), ("138", False)):
            resident.take_phone(phone, verified=verified)
            moments.append(resident.phone_verified_at)
    assert moments == [None, town_clock.now(), town_clock.now(), None]


def test_a_helper_sees_those_they_may_act_for(town: Town) -> None:
    with reading() as session:
        helper = town.helper.resident(session)
        assert [bond.ward_id for bond in bonds_of(session, helper)] == [town.elder.resident_id]
        assert ward_by_key(session, helper, town.elder.key).id == town.elder.resident_id
        for key in (town.child.key, town.helper.key, "nobody", "\x00"):
            with pytest.raises(NotFound):
                ward_by_key(session, helper, key)


def test_a_bond_that_ended_or_has_not_begun_lets_nobody_act(town: Town) -> None:
    """E8."""
    with transaction() as session:
        helper = town.helper.resident(session)
        bond = session.scalars(select(Bond).where(Bond.helper_id == helper.id)).one()
        bond.starts_on = bond.ends_on = town_clock.today() - timedelta(days=1)
        session.flush()
        assert bonds_of(session, helper) == []
        bond.starts_on = bond.ends_on = town_clock.today() + timedelta(days=1)
        session.flush()
        with pytest.raises(NotFound):
            ward_by_key(session, helper, town.elder.key)


def test_two_bonds_with_one_person_are_one_ward(town: Town) -> None:
    with transaction() as session:
        a_bond(session, town.helper, town.elder)
        assert ward_by_key(session, town.helper.resident(session), town.elder.key)


def test_nobody_is_their_own_helper(town: Town) -> None:
    with transaction() as session:
        with pytest.raises(IntegrityError):
            a_bond(session, town.resident, town.resident)
        session.rollback()


def test_a_bond_does_not_end_before_it_starts(town: Town) -> None:
    with transaction() as session:
        bond = a_bond(session, town.resident, town.elder)
        bond.ends_on = bond.starts_on - timedelta(days=1)
        with pytest.raises(IntegrityError):
            session.flush()
        session.rollback()
