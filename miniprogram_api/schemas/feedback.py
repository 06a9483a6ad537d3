"""Shapes of feedback on a class."""

from __future__ import annotations

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import Cursor, Key, Limit, Shape, TownTime, Whole, Words
from models.courses import LONGEST_WORDS, MOST_STARS


class FeedbackIn(Shape):
    """How a class was."""

    stars = Whole(required=True, validate=validate.Range(1, MOST_STARS, error=f"请选 1 到 {MOST_STARS} 颗星"))
    text = Words(LONGEST_WORDS)


class FeedbackOut(Shape):
    """What one said of a class."""

    run = Key(attribute="registration.run.key", required=True)
    stars = fields.Integer(required=True)
    text = fields.String(attribute="words", required=True, allow_none=True)
    given_at = TownTime(required=True)
    changes_until = TownTime(required=True, metadata={"description": "在这之前可以修改"})


class RatingOut(Shape):
    """How a run was found on the average; nothing while only a few said so."""

    run = Key(required=True)
    ratings = fields.Integer(required=True, allow_none=True)
    average = fields.Float(required=True, allow_none=True)


class StaffFeedbackQuery(Shape):
    """Which part of what was said."""

    cursor = Cursor()
    limit = Limit(default=50, most=200)


class StaffFeedbackLineOut(Shape):
    """What somebody said. Who it was stands nowhere."""

    stars = fields.Integer(required=True)
    text = fields.String(attribute="words", required=True, allow_none=True)
    given_at = TownTime(required=True)


class StaffFeedbackOut(Shape):
    """One page of what was said of a run, oldest first, with the average of all of it."""

    items = fields.List(fields.Nested(StaffFeedbackLineOut), required=True)
    next = fields.String(required=True, allow_none=True)
    ratings = fields.Integer(required=True)
    average = fields.Float(required=True, allow_none=True)


class CopiedFeedbackOut(Shape):
    """What one said of a class, in the copy of one's own data."""

    stars = fields.Integer(required=True)
    text = fields.String(attribute="words", required=True, allow_none=True)
    given_at = TownTime(required=True)
    changed_at = TownTime(required=True, allow_none=True)
