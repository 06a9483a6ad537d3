"""Rewinding (重排审核时限): the calendar or a number has changed, and whatever waits for review is to be looked at by another moment (domain.md §7, E26).

Few wait for review at one time, and hardly any of them is to be looked at by another moment than it was: those alone are held, each by itself, after
whoever decides about it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.calendars import Calendar
from models.policies import Policies
from models.regions import Region, regions_within
from models.reservations.finding import rooms_of
from models.reservations.holding import hold_rooms
from models.reservations.reviewing import looked_at_by
from models.reservations.rows import Reservation, ReservationState
from models.sites import Site, Venue
from models.venue_policies import policies_of, policies_of_each

NUMBERS_OF_REVIEWS = frozenset({"room_review_days", "unreviewed_until_hours"})

_WAITS = Reservation.state == ReservationState.PENDING


def waiting_for_review(session: Session, *, within: Region | None) -> Sequence[int]:
    """The ids of all that wait for review of rooms in a place, or everywhere."""
    query = select(Reservation.id).where(_WAITS)
    if within is not None:
        query = query.join(Venue, Venue.id == Reservation.venue_id).join(Site, Site.id == Venue.site_id)
        query = query.where(Site.region_id.in_(regions_within(within)))
    return sorted(session.scalars(query).all())


def to_be_rewound(session: Session, ids: Collection[int]) -> Sequence[int]:
    """Which of these are to be looked at by another moment now than is kept of them."""
    waiting = session.scalars(
        select(Reservation)
        .options(*rooms_of())
        .where(Reservation.id.in_(ids), _WAITS)
        .order_by(Reservation.id)
    ).all()
    calendar = Calendar.in_force(session)
    numbers = policies_of_each(session, list({one.venue for one in waiting}))
    return [
        one.id for one in waiting if looked_at_by(one, calendar, numbers[one.venue_id]) != one.review_due_at
    ]


def rewind_review(session: Session, waiting: Reservation) -> bool:
    """Wind the time to review of one up anew; whether it is to be looked at by another moment now. What is decided is left as it is."""
    waiting.lock()
    return _wind_anew(waiting, Calendar.in_force(session), policies_of(session, waiting.venue))


def rewind_reviews_of(session: Session, venue: Venue) -> int:
    """The same for all that wait for one room, whose numbers have changed in this transaction; how many."""
    hold_rooms(session, venue)
    waiting = session.scalars(
        select(Reservation)
        .options(*rooms_of())
        .where(Reservation.venue_id == venue.id, _WAITS)
        .order_by(Reservation.id)
    ).all()
    calendar, numbers = Calendar.in_force(session), policies_of(session, venue)
    return sum(_wind_anew(one.lock(), calendar, numbers) for one in waiting)


def _wind_anew(waiting: Reservation, calendar: Calendar, numbers: Policies) -> bool:
    """The same for one that is held."""
    if waiting.state is not ReservationState.PENDING:
        return False
    due_at = looked_at_by(waiting, calendar, numbers)
    if due_at == waiting.review_due_at:
        return False
    waiting.review_due_at = due_at
    return True
