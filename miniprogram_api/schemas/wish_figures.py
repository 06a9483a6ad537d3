"""Shapes of how wishes go in a place."""

from __future__ import annotations

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import Day, Key, QueryWhole, Shape, TownTime, Whole, Words
from miniprogram_api.schemas.regions import RegionBrief
from models.courses import LONGEST_PURPOSE
from models.wishes import WishKind
from models.wishes.figures import FigureName

MOST_DAYS = 400
USUAL_DAYS = 30
FIGURE_LABELS = {
    FigureName.CLAIMED: "认领率",
    FigureName.FULFILLED: "圆梦率",
    FigureName.CLOSED: "办结率",
    FigureName.CLOSED_SAME_DAY: "当日办结率",
    FigureName.CLOSED_IN_TWO_DAYS: "两日办结率",
    FigureName.CLOSED_IN_THREE_DAYS: "三日办结率",
    FigureName.CLOSED_IN_TIME: "按时办结率",
    FigureName.ANSWERED: "响应率",
    FigureName.SATISFIED: "满意率",
}
KIND_LABELS = {
    WishKind.GOODS: "物质类",
    WishKind.SERVICE: "服务类",
    WishKind.SPIRIT: "精神类",
    WishKind.PUBLIC: "公共类",
}


def _days() -> fields.Integer:
    return QueryWhole(
        load_default=USUAL_DAYS,
        validate=validate.Range(1, MOST_DAYS, error=f"一次算 1 到 {MOST_DAYS} 天"),
        metadata={"description": "算几天"},
    )


class UnitFiguresQuery(Shape):
    """Which days; the last thirty, unless said otherwise."""

    first = Day(metadata={"description": "从哪一天算起，不填为三十天以来"})
    days = _days()


class WishFiguresQuery(UnitFiguresQuery):
    """Which days of which place."""

    region = Key(metadata={"description": "哪个地方，不填为所管的第一个"})


class WishSheetIn(Shape):
    """Which figures are on the sheet, and what for."""

    region = Key(required=True)
    first = Day(required=True)
    days = Whole(
        required=True,
        validate=validate.Range(1, MOST_DAYS, error=f"一次算 1 到 {MOST_DAYS} 天"),
    )
    purpose = Words(
        LONGEST_PURPOSE,
        required=True,
        metadata={"description": "用途，会记入操作日志并印在每一页上，例如“季度通报”"},
    )


class FigureOut(Shape):
    """So many of so many, and the share; all three null where ``is_hidden``: fewer than five, or others could be worked out from it."""

    name = fields.Enum(FigureName, by_value=True, required=True)
    label = fields.Function(lambda one: FIGURE_LABELS[one.name], metadata={"type": "string"}, required=True)
    counted = fields.Integer(required=True, allow_none=True)
    of = fields.Integer(required=True, allow_none=True, metadata={"description": "n，算的是几个"})
    rate = fields.Float(required=True, allow_none=True, metadata={"description": "0 到 1；n 为 0 时为空"})
    is_hidden = fields.Boolean(required=True, metadata={"description": "少于5，不显示"})


class CommunityFiguresOut(Shape):
    """One community."""

    region = fields.Nested(RegionBrief, required=True)
    figures = fields.List(fields.Nested(FigureOut), required=True)


class KindFiguresOut(Shape):
    """Wishes of one kind."""

    kind = fields.Enum(WishKind, by_value=True, required=True)
    label = fields.Function(lambda one: KIND_LABELS[one.kind], metadata={"type": "string"}, required=True)
    figures = fields.List(fields.Nested(FigureOut), required=True)


class UnitFiguresOut(Shape):
    """What became of the claims of a unit, in all and by kind of wish."""

    first = Day(required=True)
    last = Day(required=True)
    counted_at = TownTime(required=True)
    figures = fields.List(fields.Nested(FigureOut), required=True)
    kinds = fields.List(fields.Nested(KindFiguresOut), required=True)


class WishFiguresOut(UnitFiguresOut):
    """How the wishes of a place went, in all, by community where there is more than one, and by kind."""

    region = fields.Nested(RegionBrief, required=True)
    communities = fields.List(fields.Nested(CommunityFiguresOut), required=True)
