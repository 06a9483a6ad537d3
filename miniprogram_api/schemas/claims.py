"""Shapes of claims: what a unit promises and did, as the unit, who wished and the community read and write it."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import (
    Cursor,
    Day,
    Key,
    Limit,
    Matching,
    Shape,
    TownTime,
    Whole,
    Words,
)
from miniprogram_api.schemas.regions import RegionBrief
from miniprogram_api.schemas.wish_photos import WishPhotoOut
from models.wishes import AgeBand, HandOver, WishKind
from models.wishes.claims import (
    CODE_LENGTH,
    LEVEL_WORDS,
    LONGEST_NOTE,
    LONGEST_PLAN,
    LONGEST_REASON,
    MOST_MINUTES,
    Claim,
    ClaimState,
    EndedBecause,
    Evidence,
    Level,
    SettledBy,
)

CLAIM_STATE_LABELS = {
    ClaimState.APPLIED: "待社区确认",
    ClaimState.DISPATCHED: "待单位接单",
    ClaimState.IN_PROGRESS: "办理中",
    ClaimState.DELIVERED: "待居民确认",
    ClaimState.FULFILLED: "已圆梦",
    ClaimState.DECLINED: "社区没有同意",
    ClaimState.REFUSED: "单位没有接单",
    ClaimState.RELEASED: "已释放",
}
# what comes next, as the unit reads it
UNITS_NEXT_STEP = {
    ClaimState.APPLIED: "社区正在看，一个工作日内答复",
    ClaimState.DISPATCHED: "请写下计划和日子，接下这个心愿",
    ClaimState.IN_PROGRESS: "请按时办好，办好以后点“已送达”",
    ClaimState.DELIVERED: "等许愿人确认",
    ClaimState.FULFILLED: "已经圆梦，谢谢您",
    ClaimState.DECLINED: "看看别的心愿吧",
    ClaimState.REFUSED: "看看别的心愿吧",
    ClaimState.RELEASED: "看看别的心愿吧",
}
CALL_FIRST = "请先联系许愿人或社区，约好时间"
# as who wished reads it
WISHERS_NEXT_STEP = {
    ClaimState.IN_PROGRESS: "单位在办，有变化会告诉您",
    ClaimState.DELIVERED: "收到了请点“已收到”，没有请点“没办好”",
    ClaimState.FULFILLED: "办得怎么样，请您评价",
}
RATED = "已经评价了，谢谢您"
RATE_AGAIN = "社区说已经整改，请您再评价一次"


def _level(level: int | None) -> str | None:
    return None if level is None else LEVEL_WORDS[Level(level)]


def _may_rate(claim: Claim) -> bool:
    rating = claim.rating
    may_again = rating is None or (rating.mended_at is not None and rating.again_level is None)
    return claim.state is ClaimState.FULFILLED and may_again


def _wishers_next_step(claim: Claim) -> str:
    if claim.state is not ClaimState.FULFILLED or claim.rating is None:
        return WISHERS_NEXT_STEP.get(claim.state, "")
    return RATE_AGAIN if _may_rate(claim) else RATED


def _next_step(claim: Claim) -> str:
    if claim.state is ClaimState.IN_PROGRESS and claim.contacted_at is None:
        return CALL_FIRST
    return UNITS_NEXT_STEP[claim.state]


class PromiseTextOut(Shape):
    """What a unit promises that takes a wish on; its version is sent with the claim."""

    version = fields.String(required=True)
    text = fields.String(required=True)


class PromiseIn(Shape):
    """How a unit will do it, and by which day; ``promise`` is the version of the text it agrees to."""

    plan = Words(LONGEST_PLAN, required=True)
    promised_on = Day(required=True)
    promise = fields.String(
        load_default=None, allow_none=True, validate=validate.Length(max=20, error="最多 20 个字")
    )


class ClaimIn(PromiseIn):
    """What a unit takes on: so many pieces of a wish."""

    pieces = Whole(load_default=1, validate=validate.Range(1, 20, error="请填写 1 到 20"))


class ClaimReasonIn(Shape):
    """Why, in words the other side reads."""

    because = Words(LONGEST_REASON, required=True)


class ExtensionIn(ClaimReasonIn):
    """Until when, and why."""

    to = Day(required=True)


class DoneIn(Shape):
    """That it is done, and how that shows. With ``code`` evidence, the six figures the resident told."""

    evidence = fields.Enum(Evidence, by_value=True, required=True)
    note = Words(LONGEST_NOTE, load_default=None, allow_none=True)
    minutes = Whole(
        load_default=0,
        validate=validate.Range(0, MOST_MINUTES, error=f"请填写 0 到 {MOST_MINUTES}"),
        metadata={"description": "一共用了多少分钟，确认以后记入服务时长"},
    )
    code = Matching(f"[0-9]{{{CODE_LENGTH}}}", error="圆梦码是六位数字", load_default=None, allow_none=True)


class LeadIn(Shape):
    """Who of the unit leads from now on; oneself where nobody is named."""

    member = Key(load_default=None, allow_none=True)


class RatingIn(Shape):
    """How it was, from 1 (非常不满意) to 5 (非常满意), and a few words the community reads."""

    level = Whole(required=True, validate=validate.Range(1, 5, error="请选择 1 到 5"))
    words = Words(LONGEST_NOTE, load_default=None, allow_none=True)


class ContactsOut(Shape):
    """Whom to call. The address only where it is brought to their home."""

    name = fields.String(required=True)
    phone = fields.String(required=True)
    address = fields.String(required=True)


class ClaimedWishOut(Shape):
    """The wish of a claim, as everybody may know it, and where it is to be handed over."""

    key = Key(required=True)
    number = fields.Function(lambda wish: f"{wish.number:04}", metadata={"type": "string"}, required=True)
    shows_as = fields.String(required=True)
    title = fields.String(required=True)
    words = fields.String(attribute="public_words", required=True)
    kind = fields.Enum(WishKind, by_value=True, required=True)
    age_band = fields.Enum(AgeBand, by_value=True, required=True)
    community = fields.Nested(RegionBrief, attribute="region", required=True)
    quantity = fields.Integer(required=True)
    piece = fields.String(required=True)
    hand_over = fields.Enum(HandOver, by_value=True, required=True)


class FulfilmentOut(Shape):
    """What the unit said it did, and what was said of that."""

    evidence = fields.Enum(Evidence, by_value=True, required=True)
    note = fields.String(required=True)
    minutes = fields.Integer(required=True)
    at = TownTime(required=True)
    settled_at = TownTime(required=True, allow_none=True)
    settled_by = fields.Enum(SettledBy, by_value=True, required=True, allow_none=True)
    is_done = fields.Boolean(required=True, allow_none=True)
    verdict = fields.String(required=True)


class ClaimOut(Shape):
    """A claim, as its unit reads it."""

    key = Key(required=True)
    wish = fields.Nested(ClaimedWishOut, required=True)
    state = fields.Enum(ClaimState, by_value=True, required=True)
    state_label = fields.Function(
        lambda claim: CLAIM_STATE_LABELS[claim.state], metadata={"type": "string"}, required=True
    )
    next_step = fields.Function(_next_step, metadata={"type": "string"}, required=True)
    due_at = TownTime(required=True, allow_none=True)
    is_assigned = fields.Boolean(required=True, metadata={"description": "街道交办：一件事只能退回一次"})
    pieces = fields.Integer(required=True)
    plan = fields.String(required=True)
    promised_on = fields.Date(required=True, allow_none=True)
    extended_to = fields.Date(required=True, allow_none=True)
    extended_because = fields.String(required=True)
    claimed_at = TownTime(required=True)
    agreed_at = TownTime(required=True, allow_none=True)
    contacted_at = TownTime(required=True, allow_none=True)
    delivered_at = TownTime(required=True, allow_none=True)
    ended_at = TownTime(required=True, allow_none=True)
    ended_because = fields.Enum(EndedBecause, by_value=True, required=True, allow_none=True)
    because = fields.String(required=True)
    fulfilments = fields.List(fields.Nested(FulfilmentOut), required=True)
    photos = fields.List(fields.Nested(WishPhotoOut), required=True)
    rating = fields.Function(
        lambda claim: _level(claim.rating.again_level or claim.rating.level) if claim.rating else None,
        metadata={"type": ["string", "null"], "description": "居民的评价"},
        required=True,
    )


class UnitsQuery(Shape):
    """Which of a unit's claims."""

    state = fields.Enum(ClaimState, by_value=True)
    limit = Limit()
    cursor = Cursor()


class ClaimsOut(Shape):
    """A page of claims."""

    items = fields.List(fields.Nested(ClaimOut), required=True)
    next = fields.String(required=True, allow_none=True)


class MyClaimOut(Shape):
    """A claim on one's own wish: who comes, by when, and what to tell them. ``code`` only while it is under way."""

    key = Key(required=True)
    unit = fields.String(attribute="partner.name", required=True)
    state = fields.Enum(ClaimState, by_value=True, required=True)
    state_label = fields.Function(
        lambda claim: CLAIM_STATE_LABELS[claim.state], metadata={"type": "string"}, required=True
    )
    next_step = fields.Function(_wishers_next_step, metadata={"type": "string"}, required=True)
    pieces = fields.Integer(required=True)
    plan = fields.String(required=True)
    finishes_on = fields.Date(required=True, allow_none=True)
    code = fields.String(required=True, allow_none=True, metadata={"description": "圆梦码，办好了再告诉来人"})
    contacted_at = TownTime(required=True, allow_none=True)
    delivered_at = TownTime(required=True, allow_none=True)
    fulfilments = fields.List(fields.Nested(FulfilmentOut), required=True)
    photos = fields.List(fields.Nested(WishPhotoOut), required=True)
    level = fields.Function(
        lambda claim: (claim.rating.again_level or claim.rating.level) if claim.rating else None,
        metadata={"type": ["integer", "null"]},
        required=True,
    )
    may_rate = fields.Function(_may_rate, metadata={"type": "boolean"}, required=True)


class ClaimHelperOut(Shape):
    """Somebody who helps, by their unit alone."""

    unit = fields.String(attribute="partner.name", required=True)
    joined_at = TownTime(required=True)


class ClaimHelpersOut(Shape):
    """Who helps with a claim."""

    items = fields.List(fields.Nested(ClaimHelperOut), required=True)


def said(sent: dict[str, Any], field: str) -> str:
    """What was written in a field, nothing where nothing was."""
    return sent[field] or ""


class CopiedFulfilmentOut(Shape):
    """That a unit said it was done, in the copy of everything kept about a person."""

    evidence = fields.Enum(Evidence, by_value=True, required=True)
    note = fields.String(required=True)
    at = TownTime(required=True)
    settled_at = TownTime(required=True, allow_none=True)
    settled_by = fields.Enum(SettledBy, by_value=True, required=True, allow_none=True)
    is_done = fields.Boolean(required=True, allow_none=True)
    verdict = fields.String(required=True)


class CopiedRatingOut(Shape):
    """How somebody rated it, in that copy."""

    level = fields.Integer(required=True)
    words = fields.String(required=True, allow_none=True)
    rated_at = TownTime(required=True)
    called_at = TownTime(required=True, allow_none=True)
    mended_at = TownTime(required=True, allow_none=True)
    care_note = fields.String(required=True)
    again_level = fields.Integer(required=True, allow_none=True)
    again_at = TownTime(required=True, allow_none=True)


class CopiedClaimOut(Shape):
    """What a unit promised and did about a wish, in that copy."""

    key = Key(required=True)
    unit = fields.String(attribute="partner.name", required=True)
    state = fields.Enum(ClaimState, by_value=True, required=True)
    plan = fields.String(required=True)
    claimed_at = TownTime(required=True)
    contacted_at = TownTime(required=True, allow_none=True)
    ended_at = TownTime(required=True, allow_none=True)
    ended_because = fields.Enum(EndedBecause, by_value=True, required=True, allow_none=True)
    because = fields.String(required=True)
    fulfilments = fields.List(fields.Nested(CopiedFulfilmentOut), required=True)
    rating = fields.Nested(CopiedRatingOut, required=True, allow_none=True)


class CopiedLeadOut(Shape):
    """A claim an account leads or helps with, in its copy: nothing of who wished."""

    key = Key(required=True)
    unit = fields.String(attribute="partner.name", required=True)
    number = fields.Integer(attribute="wish.number", required=True)
    community = fields.String(attribute="wish.region.name", required=True)
    state = fields.Enum(ClaimState, by_value=True, required=True)
    claimed_at = TownTime(required=True)
    ended_at = TownTime(required=True, allow_none=True)
