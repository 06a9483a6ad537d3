"""Shapes of regions."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.fields import Key, Shape
from models.regions import RegionKind


class RegionBrief(Shape):
    """A place, named."""

    key = Key(required=True)
    name = fields.String(required=True)


class RegionOut(RegionBrief):
    """A place in the tree."""

    kind = fields.Enum(RegionKind, by_value=True, required=True)
    parent = fields.Nested(RegionBrief, allow_none=True, required=True)


class RegionsOut(Shape):
    """The places people can belong to, parents before children."""

    items = fields.List(fields.Nested(RegionOut), required=True)
