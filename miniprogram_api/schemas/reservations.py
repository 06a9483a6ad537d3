"""Shapes of reservations: what a phone asks for, what becomes of it, and what staff see of it."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import (
    Cursor,
    Day,
    Key,
    Limit,
    Matching,
    QueryWhole,
    Shape,
    TownTime,
    Whole,
    Words,
    YesNo,
    masked_name,
)
from models.reservations import (
    DIGITS_OF_A_CODE,
    MOST_WEEKS,
    Condition,
    ReservationEnd,
    ReservationState,
    ReservedFor,
    Scope,
)

MOST_PIECES = 20
MOST_HEADS = 10_000
MOST_AT_ONCE = 100

STATE_LABELS = {
    ReservationState.WAITLISTED: "候补中",
    ReservationState.OFFERED: "待确认",
    ReservationState.PENDING: "待审核",
    ReservationState.APPROVED: "已预约",
    ReservationState.CHECKED_IN: "使用中",
    ReservationState.FINISHED: "已结束",
    ReservationState.REJECTED: "未通过",
    ReservationState.EXPIRED: "没有来得及审核",
    ReservationState.CANCELLED: "已取消",
    ReservationState.NO_SHOW: "没有来",
    ReservationState.OVERRIDDEN: "被征用",
}


class SixDigits(Matching):
    """The six digits on a door, or of a reservation."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(f"[0-9]{{{DIGITS_OF_A_CODE}}}", error=f"应为 {DIGITS_OF_A_CODE} 位数字", **kwargs)


class PiecesShape(Shape):
    """So many pieces of one kind of equipment."""

    equipment = Key(required=True)
    pieces = Whole(required=True, validate=validate.Range(1, 1000, error="1 到 1000 件"))


class TimeIn(Shape):
    """When, how many and what for. Times are on the half hour of the town's clock."""

    starts_at = TownTime(required=True)
    ends_at = TownTime(required=True)
    headcount = Whole(required=True, validate=validate.Range(1, MOST_HEADS, error="请填写到场人数"))
    wanted_for = fields.Enum(ReservedFor, by_value=True, required=True)
    loudspeaker = YesNo(load_default=False)
    with_children = YesNo(load_default=False)
    equipment = fields.List(
        fields.Nested(PiecesShape),
        load_default=list,
        validate=validate.Length(max=MOST_PIECES, error=f"最多 {MOST_PIECES} 种设备"),
    )


class ReserveIn(TimeIn):
    """What a phone asks for. ``group``: in the name of a group one leads; ``waits``: queue up where the room is taken."""

    group = Key()
    waits = YesNo(load_default=False)
    pledge = Words(20, metadata={"description": "同意的《场地使用安全承诺》版本"})


class _Weeks(Whole):
    """For how many weeks."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(2, MOST_WEEKS, error=f"2 到 {MOST_WEEKS} 周"), **kwargs)


class SeriesLookIn(TimeIn):
    """The same hours of some weeks, the first as said."""

    group = Key(required=True)
    weeks = _Weeks(required=True)


class RoomSeriesIn(SeriesLookIn):
    """Take them: all, or only the ``days`` that are named."""

    pledge = Words(20, metadata={"description": "同意的《场地使用安全承诺》版本"})
    days = fields.List(Day(), validate=validate.Length(1, MOST_WEEKS, error=f"请选 1 到 {MOST_WEEKS} 天"))


class ForWhomQuery(Shape):
    """For whom; oneself unless said otherwise."""

    for_key = Key(data_key="for")


class CancelQuery(Shape):
    """How much of a series is meant."""

    scope = fields.Enum(Scope, by_value=True, load_default=Scope.THIS)


class DoorIn(Shape):
    """The digits on the door, or what the sign beside them holds (``scene``), for who scanned it."""

    door_code = SixDigits()
    scene = Key()


class SignOutIn(Shape):
    """How the room is left."""

    condition = fields.Enum(Condition, by_value=True, load_default=Condition.GOOD)


class BorrowIn(Shape):
    """Just these pieces, instead of what went with it."""

    equipment = fields.List(
        fields.Nested(PiecesShape),
        required=True,
        validate=validate.Length(max=MOST_PIECES, error=f"最多 {MOST_PIECES} 种设备"),
    )


class ReservedRoomOut(Shape):
    """Which room."""

    key = Key(required=True)
    name = fields.String(required=True)
    site = fields.String(attribute="site.name", required=True)
    floor = fields.String(required=True)
    access_note = fields.String(required=True)


class ReservingGroupOut(Shape):
    """Which group."""

    key = Key(required=True)
    name = fields.String(required=True)


class _ReservedOut(Shape):
    """What everybody sees of a reservation who sees it at all."""

    key = Key(required=True)
    venue = fields.Nested(ReservedRoomOut, required=True)
    state = fields.Enum(ReservationState, by_value=True, required=True)
    state_label = fields.Function(
        lambda one: STATE_LABELS[one["state"]], metadata={"type": "string"}, required=True
    )
    resident = Key(attribute="resident.key", required=True, allow_none=True, dump_default=None)
    group = fields.Nested(ReservingGroupOut, required=True, allow_none=True)
    series = Key(attribute="series.key", required=True, allow_none=True, dump_default=None)
    starts_at = TownTime(required=True)
    ends_at = TownTime(required=True)
    headcount = fields.Integer(required=True)
    wanted_for = fields.Enum(ReservedFor, by_value=True, required=True)
    loudspeaker = fields.Boolean(required=True)
    with_children = fields.Boolean(required=True)
    reserved_at = TownTime(required=True)
    review_by = TownTime(
        attribute="review_due_at",
        required=True,
        allow_none=True,
        metadata={"description": "工作人员应在此之前审核；不用审核的为空"},
    )
    offer_expires_at = TownTime(required=True, allow_none=True, metadata={"description": "请在此之前确认"})
    because = fields.String(attribute="decided_because", required=True)
    cancelled_by = fields.Enum(ReservationEnd, by_value=True, required=True, allow_none=True)
    cancelled_late = fields.Boolean(required=True)
    moved_from = TownTime(required=True, allow_none=True, metadata={"description": "社区改约以前的开始时间"})
    made_good_until = TownTime(
        required=True, allow_none=True, metadata={"description": "被停用、征用的，在此之前可以多约一次"}
    )
    checked_in_at = TownTime(required=True, allow_none=True)
    signed_out_at = TownTime(required=True, allow_none=True)
    equipment = fields.List(fields.Nested(PiecesShape), required=True)


class ReservationOut(_ReservedOut):
    """A reservation, for whoever it belongs to."""

    code = fields.String(required=True, metadata={"description": "签到码，给工作人员看"})


class MyReservationsQuery(Shape):
    """Which of one's reservations; ``ahead``: only those that are not over."""

    ahead = fields.Boolean(truthy={"true"}, falsy={"false"}, load_default=False)
    cursor = Cursor()
    limit = Limit()


class ReservationsOut(Shape):
    """A page of reservations."""

    items = fields.List(fields.Nested(ReservationOut), required=True)
    next = fields.String(allow_none=True, required=True)


class RefusalBrief(Shape):
    """Why not."""

    code = fields.String(required=True)
    message = fields.String(required=True)


class SeriesDayOut(Shape):
    """One week of a series that is looked at."""

    on = Day(required=True)
    starts_at = TownTime(attribute="wanted.starts_at", required=True)
    ends_at = TownTime(attribute="wanted.ends_at", required=True)
    refusal = fields.Nested(RefusalBrief, required=True, allow_none=True)


class SeriesLookOut(Shape):
    """Every week of it, as it would be taken now."""

    items = fields.List(fields.Nested(SeriesDayOut), required=True)


class RoomSeriesOut(Shape):
    """What was taken."""

    items = fields.List(fields.Nested(ReservationOut), required=True)


class PledgeOut(Shape):
    """What whoever reserves a room promises."""

    version = fields.String(required=True)
    text = fields.String(required=True)


# --- staff --------------------------------------------------------------------------------------------------------


class StaffReservationOut(_ReservedOut):
    """A reservation, as those see it who work there: without its code, which proves that its owner stands before them."""

    about = fields.String(required=True)
    name = fields.Function(
        lambda one: masked_name(one["resident"].name) if one["resident"] else None,
        metadata={"type": ["string", "null"]},
        required=True,
    )
    review_overdue = fields.Boolean(required=True, metadata={"description": "还没有审核，时限已过"})
    reviewed_at = TownTime(required=True, allow_none=True)
    condition = fields.Enum(Condition, by_value=True, required=True, allow_none=True)
    condition_note = fields.String(required=True)


class StaffReservationsQuery(Shape):
    """Which reservations of the places one works for; days are of the town's calendar. ``overdue``: only those nobody reviewed in time."""

    state = fields.Enum(ReservationState, by_value=True)
    overdue = fields.Boolean(truthy={"true"}, falsy={"false"}, load_default=False)
    venue = Key()
    first = Day()
    days = QueryWhole(load_default=14, validate=validate.Range(1, 92, error="1 到 92 天"))
    cursor = Cursor()
    limit = Limit(default=50, most=200)


class StaffReservationsOut(Shape):
    """A page of reservations."""

    items = fields.List(fields.Nested(StaffReservationOut), required=True)
    next = fields.String(allow_none=True, required=True)


class StaffReserveIn(TimeIn):
    """For a ``resident`` one looks after, perhaps as the leader of a ``group``; for nobody: the community's own use."""

    resident = Key()
    group = Key()
    about = Words(60, metadata={"description": "社区自用时写什么活动；大厅屏会显示，请不要写人名"})
    waits = YesNo(load_default=False)


class ReasonIn(Shape):
    """Why, in words the person reads."""

    because = Words(100, required=True)


class CallOffIn(ReasonIn):
    """Why, and how much of a series."""

    scope = fields.Enum(Scope, by_value=True, load_default=Scope.THIS)


class StaffSignOutIn(Shape):
    """How the room was left; of damage, what. Unsaid: in order, or damaged where that was noted already."""

    condition = fields.Enum(Condition, by_value=True)
    note = Words(200)


class DamageIn(Shape):
    """What was found damaged."""

    note = Words(200, required=True)


class CodeIn(Shape):
    """The code somebody shows."""

    code = SixDigits(required=True)


class DoorCodeOut(Shape):
    """The digits for the paper on the door."""

    door_code = fields.String(required=True)


class ReservationDecisionIn(Shape):
    """Yes or no to one reservation; a no says why."""

    reservation = Key(required=True)
    approve = YesNo(required=True)
    because = Words(100)


class DecisionsIn(Shape):
    """Many at once, each by itself."""

    items = fields.List(
        fields.Nested(ReservationDecisionIn),
        required=True,
        validate=validate.Length(1, MOST_AT_ONCE, error=f"一次 1 到 {MOST_AT_ONCE} 个"),
    )


class DecidedRowOut(Shape):
    """What became of one."""

    key = Key(required=True)
    state = fields.Enum(ReservationState, by_value=True, required=True, allow_none=True)
    refusal = fields.Nested(RefusalBrief, required=True, allow_none=True)


class DecisionsOut(Shape):
    """What became of each, in their order."""

    items = fields.List(fields.Nested(DecidedRowOut), required=True)
    done = fields.Integer(required=True)
    refused = fields.Integer(required=True)
