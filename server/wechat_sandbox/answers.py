"""How WeChat says no: an errcode, a text, and a request id in one of three shapes (wechat.md §1, §1.1)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import Enum

from models import clock

TEXTS: dict[int, str] = {
    -1: "system error",
    404: "require correct http method",
    40001: "invalid credential, access_token is invalid or not latest, could get access_token by getStableAccessToken",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40004: "invalid media type",
    40013: "invalid appid",
    40014: "invalid access_token",
    40029: "invalid code",
    40037: "invalid template_id",
    40097: "invalid args",
    40125: "invalid appsecret",
    40129: "invalid scene",
    40163: "code been used",
    40164: "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist",
    40165: "invalid weapp pagepath",
    40169: "invalid length for scene, or the data is not json string",
    40212: "invalid query",
    40226: "code blocked",
    40243: "AppSecret frozen",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41008: "missing code",
    41030: "invalid page",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43101: "user refuse to accept the msg",
    43107: "subscribe ability or template is banned",
    43108: "concurrent send to the same user",
    44002: "empty post data",
    44990: "reach max api second frequence limit",
    44991: "reach max api minute frequence limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45168: "content has sensitive word",
    47001: "data format error",
    47003: "argument invalid!",
    48001: "api unauthorized",
    61010: "code is expired",
    76003: "cgi_path is empty",
    76021: "cgi_path not found",
    76022: "could not use this cgi_path, no permission",
    85096: "scancode_time is system reserved param name",
    85401: "time limit between 1min and 30day",
    85402: "invalid env_version",
    87007: "session_key is not existed or expired",
    87008: "invalid sig_method",
    87009: "invalid signature",
    87020: "repeat request limit",
    200002: "invalid parameter",
    200011: "account is banned",
    200012: "template list is full",
    200013: "template is banned",
    200014: "invalid tid",
    200016: "invalid start",
    200017: "invalid limit",
    200018: "ids is empty",
    200019: "invalid ids",
    200020: "invalid kidList",
    200021: "invalid sceneDesc",
    200022: "template already exists",
}


class RidShape(Enum):
    """The request id ends every error text; which way depends on the family of the API."""

    PLAIN = "{text} rid: {rid}"
    SNS = "{text}, rid: {rid}"
    HINTED = "{text} hint: [{hint}] rid: {rid}"


@dataclass(frozen=True)
class Picture:
    """An answer that is a picture and no JSON. A failure of the same call is JSON (§7)."""

    png: bytes


class Refused(Exception):
    """WeChat answers with an errcode. ``errmsg`` is the text without its request id."""

    def __init__(self, errcode: int, errmsg: str | None = None) -> None:
        super().__init__(errcode)
        self.errcode = errcode
        self.errmsg = errmsg if errmsg is not None else TEXTS.get(errcode, "unknown error")

    def as_answer(self, shape: RidShape) -> dict[str, object]:
        """The body WeChat sends, with a fresh request id."""
        text = shape.value.format(text=self.errmsg, rid=_request_id(), hint=secrets.token_urlsafe(4))
        return {"errcode": self.errcode, "errmsg": text}


def _request_id() -> str:
    return f"{int(clock.now().timestamp()):08x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
