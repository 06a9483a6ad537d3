"""Shapes of notices and of the prompts that allow them."""

from __future__ import annotations

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import Cursor, Key, Limit, QueryYesNo, Shape, TownTime, Words
from models.grants import Answer
from models.notices import PROMPTS, Delivery, NoticeKind, TemplateName


class NoticesQuery(Shape):
    """Which part of the inbox."""

    cursor = Cursor()
    limit = Limit()
    unread = QueryYesNo(load_default=False, metadata={"description": "只看未读"})


class NoticeOut(Shape):
    """One message in the inbox, whatever became of it at WeChat."""

    key = Key(required=True)
    kind = fields.Enum(NoticeKind, by_value=True, required=True)
    title = fields.String(required=True)
    body = fields.String(required=True)
    page = fields.String(required=True, metadata={"description": "小程序页面路径"})
    created_at = TownTime(required=True)
    read_at = TownTime(required=True, allow_none=True)
    delivery = fields.Enum(Delivery, by_value=True, required=True)


class NoticesOut(Shape):
    """One page of the inbox, newest first."""

    items = fields.List(fields.Nested(NoticeOut), required=True)
    next = fields.String(required=True, allow_none=True)
    unread = fields.Integer(required=True, metadata={"description": "未读总数"})


class ReadThroughIn(Shape):
    """The newest message that was on the screen."""

    through = Key(required=True)


class InboxOut(Shape):
    """How many messages are left to read."""

    unread = fields.Integer(required=True)


class PromptsQuery(Shape):
    """At which tap."""

    moment = fields.String(required=True, validate=validate.OneOf(sorted(PROMPTS), error="没有这个场景"))


class PromptOut(Shape):
    """One template to ask for."""

    template = fields.Enum(TemplateName, by_value=True, required=True)
    template_id = fields.String(required=True)
    title = fields.String(required=True)
    remaining = fields.Integer(metadata={"description": "还能收到几条；只在登录后给出"})


class PromptsOut(Shape):
    """What to pass to ``wx.requestSubscribeMessage`` at this tap: at most three."""

    moment = fields.String(required=True)
    items = fields.List(fields.Nested(PromptOut), required=True)


class GrantsIn(Shape):
    """What ``wx.requestSubscribeMessage`` answered, template id by template id."""

    answers = fields.Dict(
        keys=Words(64),
        values=fields.Enum(Answer, by_value=True),
        required=True,
        validate=validate.Length(1, 5, error="一次 1 到 5 个模板"),
        metadata={"minProperties": 1, "maxProperties": 5},
    )


class GrantOut(Shape):
    """How many messages of one template may still be sent."""

    template = fields.String(required=True, validate=validate.OneOf(list(TemplateName)))
    remaining = fields.Integer(required=True)


class GrantsOut(Shape):
    """The ledger after this answer."""

    items = fields.List(fields.Nested(GrantOut), required=True)
