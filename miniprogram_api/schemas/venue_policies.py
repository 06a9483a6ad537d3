"""Shapes of the numbers of one room, as staff set them."""

from __future__ import annotations

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import Matching, Shape
from models.policies import RULES
from models.venue_policies import OF_A_ROOM

_NAMES = [name for name in RULES if name in OF_A_ROOM]
_LONGEST = 80


class VenuePolicyShape(Shape):
    """One rule of a room; null lets it go by its community again."""

    name = fields.String(
        required=True, validate=validate.OneOf(_NAMES, error="这不是单个场地的规则，可选：{choices}")
    )
    value = Matching(
        f"[0-9:. \\-]{{0,{_LONGEST}}}",
        most=_LONGEST,
        error="请填数字、时刻（例如 08:00）或时段（例如 09:00-11:00 14:00-16:00）",
        required=True,
        allow_none=True,
    )


class VenuePoliciesIn(Shape):
    """What is to change; all of it, or nothing."""

    items = fields.List(
        fields.Nested(VenuePolicyShape),
        required=True,
        validate=validate.Length(1, len(_NAMES), error=f"一次写 1 到 {len(_NAMES)} 条规则"),
    )


class VenuePolicyOut(Shape):
    """One rule of a room: what it means, what is in force, and what would be without a number of its own.

    A number lies between ``least`` and ``most``; of a moment or of stretches of a day both are null.
    """

    name = fields.String(attribute="rule.name", required=True)
    meaning = fields.String(attribute="rule.meaning", required=True)
    value = fields.String(required=True)
    its_own = fields.Boolean(required=True)
    usual = fields.String(required=True)
    least = fields.Float(required=True, allow_none=True)
    most = fields.Float(required=True, allow_none=True)


class VenuePoliciesOut(Shape):
    """Every rule of a room."""

    items = fields.List(fields.Nested(VenuePolicyOut), required=True)
