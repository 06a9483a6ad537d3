"""Shapes of courses, runs and registrations."""

from __future__ import annotations

from marshmallow import fields
from marshmallow.validate import Range

from miniprogram_api.schemas.fields import (
    Cursor,
    Day,
    Key,
    Limit,
    QueryWhole,
    QueryYesNo,
    Shape,
    TownTime,
    Words,
)
from miniprogram_api.schemas.regions import RegionBrief
from models.courses import (
    Admission,
    Audience,
    CourseKind,
    CourseRun,
    Promotion,
    RegistrationState,
    RunPhase,
    SessionPhase,
)

MOST_COMPANIONS = 20
PHASE_LABELS = {
    RunPhase.SCHEDULED: "待发布",
    RunPhase.UPCOMING: "即将开放",
    RunPhase.ENROLLING: "报名中",
    RunPhase.FULL: "已报满",
    RunPhase.CLOSED: "报名截止",
    RunPhase.RUNNING: "开课中",
    RunPhase.FINISHED: "已结束",
    RunPhase.CANCELLED: "已取消",
}
PHASE_LABELS_OF_ACTIVITIES = PHASE_LABELS | {RunPhase.RUNNING: "进行中"}
# what a page calls it, where one comes to, when it begins, and who leads it
WORDS = {
    CourseKind.COURSE: {"kind": "课程", "place": "上课地点", "starts": "开课时间", "teacher": "老师"},
    CourseKind.ACTIVITY: {"kind": "活动", "place": "集合地点", "starts": "集合时间", "teacher": "负责人"},
}
_WORDS_OF_A_KIND = {
    "type": "object",
    "description": "页面上怎么称呼它、到哪里、什么时候开始、由谁带",
    "properties": {word: {"type": "string"} for word in WORDS[CourseKind.COURSE]},
    "required": list(WORDS[CourseKind.COURSE]),
}
STATE_LABELS = {
    RegistrationState.APPLIED: "已申请",
    RegistrationState.CONFIRMED: "报名成功",
    RegistrationState.WAITLISTED: "候补中",
    RegistrationState.OFFERED: "待确认",
    RegistrationState.NOT_SELECTED: "未中选",
    RegistrationState.CANCELLED: "已取消",
    RegistrationState.COMPLETED: "已结业",
}


def label_of(run: CourseRun) -> str:
    """Where a run stands now, as people read it."""
    return (PHASE_LABELS_OF_ACTIVITIES if run.course.is_activity else PHASE_LABELS)[run.phase]


class RunsQuery(Shape):
    """Which runs to list; all filters together."""

    region = Key(metadata={"description": "区域编号，含其下所有社区"})
    category = Words(20)
    day = Day(metadata={"description": "当天有课，例如 2026-12-03"})
    state = fields.Enum(RunPhase, by_value=True)
    kind = fields.Enum(CourseKind, by_value=True, metadata={"description": "课程或活动"})
    cursor = Cursor()
    limit = Limit()


class PlaceOut(Shape):
    """Where: the room, the site, its address and phone."""

    venue = fields.String(attribute="name", required=True)
    site = fields.String(attribute="site.name", required=True)
    address = fields.String(attribute="site.address", required=True)
    phone = fields.String(attribute="site.phone", required=True)


class SessionOut(Shape):
    """One evening."""

    key = Key(required=True)
    starts_at = TownTime(required=True)
    ends_at = TownTime(required=True)
    state = fields.Enum(SessionPhase, by_value=True, attribute="phase", required=True)
    place = fields.Nested(PlaceOut, attribute="venue", required=True)


class RunOut(Shape):
    """One offering of a course, as everybody may see it."""

    key = Key(required=True)
    course = Key(attribute="course.key", required=True, metadata={"description": "课程编号，关注课程时用"})
    title = fields.String(attribute="course.title", required=True)
    kind = fields.Enum(CourseKind, by_value=True, attribute="course.kind", required=True)
    words = fields.Function(lambda run: WORDS[run.course.kind], metadata=_WORDS_OF_A_KIND, required=True)
    category = fields.String(attribute="course.category", required=True)
    community = fields.Nested(RegionBrief, attribute="region", required=True)
    teacher = fields.String(required=True)
    capacity = fields.Integer(required=True)
    seats_left = fields.Integer(required=True)
    waiting = fields.Integer(required=True)
    state = fields.Enum(RunPhase, by_value=True, attribute="phase", required=True)
    state_label = fields.Function(label_of, metadata={"type": "string"}, required=True)
    opens_at = TownTime(required=True)
    closes_at = TownTime(required=True)
    starts_at = TownTime(required=True)
    ends_at = TownTime(required=True)
    admission = fields.Enum(Admission, by_value=True, required=True)
    promotion = fields.Enum(Promotion, by_value=True, required=True)
    draws_at = TownTime(required=True, allow_none=True)
    home_first_hours = fields.Integer(required=True)
    street_first_hours = fields.Integer(required=True)
    most_companions = QueryWhole(required=True)
    audience = fields.Enum(Audience, by_value=True, required=True)
    min_age = fields.Integer(required=True, allow_none=True)
    max_age = fields.Integer(required=True, allow_none=True)
    materials = fields.String(required=True)
    note = fields.String(required=True)
    asks_questions = fields.Boolean(
        required=True, metadata={"description": "报名前有问题要回答，见 /course-runs/{key}/questions"}
    )
    sessions = fields.List(fields.Nested(SessionOut), required=True)


class RunsOut(Shape):
    """One page of runs."""

    items = fields.List(fields.Nested(RunOut), required=True)
    next = fields.String(required=True, allow_none=True)


class ForWhom(Shape):
    """For whom: a ward's key; left out, for oneself."""

    for_key = Key(data_key="for", metadata={"description": "替谁：家人的编号，见 /me 的 wards；不填就是本人"})


class TapQuery(ForWhom):
    """How one registers: for whom, with how many companions, and what is to happen when a seat is freed for who waits."""

    companions = QueryWhole(
        load_default=0,
        validate=Range(0, MOST_COMPANIONS, error=f"同行人最多 {MOST_COMPANIONS} 位"),
        metadata={"description": "同行人数"},
    )
    directly = QueryYesNo(load_default=False, metadata={"description": "候补有名额时直接转正，不用再确认"})


class RegistrationOut(Shape):
    """What one person holds in one run."""

    key = Key(required=True)
    run = Key(attribute="run_key", required=True)
    resident = Key(attribute="resident_key", required=True)
    state = fields.Enum(RegistrationState, by_value=True, required=True)
    state_label = fields.Function(lambda r: STATE_LABELS[r.state], metadata={"type": "string"}, required=True)
    position = fields.Integer(
        required=True, allow_none=True, metadata={"description": "候补第几位，从 1 开始"}
    )
    registered_at = TownTime(required=True)
    seats = fields.Integer(required=True, metadata={"description": "连同行人一共几个名额"})
    ticket = fields.Integer(required=True, allow_none=True, metadata={"description": "抽签号"})
    offer_expires_at = TownTime(
        required=True, allow_none=True, metadata={"description": "请在此之前确认名额"}
    )


class MyRegistrationsQuery(Shape):
    """Which of one's registrations."""

    run = Key()
    cursor = Cursor()
    limit = Limit()


class RunBrief(Shape):
    """What a registration shows of its run."""

    key = Key(required=True)
    title = fields.String(attribute="course.title", required=True)
    kind = fields.Enum(CourseKind, by_value=True, attribute="course.kind", required=True)
    words = fields.Function(lambda run: WORDS[run.course.kind], metadata=_WORDS_OF_A_KIND, required=True)
    state = fields.Enum(RunPhase, by_value=True, attribute="phase", required=True)
    state_label = fields.Function(label_of, metadata={"type": "string"}, required=True)
    starts_at = TownTime(required=True)
    ends_at = TownTime(required=True)
    sessions = fields.List(fields.Nested(SessionOut), required=True)


class LearnerOut(Shape):
    """For whom a registration is."""

    key = Key(required=True)
    name = fields.String(required=True, allow_none=True)


class RoomThenOut(Shape):
    """A room somebody has for themselves while their class is on."""

    reservation = Key(attribute="key", required=True)
    venue = fields.String(attribute="title", required=True)
    starts_at = TownTime(required=True)
    ends_at = TownTime(required=True)


class MyRegistrationOut(Shape):
    """One of one's own registrations, or of somebody one may act for."""

    key = Key(attribute="registration.key", required=True)
    run = fields.Nested(RunBrief, attribute="registration.run", required=True)
    resident = fields.Nested(LearnerOut, attribute="registration.resident", required=True)
    state = fields.Enum(RegistrationState, by_value=True, attribute="registration.state", required=True)
    state_label = fields.Function(
        lambda mine: STATE_LABELS[mine.registration.state], metadata={"type": "string"}, required=True
    )
    position = fields.Integer(required=True, allow_none=True)
    registered_at = TownTime(attribute="registration.registered_at", required=True)
    seats = fields.Integer(attribute="registration.seats", required=True)
    ticket = fields.Integer(attribute="registration.ticket", required=True, allow_none=True)
    offer_expires_at = TownTime(attribute="registration.offer_expires_at", required=True, allow_none=True)
    decided_because = fields.String(attribute="registration.decided_because", required=True)
    cancelled_at = TownTime(attribute="registration.cancelled_at", required=True, allow_none=True)
    rooms_then = fields.List(
        fields.Nested(RoomThenOut),
        required=True,
        metadata={"description": "同一时间自己还约了的场地；不用的话请取消：DELETE /reservations/{key}"},
    )


class MyRegistrationsOut(Shape):
    """One page of one's registrations, newest first."""

    items = fields.List(fields.Nested(MyRegistrationOut), required=True)
    next = fields.String(required=True, allow_none=True)


class RosterQuery(Shape):
    """Which part of a roster."""

    cursor = Cursor()
    limit = Limit(default=50, most=200)


class RosterLineOut(Shape):
    """One learner on a roster; the phone number is there because the clerk must be able to call."""

    key = Key(required=True)
    resident = Key(attribute="resident.key", required=True)
    name = fields.String(attribute="resident.name", required=True, allow_none=True)
    phone = fields.String(attribute="resident.phone", required=True, allow_none=True)
    state = fields.Enum(RegistrationState, by_value=True, required=True)
    state_label = fields.Function(lambda r: STATE_LABELS[r.state], metadata={"type": "string"}, required=True)
    number = fields.Integer(required=True)
    seats = fields.Integer(required=True, metadata={"description": "连同行人一共几个名额"})
    offer_expires_at = TownTime(
        required=True, allow_none=True, metadata={"description": "本人要在此之前确认名额"}
    )
    paired_with = fields.String(
        attribute="paired_with.name",
        required=True,
        allow_none=True,
        dump_default=None,
        metadata={"description": "成对报名时，一起来的家长"},
    )
    registered_at = TownTime(required=True)


class RosterOut(Shape):
    """One page of a roster, in order of registration."""

    items = fields.List(fields.Nested(RosterLineOut), required=True)
    next = fields.String(required=True, allow_none=True)
