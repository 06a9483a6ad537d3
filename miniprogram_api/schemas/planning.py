"""Shapes of planning: courses, runs as staff write them down, and the evenings of a series before they are saved."""

from __future__ import annotations

from datetime import time
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError, fields, validate

from miniprogram_api.schemas.courses import MOST_COMPANIONS
from miniprogram_api.schemas.fields import (
    Cursor,
    Day,
    Key,
    Limit,
    Matching,
    Shape,
    TownTime,
    Whole,
    Words,
    YesNo,
)
from miniprogram_api.schemas.regions import RegionBrief
from miniprogram_api.schemas.timetabling import LONGEST_REASON, BecauseIn, PublicationIn, StaffRunOut
from models.courses import Admission, Audience, CourseKind, HolidayRule, Promotion, Verdict
from models.courses.series import MOST_EVENINGS, MOST_WEEKS

MOST_ROWS = 50
MOST_SEATS = 2000
MOST_HOURS_FIRST = 720
OLDEST = 120
FIRST_YEAR, LAST_YEAR = 2000, 2100  # what no calendar of classes goes beyond

VERDICT_LABELS = {
    Verdict.OK: "可以上课",
    Verdict.HOLIDAY_SKIPPED: "放假，跳过",
    Verdict.HOLIDAY_KEPT: "放假，照常上课",
    Verdict.MOVED: "因放假改到这一天",
    Verdict.ADJUSTED_WORKDAY: "周末调休上班",
    Verdict.ROOM_TAKEN: "场地已占用",
    Verdict.TEACHER_TAKEN: "老师这个时间有课",
    Verdict.YEAR_NOT_ANNOUNCED: "这一年的放假安排还没有公布",
}


def _of_these_years(value: Any) -> None:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValidationError(f"年份应在 {FIRST_YEAR} 到 {LAST_YEAR} 之间")


_HOURS_FIRST = validate.Range(0, MOST_HOURS_FIRST, error=f"优先开放的小时数为 0 到 {MOST_HOURS_FIRST}")


class TimeOfDay(Matching):
    """A time of day, ``18:00``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("([01][0-9]|2[0-3]):[0-5][0-9]", error="应为时刻，例如 18:00", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return time.fromisoformat(super()._deserialize(value, attr, data, **kwargs))


class CoursesQuery(Shape):
    """Which courses to list."""

    cursor = Cursor()
    limit = Limit()


class CourseIn(Shape):
    """What is taught, and where."""

    community = Key(required=True)
    title = Words(60, required=True)
    category = Words(20, required=True, metadata={"description": "类别，社区自己的叫法"})
    kind = fields.Enum(
        CourseKind, by_value=True, metadata={"description": "课程或活动；不写时新开的是课程，已有的不变"}
    )


class CourseOut(Shape):
    """What is taught in one community."""

    key = Key(required=True)
    title = fields.String(required=True)
    kind = fields.Enum(CourseKind, by_value=True, required=True)
    category = fields.String(required=True)
    community = fields.Nested(RegionBrief, attribute="region", required=True)


class CoursesOut(Shape):
    """One page of courses."""

    items = fields.List(fields.Nested(CourseOut), required=True)
    next = fields.String(required=True, allow_none=True)


class EveningIn(Shape):
    """One evening: when, and in which room."""

    starts_at = TownTime(required=True, validate=_of_these_years)
    ends_at = TownTime(required=True, validate=_of_these_years)
    venue = Key(required=True)


class RunIn(Shape):
    """Everything staff decide about a run before anybody registers.

    What is left out of how seats are given (``admission`` to ``min_to_open``) is as the community does it for a new run, and as it is for
    one that stands; anything else that is left out is what it says by default.
    """

    teacher = Words(40, required=True)
    teacher_is_person = YesNo(load_default=True, metadata={"description": "一个人不能同时上两门课"})
    capacity = Whole(required=True, validate=validate.Range(1, MOST_SEATS, error=f"名额为 1 到 {MOST_SEATS}"))
    opens_at = TownTime(required=True, validate=_of_these_years)
    evenings = fields.List(
        fields.Nested(EveningIn),
        required=True,
        validate=validate.Length(1, MOST_EVENINGS, error=f"一个班有 1 到 {MOST_EVENINGS} 次课"),
    )
    audience = fields.Enum(Audience, by_value=True, load_default=Audience.EVERYONE)
    min_age = Whole(
        load_default=None, allow_none=True, validate=validate.Range(0, OLDEST, error=f"年龄为 0 到 {OLDEST}")
    )
    max_age = Whole(
        load_default=None, allow_none=True, validate=validate.Range(0, OLDEST, error=f"年龄为 0 到 {OLDEST}")
    )
    admission = fields.Enum(Admission, by_value=True, metadata={"description": "录取方式"})
    promotion = fields.Enum(Promotion, by_value=True, metadata={"description": "候补怎样递补"})
    draws_at = TownTime(
        allow_none=True, validate=_of_these_years, metadata={"description": "抽签时间，抽签的班才填"}
    )
    home_first_hours = Whole(validate=_HOURS_FIRST, metadata={"description": "先对本社区开放几小时"})
    street_first_hours = Whole(validate=_HOURS_FIRST, metadata={"description": "再对本街道开放几小时"})
    seats_held = Whole(
        validate=validate.Range(0, MOST_SEATS, error=f"预留名额为 0 到 {MOST_SEATS}"),
        metadata={"description": "留给柜台和电话的名额"},
    )
    held_until = TownTime(
        allow_none=True, validate=_of_these_years, metadata={"description": "预留名额放开的时间"}
    )
    most_companions = Whole(
        validate=validate.Range(0, MOST_COMPANIONS, error=f"同行人为 0 到 {MOST_COMPANIONS}"),
        metadata={"description": "每人最多带几个同行人"},
    )
    after_course = Key(allow_none=True, metadata={"description": "要先学完的课程"})
    min_to_open = Whole(
        allow_none=True,
        validate=validate.Range(1, MOST_SEATS, error=f"最少开班人数为 1 到 {MOST_SEATS}"),
        metadata={"description": "最少开班人数，不填按社区的规则"},
    )
    materials = Words(200, load_default="", metadata={"description": "自备材料"})
    note = Words(500, load_default="")


class NewRunIn(RunIn):
    """A new run, and of which course."""

    course = Key(required=True)


class SeriesIn(Shape):
    """A weekly class, to be looked at before it is saved: ``times`` evenings, or up to the day ``until``."""

    first_on = Day(required=True, validate=_of_these_years)
    starts = TimeOfDay(required=True)
    ends = TimeOfDay(required=True)
    weekdays = fields.List(
        Whole(validate=validate.Range(1, 7, error="星期为 1 到 7，1 是星期一")),
        load_default=[],
        validate=validate.Length(max=7, error="一周最多七天"),
        metadata={"description": "每周哪几天上课，1 是星期一；不填就是第一天的星期几"},
    )
    times = Whole(validate=validate.Range(1, MOST_EVENINGS, error=f"次数为 1 到 {MOST_EVENINGS}"))
    until = Day(validate=_of_these_years)
    every_weeks = Whole(
        load_default=1, validate=validate.Range(1, MOST_WEEKS, error=f"隔几周上一次为 1 到 {MOST_WEEKS}")
    )
    holidays = fields.Enum(HolidayRule, by_value=True, load_default=HolidayRule.SKIP)
    venue = Key()
    teacher = Words(40)
    teacher_is_person = YesNo(load_default=True)


class SeriesEveningOut(Shape):
    """One evening of a series, as it would be; also one that is skipped."""

    on = fields.Date(required=True)
    starts_at = TownTime(required=True)
    ends_at = TownTime(required=True)
    verdicts = fields.List(fields.Enum(Verdict, by_value=True), required=True)
    label = fields.Function(
        lambda evening: "；".join(VERDICT_LABELS[verdict] for verdict in evening.verdicts),
        metadata={"type": "string"},
        required=True,
    )
    moved_from = fields.Date(required=True, allow_none=True)
    can_be_held = fields.Boolean(required=True)


class SeriesOut(Shape):
    """Every evening of a series, in order of time."""

    items = fields.List(fields.Nested(SeriesEveningOut), required=True)
    evenings = fields.Integer(required=True, metadata={"description": "能上的课有几次"})


class CopyIn(Shape):
    """When a copy of a run begins."""

    first_on = Day(required=True, validate=_of_these_years)
    holidays = fields.Enum(HolidayRule, by_value=True, load_default=HolidayRule.SKIP)


class CopyRowIn(CopyIn):
    """Which run is copied, and when the copy begins."""

    run = Key(required=True)


class CopiesIn(Shape):
    """Several runs to be copied."""

    items = fields.List(
        fields.Nested(CopyRowIn),
        required=True,
        validate=validate.Length(1, MOST_ROWS, error=f"一次 1 到 {MOST_ROWS} 个班"),
    )


class Opening(StrEnum):
    """What staff decide about a class too few registered for."""

    RUN = "run"  # 照常开班
    CANCEL = "cancel"  # 取消
    MERGE = "merge"  # 并到另一个班


class OpeningIn(BecauseIn):
    """Whether a class is held; with ``merge``, into which run its people go."""

    decision = fields.Enum(Opening, by_value=True, required=True)
    into = Key(metadata={"description": "并入哪个班"})
    even_so = YesNo(load_default=False, metadata={"description": "有人时间冲突也照样合并"})


class TooFewOut(Shape):
    """A class that starts within a day with fewer people than it needs."""

    run = fields.Nested(StaffRunOut, required=True)
    minimum = fields.Integer(required=True)


class TooFewRunsOut(Shape):
    """Every class that waits for such a decision, by first evening."""

    items = fields.List(fields.Nested(TooFewOut), required=True)


class BulkAct(StrEnum):
    """What is done to every run of a list."""

    SUBMIT = "submit"  # 送审
    PUBLISH = "publish"  # 发布
    UNPUBLISH = "unpublish"  # 下架
    CANCEL = "cancel"  # 取消


class BulkIn(PublicationIn):
    """The same act for several runs: when, for ``publish``, and why, for ``cancel``."""

    act = fields.Enum(BulkAct, by_value=True, required=True)
    keys = fields.List(
        Key(),
        required=True,
        validate=validate.Length(1, MOST_ROWS, error=f"一次 1 到 {MOST_ROWS} 个班"),
    )
    because = Words(LONGEST_REASON)


class RowRefusalOut(Shape):
    """Why one row was refused."""

    code = fields.String(required=True)
    detail = fields.String(attribute="message", required=True)


class RowOut(Shape):
    """What became of one row: the run it is now, or the refusal. For a copy ``key`` is the run that was copied."""

    key = Key(required=True)
    run = fields.Nested(StaffRunOut, required=True, allow_none=True)
    refusal = fields.Nested(RowRefusalOut, required=True, allow_none=True)


class RowsOut(Shape):
    """What became of every row, in the order they were sent."""

    items = fields.List(fields.Nested(RowOut), required=True)
    done = fields.Integer(required=True)
    refused = fields.Integer(required=True)
