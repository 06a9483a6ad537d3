"""Shapes of closures, of what they would mean for whom, and of the question each person is asked."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import Cursor, Key, Limit, QueryYesNo, Shape, TownTime, Words, YesNo
from models.coordination.closures import ClosureKind, ClosureState, MoveAnswer, Noun, Remedy

MOST_ROOMS = 100
MOST_CHOICES = 200
KIND_LABELS = {
    ClosureKind.CLOSURE: "停用",
    ClosureKind.PUBLIC_NEED: "征用",
    ClosureKind.HOURS: "开放时间变化",
}
STATE_LABELS = {
    ClosureState.STANDING: "未到期",
    ClosureState.OVER: "已到期",
    ClosureState.LIFTED: "已恢复开放",
}
REMEDY_LABELS = {
    Remedy.MOVE: "改到别处",
    Remedy.CALL_OFF: "取消",
    Remedy.END_NOW: "提前结束",
    Remedy.KEEP: "照旧",
}
ANSWER_LABELS = {
    MoveAnswer.ACCEPTED: "同意",
    MoveAnswer.DECLINED: "不同意",
    MoveAnswer.SILENT: "到时没有答复",
    MoveAnswer.MOOT: "不用再答复",
}


class LookAtClosureIn(Shape):
    """What is to be closed. Without ``venues`` the whole site; without ``starts_at`` from now on."""

    kind = fields.Enum(ClosureKind, by_value=True, required=True)
    site = Key(required=True)
    venues = fields.List(
        Key(), load_default=list, validate=validate.Length(max=MOST_ROOMS, error=f"最多 {MOST_ROOMS} 个场地")
    )
    starts_at = TownTime(metadata={"description": "不填为现在起"})
    ends_at = TownTime(required=True)


class ClosureChoiceIn(Shape):
    """What is to become of one thing instead of what was proposed; what is not said of where it goes stays as it is. ``even_so``: although some who come have another class then."""

    thing = Key(required=True)
    remedy = fields.Enum(Remedy, by_value=True, required=True)
    venue = Key()
    starts_at = TownTime()
    ends_at = TownTime()
    even_so = YesNo(load_default=False)


class CloseIn(LookAtClosureIn):
    """Do it, as the plan with this ``fingerprint`` says, but for the ``choices``. In an emergency say why it is one."""

    because = Words(100, required=True, metadata={"description": "原因，居民会看到"})
    fingerprint = Words(32, required=True)
    emergency_because = Words(
        100, metadata={"description": "紧急情况的原因；填了就不受提前告知和正在使用的限制"}
    )
    offers = Words(60, metadata={"description": "另外给受影响居民的补偿说明"})
    choices = fields.List(
        fields.Nested(ClosureChoiceIn),
        load_default=list,
        validate=validate.Length(max=MOST_CHOICES, error=f"最多 {MOST_CHOICES} 项"),
    )


class LiftClosureIn(Shape):
    """Why the rooms are open again."""

    because = Words(100, required=True)


class ClosedRoomOut(Shape):
    """Which room."""

    key = Key(required=True)
    name = fields.String(required=True)


class _PlaceOut(Shape):
    """What something is, where and when it was, and where it goes if it goes anywhere."""

    thing = Key(required=True)
    noun = fields.Enum(Noun, by_value=True, required=True)
    title = fields.String(required=True)
    venue = fields.Nested(ClosedRoomOut, required=True)
    starts_at = TownTime(required=True)
    ends_at = TownTime(required=True)
    people = fields.Integer(required=True)
    remedy = fields.Enum(Remedy, by_value=True, required=True)
    remedy_label = fields.Function(
        lambda one: REMEDY_LABELS[_of(one, "remedy")], metadata={"type": "string"}, required=True
    )
    to_venue = fields.Nested(ClosedRoomOut, required=True, allow_none=True)
    to_starts_at = TownTime(required=True, allow_none=True)
    to_ends_at = TownTime(required=True, allow_none=True)


class PlannedOut(_PlaceOut):
    """One thing in the way, and what is proposed for it. ``in_use``: people are there now; ``clashing``: how many who come have another class then."""

    state = fields.String(required=True)
    in_use = fields.Boolean(required=True)
    clashing = fields.Integer(required=True)


class MoveAnswersOut(Shape):
    """How many were asked, and what they said."""

    asked = fields.Integer(required=True)
    accepted = fields.Integer(required=True)
    declined = fields.Integer(required=True)
    silent = fields.Integer(required=True)
    open = fields.Integer(required=True)


class PublicClosureOut(Shape):
    """A closure as everybody may read it."""

    key = Key(required=True)
    kind = fields.Enum(ClosureKind, by_value=True, required=True)
    kind_label = fields.Function(
        lambda one: KIND_LABELS[_of(one, "kind")], metadata={"type": "string"}, required=True
    )
    because = fields.String(required=True)
    starts_at = TownTime(required=True)
    ends_at = TownTime(required=True)
    venues = fields.List(fields.Nested(ClosedRoomOut), required=True)


class ClosurePlanOut(Shape):
    """What a closure would mean; ``fingerprint`` names just this plan. ``closed_already``: other closures of some of it, which stay as they are."""

    fingerprint = fields.String(required=True)
    starts_at = TownTime(required=True)
    ends_at = TownTime(required=True)
    items = fields.List(fields.Nested(PlannedOut), required=True)
    closed_already = fields.List(fields.Nested(PublicClosureOut), required=True)


class PublicClosuresOut(Shape):
    """What of a site is closed now or will be."""

    items = fields.List(fields.Nested(PublicClosureOut), required=True)


class RoomClosureBrief(PublicClosureOut):
    """A closure in the staff's list, and what was answered."""

    site = fields.Nested(ClosedRoomOut, required=True)
    state = fields.Enum(ClosureState, by_value=True, required=True)
    state_label = fields.Function(
        lambda one: STATE_LABELS[_of(one, "state")], metadata={"type": "string"}, required=True
    )
    emergency_because = fields.String(required=True)
    offers = fields.String(required=True)
    decided_at = TownTime(required=True)
    lifted_at = TownTime(required=True, allow_none=True)
    lifted_because = fields.String(required=True)
    answers = fields.Nested(MoveAnswersOut, required=True)


class ClosureEffectOut(_PlaceOut):
    """What became of one thing, and what was answered about it."""

    answers = fields.Nested(MoveAnswersOut, required=True)


class RoomClosureOut(RoomClosureBrief):
    """A closure with everything that was in its way, and the others that close some of the same floor for part of its time."""

    items = fields.List(fields.Nested(ClosureEffectOut), required=True)
    also_closed_by = fields.List(fields.Nested(PublicClosureOut), required=True)


class ClosuresQuery(Shape):
    """Which closures of the places one works for."""

    site = Key()
    state = fields.Enum(ClosureState, by_value=True)
    cursor = Cursor()
    limit = Limit()


class RoomClosuresOut(Shape):
    """A page of closures, the newest first."""

    items = fields.List(fields.Nested(RoomClosureBrief), required=True)
    next = fields.String(allow_none=True, required=True)


# --- the question -------------------------------------------------------------------------------------------------


class MoveAnswerIn(Shape):
    """Yes or no."""

    accepts = YesNo(required=True)


class StaffMoveAnswerIn(MoveAnswerIn):
    """Yes or no of somebody who said it to staff; how, for the record."""

    because = Words(100, required=True, metadata={"description": "例如：本人来电"})


class PlaceThenOut(Shape):
    """A room and a time."""

    venue = fields.Nested(ClosedRoomOut, required=True)
    starts_at = TownTime(required=True)
    ends_at = TownTime(required=True)


class MoveQuestionOut(Shape):
    """社区请您改到……，可以吗. ``reservation`` or ``registration`` is what it is about; ``kept_by_silence`` whether it stays if nobody answers."""

    key = Key(required=True)
    because = fields.String(required=True)
    title = fields.String(required=True)
    reservation = Key(required=True, allow_none=True)
    registration = Key(required=True, allow_none=True)
    run = Key(required=True, allow_none=True)
    resident = Key(required=True, allow_none=True)
    was = fields.Nested(PlaceThenOut, required=True)
    to = fields.Nested(PlaceThenOut, required=True)
    answer_by = TownTime(required=True)
    answer = fields.Enum(MoveAnswer, by_value=True, required=True, allow_none=True)
    answer_label = fields.Function(
        lambda one: ANSWER_LABELS.get(_of(one, "answer"), ""), metadata={"type": "string"}, required=True
    )
    kept_by_silence = fields.Boolean(required=True)


class MoveQuestionsQuery(Shape):
    """Which page."""

    cursor = Cursor()
    limit = Limit()


class MoveQuestionsOut(Shape):
    """A page of questions that wait for an answer."""

    items = fields.List(fields.Nested(MoveQuestionOut), required=True)
    next = fields.String(allow_none=True, required=True)


class StaffMoveQuestionsQuery(MoveQuestionsQuery):
    """Which of them; ``open``: only those nobody has answered yet."""

    open = QueryYesNo(load_default=False)


class StaffMoveQuestionOut(MoveQuestionOut):
    """The same for staff, who call whoever does not answer; the name is masked."""

    name = fields.String(required=True, allow_none=True)


class StaffMoveQuestionsOut(Shape):
    """A page of what people were asked because of one closure."""

    items = fields.List(fields.Nested(StaffMoveQuestionOut), required=True)
    next = fields.String(allow_none=True, required=True)


def _of(one: Any, name: str) -> Any:
    return one[name] if isinstance(one, dict) else getattr(one, name)
