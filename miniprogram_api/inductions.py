"""Inductions (使用培训): who was shown how to use a room, as staff write it down and as the person sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from miniprogram_api.acting import oneself_or_ward
from miniprogram_api.counter import resident_at_the_counter
from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door
from miniprogram_api.office import hat, office_places
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.courses import ForWhom
from miniprogram_api.schemas.inductions import (
    InductedOut,
    InductedPageOut,
    InductionIn,
    InductionsQuery,
    MyInductionsOut,
)
from models import clock
from models.base import db
from models.inductions import (
    Induction,
    inductions_in,
    inductions_of,
    record_induction,
    shown_once,
    take_induction_back,
)
from models.journal import enter_each
from models.sites import Venue, venue_in

door = Door("inductions", description="场地使用培训")


@door.get("/me/inductions")
@door.takes(ForWhom, location="query")
@door.gives(MyInductionsOut, refuses=(422,))
def list_my_inductions(whom: dict[str, Any]) -> dict[str, Any]:
    """我参加过的场地使用培训

    The rooms one was shown, and may reserve without being shown again; with ``?for=`` those of somebody one may act for.
    """
    resident = oneself_or_ward(whom.get("for_key"))
    return {"items": inductions_of(db.session(), [resident.id])}


@door.get("/staff/venues/<key:key>/inductions", looks=True)
@door.takes(InductionsQuery, location="query")
@door.gives(InductedPageOut, refuses=(422,))
def list_inducted(wanted: dict[str, Any], key: str) -> dict[str, Any]:
    """参加过使用培训的人（工作人员）

    Who was shown this room. Everybody listed is told in the journal that somebody looked.
    """
    found = inductions_in(
        db.session(), _venue(key), after_id=after_id(wanted.get("cursor")), most=wanted["limit"] + 1
    )
    shown = page(found, wanted["limit"], lambda one: [one.id])
    seen: Sequence[Induction] = shown["items"]
    enter_each(db.session(), "induction.looked_at", [(one, one.resident_id) for one in seen], **hat())
    return shown


@door.put("/staff/venues/<key:key>/inductions/<key:resident>", rate=RateName.COUNTER)
@door.takes(InductionIn)
@door.gives(InductedOut, refuses=(409, 422))
def record_staff_induction(sent: dict[str, Any], key: str, resident: str) -> Induction:
    """登记参加使用培训（工作人员）

    Somebody of the communities one works for was shown the room: today, or on the day that is named. Told again, the last day counts.
    """
    return record_induction(
        db.session(),
        _venue(key),
        resident_at_the_counter(resident),
        done_on=sent["done_on"] or clock.today(),
        **hat(),
    )


@door.delete("/staff/venues/<key:key>/inductions/<key:resident>", rate=RateName.COUNTER)
@door.gives(None, 204)
def take_staff_induction_back(key: str, resident: str) -> None:
    """撤回使用培训登记（工作人员）

    Somebody has to be shown the room again before they reserve it; what they reserved stays. Twice is fine.
    """
    venue = _venue(key)
    whom = shown_once(db.session(), venue, resident) or resident_at_the_counter(resident)
    take_induction_back(db.session(), venue, whom, **hat())


def _venue(key: str) -> Venue:
    return venue_in(db.session(), key, within=office_places())
