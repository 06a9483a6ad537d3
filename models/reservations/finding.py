"""Finding (查找): reservations by key and in lists, each finder with the scope it is for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.strategy_options import _AbstractLoad

from models.errors import NotFound
from models.groups import Group
from models.policies import Policies
from models.regions import Region, is_within, regions_within
from models.reservations.credit import CreditEntry
from models.reservations.rows import HOLDING, Reservation, ReservationState
from models.sites import Site, Venue
from models.venue_policies import policies_of_each

GONE = "没有找到这个预约"


def rooms_of() -> tuple[_AbstractLoad, ...]:
    """What a reservation is read with: its room, whose it is, and its group."""
    return (
        joinedload(Reservation.venue).joinedload(Venue.site).joinedload(Site.region),
        joinedload(Reservation.venue).selectinload(Venue.spaces),
        joinedload(Reservation.resident),
        joinedload(Reservation.group).joinedload(Group.region),
        joinedload(Reservation.series),
    )


def reservation_of(session: Session, key: str, *, residents: Collection[int]) -> Reservation:
    """A reservation of one of these people, or of a group one of them leads. Raises NotFound for any other."""
    found = session.scalar(
        select(Reservation).options(*rooms_of()).where(Reservation.key == key, concerns(residents))
    )
    if found is None:
        raise NotFound(GONE)
    return found


def reservation_within(session: Session, key: str, *, within: Sequence[Region]) -> Reservation:
    """A reservation of a room in these places. Raises NotFound outside of them."""
    found = session.scalar(select(Reservation).options(*rooms_of()).where(Reservation.key == key))
    if found is None or not is_within(found.venue.site.region, within):
        raise NotFound(GONE)
    return found


def reservations_of(
    session: Session,
    residents: Collection[int],
    *,
    ends_after: datetime | None = None,
    before_id: int | None = None,
    most: int,
) -> Sequence[Reservation]:
    """Up to ``most`` reservations of these people and of groups they lead, the newest first; of those that end after a moment, if one is said."""
    query = select(Reservation).options(*rooms_of()).where(concerns(residents))
    if ends_after is not None:
        query = query.where(Reservation.ends_at > ends_after)
    if before_id is not None:
        query = query.where(Reservation.id < before_id)
    return session.scalars(query.order_by(Reservation.id.desc()).limit(most)).all()


def reservations_within(
    session: Session,
    places: Sequence[Region],
    *,
    states: Collection[ReservationState] = (),
    venue: Venue | None = None,
    starts_after: datetime | None = None,
    starts_before: datetime | None = None,
    overdue_at: datetime | None = None,
    after: tuple[datetime, int] | None = None,
    most: int,
) -> Sequence[Reservation]:
    """Up to ``most`` reservations of rooms in these places, in the order they begin.

    ``overdue_at``: only those that wait for review still, though the time for that is over at a moment.
    """
    if not places:
        return []
    query = (
        select(Reservation)
        .options(*rooms_of())
        .join(Venue, Venue.id == Reservation.venue_id)
        .join(Site, Site.id == Venue.site_id)
        .where(Site.region_id.in_(regions_within(*places)))
    )
    if states:
        query = query.where(Reservation.state.in_(states))
    if venue is not None:
        query = query.where(Reservation.venue_id == venue.id)
    if starts_after is not None:
        query = query.where(Reservation.starts_at >= starts_after)
    if starts_before is not None:
        query = query.where(Reservation.starts_at < starts_before)
    if overdue_at is not None:
        query = query.where(
            Reservation.state == ReservationState.PENDING, Reservation.review_due_at <= overdue_at
        )
    if after is not None:
        query = query.where(_begins_after(*after))
    return session.scalars(query.order_by(Reservation.starts_at, Reservation.id).limit(most)).all()


def first_due(
    session: Session,
    which: ColumnElement[bool],
    is_due: Callable[[Reservation, Policies], bool],
    *,
    most: int,
) -> list[Reservation]:
    """Up to ``most`` of these that are due by the numbers of their room, those that begin first.

    Read page by page, so that however many stand before them with numbers of another room, none that is due is passed over.
    """
    query = (
        select(Reservation)
        .options(*rooms_of())
        .where(which)
        .order_by(Reservation.starts_at, Reservation.id)
        .limit(most)
    )
    found, rows = list[Reservation](), session.scalars(query).all()
    while rows and len(found) < most:
        numbers = policies_of_each(session, list({one.venue for one in rows}))
        found += [one for one in rows if is_due(one, numbers[one.venue_id])]
        last = rows[-1]
        rows = (
            session.scalars(query.where(_begins_after(last.starts_at, last.id))).all()
            if len(rows) == most
            else ()
        )
    return found[:most]


def held_for(session: Session, residents: Collection[int], *, after: datetime) -> Sequence[Reservation]:
    """What is held for these people themselves, or waited for by them, and not over at a moment; groups' not."""
    return session.scalars(
        select(Reservation)
        .options(*rooms_of())
        .where(
            Reservation.resident_id.in_(residents),
            Reservation.group_id.is_(None),
            Reservation.state.in_([*HOLDING, ReservationState.WAITLISTED]),
            Reservation.ends_at > after,
        )
        .order_by(Reservation.id)
        .execution_options(populate_existing=True)
    ).all()


def reservations_kept_of(session: Session, residents: Collection[int]) -> Sequence[Reservation]:
    """Everything these people ever reserved, in their own name or as leaders, oldest first."""
    return session.scalars(
        select(Reservation)
        .options(*rooms_of())
        .where(Reservation.resident_id.in_(residents))
        .order_by(Reservation.id)
    ).all()


def entry_of(session: Session, key: str, *, residents: Collection[int]) -> CreditEntry:
    """A credit entry of one of these people, or of a group one of them leads. Raises NotFound for any other."""
    entry = session.scalar(_entries().where(CreditEntry.key == key, _entry_concerns(residents)))
    if entry is None:
        raise NotFound("没有找到这条信用记录")
    return entry


def entry_within(session: Session, key: str, *, within: Sequence[Region]) -> CreditEntry:
    """A credit entry about a room in these places. Raises NotFound outside of them."""
    entry = session.scalar(_entries().where(CreditEntry.key == key))
    if entry is None or not is_within(entry.reservation.venue.site.region, within):
        raise NotFound("没有找到这条信用记录")
    return entry


def _begins_after(at: datetime, last_id: int) -> ColumnElement[bool]:
    return or_(Reservation.starts_at > at, (Reservation.starts_at == at) & (Reservation.id > last_id))


def _entries() -> Select[CreditEntry]:
    return select(CreditEntry).options(joinedload(CreditEntry.reservation).options(*rooms_of()))


def _led_by(residents: Collection[int]) -> Select[int]:
    return select(Group.id).where(Group.leader_id.in_(residents))


def concerns(residents: Collection[int]) -> ColumnElement[bool]:
    """The condition that a reservation is one of these people's own, or of a group one of them leads."""
    own = Reservation.resident_id.in_(residents) & Reservation.group_id.is_(None)
    return own | Reservation.group_id.in_(_led_by(residents))


def _entry_concerns(residents: Collection[int]) -> ColumnElement[bool]:
    return CreditEntry.resident_id.in_(residents) | CreditEntry.group_id.in_(_led_by(residents))
