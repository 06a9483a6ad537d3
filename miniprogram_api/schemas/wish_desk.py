"""Shapes of the desk of wishes: what who reviews a wish reads and writes, and the rounds they plan."""

from __future__ import annotations

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import Cursor, Day, Key, Limit, Shape, TownTime, Words, YesNo, masked_name
from miniprogram_api.schemas.regions import RegionBrief
from miniprogram_api.schemas.wish_photos import WishPhotoOut
from miniprogram_api.schemas.wishes import (
    WISH_STATE_LABELS,
    MakeWishIn,
    RoundBrief,
    RoundsOut,
    WishCardOut,
)
from models.screening import PATTERN_WORDS, Pattern, masked, passages
from models.wishes import (
    LONGEST_CARD,
    LONGEST_REASON,
    LONGEST_TITLE,
    MOST_PHOTOS,
    AgeBand,
    HandOver,
    WishKind,
    WishSource,
    WishState,
)


class StaffMakeWishIn(MakeWishIn):
    """A wish that somebody of the community writes down, and for whom."""

    resident = Key(required=True)
    even_so = YesNo(
        load_default=False,
        metadata={"description": "电话或地址相同但不是一户，或确有困难：不受每户的数量限制"},
    )
    source = fields.Enum(
        WishSource,
        by_value=True,
        load_default=WishSource.COUNTER,
        validate=validate.OneOf([WishSource.COUNTER, WishSource.VISIT], error="可选：counter、visit"),
    )


class PassageOut(Shape):
    """Something in the words that nobody else should read, or that may not be wished: from one character to another."""

    begins = fields.Integer(required=True)
    ends = fields.Integer(required=True)
    pattern = fields.Enum(Pattern, by_value=True, required=True)
    label = fields.Function(
        lambda one: PATTERN_WORDS[one.pattern], metadata={"type": "string"}, required=True
    )


class StaffWishBrief(Shape):
    """A wish in a clerk's list: a masked name, and nothing that was said."""

    key = Key(required=True)
    number = fields.Function(lambda wish: f"{wish.number:04}", metadata={"type": "string"}, required=True)
    name = fields.Function(
        lambda wish: masked_name(wish.resident.name) if wish.resident else None,
        metadata={"type": ["string", "null"]},
        required=True,
    )
    community = fields.Nested(RegionBrief, attribute="region", required=True)
    state = fields.Enum(WishState, by_value=True, required=True)
    state_label = fields.Function(
        lambda wish: WISH_STATE_LABELS[wish.state], metadata={"type": "string"}, required=True
    )
    kind = fields.Enum(WishKind, by_value=True, required=True)
    source = fields.Enum(WishSource, by_value=True, required=True)
    round = fields.Nested(RoundBrief, required=True, allow_none=True)
    title = fields.String(required=True)
    submitted_at = TownTime(required=True)
    due_at = TownTime(required=True, allow_none=True)


class StaffWishOut(StaffWishBrief):
    """A wish with everything who reviews it must read; each look is journalled."""

    name = fields.Function(
        lambda wish: wish.resident.name if wish.resident else None,
        metadata={"type": ["string", "null"]},
        required=True,
    )
    phone = fields.Function(
        lambda wish: wish.resident.phone if wish.resident else None,
        metadata={"type": ["string", "null"]},
        required=True,
    )
    words = fields.String(required=True, allow_none=True)
    masked = fields.Function(
        lambda wish: masked(wish.words or ""),
        metadata={"type": "string", "description": "遮住了电话、证件号、卡号和地址，可以当作公开文字的底稿"},
        required=True,
    )
    passages = fields.Function(
        lambda wish: PassageOut(many=True).dump(passages(wish.words or "")),
        metadata={"type": "array", "items": {"type": "object"}},
        required=True,
    )
    words_are_sure = fields.Boolean(required=True)
    quantity = fields.Integer(required=True)
    piece = fields.String(required=True)
    value_yuan = fields.Integer(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    hardship = fields.String(required=True, allow_none=True)
    nickname = fields.String(required=True)
    hand_over = fields.Enum(HandOver, by_value=True, required=True)
    may_share = fields.Boolean(required=True)
    because = fields.String(required=True)
    public_words = fields.String(required=True)
    age_band = fields.Enum(AgeBand, by_value=True, required=True)
    supporters = fields.Integer(required=True)
    published_at = TownTime(required=True, allow_none=True)
    photos = fields.List(fields.Nested(WishPhotoOut), required=True)


class WishInReviewOut(Shape):
    """A wish, and what hangs on the community's wall already that says nearly the same."""

    wish = fields.Nested(StaffWishOut, required=True)
    alike = fields.List(fields.Nested(WishCardOut), required=True)


class StaffWishesQuery(Shape):
    """Which wishes. ``overdue``: only those whose time for what comes next is over."""

    state = fields.Enum(WishState, by_value=True, load_default=WishState.SUBMITTED)
    overdue = fields.Boolean(truthy={"true"}, falsy={"false"}, load_default=False)
    limit = Limit()
    cursor = Cursor()


class StaffWishesOut(Shape):
    """A page of the wishes of a clerk's places."""

    items = fields.List(fields.Nested(StaffWishBrief), required=True)
    next = fields.String(required=True, allow_none=True)


class CardIn(Shape):
    """What is to hang on the wall, in the reviewer's words; ``photos`` are those everybody may see."""

    title = Words(LONGEST_TITLE, required=True)
    words = Words(LONGEST_CARD, required=True)
    photos = fields.List(
        Key(),
        load_default=list,
        validate=validate.Length(max=MOST_PHOTOS, error=f"最多 {MOST_PHOTOS} 张照片"),
    )


class WishReasonIn(Shape):
    """Why, or what is missing, in words whoever wished reads."""

    because = Words(LONGEST_REASON, required=True)


class RoundIn(Shape):
    """What a round is to be. ``collects_until`` is the last day."""

    title = Words(20, required=True)
    about = Words(200, load_default=None, allow_none=True)
    collects_from = Day(required=True)
    collects_until = Day(required=True)
    shown_on = Day(required=True)


class PlanRoundIn(RoundIn):
    """A new round, and where."""

    region = Key(required=True)


class RoundsPageOut(RoundsOut):
    """A page of rounds."""

    next = fields.String(required=True, allow_none=True)
