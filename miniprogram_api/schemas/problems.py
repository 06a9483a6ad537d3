"""The shape of every refusal (RFC 9457), for the documentation; ``miniprogram_api.problems`` writes it."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.fields import Shape


class FaultOut(Shape):
    """One thing wrong with what was sent."""

    field = fields.String(required=True)
    message = fields.String(required=True)
    code = fields.String(required=True)


class ProblemOut(Shape):
    """A deliberate no."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True)
    detail = fields.String(required=True, metadata={"description": "给居民看的一句话"})
    errors = fields.List(fields.Nested(FaultOut))
    details = fields.Dict(keys=fields.String())
    request_id = fields.String(required=True)
