"""Shapes of scenes and their codes."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import QueryWhole, Shape
from models.scenes import SceneKind

# a phone's screen, a notice on the wall, a poster; each is a picture to make and keep, so there are no others
WIDTHS = (280, 430, 1280)


class Width(QueryWhole):
    """How wide a picture is, in pixels."""

    def __init__(self, **kwargs: Any) -> None:
        allowed = "、".join(str(width) for width in WIDTHS)
        super().__init__(
            load_default=430, validate=validate.OneOf(WIDTHS, error=f"宽度可选 {allowed}"), **kwargs
        )


class CodeQuery(Shape):
    """What a code's picture should look like."""

    width = Width()


class SceneOut(Shape):
    """Where a scene leads: the page of the mini-program, and what it is opened with (``key=…``)."""

    kind = fields.Enum(SceneKind, by_value=True, required=True)
    page = fields.String(required=True)
    query = fields.String(required=True)
