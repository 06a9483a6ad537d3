"""Occupancy (占用): every use of a space, whoever holds it. One calendar for every room.

Course sessions, reservations, closures and blocks all stand in this one table, and no two rows of a space may overlap: by the
verb ``occupy``, and by the database itself, which refuses the path that forgot the verb: an exclusion constraint on PostgreSQL,
triggers on SQLite (both written in the migrations; a promise test tries them).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models.base import Base, PlainText, chosen_from
from models.errors import Conflict
from models.sites import Space, Venue, venue_spaces


class Purpose(StrEnum):
    """What a space is held for."""

    COURSE_SESSION = "course_session"  # 上课


class Occupancy(Base):
    """One space held from one moment to another (the end not included) by the thing with ``holder_key``."""

    __tablename__ = "occupancies"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        Index("ix_occupancies_space_starts", "space_id", "starts_at"),
    )

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    purpose: Mapped[Purpose] = mapped_column(chosen_from(Purpose))
    holder_key: Mapped[str] = mapped_column(PlainText(16), index=True)

    space: Mapped[Space] = relationship()


def occupy(
    session: Session,
    venue: Venue,
    *,
    starts_at: datetime,
    ends_at: datetime,
    purpose: Purpose,
    holder_key: str,
) -> None:
    """Hold every space of a venue for a stretch of time.

    Locks the spaces first, in id order, so that two who want overlapping halls wait for each other instead of both winning.
    Raises Conflict ``room_taken`` naming the room, or ``room_without_space`` for one that nothing could protect; nothing is
    held then.
    """
    if not venue.spaces:
        raise Conflict("room_without_space", f"“{venue.name}”还没有登记空间，不能使用，请先补充场地资料")
    lock_spaces([venue])
    taken = holders_between(session, venue, starts_at=starts_at, ends_at=ends_at)
    if taken - {holder_key}:
        raise Conflict(
            "room_taken",
            f"“{venue.name}”这个时间已被占用，请换一个时间或场地",
            details={"venue": venue.key, "holders": sorted(taken - {holder_key})},
        )
    session.add_all(
        Occupancy(
            space_id=space.id, starts_at=starts_at, ends_at=ends_at, purpose=purpose, holder_key=holder_key
        )
        for space in venue.spaces
    )
    session.flush()


def lock_spaces(venues: Iterable[Venue]) -> None:
    """Hold every space of these venues until the transaction ends, in id order. Whoever uses several asks for all at once."""
    spaces = {space.id: space for venue in venues for space in venue.spaces}
    for space_id in sorted(spaces):
        spaces[space_id].lock()


def vacate(session: Session, holder_keys: Iterable[str]) -> None:
    """Let go of everything these hold."""
    session.execute(delete(Occupancy).where(Occupancy.holder_key.in_(list(holder_keys))))


def holders_between(session: Session, venue: Venue, *, starts_at: datetime, ends_at: datetime) -> set[str]:
    """The keys of whatever holds any space of a venue in a stretch of time."""
    return set(
        session.scalars(
            select(Occupancy.holder_key)
            .join(venue_spaces, venue_spaces.c.space_id == Occupancy.space_id)
            .where(
                venue_spaces.c.venue_id == venue.id,
                Occupancy.starts_at < ends_at,
                Occupancy.ends_at > starts_at,
            )
        )
    )
