"""The calendar of all rooms (场地总览), for those who work there: what is where, when, whose, and how it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from miniprogram_api.availability import must_be_in_sight
from miniprogram_api.content import begin_writing
from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, named_in
from miniprogram_api.office import hat, office_places
from miniprogram_api.schemas.room_calendar import RoomCalendarOut, RoomCalendarQuery, state_label_of
from models import clock
from models.base import db
from models.coordination.calendar import SiteCalendar, calendar_of_rooms
from models.coordination.holders import Use
from models.coordination.sheets import look_at_people
from models.reservations import Reservation
from models.sites import Site, site_in, sites_within

door = Door("room_calendar", description="场地总览")


@door.get("/staff/room-calendar")
@door.takes(RoomCalendarQuery, location="query")
@door.gives(RoomCalendarOut, refuses=(409, 422))
def show_room_calendar(wanted: dict[str, Any]) -> dict[str, Any]:
    """场地总览（工作人员）

    Every room of one ``site``, or of all of the places one works for, for up to fourteen days from ``first`` (today) on: when it is open, and
    everything that holds it. Without ``names`` no person is told; with it every look is journalled. 409 ``day_out_of_sight`` beyond 31
    days back or a year ahead.
    """
    first = wanted.get("first", clock.today())
    must_be_in_sight(first)
    if wanted["names"]:
        begin_writing()  # the look is written down; who asks for no names takes no turn at writing
    session, limit = db.session(), wanted["limit"]
    found = page(_sites(wanted, most=limit + 1), limit, lambda site: [site.id])
    calendars = calendar_of_rooms(session, found["items"], first=first, days=wanted["days"])
    people = look_at_people(session, *calendars, **hat()) if wanted["names"] else {}
    return {**found, "items": [_told(one, people) for one in calendars]}


def _sites(wanted: dict[str, Any], *, most: int) -> Sequence[Site]:
    session, places = db.session(), office_places()
    if "site" in wanted:
        with named_in("site"):
            return [site_in(session, wanted["site"], within=places)]
    return sites_within(session, places, after_id=after_id(wanted.get("cursor")), most=most)


def _told(calendar: SiteCalendar, people: Mapping[str, Reservation]) -> dict[str, Any]:
    site = calendar.site
    keys = {venue.id: venue.key for venue in site.venues}
    return {
        "key": site.key,
        "name": site.name,
        "region": site.region,
        "venues": site.venues,
        "days": [
            {
                "on": rooms[0].day.on,
                "kind": rooms[0].day.kind,
                "rooms": [
                    {
                        "venue": room.venue.key,
                        "open": room.day.open,
                        "uses": [_use(use, keys, people.get(use.holder.key)) for use in room.uses],
                    }
                    for room in rooms
                ],
            }
            for rooms in calendar.days
            if rooms
        ],
    }


def _use(use: Use, keys: Mapping[int, str], whose: Reservation | None) -> dict[str, Any]:
    holder, person = use.holder, whose.resident if whose else None
    return {
        "purpose": holder.purpose,
        "title": holder.title,
        "host": holder.host,
        "state": holder.state,
        "state_label": state_label_of(holder),
        "subject": holder.subject_key,
        "venue": None if holder.venue_id is None else keys.get(holder.venue_id),
        "headcount": holder.headcount,
        "starts_at": use.starts_at,
        "ends_at": use.ends_at,
        "held_until": use.held_until,
        "resident": person.key if person else None,
        "name": person.name if person else None,
    }
