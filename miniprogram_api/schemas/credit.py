"""Shapes of credit: how one stands with the rooms, why, and what was appealed."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.fields import Cursor, Key, Limit, Shape, TownTime, Words, YesNo, masked_name
from miniprogram_api.schemas.reservations import ReservedRoomOut, ReservingGroupOut
from models.reservations import CREDIT_WORDS, CreditAppealState, CreditWhy

LONGEST_APPEAL = 200


class CreditEntryOut(Shape):
    """One thing that gave or took points."""

    key = Key(required=True)
    why = fields.Enum(CreditWhy, by_value=True, required=True)
    why_label = fields.Function(lambda one: CREDIT_WORDS[one.why], metadata={"type": "string"}, required=True)
    points = fields.Integer(required=True, metadata={"description": "负数是扣分"})
    at = TownTime(required=True)
    counts = fields.Boolean(required=True)
    reservation = Key(attribute="reservation.key", required=True)
    venue = fields.Nested(ReservedRoomOut, attribute="reservation.venue", required=True)
    group = fields.Nested(ReservingGroupOut, attribute="reservation.group", required=True, allow_none=True)
    starts_at = TownTime(attribute="reservation.starts_at", required=True)
    appeal_state = fields.Enum(CreditAppealState, by_value=True, required=True, allow_none=True)
    appeal_words = fields.String(required=True, allow_none=True)
    answer = fields.String(required=True)


class CreditQuery(Shape):
    """Whose credit: one's own, that of somebody one acts for, or of a ``group`` one leads."""

    for_key = Key(data_key="for")
    group = Key()


class CreditOut(Shape):
    """How somebody stands now, and what it comes from, newest first."""

    points = fields.Integer(required=True)
    paused_until = TownTime(required=True, allow_none=True)
    items = fields.List(fields.Nested(CreditEntryOut), required=True)


class CreditAppealIn(Shape):
    """Why points should not have been taken."""

    words = Words(LONGEST_APPEAL, required=True)


class StaffCreditEntryOut(CreditEntryOut):
    """An entry, as those see it who decide."""

    name = fields.Function(
        lambda one: masked_name(one.reservation.resident.name) if one.reservation.resident else None,
        metadata={"type": ["string", "null"]},
        required=True,
    )
    appealed_at = TownTime(required=True, allow_none=True)


class CreditAppealsQuery(Shape):
    """Which page of appeals that wait."""

    cursor = Cursor()
    limit = Limit()


class CreditAppealsOut(Shape):
    """A page of appeals that wait."""

    items = fields.List(fields.Nested(StaffCreditEntryOut), required=True)
    next = fields.String(allow_none=True, required=True)


class CreditDecisionIn(Shape):
    """Granted or not, and the word beside it, which the person reads."""

    granted = YesNo(required=True)
    because = Words(100, required=True)
