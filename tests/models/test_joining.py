"""Joining: somebody entered at the counter opens WeChat, and there are no two of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from models import clock as town_clock
from models.base import db, reading, transaction, writer
from models.clock import StoppedClock
from models.consents import PRIVACY_POLICY, ConsentChannel, agree
from models.content_checks import RESIDENT_NAME, ContentCheck, Finding, HeldBecause, Subject, hold_text
from models.copies import copy_for
from models.counter import Card, ConsentGiver, agreed_among, enter_resident, people_scope
from models.courses import (
    AtCounter,
    CourseRun,
    QuestionKind,
    QuestionPlan,
    RegistrationState,
    Tap,
    answer_questions,
    ask_questions,
    decide,
    questions_of,
    register,
)
from models.errors import Refusal, Unauthenticated
from models.joining import invite_to_join, join
from models.journal import JournalEntry, enter
from models.regions import Region
from models.residents import Bond, BondKind, Profile, Resident, introduce
from tests.people import Person, Town, a_bond, a_person_without_phone, a_resident, an_account


@pytest.fixture
def elder(town: Town) -> Person:
    """An elder entered at the counter with what she signed, for whom the helper may act."""
    return entered(town, helped=True)


def entered(
    town: Town,
    *,
    name: str = "孙奶奶",
    birth_year: int = 1941,
    phone: str | None = None,
    given_by: ConsentGiver = ConsentGiver.ONESELF,
    helped: bool = False,
) -> Person:
    with transaction() as session:
        clerk = town.clerk.member(session)
        resident = enter_resident(
            session,
            Card(name, birth_year, session.get_one(Region, town.wutong.id), phone),
            scope=people_scope(session, clerk),
            consent_version=PRIVACY_POLICY.version,
            given_by=given_by,
            by=clerk,
        )
        person = Person(name, resident.id, resident.key)
        if helped:
            a_bond(session, town.helper, person)
    return person


def a_newcomer(*, consents: bool = True) -> Person:
    """Somebody who opened the mini-program and has told nothing of themselves."""
    with transaction() as session:
        account, login_key = an_account(session)
        if consents:
            agree(session, account, version=PRIVACY_POLICY.version, channel=ConsentChannel.MINI_PROGRAM)
        return Person("", 0, "", account.id, login_key)


def invited(town: Town, person: Person) -> str:
    with transaction() as session:
        return invite_to_join(session, person.resident(session), by=town.clerk.member(session))


def joins(newcomer: Person, code: str) -> Person:
    """The person this WeChat is from now on."""
    with transaction() as session:
        resident = join(session, newcomer.account(session), code)
        return replace(newcomer, name=resident.name or "", resident_id=resident.id, key=resident.key)


def refusal_of(deed: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as no:
        deed()
    return no.value


def everybody() -> int:
    with reading() as session:
        return session.scalars(select(func.count()).select_from(Resident)).one()


def acts_for(person: Person) -> list[tuple[str, str]]:
    """What the person reads in the copy of everything kept about them, and by whom it was done."""
    with reading() as session:
        copy = copy_for(session, person.account(session))
        assert copy.oneself is not None
        return [(line.entry.act, line.by.value) for line in copy.oneself.journal]


# --- becoming who one is ------------------------------------------------------------------------------------------


def test_an_elder_of_the_counter_opens_wechat_and_is_herself(town: Town, elder: Person) -> None:
    run = town.a_run()
    town.helper.tap(run, for_whom=elder)
    before = everybody()
    herself = joins(a_newcomer(), invited(town, elder))
    assert (herself.resident_id, herself.key, herself.name) == (elder.resident_id, elder.key, "孙奶奶")
    assert everybody() == before
    herself.give_up(run)
    assert town.states(run) == ["cancelled"]
    assert town.helper.tap(town.a_run(), for_whom=herself).resident_key == elder.key, "the bond stays"


def test_what_she_signed_on_paper_stays(town: Town, elder: Person) -> None:
    herself = joins(a_newcomer(), invited(town, elder))
    with reading() as session:
        copy = copy_for(session, herself.account(session))
        assert copy.oneself is not None
        assert [consent.withdrawn_at for consent in copy.oneself.consents] == [None]
        assert agreed_among(session, [elder.resident(session)]) == {elder.resident_id}


def test_she_registers_by_herself_from_now_on(town: Town) -> None:
    herself = joins(a_newcomer(), invited(town, entered(town, phone="13911112222")))
    assert herself.tap(town.a_run()).state is RegistrationState.CONFIRMED


def test_she_reads_in_the_journal_who_handed_her_the_code_and_that_it_was_used(
    town: Town, elder: Person
) -> None:
    herself = joins(a_newcomer(), invited(town, elder))
    told = acts_for(herself)
    assert ("resident.invited", "staff") in told
    assert ("resident.joined", "oneself") in told


def test_the_journal_says_which_of_the_staff_handed_the_code_out(town: Town, elder: Person) -> None:
    invited(town, elder)
    with reading() as session:
        (entry,) = session.scalars(select(JournalEntry).where(JournalEntry.act == "resident.invited"))
    assert (entry.identity, entry.by_account_id) == (town.clerk.identity, town.clerk.account_id)
    assert entry.for_resident_id == elder.resident_id


def test_a_youth_joins_and_the_guardian_stays(town: Town) -> None:
    youth = entered(town, name="小周", birth_year=2010, phone="13911112222", given_by=ConsentGiver.GUARDIAN)
    with transaction() as session:
        a_bond(session, town.guardian, youth, kind=BondKind.GUARDIAN)
    himself = joins(a_newcomer(), invited(town, youth))
    assert himself.tap(town.a_run()).state is RegistrationState.CONFIRMED
    assert town.guardian.tap(town.a_run(), for_whom=himself).resident_key == youth.key


# --- the code -----------------------------------------------------------------------------------------------------


def test_a_code_is_good_once(town: Town, elder: Person) -> None:
    code = invited(town, elder)
    joins(a_newcomer(), code)
    assert refusal_of(lambda: joins(a_newcomer(), code)).code == "invitation_invalid"


def test_a_code_is_good_for_half_an_hour(town: Town, elder: Person, clock: StoppedClock) -> None:
    code = invited(town, elder)
    clock.move_to(town_clock.now() + timedelta(minutes=30))
    assert refusal_of(lambda: joins(a_newcomer(), code)).code == "invitation_invalid"
    code = invited(town, elder)
    clock.move_to(town_clock.now() + timedelta(minutes=29))
    joins(a_newcomer(), code)


def test_a_newer_code_takes_the_place_of_the_one_before(town: Town, elder: Person) -> None:
    first, second = invited(town, elder), invited(town, elder)
    assert len(first) == 10
    assert first.isdigit()
    assert refusal_of(lambda: joins(a_newcomer(), first)).code == "invitation_invalid"
    joins(a_newcomer(), second)


def test_only_the_hash_of_a_code_is_kept(town: Town, elder: Person) -> None:
    code = invited(town, elder)
    with reading() as session:
        assert code not in str(session.execute(select(Resident.__table__)).all())


def test_who_has_a_wechat_needs_no_code(town: Town, elder: Person) -> None:
    assert refusal_of(lambda: invited(town, town.resident)).code == "has_wechat"
    joins(a_newcomer(), invited(town, elder))
    assert refusal_of(lambda: invited(town, elder)).code == "has_wechat"


def test_for_a_child_below_fourteen_the_guardian_acts(town: Town) -> None:
    assert refusal_of(lambda: invited(town, town.child)).code == "guardian_acts"


def test_who_is_of_unknown_age_may_join(town: Town) -> None:
    with transaction() as session:
        ageless = a_person_without_phone(session, town.wutong, birth_year=None)
    assert joins(a_newcomer(), invited(town, ageless)).key == ageless.key


def test_the_mini_program_asks_for_its_own_consent(town: Town, elder: Person) -> None:
    code, newcomer = invited(town, elder), a_newcomer(consents=False)
    assert refusal_of(lambda: joins(newcomer, code)).code == "consent_needed"
    newcomer.agrees()
    joins(newcomer, code)


def test_an_account_that_was_closed_joins_nobody(town: Town, elder: Person) -> None:
    code, newcomer = invited(town, elder), a_newcomer()
    with transaction() as session:
        newcomer.account(session).closed_at = town_clock.now()
    assert isinstance(refusal_of(lambda: joins(newcomer, code)), Unauthenticated)


# --- who has told something already -------------------------------------------------------------------------------


def somebody_new(town: Town, **more: object) -> Person:
    with transaction() as session:
        return a_resident(session, town.wangjiang, **more)  # type: ignore[arg-type]


def test_who_filled_in_the_form_first_is_one_person_afterwards(town: Town, elder: Person) -> None:
    newcomer = somebody_new(town, name="孙奶", birth_year=1950, phone="13911112222")
    with transaction() as session:
        introduce(session, newcomer.account(session), Profile(elder_mode=True))
        enter(session, "resident.introduced", newcomer.resident(session), by_account_id=newcomer.account_id)
    before = everybody()
    herself = joins(newcomer, invited(town, elder))
    assert everybody() == before - 1
    with reading() as session:
        resident = herself.resident(session)
        assert (resident.name, resident.birth_year) == ("孙奶奶", 1941), "as the counter wrote it"
        assert resident.home_region_id == town.wutong.id
        assert resident.phone == "13911112222", "the counter knew none"
        assert resident.elder_mode
    assert ("resident.introduced", "oneself") in acts_for(herself)


@pytest.mark.parametrize(("verified", "kept"), [(True, "13933334444"), (False, "13911112222")])
def test_a_number_wechat_vouched_for_is_better_than_one_on_paper(
    town: Town, verified: bool, kept: str
) -> None:
    elder = entered(town, phone="13911112222")
    newcomer = somebody_new(town)
    with transaction() as session:
        newcomer.resident(session).take_phone("13933334444", verified=verified)
    herself = joins(newcomer, invited(town, elder))
    with reading() as session:
        resident = herself.resident(session)
        assert (resident.phone, resident.phone_verified_at is not None) == (kept, verified)


def test_a_name_that_is_given_up_waits_for_no_clerk(town: Town, elder: Person) -> None:
    newcomer = somebody_new(town, name="加我微信")
    with transaction() as session:
        subject = Subject(
            field=RESIDENT_NAME,
            key=newcomer.key,
            account_id=newcomer.account_id or 0,
            resident_id=newcomer.resident_id,
        )
        hold_text(session, subject, "加我微信", Finding(), HeldBecause.DOUBTFUL)
    joins(newcomer, invited(town, elder))
    with reading() as session:
        (check,) = session.scalars(select(ContentCheck))
        assert (check.resident_id, check.subject_key) == (elder.resident_id, None)
        assert elder.resident(session).name == "孙奶奶"


def test_who_only_looked_around_may_still_join(town: Town, elder: Person) -> None:
    """A tap that was refused left a receipt, and an answer to the form is no registration yet."""
    newcomer, run = somebody_new(town), town.a_run(max_age=30)
    with transaction() as session:
        asking = session.get_one(CourseRun, run.id)
        ask_questions(session, asking, [QuestionPlan(QuestionKind.TEXT, "想学什么")])
        (question,) = questions_of(session, asking)
        answer_questions(
            session,
            asking,
            newcomer.resident(session),
            {question.key: "包子"},
            by_account_id=newcomer.account_id,
        )
    with writer(db.engine).begin() as connection:
        decide(connection, [newcomer.wants(run)])
    herself = joins(newcomer, invited(town, elder))
    assert town.why(herself, run) == [("refused", "out_of_age")]


def test_who_was_in_a_class_is_somebody_already(town: Town, elder: Person) -> None:
    newcomer, run = somebody_new(town), town.a_run()
    newcomer.tap(run)
    newcomer.give_up(run)
    code, before = invited(town, elder), everybody()
    assert refusal_of(lambda: joins(newcomer, code)).code == "already_somebody"
    assert everybody() == before
    assert newcomer.tap(run).resident_key == newcomer.key
    with reading() as session:
        assert elder.resident(session).account_id is None
    joins(a_newcomer(), code)  # the code was not used up


def test_who_acts_for_somebody_is_somebody_already(town: Town, elder: Person) -> None:
    helper, ward = somebody_new(town), somebody_new(town)
    with transaction() as session:
        a_bond(session, helper, ward)
    for newcomer in (helper, ward):
        assert refusal_of(lambda n=newcomer: joins(n, invited(town, elder))).code == "already_somebody"  # type: ignore[misc]
    with reading() as session:
        assert len(session.scalars(select(Bond).where(Bond.helper_id == helper.resident_id)).all()) == 1


def test_who_joined_joins_nobody_else(town: Town, elder: Person) -> None:
    herself = joins(a_newcomer(), invited(town, elder))
    other = entered(town, name="孙爷爷")
    assert refusal_of(lambda: joins(herself, invited(town, other))).code == "already_somebody"


def test_a_seat_the_counter_takes_afterwards_is_told_to_her_wechat(town: Town, elder: Person) -> None:
    herself = joins(a_newcomer(), invited(town, elder))
    hat = AtCounter(town.clerk.account_id, town.clerk.identity, "小吴", "社区工作人员", gives_held_seats=True)
    run = town.a_run()
    with transaction() as session:
        register(session, Tap(run.key, "", for_key=herself.key, at_counter=hat))
    with reading() as session:
        copy = copy_for(session, herself.account(session))
    assert [notice.kind.value for notice in copy.notices] == ["acted_for_you"]
