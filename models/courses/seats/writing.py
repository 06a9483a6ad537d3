"""What is written beside a registration: the run's counters, the journal, the notice that is owed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, literal_column, select, update
from sqlalchemy.engine import Connection

from models.courses.registrations import Registration, Standing
from models.courses.runs import Course, CourseRun, CourseSession
from models.courses.seats.asking import Asker, LockedRun, Person
from models.courses.seats.bulk import insert_rows
from models.journal import JournalEntry
from models.notices import NoticeKind
from models.notices.outbox import Debt
from models.sites import Site, Venue

# literals, not parameters: only so can PostgreSQL see that a partial index fits
WAITING: ColumnElement[Any] = literal_column("'waitlisted'")
LIVE_STATES: tuple[ColumnElement[Any], ...] = (literal_column("'confirmed'"), WAITING)


@dataclass(slots=True)
class Held:
    """A live registration, stored or about to be."""

    id: int | None
    standing: Standing
    learner: Person
    by_account_id: int | None
    number: int


def write_counters(connection: Connection, runs: Iterable[LockedRun]) -> None:
    touched = [
        {"run_id": run.id, "taken": run.seats_taken, "queue": run.waiting, "number": run.last_number}
        for run in runs
        if run.touched
    ]
    if touched:
        connection.execute(
            update(CourseRun.__table__)  # type: ignore[arg-type]  # a mapped class's __table__ is always a Table
            .where(CourseRun.__table__.c.id == bindparam("run_id"))
            .values(
                seats_taken=bindparam("taken"), waiting=bindparam("queue"), last_number=bindparam("number")
            ),
            touched,
        )


def journal(
    connection: Connection, entries: Sequence[tuple[str, int | None, Asker | None, Person]], now: datetime
) -> None:
    insert_rows(
        connection,
        JournalEntry,
        [
            {
                "at": now,
                "act": act,
                "subject_kind": Registration.__tablename__,
                "subject_id": registration_id,
                "by_account_id": asker.account_id if asker else None,
                "identity": asker.identity if asker else "town",
                "for_resident_id": learner.id if asker is None or learner is not asker.oneself else None,
                "details": None,
            }
            for act, registration_id, asker, learner in entries
        ],
        "id",
    )


def facts_of(connection: Connection, run_ids: set[int]) -> dict[int, dict[str, str]]:
    """What a notice says of a run: the course, its first evening, and where."""
    if not run_ids:
        return {}
    rows = connection.execute(
        select(
            CourseRun.id,
            Course.title,
            CourseRun.starts_at,
            Site.name.label("site"),
            Venue.name.label("venue"),
        )
        .join(Course, Course.id == CourseRun.course_id)
        .outerjoin(
            CourseSession,
            and_(CourseSession.run_id == CourseRun.id, CourseSession.starts_at == CourseRun.starts_at),
        )
        .outerjoin(Venue, Venue.id == CourseSession.venue_id)
        .outerjoin(Site, Site.id == Venue.site_id)
        .where(CourseRun.id.in_(run_ids))
    )
    return {
        row.id: {
            "course": row.title,
            "starts_at": row.starts_at.isoformat(),
            "place": f"{row.venue}（{row.site}）" if row.venue else "地点待定",
        }
        for row in rows
    }


def debt_of(
    kind: NoticeKind, run: LockedRun, mine: Held, facts: dict[int, dict[str, str]], *, due_at: datetime
) -> Debt:
    """Tell who tapped, and the learner themselves when that is another account."""
    accounts = {account for account in (mine.by_account_id, mine.learner.account_id) if account is not None}
    is_for_another = mine.learner.account_id is None or len(accounts) > 1
    return Debt(
        kind,
        subject_key=mine.standing.key,
        page_subject=run.key,
        account_ids=sorted(accounts),
        facts={**facts[run.id], "learner": mine.learner.name if is_for_another else ""},
        due_at=due_at,
    )
