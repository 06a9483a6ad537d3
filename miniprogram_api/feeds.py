"""Classes and rooms in calendars: a file of one run, and a feed of everywhere one has to be."""

from __future__ import annotations

from typing import Any

from flask import Response

from miniprogram_api.document import PREFIX
from miniprogram_api.edge import Door, Needs, account
from miniprogram_api.freshness import etag_of, unless_known
from miniprogram_api.ical import MIME, calendar_of, calendar_of_room
from miniprogram_api.office import hat, office_places
from miniprogram_api.rosters import answered_with
from miniprogram_api.schemas.feeds import FeedOut, VenueFeedOut
from miniprogram_api.sheets import named
from models.base import db
from models.coordination.feeds import (
    CalendarFeed,
    account_behind_feed,
    agenda_of,
    agenda_of_run,
    close_feed,
    feed_of,
    feed_token,
    open_feed,
)
from models.coordination.room_feeds import (
    VenueFeed,
    agenda_of_room,
    close_venue_feed,
    open_venue_feed,
    venue_behind_feed,
    venue_feed_of,
    venue_feed_token,
)
from models.courses import published_run
from models.errors import NotFound
from models.sites import Venue, venue_in

door = Door("feeds", description="日历")

_FILE = {"type": "string"}
NAME = "家门口"


@door.get("/course-runs/<key:key>/calendar", needs=Needs.NOTHING)
@door.response(200, _FILE, content_type=MIME)
@door.gives(None, refuses=(404,))
def show_run_calendar(key: str) -> Response:
    """班次的日历文件

    The run's evenings as an .ics file, those called off too. A file stays as it is: whoever wants moves to follow takes the feed.
    """
    run = published_run(db.session(), key)
    body = calendar_of(agenda_of_run(db.session(), run), name=run.course.title)
    return answered_with(body, MIME, named(run.course.title, "ics"))


@door.get("/calendars/<token>.ics", needs=Needs.NOTHING)
@door.response(200, _FILE, content_type=MIME)
@door.gives(None, refuses=(404,))
def show_feed(token: str) -> Response:
    """日历订阅

    What a phone's calendar asks every few hours: the classes and the reserved rooms of the person whose feed it is, of whom they may act for,
    and of the groups they lead. The address is the key; one that was taken back is 404 ``calendar_unknown``. With the ``ETag`` of what it has
    a phone is told 304 while nothing changed.
    """
    session = db.session()
    return _fed(calendar_of(agenda_of(session, account_behind_feed(session, token)), name=NAME))


@door.get("/me/calendar")
@door.gives(FeedOut)
def show_my_feed() -> dict[str, Any]:
    """我的日历订阅

    The address of one's own feed; 404 ``no_calendar`` without one.
    """
    feed = feed_of(db.session(), account())
    if feed is None:
        raise NotFound("还没有开通日历订阅", code="no_calendar")
    return _told(feed)


@door.put("/me/calendar")
@door.gives(FeedOut)
def open_my_feed() -> dict[str, Any]:
    """开通日历订阅

    An address for the phone's calendar, the same one until it is taken back.
    """
    account().lock().must_stand()
    return _told(open_feed(db.session(), account()))


@door.delete("/me/calendar")
@door.gives(None, 204)
def close_my_feed() -> None:
    """收回日历订阅

    The address leads nowhere from now on, whoever has it; opened again, it is another one. Twice is fine.
    """
    account().lock().must_stand()
    close_feed(db.session(), account())


@door.get("/room-calendars/<token>.ics", needs=Needs.NOTHING)
@door.response(200, _FILE, content_type=MIME)
@door.gives(None, refuses=(404,))
def show_venue_feed(token: str) -> Response:
    """场地日历订阅

    What is in a room from a month ago to four months ahead, as the screen in the hall tells it, without a person. The address is the key; one
    that was taken back is 404 ``calendar_unknown``.
    """
    session = db.session()
    venue = venue_behind_feed(session, token)
    return _fed(calendar_of_room(agenda_of_room(session, venue), venue, name=venue.full_name))


@door.get("/staff/venues/<key:key>/calendar")
@door.gives(VenueFeedOut)
def show_feed_of_venue(key: str) -> dict[str, Any]:
    """场地的日历订阅（工作人员）

    The address of the room's feed; 404 ``no_calendar`` without one.
    """
    feed = venue_feed_of(db.session(), _venue(key))
    if feed is None:
        raise NotFound("还没有开通日历订阅", code="no_calendar")
    return _told_of_venue(feed)


@door.put("/staff/venues/<key:key>/calendar")
@door.gives(VenueFeedOut)
def open_feed_of_venue(key: str) -> dict[str, Any]:
    """开通场地日历订阅（工作人员）

    An address for the calendars of those who work there, the same one for all of them until it is taken back.
    """
    return _told_of_venue(open_venue_feed(db.session(), _venue(key), **hat()))


@door.delete("/staff/venues/<key:key>/calendar")
@door.gives(None, 204)
def close_feed_of_venue(key: str) -> None:
    """收回场地日历订阅（工作人员）

    The address leads nowhere from now on, whoever has it; opened again, it is another one. Twice is fine.
    """
    close_venue_feed(db.session(), _venue(key), **hat())


def _venue(key: str) -> Venue:
    return venue_in(db.session(), key, within=office_places())


def _told_of_venue(feed: VenueFeed) -> dict[str, Any]:
    return {"path": f"{PREFIX}/room-calendars/{venue_feed_token(feed)}.ics", "opened_at": feed.opened_at}


def _fed(body: bytes) -> Response:
    answer = unless_known(body, etag_of(body), kind=MIME, fresh_seconds=0, private=True)
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _told(feed: CalendarFeed) -> dict[str, Any]:
    return {"path": f"{PREFIX}/calendars/{feed_token(feed)}.ics", "opened_at": feed.opened_at}
