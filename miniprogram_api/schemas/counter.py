"""Shapes of the counter: people without WeChat, as those who work for their community enter and find them."""

from __future__ import annotations

from marshmallow import ValidationError, fields, validate, validates_schema

from miniprogram_api.schemas.fields import Key, Phone, Shape, Words, Year, YesNo, masked_name, masked_phone
from miniprogram_api.schemas.regions import RegionBrief
from models.counter import ConsentGiver
from models.residents import EARLIEST_BIRTH_YEAR

LONGEST_PURPOSE = 60
A_YEAR = validate.Range(EARLIEST_BIRTH_YEAR, 2100, error="请填写四位出生年份，例如 1958")


class SignedConsentIn(Shape):
    """The privacy policy that was signed on paper, and by whom."""

    version = Words(16, required=True)
    given_by = fields.Enum(ConsentGiver, by_value=True, required=True)


class EnterResidentIn(Shape):
    """Somebody to be entered at the counter. Without a phone of their own, a family member's or none."""

    name = Words(40, required=True)
    birth_year = Year(required=True, validate=A_YEAR)
    phone = Phone()
    home_community = Key(required=True)
    consent = fields.Nested(SignedConsentIn, required=True)
    even_so = YesNo(load_default=False, metadata={"description": "同名同岁的另一个人，照样登记"})


class NewHomeIn(Shape):
    """Where somebody lives now."""

    home_community = Key(required=True)


class CorrectionIn(Shape):
    """What was entered wrong; a field left out stays as it is."""

    name = Words(40)
    phone = Phone()
    birth_year = Year(validate=A_YEAR)


class LookForIn(Shape):
    """Whom one looks for, by what they say of themselves, and what for."""

    phone = Phone()
    name = Words(40)
    birth_year = Year(validate=A_YEAR)
    purpose = Words(LONGEST_PURPOSE, required=True, metadata={"description": "查找的用途，会记入操作日志"})

    @validates_schema
    def by_something(self, sent: dict[str, object], **_: object) -> None:
        """A phone number or a name."""
        if not {"phone", "name"} & set(sent):
            raise ValidationError("请填写手机号或姓名", "phone")


class EnteredResidentOut(Shape):
    """A person as those at the counter see them: enough to tell whether it is the one in front of them."""

    key = Key(attribute="resident.key", required=True)
    name = fields.Function(
        lambda one: masked_name(one.resident.name), metadata={"type": ["string", "null"]}, required=True
    )
    phone = fields.Function(
        lambda one: masked_phone(one.resident.phone), metadata={"type": ["string", "null"]}, required=True
    )
    birth_year = fields.Integer(attribute="resident.birth_year", required=True, allow_none=True)
    home_community = fields.Nested(
        RegionBrief, attribute="resident.home_region", required=True, allow_none=True
    )
    has_wechat = fields.Boolean(required=True)
    has_agreed = fields.Boolean(required=True, metadata={"description": "现行隐私政策的同意是否有效"})


class FoundResidentsOut(Shape):
    """Everybody of whom it is true, the first entered in front."""

    items = fields.List(fields.Nested(EnteredResidentOut), required=True)
