"""Shapes of notices and of the prompts that allow them."""

from __future__ import annotations

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import (
    Cursor,
    Key,
    Limit,
    QueryYesNo,
    Shape,
    TownTime,
    Words,
    masked_name,
)
from models.grants import Answer
from models.notices import PROMPTS, Delivery, NoticeKind, TemplateName
from models.notices.dead_letters import DEAD


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


class DeadLettersQuery(Shape):
    """Which part of what did not arrive; everything unless told how it ended."""

    delivery = fields.String(
        validate=validate.OneOf(list(DEAD), error=f"可选：{'、'.join(DEAD)}"),
        metadata={"description": "怎么结束的：拒收、没发出去、结果不明、当日条数已满"},
    )
    cursor = Cursor()
    limit = Limit()


class DeadLetterOut(Shape):
    """One message that ended without surely arriving, for whom (masked), and what a clerk should know of it."""

    key = Key(attribute="notice.key", required=True)
    kind = fields.Enum(NoticeKind, by_value=True, attribute="notice.kind", required=True)
    title = fields.String(attribute="notice.title", required=True)
    name = fields.Function(
        lambda letter: masked_name(letter.resident.name),
        metadata={"type": ["string", "null"], "description": "收件人，姓名打码"},
        required=True,
    )
    created_at = TownTime(attribute="notice.created_at", required=True)
    settled_at = TownTime(attribute="notice.settled_at", required=True, allow_none=True)
    read_at = TownTime(attribute="notice.read_at", required=True, allow_none=True)
    delivery = fields.Enum(Delivery, by_value=True, attribute="notice.delivery", required=True)
    outcome = fields.String(attribute="why", required=True, metadata={"description": "怎么回事，该怎么办"})
    can_be_sent_again = fields.Boolean(required=True)


class DeadLettersOut(Shape):
    """One page of what did not arrive, the latest to end first."""

    items = fields.List(fields.Nested(DeadLetterOut), required=True)
    next = fields.String(required=True, allow_none=True)


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
