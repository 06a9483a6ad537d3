"""Exactness (分毫不差): every answer that was told compared with the rows, and every invariant of a run after a storm."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, func, select

from models.courses import LIVE, CourseRun, Receipt, Registration, RegistrationState
from models.journal import JournalEntry
from models.notices import Notice, NoticeKind
from models.residents import Resident
from tests.bench.phones import Outcome

MOST_TOLD = 8


def faults_after(
    engine: Engine, run_key: str, order: Sequence[int], resident_keys: Sequence[str], outcome: Outcome
) -> list[str]:
    """What is not as it must be: ``order[i]`` is the resident whose tap got ``outcome.answers[i]``. Empty when all is well.

    For a run without a waiting limit on which nobody gave up.
    """
    faults: list[str] = []
    told: dict[str, bytes] = {}
    for who, answer in zip(order, outcome.answers, strict=True):
        key = resident_keys[who]
        if answer.status != 200:
            faults.append(f"resident {who} got {answer.status or 'no answer'}: {answer.body[:200]!r}")
        elif told.setdefault(key, answer.body) != answer.body:
            faults.append(f"resident {who} was told two things: {told[key]!r} and {answer.body!r}")
    rows = _rows_of(engine, run_key)
    faults += _broken_invariants(engine, run_key, rows)
    faults += _untrue(told, rows)
    if len(rows) != len(set(order)):
        faults.append(f"{len(set(order))} residents tapped, {len(rows)} rows")
    return faults[:MOST_TOLD] + ([f"… {len(faults)} faults in all"] if len(faults) > MOST_TOLD else [])


def faults_of_refusals(
    engine: Engine, run_key: str, order: Sequence[int], resident_keys: Sequence[str], outcome: Outcome
) -> list[str]:
    """The same for a run without a queue: as many seats as there are, ``waitlist_full`` for everybody else, and a receipt for each."""
    told = {resident_keys[who]: answer.status for who, answer in zip(order, outcome.answers, strict=True)}
    strange = [answer for answer in outcome.answers if answer.status not in (200, 409)]
    faults = [f"{len(strange)} answers of another kind: {strange[0].body[:200]!r}"] if strange else []
    with engine.connect() as connection:
        seated = set(
            connection.scalars(
                select(Resident.key)
                .join(Registration, Registration.resident_id == Resident.id)
                .join(CourseRun, CourseRun.id == Registration.run_id)
                .where(CourseRun.key == run_key)
            )
        )
        explained = list(
            connection.scalars(
                select(Resident.key)
                .join(Receipt, Receipt.resident_id == Resident.id)
                .join(CourseRun, CourseRun.id == Receipt.run_id)
                .where(CourseRun.key == run_key, Receipt.code == "waitlist_full")
            )
        )
    if seated != {key for key, status in told.items() if status == 200}:
        faults.append(f"{len(seated)} rows, {list(told.values()).count(200)} were told they have one")
    if sorted(explained) != sorted(key for key, status in told.items() if status == 409):
        faults.append(f"{len(explained)} receipts, {list(told.values()).count(409)} refused")
    return faults


def _rows_of(engine: Engine, run_key: str) -> list[Any]:
    with engine.connect() as connection:
        return list(
            connection.execute(
                select(
                    Registration.id,
                    Registration.key,
                    Registration.state,
                    Registration.number,
                    Registration.by_account_id,
                    Resident.key.label("resident_key"),
                )
                .join(Resident, Resident.id == Registration.resident_id)
                .join(CourseRun, CourseRun.id == Registration.run_id)
                .where(CourseRun.key == run_key)
                .order_by(Registration.number)
            )
        )


def _broken_invariants(engine: Engine, run_key: str, rows: Sequence[Any]) -> list[str]:
    with engine.connect() as connection:
        run = connection.execute(
            select(CourseRun.capacity, CourseRun.seats_taken, CourseRun.waiting, CourseRun.last_number).where(
                CourseRun.key == run_key
            )
        ).one()
        entries = connection.execute(
            select(JournalEntry.act, func.count().label("many"))
            .where(
                JournalEntry.subject_kind == Registration.__tablename__,
                JournalEntry.subject_id.in_([row.id for row in rows]),
            )
            .group_by(JournalEntry.act)
        ).all()
        journalled = connection.scalar(
            select(func.count(JournalEntry.subject_id.distinct())).where(
                JournalEntry.subject_kind == Registration.__tablename__,
                JournalEntry.subject_id.in_([row.id for row in rows]),
            )
        )
        notices = connection.execute(
            select(Notice.subject_key, Notice.kind, Notice.account_id).where(
                Notice.facts["page_subject"].as_string() == run_key
            )
        ).all()
    confirmed = [row for row in rows if row.state is RegistrationState.CONFIRMED]
    waiting = [row for row in rows if row.state is RegistrationState.WAITLISTED]
    seats = min(run.capacity, len(rows))
    live = [row.resident_key for row in rows if row.state in LIVE]
    checks = {
        f"{len(confirmed)} seats given, {seats} expected": len(confirmed) == seats,
        f"seats_taken {run.seats_taken}, {len(confirmed)} rows": run.seats_taken == len(confirmed),
        f"waiting {run.waiting}, {len(waiting)} rows": run.waiting == len(waiting),
        "numbers have gaps": [row.number for row in rows] == list(range(1, len(rows) + 1)),
        f"last_number {run.last_number}, {len(rows)} rows": run.last_number == len(rows),
        "somebody has two live rows": len(live) == len(set(live)),
        "seats did not go to the first": confirmed == list(rows[:seats]),
        f"journal {entries}": {entry.act: entry.many for entry in entries}
        == {
            act: n
            for act, n in (
                ("registration.confirmed", len(confirmed)),
                ("registration.waitlisted", len(waiting)),
            )
            if n
        }
        and journalled == len(rows),
        "notices are not exactly those of the confirmed": sorted(notices)
        == sorted((row.key, NoticeKind.REGISTRATION_CONFIRMED, row.by_account_id) for row in confirmed),
    }
    return [fault for fault, holds in checks.items() if not holds]


def _untrue(told: dict[str, bytes], rows: Sequence[Any]) -> list[str]:
    """Answers that say what is not stored."""
    stored: dict[str, dict[str, Any]] = {}
    place = 0
    for row in rows:
        waits = row.state is RegistrationState.WAITLISTED
        place += waits
        stored[row.resident_key] = {
            "key": row.key,
            "state": row.state.value,
            "position": place if waits else None,
        }
    faults = []
    for resident_key, body in told.items():
        answer = json.loads(body)
        said = {field: answer.get(field) for field in ("key", "state", "position")}
        if said != stored.get(resident_key):
            faults.append(f"told {said}, stored {stored.get(resident_key)}")
    return faults
