"""Shutting (关上): what a closure holds of its rooms in the one calendar, and what others hold of them already.

Two closures may be of the same room at the same time: the pipe of one room is mended while the power of the whole site is cut. What is closed
already stays as it is, and the later one holds the rest; when one of them is lifted, what it held and the other wants passes to the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from models import clock
from models.availability import Stretch, left_of
from models.bulk import among
from models.coordination.closures.rows import PURPOSES, RoomClosure
from models.occupancy import LONGEST, SHUT, Occupancy, Purpose, day_by_day
from models.sites import Venue


def floor_of(rooms: Iterable[Venue]) -> list[int]:
    """The ids of every piece of floor of these rooms, in order."""
    return sorted({space.id for room in rooms for space in room.spaces})


def is_all_shut(session: Session, rooms: Collection[Venue], during: Stretch) -> bool:
    """Whether nothing of these rooms is left to be closed then."""
    held = _held(session, floor_of(rooms), during, SHUT)
    return not any(left_of([during], stretches) for stretches in held.values())


def shut_floor(session: Session, closure: RoomClosure) -> None:
    """Hold every piece of floor of its rooms that no other closure holds, but for the cleaning after a use that is over, which nobody can use anyhow."""
    during = Stretch(closure.starts_at, closure.ends_at)
    _shut(session, closure, floor_of(closure.venues), during, besides=(Purpose.RESERVATION, *SHUT))


def pass_on(session: Session, closure: RoomClosure, at: datetime) -> None:
    """What a closure that is lifted held from a moment on passes to the others that are of the same rooms then. Its rooms are held by the caller."""
    floor = set(floor_of(closure.venues))
    for other in closures_beside(session, closure):
        during = Stretch(max(at, other.starts_at), other.ends_at)
        spaces = [space_id for space_id in floor_of(other.venues) if space_id in floor]
        _shut(session, other, spaces, during, besides=tuple(Purpose))


def closures_beside(session: Session, closure: RoomClosure) -> Sequence[RoomClosure]:
    """Other closures that stand and close some of the same floor for part of its time, the first decided first."""
    floor = set(floor_of(closure.venues))
    rows = session.scalars(
        select(RoomClosure)
        .options(selectinload(RoomClosure.venues).selectinload(Venue.spaces))
        .where(
            RoomClosure.site_id == closure.site_id,
            RoomClosure.id != closure.id,
            RoomClosure.kind.in_(PURPOSES),
            RoomClosure.lifted_at.is_(None),
            RoomClosure.starts_at < closure.ends_at,
            RoomClosure.ends_at > max(closure.starts_at, clock.now()),
        )
        .order_by(RoomClosure.id)
        .execution_options(populate_existing=True)
    )
    return [one for one in rows if floor.intersection(floor_of(one.venues))]


def closures_named(session: Session, keys: Collection[str]) -> Sequence[RoomClosure]:
    """The closures with these keys, those that begin first."""
    if not keys:
        return []
    return session.scalars(
        select(RoomClosure)
        .options(selectinload(RoomClosure.venues))
        .where(RoomClosure.key.in_(sorted(keys)))
        .order_by(RoomClosure.starts_at, RoomClosure.id)
    ).all()


def _shut(
    session: Session,
    closure: RoomClosure,
    spaces: Collection[int],
    during: Stretch,
    *,
    besides: Collection[Purpose],
) -> None:
    if during.starts_at >= during.ends_at:
        return
    session.add_all(
        Occupancy(
            space_id=space_id,
            starts_at=begins,
            ends_at=ends,
            purpose=PURPOSES[closure.kind],
            holder_key=closure.key,
        )
        for space_id, held in _held(session, spaces, during, besides).items()
        for free in left_of([during], held)
        for begins, ends in day_by_day(free.starts_at, free.ends_at)
    )
    session.flush()


def _held(
    session: Session, spaces: Collection[int], during: Stretch, purposes: Collection[Purpose]
) -> Mapping[int, Sequence[Stretch]]:
    """What is held for one of these purposes in a stretch of time, by the piece of floor, also where it is nothing."""
    found: dict[int, list[Stretch]] = {space_id: [] for space_id in spaces}
    rows = session.execute(
        select(Occupancy.space_id, Occupancy.starts_at, Occupancy.ends_at).where(
            among(Occupancy.space_id, "spaces"),
            Occupancy.purpose.in_(purposes),
            Occupancy.starts_at > during.starts_at - LONGEST,
            Occupancy.starts_at < during.ends_at,
            Occupancy.ends_at > during.starts_at,
        ),
        {"spaces": sorted(spaces)},
    )
    for space_id, starts_at, ends_at in rows:
        found[space_id].append(Stretch(starts_at, ends_at))
    return found
