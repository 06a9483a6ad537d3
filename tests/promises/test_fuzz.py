"""schemathesis holds the application to its own document: every persona, every phase, every built-in check, both databases.

``SCHEMATHESIS_EXAMPLES`` says how many examples an operation gets in the fuzzing and stateful phases; the default keeps the whole
suite quick, a night may ask for thousands. Then every persona asks everything, over a socket, and whatever is malformed on purpose is
asked on both databases. By default SQLite alone hears what is malformed, for the door refuses it before any database is asked what it means;
who wears a hat another has worn asks for what nobody got through to, and on PostgreSQL so does everybody.
``SCHEMATHESIS_SEED`` repeats a run.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta

import pytest
from schemathesis import GenerationMode
from sqlalchemy import select, update

from models import clock
from models.base import reading, transaction
from models.consents import PRIVACY_POLICY
from models.content_checks import RESIDENT_NAME, Finding, HeldBecause, Subject, hold_text
from models.coordination.feeds import open_feed
from models.coordination.room_feeds import open_venue_feed
from models.courses import (
    Admission,
    Audience,
    CourseRun,
    CourseSession,
    QuestionKind,
    QuestionPlan,
    Seating,
    answer_questions,
    ask_questions,
    complete_run,
    give_feedback,
    questions_of,
    submit,
)
from models.courses.attendance import AttendanceState, Mark, Recorder, appeal, mark_sheet
from models.courses.pauses import Pause
from models.equipment import add_equipment
from models.notices import Delivery, Notice
from models.photos import hang_photo
from models.residents import BondKind, bonds_of
from models.sites import Venue
from models.staff import Role, StaffMember, grant, hire
from server.jobs.ladder import send_short_messages
from server.logs import set_up_logs
from tests.people import OPENS_AT, Person, Town, a_bond, a_person_without_phone
from tests.phones import Door, told
from tests.promises.fuzzed_claims import some_claims
from tests.promises.fuzzed_groups import some_groups
from tests.promises.fuzzed_partners import some_agreements, some_units
from tests.promises.fuzzed_rooms import a_town_without_limits
from tests.promises.fuzzed_streets import a_street
from tests.promises.fuzzed_wishes import some_wishes
from tests.promises.fuzzing import A_PHOTO, Fuzzer, Persona, labels, unknown_addresses

DEFAULT = 3
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", DEFAULT))
SEED = int(os.environ.get("SCHEMATHESIS_SEED", "20261120"))


def personas(town: Town) -> list[Persona]:
    """Everybody who has a reason to call; who leaves for good comes last."""
    (leaver,) = town.people(1)
    return [
        Persona("anonymous", None),
        Persona("resident", town.resident),
        Persona("helper", town.helper, (*wards_of(town.helper), town.helper.key)),
        Persona("clerk", town.clerk),
        Persona("partner", town.partner_member),
        Persona("leaver", leaver, leaves=True),
    ]


def some_answer_what_is_asked(town: Town, runs: list[CourseRun]) -> None:
    """Classes that ask something, and people who answered."""
    with transaction() as session:
        for run in (session.get_one(CourseRun, run.id) for run in runs):
            ask_questions(session, run, [QuestionPlan(QuestionKind.TEXT, "想学什么")])
            (question,) = questions_of(session, run)
            for person in (town.resident, town.helper):
                said = {question.key: "包子"}
                answer_questions(
                    session, run, person.resident(session), said, by_account_id=person.account_id
                )


def some_wait(town: Town) -> None:
    """Classes without a free seat, and people in the queue for one."""
    seated = town.people(2)
    for n in range(5):
        full = town.a_run(capacity=2, title=f"候补的班{n}")
        for person in (*seated, town.resident, town.helper):
            person.tap(full)


def some_apply(town: Town, people: Sequence[Person]) -> None:
    """A class by lot whose draw is due, and one whose applicants staff look at."""
    soon = clock.now() + timedelta(hours=1)
    lots = town.a_run(seating=Seating(admission=Admission.DRAW, draws_at=soon), title="抽签的班")
    reviewed = town.a_run(seating=Seating(admission=Admission.REVIEW), title="审核的班")
    for person in people:
        person.tap(lots)
        person.tap(reviewed)
    with transaction() as session:
        session.get_one(CourseRun, lots.id).draws_at = clock.now()


def a_class_that_is_over(town: Town) -> None:
    """People were in it, and some said how it was."""
    run = town.a_run(title="上完的课")
    for person in (town.resident, town.neighbour, town.helper):
        person.tap(run)
    with transaction() as session:
        mine = session.get_one(CourseRun, run.id)
        mine.starts_at = mine.sessions[0].starts_at = clock.now() - timedelta(days=1, hours=1)
        mine.ends_at = mine.sessions[0].ends_at = clock.now() - timedelta(days=1)
        for person in (town.resident, town.helper):
            give_feedback(session, mine, person.resident(session), stars=5, words="很好", by_account_id=None)
        complete_run(session, mine, by_their_word=True)


def every_room_has_a_calendar() -> None:
    """Some of them are taken back on the way."""
    with transaction() as session:
        for room in session.scalars(select(Venue).order_by(Venue.id)).all():
            open_venue_feed(session, room, by_account_id=None, identity="town")


def a_busy_town(
    door: Door, town: Town
) -> tuple[list[CourseRun], list[StaffMember], list[CourseRun], list[CourseRun]]:
    """Runs in every state with people in them, and staff who wait for their invitation."""
    open_runs = [town.a_run(capacity=500, title=f"课{n}") for n in range(3)]
    a_class_tonight(town)
    a_child_to_fetch(town)
    town.a_run(opens_at=OPENS_AT + timedelta(days=3))
    town.a_run(published=False)
    cancelled = town.a_run()
    town.call_off(cancelled)
    for run in open_runs[:2]:
        for person in (town.resident, town.neighbour, town.helper):
            person.tap(run)
    town.helper.tap(open_runs[0], for_whom=town.elder)
    crowd = town.people(20)
    for person in crowd:
        person.tap(open_runs[2])
    some_groups(town, crowd)
    some_units(town)
    some_agreements(town)
    a_town_without_limits(town)
    some_wishes(door.app, town, A_PHOTO)
    some_claims(town)
    a_street(town)
    some_answer_what_is_asked(town, open_runs)
    some_wait(town)
    a_class_that_is_over(town)
    with transaction() as session:
        open_feed(session, town.neighbour.account(session))
    every_room_has_a_calendar()
    with transaction() as session:  # somebody with a phone of their own, and who may act for them
        a_bond(session, town.neighbour, town.resident)
    with transaction() as session:  # names a clerk has to look at
        for person in crowd:
            subject = Subject(
                field=RESIDENT_NAME,
                key=person.key,
                account_id=person.account_id or 0,
                resident_id=person.resident_id,
            )
            hold_text(session, subject, person.name, Finding(), HeldBecause.AWAY)
    with transaction() as session:  # letters that did not arrive, for staff to send again
        session.execute(
            update(Notice)
            .where(Notice.account_id > town.partner_member.account_id)
            .values(delivery=Delivery.FAILED, settled_at=clock.now())
        )
    for run in open_runs:  # and somebody without a number, for staff to call
        town.helper.tap(run, for_whom=town.elder)
    with door.app.app_context():
        for _ in open_runs:
            send_short_messages(clock.now())
    with transaction() as session:
        hired: list[StaffMember] = []
        for n in range(3):
            member = hire(session, f"待入职{n}")
            grant(session, member, Role.CLERK, town.wutong)
            hired.append(member)
    for run in open_runs:
        door.phone().get(f"/course-runs/{run.key}/code")  # a printed code, so that somebody can scan it
    some_apply(town, crowd)
    things_in_a_house(door, open_runs[0])
    with transaction() as session:  # somebody who may register for nothing new
        session.add(Pause(resident_id=town.neighbour.resident_id, until=clock.now() + timedelta(days=30)))
    spare = [town.a_run(evenings=2, title=f"排课{n}", published=n % 2 == 0) for n in range(30)]
    submitted = [town.a_run(title=f"送审{n}", published=False) for n in range(10)]
    with transaction() as session:
        for run in submitted:
            submit(session, session.get_one(CourseRun, run.id))
    return open_runs, hired, spare, submitted


def things_in_a_house(door: Door, run: CourseRun) -> None:
    """Things and pictures of the house a class is in: enough of them, for some are taken away again and again."""
    names = [door.app.extensions["photo_files"].put(A_PHOTO) for _ in range(2)]
    with transaction() as session:
        room = session.get_one(Venue, run.sessions[0].venue_id)
        for n in range(12):
            add_equipment(session, room.site, name=f"设备{n}", stock=3)
        for venue in room.site.venues[:4]:
            for _ in range(4):
                hang_photo(session, venue, file=names[0], thumbnail=names[1], width=8, height=6)


def wards_of(person: Person) -> list[str]:
    """The keys of everybody this person may act for."""
    with reading() as session:
        return [bond.ward.key for bond in bonds_of(session, person.resident(session))]


def a_child_to_fetch(town: Town) -> None:
    """A class for children tonight, in which the helper has a child of her own."""
    run = town.a_run(starts_at=clock.now() + timedelta(minutes=10), audience=Audience.CHILD, title="四点半")
    with transaction() as session:
        child = a_person_without_phone(session, town.wutong, name="王小宝", birth_year=2017)
        a_bond(session, town.helper, child, kind=BondKind.GUARDIAN)
    town.helper.tap(run, for_whom=child)
    (line,) = town.registrations(run)
    with transaction() as session:
        meeting = session.get_one(CourseSession, run.sessions[0].id)
        here = [Mark(line.key, AttendanceState.PRESENT)]
        mark_sheet(session, meeting, here, may_correct=False, by=Recorder())


def a_class_tonight(town: Town) -> None:
    """An evening that begins in a few minutes, so that somebody can check in."""
    tonight = town.a_run(starts_at=clock.now() + timedelta(minutes=10), title="今晚的课")
    for person in (town.resident, town.neighbour, town.helper):
        person.tap(tonight)
    lines = [Mark(one.key, AttendanceState.ABSENT) for one in town.registrations(tonight)]
    town.helper.tap(tonight, for_whom=town.elder)
    by = Recorder(town.neighbour.account_id, "resident")
    with (
        transaction() as session
    ):  # it began just now: whom somebody wrote down too early, one of whom says so
        meeting = session.get_one(CourseSession, tonight.sessions[0].id)
        meeting.starts_at = meeting.run.starts_at = clock.now()
        mark_sheet(session, meeting, lines, may_correct=False, by=Recorder())
        appeal(session, meeting, town.neighbour.resident(session), "我已经到了", by=by)


def agree_again(door: Door, persona: Persona) -> None:
    """By chance they took their consent back, and nothing more is written about them."""
    if isinstance(persona.who, Person):
        told(door.phone(persona.who).put("/me/consent", json={"version": PRIVACY_POLICY.version}))


def with_what_leads_there(missed: set[str], asked: Collection[str]) -> set[str]:
    """These operations, and whatever else is asked of the same address but to take away what they are about."""
    addresses = {label.partition(" ")[2] for label in missed}
    return missed | {
        label for label in asked if label.partition(" ")[2] in addresses and not label.startswith("DELETE ")
    }


@pytest.fixture
def without_access_log(door: Door) -> Iterator[None]:
    """Thousands of lines about requests would bury the one finding."""
    set_up_logs("WARNING")
    yield
    set_up_logs("INFO")


@pytest.mark.long
@pytest.mark.usefixtures("without_access_log")
def test_the_application_is_what_its_document_says(door: Door, town: Town, engine_name: str) -> None:
    document = door.app.test_client().get("/api/openapi.json").get_json()
    unknown = unknown_addresses(document)
    assert not unknown, (
        f"say in TABLES of tests/promises/fuzzing.py whose keys these take, or no longer do: {unknown}"
    )
    is_night = EXAMPLES > DEFAULT
    fuzzer = Fuzzer(
        door,
        town,
        *a_busy_town(door, town),
        EXAMPLES,
        SEED,
        everybody_asks_everything=is_night,
        over_the_wire=is_night,
        kinds=tuple(GenerationMode) if is_night or engine_name == "sqlite" else (GenerationMode.POSITIVE,),
    )
    faults: list[str] = []
    reached: set[str] = set()
    everybody, everything = personas(town), set(labels(document))
    worn: set[type] = set()
    for n, persona in enumerate([*everybody, *everybody[:-1] * 6]):
        hat, is_first_round = type(persona.who), n < len(everybody)
        asks_all = is_first_round and (is_night or (engine_name == "sqlite" and hat not in worn))
        worn.add(hat)
        missed = everything - reached
        if not asks_all and not missed:
            continue
        if not is_first_round:
            agree_again(door, persona)
        found = fuzzer.run(persona, only=() if asks_all else with_what_leads_there(missed, everything))
        assert found.asked > 100 or not asks_all
        reached |= found.reached
        faults += [f"{persona.name}: {what}\n{example}" for what, example in found.faults.items()]
    if faults:
        pytest.fail(f"{len(faults)} findings:\n\n" + "\n\n".join(faults), pytrace=False)
    closed = sorted(everything - reached)
    assert not closed, (
        f"no persona ever got a 2xx of these; a_busy_town may need a row, Fuzzer.fill_body a real value: {closed}"
    )
