"""Shapes of attendance: checking in, the screen in the room, the sheet, and batches of what was seen without a network."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from miniprogram_api.schemas.fields import Key, Matching, Shape, TownTime, Words
from models.courses.attendance import (
    DIGITS,
    OWN_CODE,
    AttendanceState,
    BatchVerdict,
    LeaveReason,
    MarkVerdict,
    RecordedHow,
)

LONGEST_REASON = 100
MOST_AT_ONCE = 200
ATTENDANCE_LABELS = {
    AttendanceState.PRESENT: "到课",
    AttendanceState.LATE: "迟到",
    AttendanceState.LEAVE: "请假",
    AttendanceState.ABSENT: "缺课",
    AttendanceState.EXCUSED: "免计缺课",
}
BATCH_LABELS = {
    BatchVerdict.ACCEPTED: "已签到",
    BatchVerdict.ALREADY: "早已登记",
    BatchVerdict.NOT_OF_THIS_SESSION: "不是这个班的学员",
    BatchVerdict.OUT_OF_WINDOW: "不在签到时间内",
    BatchVerdict.UNKNOWN: "认不出的码",
    BatchVerdict.EVENT_TAKEN: "这个编号记的是别人，请换一个编号再传",
}
MARK_LABELS = {
    MarkVerdict.RECORDED: "已登记",
    MarkVerdict.UNCHANGED: "没有变化",
    MarkVerdict.NOT_OF_THIS_SESSION: "不是这个班的学员",
    MarkVerdict.BECAUSE_NEEDED: "更正请写原因",
    MarkVerdict.NOT_BEGUN: "还没开始，不能记缺席",
}


class RoomCodeIn(Shape):
    """The digits on the screen in the room."""

    code = Matching(f"[0-9]{{{DIGITS}}}", error=f"请输入屏幕上的 {DIGITS} 位数字", required=True)


class CheckInOut(Shape):
    """One person's part in one evening. Without a ``state`` nothing is written yet."""

    session = Key(attribute="meeting.key", required=True)
    run = Key(attribute="meeting.run.key", required=True)
    title = fields.String(attribute="meeting.run.course.title", required=True)
    starts_at = TownTime(attribute="meeting.starts_at", required=True)
    ends_at = TownTime(attribute="meeting.ends_at", required=True)
    opens_at = TownTime(
        attribute="window.opens_at", required=True, metadata={"description": "从什么时候开始可以签到"}
    )
    closes_at = TownTime(
        attribute="window.closes_at",
        required=True,
        metadata={"description": "自己签到到什么时候为止；之后请工作人员登记"},
    )
    state = fields.Enum(AttendanceState, by_value=True, required=True, allow_none=True)
    state_label = fields.Function(
        lambda mine: mine.state and ATTENDANCE_LABELS[mine.state],
        metadata={"type": ["string", "null"]},
        required=True,
    )
    at = TownTime(required=True, allow_none=True)
    leave_until = TownTime(required=True, metadata={"description": "网上请假到什么时候为止"})


class LeaveIn(Shape):
    """Asking for leave; why is chosen from a list, or left out."""

    reason = fields.Enum(LeaveReason, by_value=True)


class OwnCodeOut(Shape):
    """A code for staff to scan, and until when it is good."""

    code = Matching(OWN_CODE, error="不是有效的签到码", required=True)
    until = TownTime(required=True)
    resident = Key(required=True)


class ScreenOut(Shape):
    """The link to the screen of a room. Who has it sees the code: open it in the room, give it to nobody."""

    path = fields.String(required=True, metadata={"description": "签到屏的地址，接在服务的域名后面"})
    shows_until = TownTime(required=True)


class ScanIn(Shape):
    """What staff scanned from somebody's phone."""

    code = Matching(OWN_CODE, error="这不是本小程序的签到码", required=True)


class SheetLineOut(Shape):
    """One learner on the sheet of an evening. Nothing is written of whoever has no ``state``."""

    registration = Key(attribute="registration.key", required=True)
    name = fields.String(attribute="registration.resident.name", required=True, allow_none=True)
    state = fields.Enum(AttendanceState, by_value=True, required=True, allow_none=True)
    state_label = fields.Function(
        lambda line: line.state and ATTENDANCE_LABELS[line.state],
        metadata={"type": ["string", "null"]},
        required=True,
    )
    how = fields.Enum(RecordedHow, by_value=True, required=True, allow_none=True)
    at = TownTime(required=True, allow_none=True)
    reason = fields.Enum(LeaveReason, by_value=True, required=True, allow_none=True)
    because = fields.String(required=True)


class SheetOut(Shape):
    """Everybody of an evening, in the order of registration."""

    items = fields.List(fields.Nested(SheetLineOut), required=True)


class MarkIn(Shape):
    """One line of a paper list; ``because`` where it is corrected after the day."""

    registration = Key(required=True)
    state = fields.Enum(AttendanceState, by_value=True, required=True)
    because = Words(LONGEST_REASON)


class MarksIn(Shape):
    """Lines of a paper list."""

    rows = fields.List(
        fields.Nested(MarkIn),
        required=True,
        validate=validate.Length(1, MOST_AT_ONCE, error=f"一次 1 到 {MOST_AT_ONCE} 行"),
        metadata={"minItems": 1, "maxItems": MOST_AT_ONCE},
    )


class MarkVerdictOut(Shape):
    """What became of one line."""

    registration = Key(required=True)
    verdict = fields.Enum(MarkVerdict, by_value=True, required=True)
    verdict_label = fields.Function(
        lambda line: MARK_LABELS[line["verdict"]], metadata={"type": "string"}, required=True
    )


class MarkVerdictsOut(Shape):
    """What became of each line, in the order they were sent."""

    items = fields.List(fields.Nested(MarkVerdictOut), required=True)


class SeenIn(Shape):
    """One thing a device saw without a network: by whose code, or which line of the roster was ticked."""

    event = Matching(
        "[!-~]{1,64}",
        error="事件编号为 1 到 64 个可见字符",
        required=True,
        metadata={"description": "设备自己的编号，重传时不变"},
    )
    seen_at = TownTime(required=True)
    code = Matching(OWN_CODE, error="这不是本小程序的签到码")
    registration = Key()

    @validates_schema
    def _names_one(self, sent: dict[str, Any], **kwargs: Any) -> None:
        if ("code" in sent) is ("registration" in sent):
            raise ValidationError("签到码和名单里的人填一个", "code")


class BatchIn(Shape):
    """What a device saw while it had no network."""

    items = fields.List(
        fields.Nested(SeenIn),
        required=True,
        validate=validate.Length(1, MOST_AT_ONCE, error=f"一次 1 到 {MOST_AT_ONCE} 条"),
        metadata={"minItems": 1, "maxItems": MOST_AT_ONCE},
    )


class BatchVerdictOut(Shape):
    """What became of one item."""

    event = fields.String(required=True)
    verdict = fields.Enum(BatchVerdict, by_value=True, required=True)
    verdict_label = fields.Function(
        lambda item: BATCH_LABELS[item["verdict"]], metadata={"type": "string"}, required=True
    )


class BatchVerdictsOut(Shape):
    """What became of each item, in the order they were sent."""

    items = fields.List(fields.Nested(BatchVerdictOut), required=True)
