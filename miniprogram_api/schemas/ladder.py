"""Shapes of the call list, and of who can be told."""

from __future__ import annotations

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import Cursor, Key, Limit, Shape, TownTime, Whole, Words
from miniprogram_api.schemas.regions import RegionBrief
from models.ladder import CallOutcome, CallState, Rung, ShortMessageState
from models.ladder.calls import LONGEST_NOTE, TO_DO
from models.notices import NoticeKind, TemplateName

CALL_LABELS = {
    CallState.OPEN: "待拨打",
    CallState.NOT_REACHED: "没打通，稍后再打",
    CallState.REACHED: "已告知",
    CallState.WRONG_NUMBER: "号码不对",
    CallState.CANCELLED: "不用再打",
}
REASON_LABELS = {
    ShortMessageState.NO_PHONE: "没有可以发短信的手机号",
    ShortMessageState.CAPPED: "当天短信已满",
    ShortMessageState.REFUSED: "短信被拒收",
    ShortMessageState.FAILED: "短信没发出去",
    ShortMessageState.UNKNOWN: "短信不知道有没有送到",
}
MOST_TRIES = 1000


class CallsQuery(Shape):
    """Which calls; left out, those that are still to be made."""

    state = fields.Enum(CallState, by_value=True)
    cursor = Cursor()
    limit = Limit()


class CallOut(Shape):
    """One call: whom, what to say, and what came of it so far. The number is there as long as somebody is to call it."""

    key = Key(required=True)
    state = fields.Enum(CallState, by_value=True, required=True)
    state_label = fields.Function(
        lambda call: CALL_LABELS[call.state], metadata={"type": "string"}, required=True
    )
    kind = fields.Enum(NoticeKind, by_value=True, required=True)
    title = fields.String(required=True)
    body = fields.String(required=True, metadata={"description": "电话里要说的话"})
    name = fields.String(attribute="resident.name", required=True, allow_none=True)
    phone = fields.Function(
        lambda call: call.resident.phone if call.state in TO_DO else None,
        metadata={"type": ["string", "null"]},
        required=True,
    )
    community = fields.Nested(RegionBrief, attribute="region", required=True)
    reason = fields.Function(
        lambda call: REASON_LABELS[call.reason],
        metadata={"type": "string", "description": "为什么要打电话"},
        required=True,
    )
    due_at = TownTime(required=True, metadata={"description": "从什么时候起可以打"})
    tries = fields.Integer(required=True, metadata={"description": "已经打过几次"})
    tried_at = TownTime(required=True, allow_none=True)
    by_name = fields.String(attribute="by_staff.name", required=True, allow_none=True, dump_default=None)
    note = fields.String(required=True, allow_none=True)
    created_at = TownTime(required=True)
    settled_at = TownTime(required=True, allow_none=True)


class CallsOut(Shape):
    """One page of the call list, the one due first in front."""

    items = fields.List(fields.Nested(CallOut), required=True)
    next = fields.String(required=True, allow_none=True)


class CallOutcomeIn(Shape):
    """What came of one try: ``attempt`` is the call's ``tries`` plus one."""

    outcome = fields.Enum(CallOutcome, by_value=True, required=True)
    attempt = Whole(
        required=True,
        validate=validate.Range(1, MOST_TRIES, error=f"第 1 到第 {MOST_TRIES} 次"),
        metadata={"description": "这是第几次拨打"},
    )
    note = Words(LONGEST_NOTE, load_default=None, allow_none=True)


class ReachQuery(Shape):
    """Of which kind of message."""

    moment = fields.Enum(TemplateName, by_value=True, load_default=TemplateName.CLASS_CHANGE)


class UnreachableOut(Shape):
    """Somebody no message can tell."""

    key = Key(attribute="resident.key", required=True)
    name = fields.String(attribute="resident.name", required=True, allow_none=True)
    rung = fields.Enum(
        Rung,
        by_value=True,
        required=True,
        metadata={"description": "call 只能打电话，none 没有任何联系方式"},
    )


class ReachOut(Shape):
    """How everybody with a place in the run would be told now, and whom no message can tell."""

    moment = fields.Enum(TemplateName, by_value=True, required=True)
    people = fields.Integer(required=True)
    by_wechat = fields.Integer(required=True)
    by_short_message = fields.Integer(required=True)
    by_call = fields.Integer(required=True)
    not_at_all = fields.Integer(required=True)
    summary = fields.String(required=True, metadata={"description": "例如：12 人中有 3 人联系不上"})
    unreachable = fields.List(fields.Nested(UnreachableOut), required=True)
