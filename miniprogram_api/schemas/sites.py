"""Shapes of service points, their rooms, and when they are open."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from miniprogram_api.schemas.equipment import LentOut
from miniprogram_api.schemas.fields import Cursor, Day, Key, Limit, Matching, Shape, Words
from miniprogram_api.schemas.photos import PhotoOut
from miniprogram_api.schemas.regions import RegionBrief
from models.hours import MOST_STRETCHES, OpenOn, said_minute
from models.sites import SiteKind, VenueUse


class MinuteOfDay(Matching):
    """A time of the day on the town's clock, ``08:30``; ``24:00`` is the end of it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            "(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00", error="应为时刻，例如 08:30，最晚 24:00", **kwargs
        )

    def _deserialize(  # type: ignore[override]  # a text on the wire, a number here
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> int:
        hour, minute = super()._deserialize(value, attr, data, **kwargs).split(":")
        return int(hour) * 60 + int(minute)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str:
        return said_minute(value)


class OpenShape(Shape):
    """One stretch of a day in which a place is open."""

    opens = MinuteOfDay(attribute="opens_minute", required=True)
    closes = MinuteOfDay(attribute="closes_minute", required=True)


class HoursShape(OpenShape):
    """The same on every day of a kind."""

    on = fields.Enum(OpenOn, by_value=True, required=True)


class HoursIn(Shape):
    """When it is open; nothing at all lets a room go by its site, and a site by its community's policy."""

    items = fields.List(
        fields.Nested(HoursShape),
        required=True,
        validate=validate.Length(max=MOST_STRETCHES, error=f"最多写 {MOST_STRETCHES} 段开放时间"),
    )


class HoursOut(Shape):
    """The hours a place goes by; ``its_own`` whether they were written for it."""

    its_own = fields.Boolean(required=True)
    items = fields.List(fields.Nested(HoursShape), required=True)


class VenueIn(Shape):
    """What staff write of a room."""

    floor = Words(20, required=True, allow_none=True)
    use = fields.Enum(VenueUse, by_value=True, required=True)
    access_note = Words(200, required=True, allow_none=True)


class OpenDayOut(Shape):
    """One day: what it is by the calendar, and from when to when it is open, which may be never."""

    on = Day(required=True)
    kind = fields.Enum(OpenOn, by_value=True, required=True)
    open = fields.List(fields.Nested(OpenShape), required=True)


class RulesOut(Shape):
    """What whoever reserves a room has to know beforehand: how many days ahead and at what hour a new day opens, whether it goes by
    fixed slots (none: any stretch), how short and how long, and until when one may cancel or be late."""

    reserve_days = fields.Integer(required=True)
    group_reserve_days = fields.Integer(required=True)
    reserve_opens = fields.String(required=True, metadata={"description": "新的一天几点放出来，例如 08:00"})
    reserve_slots = fields.List(fields.Nested(OpenShape), required=True)
    reserve_least_minutes = fields.Integer(required=True)
    reserve_most_minutes = fields.Integer(required=True)
    group_most_minutes = fields.Integer(required=True)
    buffer_minutes = fields.Integer(required=True)
    others_may_reserve = fields.Boolean(required=True, metadata={"description": "其他社区的居民能不能预约"})
    cancel_room_hours = fields.Float(required=True)
    no_show_minutes = fields.Integer(required=True)


class RoomBrief(Shape):
    """A room in a list."""

    key = Key(required=True)
    name = fields.String(required=True)
    capacity = fields.Integer(required=True)
    floor = fields.String(required=True)
    use = fields.Enum(VenueUse, by_value=True, required=True)


class RoomOut(RoomBrief):
    """A room as everybody may see it; ``rules`` of one that nobody reserves are null."""

    access_note = fields.String(required=True)
    hours = fields.Nested(HoursOut, required=True)
    rules = fields.Nested(RulesOut, required=True, allow_none=True)
    equipment = fields.List(fields.Nested(LentOut), required=True)
    photos = fields.List(fields.Nested(PhotoOut), required=True)


class SiteOfRoom(Shape):
    """The service point a room is in."""

    key = Key(required=True)
    name = fields.String(required=True)
    kind = fields.Enum(SiteKind, by_value=True, required=True)
    address = fields.String(required=True)
    phone = fields.String(required=True)


class RoomByItselfOut(RoomOut):
    """A room by itself, with where it is and the seven days from today."""

    site = fields.Nested(SiteOfRoom, required=True)
    week = fields.List(fields.Nested(OpenDayOut), required=True)


class SiteBrief(SiteOfRoom):
    """A service point in a list."""

    region = fields.Nested(RegionBrief, required=True)
    rooms = fields.Integer(required=True)
    today = fields.Nested(OpenDayOut, required=True)


class SiteOut(SiteBrief):
    """A service point with its rooms and the seven days from today."""

    hours = fields.Nested(HoursOut, required=True)
    week = fields.List(fields.Nested(OpenDayOut), required=True)
    venues = fields.List(fields.Nested(RoomOut), required=True)


class SitesQuery(Shape):
    """Which service points to list."""

    region = Key()
    cursor = Cursor()
    limit = Limit()


class SitesOut(Shape):
    """A page of service points."""

    items = fields.List(fields.Nested(SiteBrief), required=True)
    next = fields.String(allow_none=True, required=True)
