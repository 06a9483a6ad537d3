"""Shapes of content checks, for the clerks who decide where WeChat could not."""

from __future__ import annotations

from marshmallow import ValidationError, fields, validates_schema

from miniprogram_api.schemas.fields import Cursor, Key, Limit, Shape, TownTime, Words
from miniprogram_api.schemas.regions import RegionBrief
from models.content_checks import CheckKind, CheckState, Decision, HeldBecause, field_of

STATE_LABELS = {
    CheckState.PENDING: "等微信检查",
    CheckState.WAITING: "等人工审核",
    CheckState.PASSED: "微信检查通过",
    CheckState.RISKY: "微信检查不通过",
    CheckState.APPROVED: "人工通过",
    CheckState.REJECTED: "人工驳回",
    CheckState.DROPPED: "已作废",
}
HELD_LABELS = {
    HeldBecause.DOUBTFUL: "微信拿不准，建议人工看一看",
    HeldBecause.UNANSWERED: "微信当时没有答复",
    HeldBecause.USED_UP: "当时微信的检查次数已用完",
    HeldBecause.AWAY: "提交人两小时内没有打开过小程序，微信不检查",
    HeldBecause.TOO_LONG: "文字太长，微信不检查",
    HeldBecause.NOT_FETCHED: "微信没有取到图片",
    HeldBecause.TIMED_OUT: "微信三十分钟没有给出结果",
}


class ChecksQuery(Shape):
    """Which checks, and which part of them."""

    state = fields.Enum(CheckState, by_value=True, load_default=CheckState.WAITING)
    cursor = Cursor()
    limit = Limit()


class DecisionIn(Shape):
    """What a clerk says, and why; the person reads the reason."""

    decision = fields.Enum(Decision, by_value=True, required=True)
    reason = Words(80, metadata={"description": "驳回时必填；提交人会看到"})

    @validates_schema
    def a_rejection_says_why(self, sent: dict[str, object], **_: object) -> None:
        """An approval may."""
        if sent.get("decision") is Decision.REJECT and "reason" not in sent:
            raise ValidationError("驳回时请写明原因", "reason")


class CheckOut(Shape):
    """One check. What was written, or where the picture lies, only while somebody may have to look."""

    key = Key(required=True)
    kind = fields.Enum(CheckKind, by_value=True, required=True)
    field = fields.Function(
        lambda check: field_of(check).label,
        metadata={"type": "string", "description": "填写的是什么，例如“姓名”"},
        required=True,
    )
    community = fields.Nested(RegionBrief, required=True)
    state = fields.Enum(CheckState, by_value=True, required=True)
    state_label = fields.Function(
        lambda check: STATE_LABELS[check.state], metadata={"type": "string"}, required=True
    )
    text = fields.String(attribute="written", required=True, allow_none=True)
    image_url = fields.String(required=True, allow_none=True)
    found = fields.String(
        required=True, allow_none=True, metadata={"description": "微信认为有什么问题，例如“广告”"}
    )
    held_because = fields.Enum(HeldBecause, by_value=True, required=True, allow_none=True)
    held_label = fields.Function(
        lambda check: HELD_LABELS.get(check.held_because),
        metadata={"type": ["string", "null"], "description": "为什么要人工审核"},
        required=True,
    )
    submitted_at = TownTime(attribute="created_at", required=True)
    held_at = TownTime(required=True, allow_none=True, metadata={"description": "从什么时候起要人工审核"})
    decided_at = TownTime(required=True, allow_none=True)
    decided_by = fields.Function(
        lambda check: check.decided_by and check.decided_by.name,
        metadata={"type": ["string", "null"], "description": "作出决定的工作人员"},
        required=True,
    )
    reason = fields.String(required=True, allow_none=True)


class ChecksOut(Shape):
    """One page of checks, oldest first."""

    items = fields.List(fields.Nested(CheckOut), required=True)
    next = fields.String(required=True, allow_none=True)
