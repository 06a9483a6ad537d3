"""Shapes of pick-up: who may fetch a child, and who did."""

from __future__ import annotations

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import Key, Phone, Shape, TownTime, Words, masked_name, masked_phone
from models.courses.attendance import MOST_ADULTS, RELATION_WORDS, Relation

LONGEST_NAME = 20
GUARDIAN = "监护人"


class AdultIn(Shape):
    """Somebody who may fetch the child."""

    name = Words(LONGEST_NAME, required=True)
    phone = Phone(required=True)
    relation = fields.Enum(Relation, by_value=True, required=True)


class AdultsIn(Shape):
    """All who may fetch the child besides its guardians; whoever is left out may no longer."""

    adults = fields.List(
        fields.Nested(AdultIn),
        required=True,
        validate=validate.Length(0, MOST_ADULTS, error=f"最多指定 {MOST_ADULTS} 位接送人"),
        metadata={"maxItems": MOST_ADULTS},
    )


class AdultOut(Shape):
    """Somebody who may fetch the child, as the guardian sees it; the number is masked."""

    key = Key(required=True)
    name = fields.String(required=True)
    phone = fields.Function(
        lambda adult: masked_phone(adult.phone),
        attribute="masked",
        metadata={"type": "string"},
        required=True,
    )
    relation = fields.Enum(Relation, by_value=True, required=True)
    relation_label = fields.Function(
        lambda adult: RELATION_WORDS[adult.relation], metadata={"type": "string"}, required=True
    )


class AdultsOut(Shape):
    """All who may fetch the child besides its guardians."""

    run = Key(required=True)
    items = fields.List(fields.Nested(AdultOut), required=True)


class FetcherOut(Shape):
    """Somebody who may fetch a child now, with the number staff call when nobody comes."""

    key = Key(required=True)
    name = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    relation_label = fields.Function(
        lambda one: RELATION_WORDS[one.relation] if one.relation else GUARDIAN,
        metadata={"type": "string"},
        required=True,
    )


class ChildLineOut(Shape):
    """One child at an evening. ``waits``: it is here, and nobody has fetched it yet."""

    registration = Key(attribute="registration.key", required=True)
    name = fields.String(attribute="registration.resident.name", required=True, allow_none=True)
    waits = fields.Boolean(required=True)
    fetchers = fields.List(fields.Nested(FetcherOut), required=True)
    fetched_at = TownTime(required=True, allow_none=True)
    fetched_by = fields.String(required=True, allow_none=True)


class ChildrenOut(Shape):
    """Every child of an evening, in the order of registration, and how many wait to be fetched."""

    items = fields.List(fields.Nested(ChildLineOut), required=True)
    waiting = fields.Integer(required=True)


class FetchedIn(Shape):
    """Which child goes home with whom."""

    registration = Key(required=True)
    adult = Key(required=True, metadata={"description": "名单里接送人的编号"})


class CopiedAdultOut(Shape):
    """Somebody who may fetch a child, in the copy of its data; the name is masked."""

    name = fields.Function(
        lambda adult: masked_name(adult.name), metadata={"type": ["string", "null"]}, required=True
    )
    relation = fields.Enum(Relation, by_value=True, required=True)
    named_at = TownTime(required=True)
    removed_at = TownTime(required=True, allow_none=True)


class CopiedPickUpOut(Shape):
    """When a child was fetched, and what who fetched it is to it: nothing for a guardian."""

    at = TownTime(required=True)
    relation = fields.Function(
        lambda one: one.adult and one.adult.relation.value,
        metadata={"type": ["string", "null"]},
        required=True,
    )
