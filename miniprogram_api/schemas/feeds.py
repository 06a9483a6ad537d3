"""Shapes of calendar feeds."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.fields import Shape, TownTime


class FeedOut(Shape):
    """One's own feed. Whoever has the address sees one's classes, so it is nobody else's business."""

    path = fields.String(
        required=True, metadata={"description": "订阅地址（接在本站域名后面）；知道它的人都能看到您的课表"}
    )
    opened_at = TownTime(required=True)


class VenueFeedOut(Shape):
    """The feed of a room. Whoever has the address sees what the screen in the hall shows."""

    path = fields.String(
        required=True,
        metadata={"description": "订阅地址（接在本站域名后面）；内容和大厅屏一样，没有个人信息"},
    )
    opened_at = TownTime(required=True)


class CopiedFeedOut(Shape):
    """That there is a feed, and since when."""

    opened_at = TownTime(required=True)
