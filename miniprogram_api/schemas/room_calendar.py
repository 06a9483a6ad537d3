"""Shapes of the calendar of all rooms, for those who work there."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.agreements import AGREEMENT_STATE_LABELS
from miniprogram_api.schemas.availability import AvailabilityQuery, StretchOut
from miniprogram_api.schemas.fields import Cursor, Day, Key, Limit, QueryYesNo, Shape, TownTime, masked_name
from miniprogram_api.schemas.regions import RegionBrief
from miniprogram_api.schemas.reservations import STATE_LABELS
from miniprogram_api.schemas.sites import RoomBrief
from miniprogram_api.schemas.timetabling import DECIDED_LABELS
from models.coordination.holders import WORDS, Holder
from models.hours import OpenOn
from models.occupancy import Purpose

MOST_SITES = 20
_STATES: dict[Purpose, dict[str, str]] = {
    Purpose.COURSE_SESSION: {state.value: label for state, label in DECIDED_LABELS.items()},
    Purpose.RESERVATION: {state.value: label for state, label in STATE_LABELS.items()},
    Purpose.SERVICE: {state.value: label for state, label in AGREEMENT_STATE_LABELS.items()},
}


def state_label_of(holder: Holder) -> str | None:
    """How whatever holds a room stands, as staff read it."""
    return _STATES.get(holder.purpose, {}).get(holder.state or "")


class RoomCalendarQuery(AvailabilityQuery):
    """Which days of which service points: of one, or of all of the places one works for, page by page."""

    site = Key(metadata={"description": "哪个服务点，不填为所管的全部"})
    names = QueryYesNo(load_default=False, metadata={"description": "是否看预约人，查看会记入操作日志"})
    cursor = Cursor()
    limit = Limit(default=MOST_SITES, most=MOST_SITES)


class UseOut(StretchOut):
    """One use of a room, without the cleaning after it.

    ``subject`` leads to the run, the reservation, the agreement or the closure; ``venue`` is the room it is in, which for a hall may be its
    half. ``resident`` and ``name`` are there when they were asked for.
    """

    purpose = fields.Enum(Purpose, by_value=True, required=True)
    word = fields.Function(lambda one: WORDS[one["purpose"]], metadata={"type": "string"}, required=True)
    title = fields.String(required=True)
    host = fields.String(
        required=True, allow_none=True, metadata={"description": "团队、共建单位，或社区自用"}
    )
    state = fields.String(required=True, allow_none=True)
    state_label = fields.String(required=True, allow_none=True)
    subject = Key(required=True, allow_none=True)
    venue = Key(required=True, allow_none=True)
    headcount = fields.Integer(required=True, allow_none=True)
    held_until = TownTime(required=True, metadata={"description": "包括打扫的时间"})
    resident = Key(required=True, allow_none=True)
    name = fields.Function(
        lambda one: masked_name(one["name"]), metadata={"type": ["string", "null"]}, required=True
    )


class RoomOfCalendarOut(Shape):
    """One room on a day, by its key: when it is open, and its uses in order."""

    venue = Key(required=True)
    open = fields.List(fields.Nested(StretchOut), required=True)
    uses = fields.List(fields.Nested(UseOut), required=True)


class CalendarDayOut(Shape):
    """One day of every room of a service point."""

    on = Day(required=True)
    kind = fields.Enum(OpenOn, by_value=True, required=True)
    rooms = fields.List(fields.Nested(RoomOfCalendarOut), required=True)


class SiteCalendarOut(Shape):
    """Some days of one service point: the rooms once, and then day by day, room by room in their order."""

    key = Key(required=True)
    name = fields.String(required=True)
    region = fields.Nested(RegionBrief, required=True)
    venues = fields.List(fields.Nested(RoomBrief), required=True)
    days = fields.List(fields.Nested(CalendarDayOut), required=True)


class RoomCalendarOut(Shape):
    """A page of service points."""

    items = fields.List(fields.Nested(SiteCalendarOut), required=True)
    next = fields.String(allow_none=True, required=True)
