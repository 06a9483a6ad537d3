"""Codes a phone hands to a mini-program: one from wx.login, one from the phone-number button; never interchangeable.

Both live five minutes and are good once. They differ in how they refuse: a login code used again answers 40163, a phone
code always 40029 (wechat.md §2, §5).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from models import clock
from server.wechat_sandbox.answers import Refused
from server.wechat_sandbox.calls import Call

if TYPE_CHECKING:
    from server.wechat_sandbox.account import Account


@dataclass
class Code:
    """A code somebody's phone was given. ``appid`` is whose mini-program it was issued to."""

    openid: str
    appid: str
    issued_at: datetime
    phone: str = ""
    spent: bool = False


class Codes:
    """Both code spaces of the account."""

    def __init__(self, *, code_seconds: int) -> None:
        self.life = timedelta(seconds=code_seconds)
        self.login: dict[str, Code] = {}
        self.phone: dict[str, Code] = {}

    def issue_login(self, openid: str, *, appid: str) -> str:
        """A fresh wx.login code."""
        return self._issue(self.login, Code(openid, appid, clock.now()))

    def issue_phone(self, openid: str, phone: str, *, appid: str) -> str:
        """A fresh phone-number code. ``phone`` is ``13800138000`` or ``+85261234567``."""
        return self._issue(self.phone, Code(openid, appid, clock.now(), phone=phone))

    def is_live(self, code: Code) -> bool:
        """Whether the code is younger than its five minutes."""
        return clock.now() - code.issued_at < self.life

    def _issue(self, space: dict[str, Code], code: Code) -> str:
        self._forget_old(space)
        text = secrets.token_hex(16) if space is self.login else secrets.token_hex(32)
        space[text] = code
        return text

    def _forget_old(self, space: dict[str, Code]) -> None:
        """Keep an hour, so that "used" and "unknown" stay told apart while anyone could still ask."""
        long_ago = clock.now() - timedelta(hours=1)
        while space:
            oldest = next(iter(space))
            if space[oldest].issued_at > long_ago:
                return
            del space[oldest]


def exchange_login(account: Account, call: Call) -> dict[str, object]:
    """``GET /sns/jscode2session``. Needs no access token and ignores a stray one (§2).

    A refused exchange burns the code as well: the phone has to call wx.login again.
    """
    call.require("GET")
    _check_client(account, call)
    if call.query.get("grant_type") != "authorization_code":
        raise Refused(40002)
    asked = call.query.get("js_code")
    if not asked:
        raise Refused(41008)
    code = account.codes.login.get(asked)
    if code is None:
        raise Refused(40029)
    if code.spent:
        raise Refused(40163)
    code.spent = True
    if code.appid != account.appid or not account.codes.is_live(code):
        raise Refused(40029)
    phone = account.phone(code.openid)
    account.note_call(phone, call.path, a_minute=account.options.logins_a_minute)
    if phone.flagged:
        raise Refused(40226)
    session_key = account.session_key_for(phone)
    account.on_change()
    answer: dict[str, object] = {"session_key": session_key, "openid": phone.openid}
    if phone.unionid:
        answer["unionid"] = phone.unionid
    return answer


def give_phone_number(account: Account, call: Call) -> dict[str, object]:
    """``POST /wxa/business/getuserphonenumber`` (§5): 40029 for unknown, expired and reused alike."""
    call.require("POST")
    account.tokens.check(call.query.get("access_token"))
    code = account.codes.phone.get(call.text("code"))
    if code is None or code.spent or not account.codes.is_live(code):
        raise Refused(40029)
    code.spent = True
    if code.appid != account.appid:
        raise Refused(40013)
    asked_for = call.text("openid")
    if asked_for and asked_for != code.openid:
        raise Refused(account.options.openid_mismatch)
    account.note_call(account.phone(code.openid), call.path, a_minute=account.options.phone_numbers_a_minute)
    return {"errcode": 0, "errmsg": "ok", "phone_info": _phone_card(account, code.phone)}


def whose_login(account: Account, call: Call) -> str | None:
    """Whose phone a code2Session call is about, if its code is known."""
    code = account.codes.login.get(call.query.get("js_code", ""))
    return code.openid if code else None


def whose_phone_number(account: Account, call: Call) -> str | None:
    """Whose phone a getuserphonenumber call is about, if its code is known."""
    sent: dict[str, Any] = call.json if call.body else {}
    code = account.codes.phone.get(str(sent.get("code")))
    return code.openid if code else None


def _check_client(account: Account, call: Call) -> None:
    if not call.query.get("appid"):
        raise Refused(41002)
    if not call.query.get("secret"):
        raise Refused(41004)
    if call.query["appid"] != account.appid:
        raise Refused(40013)
    if not secrets.compare_digest(call.query["secret"].encode(), account.secret.encode()):
        raise Refused(40125)


_COUNTRIES = ("852", "853", "886", "86", "81", "82", "65", "60", "61", "44", "49", "33", "39", "34", "7", "1")


def _phone_card(account: Account, phone: str) -> dict[str, object]:
    country = "86"
    pure = phone
    if phone.startswith("+"):
        country = next((each for each in _COUNTRIES if phone[1:].startswith(each)), phone[1:3])
        pure = phone[1 + len(country) :]
    return {
        "phoneNumber": pure if country == "86" else f"+{country} {pure}",
        "purePhoneNumber": pure,
        "countryCode": country,
        "watermark": {"timestamp": int(clock.now().timestamp()), "appid": account.appid},
    }
