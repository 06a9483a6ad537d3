"""Holding (占住 · 放开): what a reservation holds of its room in the one calendar, from first to last."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from models.equipment import give_back, lend, shorten
from models.occupancy import Purpose, lock_spaces, occupy, purposes_between, vacate
from models.reservations.rows import Reservation
from models.sites import Site, Venue, venue_spaces


def neighbours_of(session: Session, venues: Collection[Venue]) -> list[Venue]:
    """These rooms and whatever shares a piece of floor with them: the hall and its halves."""
    spaces = select(venue_spaces.c.space_id).where(
        venue_spaces.c.venue_id.in_([venue.id for venue in venues])
    )
    sharing = select(venue_spaces.c.venue_id).where(venue_spaces.c.space_id.in_(spaces))
    return list(
        session.scalars(
            select(Venue)
            .options(joinedload(Venue.site).joinedload(Site.region), selectinload(Venue.spaces))
            .where(Venue.id.in_(sharing))
            .order_by(Venue.id)
        )
    )


def hold_rooms(session: Session, *venues: Venue) -> list[Venue]:
    """Hold all the floor a decision about these rooms may touch until the transaction ends; every verb about one comes through here.

    Whoever decides about several asks for all at once, or two who do might wait for each other. Whoever waits for the hall may get it when a half of it is let go, so the halves alone are not enough. People are held before rooms.
    """
    rooms = neighbours_of(session, venues)
    lock_spaces(rooms)
    return rooms


def is_taken(session: Session, reservation: Reservation) -> bool:
    """Whether anything else stands in its way now."""
    return bool(what_is_in_its_way(session, reservation))


def what_is_in_its_way(session: Session, reservation: Reservation) -> Collection[Purpose]:
    """What else its room is held for then, if for anything."""
    held = purposes_between(
        session,
        reservation.venue,
        starts_at=reservation.starts_at,
        ends_at=reservation.held_until,
    )
    return [purpose for key, purpose in held.items() if key != reservation.key]


def keep_room(session: Session, reservation: Reservation) -> None:
    """Hold its room, and the time to clean up after it. Raises Conflict ``room_taken``."""
    occupy(
        session,
        reservation.venue,
        starts_at=reservation.starts_at,
        ends_at=reservation.held_until,
        purpose=Purpose.RESERVATION,
        holder_key=reservation.key,
    )


def let_room_go(session: Session, reservation: Reservation) -> None:
    """Let go of its room and of what was lent with it."""
    vacate(session, [reservation.key])
    give_back(session, [reservation.key])


def leave_early(session: Session, reservation: Reservation, at: datetime) -> bool:
    """Let go of what is left of its time from a moment on, but for the cleaning; whether anything is left."""
    until = max(at, reservation.starts_at + timedelta(minutes=1))
    if until >= reservation.ends_at:
        return False
    vacate(session, [reservation.key])
    reservation.ends_at = until
    session.flush()
    keep_room(session, reservation)
    shorten(session, reservation.key, reservation.ends_at)
    return True


def borrow(session: Session, reservation: Reservation, pieces: dict[str, int]) -> None:
    """Lend it so many pieces of equipment for as long as it lasts. Raises Conflict ``equipment_short``."""
    if pieces:
        lend(
            session,
            pieces,
            reservation.venue,
            starts_at=reservation.starts_at,
            ends_at=reservation.held_until,
            holder_key=reservation.key,
        )
