"""Sites (服务点) and their rooms: where they are, when they are open, and who may use what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, Needs
from miniprogram_api.office import hat, office_places
from miniprogram_api.schemas.sites import HoursIn, RoomByItselfOut, SiteOut, SitesOut, SitesQuery, VenueIn
from miniprogram_api.venue_policies import rules_for_everybody
from models import clock
from models.base import db
from models.coordination.closures import count_again
from models.equipment import equipment_of
from models.hours import Hours, OpeningTimes, write_hours
from models.photos import photos_of
from models.regions import region_by_key
from models.sites import (
    Site,
    Venue,
    describe_venue,
    site_by_key,
    site_in,
    sites_within,
    venue_by_key,
    venue_in,
)

door = Door("sites", description="服务点和场地")

DAYS_AHEAD = 7


@door.get("/sites", needs=Needs.NOTHING, kept=True)
@door.takes(SitesQuery, location="query")
@door.gives(SitesOut, refuses=(404, 422))
def list_sites(wanted: dict[str, Any]) -> dict[str, Any]:
    """服务点列表

    Centres, stations and rest stations, of a place and of what lies under it when one is named, each with when it is open today.
    """
    session, limit = db.session(), wanted["limit"]
    places = [region_by_key(session, wanted["region"])] if "region" in wanted else None
    found = sites_within(session, places, after_id=after_id(wanted.get("cursor")), most=limit + 1)
    times = OpeningTimes(session, found)
    shown = page(found, limit, lambda site: [site.id])
    return {**shown, "items": [_brief(site, times) for site in shown["items"]]}


@door.get("/sites/<key:key>", needs=Needs.NOTHING, kept=True)
@door.gives(SiteOut, refuses=(404,))
def show_site(key: str) -> dict[str, Any]:
    """服务点

    Its rooms, who may use them and how, and when everything is open, by the calendar with 调休 for the seven days from today.
    """
    return _whole(site_by_key(db.session(), key))


@door.get("/venues/<key:key>", needs=Needs.NOTHING, kept=True)
@door.gives(RoomByItselfOut, refuses=(404,))
def show_venue(key: str) -> dict[str, Any]:
    """场地

    One room: where it is, who may use it and how, its rules, and when it is open in the seven days from today. What is free of it:
    ``GET /venues/{key}/availability``.
    """
    venue = venue_by_key(db.session(), key)
    times = OpeningTimes(db.session(), [venue.site])
    return {
        **_rooms([venue], times)[0],
        "site": venue.site,
        "week": _week(times, times.of_venue(venue)),
    }


@door.put("/staff/sites/<key:key>/hours")
@door.takes(HoursIn)
@door.gives(SiteOut, refuses=(409, 422))
def write_hours_of_site(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """写开放时间（服务点）

    From now on it is open just then. What was taken before stays as it is, and what of it lies outside now waits on the desk; 409 ``hours_unfit`` names each stretch that cannot be.
    """
    site = site_in(db.session(), key, within=office_places())
    write_hours(db.session(), site, _hours(sent), **hat())
    count_again(db.session(), site)
    return _whole(site)


@door.put("/staff/venues/<key:key>/hours")
@door.takes(HoursIn)
@door.gives(SiteOut, refuses=(409, 422))
def write_hours_of_venue(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """写开放时间（场地）

    A room that is open at other hours than its site; an empty list lets it go by its site again.
    """
    venue = _venue(key)
    write_hours(db.session(), venue, _hours(sent), **hat())
    count_again(db.session(), venue.site)
    return _whole(venue.site)


@door.put("/staff/venues/<key:key>")
@door.takes(VenueIn)
@door.gives(SiteOut, refuses=(422,))
def describe_staff_venue(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """写场地说明

    Which floor, who may use it and how, and how one gets in.
    """
    venue = _venue(key)
    describe_venue(
        db.session(),
        venue,
        floor=sent["floor"] or "",
        use=sent["use"],
        access_note=sent["access_note"] or "",
        **hat(),
    )
    return _whole(venue.site)


def _venue(key: str) -> Venue:
    return venue_in(db.session(), key, within=office_places())


def _hours(sent: dict[str, Any]) -> list[Hours]:
    return [Hours(**one) for one in sent["items"]]


def _brief(site: Site, times: OpeningTimes) -> dict[str, Any]:
    return {
        "key": site.key,
        "name": site.name,
        "kind": site.kind,
        "address": site.address,
        "phone": site.phone,
        "region": site.region,
        "rooms": len(site.venues),
        "today": _day(times, times.of_site(site), clock.today()),
    }


def _whole(site: Site) -> dict[str, Any]:
    times = OpeningTimes(db.session(), [site])
    hours = times.of_site(site)
    return {
        **_brief(site, times),
        "hours": {"its_own": times.is_written(site), "items": hours},
        "week": _week(times, hours),
        "venues": _rooms(site.venues, times),
    }


def _rooms(venues: Sequence[Venue], times: OpeningTimes) -> list[dict[str, Any]]:
    rules, equipment = rules_for_everybody(venues), equipment_of(db.session(), venues)
    photos = photos_of(db.session(), venues)
    return [
        {
            "key": venue.key,
            "name": venue.name,
            "capacity": venue.capacity,
            "floor": venue.floor,
            "use": venue.use,
            "access_note": venue.access_note,
            "hours": {"its_own": times.is_written(venue), "items": times.of_venue(venue)},
            "rules": rules.get(venue.id),
            "equipment": equipment[venue.id],
            "photos": photos[venue.id],
        }
        for venue in venues
    ]


def _week(times: OpeningTimes, hours: Sequence[Hours]) -> list[dict[str, Any]]:
    today = clock.today()
    return [_day(times, hours, today + timedelta(days=n)) for n in range(DAYS_AHEAD)]


def _day(times: OpeningTimes, hours: Iterable[Hours], on: date) -> dict[str, Any]:
    return {"on": on, "kind": times.kind_of(on), "open": times.on_day(hours, on)}
