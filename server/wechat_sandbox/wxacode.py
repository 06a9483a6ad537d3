"""Mini-program codes without limit (获取不限制的小程序码, wechat.md §7): bytes of a picture on success, JSON on failure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from server.wechat_sandbox.answers import Picture, Refused
from server.wechat_sandbox.calls import Call
from server.wechat_sandbox.painting import Colour, draw_code

if TYPE_CHECKING:
    from server.wechat_sandbox.account import Account

BUILDS = ("release", "trial", "develop")
_SCENE_LIMIT = 32
_LEAST, _MOST, _USUAL = 280, 1280, 430
_scene_shape = re.compile(r"[0-9a-zA-Z!#$&'()*+,/:;=?@\-._~]+")
_page_shape = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*")
# WeChat uses this scene parameter itself.
_RESERVED = "scancode_time"


def give_code(account: Account, call: Call) -> Picture:
    """``POST /wxa/getwxacodeunlimit``. A body that is no JSON answers 40169 here, unlike elsewhere."""
    call.require("POST")
    account.tokens.check(call.query.get("access_token"))
    sent = _body(call)
    scene = _scene(sent.get("scene"))
    build = sent.get("env_version", BUILDS[0])
    if build not in BUILDS:
        raise Refused(40097)
    page = _page(account, sent)
    width = sent.get("width", _USUAL)
    if not isinstance(width, int) or isinstance(width, bool) or not _LEAST <= width <= _MOST:
        raise Refused(40097)
    where = {"scene": scene, "page": page, "env_version": str(build)}
    drawn = draw_code(
        where, width=width, colour=_colour(sent), transparent=_flag(sent, "is_hyaline", default=False)
    )
    return Picture(drawn)


def _body(call: Call) -> dict[str, Any]:
    try:
        return call.json
    except Refused as unreadable:
        if unreadable.errcode == 47001:
            raise Refused(40169) from unreadable
        raise


def _scene(sent: object) -> str:
    if not isinstance(sent, str):
        raise Refused(40129)
    if not 0 < len(sent) <= _SCENE_LIMIT:
        raise Refused(40169)
    if _scene_shape.fullmatch(sent) is None:
        raise Refused(40129)
    if _RESERVED in sent:
        raise Refused(85096)
    return sent


def _page(account: Account, sent: dict[str, Any]) -> str:
    """No leading ``/``, no query, and unless ``check_path`` is false a page of the released build."""
    page = sent.get("page", "")
    check = _flag(sent, "check_path", default=True)
    if not isinstance(page, str) or (page and _page_shape.fullmatch(page) is None):
        raise Refused(41030)
    released = account.options.pages
    if page and check and released is not None and page not in released:
        raise Refused(41030)
    return page


def _colour(sent: dict[str, Any]) -> Colour:
    asked = sent.get("line_color")
    if asked is None or _flag(sent, "auto_color", default=False):
        return 0, 0, 0
    parts = [asked.get(each) for each in "rgb"] if isinstance(asked, dict) else []
    numbers = [
        int(part) for part in parts if isinstance(part, int) or (isinstance(part, str) and part.isdecimal())
    ]
    if len(numbers) != 3 or not all(0 <= each <= 255 for each in numbers):
        raise Refused(40097)
    return numbers[0], numbers[1], numbers[2]


def _flag(sent: dict[str, Any], name: str, *, default: bool) -> bool:
    value = sent.get(name, default)
    if not isinstance(value, bool):
        raise Refused(40097)
    return value
