"""The counter: who is entered there, what they signed, who finds them, and who does not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.consents import PRIVACY_POLICY, Consent, ConsentChannel
from models.counter import (
    Card,
    Clues,
    ConsentGiver,
    Correction,
    ResidentConsent,
    agreed_among,
    correct_resident,
    enter_resident,
    look_for,
    move_at_counter,
    people_scope,
    resident_within,
    take_consent,
    take_consent_back,
)
from models.departures import forget_what_was_kept_long_enough, see_off
from models.errors import Conflict, Invalid, NotFound, Refusal
from models.journal import JournalEntry
from models.profiles import withdraw_from_all
from models.regions import Region
from models.residents import Bond, BondKind, Resident
from models.staff import Role
from tests.people import Person, Town, Worker, a_bond, a_person_without_phone, a_resident, a_staff_member

IN_FORCE = PRIVACY_POLICY.version


def entered(
    town: Town,
    *,
    by: Worker | None = None,
    name: str = "孙奶奶",
    birth_year: int = 1941,
    phone: str | None = None,
    home: Region | None = None,
    given_by: ConsentGiver = ConsentGiver.ONESELF,
    version: str = IN_FORCE,
    even_so: bool = False,
) -> Person:
    """Somebody entered at the counter, by the clerk unless told otherwise."""
    with transaction() as session:
        member = (by or town.clerk).member(session)
        resident = enter_resident(
            session,
            Card(name, birth_year, session.get_one(Region, (home or town.wutong).id), phone),
            scope=people_scope(session, member),
            consent_version=version,
            given_by=given_by,
            by=member,
            even_so=even_so,
        )
        return Person(name, resident.id, resident.key)


def refused(town: Town, **more: object) -> Refusal:
    with pytest.raises(Refusal) as no:
        entered(town, **more)  # type: ignore[arg-type]
    return no.value


def found(town: Town, worker: Worker, clues: Clues) -> list[str]:
    with transaction() as session:
        member = worker.member(session)
        people = look_for(session, clues, scope=people_scope(session, member), purpose="报名夜校", by=member)
        return [str(resident.name) for resident in people]


def everybody() -> int:
    with reading() as session:
        return session.scalars(select(func.count()).select_from(Resident)).one()


# --- entering -----------------------------------------------------------------------------------------------------


def test_an_elder_without_wechat_is_entered_with_what_she_signed(town: Town) -> None:
    elder = entered(town, phone="13911112222")
    with reading() as session:
        resident = elder.resident(session)
        assert (resident.name, resident.birth_year, resident.phone) == ("孙奶奶", 1941, "13911112222")
        assert (resident.account_id, resident.phone_verified_at) == (None, None)
        assert resident.home_region_id == town.wutong.id
        signed = session.scalars(
            select(ResidentConsent).where(ResidentConsent.resident_id == elder.resident_id)
        ).one()
        assert (signed.version, signed.text_sha256) == (IN_FORCE, PRIVACY_POLICY.sha256)
        assert (signed.channel, signed.given_by) == (ConsentChannel.COUNTER, ConsentGiver.ONESELF)
        assert signed.taken_by_id == town.clerk.staff_id
        assert agreed_among(session, [resident]) == {resident.id}


def test_the_journal_says_who_entered_whom(town: Town) -> None:
    elder = entered(town)
    with reading() as session:
        entries = session.scalars(
            select(JournalEntry)
            .where(JournalEntry.for_resident_id == elder.resident_id)
            .order_by(JournalEntry.id)
        ).all()
    assert [(entry.act, entry.identity, entry.by_account_id) for entry in entries] == [
        ("resident.entered", town.clerk.identity, town.clerk.account_id),
        ("resident_consent.given", town.clerk.identity, town.clerk.account_id),
    ]


def test_the_same_person_is_not_entered_twice(town: Town) -> None:
    elder = entered(town, phone="13911112222")
    before = everybody()
    refusal = refused(town, phone="13911112222", birth_year=1942, by=town.admin, even_so=True)
    assert isinstance(refusal, Conflict)
    assert (refusal.code, refusal.details["resident"]) == ("resident_exists", elder.key)
    assert everybody() == before


def test_somebody_with_wechat_is_not_entered_again(town: Town) -> None:
    refusal = refused(town, name="陈静", phone="13900000001")
    assert refusal.details["resident"] == town.resident.key


def test_a_family_shares_a_phone(town: Town) -> None:
    entered(town, phone="13911112222")
    assert entered(town, name="孙爷爷", phone="13911112222").key


def test_without_a_phone_name_and_year_of_birth_suggest_who_it_is(town: Town) -> None:
    elder = entered(town)
    assert refused(town).details["resident"] == elder.key
    assert entered(town, birth_year=1950).key != elder.key
    assert entered(town, even_so=True).key != elder.key


def test_a_phone_number_that_is_new_makes_nobody_new(town: Town) -> None:
    """Entered last week without a phone, today with the daughter's."""
    elder = entered(town)
    refusal = refused(town, phone="13911112222")
    assert refusal.details == {"resident": elder.key, "by": "birth_year"}
    assert entered(town, phone="13911112222", even_so=True).key != elder.key
    assert refused(town, phone="13911112222", even_so=True).details["by"] == "phone"
    other = entered(town, name="孙爷爷", phone="13911112222")
    assert entered(town, name="孙爷爷", phone="13933334444").key != other.key  # each has a phone of their own


def test_the_same_name_in_another_community_is_somebody_else(town: Town) -> None:
    entered(town, phone="13911112222")
    with transaction() as session:
        foreign = a_staff_member(session, Role.CLERK, town.wangjiang)
    assert entered(town, by=foreign, home=town.wangjiang, phone="13911112222").key


def test_nobody_enters_people_of_another_community(town: Town) -> None:
    for worker in (town.clerk, town.admin, town.grid_worker, town.street_officer):
        assert isinstance(refused(town, by=worker, home=town.wangjiang), NotFound)


def test_a_grid_worker_enters_people_of_the_community_the_grid_lies_in(town: Town) -> None:
    assert entered(town, by=town.grid_worker).key


def test_a_street_officer_enters_nobody(town: Town) -> None:
    assert isinstance(refused(town, by=town.street_officer), NotFound)


def test_home_is_a_community_and_a_year_of_birth_can_be(town: Town) -> None:
    assert isinstance(refused(town, birth_year=2027), Invalid)
    assert isinstance(refused(town, birth_year=1899), Invalid)


def test_for_somebody_under_age_the_guardian_signs(town: Town) -> None:
    assert refused(town, birth_year=2009).code == "guardian_consent_needed"
    assert entered(town, birth_year=2009, given_by=ConsentGiver.GUARDIAN).key
    assert entered(town, birth_year=2008).key  # eighteen this year


def test_what_was_signed_is_the_policy_in_force(town: Town) -> None:
    assert refused(town, version="2025-01").code == "consent_outdated"


# --- agreeing -----------------------------------------------------------------------------------------------------


def signs(town: Town, person: Person) -> None:
    with transaction() as session:
        take_consent(
            session,
            person.resident(session),
            version=IN_FORCE,
            given_by=ConsentGiver.ONESELF,
            by=town.clerk.member(session),
        )


def takes_it_back(town: Town, person: Person) -> None:
    with transaction() as session:
        take_consent_back(session, person.resident(session), by=town.clerk.member(session))


def has_agreed(person: Person) -> bool:
    with reading() as session:
        return bool(agreed_among(session, [person.resident(session)]))


def signatures(person: Person) -> list[bool]:
    """Whether each agreement of this person still stands."""
    with reading() as session:
        rows = session.scalars(
            select(ResidentConsent)
            .where(ResidentConsent.resident_id == person.resident_id)
            .order_by(ResidentConsent.id)
        )
        return [row.withdrawn_at is None for row in rows]


def test_signing_twice_is_signing_once_and_taking_back_counts(town: Town) -> None:
    assert not has_agreed(town.elder)
    signs(town, town.elder)
    signs(town, town.elder)
    assert signatures(town.elder) == [True]
    assert has_agreed(town.elder)
    takes_it_back(town, town.elder)
    takes_it_back(town, town.elder)
    assert not has_agreed(town.elder)
    signs(town, town.elder)
    assert signatures(town.elder) == [False, True]


def test_who_agreed_in_the_mini_program_has_agreed(town: Town) -> None:
    assert has_agreed(town.resident)


def test_who_takes_everything_back_in_the_mini_program_takes_back_the_paper_too(town: Town) -> None:
    signs(town, town.resident)
    with transaction() as session:
        withdraw_from_all(session, town.resident.account(session).lock())
    assert signatures(town.resident) == [False]
    assert not has_agreed(town.resident)


def test_what_was_signed_outlives_who_leaves_by_three_years_and_points_at_nobody(
    town: Town, clock: StoppedClock
) -> None:
    elder = entered(town)
    with transaction() as session:
        see_off(
            session,
            elder.resident(session),
            by_account_id=town.clerk.account_id,
            identity=town.clerk.identity,
        )
    with reading() as session:
        (kept,) = session.scalars(select(ResidentConsent)).all()
        assert kept.withdrawn_at is not None
        assert session.get_one(Resident, kept.resident_id).name is None
    clock.move_to(town_clock.now() + timedelta(days=3 * 365 + 1))
    with transaction() as session:
        assert forget_what_was_kept_long_enough(session) >= 1
        assert session.scalars(select(ResidentConsent)).all() == []


def test_what_was_agreed_to_of_an_older_policy_is_no_agreement_to_this_one(town: Town) -> None:
    signs(town, town.elder)
    with transaction() as session:
        session.scalars(select(ResidentConsent)).one().version = "2025-01"
        mine = select(Consent).where(Consent.account_id == town.resident.account_id)
        session.scalars(mine).one().version = "2025-01"
    assert not has_agreed(town.elder)
    assert not has_agreed(town.resident)
    signs(town, town.elder)
    assert has_agreed(town.elder)


def test_taking_back_what_was_taken_back_changes_nothing(town: Town, clock: StoppedClock) -> None:
    signs(town, town.elder)
    takes_it_back(town, town.elder)
    then = town_clock.now()
    clock.advance(days=1)
    takes_it_back(town, town.elder)
    with reading() as session:
        (paper,) = session.scalars(select(ResidentConsent))
        acts = session.scalars(
            select(JournalEntry.act)
            .where(JournalEntry.act.startswith("resident_consent"))
            .order_by(JournalEntry.id)
        )
        assert paper.withdrawn_at == then
        assert list(acts) == ["resident_consent.given", "resident_consent.withdrawn"]


# --- moving -------------------------------------------------------------------------------------------------------


def moves(town: Town, person: Person, home: Region) -> None:
    with transaction() as session:
        move_at_counter(
            session,
            person.resident(session),
            session.get_one(Region, home.id),
            by=town.clerk.member(session),
        )


def test_who_is_written_down_where_they_live_already_has_not_moved(town: Town) -> None:
    moves(town, town.elder, town.wutong)
    with reading() as session:
        assert town.elder.resident(session).home_since is None
        assert list(session.scalars(select(JournalEntry).where(JournalEntry.act == "resident.moved"))) == []
    moves(town, town.elder, town.wangjiang)
    with reading() as session:
        assert town.elder.resident(session).home_since == town_clock.now()
        (entry,) = session.scalars(select(JournalEntry).where(JournalEntry.act == "resident.moved"))
        assert (entry.identity, entry.for_resident_id) == (town.clerk.identity, town.elder.resident_id)
        assert entry.details == {"from": town.wutong.key, "to": town.wangjiang.key}


# --- correcting ---------------------------------------------------------------------------------------------------


def corrects(town: Town, person: Person, **right: str | int) -> None:
    with transaction() as session:
        correct_resident(
            session,
            person.resident(session),
            Correction(**right),  # type: ignore[arg-type]
            by=town.clerk.member(session),
        )


def guardians_last_day(child: Person) -> date | None:
    """Until when somebody guards this child, as it stands now."""
    with reading() as session:
        (bond,) = session.scalars(select(Bond).where(Bond.ward_id == child.resident_id))
        return bond.ended_at.date() if bond.ended_at else bond.ends_on


def test_what_was_entered_wrong_is_corrected_and_the_rest_stays(town: Town) -> None:
    elder = entered(town, phone="13911112222")
    corrects(town, elder, phone="13933334444")
    corrects(town, elder, name="孙大娘", birth_year=1942)
    corrects(town, elder)
    with reading() as session:
        resident = elder.resident(session)
        assert (resident.name, resident.birth_year, resident.phone) == ("孙大娘", 1942, "13933334444")
        entries = session.scalars(
            select(JournalEntry).where(JournalEntry.act == "resident.corrected").order_by(JournalEntry.id)
        ).all()
    assert [entry.details for entry in entries] == [{"fields": ["phone"]}, {"fields": ["birth_year", "name"]}]
    assert {(entry.identity, entry.for_resident_id) for entry in entries} == {
        (town.clerk.identity, elder.resident_id)
    }
    assert found(town, town.clerk, Clues(phone="13911112222")) == []
    assert found(town, town.clerk, Clues(phone="13933334444")) == ["孙大娘"]


def test_who_has_a_wechat_corrects_by_themselves(town: Town) -> None:
    for right in ({"name": "陈静静"}, {"birth_year": 1991}, {"phone": "13933334444"}):
        with pytest.raises(Conflict) as no:
            corrects(town, town.resident, **right)
        assert no.value.code == "tells_themselves"


def test_e8_the_year_of_birth_a_guardian_told_is_corrected_at_the_counter(town: Town) -> None:
    with transaction() as session:
        youth = a_resident(session, town.wutong, name="小周", birth_year=2011)
        a_bond(session, town.guardian, youth, kind=BondKind.GUARDIAN)
    corrects(town, youth, birth_year=2010)
    assert guardians_last_day(youth) == date(2028, 12, 31)
    with pytest.raises(Conflict) as no:
        corrects(town, youth, birth_year=2010, name="小舟")
    assert no.value.code == "tells_themselves"


def test_e8_who_turns_out_to_be_of_age_is_guarded_no_longer(town: Town) -> None:
    corrects(town, town.child, birth_year=2012)
    assert guardians_last_day(town.child) == date(2030, 12, 31)
    corrects(town, town.child, birth_year=2000)
    assert guardians_last_day(town.child) == town_clock.today()
    with pytest.raises(NotFound):
        town.guardian.tap(town.a_run(), for_whom=town.child)


def test_a_year_of_birth_that_cannot_be_is_no_correction(town: Town) -> None:
    for year in (1899, 2027):
        with pytest.raises(Invalid):
            corrects(town, town.elder, birth_year=year)


# --- finding ------------------------------------------------------------------------------------------------------


def test_people_are_found_by_phone_or_by_name_among_ones_own(town: Town) -> None:
    assert found(town, town.clerk, Clues(phone="13900000001")) == ["陈静"]
    assert found(town, town.grid_worker, Clues(name="陈静")) == ["陈静"]
    assert found(town, town.clerk, Clues(phone="13900000001", name="刘洋")) == []
    assert found(town, town.clerk, Clues(name="陈静", birth_year=1991)) == []
    assert found(town, town.clerk, Clues(birth_year=1990)) == []


def test_nobody_finds_the_people_of_another_community(town: Town) -> None:
    for worker in (town.clerk, town.admin, town.grid_worker):
        assert found(town, worker, Clues(phone="13900000003")) == []
    assert found(town, town.street_officer, Clues(phone="13900000001")) == []


def test_of_many_of_one_name_the_first_twenty_are_found_and_told(town: Town) -> None:
    with transaction() as session:
        for _ in range(21):
            a_person_without_phone(session, town.wutong, name="王芳")
    assert len(found(town, town.clerk, Clues(name="王芳"))) == 20
    with reading() as session:
        looked = session.scalars(
            select(JournalEntry).where(JournalEntry.act == "resident.looked_for").order_by(JournalEntry.id)
        ).all()
    assert len(looked) == 20
    assert looked[0].for_resident_id == town.helper.resident_id, "the oldest entry first"


def test_whoever_is_found_reads_in_the_journal_what_for(town: Town) -> None:
    found(town, town.clerk, Clues(phone="13900000001"))
    with reading() as session:
        (entry,) = session.scalars(select(JournalEntry).where(JournalEntry.act == "resident.looked_for"))
    assert entry.for_resident_id == town.resident.resident_id
    assert entry.details == {"purpose": "报名夜校"}
    assert entry.identity == town.clerk.identity


def test_a_grid_worker_looks_after_the_grids_community_and_nothing_above_it(town: Town) -> None:
    with reading() as session:
        scope = people_scope(session, town.grid_worker.member(session))
    assert scope.has(town.wutong)
    for place in (town.east_street, town.district, town.wangjiang):
        assert not scope.has(place)


def test_a_role_that_ended_finds_nobody(town: Town) -> None:
    with transaction() as session:
        town.clerk.member(session).left_at = town_clock.now()
    assert found(town, town.clerk, Clues(phone="13900000001")) == []


def test_a_key_leads_to_ones_own_people_only(town: Town) -> None:
    with reading() as session:
        scope = people_scope(session, town.clerk.member(session))
        assert resident_within(session, scope, town.elder.key).id == town.elder.resident_id
        with pytest.raises(NotFound):
            resident_within(session, scope, town.outsider.key)
