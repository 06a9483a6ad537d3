"""URL Schemes and URL Links (小程序链接, wechat.md §7): at most 30 days, to a released page, opened on the sandbox's own page."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from models import clock
from server.wechat_sandbox.answers import Refused
from server.wechat_sandbox.calls import Call
from server.wechat_sandbox.wxacode import BUILDS

if TYPE_CHECKING:
    from server.wechat_sandbox.account import Account

_AT_TIME, _AFTER_DAYS = 0, 1
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=30)
_LINKS_KEPT = 2000
_query_shape = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~%]{0,1024}")
_path_shape = re.compile(r"/?[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*")


@dataclass(frozen=True)
class Link:
    """Where a link leads, and until when."""

    ticket: str
    path: str
    query: str
    build: str
    expires_at: datetime

    @property
    def is_open(self) -> bool:
        """Whether it still leads anywhere."""
        return clock.now() < self.expires_at


def give_scheme(account: Account, call: Call) -> dict[str, object]:
    """``POST /wxa/generatescheme``."""
    call.require("POST")
    account.tokens.check(call.query.get("access_token"))
    jump = call.json.get("jump_wxa", {})
    if not isinstance(jump, dict):
        raise Refused(47001)
    link = _made(account, jump, call.json)
    return {"errcode": 0, "errmsg": "ok", "openlink": f"weixin://dl/business/?t={link.ticket}"}


def give_url_link(account: Account, call: Call) -> dict[str, object]:
    """``POST /wxa/generate_urllink``. WeChat's own begin with ``https://wxaurl.cn/``; this one opens on this machine."""
    call.require("POST")
    account.tokens.check(call.query.get("access_token"))
    link = _made(account, call.json, call.json)
    return {"errcode": 0, "errmsg": "ok", "url_link": f"{call.origin}/links/{link.ticket}"}


def _made(account: Account, where: dict[str, Any], when: dict[str, Any]) -> Link:
    path = where.get("path", "")
    if not isinstance(path, str) or (path and _path_shape.fullmatch(path) is None):
        raise Refused(40165)
    released = account.options.pages
    if path and released is not None and path.removeprefix("/") not in released:
        raise Refused(40165)
    query = where.get("query", "")
    if not isinstance(query, str) or _query_shape.fullmatch(query) is None:
        raise Refused(40212)
    build = where.get("env_version", BUILDS[0])
    if build not in BUILDS:
        raise Refused(85402)
    link = Link(secrets.token_urlsafe(9), path, query, str(build), _expiry(when))
    account.links[link.ticket] = link
    while len(account.links) > _LINKS_KEPT:
        del account.links[next(iter(account.links))]
    account.on_change()
    return link


def _expiry(when: dict[str, Any]) -> datetime:
    """``expire_time`` (a Unix time) or ``expire_interval`` (days); neither means the longest there is."""
    kind = when.get("expire_type", _AT_TIME)
    now = clock.now()
    if kind == _AFTER_DAYS:
        span = timedelta(days=1) * _whole(when.get("expire_interval"), most=30)
    elif kind != _AT_TIME:
        raise Refused(85401)
    elif "expire_time" not in when:
        span = _LONGEST
    else:
        span = datetime.fromtimestamp(_whole(when["expire_time"], most=4_102_444_800), UTC) - now
    if not _SHORTEST <= span <= _LONGEST:
        raise Refused(85401)
    return now + span


def _whole(value: object, *, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most:
        raise Refused(85401)
    return value
