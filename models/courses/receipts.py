"""Receipts (说明): why somebody got a seat, did not get one, or was refused. Kept for each person and run, and never shown to others.

The same answer given again is the same receipt with the latest time, so that an impatient thumb does not fill the table.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models.base import Base, PlainText, chosen_from
from models.bulk import upsert_rows
from models.courses.runs import CourseRun
from models.residents import Resident

LONGEST_SAYS = 300


class Why(StrEnum):
    """What a receipt explains."""

    REFUSED = "refused"  # 没报上
    PROMOTED = "promoted"  # 候补转正
    OFFERED = "offered"  # 得到递补名额
    EXPIRED = "expired"  # 没有按时确认
    DRAWN = "drawn"  # 抽签结果
    REVIEWED = "reviewed"  # 审核结果


class Receipt(Base):
    """One answer to one person about one run, with what it rested on."""

    __tablename__ = "receipts"
    __table_args__ = (
        UniqueConstraint("run_id", "resident_id", "why", "code"),
        Index("ix_receipts_resident", "resident_id", "id"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id"))
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    at: Mapped[datetime]
    why: Mapped[Why] = mapped_column(chosen_from(Why))
    code: Mapped[str] = mapped_column(PlainText(40))
    says: Mapped[str] = mapped_column(PlainText(LONGEST_SAYS))
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    run: Mapped[CourseRun] = relationship()
    resident: Mapped[Resident] = relationship()


@dataclass(frozen=True, slots=True)
class Reason:
    """What is to be kept of one answer."""

    run_id: int
    resident_id: int
    why: Why
    code: str
    says: str
    facts: Mapping[str, Any] | None = None


def keep_receipts(connection: Connection, reasons: Collection[Reason], now: datetime) -> None:
    """Write these down, all with one statement; of two about the same thing the later stands."""
    latest = {(each.run_id, each.resident_id, each.why, each.code): each for each in reasons}
    if not latest:
        return
    upsert_rows(
        connection,
        Receipt,
        [
            {
                "run_id": each.run_id,
                "resident_id": each.resident_id,
                "at": now,
                "why": each.why,
                "code": each.code,
                "says": _cut(each.says),
                "facts": each.facts,
            }
            for _, each in sorted(latest.items())
        ],
        known_by=("run_id", "resident_id", "why", "code"),
    )


def _cut(says: str) -> str:
    """As much of a sentence as is kept; one that names many courses can be longer."""
    return says if len(says) <= LONGEST_SAYS else f"{says[: LONGEST_SAYS - 1]}…"


def receipts_of(
    session: Session,
    residents: Collection[int],
    *,
    run_key: str | None,
    before_id: int | None,
    most: int | None,
) -> Sequence[Receipt]:
    """The receipts of these people, newest first; of one run when it is named."""
    query = (
        select(Receipt)
        .join(Receipt.run)
        .options(joinedload(Receipt.run).joinedload(CourseRun.course), joinedload(Receipt.resident))
        .where(Receipt.resident_id.in_(residents))
        .order_by(Receipt.id.desc())
        .limit(most)
    )
    if run_key is not None:
        query = query.where(CourseRun.key == run_key)
    if before_id is not None:
        query = query.where(Receipt.id < before_id)
    return session.scalars(query).all()
