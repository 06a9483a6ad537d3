"""Shapes of courses, runs and registrations."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.fields import Cursor, Day, Key, Limit, Shape, TownTime, Words
from miniprogram_api.schemas.regions import RegionBrief
from models.courses import Audience, RegistrationState, RunPhase, SessionPhase

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
STATE_LABELS = {
    RegistrationState.CONFIRMED: "报名成功",
    RegistrationState.WAITLISTED: "候补中",
    RegistrationState.CANCELLED: "已取消",
}


class RunsQuery(Shape):
    """Which runs to list; all filters together."""

    region = Key(metadata={"description": "区域编号，含其下所有社区"})
    category = Words(20)
    day = Day(metadata={"description": "当天有课，例如 2026-12-03"})
    state = fields.Enum(RunPhase, by_value=True)
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
    title = fields.String(attribute="course.title", required=True)
    category = fields.String(attribute="course.category", required=True)
    community = fields.Nested(RegionBrief, attribute="region", required=True)
    teacher = fields.String(required=True)
    capacity = fields.Integer(required=True)
    seats_left = fields.Integer(required=True)
    waiting = fields.Integer(required=True)
    state = fields.Enum(RunPhase, by_value=True, attribute="phase", required=True)
    state_label = fields.Function(
        lambda run: PHASE_LABELS[run.phase], metadata={"type": "string"}, required=True
    )
    opens_at = TownTime(required=True)
    closes_at = TownTime(required=True)
    starts_at = TownTime(required=True)
    ends_at = TownTime(required=True)
    audience = fields.Enum(Audience, by_value=True, required=True)
    min_age = fields.Integer(required=True, allow_none=True)
    max_age = fields.Integer(required=True, allow_none=True)
    materials = fields.String(required=True)
    note = fields.String(required=True)
    sessions = fields.List(fields.Nested(SessionOut), required=True)


class RunsOut(Shape):
    """One page of runs."""

    items = fields.List(fields.Nested(RunOut), required=True)
    next = fields.String(required=True, allow_none=True)


class ForWhom(Shape):
    """For whom: a ward's key; left out, for oneself."""

    for_key = Key(data_key="for")


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


class MyRegistrationsQuery(Shape):
    """Which of one's registrations."""

    run = Key()
    cursor = Cursor()
    limit = Limit()


class RunBrief(Shape):
    """What a registration shows of its run."""

    key = Key(required=True)
    title = fields.String(attribute="course.title", required=True)
    state = fields.Enum(RunPhase, by_value=True, attribute="phase", required=True)
    starts_at = TownTime(required=True)
    ends_at = TownTime(required=True)
    sessions = fields.List(fields.Nested(SessionOut), required=True)


class LearnerOut(Shape):
    """For whom a registration is."""

    key = Key(required=True)
    name = fields.String(required=True, allow_none=True)


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
    cancelled_at = TownTime(attribute="registration.cancelled_at", required=True, allow_none=True)


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
    name = fields.String(attribute="resident.name", required=True, allow_none=True)
    phone = fields.String(attribute="resident.phone", required=True, allow_none=True)
    state = fields.Enum(RegistrationState, by_value=True, required=True)
    number = fields.Integer(required=True)
    registered_at = TownTime(required=True)


class RosterOut(Shape):
    """One page of a roster, in order of registration."""

    items = fields.List(fields.Nested(RosterLineOut), required=True)
    next = fields.String(required=True, allow_none=True)
