"""Shapes of where a wish stands (现在在谁手里): whose desk, the next step, by when, and whom to call, in words for whoever wished."""

from __future__ import annotations

from datetime import date

from marshmallow import fields

from miniprogram_api.schemas.fields import LastMoment, Shape, TownTime
from models import clock
from models.wishes import Standing, Urged, Wish, WishState
from models.wishes.clocks import Awaited, Desk

DESK_LABELS = {
    Desk.COMMUNITY: "社区",
    Desk.WALL: "心愿墙",
    Desk.UNIT: "认领单位",
    Desk.STREET: "街道",
    Desk.WISHER: "您",
}
_STEPS = {
    Awaited.REVIEW: "社区正在审核，看完会通知您",
    Awaited.MORE: "等您补充",
    Awaited.DECISION: "街道正在研究交给谁办",
    Awaited.AGREEMENT: "有单位认领了，等社区确认",
    Awaited.ACCEPTANCE: "社区已经派单，等单位接单",
    Awaited.CONTACT: "等{unit}联系您",
    Awaited.FULFILMENT: "{unit}正在办",
    Awaited.CONFIRMATION: "{unit}说办好了，请您确认",
    Awaited.RATING: "办得怎么样，请您评价",
}
OVER = {
    WishState.FULFILLED: "已经圆梦，谢谢您",
    WishState.CANNOT_FULFIL: "街道写了原因，有不同意见可以联系社区",
    WishState.REJECTED: "可以改一改再提交，也可以联系社区",
    WishState.WITHDRAWN: "已撤回，可以重新许愿",
}


def next_step_of(wish: Wish, standing: Standing | None, *, turns: int) -> str:
    """What comes next, and with whom; ``turns`` is how often a wish hangs on the wall before it goes to the street."""
    if standing is None:
        return OVER[wish.state]
    if standing.awaited is Awaited.SHOWING:
        shown = _day(wish.round.shown_on) if wish.round else "到公布的日子"
        return f"已通过，{shown}挂上心愿墙"
    if standing.awaited is Awaited.TAKING:
        then = "由街道研究交办" if wish.turn >= turns else "进入下一轮，排到前面"
        return f"第{wish.turn}轮，在心愿墙上等人认领，到期没有人认领的{then}"
    unit = standing.claim.partner.name if standing.claim is not None else ""
    return _STEPS[standing.awaited].format(unit=unit)


def said_of_urging(urged: Urged) -> str:
    """What somebody reads who asked how it goes."""
    if urged.is_new:
        return f"已催办，{urged.days}天内会有回音"
    return f"已经催办过了，正在处理；{_day(clock.in_town(urged.again_at).date())}以后可以再催"


def _day(on: date) -> str:
    return f"{on.month}月{on.day}日"


class StandingOut(Shape):
    """Whose desk a wish is on now, what comes next and by when, and whom to call about it."""

    desk = fields.Enum(Desk, by_value=True, required=True, allow_none=True)
    desk_label = fields.String(required=True, metadata={"description": "现在在谁手里，已经结束的是空的"})
    next_step = fields.String(required=True)
    expected_by = LastMoment(required=True, allow_none=True)
    phone = fields.String(required=True, metadata={"description": "打给谁问，没有登记时是空的"})
    urge_from = TownTime(
        required=True,
        allow_none=True,
        metadata={"description": "从什么时候起可以催办；在等您自己、或已经结束的没有"},
    )


class UrgedOut(Shape):
    """That somebody was asked how it goes, or had been already."""

    said = fields.String(required=True, metadata={"description": "显示给居民的话"})
    urged_at = TownTime(attribute="at", required=True)
    again_at = TownTime(required=True, metadata={"description": "从什么时候起可以再催"})
