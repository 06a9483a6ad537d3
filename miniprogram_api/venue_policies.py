"""Numbers of one room (场地规则): what staff set for it, and what everybody is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from miniprogram_api.edge import Door
from miniprogram_api.office import hat, office_places
from miniprogram_api.schemas.sites import RulesOut
from miniprogram_api.schemas.venue_policies import VenuePoliciesIn, VenuePoliciesOut
from models.base import db
from models.reservations import NUMBERS_OF_REVIEWS, rewind_reviews_of
from models.sites import Venue, venue_in
from models.venue_policies import policies_of_each, rules_of, set_venue_policies

door = Door("venue_policies", description="场地规则")


class Slot(NamedTuple):
    """A stretch of a day that a room is reserved for as a whole."""

    opens_minute: int
    closes_minute: int


@door.get("/staff/venues/<key:key>/policies")
@door.gives(VenuePoliciesOut)
def list_venue_policies(key: str) -> dict[str, Any]:
    """场地规则（工作人员）

    Every rule of a room: what it means, what is in force, and whether the room has a number of its own or goes by its community.
    """
    return _shown(_venue(key))


@door.put("/staff/venues/<key:key>/policies")
@door.takes(VenuePoliciesIn)
@door.gives(VenuePoliciesOut, refuses=(409, 422))
def set_staff_venue_policies(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """设定场地规则（工作人员）

    One rule or several, all or none of them; null lets the room go by its community again, and what is not named stays as it is.
    Reservations that were made before stay; by when those that wait for review are to be looked at goes by the new numbers. 409 ``venue_policies_unfit`` names every value that makes no sense.
    """
    venue = _venue(key)
    wanted = [(one["name"], one["value"]) for one in sent["items"]]
    set_venue_policies(db.session(), venue, wanted, **hat())
    if not NUMBERS_OF_REVIEWS.isdisjoint(name for name, _ in wanted):
        rewind_reviews_of(db.session(), venue)
    return _shown(venue)


def rules_for_everybody(venues: Sequence[Venue]) -> dict[int, dict[str, Any]]:
    """What whoever wants to reserve one of these rooms has to know, by the room's id; a room that nobody reserves is not in it."""
    reserved = [venue for venue in venues if venue.takes_reservations]
    return {
        venue_id: {
            **{name: getattr(policies, name) for name in RulesOut().fields},
            "reserve_opens": f"{policies.reserve_opens:%H:%M}",
            "reserve_slots": [Slot(*each) for each in policies.reserve_slots],
        }
        for venue_id, policies in policies_of_each(db.session(), reserved).items()
    }


def _venue(key: str) -> Venue:
    return venue_in(db.session(), key, within=office_places())


def _shown(venue: Venue) -> dict[str, Any]:
    return {"items": rules_of(db.session(), venue)}
