"""What a fuzzer needs to know of rooms: one that is free, a reservation as an operation needs it, and what costs credit."""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from models import clock
from models.base import reading, transaction
from models.groups import Group, GroupState
from models.reservations import (
    LIVE,
    ROOM_PLEDGE,
    CreditWhy,
    Reservation,
    ReservationState,
    appeal_credit,
)
from models.reservations.charging import charge
from models.residents import Resident
from models.sites import Venue, VenueUse, add_venue
from models.venue_policies import set_venue_policy
from tests.people import Person, Town, a_site
from tests.rooms import again, at, by_phone, cancels, set_number, takes

NO_LIMITS = (
    "reservations_a_day",
    "reservations_a_week",
    "reserved_minutes_a_week",
    "group_reservations_a_week",
    "group_minutes_a_week",
    "credit_pause_days",
)
NOBODY = Person("", 0, "")
MADE_ANEW = 4
_counter = itertools.count(1)
_asked: dict[tuple[str, str, str], list[str]] = defaultdict(list)


def a_town_without_limits(town: Town) -> None:
    """People of the first community reserve as often as they like, and nobody is paused."""
    for name in NO_LIMITS:
        set_number(town.wutong, name, "0")
    set_number(town.wutong, "series_at_once", "20")


def is_about_rooms(label: str) -> bool:
    """Whether an operation wants a room that is free, a reservation or an entry of credit of its own."""
    path = label.partition(" ")[2]
    return (
        any(
            part in path
            for part in (
                "/reservations/{key}",
                "/credit-entries/{key}",
                "/venues/{key}/reservation",
                "/check-ins",
            )
        )
        and "/course-" not in path
    )


def a_rooms_key(label: str, who: object, town: Town) -> str:
    """The key of what this operation is about, made for it the first few times; who asks more often asks of the last one again."""
    asked = _asked[town.wutong.key, label, getattr(who, "key", "")]
    if len(asked) < MADE_ANEW:
        asked.append(_made_for(label, who, town))
    return asked[-1]


def _made_for(label: str, who: object, town: Town) -> str:
    path = label.partition(" ")[2]
    room = _a_free_room(town)
    if "/venues/" in path and not path.endswith("/check-ins"):
        return room.key
    whose = (
        who if isinstance(who, Person) and "/staff/" not in path and _lives_here(who, town) else town.resident
    )
    made = _reserved(town, whose, room, label)
    if path.endswith("/check-ins"):
        return room.key
    return made.key if "/credit-" not in path else _an_entry(made, whose, appealed="/staff/" in path)


def fill_room(body: dict[str, Any], label: str, who: object, address: Any) -> None:
    """Half hours of tomorrow, the pledge in force, a group one leads, codes as they are."""
    if "starts_at" in body and "wanted_for" in body:
        body |= _tomorrow()
        body["equipment"] = []
        if "/staff/" not in label and not label.endswith("/look"):
            body["pledge"] = ROOM_PLEDGE.version
        _fill_whose(body, label, who)
    if label == "POST /api/v1/staff/reservations/decisions":
        for item in body.get("items") or []:
            if isinstance(item, dict):
                item["approve"] = True  # a no wants a reason
    if label.endswith("/check-in") and {"door_code", "scene"} & body.keys():
        body.pop("scene", None)
        body["door_code"] = "000000"
    if label == "POST /api/v1/staff/venues/{key}/check-ins":
        body["code"] = _code_of_room((address or {}).get("key", ""))
    if label.endswith("/reservations/{key}/equipment"):
        body["equipment"] = []


def _tomorrow() -> dict[str, Any]:
    starts_at = clock.in_town(at(9 + next(_counter) % 9))
    return {
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        "headcount": 3,
    }


def _fill_whose(body: dict[str, Any], label: str, who: object) -> None:
    body.pop("resident", None)
    body.pop("group", None)
    if "series" in label:
        body["weeks"] = 2
        body.pop("days", None)
        body["group"] = _a_group_of(who)


def _a_group_of(who: object) -> str:
    leader = who.resident_id if isinstance(who, Person) else None
    with reading() as session:
        return (
            session.scalars(
                select(Group.key)
                .where(Group.leader_id == leader, Group.state == GroupState.APPROVED)
                .order_by(Group.id)
            ).first()
            or "a" * 16
        )


def _lives_here(who: Person, town: Town) -> bool:
    with reading() as session:
        resident = session.get(Resident, who.resident_id)  # none: they left the town meanwhile
        return resident is not None and resident.home_region_id == town.wutong.id


def _a_free_room(town: Town) -> Venue:
    with transaction() as session:
        room = add_venue(session, a_site(session, town.wutong), name="自由厅", capacity=30)
        room.use = VenueUse.AT_ONCE
        set_venue_policy(session, room, "others_may_reserve", "1")
        return room


def _reserved(town: Town, whose: Person, room: Venue, label: str) -> Reservation:
    """A reservation as the operation needs it: waiting for a review, offered, entered, or simply theirs."""
    path, starts_at = (
        label.partition(" ")[2],
        at(9, on=clock.today() + timedelta(days=next(_counter) % 5 + 1)),
    )
    if path.endswith("/check-ins"):
        starts_at = at(15, on=clock.today())  # a code is good on its day
    if path.endswith(("/approval", "/rejection")):
        with transaction() as session:
            session.get_one(Venue, room.id).use = VenueUse.REVIEWED
    if path.endswith("/acceptance"):
        before = takes(None, room, starts_at)
        made = _takes(whose, room, starts_at, waits=True)
        cancels(NOBODY, before)
        return made
    made = _takes(whose, room, starts_at)
    if path.endswith(("/check-in", "/check-ins", "/sign-out", "/damage")):
        with transaction() as session:
            row = again(session, made)
            row.state, row.checked_in_at = ReservationState.CHECKED_IN, clock.now()
    return made


def _takes(whose: Person, room: Venue, starts_at: Any, *, waits: bool = False) -> Reservation:
    """A reservation of somebody who has no other any more."""
    with transaction() as session:
        session.execute(
            update(Reservation)
            .where(Reservation.resident_id == whose.resident_id, Reservation.state.in_(LIVE))
            .values(state=ReservationState.FINISHED, offer_expires_at=None)
        )
    return takes(whose, room, starts_at, waits=waits)


def _an_entry(made: Reservation, whose: Person, *, appealed: bool) -> str:
    with transaction() as session:
        entry = charge(session, again(session, made), CreditWhy.NO_SHOW)
        assert entry is not None
        if appealed:
            appeal_credit(session, entry, "家里有急事", by=by_phone(whose))
        return entry.key


def _code_of_room(key: str) -> str:
    with reading() as session:
        return (
            session.scalars(
                select(Reservation.code).join(Venue).where(Venue.key == key).order_by(Reservation.id.desc())
            ).first()
            or "000000"
        )
