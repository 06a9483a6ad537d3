"""Today in a service point (今日安排): for the mini-program, as a page for any browser, and on the screen in the hall (大厅屏).

The screen shows as many rooms at once as can be read from across the hall, and turns the page by itself. A television that runs no scripts
turns it by reloading; one that does keeps the last page and says so when the network is gone. Groups and units are named, never a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Response, request, url_for

from miniprogram_api.edge import Door, Needs
from miniprogram_api.freshness import etag_of, unless_known
from miniprogram_api.schemas.today import NOW_LABELS, TodayOut
from miniprogram_api.webpages import MANNERS, page_of_nothing, pages, written
from models import clock
from models.base import db, reading
from models.coordination.holders import Use
from models.coordination.today import RoomNow, RoomToday, Today, today_in
from models.errors import NotFound
from models.sites import VenueUse, site_by_key

door = Door("today", description="今日安排")

FRESH_SECONDS = 10
ROOMS_AT_ONCE = 6
TURNED_AFTER = 15  # seconds: as long as it takes to find one's room among six
RENEWED_AFTER = 30
MOST_AHEAD = 2  # of a room, on the screen
RUNS_ITS_OWN = {
    **MANNERS,
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'",
}


@door.get("/sites/<key:key>/today", needs=Needs.NOTHING, kept=True)
@door.gives(TodayOut, refuses=(404,))
def show_today(key: str) -> dict[str, Any]:
    """今日安排

    Every room of a service point: what is on now, what is still to come today, and which rooms are free. Classes, groups and units are named,
    persons never.
    """
    today = today_in(db.session(), site_by_key(db.session(), key))
    keys = {room.venue.id: room.venue.key for room in today.rooms}
    return {
        "key": key,
        "name": today.site.name,
        "on": clock.in_town(today.at).date(),
        "at": today.at,
        "kind": today.kind,
        "rooms": [
            {
                "venue": room.venue,
                "now": room.now,
                "says": _says(room),
                "until": room.until,
                "can_be_reserved": room.can_be_reserved,
                "use": _programme(room.use, keys) if room.use else None,
                "ahead": [_programme(use, keys) for use in room.ahead],
            }
            for room in today.rooms
        ],
        "page": url_for("pages.show_page_of_today", key=key),
        "screen": url_for("pages.show_hall_screen", key=key),
    }


@pages.get("/sites/<key:key>/today")
def show_page_of_today(key: str) -> Response:
    """All of it on one page, for whoever has no mini-program at hand."""
    return _page(key, "today.html", MANNERS)


@pages.get("/sites/<key:key>/screen")
def show_hall_screen(key: str) -> Response:
    """The screen in the hall: so many rooms at once, and then the next."""
    return _page(key, "hall.html", RUNS_ITS_OWN, at_once=ROOMS_AT_ONCE)


def _page(key: str, template: str, manners: Mapping[str, str], *, at_once: int | None = None) -> Response:
    try:
        with reading() as session:
            today = today_in(session, site_by_key(session, key))
            encoded = written(template, **_shown(today, at_once or len(today.rooms) or 1)).encode()
    except NotFound as missing:
        return page_of_nothing(missing.message)
    answer = unless_known(encoded, etag_of(encoded), kind="text/html", fresh_seconds=FRESH_SECONDS)
    answer.headers.update(manners)
    return answer


def _shown(today: Today, at_once: int) -> dict[str, Any]:
    """What a page shows: the rooms of this turn, and where the next one is."""
    turns = max(-(-len(today.rooms) // at_once), 1)
    asked = request.args.get("turn", "1")
    turn = min(int(asked), turns) if asked.isascii() and asked.isdigit() and 0 < len(asked) < 4 else 1
    turn = max(turn, 1)
    shown = today.rooms[(turn - 1) * at_once : turn * at_once]
    names = {room.venue.id: room.venue.name for room in today.rooms}
    at = clock.in_town(today.at)
    return {
        "site": today.site,
        "day": f"{at.month}月{at.day}日 星期{clock.weekday(at)}",
        "time": f"{at:%H:%M}",
        "turn": turn,
        "turns": turns,
        "next": url_for("pages.show_hall_screen", key=today.site.key, turn=turn % turns + 1),
        "seconds": TURNED_AFTER if turns > 1 else RENEWED_AFTER,
        "any_free": any(room.can_be_reserved for room in today.rooms),
        "rooms": [
            {
                "venue": room.venue,
                "now": room.now.value,
                "label": NOW_LABELS[room.now],
                "title": room.use.holder.said if room.use else NOW_LABELS[room.now],
                "says": _says(room) if room.now is RoomNow.IN_USE else _until(room),
                "elsewhere": _elsewhere(room, room.use, names),
                "ahead": [
                    {"when": _when(use), "title": use.holder.said, "elsewhere": _elsewhere(room, use, names)}
                    for use in room.ahead
                ],
            }
            for room in shown
        ],
        "most_ahead": MOST_AHEAD,
    }


def _says(room: RoomToday) -> str:
    """How it is now and until when, in a few words."""
    return f"{NOW_LABELS[room.now]}，{_until(room)}"


def _until(room: RoomToday) -> str:
    if room.now is RoomNow.NOT_OPEN:
        return f"{_hour(room.until)} 开放" if room.until else "今天不再开放"
    until = f"到 {_hour(room.until)}" if room.until else "到今天结束"
    if room.now is not RoomNow.FREE:
        return until
    if room.venue.use is VenueUse.WALK_IN:
        return f"{until}，随到随用"
    return f"{until}，可以预约" if room.can_be_reserved else until


def _elsewhere(room: RoomToday, use: Use | None, names: Mapping[int, str]) -> str:
    """The name of the room it is really in, where that is another one over the same floor."""
    in_it = use.holder.venue_id if use else None
    return names.get(in_it, "") if in_it is not None and in_it != room.venue.id else ""


def _programme(use: Use, keys: Mapping[int, str]) -> dict[str, Any]:
    return {
        "purpose": use.holder.purpose,
        "title": use.holder.said,
        "venue": None if use.holder.venue_id is None else keys.get(use.holder.venue_id),
        "starts_at": use.starts_at,
        "ends_at": use.ends_at,
    }


def _when(use: Use) -> str:
    return f"{_hour(use.starts_at)}–{_hour(use.ends_at, is_end=True)}"


def _hour(moment: datetime | None, *, is_end: bool = False) -> str:
    if moment is None:
        return ""
    said = f"{clock.in_town(moment):%H:%M}"
    return "24:00" if is_end and said == "00:00" else said
