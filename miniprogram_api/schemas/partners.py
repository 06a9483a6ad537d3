"""Shapes of partner units, as those who work with them see them."""

from __future__ import annotations

from collections.abc import Mapping

from marshmallow import fields

from miniprogram_api.schemas.fields import Cursor, Key, Limit, Phone, Shape, Words, masked_phone
from miniprogram_api.schemas.regions import RegionBrief
from models.partners import PartnerKind

PARTNER_KIND_LABELS: Mapping[PartnerKind, str] = {
    PartnerKind.UNIT: "共建单位",
    PartnerKind.NEIGHBOUR: "近邻合伙人",
    PartnerKind.PUBLIC_GOOD: "公益合伙人",
}


class PartnerIn(Shape):
    """What staff write down of a unit. ``credit_code`` as its papers show it; gaps and small letters are put right."""

    name = Words(60, required=True)
    kind = fields.Enum(PartnerKind, by_value=True, required=True)
    credit_code = Words(40, required=True, metadata={"description": "统一社会信用代码，18 位"})
    region = Key(required=True, metadata={"description": "服务的社区或街道"})
    contact_name = Words(40, required=True)
    contact_phone = Phone(required=True)


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


class PartnersQuery(Shape):
    """Where a list of units goes on."""

    cursor = Cursor()
    limit = Limit()


class PartnersOut(Shape):
    """One page of units."""

    items = fields.List(fields.Nested(PartnerLineOut), required=True)
    next = fields.String(required=True, allow_none=True)
