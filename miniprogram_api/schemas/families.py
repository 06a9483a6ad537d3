"""Shapes of families: children a guardian adds, help that is offered and accepted, and bonds as they are written down at the counter."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from miniprogram_api.schemas.counter import A_YEAR, EnteredResidentOut
from miniprogram_api.schemas.fields import Key, Matching, Shape, TownTime, Words, Year, masked_name
from miniprogram_api.schemas.residents import ConsentIn
from models.families import CODE_DIGITS, KINDS_AT_THE_COUNTER
from models.residents import BondKind


class HelpCode(Matching):
    """The code with which somebody of the family offers help."""

    def __init__(self, **more: Any) -> None:
        super().__init__(f"[0-9]{{{CODE_DIGITS}}}", error=f"邀请码是 {CODE_DIGITS} 位数字", **more)


class ChildIn(Shape):
    """A child, and the privacy policy its guardian agreed to for it."""

    name = Words(40, required=True)
    birth_year = Year(required=True, validate=A_YEAR)
    consent = fields.Nested(ConsentIn, required=True)


class HelpOfferOut(Shape):
    """A code for somebody of the family to accept, good once."""

    code = fields.String(required=True)
    until = TownTime(required=True)


class HelpAcceptedIn(Shape):
    """The code one was told."""

    code = HelpCode(required=True)


class BondIn(Shape):
    """Who may act for the person from now on: found at the counter, or by the code on their phone; and how the other agreed."""

    helper = Key()
    code = HelpCode()
    kind = fields.Enum(
        BondKind,
        by_value=True,
        required=True,
        validate=validate.OneOf(KINDS_AT_THE_COUNTER, error="可选：guardian, family_helper"),
    )
    agreed_how = Words(
        100, required=True, metadata={"description": "怎样同意的，例如：本人当面签字、出示户口簿"}
    )

    @validates_schema
    def exactly_one(self, sent: dict[str, object], **_: object) -> None:
        """Either way of naming the helper, not both."""
        if len({"helper", "code"} & set(sent)) != 1:
            raise ValidationError("代办人请二选一：查找到的居民，或手机上的邀请码", "helper")


class CounterBondOut(Shape):
    """One bond as those at the counter see it, with masked names."""

    key = Key(required=True)
    kind = fields.Enum(BondKind, by_value=True, required=True)
    helper = Key(attribute="helper.key", required=True)
    helper_name = fields.Function(
        lambda bond: masked_name(bond.helper.name), metadata={"type": ["string", "null"]}, required=True
    )
    ward = Key(attribute="ward.key", required=True)
    ward_name = fields.Function(
        lambda bond: masked_name(bond.ward.name), metadata={"type": ["string", "null"]}, required=True
    )
    agreed_how = fields.String(required=True)
    since = fields.Date(attribute="starts_on", required=True)
    until = fields.Date(attribute="ends_on", required=True, allow_none=True)


class CounterResidentOut(EnteredResidentOut):
    """A person with the bonds that hold today."""

    bonds = fields.List(fields.Nested(CounterBondOut), required=True)
