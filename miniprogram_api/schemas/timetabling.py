"""Shapes of timetabling: runs as staff see them, and what staff decide about them."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.courses import RunOut
from miniprogram_api.schemas.fields import Cursor, Key, Limit, Shape, TownTime, Words, YesNo
from models.courses import RunState

LONGEST_REASON = 100
DECIDED_LABELS = {
    RunState.DRAFT: "草稿",
    RunState.IN_REVIEW: "待审核",
    RunState.PUBLISHED: "已发布",
    RunState.CANCELLED: "已取消",
    RunState.ARCHIVED: "已归档",
}


class VenueOut(Shape):
    """A room."""

    key = Key(required=True)
    name = fields.String(required=True)
    site = fields.String(attribute="site.name", required=True)
    capacity = fields.Integer(required=True)


class VenuesOut(Shape):
    """Every room one may use."""

    items = fields.List(fields.Nested(VenueOut), required=True)


class StaffRunsQuery(Shape):
    """Which runs to list."""

    state = fields.Enum(RunState, by_value=True)
    cursor = Cursor()
    limit = Limit()


class StaffRunOut(RunOut):
    """A run as staff see it: also what residents do not see yet. ``decided`` is what staff decided, ``state`` where it stands now."""

    decided = fields.Enum(RunState, by_value=True, attribute="state", required=True)
    decided_label = fields.Function(
        lambda run: DECIDED_LABELS[run.state], metadata={"type": "string"}, required=True
    )
    published_at = TownTime(required=True, allow_none=True)
    sent_back_because = fields.String(required=True)
    seats_taken = fields.Integer(required=True)
    seats_held = fields.Integer(required=True)
    held_until = TownTime(required=True, allow_none=True)
    after_course = fields.String(
        attribute="after_course.key", dump_default=None, required=True, allow_none=True
    )
    min_to_open = fields.Integer(required=True, allow_none=True)
    cancelled_because = fields.String(required=True)


class StaffRunsOut(Shape):
    """One page of runs."""

    items = fields.List(fields.Nested(StaffRunOut), required=True)
    next = fields.String(required=True, allow_none=True)


class BecauseIn(Shape):
    """Why, in words the people concerned will read."""

    because = Words(LONGEST_REASON, required=True)


class PublicationIn(Shape):
    """When a run is published; at once when nothing is said."""

    at = TownTime(metadata={"description": "定时发布的时间"})
    at_the_hour = YesNo(load_default=False, metadata={"description": "在社区每天统一发布的时间发布"})


class MoveIn(Shape):
    """When one evening is held from now on, and where."""

    starts_at = TownTime(required=True)
    ends_at = TownTime(required=True)
    venue = Key()
    because = Words(LONGEST_REASON, required=True)
    even_so = YesNo(load_default=False, metadata={"description": "有人时间冲突也照样改"})


class CalledOffOut(Shape):
    """What became of the run, and how many people are told."""

    run = fields.Nested(StaffRunOut, required=True)
    told = fields.Integer(required=True)
