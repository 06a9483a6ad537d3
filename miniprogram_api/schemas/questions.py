"""Shapes of the questions a run asks, and of what people answer."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate

from miniprogram_api.schemas.fields import Cursor, Key, Limit, Shape, TownTime, Whole, Words, YesNo
from models.courses import (
    LARGEST_NUMBER,
    LONGEST_ANSWER,
    LONGEST_CHOICE,
    LONGEST_TITLE,
    MOST_CHOICES,
    MOST_QUESTIONS,
    QuestionKind,
    RegistrationState,
)

_WORDS = Words(LONGEST_ANSWER)
_KINDS = "应为文字、整数，或 true、false"


class AnswerValue(fields.Field[Any]):
    """An answer as its question has it: a line of text (also one of the choices), a whole number, or yes and no."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {
            "type": ["string", "integer", "boolean"],
            "pattern": _WORDS.metadata["pattern"],
            "minLength": 1,
            "maxLength": LONGEST_ANSWER,
            "minimum": -LARGEST_NUMBER,
            "maximum": LARGEST_NUMBER,
        }
        super().__init__(metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | int | bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            return str(_WORDS.deserialize(value, attr, data))
        if not isinstance(value, int | float) or value != value // 1:
            raise ValidationError(_KINDS)
        if abs(value) > LARGEST_NUMBER:
            raise ValidationError("数太大了")
        return int(value)


def _numbers() -> validate.Range:
    return validate.Range(-LARGEST_NUMBER, LARGEST_NUMBER, error="数太大了")


class QuestionIn(Shape):
    """One question; ``key`` names one that stands already."""

    key = Key()
    kind = fields.Enum(QuestionKind, by_value=True, required=True)
    title = Words(LONGEST_TITLE, required=True)
    choices = fields.List(
        Words(LONGEST_CHOICE),
        load_default=list,
        validate=validate.Length(max=MOST_CHOICES, error=f"最多 {MOST_CHOICES} 个选项"),
        metadata={"description": "单选题的选项"},
    )
    least = Whole(validate=_numbers(), metadata={"description": "数字题最小填多少"})
    most = Whole(validate=_numbers(), metadata={"description": "数字题最大填多少"})
    required = YesNo(load_default=False, attribute="is_required")


class QuestionsIn(Shape):
    """All a run asks, in this order."""

    questions = fields.List(
        fields.Nested(QuestionIn),
        required=True,
        validate=validate.Length(max=MOST_QUESTIONS, error=f"最多 {MOST_QUESTIONS} 个问题"),
    )


class QuestionOut(Shape):
    """One question of the form."""

    key = Key(required=True)
    kind = fields.Enum(QuestionKind, by_value=True, required=True)
    title = fields.String(required=True)
    choices = fields.List(fields.String(), required=True)
    least = fields.Integer(required=True, allow_none=True)
    most = fields.Integer(required=True, allow_none=True)
    required = fields.Boolean(attribute="is_required", required=True)


class QuestionsOut(Shape):
    """All a run asks, in the order of the form."""

    items = fields.List(fields.Nested(QuestionOut), required=True)


class AnswerIn(Shape):
    """One answer."""

    question = Key(required=True)
    answer = AnswerValue(required=True)


class AnswersIn(Shape):
    """All that is answered; what is left out is no longer answered."""

    answers = fields.List(
        fields.Nested(AnswerIn),
        required=True,
        validate=validate.Length(max=MOST_QUESTIONS, error=f"最多 {MOST_QUESTIONS} 个问题"),
    )


class AnswerOut(Shape):
    """One answer with its question."""

    question = Key(attribute="question.key", required=True)
    kind = fields.Enum(QuestionKind, by_value=True, attribute="question.kind", required=True)
    title = fields.String(attribute="question.title", required=True)
    answer = AnswerValue(attribute="said", required=True)


class AnswersOut(Shape):
    """What one person answered to a run."""

    run = Key(required=True)
    resident = Key(required=True)
    answers = fields.List(fields.Nested(AnswerOut), required=True)


class StaffAnswersQuery(Shape):
    """Which part of the answers."""

    cursor = Cursor()
    limit = Limit(default=50, most=200)


class StaffAnswersLineOut(Shape):
    """One learner with what they answered."""

    registration = Key(attribute="registration.key", required=True)
    name = fields.String(attribute="registration.resident.name", required=True, allow_none=True)
    state = fields.Enum(RegistrationState, by_value=True, attribute="registration.state", required=True)
    answers = fields.List(fields.Nested(AnswerOut), required=True)


class StaffAnswersOut(Shape):
    """One page of a run's answers, in order of registration."""

    items = fields.List(fields.Nested(StaffAnswersLineOut), required=True)
    next = fields.String(required=True, allow_none=True)


class CopiedAnswerOut(Shape):
    """One answer in the copy of one's own data."""

    title = fields.String(attribute="question.title", required=True)
    answer = fields.String(attribute="as_read", required=True)
    answered_at = TownTime(required=True)
