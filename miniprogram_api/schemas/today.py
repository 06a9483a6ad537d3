"""Shapes of what is on today in a service point, as everybody may see it."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.availability import StretchOut
from miniprogram_api.schemas.fields import Day, Key, Shape, TownTime
from miniprogram_api.schemas.sites import RoomBrief
from models.coordination.holders import WORDS
from models.coordination.today import RoomNow
from models.hours import OpenOn
from models.occupancy import Purpose

NOW_LABELS = {
    RoomNow.IN_USE: "使用中",
    RoomNow.SHUT: "停用",
    RoomNow.CLEANING: "打扫中",
    RoomNow.FREE: "空闲",
    RoomNow.NOT_OPEN: "未开放",
}


class ProgrammeOut(StretchOut):
    """One use of a room, as everybody may read it; ``venue`` is the room it is in, which for a hall may be its half."""

    purpose = fields.Enum(Purpose, by_value=True, required=True)
    word = fields.Function(lambda one: WORDS[one["purpose"]], metadata={"type": "string"}, required=True)
    title = fields.String(required=True)
    venue = Key(required=True, allow_none=True)


class RoomTodayOut(Shape):
    """One room: how it is now and until when, what is on, and what is still to come today."""

    venue = fields.Nested(RoomBrief, required=True)
    now = fields.Enum(RoomNow, by_value=True, required=True)
    says = fields.String(required=True, metadata={"description": "现在怎么样，一句话"})
    until = TownTime(
        required=True, allow_none=True, metadata={"description": "到什么时候变，今天不再变时为空"}
    )
    can_be_reserved = fields.Boolean(required=True)
    use = fields.Nested(ProgrammeOut, required=True, allow_none=True)
    ahead = fields.List(fields.Nested(ProgrammeOut), required=True)


class TodayOut(Shape):
    """What is on today; ``page`` and ``screen`` are the same for a browser and for the screen in the hall."""

    key = Key(required=True)
    name = fields.String(required=True)
    on = Day(required=True)
    at = TownTime(required=True)
    kind = fields.Enum(OpenOn, by_value=True, required=True, allow_none=True)
    rooms = fields.List(fields.Nested(RoomTodayOut), required=True)
    page = fields.String(required=True, metadata={"description": "网页地址，接在服务的域名后面"})
    screen = fields.String(required=True, metadata={"description": "大厅屏地址，接在服务的域名后面"})
