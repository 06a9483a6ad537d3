"""Rooms (场地): what becomes of reservations because their time has come. Each in a transaction of its own, so that none holds up the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from models import reservations
from models.base import reading, transaction
from models.coordination import closures
from models.coordination.closures import MoveQuestion
from models.reservations import Reservation
from models.sites import Site
from server.jobs.turns import in_turn

MOST_AT_ONCE = 100


def expire_unreviewed(now: datetime) -> int:
    """Let go of what nobody reviewed in time; how many."""
    return _each(reservations.unreviewed, reservations.expire, now)


def release_no_shows(now: datetime) -> int:
    """Let go of rooms nobody came to, for who waits; how many, the community's own uses that are over included."""
    return _each(reservations.no_shows, reservations.release, now)


def finish_unsigned(now: datetime) -> int:
    """End what nobody signed out of; how many."""
    return _each(reservations.not_signed_out, reservations.finish, now)


def end_room_offers(now: datetime) -> int:
    """End offers nobody accepted in time, for the next, and waits that can come to nothing any more; how many."""
    ended = _each(reservations.ended_offers, reservations.end_offer, now)
    return ended + _each(reservations.hopeless_waits, reservations.end_waiting, now)


def offer_rooms(now: datetime) -> int:
    """Offer rooms that anything else let go of (a class that moved, a closure that was lifted) to who waits for them; how many."""
    return in_turn([partial(reservations.offer_rooms, venue_id=one) for one in _waited_for(now)])


def _waited_for(now: datetime) -> Iterator[int]:
    """Each room somebody waits for: what is not free now stays waited for, so nobody's turn may hang on how many there are."""
    last = 0
    while True:
        with reading() as session:
            venues = reservations.rooms_waited_for(session, now, after_id=last, most=MOST_AT_ONCE)
        yield from venues
        if len(venues) < MOST_AT_ONCE:
            return
        last = venues[-1]


def remind_of_rooms(now: datetime) -> int:
    """Owe the reminders that are due, and the word to whoever may reserve again; how many are new."""
    with transaction() as session:
        return reservations.owe_room_reminders(session, now) + reservations.owe_resumed(session, now)


def settle_room_questions(now: datetime) -> int:
    """Do what is done where nobody said whether they want what was moved; how many questions that were open are no longer."""
    with reading() as session:
        ids = closures.unanswered(session, now, most=MOST_AT_ONCE)
    return in_turn([partial(_settle, question_id=one) for one in ids])


def count_outside_hours(now: datetime) -> int:
    """Count for the desk what lies outside the opening hours of each site; at how many it is another number than before."""
    with reading() as session:
        sites = closures.sites_to_count(session)
    return in_turn([partial(_count_again, site_id=one) for one in sites])


def forget_credit_appeals(now: datetime) -> int:
    """Strike the words of appeals answered half a year ago; how many."""
    with transaction() as session:
        return reservations.forget_words_of_credit_appeals(session, now)


def _each(
    find: Callable[..., Sequence[Reservation]], deed: Callable[[Session, Reservation], bool], now: datetime
) -> int:
    with reading() as session:
        ids = [one.id for one in find(session, now, most=MOST_AT_ONCE)]
    return in_turn([partial(_to, deed=deed, reservation_id=one) for one in ids])


def _to(session: Session, deed: Callable[[Session, Reservation], bool], reservation_id: int) -> int:
    return deed(session, session.get_one(Reservation, reservation_id))


def _settle(session: Session, question_id: int) -> int:
    return closures.settle_silence(session, session.get_one(MoveQuestion, question_id))


def _count_again(session: Session, site_id: int) -> int:
    return closures.count_again(session, session.get_one(Site, site_id))
