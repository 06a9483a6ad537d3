"""Shapes of the street's list: what lies with a street, as the street and the communities read it, and what the street says about it."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.claims import CLAIM_STATE_LABELS
from miniprogram_api.schemas.fields import Cursor, Day, Key, Limit, Phone, Shape, TownTime, Words
from miniprogram_api.schemas.partners import PartnerLineOut
from miniprogram_api.schemas.regions import RegionBrief
from miniprogram_api.schemas.wish_desk import StaffWishOut
from models.issue_orders import LEAST_ANSWER, LONGEST_PLACE, IssueSource, OrderState
from models.wishes import LONGEST_ANSWER, LONGEST_REASON
from models.wishes.claims import ClaimState

ORDER_STATE_LABELS = {
    OrderState.WAITING: "待研究交办",
    OrderState.ASSIGNED: "已交办",
    OrderState.DONE: "已办结",
    OrderState.SENT_BACK: "已退回社区",
    OrderState.CANNOT: "办不成，已书面说明",
    OrderState.CLOSED: "心愿撤回或取下",
}
SOURCE_LABELS = {
    IssueSource.UNCLAIMED_WISH: "没人认领的心愿",
    IssueSource.PUBLIC_WISH: "公共事项",
}


class OrderClaimOut(Shape):
    """To whom an item was assigned, and how far they are. ``because``: why they gave it back, or it was taken from them."""

    key = Key(required=True)
    unit = fields.String(attribute="partner.name", required=True)
    unit_key = fields.String(attribute="partner.key", required=True)
    state = fields.Enum(ClaimState, by_value=True, required=True)
    state_label = fields.Function(
        lambda claim: CLAIM_STATE_LABELS[claim.state], metadata={"type": "string"}, required=True
    )
    until = fields.Date(attribute="finishes_on", required=True, allow_none=True)
    due_at = TownTime(required=True, allow_none=True)
    contacted_at = TownTime(required=True, allow_none=True)
    delivered_at = TownTime(required=True, allow_none=True)
    because = fields.String(required=True)


class MeetingBrief(Shape):
    """A meeting, named."""

    key = Key(required=True)
    title = fields.String(required=True)
    starts_at = TownTime(required=True)
    place = fields.String(required=True)


class IssueOrderBrief(Shape):
    """An item of a street's list, and nothing of who wished it. ``due_at``: by when the street is to have decided."""

    key = Key(required=True)
    number = fields.Integer(required=True)
    street = fields.Nested(RegionBrief, attribute="region", required=True)
    community = fields.Nested(RegionBrief, attribute="wish.region", required=True)
    wish_number = fields.Function(
        lambda order: f"{order.wish.number:04}", metadata={"type": "string"}, required=True
    )
    source = fields.Enum(IssueSource, by_value=True, required=True)
    source_label = fields.Function(
        lambda order: SOURCE_LABELS[order.source], metadata={"type": "string"}, required=True
    )
    state = fields.Enum(OrderState, by_value=True, required=True)
    state_label = fields.Function(
        lambda order: ORDER_STATE_LABELS[order.state], metadata={"type": "string"}, required=True
    )
    title = fields.String(required=True)
    words = fields.String(required=True)
    opened_at = TownTime(required=True)
    due_at = TownTime(required=True, allow_none=True)
    meeting = fields.Nested(MeetingBrief, required=True, allow_none=True)
    claim = fields.Nested(
        OrderClaimOut, required=True, allow_none=True, metadata={"description": "最后一次交办"}
    )
    claims = fields.List(
        fields.Nested(OrderClaimOut),
        required=True,
        metadata={"description": "每一次交办，从早到晚；可能有几家各办一部分"},
    )
    returns = fields.Integer(required=True, metadata={"description": "退单次数，最多一次"})
    closed_at = TownTime(required=True, allow_none=True)
    because = fields.String(required=True)


class IssueOrderOut(IssueOrderBrief):
    """An item with its wish in full; each look is journalled, and who wished sees it."""

    wish = fields.Nested(
        StaffWishOut,
        attribute="wish_in_full",
        required=True,
        allow_none=True,
        metadata={"description": "许愿人和原话；事项不在街道时，街道看不到"},
    )


class IssueOrdersQuery(Shape):
    """Which items."""

    state = fields.Enum(OrderState, by_value=True, load_default=OrderState.WAITING)
    limit = Limit()
    cursor = Cursor()


class IssueOrdersOut(Shape):
    """A page of a street's list."""

    items = fields.List(fields.Nested(IssueOrderBrief), required=True)
    next = fields.String(required=True, allow_none=True)


class AssignmentIn(Shape):
    """To which unit or department, and the day by which it is to be done."""

    partner = Key(required=True)
    until = Day(required=True)


class OrderReasonIn(Shape):
    """Why, in words the unit or the community reads."""

    because = Words(LONGEST_REASON, required=True)


class RecallIn(OrderReasonIn):
    """Why, and from which of the units it was assigned to; from the last where none is named."""

    claim = Key(load_default=None, allow_none=True, metadata={"description": "收回哪一次交办"})


class WrittenAnswerIn(Shape):
    """Why it cannot be done, in words whoever wished reads."""

    because = Words(
        LONGEST_ANSWER, required=True, metadata={"description": f"至少 {LEAST_ANSWER} 个字，许愿人会看到"}
    )


class MeetingIn(Shape):
    """What a meeting is to be, and about which items: all that wait where none are named for a new one, as before for one that stands."""

    title = Words(20, required=True)
    starts_at = TownTime(required=True)
    place = Words(LONGEST_PLACE, required=True)
    orders = fields.List(Key(), load_default=None, allow_none=True)


class PlanMeetingIn(MeetingIn):
    """A new meeting, and of which street."""

    region = Key(required=True)


class MeetingOut(MeetingBrief):
    """A meeting of a street's committee."""

    street = fields.Nested(RegionBrief, attribute="region", required=True)
    called_off_at = TownTime(required=True, allow_none=True)
    called_off_because = fields.String(required=True)


class MeetingWithAgendaOut(Shape):
    """A meeting and what it is about."""

    meeting = fields.Nested(MeetingOut, required=True)
    agenda = fields.List(fields.Nested(IssueOrderBrief), required=True)


class MeetingsQuery(Shape):
    """Which page of meetings."""

    limit = Limit()
    cursor = Cursor()


class MeetingsOut(Shape):
    """A page of meetings."""

    items = fields.List(fields.Nested(MeetingOut), required=True)
    next = fields.String(required=True, allow_none=True)


class UnitsItemOut(Shape):
    """An item of an agenda that one's own unit has, by its title, and its claim."""

    number = fields.Integer(attribute="order.number", required=True)
    title = fields.String(attribute="order.title", required=True)
    state_label = fields.Function(
        lambda claim: ORDER_STATE_LABELS[claim.order.state], metadata={"type": "string"}, required=True
    )
    claim = Key(attribute="key", required=True)
    until = fields.Date(attribute="finishes_on", required=True, allow_none=True)


class UnitsMeetingOut(Shape):
    """A meeting, as a unit reads it: nothing of what others have."""

    meeting = fields.Nested(MeetingOut, required=True)
    ours = fields.List(
        fields.Nested(UnitsItemOut), required=True, metadata={"description": "议程里本单位在办的"}
    )
    waiting = fields.Integer(required=True, metadata={"description": "议程里还没有交办的件数"})


class UnitsMeetingsOut(Shape):
    """A page of the meetings that concern a unit."""

    items = fields.List(fields.Nested(UnitsMeetingOut), required=True)
    next = fields.String(required=True, allow_none=True)


class DepartmentIn(Shape):
    """What is written down of a department; gaps and small letters in ``credit_code`` are put right."""

    name = Words(60, required=True)
    credit_code = Words(40, required=True, metadata={"description": "统一社会信用代码，18 位"})
    region = Key(required=True, metadata={"description": "服务的街道"})
    contact_name = Words(40, required=True)
    contact_phone = Phone(required=True)


class AssignableUnitsQuery(Shape):
    """To whom items of a street may be assigned."""

    region = Key(required=True)
    limit = Limit()
    cursor = Cursor()


class AssignableUnitsOut(Shape):
    """A page of units and departments."""

    items = fields.List(fields.Nested(PartnerLineOut), required=True)
    next = fields.String(required=True, allow_none=True)
