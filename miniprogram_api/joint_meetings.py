"""Joint meetings (联席会议): the street plans them, puts what waits on their agenda, moves them and calls them off; units read which concern them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, named_in, partner_hat
from miniprogram_api.office import hat
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.issue_orders import (
    MeetingIn,
    MeetingsOut,
    MeetingsQuery,
    MeetingWithAgendaOut,
    OrderReasonIn,
    PlanMeetingIn,
    UnitsMeetingOut,
    UnitsMeetingsOut,
)
from miniprogram_api.street import street_named, street_places
from models.base import db
from models.issue_orders import (
    IssueOrder,
    JointMeeting,
    MeetingPlan,
    agenda_of,
    call_off_meeting,
    change_meeting,
    claims_on_agendas,
    count_on_agendas,
    meeting_of,
    meeting_within,
    meetings_of,
    meetings_within,
    orders_by_keys,
    plan_meeting,
)
from models.partners import Partner
from models.regions import Region

door = Door("joint_meetings", description="联席会议")


@door.get("/staff/joint-meetings")
@door.takes(MeetingsQuery, location="query")
@door.gives(MeetingsOut, refuses=(422,))
def list_meetings(wanted: dict[str, Any]) -> dict[str, Any]:
    """联席会议列表（街道干部）

    Meetings of the streets one works for, the last planned first.
    """
    limit = wanted["limit"]
    rows = meetings_within(
        db.session(), street_places(), before_id=after_id(wanted.get("cursor")), most=limit + 1
    )
    return page(rows, limit, lambda meeting: [meeting.id])


@door.post("/staff/joint-meetings", rate=RateName.COUNTER)
@door.takes(PlanMeetingIn)
@door.gives(MeetingWithAgendaOut, 201, refuses=(409, 422))
def plan_a_meeting(sent: dict[str, Any]) -> dict[str, Any]:
    """安排联席会议（街道干部）

    About these items, about all that wait where none are named. Units of the street hear of it a week and a day before.
    """
    with named_in("region"):
        street = street_named(sent["region"])
    planned = plan_meeting(db.session(), street, _plan(sent), _orders(sent, street), **hat())
    return _shown(planned)


@door.get("/staff/joint-meetings/<key:key>")
@door.gives(MeetingWithAgendaOut)
def show_meeting(key: str) -> dict[str, Any]:
    """一次联席会议（街道干部）

    With its agenda, in the order of the street's list.
    """
    return _shown(_of_street(key))


@door.put("/staff/joint-meetings/<key:key>")
@door.takes(MeetingIn)
@door.gives(MeetingWithAgendaOut, refuses=(409, 422))
def change_a_meeting(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """修改联席会议（街道干部）

    Whoever was told hears at once where and when it is now; another title alone is told to nobody. ``orders`` names what it is about; left out,
    that stays as it is.
    """
    meeting = _of_street(key)
    change_meeting(db.session(), meeting, _plan(sent), _orders(sent, meeting.region), **hat())
    return _shown(meeting)


@door.put("/staff/joint-meetings/<key:key>/cancellation")
@door.takes(OrderReasonIn)
@door.gives(MeetingWithAgendaOut, refuses=(409, 422))
def call_a_meeting_off(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """取消联席会议（街道干部）

    Whoever was told of it hears that; what was on its agenda waits as before. Twice is fine.
    """
    meeting = _of_street(key)
    call_off_meeting(db.session(), meeting, sent["because"], **hat())
    return _shown(meeting)


@door.get("/partner/joint-meetings")
@door.takes(MeetingsQuery, location="query")
@door.gives(UnitsMeetingsOut, refuses=(422,))
def list_my_units_meetings(wanted: dict[str, Any]) -> dict[str, Any]:
    """与本单位有关的联席会议（单位）

    Meetings one's unit was called to, or on whose agenda stands what it has, the last planned first; with what it has there, by title.
    """
    limit, unit = wanted["limit"], partner_hat()
    rows = meetings_of(db.session(), unit, before_id=after_id(wanted.get("cursor")), most=limit + 1)
    shown = page(rows, limit, lambda meeting: [meeting.id])
    return {**shown, "items": _shown_to(unit, shown["items"])}


@door.get("/partner/joint-meetings/<key:key>")
@door.gives(UnitsMeetingOut)
def show_my_units_meeting(key: str) -> dict[str, Any]:
    """一次联席会议（单位）

    Where the message about it leads: when and where, what one's unit has of its agenda, and how many items wait there.
    """
    unit = partner_hat()
    (shown,) = _shown_to(unit, [meeting_of(db.session(), key, unit)])
    return shown


def _shown_to(unit: Partner, meetings: Sequence[JointMeeting]) -> list[dict[str, Any]]:
    ids = [meeting.id for meeting in meetings]
    ours = claims_on_agendas(db.session(), unit, ids)
    waiting = count_on_agendas(db.session(), ids)
    return [
        {"meeting": meeting, "ours": ours[meeting.id], "waiting": waiting[meeting.id]} for meeting in meetings
    ]


def _plan(sent: dict[str, Any]) -> MeetingPlan:
    return MeetingPlan(sent["title"], sent["starts_at"], sent["place"])


def _orders(sent: dict[str, Any], street: Region) -> Sequence[IssueOrder] | None:
    if sent["orders"] is None:
        return None
    with named_in("orders"):
        return orders_by_keys(db.session(), sent["orders"], street)


def _of_street(key: str) -> JointMeeting:
    return meeting_within(db.session(), key, within=street_places())


def _shown(meeting: JointMeeting) -> dict[str, Any]:
    return {"meeting": meeting, "agenda": agenda_of(db.session(), meeting)}
