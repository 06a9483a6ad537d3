"""Shapes of service agreements: what is agreed on, the days it would hold, how it stands, and what was delivered."""

from __future__ import annotations

from collections.abc import Mapping

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import Cursor, Day, Key, Limit, Shape, TownTime, Whole, Words, YesNo
from miniprogram_api.schemas.partners import PartnerBrief
from miniprogram_api.schemas.sites import MinuteOfDay
from models.agreements import LONGEST_DAYS, MOST_BLOCKS, AgreementState, Verdict

AGREEMENT_STATE_LABELS: Mapping[AgreementState, str] = {
    AgreementState.DRAFT: "草稿",
    AgreementState.IN_FORCE: "履行中",
    AgreementState.ENDED: "已结束",
}
BLOCK_VERDICT_LABELS: Mapping[Verdict, str] = {
    Verdict.OK: "可以使用",
    Verdict.HOLIDAY_SKIPPED: "放假，跳过",
    Verdict.HOLIDAY_KEPT: "放假，照常使用",
    Verdict.ROOM_TAKEN: "场地已占用",
    Verdict.OVER: "时间已过",
    Verdict.YEAR_NOT_ANNOUNCED: "放假安排还没有公布",
}


class BlockShape(Shape):
    """The same hours of every week; ``weekday`` 0 is Monday, 6 is Sunday."""

    weekday = Whole(required=True, validate=validate.Range(0, 6, error="请填写 0（周一）到 6（周日）"))
    starts = MinuteOfDay(attribute="from_minute", data_key="from", required=True)
    ends = MinuteOfDay(attribute="to_minute", data_key="to", required=True)


class TermsIn(Shape):
    """A room, a period, the hours of a week, and how many hours of service are promised in all."""

    venue = Key(required=True)
    starts_on = Day(required=True)
    ends_on = Day(required=True)
    blocks = fields.List(
        fields.Nested(BlockShape),
        required=True,
        validate=validate.Length(1, MOST_BLOCKS, error=f"请填写 1 到 {MOST_BLOCKS} 个时段"),
    )
    on_holidays = YesNo(load_default=False, metadata={"description": "法定节假日是否照常使用"})
    service = Words(100, required=True)
    promised_hours = Whole(
        required=True,
        validate=validate.Range(1, 5000, error="承诺的服务为 1 到 5000 小时"),
        metadata={"description": "整个期限内一共承诺多少小时服务"},
    )


class AgreementIn(TermsIn):
    """The same, and with whom."""

    partner = Key(required=True)


class BlockDayOut(Shape):
    """One block of one day, with everything to be said of it."""

    on = Day(required=True)
    starts_at = TownTime(required=True)
    ends_at = TownTime(required=True)
    can_be_held = fields.Boolean(required=True)
    verdicts = fields.List(fields.Enum(Verdict, by_value=True), required=True)
    labels = fields.Function(
        lambda day: [BLOCK_VERDICT_LABELS[verdict] for verdict in day.verdicts],
        metadata={"type": "array", "items": {"type": "string"}},
        required=True,
    )


class AgreementPlanOut(Shape):
    """Every block of every day; ``days_taken`` are to be left out, or the agreement cannot be put in force."""

    items = fields.List(fields.Nested(BlockDayOut), required=True)
    hours = fields.Float(required=True, metadata={"description": "一共可以使用多少小时"})
    days_taken = fields.List(Day(), required=True)


class CommencementIn(Shape):
    """On which days the room is left to whoever has it."""

    leave_out = fields.List(
        Day(),
        load_default=list,
        validate=validate.Length(max=LONGEST_DAYS, error=f"最多 {LONGEST_DAYS} 天"),
    )


class AgreementReasonIn(Shape):
    """Why it ends, or does not count."""

    because = Words(100, required=True)


class FiguresOut(Shape):
    """How an agreement stands today, in hours; ``due`` is what the time gone by would want, and only what is confirmed counts."""

    promised = fields.Integer(required=True)
    due = fields.Float(required=True)
    delivered = fields.Float(required=True)
    confirmed = fields.Float(required=True)
    behind = fields.Float(required=True)


class AgreedVenueOut(Shape):
    """The room it is about."""

    key = Key(required=True)
    name = fields.String(attribute="full_name", required=True)


class AgreementOut(Shape):
    """An agreement, and how it stands."""

    key = Key(attribute="agreement.key", required=True)
    partner = fields.Nested(PartnerBrief, attribute="agreement.partner", required=True)
    venue = fields.Nested(AgreedVenueOut, attribute="agreement.venue", required=True)
    service = fields.String(attribute="agreement.service", required=True)
    starts_on = Day(attribute="agreement.starts_on", required=True)
    ends_on = Day(attribute="agreement.ends_on", required=True)
    blocks = fields.List(fields.Nested(BlockShape), attribute="agreement.blocks", required=True)
    on_holidays = fields.Boolean(attribute="agreement.on_holidays", required=True)
    state = fields.Enum(AgreementState, by_value=True, attribute="agreement.state", required=True)
    state_label = fields.Function(
        lambda stands: AGREEMENT_STATE_LABELS[stands.agreement.state],
        metadata={"type": "string"},
        required=True,
    )
    in_force_at = TownTime(attribute="agreement.in_force_at", required=True, allow_none=True)
    ended_at = TownTime(attribute="agreement.ended_at", required=True, allow_none=True)
    end_reason = fields.String(attribute="agreement.end_reason", required=True, allow_none=True)
    figures = fields.Nested(FiguresOut, required=True)


class AgreementsQuery(Shape):
    """Which agreements to list: all of them unless a state is named."""

    state = fields.Enum(AgreementState, by_value=True)
    cursor = Cursor()
    limit = Limit()


class AgreementsOut(Shape):
    """One page of agreements, oldest first."""

    items = fields.List(fields.Nested(AgreementOut), required=True)
    next = fields.String(required=True, allow_none=True)


class PartnerAgreementsOut(Shape):
    """Every agreement of a unit that is more than a draft, oldest first."""

    items = fields.List(fields.Nested(AgreementOut), required=True)


class DeliveryIn(Shape):
    """Service that was given: when, how long, what, and how many people were served. No names."""

    done_on = Day(required=True)
    minutes = Whole(required=True, validate=validate.Range(1, 1440, error="请填写 1 到 1440 分钟"))
    what = Words(100, required=True)
    people_served = Whole(required=True, validate=validate.Range(0, 10_000, error="请填写 0 到 10000 人"))


class DeliveryOut(Shape):
    """Service that was given, and whether it counts."""

    key = Key(required=True)
    done_on = Day(required=True)
    minutes = fields.Integer(required=True)
    what = fields.String(required=True)
    people_served = fields.Integer(required=True)
    by_partner = fields.Boolean(required=True, metadata={"description": "由单位自己登记"})
    recorded_at = TownTime(required=True)
    confirmed_at = TownTime(required=True, allow_none=True)
    declined_at = TownTime(required=True, allow_none=True, metadata={"description": "退回的不计入"})
    declined_because = fields.String(required=True)


class DeliveriesQuery(Shape):
    """Where a list of records goes on."""

    cursor = Cursor()
    limit = Limit()


class DeliveriesOut(Shape):
    """One page of records, in the order they were written."""

    items = fields.List(fields.Nested(DeliveryOut), required=True)
    next = fields.String(required=True, allow_none=True)
