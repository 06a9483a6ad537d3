"""Shapes of absences: what is written of one's evenings, appeals, pauses, amnesties."""

from __future__ import annotations

from marshmallow import fields, validate

from miniprogram_api.schemas.attendance import ATTENDANCE_LABELS
from miniprogram_api.schemas.courses import LearnerOut
from miniprogram_api.schemas.fields import Cursor, Key, Limit, Shape, TownTime, Words
from models.courses.attendance import AppealDecision, AppealState, AttendanceState, LeaveReason, RecordedHow

LONGEST_APPEAL = 300
LONGEST_REASON = 100
MOST_EVENINGS = 50
APPEAL_LABELS = {
    AppealState.WAITING: "等待处理",
    AppealState.GRANTED: "已免计",
    AppealState.DECLINED: "维持原记录",
}


class MyAttendanceQuery(Shape):
    """Which part of one's attendance."""

    cursor = Cursor()
    limit = Limit()


class AppealOut(Shape):
    """What one appealed, and what came of it."""

    words = fields.String(required=True, allow_none=True)
    state = fields.Enum(AppealState, by_value=True, required=True)
    state_label = fields.Function(
        lambda mine: APPEAL_LABELS[mine.state], metadata={"type": "string"}, required=True
    )
    answer = fields.String(required=True)
    made_at = TownTime(required=True)
    decided_at = TownTime(required=True, allow_none=True)


class MyEveningOut(Shape):
    """What is written of one evening of oneself, or of somebody one may act for."""

    session = Key(attribute="row.meeting.key", required=True)
    run = Key(attribute="row.meeting.run.key", required=True)
    title = fields.String(attribute="row.meeting.run.course.title", required=True)
    starts_at = TownTime(attribute="row.meeting.starts_at", required=True)
    resident = fields.Nested(LearnerOut, attribute="row.registration.resident", required=True)
    state = fields.Enum(AttendanceState, by_value=True, attribute="row.state", required=True)
    state_label = fields.Function(
        lambda mine: ATTENDANCE_LABELS[mine.row.state], metadata={"type": "string"}, required=True
    )
    at = TownTime(attribute="row.at", required=True)
    counts = fields.Boolean(required=True, metadata={"description": "缺课是否计入次数"})
    appeal_until = TownTime(
        required=True, allow_none=True, metadata={"description": "还能申诉的，到什么时候为止"}
    )
    appeal = fields.Nested(AppealOut, required=True, allow_none=True)


class MyAttendanceOut(Shape):
    """One page of one's attendance, newest first, and how one stands oneself."""

    items = fields.List(fields.Nested(MyEveningOut), required=True)
    next = fields.String(required=True, allow_none=True)
    misses = fields.Float(required=True, metadata={"description": "近来累计缺课次数，临时取消算半次"})
    misses_to_pause = fields.Float(required=True, metadata={"description": "累计到几次暂停报名"})
    paused_until = TownTime(required=True, allow_none=True)


class AppealIn(Shape):
    """Why an absence should not count."""

    words = Words(LONGEST_APPEAL, required=True)


class AppealsQuery(Shape):
    """Which appeals."""

    state = fields.Enum(AppealState, by_value=True, load_default=AppealState.WAITING)
    cursor = Cursor()
    limit = Limit()


class StaffAppealOut(AppealOut):
    """An appeal as those who decide it read it."""

    key = Key(required=True)
    name = fields.String(attribute="attendance.registration.resident.name", required=True, allow_none=True)
    session = Key(attribute="attendance.meeting.key", required=True)
    title = fields.String(attribute="attendance.meeting.run.course.title", required=True)
    starts_at = TownTime(attribute="attendance.meeting.starts_at", required=True)


class StaffAppealsOut(Shape):
    """One page of appeals, oldest first."""

    items = fields.List(fields.Nested(StaffAppealOut), required=True)
    next = fields.String(required=True, allow_none=True)


class AppealDecisionIn(Shape):
    """Whether the absence is excused, with a word to whoever appealed."""

    decision = fields.Enum(AppealDecision, by_value=True, required=True)
    because = Words(LONGEST_REASON, required=True)


class AmnestyIn(Shape):
    """On which evenings nobody's absence counts, and why."""

    sessions = fields.List(
        Key(),
        required=True,
        validate=validate.Length(1, MOST_EVENINGS, error=f"一次 1 到 {MOST_EVENINGS} 次课"),
        metadata={"minItems": 1, "maxItems": MOST_EVENINGS},
    )
    because = Words(LONGEST_REASON, required=True)


class AmnestyLineOut(Shape):
    """What became of one evening."""

    session = Key(required=True)
    found = fields.Boolean(required=True)
    excused = fields.Integer(required=True, metadata={"description": "免计了几人"})


class AmnestyOut(Shape):
    """What became of each evening, in the order they were sent, and how many register again."""

    items = fields.List(fields.Nested(AmnestyLineOut), required=True)
    lifted = fields.Integer(required=True)


class PausesQuery(Shape):
    """Which part of the pauses that stand."""

    cursor = Cursor()
    limit = Limit()


class PauseOut(Shape):
    """Somebody who registers for nothing new for a while."""

    key = Key(required=True)
    name = fields.String(attribute="resident.name", required=True, allow_none=True)
    starts_at = TownTime(required=True)
    until = TownTime(required=True)
    lifted_at = TownTime(required=True, allow_none=True)


class PausesOut(Shape):
    """One page of pauses, oldest first."""

    items = fields.List(fields.Nested(PauseOut), required=True)
    next = fields.String(required=True, allow_none=True)


class LiftIn(Shape):
    """Why a pause is lifted."""

    because = Words(LONGEST_REASON, required=True)


class CopiedAttendanceOut(Shape):
    """What is written of one evening, in the copy of one's data."""

    starts_at = TownTime(attribute="meeting.starts_at", required=True)
    state = fields.Enum(AttendanceState, by_value=True, required=True)
    how = fields.Enum(RecordedHow, by_value=True, required=True)
    at = TownTime(required=True)
    reason = fields.Enum(LeaveReason, by_value=True, required=True, allow_none=True)
    because = fields.String(required=True)
    appeal = fields.Nested(AppealOut, required=True, allow_none=True)


class CopiedPauseOut(Shape):
    """One pause, in the copy of one's data."""

    starts_at = TownTime(required=True)
    until = TownTime(required=True)
    lifted_at = TownTime(required=True, allow_none=True)
    lifted_because = fields.String(required=True)
