"""Shapes of rosters on paper."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.fields import Shape, Words
from models.courses import LONGEST_PURPOSE, SheetKind


class SheetIn(Shape):
    """Which sheet, and what for."""

    kind = fields.Enum(SheetKind, by_value=True, required=True)
    purpose = Words(
        LONGEST_PURPOSE,
        required=True,
        metadata={"description": "用途，会记入操作日志并印在每一页上，例如“12月3日课堂签到”"},
    )
