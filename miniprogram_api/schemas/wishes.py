"""Shapes of wishes: what somebody wishes, what of it everybody may read, and what who reviews it reads and writes."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from miniprogram_api.schemas.acts import ACT_LABELS
from miniprogram_api.schemas.claims import CopiedClaimOut, MyClaimOut
from miniprogram_api.schemas.fields import (
    Cursor,
    Key,
    LastMoment,
    Limit,
    Shape,
    TownTime,
    Whole,
    Words,
    YesNo,
)
from miniprogram_api.schemas.regions import RegionBrief
from miniprogram_api.schemas.standing import OVER, StandingOut
from miniprogram_api.schemas.wish_photos import WishPhotoOut
from models.wishes import (
    LONGEST_ADDRESS,
    LONGEST_HARDSHIP,
    LONGEST_NICKNAME,
    LONGEST_WORDS,
    MOST_PIECES,
    AgeBand,
    HandOver,
    WallOrder,
    WishKind,
    WishState,
)

LONGEST_PIECE = 4
WISH_STATE_LABELS = {
    WishState.SUBMITTED: "待审核",
    WishState.NEED_INFO: "待补充",
    WishState.APPROVED: "已通过，等待公布",
    WishState.PUBLISHED: "待认领",
    WishState.CLAIMED: "已认领",
    WishState.ESCALATED: "已上报街道",
    WishState.CONVERTED: "已转街道清单",
    WishState.CANNOT_FULFIL: "没能实现",
    WishState.FULFILLED: "已圆梦",
    WishState.REJECTED: "未通过",
    WishState.WITHDRAWN: "已撤回",
}
WISH_KIND_LABELS = {
    WishKind.GOODS: "物质类",
    WishKind.SERVICE: "服务类",
    WishKind.SPIRIT: "精神类",
    WishKind.PUBLIC: "公共类",
}
AGE_LABELS = {
    AgeBand.CHILD: "儿童青少年",
    AgeBand.ADULT: "成年人",
    AgeBand.ELDER: "长者",
    AgeBand.UNKNOWN: "居民",
}
# what comes next and with whom, so that nobody has to ask
WHOSE_DESK = {
    WishState.SUBMITTED: "社区正在看，看完会通知您",
    WishState.NEED_INFO: "等您补充",
    WishState.APPROVED: "到公布的日子挂上心愿墙",
    WishState.PUBLISHED: "在心愿墙上等人认领",
    WishState.CLAIMED: "有单位认领了，请看下面的进展",
    WishState.ESCALATED: "街道正在研究，会交给一家单位办",
    WishState.CONVERTED: "已列入街道清单，街道会交给一个部门办",
    **OVER,
}


class WishIn(Shape):
    """What somebody wishes. Without an address it is handed over at the community's centre."""

    words = Words(LONGEST_WORDS, required=True)
    kind = fields.Enum(WishKind, by_value=True, required=True)
    quantity = Whole(
        load_default=1, validate=validate.Range(1, MOST_PIECES, error=f"请填写 1 到 {MOST_PIECES}")
    )
    piece = Words(LONGEST_PIECE, load_default="件")
    value_yuan = Whole(
        load_default=None,
        allow_none=True,
        validate=validate.Range(1, 100_000, error="请填写 1 到 100000"),
        metadata={"description": "一件大约多少元，只有物质类填写"},
    )
    address = Words(LONGEST_ADDRESS, load_default=None, allow_none=True)
    hardship = Words(LONGEST_HARDSHIP, load_default=None, allow_none=True)
    nickname = Words(LONGEST_NICKNAME, load_default=None, allow_none=True)
    hand_over = fields.Enum(HandOver, by_value=True, load_default=HandOver.CENTRE)
    may_share = YesNo(
        load_default=False,
        metadata={"description": "同意把姓名、电话和地址告诉最后认领的单位（单独同意，可以撤回）"},
    )


class MakeWishIn(WishIn):
    """A wish that is sent, perhaps under a theme. ``may_show``: who wishes agrees that it hangs on the wall, without a name."""

    round = Key(load_default=None, allow_none=True)
    may_show = YesNo(
        required=True, validate=validate.Equal(True, error="心愿要公布在心愿墙上才有人认领，请同意后再提交")
    )


class SharingIn(Shape):
    """Whether whoever fulfils the wish may be told name, phone and address."""

    may_share = YesNo(required=True)


class ForWhomWishQuery(Shape):
    """For whom: oneself, or whom one may act for."""

    for_key = Key(data_key="for")


class RoundBrief(Shape):
    """A theme, named."""

    key = Key(required=True)
    title = fields.String(required=True)


class WishCardOut(Shape):
    """A wish as it hangs on the wall: nothing of it says whose it is."""

    key = Key(required=True)
    shows_as = fields.String(required=True, metadata={"description": "自己起的称呼，或编号"})
    title = fields.String(required=True)
    words = fields.String(attribute="public_words", required=True)
    kind = fields.Enum(WishKind, by_value=True, required=True)
    kind_label = fields.Function(
        lambda wish: WISH_KIND_LABELS[wish.kind], metadata={"type": "string"}, required=True
    )
    age_band = fields.Enum(AgeBand, by_value=True, required=True)
    age_label = fields.Function(
        lambda wish: AGE_LABELS[wish.age_band], metadata={"type": "string"}, required=True
    )
    community = fields.Nested(RegionBrief, attribute="region", required=True)
    round = fields.Nested(RoundBrief, required=True, allow_none=True)
    quantity = fields.Integer(required=True)
    piece = fields.String(required=True)
    supporters = fields.Integer(required=True)
    published_at = TownTime(required=True, allow_none=True)
    photos = fields.List(fields.Nested(WishPhotoOut), attribute="public_photos", required=True)


class WallQuery(Shape):
    """What of the wall."""

    region = Key()
    kind = fields.Enum(WishKind, by_value=True)
    age_band = fields.Enum(AgeBand, by_value=True)
    round = Key()
    order = fields.Enum(
        WallOrder,
        by_value=True,
        load_default=WallOrder.PRIORITY,
        metadata={
            "description": "priority 没人认领的优先，newest 最新公布，ending 快到期的优先；换了顺序请从头翻页"
        },
    )
    limit = Limit()
    cursor = Cursor()


class WallOut(Shape):
    """A page of the wall."""

    items = fields.List(fields.Nested(WishCardOut), required=True)
    next = fields.String(required=True, allow_none=True)


class SupportOut(Shape):
    """How many need the same."""

    supporters = fields.Integer(required=True)


class WishLookOut(Shape):
    """What whoever wishes should know before sending: how the words would read with what is private covered, and what hangs there already."""

    masked = fields.String(required=True)
    warnings = fields.List(fields.String(), required=True)
    alike = fields.List(fields.Nested(WishCardOut), required=True)


class MyWishOut(Shape):
    """A wish as who wished it sees it."""

    key = Key(required=True)
    number = fields.Function(lambda wish: f"{wish.number:04}", metadata={"type": "string"}, required=True)
    whose = fields.Function(
        lambda wish: {"key": wish.resident.key, "name": wish.resident.name} if wish.resident else None,
        metadata={
            "type": ["object", "null"],
            "properties": {"key": {"type": "string"}, "name": {"type": ["string", "null"]}},
        },
        required=True,
    )
    state = fields.Enum(WishState, by_value=True, required=True)
    state_label = fields.Function(
        lambda wish: WISH_STATE_LABELS[wish.state], metadata={"type": "string"}, required=True
    )
    next_step = fields.Function(
        lambda wish: WHOSE_DESK[wish.state],
        metadata={"type": "string", "description": "现在在谁手里，下一步是什么"},
        required=True,
    )
    expected_by = LastMoment(attribute="due_at", required=True, allow_none=True)
    because = fields.String(required=True, metadata={"description": "社区说的原因，或者要补充什么"})
    words = fields.String(required=True, allow_none=True)
    kind = fields.Enum(WishKind, by_value=True, required=True)
    quantity = fields.Integer(required=True)
    piece = fields.String(required=True)
    value_yuan = fields.Integer(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    hardship = fields.String(required=True, allow_none=True)
    nickname = fields.String(required=True)
    hand_over = fields.Enum(HandOver, by_value=True, required=True)
    may_share = fields.Boolean(required=True)
    round = fields.Nested(RoundBrief, required=True, allow_none=True)
    title = fields.String(required=True, metadata={"description": "心愿墙上的标题，没有公布时是空的"})
    public_words = fields.String(required=True)
    supporters = fields.Integer(required=True)
    photos = fields.List(fields.Nested(WishPhotoOut), required=True)
    submitted_at = TownTime(required=True)
    published_at = TownTime(required=True, allow_none=True)


class StepOut(Shape):
    """One thing that happened to a wish."""

    at = TownTime(required=True)
    label = fields.Function(lambda event: ACT_LABELS[event.act], metadata={"type": "string"}, required=True)


class MyWishWithStepsOut(Shape):
    """A wish as who wished it follows it: whose desk it is on, who comes, what happened, and whom to call."""

    wish = fields.Nested(MyWishOut, required=True)
    now = fields.Nested(StandingOut, required=True)
    claims = fields.List(fields.Nested(MyClaimOut), required=True)
    steps = fields.List(
        fields.Nested(StepOut), required=True, metadata={"description": "办理过程，先发生的在前"}
    )
    phone = fields.String(required=True, metadata={"description": "社区的电话，没有登记时是空的"})


class PartnersWishOut(WishCardOut):
    """A wish as units see it that may take it on."""

    parts_left = fields.Integer(required=True, metadata={"description": "还有几份没有人认领"})
    value_yuan = fields.Integer(required=True, allow_none=True)
    hand_over = fields.Enum(HandOver, by_value=True, required=True)


class PartnersWallOut(Shape):
    """A page of the wall of the communities a unit is paired with."""

    items = fields.List(fields.Nested(PartnersWishOut), required=True)
    next = fields.String(required=True, allow_none=True)


class MyWishesQuery(Shape):
    """Which page."""

    limit = Limit()
    cursor = Cursor()


class MyWishesOut(Shape):
    """A page of one's own wishes."""

    items = fields.List(fields.Nested(MyWishOut), required=True)
    next = fields.String(required=True, allow_none=True)


class RoundOut(RoundBrief):
    """A round as everybody sees it."""

    about = fields.String(required=True)
    region = fields.Nested(RegionBrief, required=True)
    collects_from = fields.Date(required=True)
    collects_until = fields.Date(required=True)
    shown_on = fields.Date(required=True)


class RoundsOut(Shape):
    """Rounds."""

    items = fields.List(fields.Nested(RoundOut), required=True)


class SignedQuery(Shape):
    """What makes an address good: until when, in seconds since 1970, and the signature."""

    until = fields.String(required=True)
    signature = fields.String(required=True)


class CopiedWishOut(Shape):
    """A wish in the copy of everything kept about a person."""

    key = Key(attribute="wish.key", required=True)
    number = fields.Integer(attribute="wish.number", required=True)
    state = fields.Enum(WishState, by_value=True, attribute="wish.state", required=True)
    kind = fields.Enum(WishKind, by_value=True, attribute="wish.kind", required=True)
    words = fields.String(attribute="wish.words", required=True, allow_none=True)
    address = fields.String(attribute="wish.address", required=True, allow_none=True)
    hardship = fields.String(attribute="wish.hardship", required=True, allow_none=True)
    nickname = fields.String(attribute="wish.nickname", required=True)
    may_share_since = TownTime(attribute="wish.may_share_since", required=True, allow_none=True)
    because = fields.String(attribute="wish.because", required=True)
    title = fields.String(attribute="wish.title", required=True)
    public_words = fields.String(attribute="wish.public_words", required=True)
    submitted_at = TownTime(attribute="wish.submitted_at", required=True)
    published_at = TownTime(attribute="wish.published_at", required=True, allow_none=True)
    ended_at = TownTime(attribute="wish.ended_at", required=True, allow_none=True)
    claims = fields.List(fields.Nested(CopiedClaimOut), required=True)


class CopiedSupportOut(Shape):
    """A 我也需要 in that copy."""

    title = fields.String(attribute="wish.title", required=True)
    at = TownTime(required=True)


def words_from(sent: dict[str, Any]) -> dict[str, Any]:
    """What was sent as the verbs take it: nothing said is an empty text."""
    said = {name: sent[name] for name in WishIn().fields}
    return {name: "" if value is None and name != "value_yuan" else value for name, value in said.items()}
