"""Shapes of the copy of everything kept about a person: the person's own, and of other people no more than a masked name."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.absences import CopiedAttendanceOut, CopiedPauseOut
from miniprogram_api.schemas.acts import ACT_LABELS
from miniprogram_api.schemas.certificates import CopiedCertificateOut
from miniprogram_api.schemas.claims import CopiedLeadOut
from miniprogram_api.schemas.closures import ANSWER_LABELS
from miniprogram_api.schemas.feedback import CopiedFeedbackOut
from miniprogram_api.schemas.feeds import CopiedFeedOut
from miniprogram_api.schemas.fields import Key, Shape, TownTime, masked_name, masked_phone
from miniprogram_api.schemas.groups import CopiedGroupOut
from miniprogram_api.schemas.inductions import CopiedInductionOut
from miniprogram_api.schemas.pick_ups import CopiedAdultOut, CopiedPickUpOut
from miniprogram_api.schemas.questions import CopiedAnswerOut
from miniprogram_api.schemas.regions import RegionBrief
from miniprogram_api.schemas.residents import RoleOut
from miniprogram_api.schemas.seats import ReceiptOut
from miniprogram_api.schemas.wishes import CopiedSupportOut, CopiedWishOut
from models.consents import ConsentChannel, ConsentKind
from models.content_checks import CheckKind, CheckState, field_of
from models.coordination.closures import MoveAnswer
from models.copies.lines import Actor
from models.counter import ConsentGiver
from models.courses import RegistrationState
from models.grants import Answer
from models.ladder import CallState, ShortMessageState
from models.notices import Delivery, NoticeKind
from models.partners import Partner, PartnerKind, PartnerState
from models.reservations import CreditWhy, ReservationState, ReservedFor
from models.residents import BondKind


class LineOut(Shape):
    """One line of the journal: what was done, when, by whom. Other people's names are masked."""

    at = TownTime(attribute="entry.at", required=True)
    act = fields.String(attribute="entry.act", required=True)
    act_label = fields.Function(
        lambda line: ACT_LABELS.get(line.entry.act, line.entry.act),
        metadata={"type": "string"},
        required=True,
    )
    by = fields.Enum(Actor, by_value=True, required=True)
    by_name = fields.Function(
        lambda line: masked_name(line.name), metadata={"type": ["string", "null"]}, required=True
    )
    by_roles = fields.List(fields.Nested(RoleOut), attribute="roles", required=True)


class CopiedProfileOut(Shape):
    """The profile, with the whole phone number: it is the owner's own."""

    key = Key(required=True)
    name = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    phone_verified_at = TownTime(required=True, allow_none=True)
    home_community = fields.Nested(RegionBrief, attribute="home_region", required=True, allow_none=True)
    birth_year = fields.Integer(required=True, allow_none=True)
    elder_mode = fields.Boolean(required=True)
    created_at = TownTime(required=True)


class CopiedBondOut(Shape):
    """A bond with somebody, whose name is masked."""

    kind = fields.Enum(BondKind, by_value=True, attribute="bond.kind", required=True)
    role = fields.Function(
        lambda tie: "helper" if tie.is_helper else "ward",
        metadata={"type": "string", "enum": ["helper", "ward"], "description": "本人是代办人还是被代办人"},
        required=True,
    )
    other_name = fields.Function(
        lambda tie: masked_name(tie.other.name), metadata={"type": ["string", "null"]}, required=True
    )
    agreed_how = fields.String(attribute="bond.agreed_how", required=True)
    agreed_at = TownTime(attribute="bond.agreed_at", required=True)
    starts_on = fields.Date(attribute="bond.starts_on", required=True)
    ends_on = fields.Date(attribute="bond.ends_on", required=True, allow_none=True)
    ended_at = TownTime(attribute="bond.ended_at", required=True, allow_none=True)


class CopiedRegistrationOut(Shape):
    """A registration and everything that happened to it."""

    key = Key(attribute="registration.key", required=True)
    run = Key(attribute="registration.run.key", required=True)
    title = fields.String(attribute="registration.run.course.title", required=True)
    starts_at = TownTime(attribute="registration.run.starts_at", required=True)
    state = fields.Enum(RegistrationState, by_value=True, attribute="registration.state", required=True)
    number = fields.Integer(attribute="registration.number", required=True)
    registered_at = TownTime(attribute="registration.registered_at", required=True)
    confirmed_at = TownTime(attribute="registration.confirmed_at", required=True, allow_none=True)
    cancelled_at = TownTime(attribute="registration.cancelled_at", required=True, allow_none=True)
    cancelled_late = fields.Boolean(attribute="registration.cancelled_late", required=True)
    pick_up_adults = fields.List(fields.Nested(CopiedAdultOut), attribute="fetching.adults", required=True)
    pick_ups = fields.List(fields.Nested(CopiedPickUpOut), attribute="fetching.pick_ups", required=True)
    evenings = fields.List(fields.Nested(CopiedAttendanceOut), required=True)
    certificate = fields.Nested(CopiedCertificateOut, required=True, allow_none=True)
    feedback = fields.Nested(CopiedFeedbackOut, required=True, allow_none=True)
    history = fields.List(fields.Nested(LineOut), required=True)


class CopiedShortMessageOut(Shape):
    """One short message, and what became of it."""

    kind = fields.Enum(NoticeKind, by_value=True, required=True)
    title = fields.String(required=True)
    body = fields.String(required=True)
    created_at = TownTime(required=True)
    state = fields.Enum(ShortMessageState, by_value=True, required=True)
    settled_at = TownTime(required=True, allow_none=True)


class CopiedCallOut(Shape):
    """One call somebody of the community was asked to make, and what came of it."""

    kind = fields.Enum(NoticeKind, by_value=True, required=True)
    title = fields.String(required=True)
    body = fields.String(required=True)
    created_at = TownTime(required=True)
    state = fields.Enum(CallState, by_value=True, required=True)
    tries = fields.Integer(required=True)
    tried_at = TownTime(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)


class CopiedResidentConsentOut(Shape):
    """One agreement on paper, or by a child's guardian, with its withdrawal."""

    kind = fields.Enum(ConsentKind, by_value=True, required=True)
    version = fields.String(required=True)
    text_sha256 = fields.String(required=True)
    channel = fields.Enum(ConsentChannel, by_value=True, required=True)
    given_by = fields.Enum(ConsentGiver, by_value=True, required=True)
    given_at = TownTime(required=True)
    withdrawn_at = TownTime(required=True, allow_none=True)


class CopiedReservationOut(Shape):
    """A room somebody reserved, and everything that happened to it."""

    key = Key(attribute="reservation.key", required=True)
    venue = fields.String(attribute="reservation.venue.full_name", required=True)
    group = fields.String(
        attribute="reservation.group.name", required=True, dump_default=None, allow_none=True
    )
    state = fields.Enum(ReservationState, by_value=True, attribute="reservation.state", required=True)
    starts_at = TownTime(attribute="reservation.starts_at", required=True)
    ends_at = TownTime(attribute="reservation.ends_at", required=True)
    headcount = fields.Integer(attribute="reservation.headcount", required=True)
    wanted_for = fields.Enum(ReservedFor, by_value=True, attribute="reservation.wanted_for", required=True)
    about = fields.String(attribute="reservation.about", required=True)
    loudspeaker = fields.Boolean(attribute="reservation.loudspeaker", required=True)
    with_children = fields.Boolean(attribute="reservation.with_children", required=True)
    pledge_version = fields.String(attribute="reservation.pledge_version", required=True)
    reserved_at = TownTime(attribute="reservation.reserved_at", required=True)
    checked_in_at = TownTime(attribute="reservation.checked_in_at", required=True, allow_none=True)
    signed_out_at = TownTime(attribute="reservation.signed_out_at", required=True, allow_none=True)
    because = fields.String(attribute="reservation.decided_because", required=True)
    condition_note = fields.String(attribute="reservation.condition_note", required=True)
    history = fields.List(fields.Nested(LineOut), required=True)


class CopiedQuestionOut(Shape):
    """What somebody was asked because a room or class of theirs was moved, what came of it, and who answered or looked."""

    because = fields.String(attribute="question.effect.closure.because", required=True)
    title = fields.String(attribute="question.effect.title", required=True)
    was_at = fields.String(attribute="question.effect.venue.name", required=True)
    was_starts_at = TownTime(attribute="question.effect.starts_at", required=True)
    to_at = fields.String(attribute="question.effect.to_venue.name", required=True)
    to_starts_at = TownTime(attribute="question.effect.to_starts_at", required=True)
    asked_at = TownTime(attribute="question.asked_at", required=True)
    answer = fields.Enum(
        MoveAnswer, by_value=True, attribute="question.answer", required=True, allow_none=True
    )
    answer_label = fields.Function(
        lambda one: ANSWER_LABELS.get(one.question.answer, ""), metadata={"type": "string"}, required=True
    )
    answered_at = TownTime(attribute="question.answered_at", required=True, allow_none=True)
    history = fields.List(fields.Nested(LineOut), required=True)


class CopiedCreditOut(Shape):
    """Points a reservation gave or took, and what was said against it."""

    why = fields.Enum(CreditWhy, by_value=True, required=True)
    points = fields.Integer(required=True)
    at = TownTime(required=True)
    note = fields.String(required=True)
    excused_at = TownTime(required=True, allow_none=True)
    appeal_words = fields.String(required=True, allow_none=True)
    answer = fields.String(required=True)


class CopiedPersonOut(Shape):
    """What is kept about one person."""

    profile = fields.Nested(CopiedProfileOut, attribute="resident", required=True)
    bonds = fields.List(fields.Nested(CopiedBondOut), required=True)
    registrations = fields.List(fields.Nested(CopiedRegistrationOut), required=True)
    short_messages = fields.List(fields.Nested(CopiedShortMessageOut), required=True)
    calls = fields.List(fields.Nested(CopiedCallOut), required=True)
    consents = fields.List(fields.Nested(CopiedResidentConsentOut), required=True)
    answers = fields.List(fields.Nested(CopiedAnswerOut), required=True)
    pauses = fields.List(fields.Nested(CopiedPauseOut), required=True)
    receipts = fields.List(fields.Nested(ReceiptOut), required=True)
    inductions = fields.List(fields.Nested(CopiedInductionOut), required=True)
    groups = fields.List(fields.Nested(CopiedGroupOut), required=True)
    rooms = fields.List(fields.Nested(CopiedReservationOut), required=True)
    questions = fields.List(fields.Nested(CopiedQuestionOut), required=True)
    credit = fields.List(fields.Nested(CopiedCreditOut), required=True)
    wishes = fields.List(fields.Nested(CopiedWishOut), required=True)
    supports = fields.List(fields.Nested(CopiedSupportOut), required=True)
    journal = fields.List(
        fields.Nested(LineOut), required=True, metadata={"description": "谁在什么时候以什么身份查看或改动过"}
    )


class CopiedAccountOut(Shape):
    """The account. What WeChat calls the person never leaves the house."""

    created_at = TownTime(required=True)


class CopiedConsentOut(Shape):
    """One agreement, with its withdrawal."""

    kind = fields.Enum(ConsentKind, by_value=True, required=True)
    version = fields.String(required=True)
    text_sha256 = fields.String(required=True)
    channel = fields.Enum(ConsentChannel, by_value=True, required=True)
    given_at = TownTime(required=True)
    withdrawn_at = TownTime(required=True, allow_none=True)


class CopiedCheckOut(Shape):
    """One check of what was written or shown, and what came of it. What was written, only while somebody may have to look."""

    kind = fields.Enum(CheckKind, by_value=True, required=True)
    field = fields.Function(lambda check: field_of(check).label, metadata={"type": "string"}, required=True)
    state = fields.Enum(CheckState, by_value=True, required=True)
    text = fields.String(attribute="written", required=True, allow_none=True)
    image_url = fields.String(required=True, allow_none=True)
    found = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    submitted_at = TownTime(attribute="created_at", required=True)
    decided_at = TownTime(required=True, allow_none=True)


class CopiedLoginOut(Shape):
    """When somebody logged in with this account."""

    created_at = TownTime(required=True)
    expires_at = TownTime(required=True)
    revoked_at = TownTime(required=True, allow_none=True)


class CopiedNoticeOut(Shape):
    """One message, and what became of it at WeChat."""

    kind = fields.Enum(NoticeKind, by_value=True, required=True)
    title = fields.String(required=True)
    body = fields.String(required=True)
    created_at = TownTime(required=True)
    read_at = TownTime(required=True, allow_none=True)
    delivery = fields.Enum(Delivery, by_value=True, required=True)
    settled_at = TownTime(required=True, allow_none=True)


class CopiedGrantOut(Shape):
    """What was answered when we asked to send messages of one template."""

    template = fields.String(required=True)
    remaining = fields.Integer(required=True)
    accepted = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    last_answer = fields.Enum(Answer, by_value=True, required=True, allow_none=True)
    answered_at = TownTime(required=True, allow_none=True)
    emptied_at = TownTime(required=True, allow_none=True)


class CopiedFollowOut(Shape):
    """A community or course one hears of, or does not want to hear of."""

    community = fields.String(attribute="region.name", dump_default=None, required=True, allow_none=True)
    course = fields.String(attribute="course.title", dump_default=None, required=True, allow_none=True)
    muted = fields.Boolean(required=True)
    followed_at = TownTime(required=True)


class CopiedRoleOut(Shape):
    """One role, from–to."""

    role = fields.String(required=True)
    region = fields.Nested(RegionBrief, required=True)
    starts_at = TownTime(required=True)
    ends_at = TownTime(required=True, allow_none=True)


class CopiedStaffOut(Shape):
    """A staff identity."""

    identity = fields.String(required=True)
    name = fields.String(required=True)
    left_at = TownTime(required=True, allow_none=True)
    roles = fields.List(fields.Nested(CopiedRoleOut), attribute="grants", required=True)


class CopiedPartnerOut(Shape):
    """A unit this account acts or acted for."""

    name = fields.String(attribute="partner.name", required=True)
    kind = fields.Enum(PartnerKind, by_value=True, attribute="partner.kind", required=True)
    joined_at = TownTime(required=True)
    left_at = TownTime(required=True, allow_none=True)


class CopiedApplicationOut(Shape):
    """A unit this account asked for, whatever became of it. Whom to call is what they wrote while it waits, and may be somebody else's since."""

    name = fields.String(required=True)
    kind = fields.Enum(PartnerKind, by_value=True, required=True)
    state = fields.Enum(PartnerState, by_value=True, attribute="standing", required=True)
    credit_code = fields.String(required=True, allow_none=True)
    region = fields.Nested(RegionBrief, required=True, allow_none=True)
    contact_name = fields.Function(
        lambda unit: unit.contact_name if _waits(unit) else masked_name(unit.contact_name),
        metadata={"type": ["string", "null"]},
        required=True,
    )
    contact_phone = fields.Function(
        lambda unit: unit.contact_phone if _waits(unit) else masked_phone(unit.contact_phone),
        metadata={"type": ["string", "null"]},
        required=True,
    )
    applied_at = TownTime(required=True, allow_none=True)
    decided_at = TownTime(required=True, allow_none=True)
    reason = fields.String(required=True)


def _waits(unit: Partner) -> bool:
    return unit.state is PartnerState.APPLIED


class CopyOut(Shape):
    """Everything the town keeps about the person who asks, and about the children they guard."""

    made_at = TownTime(required=True)
    account = fields.Nested(CopiedAccountOut, required=True)
    oneself = fields.Nested(CopiedPersonOut, required=True, allow_none=True)
    children = fields.List(fields.Nested(CopiedPersonOut), required=True)
    account_journal = fields.List(fields.Nested(LineOut), required=True)
    consents = fields.List(fields.Nested(CopiedConsentOut), required=True)
    content_checks = fields.List(fields.Nested(CopiedCheckOut), attribute="checks", required=True)
    logins = fields.List(fields.Nested(CopiedLoginOut), required=True)
    notices = fields.List(fields.Nested(CopiedNoticeOut), required=True)
    message_grants = fields.List(fields.Nested(CopiedGrantOut), attribute="grants", required=True)
    calendar_feed = fields.Nested(CopiedFeedOut, attribute="feed", required=True, allow_none=True)
    follows = fields.List(fields.Nested(CopiedFollowOut), required=True)
    staff = fields.List(fields.Nested(CopiedStaffOut), required=True)
    partners = fields.List(fields.Nested(CopiedPartnerOut), required=True)
    partner_applications = fields.List(
        fields.Nested(CopiedApplicationOut), attribute="applications", required=True
    )
    claims = fields.List(fields.Nested(CopiedLeadOut), required=True)
