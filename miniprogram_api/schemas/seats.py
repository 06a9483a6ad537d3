"""Shapes of seats: draws, applications, offers, and why."""

from __future__ import annotations

from marshmallow import fields
from marshmallow.validate import Range

from miniprogram_api.schemas.fields import Cursor, Key, Limit, Shape, TownTime, Whole, Words
from miniprogram_api.schemas.planning import MOST_SEATS
from models.courses import RegistrationState, Why

LONGEST_REASON = 100
WHY_LABELS = {
    Why.REFUSED: "没报上",
    Why.PROMOTED: "候补转正",
    Why.OFFERED: "有名额，请确认",
    Why.EXPIRED: "没有按时确认",
    Why.DRAWN: "抽签结果",
    Why.REVIEWED: "审核结果",
}


class DrawOut(Shape):
    """A draw: what was promised before anybody applied, and once it is drawn, all that is needed to repeat it."""

    rule = fields.String(required=True)
    promised = fields.String(required=True, metadata={"description": "种子的 SHA-256，报名前就公布"})
    draws_at = TownTime(required=True, allow_none=True)
    drawn_at = TownTime(required=True, allow_none=True)
    seed = fields.String(required=True, allow_none=True, metadata={"description": "抽签后公布的种子"})
    tickets = fields.Integer(required=True, allow_none=True)
    seats = fields.Integer(required=True, allow_none=True)


class LotsQuery(Shape):
    """Which part of the tickets."""

    cursor = Cursor()
    limit = Limit(default=200, most=1000)


class LotOut(Shape):
    """One ticket of a draw, and the place its lot gave it; nobody's name."""

    ticket = fields.Integer(required=True)
    rank = fields.Integer(required=True)
    lot = fields.String(required=True)
    has_seat = fields.Boolean(required=True)


class LotsOut(Shape):
    """One page of tickets, in the order they were drawn."""

    items = fields.List(fields.Nested(LotOut), required=True)
    next = fields.String(required=True, allow_none=True)


class ReceiptsQuery(Shape):
    """Which receipts."""

    run = Key()
    cursor = Cursor()
    limit = Limit()


class ReceiptOut(Shape):
    """Why somebody got a seat, or did not."""

    run = Key(attribute="run.key", required=True)
    title = fields.String(attribute="run.course.title", required=True)
    resident = Key(attribute="resident.key", required=True)
    why = fields.Enum(Why, by_value=True, required=True)
    why_label = fields.Function(
        lambda receipt: WHY_LABELS[receipt.why], metadata={"type": "string"}, required=True
    )
    code = fields.String(required=True)
    says = fields.String(required=True)
    at = TownTime(required=True)


class ReceiptsOut(Shape):
    """One page of receipts, newest first."""

    items = fields.List(fields.Nested(ReceiptOut), required=True)
    next = fields.String(required=True, allow_none=True)


class HeldSeatsIn(Shape):
    """How many seats are held for the counter and the phone."""

    seats = Whole(required=True, validate=Range(0, MOST_SEATS, error=f"名额为 0 到 {MOST_SEATS}"))


class TurnDownIn(Shape):
    """Why, in words the applicant will read."""

    because = Words(LONGEST_REASON, required=True)


class AdmittedOut(Shape):
    """What an applicant is now."""

    state = fields.Enum(RegistrationState, by_value=True, required=True)
