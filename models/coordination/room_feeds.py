"""The calendar feed of a room (场地日历订阅): what is in it, in the calendars of those who work there.

Signed and taken back like a person's (``feeds``); one a room, whoever of the office opened it. It tells what the screen in the hall tells and no
more: calendars are shared, and kept by others. What is let go of is gone from it; what is moved keeps its name, and its ``sequence`` grows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, contains_eager, mapped_column, relationship

from models import clock
from models.availability import RoomDays
from models.base import Base, Keyed
from models.bulk import among
from models.coordination.feeds import key_in, signed
from models.coordination.holders import Use, uses_of
from models.courses import CourseSession, changes_of_evenings
from models.errors import NotFound
from models.journal import enter
from models.occupancy import Purpose
from models.reservations import Reservation, changes_of_reservations
from models.sites import Venue

SHOWN_BACK, SHOWN_AHEAD = 30, 120  # days: beyond a term nobody plans
_OF_ROOMS = "venue-feed"


class VenueFeed(Keyed, Base):
    """The one feed of a room. Taken back, it is gone."""

    __tablename__ = "venue_feeds"

    venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"), unique=True)
    opened_at: Mapped[datetime] = mapped_column(default=clock.now)

    venue: Mapped[Venue] = relationship()


@dataclass(frozen=True)
class RoomAppointment:
    """One use of a room in a calendar. ``name`` is the same for ever."""

    name: str
    use: Use
    sequence: int


def open_venue_feed(session: Session, venue: Venue, *, by_account_id: int | None, identity: str) -> VenueFeed:
    """The room's feed, opened if there is none."""
    venue.lock()  # two who open it at once have the same one
    feed = venue_feed_of(session, venue)
    if feed is None:
        feed = VenueFeed(venue_id=venue.id, opened_at=clock.now())
        session.add(feed)
        session.flush()
        enter(session, "venue.calendar_opened", venue, by_account_id=by_account_id, identity=identity)
        session.flush()
    return feed


def close_venue_feed(session: Session, venue: Venue, *, by_account_id: int | None, identity: str) -> None:
    """Take the feed back: its address leads nowhere from now on. Twice is fine."""
    venue.lock()
    feed = venue_feed_of(session, venue)
    if feed is not None:
        session.delete(feed)
        enter(session, "venue.calendar_closed", venue, by_account_id=by_account_id, identity=identity)
        session.flush()


def venue_feed_of(session: Session, venue: Venue) -> VenueFeed | None:
    """The room's feed, if it has one."""
    return session.scalar(select(VenueFeed).where(VenueFeed.venue_id == venue.id))


def venue_feed_token(feed: VenueFeed) -> str:
    """What stands in the feed's address: its name, signed."""
    return signed(_OF_ROOMS, feed.key)


def venue_behind_feed(session: Session, token: str) -> Venue:
    """Whose feed this is. Raises NotFound ``calendar_unknown`` for one that is forged or was taken back."""
    key = key_in(_OF_ROOMS, token)
    venue = session.scalar(
        select(Venue)
        .join(VenueFeed, VenueFeed.venue_id == Venue.id)
        .join(Venue.site)
        .options(contains_eager(Venue.site))
        .where(VenueFeed.key == key)
    )
    if key is None or venue is None:
        raise NotFound("这个日历订阅已经失效，请在小程序里重新获取", code="calendar_unknown")
    return venue


def agenda_of_room(session: Session, venue: Venue) -> list[RoomAppointment]:
    """What is in a room from a month ago to four months ahead, in the order of time. As few statements whatever is in it."""
    first = clock.today() - timedelta(days=SHOWN_BACK)
    read = RoomDays(session, [venue], first=first, days=SHOWN_BACK + SHOWN_AHEAD)
    days = [read.day(venue, on) for on in read.dates]
    found = uses_of(session, days)
    uses = [(day.on, use) for place, day in enumerate(days) for use in found[place]]
    changes = _changes(session, [use for _, use in uses])
    return [
        RoomAppointment(_name_of(venue, on, use), use, changes.get(use.holder.key, 0)) for on, use in uses
    ]


def _name_of(venue: Venue, on: date, use: Use) -> str:
    """A use keeps its name when it moves to another day; what holds a room for days is told day by day."""
    name = f"{use.holder.key}-{venue.key}"
    return f"{name}-{on:%Y%m%d}" if use.holder.ends_at is None else name


def _changes(session: Session, uses: Collection[Use]) -> Mapping[str, int]:
    """How often each was changed, by its key."""
    return dict(_changes_of_classes(session, _keys(uses, Purpose.COURSE_SESSION))) | dict(
        _changes_of_reserved(session, _keys(uses, Purpose.RESERVATION))
    )


def _keys(uses: Collection[Use], purpose: Purpose) -> list[str]:
    return sorted({use.holder.key for use in uses if use.holder.purpose is purpose})


def _changes_of_classes(session: Session, keys: Collection[str]) -> Iterator[tuple[str, int]]:
    meetings = session.scalars(
        select(CourseSession).where(among(CourseSession.key, "keys")), {"keys": keys}
    ).all()
    changes = changes_of_evenings(session, meetings)
    yield from ((meeting.key, changes[meeting.id]) for meeting in meetings)


def _changes_of_reserved(session: Session, keys: Collection[str]) -> Iterator[tuple[str, int]]:
    ids = dict(
        session.execute(
            select(Reservation.id, Reservation.key).where(among(Reservation.key, "keys")), {"keys": keys}
        ).all()
    )
    changes = changes_of_reservations(session, ids)
    yield from ((key, changes.get(row_id, 0)) for row_id, key in ids.items())
