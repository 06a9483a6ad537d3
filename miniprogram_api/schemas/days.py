"""Shapes of the day's list."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.courses import RunOut
from miniprogram_api.schemas.fields import Shape
from miniprogram_api.schemas.regions import RegionBrief


class ShareOut(Shape):
    """What a link to the day is called, where it leads in the mini-program, and the page for everybody else."""

    title = fields.String(required=True)
    path = fields.String(required=True)
    page = fields.String(required=True, metadata={"description": "网页地址，接在服务的域名后面"})


class DayOut(Shape):
    """What a place published on one day: at most a hundred runs, and how many there are."""

    region = fields.Nested(RegionBrief, required=True)
    date = fields.Date(attribute="on", required=True)
    says = fields.String(required=True)
    number = fields.Integer(required=True)
    items = fields.List(fields.Nested(RunOut), attribute="runs", required=True)
    before = fields.Date(required=True, allow_none=True, metadata={"description": "前一个有新课的日子"})
    after = fields.Date(required=True, allow_none=True, metadata={"description": "后一个有新课的日子"})
    share = fields.Nested(ShareOut, required=True)
