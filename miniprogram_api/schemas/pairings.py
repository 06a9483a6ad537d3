"""Shapes of pairings: which unit has to do with which place, as both sides see it."""

from __future__ import annotations

from collections.abc import Mapping

from marshmallow import fields

from miniprogram_api.schemas.fields import Cursor, Key, Limit, Shape, TownTime
from miniprogram_api.schemas.partners import PartnerBrief
from miniprogram_api.schemas.regions import RegionBrief
from models.partners import PairingState

PAIRING_STATE_LABELS: Mapping[PairingState, str] = {
    PairingState.ASKED: "待社区同意",
    PairingState.ACTIVE: "结对中",
    PairingState.ENDED: "已结束",
}


class PairingIn(Shape):
    """The place a unit wishes to have to do with."""

    region = Key(required=True, metadata={"description": "社区、街道或以上"})


class StaffPairingIn(PairingIn):
    """A unit, and the place it is paired with."""

    partner = Key(required=True)


class PairingOut(Shape):
    """One unit and one place."""

    key = Key(required=True)
    partner = fields.Nested(PartnerBrief, required=True)
    region = fields.Nested(RegionBrief, required=True)
    state = fields.Enum(PairingState, by_value=True, required=True)
    state_label = fields.Function(
        lambda pairing: PAIRING_STATE_LABELS[pairing.state], metadata={"type": "string"}, required=True
    )
    is_trusted = fields.Boolean(required=True, metadata={"description": "免审：认领不用社区确认"})
    asked_at = TownTime(required=True)
    since = TownTime(required=True, allow_none=True)
    ended_at = TownTime(required=True, allow_none=True)
    reason = fields.String(required=True)


class MyPairingsOut(Shape):
    """Every pairing of a unit, also those that ended, oldest first."""

    items = fields.List(fields.Nested(PairingOut), required=True)


class PairingsQuery(Shape):
    """Which pairings to list."""

    state = fields.Enum(PairingState, by_value=True, load_default=PairingState.ASKED)
    cursor = Cursor()
    limit = Limit()


class PairingsOut(Shape):
    """One page of pairings, oldest first."""

    items = fields.List(fields.Nested(PairingOut), required=True)
    next = fields.String(required=True, allow_none=True)
