"""How often an account may call what (接口调用额度): per day, and per second or minute, and the tool that tells (wechat.md §1.2)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from models import clock
from server.wechat_sandbox.answers import Refused
from server.wechat_sandbox.calls import Call

if TYPE_CHECKING:
    from server.wechat_sandbox.account import Account


@dataclass(frozen=True)
class Limit:
    """``a_day`` calls, and ``burst`` calls in ``seconds``, beyond which ``errcode`` is answered."""

    a_day: int
    burst: int = 0
    seconds: int = 60
    errcode: int = 45011


LIMITS: dict[str, Limit] = {
    "/cgi-bin/message/subscribe/send": Limit(10_000_000),
    "/wxa/msg_sec_check": Limit(2_000_000, 4_000, errcode=44991),
    "/wxa/media_check_async": Limit(200_000, 2_000, errcode=44991),
    "/wxa/getwxacodeunlimit": Limit(10_000_000, 5_000),
    "/wxa/generatescheme": Limit(500_000, 100, seconds=1, errcode=44990),
    "/wxa/generate_urllink": Limit(500_000, 100, seconds=1, errcode=44990),
    "/wxa/resetusersessionkey": Limit(10_000_000, 60_000),
}
# What WeChat does not state.
_OTHERWISE = Limit(1_000_000)


class Quotas:
    """Calls counted per path. The tokens keep their own count (``tokens.py``)."""

    def __init__(self, a_day: Mapping[str, int]) -> None:
        self._a_day = dict(a_day)
        self._day: date | None = None
        self._used: Counter[str] = Counter()
        self._recent: dict[str, deque[datetime]] = {}

    def spend(self, path: str) -> None:
        """Count one call; refuses with the path's burst errcode, or with 45009 beyond the day's calls."""
        self._turn_day()
        limit = LIMITS.get(path, _OTHERWISE)
        if limit.burst:
            self._note_burst(path, limit)
        if self._used[path] >= self.daily_limit(path):
            raise Refused(45009)
        self._used[path] += 1

    def daily_limit(self, path: str) -> int:
        """The calls a day."""
        return self._a_day.get(path, LIMITS.get(path, _OTHERWISE).a_day)

    def used(self, path: str) -> int:
        """The calls of today."""
        self._turn_day()
        return self._used[path]

    def _turn_day(self) -> None:
        today = clock.today()
        if self._day != today:
            self._day, self._used = today, Counter()

    def _note_burst(self, path: str, limit: Limit) -> None:
        now, span = clock.now(), timedelta(seconds=limit.seconds)
        recent = self._recent.setdefault(path, deque())
        while recent and now - recent[0] >= span:
            recent.popleft()
        if len(recent) >= limit.burst:
            raise Refused(limit.errcode)
        recent.append(now)


def tell_quota(account: Account, call: Call) -> dict[str, object]:
    """``POST /cgi-bin/openapi/quota/get``: 76003 for no path, 76021 for an unknown one, 76022 for ``sns``."""
    call.require("POST")
    account.tokens.check(call.query.get("access_token"))
    path = call.text("cgi_path")
    if not path.startswith("/"):
        raise Refused(76003)
    if path.startswith("/sns/"):
        raise Refused(76022)
    if path not in account.paths:
        raise Refused(76021)
    limit, used = account.quotas.daily_limit(path), account.quotas.used(path)
    answer: dict[str, object] = {
        "errcode": 0,
        "errmsg": "ok",
        "quota": {"daily_limit": limit, "used": used, "remain": max(0, limit - used)},
    }
    burst = LIMITS.get(path, _OTHERWISE)
    if burst.burst:
        answer["rate_limit"] = {"call_count": burst.burst, "refresh_second": burst.seconds}
    return answer
