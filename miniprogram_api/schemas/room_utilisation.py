"""Shapes of how much rooms were used."""

from __future__ import annotations

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import Day, Key, QueryWhole, Shape, TownTime
from miniprogram_api.schemas.regions import RegionBrief
from miniprogram_api.schemas.sites import RoomBrief
from models.coordination.holders import WORDS
from models.occupancy import Purpose

MOST_DAYS = 400
USUAL_DAYS = 30


class UtilisationQuery(Shape):
    """Which days of which service points; the last thirty, of all of the places one works for, unless said otherwise."""

    site = Key(metadata={"description": "哪个服务点，不填为所管的全部"})
    first = Day(metadata={"description": "从哪一天算起，不填为三十天以来"})
    days = QueryWhole(
        load_default=USUAL_DAYS,
        validate=validate.Range(1, MOST_DAYS, error=f"一次算 1 到 {MOST_DAYS} 天"),
        metadata={"description": "算几天"},
    )


class PurposeUsageOut(Shape):
    """What one purpose comes to: minutes within the hours, how many uses, and how many people as far as they were counted."""

    purpose = fields.Enum(Purpose, by_value=True, required=True)
    word = fields.Function(lambda one: WORDS[one.purpose], metadata={"type": "string"}, required=True)
    minutes = fields.Integer(required=True)
    uses = fields.Integer(required=True)
    people = fields.Integer(required=True)


class UsageOut(Shape):
    """Minutes open and used, and the rate of the two, null where it was never open; of a house, minutes of each piece of its floor.

    ``closed_minutes``: 停用 and 征用 within the hours, not counted as open. ``outside_minutes``: used outside the hours, not counted as
    used. ``reserved_minutes``: what was reserved and not given up in time, ``no_show_minutes`` of it for nobody.
    """

    open_minutes = fields.Integer(required=True)
    used_minutes = fields.Integer(required=True)
    rate = fields.Float(required=True, allow_none=True, metadata={"description": "使用率，0 到 1"})
    closed_minutes = fields.Integer(required=True)
    outside_minutes = fields.Integer(required=True)
    reserved_minutes = fields.Integer(required=True)
    no_show_minutes = fields.Integer(required=True)
    no_shows = fields.Integer(required=True)
    uses = fields.Integer(required=True)
    people = fields.Integer(required=True)
    by_purpose = fields.List(fields.Nested(PurposeUsageOut), required=True)


class RoomUsageOut(Shape):
    """One room."""

    venue = fields.Nested(RoomBrief, required=True)
    usage = fields.Nested(UsageOut, required=True)


class SiteUsageOut(Shape):
    """One service point and its rooms."""

    key = Key(attribute="site.key", required=True)
    name = fields.String(attribute="site.name", required=True)
    region = fields.Nested(RegionBrief, attribute="site.region", required=True)
    usage = fields.Nested(UsageOut, required=True)
    rooms = fields.List(fields.Nested(RoomUsageOut), required=True)


class UtilisationOut(Shape):
    """All of them together and each by itself, up to a moment: what is ahead counts for nothing."""

    first = Day(required=True)
    last = Day(required=True)
    until = TownTime(required=True)
    usage = fields.Nested(UsageOut, required=True)
    sites = fields.List(fields.Nested(SiteUsageOut), required=True)
