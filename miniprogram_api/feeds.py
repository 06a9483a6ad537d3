"""Classes and rooms in calendars: a file of one run, and a feed of everywhere one has to be."""

from __future__ import annotations

from typing import Any

from flask import Response

from miniprogram_api.document import PREFIX
from miniprogram_api.edge import Door, Needs, account
from miniprogram_api.freshness import etag_of, unless_known
from miniprogram_api.ical import MIME, calendar_of
from miniprogram_api.rosters import answered_with
from miniprogram_api.schemas.feeds import FeedOut
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
from models.courses import published_run
from models.errors import NotFound

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


def _fed(body: bytes) -> Response:
    answer = unless_known(body, etag_of(body), kind=MIME, fresh_seconds=0, private=True)
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _told(feed: CalendarFeed) -> dict[str, Any]:
    return {"path": f"{PREFIX}/calendars/{feed_token(feed)}.ics", "opened_at": feed.opened_at}
