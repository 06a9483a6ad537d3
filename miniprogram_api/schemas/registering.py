"""Shapes of registering people at the counter."""

from __future__ import annotations

from marshmallow import fields, validate

from miniprogram_api.schemas.courses import RegistrationOut
from miniprogram_api.schemas.fields import Key, Shape
from miniprogram_api.schemas.planning import RowRefusalOut

MOST_PEOPLE = 50


class WithWhom(Shape):
    """With whom a child comes to a run for pairs."""

    with_key = Key(data_key="with", metadata={"description": "成对报名时，一起来的家长"})


class CounterListIn(Shape):
    """Several people, in the order in which they are to have seats."""

    residents = fields.List(
        Key(),
        required=True,
        validate=validate.Length(1, MOST_PEOPLE, error=f"一次 1 到 {MOST_PEOPLE} 人"),
    )


class CounterRowOut(Shape):
    """What became of one person: the place they hold, or the refusal."""

    resident = Key(required=True)
    registration = fields.Nested(RegistrationOut, required=True, allow_none=True)
    refusal = fields.Nested(RowRefusalOut, required=True, allow_none=True)


class CounterRowsOut(Shape):
    """What became of everybody, in the order they were sent."""

    items = fields.List(fields.Nested(CounterRowOut), required=True)
    done = fields.Integer(required=True)
    refused = fields.Integer(required=True)
