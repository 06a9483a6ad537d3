"""Utilisation (使用率) for those who work there: how much of the time rooms were open they were used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from miniprogram_api.edge import Door, named_in
from miniprogram_api.office import office_places
from miniprogram_api.schemas.room_utilisation import USUAL_DAYS, UtilisationOut, UtilisationQuery
from models import clock
from models.base import db
from models.coordination.utilisation import Utilisation, utilisation
from models.errors import Conflict, Fault
from models.sites import Site, site_in, sites_within

door = Door("room_utilisation", description="场地使用率")

# ten years: longer than anybody compares
COUNTED_BACK = timedelta(days=3660)
# a centre of fifty rooms over a year; what is asked beyond would keep others waiting
MOST_ROOM_DAYS = 20_000
MOST_SITES = 500


@door.get("/staff/room-utilisation")
@door.takes(UtilisationQuery, location="query")
@door.gives(UtilisationOut, refuses=(409, 422))
def show_utilisation(wanted: dict[str, Any]) -> Utilisation:
    """场地使用率（工作人员）

    Of one ``site``, or of all of the places one works for, by room, by service point and in all, for up to 400 days: used minutes ÷ open
    minutes, counted from what really happened up to now. A hall whose half is used is half used, and a house counts each piece of floor once. 409
    ``range_too_wide`` where that is more rooms and days than can be counted at once.
    """
    session, days = db.session(), wanted["days"]
    first = wanted.get("first", clock.today() - timedelta(days=USUAL_DAYS - 1))
    must_be_past(first)
    sites = _sites(wanted)
    must_be_countable(sites, days)
    return utilisation(session, sites, first=first, days=days)


def _sites(wanted: dict[str, Any]) -> Sequence[Site]:
    session, places = db.session(), office_places()
    if "site" in wanted:
        with named_in("site"):
            return [site_in(session, wanted["site"], within=places)]
    return sites_within(session, places, after_id=None, most=MOST_SITES + 1)


def must_be_past(first: date) -> None:
    """Raise Conflict ``day_out_of_sight`` for what is ahead, or longer ago than anybody compares."""
    today = clock.today()
    if not today - COUNTED_BACK <= first <= today:
        message = f"只能算 {today - COUNTED_BACK} 到今天的使用率，请换一个日期"
        raise Conflict("day_out_of_sight", message, faults=[Fault("first", message)])


def must_be_countable(sites: Sequence[Site], days: int) -> None:
    """Raise Conflict ``range_too_wide`` for more rooms and days than are counted at once."""
    rooms = sum(len(site.venues) for site in sites)
    if len(sites) > MOST_SITES or rooms * days > MOST_ROOM_DAYS:
        raise Conflict(
            "range_too_wide",
            "一次算的场地和天数太多，请缩短日期，或只选一个服务点",
            faults=[Fault("days", "请缩短日期，或只选一个服务点")],
        )
