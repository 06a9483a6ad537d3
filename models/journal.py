"""The journal (操作日志): one entry for every change of state, every staff act, and every look at personal data.

Entries are written in the transaction of the deed and never changed; when a person leaves, those about them point at the nameless
resident who stays in their place (``models.departures``). ``by`` is the account that acted (none for the town's own jobs),
``identity`` the hat it wore, ``for_resident`` the person it was done for when that is somebody else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, func, insert, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.base import Base, BigKey, PlainText

_FOR_SOMEBODY = text("for_resident_id IS NOT NULL")


class JournalEntry(Base):
    """Who did what to what, when, in whose name."""

    __tablename__ = "journal_entries"
    __table_args__ = (
        Index("ix_journal_entries_subject", "subject_kind", "subject_id"),
        Index(
            "ix_journal_entries_for_resident",
            "for_resident_id",
            postgresql_where=_FOR_SOMEBODY,
            sqlite_where=_FOR_SOMEBODY,
        ),
    )

    at: Mapped[datetime] = mapped_column(default=clock.now)
    act: Mapped[str] = mapped_column(PlainText(60))
    subject_kind: Mapped[str] = mapped_column(PlainText(40))
    subject_id: Mapped[int] = mapped_column(BigKey)
    by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    identity: Mapped[str] = mapped_column(PlainText(40), default="town")
    for_resident_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"))
    details: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


def enter(
    session: Session,
    act: str,
    subject: Base,
    *,
    by_account_id: int | None = None,
    identity: str = "town",
    for_resident_id: int | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Write one entry about a row that has its id. ``act`` is a past-tense fact such as ``course_run.published``."""
    session.add(
        JournalEntry(
            act=act,
            subject_kind=subject.__tablename__,
            subject_id=subject.id,
            by_account_id=by_account_id,
            identity=identity,
            for_resident_id=for_resident_id,
            details=details,
        )
    )


def enter_each(
    session: Session,
    act: str,
    subjects: Iterable[tuple[Base, int | None]],
    *,
    by_account_id: int | None = None,
    identity: str = "town",
    details: dict[str, Any] | None = None,
) -> None:
    """Write the same entry about many rows, each for the resident beside it if any, with one statement."""
    rows = [
        {
            "act": act,
            "subject_kind": subject.__tablename__,
            "subject_id": subject.id,
            "by_account_id": by_account_id,
            "identity": identity,
            "for_resident_id": for_resident_id,
            "details": details,
        }
        for subject, for_resident_id in subjects
    ]
    if rows:
        session.execute(insert(JournalEntry), rows)


def count_entries(
    session: Session,
    table: type[Base],
    ids: Collection[int],
    *,
    acts: Collection[str] = (),
    but: Collection[str] = (),
) -> dict[int, int]:
    """How many entries there are about each of these rows of a table, by its id: of these acts alone if any are named, or of all but some."""
    query = (
        select(JournalEntry.subject_id, func.count())
        .where(
            JournalEntry.subject_kind == table.__tablename__,
            JournalEntry.subject_id.in_(ids),
            JournalEntry.act.not_in(but),
        )
        .group_by(JournalEntry.subject_id)
    )
    return dict(session.execute(query.where(JournalEntry.act.in_(acts)) if acts else query).all())
