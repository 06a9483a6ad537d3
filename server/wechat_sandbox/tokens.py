"""Access tokens: the two families WeChat keeps apart, and the check every token-bearing call makes (wechat.md §3)."""

from __future__ import annotations

import re
import secrets
from collections import deque
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from models import clock
from server.wechat_sandbox.answers import Refused
from server.wechat_sandbox.calls import Call

if TYPE_CHECKING:
    from server.wechat_sandbox.account import Account

_token_shape = re.compile(r"[0-9]{2}_[A-Za-z0-9_-]{100,512}")

# From five minutes before its end a stable token is replaced, and both work until then.
_OVERLAP = timedelta(seconds=300)
_TOKENS_REMEMBERED = 64


@dataclass(frozen=True)
class TokenTerms:
    """Lifetimes in seconds and limits. ``grace_seconds`` is how long ``/cgi-bin/token`` lets the earlier token live."""

    life_seconds: int = 7200
    grace_seconds: int = 300
    plain_a_day: int = 2000
    stable_a_minute: int = 10_000
    stable_a_day: int = 500_000
    forced_a_day: int = 20
    forced_apart_seconds: int = 30


@dataclass
class Token:
    """One token. It works until ``usable_until``; ``superseded`` tells 40001 from 42001 afterwards."""

    value: str
    expires_at: datetime
    usable_until: datetime
    superseded: bool = False


class _Allowance:
    """Calls counted per day of the town and per minute."""

    def __init__(self, *, a_day: int, a_minute: int | None = None) -> None:
        self._a_day = a_day
        self._a_minute = a_minute
        self._day: date | None = None
        self._today = 0
        self._recent: deque[datetime] = deque()

    def spend(self) -> None:
        """Refuses with 45011 beyond the minute's calls, with 45009 beyond the day's."""
        now = clock.now()
        if self._day != clock.today():
            self._day, self._today = clock.today(), 0
        while self._recent and now - self._recent[0] >= timedelta(minutes=1):
            self._recent.popleft()
        if self._a_minute is not None:
            if len(self._recent) >= self._a_minute:
                raise Refused(45011)
            self._recent.append(now)
        if self._today >= self._a_day:
            raise Refused(45009)
        self._today += 1


class Tokens:
    """Both families of tokens; getting one of a family never touches the other."""

    def __init__(self, terms: TokenTerms) -> None:
        self.terms = terms
        self.known: dict[str, Token] = {}
        self.stable: Token | None = None
        self.plain: Token | None = None
        self.forced_at: datetime | None = None
        self._plain_calls = _Allowance(a_day=terms.plain_a_day)
        self._stable_calls = _Allowance(a_day=terms.stable_a_day, a_minute=terms.stable_a_minute)
        self._forced_calls = _Allowance(a_day=terms.forced_a_day)

    def give_plain(self) -> Token:
        """``/cgi-bin/token``: a new token each time; the earlier one lives on for the grace period only."""
        self._plain_calls.spend()
        now = clock.now()
        if self.plain is not None:
            grace = now + timedelta(seconds=self.terms.grace_seconds)
            self._supersede(self.plain, until=min(self.plain.expires_at, grace))
        self.plain = self._mint(now)
        return self.plain

    def give_stable(self, *, force_refresh: bool) -> Token:
        """``/cgi-bin/stable_token``: the same token with the seconds it has left, so long as it has more than 300."""
        self._stable_calls.spend()
        now = clock.now()
        if force_refresh and self._may_force(now):
            self._forced_calls.spend()
            if self.stable is not None:
                self._supersede(self.stable, until=now)
            self.forced_at = now
            self.stable = self._mint(now)
        elif self.stable is None or self.stable.expires_at - now <= _OVERLAP:
            self.stable = self._mint(now)
        return self.stable

    def check(self, value: str | None) -> None:
        """Refuses a missing (41001), malformed (40014), superseded or unknown (40001) or expired (42001) token."""
        if not value:
            raise Refused(41001)
        token = self.known.get(value)
        if token is None:
            raise Refused(40001 if _token_shape.fullmatch(value) else 40014)
        now = clock.now()
        if now < token.usable_until:
            return
        raise Refused(40001 if token.superseded and now < token.expires_at else 42001)

    def remember(self, token: Token) -> None:
        """Keep a token known, and the list of them short."""
        self.known[token.value] = token
        while len(self.known) > _TOKENS_REMEMBERED:
            del self.known[next(iter(self.known))]

    def _may_force(self, now: datetime) -> bool:
        """A second force within 30 seconds answers like a normal call."""
        apart = timedelta(seconds=self.terms.forced_apart_seconds)
        return self.forced_at is None or now - self.forced_at >= apart

    def _supersede(self, token: Token, *, until: datetime) -> None:
        token.superseded = True
        token.usable_until = until

    def _mint(self, now: datetime) -> Token:
        end = now + timedelta(seconds=self.terms.life_seconds)
        token = Token(f"{secrets.randbelow(90) + 10}_{secrets.token_urlsafe(96)}", end, end)
        self.remember(token)
        return token


def give_token(account: Account, call: Call) -> dict[str, object]:
    """``GET /cgi-bin/token``."""
    call.require("GET")
    _check_client(
        account, call.query.get("grant_type"), call.query.get("appid"), call.query.get("secret"), 40001
    )
    return _token_answer(account.tokens.give_plain())


def give_stable_token(account: Account, call: Call) -> dict[str, object]:
    """``POST /cgi-bin/stable_token``."""
    call.require("POST")
    _check_client(account, call.text("grant_type"), call.text("appid"), call.text("secret"), 40125)
    token = account.tokens.give_stable(force_refresh=call.json.get("force_refresh") is True)
    account.on_change()
    return _token_answer(token)


def _check_client(
    account: Account, grant_type: str | None, appid: str | None, secret: str | None, wrong_secret: int
) -> None:
    """``cgi-bin/token`` calls a wrong secret 40001, ``stable_token`` 40125 (§1.1, §3)."""
    if grant_type != "client_credential":
        raise Refused(40002)
    if not appid:
        raise Refused(41002)
    if not secret:
        raise Refused(41004)
    if appid != account.appid:
        raise Refused(40013)
    if not secrets.compare_digest(secret.encode(), account.secret.encode()):
        raise Refused(wrong_secret)


def _token_answer(token: Token) -> dict[str, object]:
    left = token.expires_at - clock.now()
    return {"access_token": token.value, "expires_in": int(left.total_seconds())}
