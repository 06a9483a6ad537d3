"""Occupancy (占用): every use of a space, whoever holds it. One calendar for every room.

Course sessions, reservations, closures and blocks all stand in this one table, and no two rows of a space may overlap: by the
verb ``occupy``, and by the database itself, which refuses the path that forgot the verb: an exclusion constraint on PostgreSQL,
triggers on SQLite (both written in the migrations; a promise test tries them).

No row is longer than a day: what is held longer is held day by day. So whoever looks at a stretch of time need not look at what began
more than a day before it, and the answer costs the same after ten years as on the first day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, bindparam, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import clock
from models.base import Base, PlainText, chosen_from
from models.errors import Conflict
from models.sites import Space, Venue, venue_spaces

LONGEST = timedelta(days=1)


class Purpose(StrEnum):
    """What a space is held for."""

    COURSE_SESSION = "course_session"  # 上课
    RESERVATION = "reservation"  # 预约
    CLOSURE = "closure"  # 停用
    PUBLIC_NEED = "public_need"  # 征用
    SERVICE = "service"  # 场地换服务


SHUT = frozenset({Purpose.CLOSURE, Purpose.PUBLIC_NEED})  # the room is not there for anybody


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
        Occupancy(space_id=space.id, starts_at=begins, ends_at=ends, purpose=purpose, holder_key=holder_key)
        for space in venue.spaces
        for begins, ends in day_by_day(starts_at, ends_at)
    )
    session.flush()


@dataclass(frozen=True, order=True)
class Hold:
    """A stretch of time wanted of a room, or taken of it, and by what."""

    starts_at: datetime
    ends_at: datetime
    holder_key: str = ""

    def overlaps(self, other: Hold) -> bool:
        """Whether the two share any time; where one ends the other may begin."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


def occupy_each(session: Session, venue: Venue, holds: Sequence[Hold], *, purpose: Purpose) -> None:
    """The same for many stretches, none of which overlaps another: all of them or none, with one look at the calendar for all."""
    if not holds:
        return
    if not venue.spaces:
        raise Conflict("room_without_space", f"“{venue.name}”还没有登记空间，不能使用，请先补充场地资料")
    lock_spaces([venue])
    taken = taken_of(
        session,
        venue,
        starts_at=min(hold.starts_at for hold in holds),
        ends_at=max(hold.ends_at for hold in holds),
    )
    in_the_way = [hold for hold in holds if any(hold.overlaps(one) for one in taken)]
    if in_the_way:
        first = clock.in_town(in_the_way[0].starts_at)
        raise Conflict(
            "room_taken",
            f"“{venue.name}”{first.month}月{first.day}日等 {len(in_the_way)} 个时间已被占用，请换一个时间或场地",
            details={"venue": venue.key, "starts": [hold.starts_at.isoformat() for hold in in_the_way]},
        )
    session.add_all(
        Occupancy(
            space_id=space.id, starts_at=begins, ends_at=ends, purpose=purpose, holder_key=hold.holder_key
        )
        for hold in holds
        for space in venue.spaces
        for begins, ends in day_by_day(hold.starts_at, hold.ends_at)
    )
    session.flush()


def taken_of(session: Session, venue: Venue, *, starts_at: datetime, ends_at: datetime) -> list[Hold]:
    """Every hold of any space of a venue in a stretch of time, in order."""
    rows = session.execute(
        select(Occupancy.starts_at, Occupancy.ends_at, Occupancy.holder_key)
        .distinct()
        .join(venue_spaces, venue_spaces.c.space_id == Occupancy.space_id)
        .where(
            venue_spaces.c.venue_id == venue.id,
            Occupancy.starts_at > starts_at - LONGEST,
            Occupancy.starts_at < ends_at,
            Occupancy.ends_at > starts_at,
        )
    )
    return sorted(Hold(*row) for row in rows)


def holds_of_spaces(
    session: Session, spaces: Iterable[int], *, starts_at: datetime, ends_at: datetime
) -> dict[int, list[Hold]]:
    """Every hold of each of these spaces in a stretch of time, in order: of one space none overlaps another. One look for all."""
    rows = session.execute(
        select(Occupancy.space_id, Occupancy.starts_at, Occupancy.ends_at, Occupancy.holder_key)
        .where(
            Occupancy.space_id.in_(held := sorted(set(spaces))),
            Occupancy.starts_at > starts_at - LONGEST,
            Occupancy.starts_at < ends_at,
            Occupancy.ends_at > starts_at,
        )
        .order_by(Occupancy.starts_at)
    )
    found: dict[int, list[Hold]] = {space_id: [] for space_id in held}
    for space_id, begins, ends, holder_key in rows:
        found[space_id].append(Hold(begins, ends, holder_key))
    return found


def day_by_day(starts_at: datetime, ends_at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """A stretch of time in stretches that are none longer than a day."""
    while starts_at + LONGEST < ends_at:
        yield starts_at, starts_at + LONGEST
        starts_at += LONGEST
    yield starts_at, ends_at


def lock_spaces(venues: Iterable[Venue]) -> None:
    """Hold every space of these venues until the transaction ends, in id order. Whoever uses several asks for all at once."""
    spaces = {space.id: space for venue in venues for space in venue.spaces}
    for space_id in sorted(spaces):
        spaces[space_id].lock()


def vacate(session: Session, holder_keys: Iterable[str]) -> None:
    """Let go of everything these hold."""
    session.execute(delete(Occupancy).where(Occupancy.holder_key.in_(list(holder_keys))))


def let_go_from(session: Session, holder_key: str, at: datetime) -> None:
    """Let go of what one holds from a moment on; what it held before stays as it was."""
    held = Occupancy.holder_key == holder_key
    session.execute(delete(Occupancy).where(held, Occupancy.starts_at >= at))
    session.execute(update(Occupancy).where(held, Occupancy.ends_at > at).values(ends_at=at))


def holders_between(session: Session, venue: Venue, *, starts_at: datetime, ends_at: datetime) -> set[str]:
    """The keys of whatever holds any space of a venue in a stretch of time."""
    return set(purposes_between(session, venue, starts_at=starts_at, ends_at=ends_at))


def purposes_between(
    session: Session, venue: Venue, *, starts_at: datetime, ends_at: datetime
) -> dict[str, Purpose]:
    """What whatever holds any space of a venue in a stretch of time holds it for, by its key."""
    asked = {"venue": venue.id, "since": starts_at - LONGEST, "starts_at": starts_at, "ends_at": ends_at}
    return dict(session.execute(_HOLDERS, asked).all())


# made once: everybody who taps asks it
_HOLDERS = (
    select(Occupancy.holder_key, Occupancy.purpose)
    .join(venue_spaces, venue_spaces.c.space_id == Occupancy.space_id)
    .where(
        venue_spaces.c.venue_id == bindparam("venue"),
        Occupancy.starts_at > bindparam("since"),
        Occupancy.starts_at < bindparam("ends_at"),
        Occupancy.ends_at > bindparam("starts_at"),
    )
)
