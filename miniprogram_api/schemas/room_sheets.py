"""Shapes of sheets of rooms."""

from __future__ import annotations

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import Day, Shape, Whole, Words, YesNo
from miniprogram_api.schemas.room_utilisation import MOST_DAYS
from models.coordination.sheets import RoomSheetKind
from models.courses import LONGEST_PURPOSE

MOST_DAYS_OF_A_CALENDAR = 92


class RoomSheetIn(Shape):
    """Which sheet, of which days, and what for."""

    kind = fields.Enum(RoomSheetKind, by_value=True, required=True)
    first = Day(required=True)
    days = Whole(
        required=True,
        validate=validate.Range(
            1, MOST_DAYS, error=f"安排表 1 到 {MOST_DAYS_OF_A_CALENDAR} 天，使用率 1 到 {MOST_DAYS} 天"
        ),
    )
    names = YesNo(
        load_default=False, metadata={"description": "安排表上是否写预约人的姓名；贴在墙上的请不要带姓名"}
    )
    purpose = Words(
        LONGEST_PURPOSE,
        required=True,
        metadata={"description": "用途，会记入操作日志并印在每一页上，例如“贴在大厅”"},
    )
