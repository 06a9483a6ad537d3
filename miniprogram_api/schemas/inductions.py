"""Shapes of inductions: who was shown a room, and the rooms one was shown."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.courses import LearnerOut
from miniprogram_api.schemas.fields import Cursor, Day, Key, Limit, Shape, TownTime


class InductionIn(Shape):
    """On which day; null is today."""

    done_on = Day(required=True, allow_none=True)


class InductionsQuery(Shape):
    """Which part of the list."""

    cursor = Cursor()
    limit = Limit()


class InductedOut(Shape):
    """Somebody who was shown a room, and when."""

    resident = fields.Nested(LearnerOut, required=True)
    done_on = Day(required=True)


class InductedPageOut(Shape):
    """A page of those who were shown a room."""

    items = fields.List(fields.Nested(InductedOut), required=True)
    next = fields.String(required=True, allow_none=True)


class MyInductionOut(Shape):
    """A room one was shown, and when."""

    venue = Key(attribute="venue.key", required=True)
    room = fields.String(attribute="venue.full_name", required=True)
    done_on = Day(required=True)


class MyInductionsOut(Shape):
    """The rooms one was shown."""

    items = fields.List(fields.Nested(MyInductionOut), required=True)


class CopiedInductionOut(Shape):
    """A room somebody was shown, and when that was taken back, if it was."""

    room = fields.String(attribute="venue.full_name", required=True)
    done_on = Day(required=True)
    taken_back_at = TownTime(required=True, allow_none=True)
