"""Who gets a seat, who waits, who is told what, and every way the town says no (domain.md §2.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.accounts import Login, revoke_login
from models.base import db, reading, transaction, writer
from models.consents import withdraw
from models.courses import (
    Audience,
    CourseRun,
    RegistrationState,
    Standing,
    Tap,
    decide,
    live_registration,
    positions_of,
    promote,
    register,
)
from models.errors import Conflict, NotFound, Refusal, Unauthenticated
from models.journal import JournalEntry
from models.notices import Notice, NoticeKind
from models.policies import set_policy
from models.regions import Region
from models.residents import Bond, BondKind, Profile, introduce
from tests.people import (
    FIRST_EVENING,
    OPENS_AT,
    Person,
    Town,
    a_bond,
    a_person_without_phone,
    a_resident,
    an_account,
    raise_capacity,
)

Refused = Callable[[], object]


def refusal_of(deed: Refused) -> Refusal:
    """The refusal a deed ends in."""
    with pytest.raises(Refusal) as caught:
        deed()
    return caught.value


def all_at_once(*taps: Tap) -> list[Standing | Refusal | None]:
    """Decide taps in one batch and commit."""
    with writer(db.engine).begin() as connection:
        return decide(connection, taps)


def notices_about(run: CourseRun) -> list[Notice]:
    """Every notice owed about a run, oldest first."""
    with reading() as session:
        rows = session.scalars(select(Notice).order_by(Notice.id)).all()
    return [notice for notice in rows if notice.facts["page_subject"] == run.key]


def entries() -> list[JournalEntry]:
    """The journal of registrations, oldest first."""
    with reading() as session:
        return list(
            session.scalars(
                select(JournalEntry)
                .where(JournalEntry.subject_kind == "registrations")
                .order_by(JournalEntry.id)
            )
        )


# --- seats and the queue ------------------------------------------------------------------------------------------


def test_last_seat_goes_to_the_first_tap(town: Town) -> None:
    run = town.a_run(capacity=1)
    first, second = town.resident.tap(run), town.neighbour.tap(run)
    assert (first.state, first.position) == (RegistrationState.CONFIRMED, None)
    assert (second.state, second.position) == (RegistrationState.WAITLISTED, 1)
    assert town.now(run).seats_left == 0


def test_tapping_twice_gives_the_same_answer(town: Town) -> None:
    """E2: a double tap is one registration."""
    run = town.a_run(capacity=1)
    assert town.resident.tap(run) == town.resident.tap(run)
    assert town.neighbour.tap(run) == town.neighbour.tap(run)
    assert town.states(run) == ["confirmed", "waitlisted"]


def test_two_devices_of_one_person_hold_one_seat(town: Town) -> None:
    """E5: two phones of one account are one person."""
    run = town.a_run()
    with transaction() as session:
        other_phone = Login(
            account_id=town.resident.account_id or 0,
            expires_at=town_clock.now() + timedelta(days=1),
        )
        session.add(other_phone)
    tablet = replace(town.resident, login_key=other_phone.key)
    assert town.resident.tap(run) == tablet.tap(run)
    assert town.states(run) == ["confirmed"]


def test_a_repeat_after_the_window_closed_still_gets_its_answer(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    run = town.a_run()
    before = town.resident.tap(run)
    clock.move_to(run.closes_at + timedelta(minutes=1))
    assert town.resident.tap(run) == before


def test_a_repeat_for_a_cancelled_run_still_gets_its_answer(town: Town) -> None:
    """E6: whoever is registered sees what they hold, also when the class is off."""
    run = town.a_run()
    before = town.resident.tap(run)
    town.call_off(run)
    assert town.resident.tap(run) == before


def test_a_repeat_tells_the_place_one_has_now(town: Town) -> None:
    run = town.a_run(capacity=1, waitlist_limit=None)
    town.resident.tap(run)
    ahead, behind = town.people(2)
    ahead.tap(run)
    assert behind.tap(run).position == 2
    ahead.give_up(run)
    assert behind.tap(run).position == 1


def test_nobody_overtakes_the_queue_when_a_seat_is_free(town: Town) -> None:
    """After the start nobody moves up by themselves, and a free seat still is not for whoever comes last."""
    run = town.a_run(capacity=1, waitlist_limit=None)
    town.resident.tap(run)
    town.neighbour.tap(run)
    with transaction() as session:  # more chairs, and nobody called promote: the path that forgot
        session.get_one(CourseRun, run.id).capacity = 2
    assert town.helper.tap(run).position == 2


def test_the_freed_seat_goes_to_the_first_in_line_at_once(town: Town) -> None:
    """E3: the seat given up is never seen free beside somebody waiting."""
    run = town.a_run(capacity=1, waitlist_limit=None)
    town.resident.tap(run)
    first, second = town.people(2)
    first.tap(run)
    second.tap(run)
    town.resident.give_up(run)
    assert town.states(run) == ["cancelled", "confirmed", "waitlisted"]
    assert first.tap(run).state is RegistrationState.CONFIRMED
    assert second.tap(run).position == 1


def test_tapping_again_after_giving_up_goes_to_the_end(town: Town) -> None:
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    town.neighbour.tap(run)
    town.resident.give_up(run)
    again = town.resident.tap(run)
    assert (again.state, again.position) == (RegistrationState.WAITLISTED, 1)
    assert [r.number for r in town.registrations(run)] == [1, 2, 3]


def test_giving_up_twice_or_nothing_is_fine(town: Town) -> None:
    run = town.a_run()
    town.resident.give_up(run)
    town.resident.tap(run)
    town.resident.give_up(run)
    town.resident.give_up(run)
    assert town.states(run) == ["cancelled"]
    assert [entry.act for entry in entries()] == ["registration.confirmed", "registration.cancelled"]


def test_giving_up_a_place_in_the_queue_frees_no_seat(town: Town) -> None:
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    town.neighbour.tap(run)
    town.neighbour.give_up(run)
    now = town.now(run)
    assert (now.seats_taken, now.waiting, now.last_number) == (1, 0, 2)


def test_more_chairs_call_in_the_first_in_line(town: Town) -> None:
    run = town.a_run(capacity=1, waitlist_limit=None)
    for person in town.people(5):
        person.tap(run)
    with transaction() as session:
        raise_capacity(session, run, 3)
    assert town.states(run) == ["confirmed"] * 3 + ["waitlisted"] * 2
    now = town.now(run)
    assert (now.seats_taken, now.waiting) == (3, 2)


def test_more_chairs_than_people_leave_seats_free(town: Town) -> None:
    run = town.a_run(capacity=1)
    for person in town.people(2):
        person.tap(run)
    with transaction() as session:
        raise_capacity(session, run, 10)
    assert town.now(run).seats_left == 8


def test_promoting_where_nobody_waits_changes_nothing(town: Town) -> None:
    run = town.a_run()
    with transaction() as session:
        promote(session, session.get_one(CourseRun, run.id))
    assert town.now(run).seats_taken == 0


def test_nobody_moves_up_once_the_class_has_started(town: Town, clock: town_clock.StoppedClock) -> None:
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    town.neighbour.tap(run)
    clock.move_to(run.starts_at)
    town.resident.give_up(run)
    assert town.states(run) == ["cancelled", "waitlisted"]
    assert town.now(run).seats_left == 0


def test_nobody_moves_up_in_a_cancelled_run(town: Town) -> None:
    """E6: giving up a class that is off seats nobody in it."""
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    town.neighbour.tap(run)
    town.call_off(run)
    town.resident.give_up(run)
    assert town.states(run) == ["cancelled", "waitlisted"]


def test_cancelling_within_a_day_of_the_class_counts_as_late(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    run = town.a_run()
    clock.move_to(run.starts_at - timedelta(hours=24))
    town.resident.tap(run)
    town.neighbour.tap(run)
    town.resident.give_up(run)
    clock.advance(seconds=1)
    town.neighbour.give_up(run)
    assert [r.cancelled_late for r in town.registrations(run)] == [False, True]


def test_leaving_the_queue_is_never_late(town: Town, clock: town_clock.StoppedClock) -> None:
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    town.neighbour.tap(run)
    clock.move_to(run.starts_at - timedelta(hours=1))
    town.neighbour.give_up(run)
    assert town.registrations(run)[1].cancelled_late is False


def test_the_community_says_what_late_means(town: Town, clock: town_clock.StoppedClock) -> None:
    run = town.a_run()
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.district.id), "free_cancel_hours", "2")
    town.resident.tap(run)
    clock.move_to(run.starts_at - timedelta(hours=3))
    town.resident.give_up(run)
    assert town.registrations(run)[0].cancelled_late is False


def test_the_waiting_list_is_as_long_as_the_community_says(town: Town) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "waitlist_share", "0.5")
    run = town.a_run(capacity=2)
    people = town.people(4)
    for person in people[:3]:
        person.tap(run)
    refusal = refusal_of(lambda: people[3].tap(run))
    assert (refusal.code, refusal.details) == ("waitlist_full", {"waiting": 1})
    assert town.now(run).last_number == 3


def test_without_a_limit_everybody_may_wait(town: Town) -> None:
    run = town.a_run(capacity=1, waitlist_limit=None)
    for person in town.people(6):
        person.tap(run)
    assert town.now(run).waiting == 5


def test_where_nobody_may_wait_a_full_run_is_full(town: Town) -> None:
    run = town.a_run(capacity=1, waitlist_limit=0)
    town.resident.tap(run)
    assert refusal_of(lambda: town.neighbour.tap(run)).code == "waitlist_full"


# --- when ---------------------------------------------------------------------------------------------------------


def test_registering_starts_at_the_servers_ten_oclock(town: Town, clock: town_clock.StoppedClock) -> None:
    """E36, E14: only the server's clock opens the door, and it tells the hour of the town's wall."""
    clock.move_to(OPENS_AT - timedelta(days=1))
    run = town.a_run()
    clock.move_to(OPENS_AT - timedelta(microseconds=1))
    refusal = refusal_of(lambda: town.resident.tap(run))
    assert (refusal.code, refusal.details["opens_at"]) == ("not_open_yet", "2026-11-20T10:00:00+08:00")
    assert "11月20日 10:00" in refusal.message
    clock.move_to(OPENS_AT)
    assert town.resident.tap(run).state is RegistrationState.CONFIRMED


def test_registering_ends_when_the_class_starts(town: Town, clock: town_clock.StoppedClock) -> None:
    run = town.a_run()
    clock.move_to(run.closes_at)
    assert refusal_of(lambda: town.resident.tap(run)).code == "registration_closed"


def test_a_cancelled_run_takes_nobody(town: Town) -> None:
    run = town.a_run()
    town.call_off(run)
    assert refusal_of(lambda: town.resident.tap(run)).code == "run_cancelled"


def test_what_is_over_cannot_be_given_up(town: Town, clock: town_clock.StoppedClock) -> None:
    run = town.a_run()
    town.resident.tap(run)
    clock.move_to(run.ends_at)
    assert refusal_of(lambda: town.resident.give_up(run)).code == "run_finished"
    assert town.states(run) == ["confirmed"]


def test_a_draft_is_nothing_to_a_resident(town: Town) -> None:
    run = town.a_run(published=False)
    refusal = refusal_of(lambda: town.resident.tap(run))
    assert isinstance(refusal, NotFound)
    assert refusal.code == "not_found"


@pytest.mark.parametrize("key", ["", "nosuchrun", "a" * 500, "\x00", "\ud800", "' OR 1=1 --", "梧桐里"])
def test_a_key_that_names_nothing_is_not_found(town: Town, key: str) -> None:
    run = town.a_run()
    assert refusal_of(lambda: town.resident.tap(replace_key(run, key))).code == "not_found"
    stranger = replace(town.resident, login_key=key)
    assert refusal_of(lambda: stranger.tap(run)).code == "token_revoked"
    nobody = replace(town.elder, key=key)
    assert refusal_of(lambda: town.resident.tap(run, for_whom=nobody)).code == "no_bond"


def replace_key(run: CourseRun, key: str) -> CourseRun:
    """Something with another key, as a forged link would have."""
    return CourseRun(key=key)


# --- who ----------------------------------------------------------------------------------------------------------


def test_a_login_that_ended_takes_no_seat(town: Town, clock: town_clock.StoppedClock) -> None:
    run = town.a_run()
    with transaction() as session:
        revoke_login(session, town.neighbour.login_key)
    refusal = refusal_of(lambda: town.neighbour.tap(run))
    assert isinstance(refusal, Unauthenticated)
    assert refusal.code == "token_revoked"
    with transaction() as session:
        login = session.scalars(select(Login).where(Login.key == town.resident.login_key)).one()
        login.expires_at = town_clock.now()
    assert refusal_of(lambda: town.resident.tap(run)).code == "token_expired"


def fields_missing(town: Town, newcomer: Person, run: CourseRun, for_whom: Person | None = None) -> list[str]:
    """What a tap says is still missing."""
    refusal = refusal_of(lambda: newcomer.tap(run, for_whom=for_whom))
    assert isinstance(refusal, Conflict)
    assert refusal.code == "profile_needed"
    assert refusal.details["consent_version"]
    fields: list[str] = refusal.details["fields"]
    return fields


def test_the_first_registration_asks_for_everything_at_once(town: Town) -> None:
    run, for_adults = town.a_run(), town.a_run(min_age=18)
    with transaction() as session:
        newcomer = a_resident(session, None, name=None, phone=None, birth_year=None, consents=False)
    assert fields_missing(town, newcomer, run) == ["name", "phone", "home_community", "consent"]
    assert "birth_year" in fields_missing(town, newcomer, for_adults)


def test_somebody_who_never_introduced_themselves_is_asked_too(town: Town) -> None:
    run = town.a_run(min_age=18)
    with transaction() as session:
        account, login_key = an_account(session)
    stranger = Person("", 0, "", account.id, login_key)
    assert fields_missing(town, stranger, run) == ["name", "phone", "home_community", "consent", "birth_year"]
    stranger.give_up(run)
    assert town.states(run) == []


@pytest.mark.parametrize(
    ("lacks", "field"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"phone": None}, "phone"),
        ({"birth_year": None}, "birth_year"),
        ({"consents": False}, "consent"),
    ],
)
def test_each_missing_fact_is_named(town: Town, lacks: dict[str, None], field: str) -> None:
    run = town.a_run(max_age=90)
    with transaction() as session:
        person = a_resident(session, town.wutong, **lacks)  # type: ignore[arg-type]
    assert fields_missing(town, person, run) == [field]


def test_a_home_community_is_asked_for(town: Town) -> None:
    run = town.a_run()
    with transaction() as session:
        person = a_resident(session, None)
    assert fields_missing(town, person, run) == ["home_community"]


def test_withdrawn_consent_is_asked_for_again(town: Town) -> None:
    run = town.a_run()
    with transaction() as session:
        withdraw(session, town.resident.account(session))
    assert fields_missing(town, town.resident, run) == ["consent"]


def test_what_was_filled_in_once_is_never_asked_again(town: Town) -> None:
    town.resident.tap(town.a_run())
    assert town.resident.tap(town.a_run()).state is RegistrationState.CONFIRMED


def test_the_wards_missing_facts_are_named_as_the_wards(town: Town) -> None:
    run = town.a_run(min_age=6)
    with transaction() as session:
        baby = a_person_without_phone(session, None, name=None, birth_year=None)
        a_bond(session, town.guardian, baby, kind=BondKind.GUARDIAN)
    assert fields_missing(town, town.guardian, run, for_whom=baby) == [
        "for.name",
        "for.home_community",
        "for.birth_year",
    ]


def test_a_helper_must_be_known_too(town: Town) -> None:
    run = town.a_run()
    with transaction() as session:
        helper = a_resident(session, town.wutong, phone=None)
        a_bond(session, helper, town.elder)
    assert fields_missing(town, helper, run, for_whom=town.elder) == ["phone"]


# --- for whom -----------------------------------------------------------------------------------------------------


def test_a_helper_registers_an_elder_and_both_names_stay(town: Town) -> None:
    run = town.a_run()
    standing = town.helper.tap(run, for_whom=town.elder)
    assert standing.resident_key == town.elder.key
    (registration,) = town.registrations(run)
    assert (registration.resident_id, registration.by_account_id) == (
        town.elder.resident_id,
        town.helper.account_id,
    )
    (entry,) = entries()
    assert (entry.by_account_id, entry.for_resident_id) == (town.helper.account_id, town.elder.resident_id)


def test_an_act_for_oneself_names_nobody_else(town: Town) -> None:
    run = town.a_run()
    town.resident.tap(run, for_whom=town.resident)
    (entry,) = entries()
    assert (entry.by_account_id, entry.for_resident_id) == (town.resident.account_id, None)


def test_helper_and_elder_may_both_come(town: Town) -> None:
    run = town.a_run()
    answers = all_at_once(
        town.helper.wants(run),
        town.helper.wants(run, for_whom=town.elder),
        town.helper.wants(run),
        town.helper.wants(run, for_whom=town.elder),
    )
    assert answers[0] == answers[2]
    assert answers[1] == answers[3]
    assert answers[0] != answers[1]
    assert town.now(run).seats_taken == 2


def test_nobody_acts_for_a_stranger(town: Town) -> None:
    run = town.a_run()
    refusal = refusal_of(lambda: town.neighbour.tap(run, for_whom=town.elder))
    assert isinstance(refusal, NotFound)
    assert refusal.code == "no_bond"


def test_a_bond_holds_through_its_last_day_and_no_longer(town: Town, clock: town_clock.StoppedClock) -> None:
    """E8: when guardianship ends, so does acting for the child; the town's midnight decides (E14)."""
    run = town.a_run()
    with transaction() as session:
        bond = session.scalars(select(Bond).where(Bond.ward_id == town.child.resident_id)).one()
        bond.ends_on = town_clock.today()
    clock.move_to(datetime(2026, 11, 20, 23, 59, tzinfo=town_clock.TOWN_ZONE))
    town.guardian.tap(run, for_whom=town.child)
    clock.advance(minutes=1)
    assert refusal_of(lambda: town.guardian.tap(run, for_whom=town.child)).code == "no_bond"
    assert refusal_of(lambda: town.guardian.give_up(run, for_whom=town.child)).code == "no_bond"
    assert town.states(run) == ["confirmed"]


def test_a_class_for_children_wants_a_guardian(town: Town) -> None:
    run = town.a_run(audience=Audience.CHILD, min_age=6, max_age=12)
    with transaction() as session:
        introduce(session, town.guardian.account(session), Profile(birth_year=2016))
    assert refusal_of(lambda: town.guardian.tap(run)).code == "guardian_needed"
    assert town.guardian.tap(run, for_whom=town.child).state is RegistrationState.CONFIRMED


@pytest.mark.parametrize(
    ("min_age", "max_age", "birth_year", "says"),
    [
        (18, 55, 2009, "18至55周岁"),
        (18, 55, 1970, "18至55周岁"),
        (60, None, 1967, "60周岁以上"),
        (None, 12, 2013, "12周岁以下"),
    ],
)
def test_out_of_age_is_told_with_the_ages(
    town: Town, min_age: int | None, max_age: int | None, birth_year: int, says: str
) -> None:
    run = town.a_run(min_age=min_age, max_age=max_age)
    with transaction() as session:
        person = a_resident(session, town.wutong, birth_year=birth_year)
    refusal = refusal_of(lambda: person.tap(run))
    assert (refusal.code, refusal.details) == ("out_of_age", {"min_age": min_age, "max_age": max_age})
    assert says in refusal.message


@pytest.mark.parametrize("birth_year", [1971, 2008])
def test_the_ages_named_are_included(town: Town, birth_year: int) -> None:
    run = town.a_run(min_age=18, max_age=55)
    with transaction() as session:
        person = a_resident(session, town.wutong, birth_year=birth_year)
    assert person.tap(run).state is RegistrationState.CONFIRMED


def test_a_class_after_new_year_counts_the_age_of_its_own_year(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    """E16, E14: 1 January 00:30 in the town is still the old year in UTC; who turns 18 that year may come."""
    new_year = datetime(2027, 1, 1, 0, 30, tzinfo=town_clock.TOWN_ZONE)
    run = town.a_run(min_age=18, starts_at=new_year)
    with transaction() as session:
        person = a_resident(session, town.wutong, birth_year=2009)
        a_bond(session, town.guardian, person, kind=BondKind.GUARDIAN)  # seventeen until then
    assert person.tap(run).state is RegistrationState.CONFIRMED


def test_a_class_may_start_on_29_february(town: Town, clock: town_clock.StoppedClock) -> None:
    """E16: a leap day is a day."""
    clock.move_to(datetime(2028, 2, 28, 12, 0, tzinfo=town_clock.TOWN_ZONE))
    leap = datetime(2028, 2, 29, 18, 0, tzinfo=town_clock.TOWN_ZONE)
    with transaction() as session:
        person = a_resident(session, town.wutong, birth_year=2008)
    run = town.a_run(starts_at=leap, min_age=20, max_age=20)
    assert person.tap(run).state is RegistrationState.CONFIRMED


def test_ages_do_not_matter_where_no_age_is_asked(town: Town) -> None:
    run = town.a_run()
    with transaction() as session:
        ageless = a_resident(session, town.wutong, birth_year=None)
    assert ageless.tap(run).state is RegistrationState.CONFIRMED


def test_an_outsider_may_come_too(town: Town) -> None:
    assert town.outsider.tap(town.a_run()).state is RegistrationState.CONFIRMED


# --- many at once -------------------------------------------------------------------------------------------------


def test_a_batch_is_decided_in_its_order(town: Town) -> None:
    run = town.a_run(capacity=1)
    answers = all_at_once(
        town.resident.wants(run),
        town.neighbour.wants(run),
        town.resident.leaves(run),
        town.resident.wants(run),
        town.neighbour.wants(run),
    )
    kinds = [answer.state.value if isinstance(answer, Standing) else answer for answer in answers]
    assert kinds == ["confirmed", "waitlisted", None, "waitlisted", "confirmed"]
    assert town.states(run) == ["cancelled", "confirmed", "waitlisted"]


def test_come_and_go_and_come_in_one_batch(town: Town) -> None:
    run = town.a_run()
    first, gone, second = all_at_once(
        town.resident.wants(run), town.resident.leaves(run), town.resident.wants(run)
    )
    assert isinstance(first, Standing)
    assert isinstance(second, Standing)
    assert gone is None
    assert first.key != second.key
    now = town.now(run)
    assert (now.seats_taken, now.last_number) == (1, 2)


def test_one_mans_no_is_not_his_neighbours(town: Town) -> None:
    run = town.a_run(min_age=70)
    with transaction() as session:
        old = a_resident(session, town.wutong, birth_year=1950)
    young, unknown, seated = all_at_once(town.resident.wants(run), Tap(run.key, "nologin"), old.wants(run))
    assert isinstance(young, Conflict)
    assert isinstance(unknown, Unauthenticated)
    assert isinstance(seated, Standing)
    assert town.now(run).last_number == 1


def test_an_empty_batch_has_no_answers(town: Town) -> None:
    assert all_at_once() == []


def test_a_batch_may_mix_runs(town: Town) -> None:
    runs = [town.a_run(capacity=1) for _ in range(3)]
    people = (town.resident, town.neighbour)
    answers = all_at_once(*(person.wants(run) for person in people for run in runs))
    states = [answer.state.value for answer in answers if isinstance(answer, Standing)]
    assert states == ["confirmed"] * 3 + ["waitlisted"] * 3
    assert [town.now(run).last_number for run in runs] == [2, 2, 2]


def test_a_repeat_with_companions_the_run_does_not_take_gets_the_same_answer_in_one_batch(town: Town) -> None:
    run = town.a_run()
    with_friends = replace(town.resident.wants(run), companions=2)
    first, again = all_at_once(town.resident.wants(run), with_friends)
    assert first == again
    assert town.states(run) == ["confirmed"]


def test_a_batch_costs_the_same_statements_for_2_and_for_60(town: Town, statements: list[str]) -> None:
    run = town.a_run(capacity=100)
    people = town.people(62)
    del statements[:]
    all_at_once(*(person.wants(run) for person in people[:2]))
    for_two = len(statements)
    del statements[:]
    all_at_once(*(person.wants(run) for person in people[2:]))
    assert len(statements) == for_two


def test_after_register_the_session_sees_what_was_decided(town: Town) -> None:
    run = town.a_run()
    with transaction() as session:
        seen = session.get_one(CourseRun, run.id)
        assert seen.seats_taken == 0
        register(session, town.resident.wants(run))
        assert seen.seats_taken == 1
        assert live_registration(session, seen, town.resident.resident(session)).number == 1


def test_a_refused_tap_leaves_nothing(town: Town) -> None:
    run = town.a_run(min_age=80)
    refusal_of(lambda: town.resident.tap(run))
    assert (town.states(run), entries(), notices_about(run)) == ([], [], [])


def test_what_is_rolled_back_never_was(town: Town) -> None:
    run = town.a_run()

    def tap_and_fail() -> None:
        with transaction() as session:
            register(session, town.resident.wants(run))
            raise Conflict("changed_mind", "算了")

    refusal_of(tap_and_fail)
    assert (town.states(run), entries(), notices_about(run)) == ([], [], [])
    assert town.now(run).last_number == 0


# --- what is told -------------------------------------------------------------------------------------------------


def test_a_seat_is_told_at_once_even_at_night(town: Town, clock: town_clock.StoppedClock) -> None:
    """The answer to one's own tap does not wait for the morning."""
    clock.move_to(datetime(2026, 11, 20, 23, 0, tzinfo=town_clock.TOWN_ZONE))
    run = town.a_run()
    standing = town.resident.tap(run)
    (notice,) = notices_about(run)
    assert notice.kind is NoticeKind.REGISTRATION_CONFIRMED
    assert notice.due_at == town_clock.now()
    assert notice.account_id == town.resident.account_id
    assert notice.dedupe_key == f"registration_confirmed:{standing.key}:{town.resident.account_id}"
    assert "2026年12月3日 18:00" in notice.body
    assert notice.facts["learner"] == ""


def test_waiting_is_not_worth_a_message(town: Town) -> None:
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    town.neighbour.tap(run)
    assert [notice.account_id for notice in notices_about(run)] == [town.resident.account_id]


def test_a_seat_from_the_queue_is_told_in_the_morning(town: Town, clock: town_clock.StoppedClock) -> None:
    run = town.a_run(capacity=1, waitlist_limit=None)
    town.resident.tap(run)
    town.neighbour.tap(run)
    clock.move_to(datetime(2026, 11, 20, 22, 0, tzinfo=town_clock.TOWN_ZONE))
    town.resident.give_up(run)
    promoted = notices_about(run)[-1]
    assert promoted.kind is NoticeKind.REGISTRATION_PROMOTED
    assert town_clock.in_town(promoted.due_at) == datetime(2026, 11, 21, 8, 0, tzinfo=town_clock.TOWN_ZONE)


def test_helper_and_learner_are_both_told_for_whom(town: Town) -> None:
    run = town.a_run()
    with transaction() as session:
        parent = a_resident(session, town.wutong, name="老陈")
        a_bond(session, town.resident, parent)
    town.resident.tap(run, for_whom=parent)
    told = notices_about(run)
    assert {notice.account_id for notice in told} == {town.resident.account_id, parent.account_id}
    assert [(notice.kind, notice.body.split("：")[0]) for notice in told] == [
        (NoticeKind.REGISTRATION_CONFIRMED, "老陈"),
        (NoticeKind.ACTED_FOR_YOU, "陈（家人代办）已替您报名"),
    ]


def test_an_elder_without_wechat_is_told_through_the_helper(town: Town) -> None:
    run = town.a_run()
    town.helper.tap(run, for_whom=town.elder)
    (notice,) = notices_about(run)
    assert notice.account_id == town.helper.account_id
    assert notice.body.startswith("王奶奶：")


def test_somebody_nobody_can_write_to_still_moves_up(town: Town) -> None:
    """A seat taken at the counter, for somebody without WeChat, owes no message and breaks nothing."""
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    town.helper.tap(run, for_whom=town.elder)
    with transaction() as session:
        live_registration(session, run, town.elder.resident(session)).by_account_id = None
    town.resident.give_up(run)
    assert town.states(run) == ["cancelled", "confirmed"]


def test_a_run_whose_first_evening_moved_still_seats_people(town: Town) -> None:
    run = town.a_run()
    with transaction() as session:
        evening = session.get_one(CourseRun, run.id).sessions[0]
        evening.starts_at += timedelta(minutes=5)
    town.resident.tap(run)
    assert notices_about(run)[0].facts["place"] == "地点待定"


def test_every_change_of_state_is_in_the_journal(town: Town) -> None:
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    town.neighbour.tap(run)
    town.resident.give_up(run)
    assert [(entry.act, entry.identity) for entry in entries()] == [
        ("registration.confirmed", "resident"),
        ("registration.waitlisted", "resident"),
        ("registration.cancelled", "resident"),
        ("registration.promoted", "town"),
    ]


# --- where one stands ---------------------------------------------------------------------------------------------


def test_positions_count_those_ahead_in_ones_own_run(town: Town) -> None:
    run, other = town.a_run(capacity=1, waitlist_limit=None), town.a_run(capacity=1, waitlist_limit=None)
    people = town.people(4)
    for person in people:
        person.tap(run)
        person.tap(other)
    people[1].give_up(run)
    rows = [*town.registrations(run), *town.registrations(other)]
    with reading() as session:
        places = positions_of(session, rows)
    assert [places.get(row.id) for row in rows] == [None, None, 1, 2, None, 1, 2, 3]


def test_nobody_waiting_has_no_position(town: Town, statements: list[str]) -> None:
    with reading() as session:
        assert positions_of(session, []) == {}
    assert statements == []


def test_without_a_registration_there_is_nothing_to_show(town: Town) -> None:
    run = town.a_run()
    town.resident.tap(run)
    town.resident.give_up(run)
    with reading() as session:
        assert (
            refusal_of(lambda: live_registration(session, run, town.resident.resident(session))).code
            == "not_registered"
        )


def test_the_first_evening_is_where_everybody_thinks(town: Town) -> None:
    assert town.a_run().starts_at == FIRST_EVENING
