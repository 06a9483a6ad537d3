"""Shapes of the desk of claims: what staff read of a claim, and what they write down of it."""

from __future__ import annotations

from enum import StrEnum

from marshmallow import fields, validate

from miniprogram_api.schemas.claims import ClaimOut, ClaimReasonIn, RatingIn
from miniprogram_api.schemas.fields import Cursor, Key, Limit, Shape, TownTime, Whole, Words, masked_name
from models.wishes.claims import LONGEST_NOTE, ClaimState, SettledBy


class HeardBy(StrEnum):
    """How staff heard what somebody said: two of ``SettledBy``."""

    VISIT = SettledBy.VISIT.value  # 走访
    CALL = SettledBy.CALL.value  # 电话


class ClaimUnitOut(Shape):
    """The unit that has a claim."""

    key = Key(required=True)
    name = fields.String(required=True)


class CareBrief(Shape):
    """A rating in a list, and by when to care for it; what was said is not shown there."""

    level = fields.Integer(required=True)
    rated_at = TownTime(required=True)
    rated_by = fields.Enum(SettledBy, by_value=True, required=True)
    care_due_at = TownTime(required=True, allow_none=True)
    called_at = TownTime(required=True, allow_none=True)
    mended_at = TownTime(required=True, allow_none=True)
    again_level = fields.Integer(required=True, allow_none=True)


class CareOut(CareBrief):
    """A rating as the community reads it, and what it did about it."""

    words = fields.String(required=True, allow_none=True)
    care_note = fields.String(required=True)


class ListedClaimOut(ClaimOut):
    """A claim in a list of the community, or of its street: the unit, a masked name, and how it was rated."""

    unit = fields.Nested(ClaimUnitOut, attribute="partner", required=True)
    name = fields.Function(
        lambda claim: masked_name(claim.wish.resident.name) if claim.wish.resident else None,
        metadata={"type": ["string", "null"]},
        required=True,
    )
    care = fields.Nested(CareBrief, attribute="rating", required=True, allow_none=True)


class StaffClaimOut(ListedClaimOut):
    """A claim as the community reads it: also what was said of it."""

    care = fields.Nested(CareOut, attribute="rating", required=True, allow_none=True)


class StaffClaimsQuery(Shape):
    """Which claims. ``overdue``: only those whose time for what comes next is over. ``unhappy``: of which somebody said that they are unhappy, and which
    wait for that to be cared for; whatever ``state`` says.
    """

    state = fields.Enum(ClaimState, by_value=True, load_default=ClaimState.APPLIED)
    unhappy = fields.Boolean(truthy={"true"}, falsy={"false"}, load_default=False)
    overdue = fields.Boolean(truthy={"true"}, falsy={"false"}, load_default=False)
    limit = Limit()
    cursor = Cursor()


class StaffClaimsOut(Shape):
    """A page of the claims of a clerk's places."""

    items = fields.List(fields.Nested(ListedClaimOut), required=True)
    next = fields.String(required=True, allow_none=True)


class DispatchIn(Shape):
    """To which unit, and how many pieces."""

    partner = Key(required=True)
    pieces = Whole(load_default=1, validate=validate.Range(1, 20, error="请填写 1 到 20"))


class TransferIn(ClaimReasonIn):
    """To which unit, and why, in words the one that had it reads."""

    partner = Key(required=True)


class VerdictIn(Shape):
    """What somebody said of it, and how one heard."""

    how = fields.Enum(HeardBy, by_value=True, required=True)
    note = Words(LONGEST_NOTE, required=True)


class StaffRatingIn(RatingIn):
    """How somebody rated it, and how one heard."""

    how = fields.Enum(HeardBy, by_value=True, required=True)


class CareNoteIn(Shape):
    """What was said, or done."""

    note = Words(LONGEST_NOTE, required=True)
