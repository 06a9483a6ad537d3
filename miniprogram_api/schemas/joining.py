"""Shapes of joining: the code from the counter."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.fields import Matching, Shape, TownTime
from models.joining import CODE_DIGITS


class JoiningCodeOut(Shape):
    """A code for the person in front of the counter, good once."""

    code = fields.String(required=True)
    until = TownTime(required=True)


class JoinIn(Shape):
    """The code one was handed."""

    code = Matching(f"[0-9]{{{CODE_DIGITS}}}", error=f"绑定码是 {CODE_DIGITS} 位数字", required=True)
