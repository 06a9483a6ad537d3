"""Availability (空闲时段): what is free of a room, or of all rooms of a service point, for a day or a week in one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from miniprogram_api.acting import oneself_or_ward
from miniprogram_api.edge import Door, Needs, account
from miniprogram_api.reservations import must_be_resident
from miniprogram_api.schemas.availability import (
    AvailabilityQuery,
    SiteAvailabilityOut,
    SiteChoicesOut,
    SiteChoicesQuery,
    VenueAvailabilityOut,
    VenueChoicesOut,
    VenueChoicesQuery,
)
from models import clock
from models.availability import RoomDay, availability, slots_of
from models.base import db
from models.coordination.closures import PURPOSES, reasons_of
from models.errors import Conflict, Fault
from models.groups import group_led_by
from models.occupancy import Purpose
from models.policies import Policies
from models.reservations import DayOfChoices, Party, choices
from models.sites import Venue, site_by_key, venue_by_key
from models.venue_policies import policies_of_each

door = Door("availability", description="空闲时段")

# beyond, no calendar says what a day is, and nobody plans
SHOWN_BACK, SHOWN_AHEAD = timedelta(days=31), timedelta(days=366)


@door.get("/venues/<key:key>/availability", needs=Needs.NOTHING, kept=True)
@door.takes(AvailabilityQuery, location="query")
@door.gives(VenueAvailabilityOut, refuses=(404, 409, 422))
def show_venue_availability(wanted: dict[str, Any], key: str) -> dict[str, Any]:
    """场地空闲时段

    When the room is open, its fixed slots and which of them can still be had, what else is free, and what holds it, up to fourteen days
    from one on. At most two seconds old: who takes a slot is told for sure. What one could take oneself is at
    ``/me/venue-choices``. 409 ``day_out_of_sight`` beyond 31 days back or a year ahead.
    """
    venue = venue_by_key(db.session(), key)
    found, numbers = _looked_up([venue], wanted)
    reasons = _reasons(found)
    return {
        "venue": venue,
        "days": [
            {"on": day.on, "kind": day.kind, **_stretches(venue, day, numbers[venue.id], reasons)}
            for day in found[venue.id]
        ],
    }


@door.get("/sites/<key:key>/availability", needs=Needs.NOTHING, kept=True)
@door.takes(AvailabilityQuery, location="query")
@door.gives(SiteAvailabilityOut, refuses=(404, 409, 422))
def show_site_availability(wanted: dict[str, Any], key: str) -> dict[str, Any]:
    """服务点空闲时段

    The same for all rooms of a service point at once: the rooms, and then day by day, room by room in their order.
    """
    venues = site_by_key(db.session(), key).venues
    found, numbers = _looked_up(venues, wanted)
    reasons = _reasons(found)
    return {
        "venues": venues,
        "days": [
            {
                "on": days[0].on,
                "kind": days[0].kind,
                "rooms": [
                    {"venue": venue.key, **_stretches(venue, day, numbers[venue.id], reasons)}
                    for venue, day in zip(venues, days, strict=True)
                ],
            }
            for days in zip(*(found[venue.id] for venue in venues), strict=True)
        ],
    }


@door.get("/me/venue-choices")
@door.takes(VenueChoicesQuery, location="query")
@door.gives(VenueChoicesOut, refuses=(409, 422))
def show_venue_choices(wanted: dict[str, Any]) -> dict[str, Any]:
    """我能约的时段（场地）

    What of it a tap would give to the person who asks, to somebody they act for, or to the group they lead, and why not the rest: their own
    reasons first, then that it is taken, and whether they could wait. ``free``: what can be chosen on the half hours beside the fixed slots.
    """
    venue = venue_by_key(db.session(), wanted["venue"])
    found = _choices([venue], wanted)
    return {"venue": venue, "days": found[venue.id]}


@door.get("/me/site-choices")
@door.takes(SiteChoicesQuery, location="query")
@door.gives(SiteChoicesOut, refuses=(409, 422))
def show_site_choices(wanted: dict[str, Any]) -> dict[str, Any]:
    """我能约的时段（服务点）

    The same of the fixed slots of all rooms of a service point at once.
    """
    venues = site_by_key(db.session(), wanted["site"]).venues
    found = _choices(venues, wanted, beside_slots=False)
    return {
        "venues": venues,
        "days": [
            {
                "on": days[0].on,
                "rooms": [
                    {"venue": venue.key, "slots": day.slots} for venue, day in zip(venues, days, strict=True)
                ],
            }
            for days in zip(*(found[venue.id] for venue in venues), strict=True)
        ],
    }


def _choices(
    venues: Sequence[Venue], wanted: dict[str, Any], *, beside_slots: bool = True
) -> dict[int, list[DayOfChoices]]:
    must_be_resident()
    first, session = wanted.get("first", clock.today()), db.session()
    must_be_in_sight(first)
    person = oneself_or_ward(wanted.get("for_key"))
    group = group_led_by(session, person, wanted["group"]) if "group" in wanted else None
    return choices(
        session,
        venues,
        whose=Party(person, group),
        first=first,
        days=wanted["days"],
        headcount=wanted["headcount"],
        acted_for=person.account_id != account().id,
        beside_slots=beside_slots,
    )


def _looked_up(
    venues: Sequence[Venue], wanted: dict[str, Any]
) -> tuple[dict[int, list[RoomDay]], dict[int, Policies]]:
    first = wanted.get("first", clock.today())
    must_be_in_sight(first)
    session = db.session()
    return availability(session, venues, first=first, days=wanted["days"]), policies_of_each(session, venues)


def must_be_in_sight(first: date) -> None:
    """Raise Conflict ``day_out_of_sight`` beyond ``SHOWN_BACK`` and ``SHOWN_AHEAD``."""
    today = clock.today()
    if not today - SHOWN_BACK <= first <= today + SHOWN_AHEAD:
        message = f"只能看 {today - SHOWN_BACK} 到 {today + SHOWN_AHEAD} ，请换一个日期"
        raise Conflict("day_out_of_sight", message, faults=[Fault("first", message)])


@dataclass(frozen=True)
class _Closed:
    """When a room is closed, and why."""

    starts_at: datetime
    ends_at: datetime
    purpose: Purpose
    because: str


def _reasons(found: Mapping[int, Sequence[RoomDay]]) -> Mapping[str, str]:
    """Why what is closed in these days is closed, by the closure's key: nothing is asked where nothing is closed."""
    closed = {
        held.holder_key
        for days in found.values()
        for day in days
        for held in day.held
        if held.purpose in PURPOSES.values()
    }
    return reasons_of(db.session(), closed)


def _stretches(venue: Venue, day: RoomDay, numbers: Policies, reasons: Mapping[str, str]) -> dict[str, Any]:
    held = [
        _Closed(one.starts_at, one.ends_at, one.purpose, reasons[one.holder_key])
        if one.holder_key in reasons
        else one
        for one in day.held
    ]
    return {"open": day.open, "slots": slots_of(venue, day, numbers), "free": day.free, "held": held}
