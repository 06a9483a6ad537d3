"""Shapes of a person's rights over what we keep: the copy of all of it, and what closing the account would mean."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.absences import CopiedAttendanceOut, CopiedPauseOut
from miniprogram_api.schemas.acts import ACT_LABELS
from miniprogram_api.schemas.certificates import CopiedCertificateOut
from miniprogram_api.schemas.courses import STATE_LABELS
from miniprogram_api.schemas.feedback import CopiedFeedbackOut
from miniprogram_api.schemas.feeds import CopiedFeedOut
from miniprogram_api.schemas.fields import Key, Matching, Shape, TownTime, masked_name
from miniprogram_api.schemas.pick_ups import CopiedAdultOut, CopiedPickUpOut
from miniprogram_api.schemas.questions import CopiedAnswerOut
from miniprogram_api.schemas.regions import RegionBrief
from miniprogram_api.schemas.residents import RoleOut
from miniprogram_api.schemas.seats import ReceiptOut
from models.consents import KEPT_AFTER_CLOSING_DAYS, ConsentChannel, ConsentKind
from models.content_checks import KEPT_FOR as CHECKS_KEPT_FOR
from models.content_checks import CheckKind, CheckState, field_of
from models.copies import Actor
from models.counter import ConsentGiver
from models.courses import RegistrationState
from models.departures import STAFF_NAMES_KEPT_DAYS, WardBecomes
from models.grants import Answer
from models.ladder import CallState, ShortMessageState
from models.notices import Delivery, NoticeKind
from models.partners import PartnerKind
from models.residents import BondKind, guards_a_child

WARD_LABELS = {
    WardBecomes.LEAVES_TOO: "孩子没有其他监护人，报名会取消，资料会一并删除",
    WardBecomes.KEEPS_A_HELPER: "还有其他人可以代办，报名保留",
    WardBecomes.LOSES_THEIR_HELPER: "报名保留；以后需要您的家人另找人代办，或到社区服务台办理",
}
SEATS_GO_TO = "让出的名额按候补顺序给下一位邻居，系统会通知他们"
FINAL = "确认后立即生效，不能恢复。以后用同一个微信进入，会是一个全新的账号，看不到以前的内容"
KEPT = (
    {"what": "报名记录", "how": "去掉姓名、手机号等全部个人信息，只留统计数字", "days": None},
    {"what": "结业证书", "how": "去掉姓名，只留课程、学时和查验编号", "days": None},
    {"what": "课后评价", "how": "去掉文字，只留几颗星", "days": None},
    {"what": "短信和电话告知的记录", "how": "去掉姓名、手机号等全部个人信息，只留统计数字", "days": None},
    {
        "what": "同意和撤回隐私政策的时间",
        "how": "不含任何个人信息，到期删除",
        "days": KEPT_AFTER_CLOSING_DAYS,
    },
    {"what": "内容审核的时间和结果", "how": "不含原文和任何个人信息，到期删除", "days": CHECKS_KEPT_FOR.days},
    {"what": "操作日志", "how": "不再指向您，依法留存备查", "days": None},
)
KEPT_OF_STAFF = {
    "what": "工作人员姓名",
    "how": "离岗后保留一段时间，用于核对操作日志，到期删除",
    "days": STAFF_NAMES_KEPT_DAYS,
}


# --- closing ------------------------------------------------------------------------------------------------------


class ObstacleOut(Shape):
    """Why the account cannot be closed yet."""

    code = fields.String(required=True, metadata={"enum": ["staff_identity", "partner_identity"]})
    identity = fields.String(required=True)
    name = fields.String(required=True)
    message = fields.String(required=True, metadata={"description": "给居民看的一句话"})


class HeldOut(Shape):
    """A seat or a place in a queue that will be given up."""

    key = Key(required=True)
    run = Key(attribute="run.key", required=True)
    title = fields.String(attribute="run.course.title", required=True)
    starts_at = TownTime(attribute="run.starts_at", required=True)
    resident = Key(attribute="resident.key", required=True)
    name = fields.String(attribute="resident.name", required=True, allow_none=True)
    state = fields.Enum(RegistrationState, by_value=True, required=True)
    state_label = fields.Function(
        lambda held: STATE_LABELS[held.state], metadata={"type": "string"}, required=True
    )


class WardLeftOut(Shape):
    """Somebody this person acts for, and what becomes of them."""

    key = Key(attribute="ward.key", required=True)
    name = fields.String(attribute="ward.name", required=True, allow_none=True)
    kind = fields.Enum(BondKind, by_value=True, required=True)
    becomes = fields.Enum(WardBecomes, by_value=True, required=True)
    becomes_label = fields.Function(
        lambda left: WARD_LABELS[left.becomes], metadata={"type": "string"}, required=True
    )


class KeptOut(Shape):
    """Something that stays, without anybody's name, and for how many days (null: as a number, for good)."""

    what = fields.String(required=True)
    how = fields.String(required=True)
    days = fields.Integer(required=True, allow_none=True)


class ClosureOut(Shape):
    """What closing the account would mean for this very person, now."""

    closure = fields.String(required=True, metadata={"description": "确认注销时原样传回；情况有变就失效"})
    can_be_closed = fields.Boolean(required=True)
    obstacles = fields.List(fields.Nested(ObstacleOut), required=True)
    registrations = fields.List(fields.Nested(HeldOut), required=True)
    seats_go_to = fields.String(required=True)
    wards = fields.List(fields.Nested(WardLeftOut), required=True)
    kept = fields.List(fields.Nested(KeptOut), required=True)
    final = fields.String(required=True, metadata={"description": "何时生效、能否恢复"})


class ClosureSeen(Shape):
    """The ``closure`` that was shown."""

    closure = Matching("[0-9a-f]{16}", error="请先查看注销说明，再确认注销", required=True)


# --- the copy -----------------------------------------------------------------------------------------------------


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


class HelperOut(Shape):
    """Somebody who may act for this person, whose name is masked. ``key`` names the bond."""

    key = Key(required=True)
    name = fields.Function(
        lambda bond: masked_name(bond.helper.name), metadata={"type": ["string", "null"]}, required=True
    )
    kind = fields.Enum(BondKind, by_value=True, required=True)
    since = fields.Date(attribute="starts_on", required=True)
    can_be_ended = fields.Function(
        lambda bond: not guards_a_child(bond.kind, bond.ward.birth_year),
        metadata={"type": "boolean", "description": "能否由本人结束；未满十四周岁的监护关系不能"},
        required=True,
    )


class HelpersOut(Shape):
    """Everybody who may act for this person today."""

    items = fields.List(fields.Nested(HelperOut), required=True)


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
