"""Shapes of certificates, of completing a class, and of what somebody has learnt."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.courses import STATE_LABELS
from miniprogram_api.schemas.fields import Key, Shape, TownTime, masked_name
from miniprogram_api.schemas.regions import RegionBrief
from models.courses import RegistrationState


class OfAClassOut(Shape):
    """Of which class something is that hangs on a registration."""

    title = fields.String(attribute="registration.run.course.title", required=True)
    community = fields.Nested(RegionBrief, attribute="registration.run.region", required=True)
    starts_at = TownTime(attribute="registration.run.starts_at", required=True)
    ends_at = TownTime(attribute="registration.run.ends_at", required=True)


class StudiedOut(Shape):
    """How much was studied, and whether the paper about it stands: what a certificate says to everybody."""

    evenings = fields.Integer(required=True)
    evenings_held = fields.Integer(required=True)
    hours = fields.Float(required=True)
    issued_at = TownTime(required=True)
    revoked_at = TownTime(required=True, allow_none=True)


class WholeCertificateOut(StudiedOut):
    """The same with the name, the code, and why it was taken back: for whose it is, and for the staff of its run."""

    code = fields.String(attribute="printed_code", required=True)
    name = fields.String(required=True, allow_none=True)
    revoked_because = fields.String(required=True)


class CopiedCertificateOut(WholeCertificateOut):
    """A certificate in the copy of one's own data."""


class CertificateOut(OfAClassOut, WholeCertificateOut):
    """A certificate of one's own, or of somebody one acts for."""

    run = Key(attribute="registration.run.key", required=True)
    resident = Key(attribute="registration.resident.key", required=True)


class CertificatesOut(Shape):
    """One's certificates, and those of the people one may act for, newest first."""

    items = fields.List(fields.Nested(CertificateOut), required=True)


class CheckedCertificateOut(OfAClassOut, StudiedOut):
    """What anybody hears who has the code: whether it stands, and of whom no more than a masked name."""

    is_valid = fields.Boolean(required=True)
    name = fields.Function(
        lambda certificate: masked_name(certificate.name),
        metadata={"type": ["string", "null"]},
        required=True,
    )


class StaffCertificateOut(WholeCertificateOut):
    """A certificate as the staff of its run see it."""

    key = Key(required=True)
    registration = Key(attribute="registration.key", required=True)


class StaffCertificatesOut(Shape):
    """The certificates of a run, in the order of registration."""

    items = fields.List(fields.Nested(StaffCertificateOut), required=True)


class CompletionOut(Shape):
    """How many more people completed the class, and since when it counts as completed."""

    run = Key(attribute="run.key", required=True)
    completed = fields.Integer(required=True)
    completed_at = TownTime(attribute="run.completed_at", required=True)


class TakenOut(OfAClassOut):
    """One course somebody took."""

    run = Key(attribute="registration.run.key", required=True)
    category = fields.String(attribute="registration.run.course.category", required=True)
    state = fields.Enum(RegistrationState, by_value=True, attribute="registration.state", required=True)
    state_label = fields.Function(
        lambda taken: STATE_LABELS[taken.registration.state], metadata={"type": "string"}, required=True
    )
    evenings_held = fields.Integer(required=True)
    evenings = fields.Integer(required=True, metadata={"description": "有记录的到课次数"})
    hours = fields.Float(required=True)
    certificate = fields.Function(
        lambda taken: (
            taken.certificate.printed_code if taken.certificate and taken.certificate.is_valid else None
        ),
        metadata={"type": ["string", "null"], "description": "结业证书编号，撤销了的不再有"},
        required=True,
    )


class RecordOut(Shape):
    """What somebody has learnt here, newest first."""

    resident = Key(attribute="resident.key", required=True)
    courses = fields.Function(lambda record: len(record.taken), metadata={"type": "integer"}, required=True)
    completed = fields.Integer(required=True)
    hours = fields.Float(required=True)
    items = fields.List(fields.Nested(TakenOut), attribute="taken", required=True)
