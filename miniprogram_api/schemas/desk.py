"""Shapes of what waits for staff."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.fields import Shape


class PileOut(Shape):
    """One kind of thing that is this hat's work, and how many of it wait."""

    name = fields.String(attribute="pile.name", required=True)
    title = fields.String(attribute="pile.title", required=True)
    number = fields.Integer(required=True, metadata={"description": "等着办的有几件"})


class DeskOut(Shape):
    """Everything that may wait for this hat, also what is empty."""

    items = fields.List(fields.Nested(PileOut), required=True)
