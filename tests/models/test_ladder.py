"""Who is told when somebody acts for them, who can be reached, who may call, and what stays of it when a person leaves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select

from miniprogram_api.sms import SMS_TEMPLATES
from miniprogram_api.sms.templates import LINK
from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import CourseRun, people_to_tell
from models.departures import close_account, see_off, what_closing_means
from models.errors import Conflict, NotFound
from models.journal import JournalEntry
from models.ladder import (
    Call,
    CallOutcome,
    CallScope,
    CallState,
    Rung,
    ShortMessage,
    ShortMessageState,
    call_within,
    calls_within,
    reach_of,
    write_outcome,
)
from models.ladder.calls import TO_DO
from models.ladder.sending import claim_due, settle
from models.notices import MOMENTS, Moment, Notice, NoticeKind, TemplateName
from models.residents import BondKind
from models.staff import OFFICE, Role, places_of
from models.truth import still_true
from tests.people import Person, Town, Worker, a_bond, a_person_without_phone, a_resident

# --- the catalogue ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=lambda moment: moment.kind)
def test_a_moment_that_must_arrive_fills_its_short_message(moment: Moment) -> None:
    if moment.short_message is None:
        assert not moment.slots
        assert not moment.must_arrive
        return
    # the link is WeChat's, made when it is sent
    assert set(moment.slots) == set(SMS_TEMPLATES[moment.short_message].slots) - {LINK}


# --- acted for you ------------------------------------------------------------------------------------------------


def about_deeds(person: Person) -> list[Notice]:
    """What this person's inbox says others did for them."""
    with reading() as session:
        return list(
            session.scalars(
                select(Notice)
                .where(Notice.account_id == person.account_id, Notice.kind == NoticeKind.ACTED_FOR_YOU)
                .order_by(Notice.id)
            )
        )


def rungs() -> list[ShortMessage]:
    with reading() as session:
        return list(session.scalars(select(ShortMessage).order_by(ShortMessage.id)))


def calls() -> list[Call]:
    with reading() as session:
        return list(session.scalars(select(Call).order_by(Call.id)))


def a_ward(
    town: Town,
    *,
    birth_year: int | None = 1950,
    kind: BondKind = BondKind.FAMILY_HELPER,
    account: bool = True,
) -> Person:
    """Somebody for whom the helper of the town may act."""
    with transaction() as session:
        make = a_resident if account else a_person_without_phone
        ward = make(session, town.wutong, name="老陈", birth_year=birth_year)
        a_bond(session, town.helper, ward, kind=kind)
    return ward


@pytest.mark.parametrize(
    ("full", "gives_up", "says"),
    [
        (False, False, "王（家人代办）已替您报名：太极，"),
        (False, True, "王（家人代办）已替您取消报名：太极，"),
        (True, False, "王（家人代办）已替您登记候补：太极，"),
        (True, True, "王（家人代办）已替您取消候补：太极，"),
    ],
)
def test_an_adult_hears_who_did_what_for_them(town: Town, full: bool, gives_up: bool, says: str) -> None:
    ward = a_ward(town)
    run = town.a_run(title="太极", capacity=1)
    if full:
        town.resident.tap(run)
    town.helper.tap(run, for_whom=ward)
    if gives_up:
        town.helper.give_up(run, for_whom=ward)
    assert about_deeds(ward)[-1].body.startswith(says)
    assert len(about_deeds(ward)) == 1 + gives_up
    assert rungs() == []


def test_one_deed_is_told_to_one_person_once(town: Town) -> None:
    ward = a_ward(town)
    town.helper.tap(town.a_run(), for_whom=ward)
    with reading() as session:
        told = [(notice.account_id, notice.kind) for notice in session.scalars(select(Notice))]
    assert sorted(told) == sorted(
        [
            (town.helper.account_id, NoticeKind.REGISTRATION_CONFIRMED),
            (ward.account_id, NoticeKind.ACTED_FOR_YOU),
        ]
    )


@pytest.mark.parametrize(
    ("birth_year", "kind", "hears"),
    [
        (2016, BondKind.GUARDIAN, False),
        (2009, BondKind.GUARDIAN, False),
        (2008, BondKind.GUARDIAN, True),  # of age: theirs to know, whoever guards them
        (1950, BondKind.GRID_HELPER, True),
        (None, BondKind.GUARDIAN, False),
        (None, BondKind.FAMILY_HELPER, True),
    ],
)
def test_a_child_hears_what_its_guardian_hears(
    town: Town, birth_year: int | None, kind: BondKind, hears: bool
) -> None:
    ward = a_ward(town, birth_year=birth_year, kind=kind)
    town.helper.tap(town.a_run(), for_whom=ward)
    with reading() as session:
        kinds = session.scalars(select(Notice.kind).where(Notice.account_id == ward.account_id)).all()
    assert kinds == [NoticeKind.ACTED_FOR_YOU if hears else NoticeKind.REGISTRATION_CONFIRMED]


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("王芳", BondKind.FAMILY_HELPER, "王（家人代办）"),
        ("欧阳娜娜", BondKind.GRID_HELPER, "欧阳（网格代办）"),
        ("欧阳", BondKind.GUARDIAN, "欧（监护人）"),
    ],
)
def test_of_who_acted_the_surname_and_the_right_are_said(
    town: Town, name: str, kind: BondKind, said: str
) -> None:
    ward = a_ward(town, kind=kind)
    with transaction() as session:
        town.helper.resident(session).name = name
    town.helper.tap(town.a_run(), for_whom=ward)
    assert about_deeds(ward)[0].facts["helper"] == said
    assert len(said) <= SMS_TEMPLATES[MOMENTS[NoticeKind.ACTED_FOR_YOU].short_message or ""].slots["helper"]  # type: ignore[index]


def test_who_has_no_wechat_is_told_by_the_next_rung(town: Town) -> None:
    town.helper.tap(town.a_run(title="太极"), for_whom=town.elder)
    (message,) = rungs()
    assert (message.kind, message.state) == (NoticeKind.ACTED_FOR_YOU, ShortMessageState.OWED)
    assert message.resident_id == town.elder.resident_id
    assert message.region_id == town.wutong.id
    assert message.body.startswith("王（家人代办）已替您报名：太极，2026年12月3日 18:00，")


def test_a_childs_guardian_is_told_and_no_rung_is_owed(town: Town) -> None:
    town.guardian.tap(town.a_run(), for_whom=town.child)
    assert rungs() == []


def test_a_tap_nobody_makes_for_another_costs_not_one_statement_more(
    town: Town, statements: list[str]
) -> None:
    run = town.a_run(capacity=1)
    statements.clear()
    town.resident.tap(run)
    assert [one for one in statements if re.search("short_messages|policies|bonds", one)] == []
    for_oneself = len(statements)
    ward = a_ward(town)
    other = town.a_run()
    statements.clear()
    town.helper.tap(other, for_whom=ward)
    assert len(statements) == for_oneself + 3, "the bond, what they agreed to, and how late it is there"


def test_somebody_whose_helper_left_hears_of_moving_up_from_the_community(town: Town) -> None:
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    town.helper.tap(run, for_whom=town.elder)
    with transaction() as session:
        account = town.helper.account(session)
        close_account(session, account, seen=what_closing_means(session, account).fingerprint)
    town.resident.give_up(run)
    message = rungs()[-1]
    assert (message.kind, message.resident_id) == (NoticeKind.REGISTRATION_PROMOTED, town.elder.resident_id)


# --- whether it is still so ---------------------------------------------------------------------------------------


def true_now(news: Sequence[ShortMessage]) -> list[bool]:
    with reading() as session:
        true = still_true(session, news)
    return [each.id in true for each in news]


def test_that_somebody_acted_is_news_as_long_as_it_stands(town: Town, clock: StoppedClock) -> None:
    run = town.a_run()
    town.helper.tap(run, for_whom=town.elder)
    assert true_now(rungs()) == [True]
    town.helper.give_up(run, for_whom=town.elder)
    assert true_now(rungs()) == [False, True]
    town.helper.tap(run, for_whom=town.elder)
    assert true_now(rungs()) == [False, False, True]
    clock.move_to(run.ends_at)
    assert true_now(rungs()) == [False, False, False]


# --- whom nothing can tell ----------------------------------------------------------------------------------------


def reach(run: CourseRun, *, carried: bool = True) -> dict[int, Rung]:
    with reading() as session:
        found = reach_of(
            session, people_to_tell(session, run), TemplateName.CLASS_CHANGE, sends_short_messages=carried
        )
        return {each.resident.id: each.rung for each in found.people}


def test_before_a_change_it_is_said_who_can_be_told_and_how(town: Town) -> None:
    run = town.a_run(capacity=4)
    with transaction() as session:
        town.neighbour.resident(session).take_phone("057188888888", verified=False)
        lonely = a_person_without_phone(session, town.wutong, name="老周")
        a_bond(session, town.guardian, lonely)
        silent = a_resident(session, town.wutong, name="老吴", phone="13812345678")
        a_bond(session, town.guardian, silent)
        town.guardian.resident(session).take_phone("057188888889", verified=False)
    for person in (town.resident, town.neighbour, town.outsider):
        person.tap(run)
    town.helper.tap(run, for_whom=town.elder)
    town.guardian.tap(run, for_whom=lonely)
    town.guardian.tap(run, for_whom=town.child)
    town.guardian.tap(run, for_whom=silent)
    town.resident.allows(TemplateName.CLASS_CHANGE)
    town.outsider.allows(TemplateName.CLASS_REMINDER)  # another message is another matter
    with transaction() as session:
        town.guardian.resident(session).forget_phone()
    assert reach(run) == {
        town.resident.resident_id: Rung.WECHAT,
        town.neighbour.resident_id: Rung.CALL,
        town.outsider.resident_id: Rung.SHORT_MESSAGE,
        town.elder.resident_id: Rung.SHORT_MESSAGE,  # through her helper
        lonely.resident_id: Rung.NONE,
        town.child.resident_id: Rung.NONE,
        silent.resident_id: Rung.SHORT_MESSAGE,  # has WeChat and allows nothing
    }
    town.guardian.allows(TemplateName.CLASS_CHANGE)
    for ward in (town.child, lonely, silent):
        assert reach(run)[ward.resident_id] is Rung.WECHAT, "through who registered them"
    assert reach(run, carried=False)[town.outsider.resident_id] is Rung.CALL


def test_who_gave_up_is_not_asked_about(town: Town) -> None:
    run = town.a_run()
    town.resident.tap(run)
    town.resident.give_up(run)
    assert reach(run) == {}


def test_a_number_found_to_be_somebody_elses_reaches_nobody(town: Town) -> None:
    run = town.a_run()
    town.resident.tap(run)
    a_call(town, town.resident)
    outcome(town, calls()[0], CallOutcome.WRONG_NUMBER)
    assert reach(run)[town.resident.resident_id] is Rung.NONE
    town.neighbour.tap(run)
    with transaction() as session:  # the number's true owner is still reached by it
        town.neighbour.resident(session).take_phone("13900000001", verified=True)
    assert reach(run)[town.neighbour.resident_id] is Rung.SHORT_MESSAGE


def test_the_honest_list_costs_the_same_for_one_and_for_fifty(town: Town, statements: list[str]) -> None:
    run = town.a_run(capacity=60)
    town.resident.tap(run)
    statements.clear()
    reach(run)
    for_one = len(statements)
    for person in town.people(49):
        person.tap(run)
    statements.clear()
    assert len(reach(run)) == 50
    assert len(statements) == for_one


# --- calls --------------------------------------------------------------------------------------------------------


def a_call(town: Town, person: Person) -> None:
    """A call to this person: they moved up, and the short message was refused."""
    run = town.a_run(capacity=1)
    (before,) = town.people(1)
    before.tap(run)
    with transaction() as session:
        ward = person.resident(session)
        message = ShortMessage(
            kind=NoticeKind.REGISTRATION_PROMOTED,
            subject_key=run.key,
            dedupe_key=f"promoted:{run.key}",
            facts={
                "course": "太极",
                "starts_at": run.starts_at.isoformat(),
                "place": "教室",
                "learner": "",
                "page_subject": run.key,
            },
            resident_id=ward.id,
            region_id=ward.home_region_id or 0,
        )
        session.add(message)
        session.flush()
        claim_due(session, worker="w", most=9, still_true=lambda _, news: {each.id for each in news})
        settle(session, message.id, ShortMessageState.REFUSED)


def outcome(town: Town, call: Call, what: CallOutcome, *, attempt: int = 1, by: Worker | None = None) -> Call:
    worker = by or town.clerk
    with transaction() as session:
        return write_outcome(
            session,
            session.get_one(Call, call.id),
            what,
            attempt=attempt,
            by=worker.member(session),
            by_account_id=worker.account_id,
            note="试过了",
        )


def seen_by(worker: Worker) -> list[int]:
    with reading() as session:
        member = worker.member(session)
        scope = CallScope(places_of(session, member, *OFFICE), places_of(session, member, Role.GRID_WORKER))
        found = calls_within(session, scope, states=TO_DO, after=None, most=50)
        for call in found:
            assert call_within(session, scope, call.key) is call
        return [call.resident_id for call in found]


def test_a_call_is_seen_by_those_who_work_in_the_persons_community(town: Town) -> None:
    a_call(town, town.resident)
    a_call(town, town.outsider)
    for worker in (town.admin, town.clerk, town.grid_worker):
        assert seen_by(worker) == [town.resident.resident_id]
    assert seen_by(town.street_officer) == []


def test_a_call_elsewhere_cannot_be_told_from_none(town: Town) -> None:
    a_call(town, town.outsider)
    (call,) = calls()
    with reading() as session, pytest.raises(NotFound):
        call_within(session, CallScope([town.wutong]), call.key)


def test_a_call_nobody_answered_comes_back_later_and_is_counted(town: Town, clock: StoppedClock) -> None:
    a_call(town, town.resident)
    (call,) = calls()
    again = outcome(town, call, CallOutcome.NOT_REACHED)
    assert (again.state, again.tries, again.settled_at) == (CallState.NOT_REACHED, 1, None)
    assert again.due_at == town_clock.now() + timedelta(hours=2)
    clock.advance(hours=3)
    done = outcome(town, call, CallOutcome.REACHED, attempt=2, by=town.grid_worker)
    assert (done.state, done.tries, done.by_staff_id) == (CallState.REACHED, 2, town.grid_worker.staff_id)
    with reading() as session:
        acts = session.scalars(
            select(JournalEntry.act).where(JournalEntry.subject_kind == "calls").order_by(JournalEntry.id)
        ).all()
    assert acts == ["call.not_reached", "call.reached"]


def test_a_try_told_twice_counts_once(town: Town) -> None:
    a_call(town, town.resident)
    (call,) = calls()
    for _ in range(2):
        assert outcome(town, call, CallOutcome.NOT_REACHED).tries == 1
    for _ in range(2):
        assert outcome(town, call, CallOutcome.REACHED, attempt=2).tries == 2


def test_two_who_call_one_person_hear_of_each_other(town: Town) -> None:
    a_call(town, town.resident)
    (call,) = calls()
    outcome(town, call, CallOutcome.NOT_REACHED)
    with pytest.raises(Conflict) as refusal:
        outcome(town, call, CallOutcome.REACHED, by=town.grid_worker)
    assert refusal.value.code == "call_moved_on"
    outcome(town, call, CallOutcome.REACHED, attempt=2, by=town.grid_worker)
    with pytest.raises(Conflict) as refusal:
        outcome(town, call, CallOutcome.NOT_REACHED, attempt=3)
    assert refusal.value.code == "call_settled"


# --- leaving ------------------------------------------------------------------------------------------------------


def close(person: Person) -> None:
    with transaction() as session:
        account = person.account(session)
        close_account(session, account, seen=what_closing_means(session, account).fingerprint)


def test_who_leaves_is_told_nothing_more_and_nothing_names_them(town: Town) -> None:
    a_call(town, town.resident)
    outcome(town, calls()[0], CallOutcome.NOT_REACHED)
    close(town.resident)
    (call,) = calls()
    assert (call.state, call.note) == (CallState.CANCELLED, None)
    assert call.resident_id != town.resident.resident_id
    assert seen_by(town.clerk) == []


def test_an_elder_who_is_seen_off_is_told_nothing_more(town: Town) -> None:
    town.helper.tap(town.a_run(), for_whom=town.elder)
    with transaction() as session:
        see_off(
            session,
            town.elder.resident(session),
            by_account_id=town.clerk.account_id,
            identity=town.clerk.identity,
        )
    assert {message.state for message in rungs()} == {ShortMessageState.STALE}


def test_what_was_being_sent_when_a_person_left_becomes_no_call(town: Town) -> None:
    with transaction() as session:
        town.elder.resident(session).take_phone("13612345678", verified=False)
    town.helper.tap(town.a_run(), for_whom=town.elder)
    with transaction() as session:
        (claimed,) = claim_due(session, worker="w", most=9, still_true=still_true)
    with transaction() as session:
        see_off(
            session,
            town.elder.resident(session),
            by_account_id=town.clerk.account_id,
            identity=town.clerk.identity,
        )
    with transaction() as session:
        settle(session, claimed.id, ShortMessageState.REFUSED)
    assert calls() == []


def test_a_helper_who_leaves_leaves_no_surname_behind(town: Town) -> None:
    ward = a_ward(town)
    run = town.a_run()
    town.helper.tap(run, for_whom=ward)
    town.helper.tap(run, for_whom=town.elder)
    close(town.helper)
    assert about_deeds(ward)[0].facts["helper"] == "家人代办"
    assert [message.facts["helper"] for message in rungs()][:1] == ["家人代办"]


def test_a_ward_who_leaves_is_not_named_to_the_helper(town: Town) -> None:
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    town.helper.tap(run, for_whom=town.elder)
    town.resident.give_up(run)
    with transaction() as session:
        for notice in session.scalars(select(Notice).where(Notice.account_id == town.helper.account_id)):
            session.add(
                ShortMessage(
                    kind=notice.kind,
                    subject_key=notice.subject_key,
                    dedupe_key=notice.dedupe_key,
                    facts=notice.facts,
                    resident_id=town.helper.resident_id,
                    region_id=town.wutong.id,
                    notice_id=notice.id,
                )
            )
    with transaction() as session:
        see_off(
            session,
            town.elder.resident(session),
            by_account_id=town.clerk.account_id,
            identity=town.clerk.identity,
        )
    named = [
        message.facts.get("learner") for message in rungs() if message.resident_id == town.helper.resident_id
    ]
    assert set(named) == {"居民"}
