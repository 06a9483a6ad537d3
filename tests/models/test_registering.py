"""Registering at the counter: the same rules as a tap, stamped with who did it, and told once to whom it concerns (M29)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.accounts import Account
from models.base import reading, transaction
from models.consents import PRIVACY_POLICY, Consent, withdraw
from models.counter import ConsentGiver, ResidentConsent, take_consent, take_consent_back
from models.courses import (
    Admission,
    AtCounter,
    CourseRun,
    Promotion,
    RegistrationState,
    Seating,
    Standing,
    Tap,
    Wanting,
    register,
    register_each,
)
from models.departures import close_account, what_closing_means
from models.errors import Conflict, NotFound, Refusal
from models.journal import JournalEntry
from models.ladder import ShortMessage
from models.notices import Notice, NoticeKind
from models.residents import Bond, BondKind, Resident
from tests.people import Person, Town, Worker, a_bond, a_person_without_phone, a_resident

OFFICE, GRID = "社区工作人员", "网格员"


def hat(worker: Worker, *, says: str = OFFICE) -> AtCounter:
    return AtCounter(worker.account_id, worker.identity, worker.name, says, gives_held_seats=True)


def taken_for(
    run: CourseRun, whom: Person, by: Worker, *, wanting: Wanting = Wanting.A_SEAT, says: str = OFFICE
) -> Standing | None:
    with transaction() as session:
        return register(session, Tap(run.key, "", wanting, whom.key, at_counter=hat(by, says=says)))


def signs(town: Town, whom: Person, *, given_by: ConsentGiver = ConsentGiver.ONESELF) -> Person:
    with transaction() as session:
        take_consent(
            session,
            whom.resident(session),
            version=PRIVACY_POLICY.version,
            given_by=given_by,
            by=town.clerk.member(session),
        )
    return whom


@pytest.fixture
def elder(town: Town) -> Person:
    """The elder without WeChat, who signed the privacy policy."""
    return signs(town, town.elder)


def refused(run: CourseRun, whom: Person, by: Worker) -> Refusal:
    with pytest.raises(Refusal) as no:
        taken_for(run, whom, by)
    return no.value


def heard(whom: Person | Worker) -> list[tuple[NoticeKind, str, str]]:
    """What somebody was told: the kind, by whom it was done, and whose it is."""
    with reading() as session:
        rows = session.scalars(select(Notice).where(Notice.account_id == whom.account_id).order_by(Notice.id))
        return [(row.kind, row.facts.get("helper", ""), row.facts.get("learner", "")) for row in rows]


def done_for(whom: Person) -> list[str]:
    """What was done for somebody, as they were told."""
    with reading() as session:
        rows = session.scalars(
            select(Notice)
            .where(Notice.account_id == whom.account_id, Notice.kind == NoticeKind.ACTED_FOR_YOU)
            .order_by(Notice.id)
        )
        return [row.facts["done"] for row in rows]


def short_messages() -> Sequence[tuple[NoticeKind, int]]:
    with reading() as session:
        return [(row.kind, row.resident_id) for row in session.scalars(select(ShortMessage))]


def stamps(whom: Person) -> list[tuple[str, str, int | None]]:
    with reading() as session:
        rows = session.scalars(
            select(JournalEntry)
            .where(
                JournalEntry.for_resident_id == whom.resident_id, JournalEntry.act.startswith("registration.")
            )
            .order_by(JournalEntry.id)
        )
        return [(row.act, row.identity, row.by_account_id) for row in rows]


# --- the same rules -----------------------------------------------------------------------------------------------


def test_a_clerk_takes_a_seat_for_an_elder_without_wechat(town: Town, elder: Person) -> None:
    run = town.a_run()
    first = taken_for(run, elder, town.clerk)
    assert first is not None
    assert (first.state, first.resident_key) == (RegistrationState.CONFIRMED, elder.key)
    assert taken_for(run, elder, town.admin) == first
    assert town.now(run).seats_taken == 1


def test_at_the_counter_one_queues_like_everybody(town: Town, elder: Person) -> None:
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    standing = taken_for(run, elder, town.clerk)
    assert standing is not None
    assert (standing.state, standing.position) == (RegistrationState.WAITLISTED, 1)
    town.resident.give_up(run)
    assert town.states(run) == ["cancelled", "confirmed"]


def test_the_counter_opens_no_earlier_than_the_phones(town: Town, elder: Person) -> None:
    run = town.a_run(opens_at=town_clock.now() + timedelta(hours=1))
    assert refused(run, elder, town.clerk).code == "not_open_yet"


def test_who_does_not_fit_the_class_is_refused_at_the_counter_too(town: Town, elder: Person) -> None:
    assert refused(town.a_run(max_age=60), elder, town.clerk).code == "out_of_age"


def test_what_is_missing_of_the_person_is_named(town: Town) -> None:
    with transaction() as session:
        stranger = a_person_without_phone(session, town.wutong, name=None, birth_year=None)
    refusal = refused(town.a_run(min_age=60), stranger, town.clerk)
    assert refusal.code == "profile_needed"
    assert refusal.details["fields"] == ["for.name", "for.birth_year", "for.consent"]


def test_a_phone_number_is_not_needed_at_the_counter(town: Town, elder: Person) -> None:
    with reading() as session:
        assert elder.resident(session).phone is None
    assert taken_for(town.a_run(), elder, town.clerk) is not None


def test_who_took_back_what_was_signed_is_registered_by_nobody(town: Town, elder: Person) -> None:
    with transaction() as session:
        take_consent_back(session, elder.resident(session), by=town.clerk.member(session))
    assert refused(town.a_run(), elder, town.clerk).details["fields"] == ["for.consent"]
    with pytest.raises(Conflict) as no:
        town.helper.tap(town.a_run(), for_whom=elder)
    assert no.value.code == "ward_withdrew"


def test_who_took_everything_back_in_the_app_is_not_registered_until_they_sign(town: Town) -> None:
    with transaction() as session:
        withdraw(session, town.resident.account(session).lock())
    assert refused(town.a_run(), town.resident, town.clerk).code == "ward_withdrew"
    signs(town, town.resident)
    assert taken_for(town.a_run(), town.resident, town.clerk) is not None


def test_what_was_agreed_to_of_an_older_policy_is_asked_anew(town: Town, elder: Person) -> None:
    with transaction() as session:
        session.scalars(select(ResidentConsent)).one().version = "2025-01"
        mine = select(Consent).where(Consent.account_id == town.resident.account_id)
        session.scalars(mine).one().version = "2025-01"
    for whom in (elder, town.resident):
        assert refused(town.a_run(), whom, town.clerk).details["fields"] == ["for.consent"]


def test_nobody_is_nobody_at_the_counter_either(town: Town) -> None:
    run = town.a_run()
    with pytest.raises(NotFound), transaction() as session:
        register(
            session,
            Tap(run.key, "", for_key="a" * 16, at_counter=hat(town.clerk)),
        )


def test_several_people_are_answered_one_by_one(town: Town, elder: Person) -> None:
    run = town.a_run(capacity=2)
    people = [elder, town.child, town.resident]
    with transaction() as session:
        taps = [Tap(run.key, "", for_key=whom.key, at_counter=hat(town.clerk)) for whom in people]
        answers = register_each(session, taps)
    assert isinstance(answers[0], Standing)
    assert isinstance(answers[1], Conflict)  # nobody signed for the child
    assert isinstance(answers[2], Standing)
    assert town.states(run) == ["confirmed", "confirmed"]


def test_a_place_is_given_up_at_the_counter(town: Town, elder: Person) -> None:
    run = town.a_run()
    taken_for(run, elder, town.clerk)
    assert taken_for(run, elder, town.grid_worker, wanting=Wanting.TO_GIVE_UP) is None
    assert taken_for(run, elder, town.grid_worker, wanting=Wanting.TO_GIVE_UP) is None
    assert town.states(run) == ["cancelled"]


# --- by whom, for whom --------------------------------------------------------------------------------------------


def test_every_act_is_stamped_with_who_did_it_for_whom(town: Town, elder: Person) -> None:
    run = town.a_run()
    taken_for(run, elder, town.clerk)
    taken_for(run, elder, town.grid_worker, wanting=Wanting.TO_GIVE_UP)
    assert stamps(elder) == [
        ("registration.confirmed", town.clerk.identity, town.clerk.account_id),
        ("registration.cancelled", town.grid_worker.identity, town.grid_worker.account_id),
    ]


def test_m29_who_has_no_wechat_is_told_by_short_message_or_call(town: Town, elder: Person) -> None:
    taken_for(town.a_run(), elder, town.clerk)
    assert short_messages() == [(NoticeKind.ACTED_FOR_YOU, elder.resident_id)]
    assert heard(town.clerk) == []
    assert heard(town.helper) == []


def test_m29_who_has_wechat_is_told_there_once_and_nothing_else(town: Town) -> None:
    run = town.a_run()
    taken_for(run, town.resident, town.clerk)
    taken_for(run, town.resident, town.clerk)
    assert heard(town.resident) == [(NoticeKind.ACTED_FOR_YOU, "小（社区工作人员）", "")]
    taken_for(run, town.resident, town.grid_worker, wanting=Wanting.TO_GIVE_UP, says=GRID)
    assert heard(town.resident)[1:] == [(NoticeKind.ACTED_FOR_YOU, "网（网格员）", "")]
    assert short_messages() == []
    assert heard(town.clerk) == heard(town.grid_worker) == []


def test_m29_of_a_child_the_guardian_is_told(town: Town) -> None:
    run = town.a_run()
    taken_for(run, signs(town, town.child, given_by=ConsentGiver.GUARDIAN), town.clerk)
    assert heard(town.guardian) == [(NoticeKind.ACTED_FOR_YOU, "小（社区工作人员）", "李小雨")]
    assert short_messages() == []


def test_m29_who_guards_a_child_no_longer_is_told_nothing_of_it(town: Town) -> None:
    signs(town, town.child, given_by=ConsentGiver.GUARDIAN)
    with transaction() as session:
        session.scalars(
            select(Bond).where(Bond.ward_id == town.child.resident_id)
        ).one().ended_at = town_clock.now()
    taken_for(town.a_run(), town.child, town.clerk)
    assert heard(town.guardian) == []
    assert short_messages() == [(NoticeKind.ACTED_FOR_YOU, town.child.resident_id)]


def test_m29_a_helper_who_leaves_is_named_no_longer(town: Town) -> None:
    with transaction() as session:
        elder = a_resident(session, town.wutong, name="孙奶奶", birth_year=1950)
        a_bond(session, town.helper, elder)
    town.helper.tap(town.a_run(), for_whom=elder)
    with transaction() as session:
        account = town.helper.account(session)
        close_account(session, account, seen=what_closing_means(session, account).fingerprint)
    assert heard(elder) == [(NoticeKind.ACTED_FOR_YOU, "家人代办", "")]


def test_m29_a_child_with_a_phone_and_its_guardian_are_both_told(town: Town) -> None:
    with transaction() as session:
        teenager = a_resident(session, town.wutong, name="小周", birth_year=2010)
        a_bond(session, town.guardian, teenager, kind=BondKind.GUARDIAN)
    taken_for(town.a_run(), teenager, town.clerk)
    assert [kind for kind, _, _ in heard(teenager)] == [NoticeKind.ACTED_FOR_YOU]
    assert [kind for kind, _, _ in heard(town.guardian)] == [NoticeKind.ACTED_FOR_YOU]


def test_the_guardian_of_a_child_registered_at_the_counter_hears_of_its_rise(town: Town) -> None:
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    taken_for(run, signs(town, town.child, given_by=ConsentGiver.GUARDIAN), town.clerk)
    town.resident.give_up(run)
    assert [kind for kind, _, _ in heard(town.guardian)] == [
        NoticeKind.ACTED_FOR_YOU,
        NoticeKind.REGISTRATION_PROMOTED,
    ]


def test_m29_by_bond_a_helper_hears_of_the_seat_and_the_grown_up_of_the_deed(town: Town) -> None:
    with transaction() as session:
        elder = a_resident(session, town.wutong, name="孙奶奶", birth_year=1950)
        a_bond(session, town.helper, elder)
    town.helper.tap(town.a_run(), for_whom=elder)
    assert heard(elder) == [(NoticeKind.ACTED_FOR_YOU, "王（家人代办）", "")]
    assert [kind for kind, _, _ in heard(town.helper)] == [NoticeKind.REGISTRATION_CONFIRMED]
    assert stamps(elder) == [("registration.confirmed", "resident", town.helper.account_id)]


def test_m29_everything_a_helper_does_is_told_and_each_in_its_own_words(town: Town) -> None:
    run = town.a_run(capacity=1, seating=Seating(promotion=Promotion.OFFER))
    with transaction() as session:
        elder = a_resident(session, town.wutong, name="孙奶奶", birth_year=1950)
        a_bond(session, town.helper, elder)
    town.resident.tap(run)
    town.helper.tap(run, for_whom=elder)
    town.resident.give_up(run)
    assert town.helper.accept(run, for_whom=elder).state is RegistrationState.CONFIRMED
    town.helper.give_up(run, for_whom=elder)
    assert done_for(elder) == ["登记候补", "报名", "取消报名"]


def test_m29_an_offer_that_is_declined_for_somebody_is_called_so(town: Town) -> None:
    run = town.a_run(capacity=1, seating=Seating(promotion=Promotion.OFFER))
    with transaction() as session:
        elder = a_resident(session, town.wutong, name="孙奶奶", birth_year=1950)
        a_bond(session, town.helper, elder)
    town.resident.tap(run)
    town.helper.tap(run, for_whom=elder)
    town.resident.give_up(run)
    town.helper.give_up(run, for_whom=elder)
    assert done_for(elder) == ["登记候补", "放弃名额"]


def test_m29_an_application_is_no_place_in_a_queue(town: Town) -> None:
    run = town.a_run(seating=Seating(admission=Admission.REVIEW))
    taken_for(run, town.resident, town.clerk)
    taken_for(run, town.resident, town.clerk, wanting=Wanting.TO_GIVE_UP)
    assert done_for(town.resident) == ["提交申请", "取消申请"]


# --- too young to decide (E8) -------------------------------------------------------------------------------------


def teenager(town: Town, birth_year: int) -> Person:
    with transaction() as session:
        return a_resident(session, town.wutong, name="小周", birth_year=birth_year)


def test_e8_below_fourteen_only_the_guardian_registers(town: Town) -> None:
    child = teenager(town, 2012)
    with transaction() as session:
        a_bond(session, town.guardian, child, kind=BondKind.GUARDIAN)
    with pytest.raises(Conflict) as no:
        child.tap(town.a_run())
    assert no.value.code == "guardian_acts"
    assert town.guardian.tap(town.a_run(), for_whom=child).resident_key == child.key


def test_e8_below_eighteen_a_guardian_agrees_first(town: Town) -> None:
    child = teenager(town, 2010)
    with pytest.raises(Conflict) as no:
        child.tap(town.a_run())
    assert no.value.code == "guardian_consent_needed"
    with transaction() as session:
        a_bond(session, town.guardian, child, kind=BondKind.GUARDIAN)
    assert child.tap(town.a_run()).resident_key == child.key


def test_e8_a_guardian_may_sign_at_the_counter(town: Town) -> None:
    child = signs(town, teenager(town, 2010), given_by=ConsentGiver.GUARDIAN)
    assert child.tap(town.a_run()).resident_key == child.key


def test_e8_what_a_guardian_took_back_and_another_helper_are_no_guardians_word(town: Town) -> None:
    child = signs(town, teenager(town, 2010), given_by=ConsentGiver.GUARDIAN)
    with transaction() as session:
        take_consent_back(session, child.resident(session), by=town.clerk.member(session))
        a_bond(session, town.guardian, child, kind=BondKind.GRID_HELPER)
    with pytest.raises(Conflict) as no:
        child.tap(town.a_run())
    assert no.value.code == "guardian_consent_needed"


@pytest.mark.parametrize("birth_year", [2012, 2010])
def test_e8_what_a_child_agreed_to_alone_is_no_agreement_at_the_counter_either(
    town: Town, birth_year: int
) -> None:
    child = teenager(town, birth_year)
    assert refused(town.a_run(), child, town.clerk).code == "guardian_consent_needed"
    signs(town, child, given_by=ConsentGiver.GUARDIAN)
    assert taken_for(town.a_run(), child, town.clerk) is not None


def test_e8_who_is_of_age_this_year_asks_nobody(town: Town) -> None:
    assert teenager(town, 2008).tap(town.a_run()).state is RegistrationState.CONFIRMED


def test_e8_what_a_child_holds_it_may_give_up(town: Town) -> None:
    child, run = teenager(town, 2012), town.a_run()
    with transaction() as session:
        a_bond(session, town.guardian, child, kind=BondKind.GUARDIAN)
    town.guardian.tap(run, for_whom=child)
    child.give_up(run)
    assert town.states(run) == ["cancelled"]


def test_nobody_under_age_costs_the_others_a_statement(town: Town, statements: list[str]) -> None:
    run = town.a_run()
    del statements[:]
    town.resident.tap(run)
    without = len(statements)
    with reading() as session:
        assert session.get_one(Resident, town.resident.resident_id).birth_year == 1990
        assert session.get_one(Account, town.resident.account_id).closed_at is None
    del statements[:]
    town.neighbour.tap(run)
    assert len(statements) == without


# --- seats held for the counter -----------------------------------------------------------------------------------


def holding(run: CourseRun, seats: int, *, until: timedelta | None = timedelta(days=1)) -> None:
    """So many seats of a run are held for the counter."""
    with transaction() as session:
        row = session.get_one(CourseRun, run.id)
        row.seats_held = seats
        row.held_until = None if until is None else town_clock.now() + until


def test_a_held_seat_goes_past_the_queue_as_long_as_it_is_held(town: Town, elder: Person) -> None:
    run = town.a_run(capacity=2)
    holding(run, 1)
    town.resident.tap(run)
    assert town.neighbour.tap(run).state is RegistrationState.WAITLISTED
    standing = taken_for(run, elder, town.clerk)
    assert standing is not None
    assert standing.state is RegistrationState.CONFIRMED
    now = town.now(run)
    assert (now.seats_taken, now.seats_held, now.waiting) == (2, 0, 1)


def test_when_no_seat_is_held_any_more_the_counter_queues(town: Town, elder: Person) -> None:
    run = town.a_run(capacity=2)
    holding(run, 1, until=timedelta(0))
    town.resident.tap(run)
    town.neighbour.tap(run)
    standing = taken_for(run, elder, town.clerk)
    assert standing is not None
    assert standing.state is RegistrationState.WAITLISTED


def test_who_is_of_another_place_gives_no_held_seat(town: Town, elder: Person) -> None:
    run = town.a_run(capacity=1)
    holding(run, 1)
    hat_elsewhere = AtCounter(
        town.clerk.account_id, town.clerk.identity, "小吴", OFFICE, gives_held_seats=False
    )
    with transaction() as session:
        standing = register(session, Tap(run.key, "", for_key=elder.key, at_counter=hat_elsewhere))
    assert standing is not None
    assert standing.state is RegistrationState.WAITLISTED
    assert town.now(run).seats_held == 1
