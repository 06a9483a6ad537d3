"""Shapes of partner units, as those who work with them see them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import (
    Cursor,
    Day,
    Key,
    Limit,
    Matching,
    Phone,
    QueryWhole,
    Shape,
    TownTime,
    Words,
    masked_name,
    masked_phone,
)
from miniprogram_api.schemas.regions import RegionBrief
from models.courses import LONGEST_PURPOSE
from models.partners import CODE_DIGITS, HourSubject, PartnerKind, PartnerState

PARTNER_STATE_LABELS: Mapping[PartnerState, str] = {
    PartnerState.APPLIED: "待审核",
    PartnerState.ACTIVE: "已入驻",
    PartnerState.REJECTED: "未通过",
    PartnerState.SUSPENDED: "已暂停",
    PartnerState.LAPSED: "已到期",
}
PARTNER_KIND_LABELS: Mapping[PartnerKind, str] = {
    PartnerKind.UNIT: "共建单位",
    PartnerKind.NEIGHBOUR: "近邻合伙人",
    PartnerKind.PUBLIC_GOOD: "公益合伙人",
    PartnerKind.BRANCH: "党支部",
    PartnerKind.DEPARTMENT: "职能部门",
}


LONGEST_REASON = 100
MOST_DAYS = 366


class ApplicantKind(StrEnum):
    """What sort of unit may ask to come on board: all of ``PartnerKind`` but departments, which the street writes down."""

    UNIT = PartnerKind.UNIT.value  # 共建单位
    NEIGHBOUR = PartnerKind.NEIGHBOUR.value  # 近邻合伙人
    PUBLIC_GOOD = PartnerKind.PUBLIC_GOOD.value  # 公益合伙人
    BRANCH = PartnerKind.BRANCH.value  # 党支部


class PartnerIn(Shape):
    """What is written down of a unit. ``credit_code`` as its papers show it; gaps and small letters are put right. A branch has none."""

    name = Words(60, required=True)
    kind = fields.Enum(PartnerKind, by_value=True, required=True)
    credit_code = Words(
        40,
        load_default=None,
        allow_none=True,
        metadata={"description": "统一社会信用代码，18 位；党支部不填"},
    )
    region = Key(required=True, metadata={"description": "服务的社区或街道"})
    contact_name = Words(40, required=True)
    contact_phone = Phone(required=True)


class PartnerApplicationIn(PartnerIn):
    """What somebody writes down of a unit they act for."""

    kind: fields.Enum[Any] = fields.Enum(ApplicantKind, by_value=True, required=True)


class PartnerBrief(Shape):
    """A unit, named."""

    key = Key(required=True)
    name = fields.String(required=True)
    kind = fields.Enum(PartnerKind, by_value=True, required=True)
    kind_label = fields.Function(
        lambda partner: PARTNER_KIND_LABELS[partner.kind], metadata={"type": "string"}, required=True
    )


class PartnerLineOut(PartnerBrief):
    """A unit in a list, with whom to call; the number is masked."""

    state = fields.Enum(PartnerState, by_value=True, attribute="standing", required=True)
    state_label = fields.Function(
        lambda partner: PARTNER_STATE_LABELS[partner.standing], metadata={"type": "string"}, required=True
    )
    reason = fields.String(required=True, metadata={"description": "未通过或被暂停的原因"})
    applied_at = TownTime(required=True, allow_none=True)
    renewed_until = fields.Date(required=True, allow_none=True, metadata={"description": "有效期的最后一天"})
    renewal_asked_at = TownTime(required=True, allow_none=True)
    credit_code = fields.String(required=True, allow_none=True)
    region = fields.Nested(RegionBrief, required=True, allow_none=True)
    contact_name = fields.String(required=True, allow_none=True)
    masked_phone = fields.Function(
        lambda partner: masked_phone(partner.contact_phone),
        metadata={"type": ["string", "null"]},
        required=True,
    )


class PartnerOut(PartnerLineOut):
    """A unit with the whole number of whom to call."""

    contact_phone = fields.String(required=True, allow_none=True)


class PartnerContactOut(PartnerBrief):
    """A unit as a place that is paired with it calls it: none of its papers, nor of what its own community decided about it."""

    state = fields.Enum(PartnerState, by_value=True, attribute="standing", required=True)
    state_label = fields.Function(
        lambda partner: PARTNER_STATE_LABELS[partner.standing], metadata={"type": "string"}, required=True
    )
    region = fields.Nested(RegionBrief, required=True, allow_none=True)
    contact_name = fields.String(required=True, allow_none=True)
    contact_phone = fields.String(required=True, allow_none=True)


class PartnerCardOut(Shape):
    """The card of a unit, and how many act for it."""

    partner = fields.Nested(PartnerContactOut, required=True)
    members = fields.Integer(required=True)


class PartnerSuspendedOut(Shape):
    """A unit that may take on nothing for now, and how many of its claims are free for others."""

    partner = fields.Nested(PartnerOut, required=True)
    claims_released = fields.Integer(required=True)


class PartnersQuery(Shape):
    """Which units to list; in every state unless one is named."""

    state = fields.Enum(PartnerState, by_value=True)
    cursor = Cursor()
    limit = Limit()


class PartnersOut(Shape):
    """One page of units."""

    items = fields.List(fields.Nested(PartnerLineOut), required=True)
    next = fields.String(required=True, allow_none=True)


class PartnerReasonIn(Shape):
    """Why, in words the unit reads."""

    because = Words(LONGEST_REASON, required=True)


class PartnerSheetIn(Shape):
    """Which units are on the sheet, and what for."""

    state = fields.Enum(PartnerState, by_value=True, load_default=None, allow_none=True)
    purpose = Words(
        LONGEST_PURPOSE,
        required=True,
        metadata={"description": "用途，会记入操作日志并印在每一页上，例如“联席会议”"},
    )


# --- who acts for a unit ------------------------------------------------------------------------------------------


class ApplicationsOut(Shape):
    """The units one asked for, whatever became of them, oldest first."""

    items = fields.List(fields.Nested(PartnerLineOut), required=True)


class InvitationCode(Matching):
    """The code a unit hands to its next member."""

    def __init__(self, **more: Any) -> None:
        super().__init__(f"[0-9]{{{CODE_DIGITS}}}", error=f"邀请码是 {CODE_DIGITS} 位数字", **more)


class JoinUnitIn(Shape):
    """The code one was told."""

    code = InvitationCode(required=True)


class LeaveUnitQuery(Shape):
    """Who manages the unit then, as its only manager read it."""

    successor = Key(metadata={"description": "唯一的管理人退出时：接任的成员，见 409 的 details.successor"})


class MemberInvitationOut(Shape):
    """A code for whoever acts for the unit too, good once."""

    code = fields.String(required=True)
    until = TownTime(required=True)


class PartnerMemberOut(Shape):
    """Somebody who acts for a unit, as far as they told us of themselves; masked."""

    key = fields.String(attribute="member.key", required=True)
    masked_name = fields.Function(
        lambda known: masked_name(known.name), metadata={"type": ["string", "null"]}, required=True
    )
    masked_phone = fields.Function(
        lambda known: masked_phone(known.phone), metadata={"type": ["string", "null"]}, required=True
    )
    is_manager = fields.Boolean(attribute="member.is_manager", required=True)
    joined_at = TownTime(attribute="member.joined_at", required=True)


class PartnerMembersOut(Shape):
    """Everybody who acts for a unit, managers first."""

    items = fields.List(fields.Nested(PartnerMemberOut), required=True)


# --- hours of service ---------------------------------------------------------------------------------------------


class HoursServedQuery(Shape):
    """Of which days (the last ones, up to today, unless the first is named), and where the lines go on."""

    first = Day()
    days = QueryWhole(
        load_default=31, validate=validate.Range(1, MOST_DAYS, error=f"一次 1 到 {MOST_DAYS} 天")
    )
    cursor = Cursor()
    limit = Limit()


class HourShareOut(Shape):
    """How many minutes one member gave, or, without a member, the unit as a whole."""

    member = fields.Function(
        lambda share: share.member.key if share.member else None,
        metadata={"type": ["string", "null"]},
        required=True,
    )
    masked_name = fields.Function(
        lambda share: masked_name(share.name), metadata={"type": ["string", "null"]}, required=True
    )
    minutes = fields.Integer(required=True)


class HourEntryOut(Shape):
    """One line of the ledger; one that counts another back says why."""

    key = Key(required=True)
    subject = fields.Enum(HourSubject, by_value=True, required=True)
    what = fields.String(required=True)
    done_on = fields.Date(required=True)
    minutes = fields.Integer(required=True)
    member = fields.Function(
        lambda entry: entry.member.key if entry.member else None,
        metadata={"type": ["string", "null"]},
        required=True,
    )
    written_at = TownTime(required=True)
    because = fields.String(required=True)


class HoursServedOut(Shape):
    """What a unit gave in a period: in all, by whom, and line by line, the newest first."""

    minutes = fields.Integer(required=True)
    shares = fields.List(fields.Nested(HourShareOut), required=True)
    items = fields.List(fields.Nested(HourEntryOut), required=True)
    next = fields.String(required=True, allow_none=True)
