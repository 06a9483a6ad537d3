"""Shapes of oneself: what a person tells us, and what we tell them of themselves."""

from __future__ import annotations

from marshmallow import ValidationError, fields, validate, validates_schema

from miniprogram_api.schemas.fields import Key, Phone, Shape, TownTime, Words, Year, YesNo
from miniprogram_api.schemas.regions import RegionBrief
from models.partners import PartnerState
from models.residents import EARLIEST_BIRTH_YEAR, BondKind
from models.staff import Role


class ConsentIn(Shape):
    """Agreeing to the privacy policy that was shown."""

    version = Words(16, required=True)


class MeIn(Shape):
    """What a person tells about themselves; a field left out stays as it is."""

    name = Words(40)
    home_community = Key()
    phone = Phone()
    birth_year = Year(
        validate=validate.Range(EARLIEST_BIRTH_YEAR, 2100, error="请填写四位出生年份，例如 1958")
    )
    elder_mode = YesNo()
    consent = fields.Nested(ConsentIn)


class PhoneIn(Shape):
    """A phone number: either the code of WeChat's button, or typed by hand (and then unverified)."""

    code = Words(128)
    phone = Phone()

    @validates_schema
    def exactly_one(self, data: dict[str, str], **_: object) -> None:
        """Either, not both."""
        if len(data) != 1:
            raise ValidationError("请用微信授权手机号，或者自己填写，二选一", "phone")


class ConsentOut(Shape):
    """A standing agreement."""

    version = fields.String(required=True)
    given_at = TownTime(required=True)


class RoleOut(Shape):
    """One role in one place."""

    role = fields.Enum(Role, by_value=True, required=True)
    region = fields.Nested(RegionBrief, required=True)


class IdentityOut(Shape):
    """A hat this account may put on with ``X-Identity``."""

    identity = fields.String(required=True)
    name = fields.String(required=True)
    roles = fields.List(fields.Nested(RoleOut), required=True)
    state = fields.Enum(
        PartnerState,
        by_value=True,
        allow_none=True,
        dump_default=None,
        metadata={"description": "单位身份的状态；已暂停的只能查看"},
    )


class WardOut(Shape):
    """Somebody this person may act for, with ``?for={key}``."""

    key = Key(required=True)
    name = fields.String(required=True, allow_none=True)
    kind = fields.Enum(BondKind, by_value=True, required=True)
    birth_year = fields.Integer(required=True, allow_none=True)


class NameReviewOut(Shape):
    """How far the check of one's name got, while that concerns the person: a clerk still looks, or it has to be told anew."""

    state = fields.String(
        required=True, metadata={"enum": ["waiting", "rejected"], "description": "等社区审核，或没有通过"}
    )
    reason = fields.String(required=True, allow_none=True, metadata={"description": "没有通过的原因"})


class MeOut(Shape):
    """What we know of the person who asks. The phone number is masked."""

    key = Key(required=True, allow_none=True)
    name = fields.String(required=True, allow_none=True)
    name_review = fields.Nested(NameReviewOut, required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    phone_verified = fields.Boolean(required=True)
    home_community = fields.Nested(RegionBrief, required=True, allow_none=True)
    birth_year = fields.Integer(required=True, allow_none=True)
    elder_mode = fields.Boolean(required=True)
    consent = fields.Nested(ConsentOut, required=True, allow_none=True)
    consent_version = fields.String(required=True, metadata={"description": "现行隐私政策版本"})
    missing = fields.List(fields.String(), required=True, metadata={"description": "报名前还要填写的项目"})
    identities = fields.List(fields.Nested(IdentityOut), required=True)
    wards = fields.List(fields.Nested(WardOut), required=True)


class PrivacyPolicyOut(Shape):
    """The privacy policy in force."""

    version = fields.String(required=True)
    sha256 = fields.String(required=True)
    text = fields.String(required=True, metadata={"description": "Markdown"})


class InvitationIn(Shape):
    """The code a staff member was given."""

    code = Words(64, required=True)
