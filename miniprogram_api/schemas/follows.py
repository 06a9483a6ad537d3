"""Shapes of follows: what one wants to hear of."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.fields import Key, Shape, TownTime, YesNo
from miniprogram_api.schemas.regions import RegionBrief


class FollowIn(Shape):
    """To hear of a community's new classes, or not to."""

    muted = YesNo(load_default=False, metadata={"description": "不再接收这个社区的每日新课"})


class FollowedCourseOut(Shape):
    """A course one follows."""

    key = Key(required=True)
    title = fields.String(required=True)
    community = fields.Nested(RegionBrief, attribute="region", required=True)


class FollowOut(Shape):
    """One thing one follows: a community or a course."""

    community = fields.Nested(RegionBrief, attribute="region", required=True, allow_none=True)
    course = fields.Nested(FollowedCourseOut, required=True, allow_none=True)
    muted = fields.Boolean(required=True)
    followed_at = TownTime(required=True)


class FollowsOut(Shape):
    """Everything one follows, in the order it was said."""

    items = fields.List(fields.Nested(FollowOut), required=True)
