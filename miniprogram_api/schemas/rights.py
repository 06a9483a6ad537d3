"""Shapes of a person's rights over what we keep: consent, and what closing the account would mean."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.courses import STATE_LABELS
from miniprogram_api.schemas.fields import Key, Matching, Shape, TownTime, masked_name
from miniprogram_api.schemas.groups import GroupLeftOut
from models.consents import KEPT_AFTER_CLOSING_DAYS
from models.content_checks import KEPT_FOR as CHECKS_KEPT_FOR
from models.courses import RegistrationState
from models.departures import STAFF_NAMES_KEPT_DAYS, WardBecomes
from models.reservations import ReservationState
from models.residents import BondKind, guards_a_child
from models.wishes import WishState

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
    {"what": "负责过的团队", "how": "去掉介绍，只留团队名称和起止时间，不再指向您", "days": None},
    {"what": "许过的心愿", "how": "去掉原话、称呼、地址、照片和公布的文字，只留统计数字", "days": None},
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


class RoomLeftOut(Shape):
    """A room that is given up."""

    key = Key(required=True)
    venue = fields.String(attribute="venue.full_name", required=True)
    state = fields.Enum(ReservationState, by_value=True, required=True)
    starts_at = TownTime(required=True)


class WishLeftOut(Shape):
    """A wish nothing comes of any more."""

    key = Key(required=True)
    number = fields.Function(lambda wish: f"{wish.number:04}", metadata={"type": "string"}, required=True)
    state = fields.Enum(WishState, by_value=True, required=True)


class ClosureOut(Shape):
    """What closing the account would mean for this very person, now."""

    closure = fields.String(required=True, metadata={"description": "确认注销时原样传回；情况有变就失效"})
    can_be_closed = fields.Boolean(required=True)
    obstacles = fields.List(fields.Nested(ObstacleOut), required=True)
    registrations = fields.List(fields.Nested(HeldOut), required=True)
    seats_go_to = fields.String(required=True)
    wards = fields.List(fields.Nested(WardLeftOut), required=True)
    groups = fields.List(fields.Nested(GroupLeftOut), required=True)
    rooms = fields.List(fields.Nested(RoomLeftOut), required=True)
    wishes = fields.List(fields.Nested(WishLeftOut), required=True)
    kept = fields.List(fields.Nested(KeptOut), required=True)
    final = fields.String(required=True, metadata={"description": "何时生效、能否恢复"})


class ClosureSeen(Shape):
    """The ``closure`` that was shown."""

    closure = Matching("[0-9a-f]{16}", error="请先查看注销说明，再确认注销", required=True)


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
