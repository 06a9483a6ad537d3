"""What is written beside a registration: the run's counters and the journal. ``telling`` has what is owed to people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, literal_column, update
from sqlalchemy.engine import Connection

from models.bulk import insert_rows
from models.courses.registrations import Registration, Standing
from models.courses.runs import CourseRun
from models.courses.seats.asking import Asker, LockedRun, Person
from models.journal import JournalEntry

# literals, not parameters: only so can PostgreSQL see that a partial index fits
WAITING: ColumnElement[Any] = literal_column("'waitlisted'")
CONFIRMED: ColumnElement[Any] = literal_column("'confirmed'")
OFFERED: ColumnElement[Any] = literal_column("'offered'")
APPLIED: ColumnElement[Any] = literal_column("'applied'")
LIVE_STATES: tuple[ColumnElement[Any], ...] = (
    APPLIED,
    CONFIRMED,
    WAITING,
    OFFERED,
)


@dataclass(slots=True)
class Held:
    """A live registration, stored or about to be."""

    id: int | None
    standing: Standing
    learner: Person
    by_account_id: int | None
    number: int


_COUNTERS = (
    update(CourseRun.__table__)  # type: ignore[arg-type]  # a mapped class's __table__ is always a Table
    .where(CourseRun.__table__.c.id == bindparam("run_id"))
    .values(
        seats_taken=bindparam("taken"),
        waiting=bindparam("queue"),
        last_number=bindparam("number"),
        seats_held=bindparam("held"),
        drawn_at=bindparam("drawn"),
    )
)


def write_counters(connection: Connection, runs: Iterable[LockedRun]) -> None:
    touched = [
        {
            "run_id": run.id,
            "taken": run.seats_taken,
            "queue": run.waiting,
            "number": run.last_number,
            "held": run.seats_held,
            "drawn": run.drawn_at,
        }
        for run in runs
        if run.touched
    ]
    if touched:
        connection.execute(_COUNTERS, touched)


def journal(
    connection: Connection, entries: Sequence[tuple[str, int | None, Asker | None, Person]], now: datetime
) -> None:
    """One entry a deed somebody asked for, or nobody did: the act, the registration, who asked, and for whom."""
    _enter(
        connection,
        [
            {
                "act": act,
                "subject_id": registration_id,
                "by_account_id": asker.account_id if asker else None,
                "identity": asker.identity if asker else "town",
                "for_resident_id": learner.id if asker is None or learner is not asker.oneself else None,
            }
            for act, registration_id, asker, learner in entries
        ],
        now,
    )


def journal_each(
    connection: Connection,
    act: str,
    places: Iterable[tuple[int, int]],
    now: datetime,
    *,
    by_account_id: int | None = None,
    identity: str = "town",
) -> None:
    """The same entry about many places, each by the ids of its registration and of whose it is."""
    _enter(
        connection,
        [
            {
                "act": act,
                "subject_id": registration_id,
                "by_account_id": by_account_id,
                "identity": identity,
                "for_resident_id": resident_id,
            }
            for registration_id, resident_id in places
        ],
        now,
    )


def _enter(connection: Connection, entries: Sequence[dict[str, Any]], now: datetime) -> None:
    about = {"at": now, "subject_kind": Registration.__tablename__, "details": None}
    if entries:
        insert_rows(connection, JournalEntry, [about | entry for entry in entries], "id")
