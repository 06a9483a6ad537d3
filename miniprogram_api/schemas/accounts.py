"""Shapes of logging in."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.fields import Shape, TownTime, Words


class LoginIn(Shape):
    """What ``wx.login`` gave the phone."""

    code = Words(128, required=True)


class LoginOut(Shape):
    """The token to send as ``Authorization: Bearer …`` until it expires."""

    token = fields.String(required=True)
    expires_at = TownTime(required=True)
