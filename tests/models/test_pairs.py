"""Classes for pairs: one adult and one child have one seat together, both are looked at, and messages name both."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from models.base import db, reading, transaction, writer
from models.consents import PRIVACY_POLICY
from models.counter import ConsentGiver, take_consent
from models.courses import (
    AtCounter,
    Audience,
    CourseRun,
    Registration,
    RegistrationState,
    Standing,
    Tap,
    decide,
    register,
    roster_of,
)
from models.departures import close_account, what_closing_means
from models.errors import Conflict, Refusal
from models.notices import Notice, NoticeKind
from models.residents import BondKind
from tests.people import FIRST_EVENING, Person, Town, a_bond, a_person_without_phone, a_resident


@pytest.fixture
def run(town: Town) -> CourseRun:
    """家长学校, for two pairs."""
    return town.a_run(title="家长学校", audience=Audience.PAIR, capacity=2, starts_at=FIRST_EVENING)


def refused(guardian: Person, run: CourseRun, child: Person | None = None) -> str:
    with pytest.raises(Refusal) as no:
        guardian.tap(run, for_whom=child)
    return no.value.code


def pairs_of(run: CourseRun) -> list[tuple[int, int | None]]:
    with reading() as session:
        rows = session.scalars(
            select(Registration).where(Registration.run_id == run.id).order_by(Registration.number)
        )
        return [(row.resident_id, row.paired_with_id) for row in rows]


def another_child(town: Town, *, birth_year: int = 2017) -> Person:
    with transaction() as session:
        child = a_person_without_phone(session, town.wutong, name="李小明", birth_year=birth_year)
        a_bond(session, town.guardian, child, kind=BondKind.GUARDIAN)
    return child


def test_a_guardian_and_a_child_have_one_seat_together(town: Town, run: CourseRun) -> None:
    standing = town.guardian.tap(run, for_whom=town.child)
    assert (standing.state, standing.resident_key) == (RegistrationState.CONFIRMED, town.child.key)
    assert pairs_of(run) == [(town.child.resident_id, town.guardian.resident_id)]
    assert town.now(run).seats_taken == 1
    assert town.guardian.tap(run, for_whom=town.child) == standing


def test_nobody_comes_alone(town: Town, run: CourseRun) -> None:
    assert refused(town.guardian, run) == "pair_needed"
    assert refused(town.resident, run) == "pair_needed"
    assert refused(town.helper, run, town.elder) == "pair_needed"
    assert town.states(run) == []


def test_only_a_guardian_taps_for_a_pair(town: Town, run: CourseRun) -> None:
    with transaction() as session:
        a_bond(session, town.helper, town.child)
    assert refused(town.helper, run, town.child) == "pair_needed"


def test_the_childs_age_is_the_one_that_counts(town: Town) -> None:
    run = town.a_run(audience=Audience.PAIR, min_age=3, max_age=6)
    assert refused(town.guardian, run, town.child) == "out_of_age"
    small = another_child(town, birth_year=2021)
    assert town.guardian.tap(run, for_whom=small).state is RegistrationState.CONFIRMED


def test_of_a_child_in_a_pair_the_year_of_birth_is_known(town: Town, run: CourseRun) -> None:
    with transaction() as session:
        ageless = a_person_without_phone(session, town.wutong, name="孩子", birth_year=None)
        a_bond(session, town.guardian, ageless, kind=BondKind.GUARDIAN)
    assert refused(town.guardian, run, ageless) == "profile_needed"


def test_the_adult_is_not_in_two_classes_at_once(town: Town, run: CourseRun) -> None:
    town.guardian.tap(town.a_run(title="摄影", starts_at=FIRST_EVENING + timedelta(minutes=30)))
    with pytest.raises(Conflict) as no:
        town.guardian.tap(run, for_whom=town.child)
    assert no.value.code == "time_clash"
    assert "摄影" in no.value.message


def test_nor_in_two_pairs_at_once(town: Town, run: CourseRun) -> None:
    town.guardian.tap(run, for_whom=town.child)
    other = town.a_run(audience=Audience.PAIR, title="亲子手工", starts_at=FIRST_EVENING)
    assert refused(town.guardian, other, another_child(town)) == "time_clash"


def test_who_comes_along_with_a_child_has_no_class_of_their_own_then(town: Town, run: CourseRun) -> None:
    """And it is no course of theirs: not in the term, not in the queues, not of the same kind."""
    town.is_as_strict_as_others()
    town.guardian.tap(run, for_whom=town.child)
    assert refused(town.guardian, town.a_run(starts_at=FIRST_EVENING)) == "time_clash"
    for _ in range(2):
        assert town.guardian.tap(town.a_run()).state is RegistrationState.CONFIRMED


def test_nor_with_two_children_in_two_classes_at_once_in_one_batch(town: Town, run: CourseRun) -> None:
    other = town.a_run(audience=Audience.PAIR, starts_at=FIRST_EVENING)
    brother = another_child(town)
    taps = [town.guardian.wants(run, for_whom=town.child), town.guardian.wants(other, for_whom=brother)]
    with writer(db.engine).begin() as connection:
        first, second = decide(connection, taps)
    assert isinstance(first, Standing)
    assert getattr(second, "code", second) == "time_clash"


def test_brothers_and_sisters_come_to_the_same_class(town: Town, run: CourseRun) -> None:
    town.guardian.tap(run, for_whom=town.child)
    town.guardian.tap(run, for_whom=another_child(town))
    assert town.states(run) == ["confirmed", "confirmed"]


def test_messages_name_both(town: Town) -> None:
    run = town.a_run(audience=Audience.PAIR, capacity=1)
    with transaction() as session:
        other = a_resident(session, town.wutong, name="张伟", birth_year=1985)
        child = a_person_without_phone(session, town.wutong, name="张小宝", birth_year=2016)
        a_bond(session, other, child, kind=BondKind.GUARDIAN)
    town.guardian.tap(run, for_whom=town.child)
    other.tap(run, for_whom=child)
    town.guardian.give_up(run, for_whom=town.child)
    with reading() as session:
        told = session.scalars(select(Notice).order_by(Notice.id)).all()
    assert [(one.account_id, one.kind, one.facts["learner"]) for one in told] == [
        (town.guardian.account_id, NoticeKind.REGISTRATION_CONFIRMED, "李小雨、李强"),
        (other.account_id, NoticeKind.REGISTRATION_PROMOTED, "张小宝、张伟"),
    ]
    assert told[1].body.startswith("张小宝、张伟：")


def test_the_roster_names_both(town: Town, run: CourseRun) -> None:
    town.guardian.tap(run, for_whom=town.child)
    with reading() as session:
        (line,) = roster_of(session, session.get_one(CourseRun, run.id), after_id=None, most=10)
        assert line.paired_with is not None
        assert (line.resident.name, line.paired_with.name) == ("李小雨", "李强")


def at_the_counter(town: Town, run: CourseRun, adult: Person | None) -> Standing | None:
    hat = AtCounter(town.clerk.account_id, town.clerk.identity, "小吴", "社区工作人员", gives_held_seats=True)
    with transaction() as session:
        return register(
            session,
            Tap(
                run.key,
                "",
                for_key=town.child.key,
                at_counter=hat,
                with_key=adult.key if adult else None,
            ),
        )


def test_at_the_counter_staff_name_both(town: Town, run: CourseRun) -> None:
    with transaction() as session:
        take_consent(
            session,
            town.child.resident(session),
            version=PRIVACY_POLICY.version,
            given_by=ConsentGiver.GUARDIAN,
            by=town.clerk.member(session),
        )
    with pytest.raises(Conflict) as no:
        at_the_counter(town, run, None)
    assert no.value.code == "pair_needed"
    assert at_the_counter(town, run, town.elder) is not None  # the grandmother comes along
    assert pairs_of(run) == [(town.child.resident_id, town.elder.resident_id)]
    with reading() as session:
        (told,) = session.scalars(select(Notice).where(Notice.account_id == town.guardian.account_id))
    assert (told.kind, told.facts["learner"]) == (NoticeKind.ACTED_FOR_YOU, "李小雨、王奶奶")


def test_the_adult_of_a_pair_may_leave_town_and_the_child_keeps_the_seat(town: Town, run: CourseRun) -> None:
    with transaction() as session:
        a_bond(session, town.neighbour, town.child, kind=BondKind.GUARDIAN)
    town.guardian.tap(run, for_whom=town.child)
    with transaction() as session:
        account = town.guardian.account(session)
        close_account(session, account, seen=what_closing_means(session, account).fingerprint)
    assert town.states(run) == ["confirmed"]
    ((child, adult),) = pairs_of(run)
    assert child == town.child.resident_id
    assert adult != town.guardian.resident_id
