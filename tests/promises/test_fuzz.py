"""schemathesis holds the application to its own document: every persona, every phase, every built-in check, both databases.

``SCHEMATHESIS_EXAMPLES`` says how many examples an operation gets in the fuzzing and stateful phases; the default keeps the whole
suite quick, a night may ask for thousands, and then every persona asks the open operations too. ``SCHEMATHESIS_SEED`` repeats a run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from models import clock
from models.base import transaction
from models.content_checks import RESIDENT_NAME, Finding, HeldBecause, Subject, hold_text
from models.courses import CourseRun, RunState, submit
from models.notices import Delivery, Notice
from models.staff import Role, StaffMember, grant, hire
from server.jobs.ladder import send_short_messages
from server.logs import set_up_logs
from tests.people import OPENS_AT, Town, a_bond
from tests.phones import Door
from tests.promises.fuzzing import Fuzzer, Persona, labels, unknown_addresses

DEFAULT = 3
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", DEFAULT))
SEED = int(os.environ.get("SCHEMATHESIS_SEED", "20261120"))


def personas(town: Town) -> list[Persona]:
    """Everybody who has a reason to call; who leaves for good comes last."""
    (leaver,) = town.people(1)
    return [
        Persona("anonymous", None),
        Persona("resident", town.resident),
        Persona("helper", town.helper, (town.elder.key, town.helper.key)),
        Persona("clerk", town.clerk),
        Persona("partner", town.partner_member),
        Persona("leaver", leaver, leaves=True),
    ]


def a_busy_town(
    door: Door, town: Town
) -> tuple[list[CourseRun], list[StaffMember], list[CourseRun], list[CourseRun]]:
    """Runs in every state with people in them, and staff who wait for their invitation."""
    open_runs = [town.a_run(capacity=500, title=f"课{n}") for n in range(3)]
    town.a_run(opens_at=OPENS_AT + timedelta(days=3))
    town.a_run(published=False)
    cancelled = town.a_run()
    with transaction() as session:
        session.get_one(CourseRun, cancelled.id).state = RunState.CANCELLED
    for run in open_runs[:2]:
        for person in (town.resident, town.neighbour, town.helper):
            person.tap(run)
    town.helper.tap(open_runs[0], for_whom=town.elder)
    crowd = town.people(20)
    for person in crowd:
        person.tap(open_runs[2])
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
    spare = [town.a_run(evenings=2, title=f"排课{n}", published=n % 2 == 0) for n in range(30)]
    submitted = [town.a_run(title=f"送审{n}", published=False) for n in range(10)]
    with transaction() as session:
        for run in submitted:
            submit(session, session.get_one(CourseRun, run.id))
    return open_runs, hired, spare, submitted


@pytest.fixture
def without_access_log(door: Door) -> Iterator[None]:
    """Thousands of lines about requests would bury the one finding."""
    set_up_logs("WARNING")
    yield
    set_up_logs("INFO")


@pytest.mark.usefixtures("without_access_log")
def test_the_application_is_what_its_document_says(door: Door, town: Town) -> None:
    document = door.app.test_client().get("/api/openapi.json").get_json()
    unknown = unknown_addresses(document)
    assert not unknown, (
        f"say in TABLES of tests/promises/fuzzing.py whose keys these take, or no longer do: {unknown}"
    )
    fuzzer = Fuzzer(
        door, town, *a_busy_town(door, town), EXAMPLES, SEED, everybody_asks_everything=EXAMPLES > DEFAULT
    )
    faults: list[str] = []
    reached: set[str] = set()
    for persona in personas(town):
        found = fuzzer.run(persona)
        assert found.asked > 100
        reached |= found.reached
        faults += [f"{persona.name}: {what}\n{example}" for what, example in found.faults.items()]
    if faults:
        pytest.fail(f"{len(faults)} findings:\n\n" + "\n\n".join(faults), pytrace=False)
    closed = sorted(set(labels(document)) - reached)
    assert not closed, (
        f"no persona ever got a 2xx of these; a_busy_town may need a row, Fuzzer.fill_body a real value: {closed}"
    )
