"""Shapes of equipment."""

from __future__ import annotations

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import Key, Shape, Whole, Words

MOST_PIECES = 1000


class EquipmentIn(Shape):
    """What a site has so many pieces of; ``venue`` null where it goes with any of its rooms."""

    name = Words(40, required=True)
    stock = Whole(
        required=True,
        validate=validate.Range(1, MOST_PIECES, error=f"数量为 1 到 {MOST_PIECES}；没有了请停用"),
    )
    venue = Key(required=True, allow_none=True)


class LentOut(Shape):
    """A thing that goes with a room, as everybody may see it, and how many there are."""

    key = Key(required=True)
    name = fields.String(required=True)
    stock = fields.Integer(required=True)


class EquipmentOut(LentOut):
    """The same, with the one room it goes with if it is fixed to one."""

    venue = Key(attribute="venue.key", dump_default=None, required=True, allow_none=True)
