"""wechatpy's client, taught manners: a time limit on every call, a token from the shelf, troubles told apart.

What wechatpy 1.8.18 lacks, and what is therefore here (wechat.md §11): stable_token, single flight, one retry instead of
endless ones, a base URL for every call, time-outs also for the token. The secret, tokens, codes and openids stand in
URLs and bodies; nothing that leaves this module, in an exception's text or in a log line, carries them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import requests
from wechatpy.client.base import BaseWeChatClient
from wechatpy.exceptions import WeChatClientException

from miniprogram_api.outside import TimedSession, never_left
from miniprogram_api.wechat.errcodes import TOKEN_BAD
from miniprogram_api.wechat.tokens import FetchedToken, TokenShelf
from miniprogram_api.wechat.words import LONGEST_TOKEN, number_in, word_in
from models import clock

T = TypeVar("T")

# A token that WeChat refuses and hands out again is not asked for again during this time.
_STUCK_FOR = timedelta(seconds=30)
_LONGEST_TOKEN_SECONDS = 7 * 24 * 3600  # WeChat says 7200; what is far from it is no answer of WeChat's
_LONGEST_ERRMSG = 200  # it stands in the log


class WeChatTrouble(Exception):
    """A call did not succeed."""


class WeChatRefused(WeChatTrouble):
    """WeChat answered with an errcode: what was asked has not been done. ``errmsg`` is WeChat's text, for staff."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(f"errcode {errcode}")
        self.errcode = errcode
        self.errmsg = errmsg


class NotSent(WeChatTrouble):
    """The request never reached WeChat's business: no connection, or an HTTP 4xx of its front server."""


class NoAnswer(WeChatTrouble):
    """Time-out, reset, HTTP 5xx or an unreadable answer: whether it was done is not known."""


class NoToken(WeChatTrouble):
    """No access token could be had, so the call itself was not made, or was refused. ``cause`` says why."""

    def __init__(self, cause: WeChatTrouble) -> None:
        super().__init__(f"no access token: {cause}")
        self.cause = cause


class WeChatClient(BaseWeChatClient):  # type: ignore[misc]  # wechatpy is untyped
    """Calls to one WeChat account. Safe for several threads; ``close()`` when done."""

    def __init__(
        self,
        *,
        appid: str,
        secret: str,
        base_url: str,
        tokens: TokenShelf,
        timeout: tuple[float, float],
        connections: int,
    ) -> None:
        super().__init__(appid, timeout=timeout, auto_retry=False)
        self.API_BASE_URL = base_url.rstrip("/") + "/"
        self._secret = secret
        self._tokens = tokens
        self._stuck: tuple[str, datetime] | None = None
        self._http = TimedSession(base_url, timeout=timeout, connections=connections)

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | None] | None = None,
        body: Mapping[str, Any] | None = None,
        token: str | None = None,
    ) -> dict[str, Any]:
        """One call, once. Raises WeChatRefused, NotSent or NoAnswer, and lets nothing of the request out with them."""
        answer = self._once(method, path, query=query, body=body, token=token)
        if isinstance(answer, dict):
            return answer
        raise NoAnswer("not a JSON object")

    def _once(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | None] | None,
        body: Mapping[str, Any] | None,
        token: str | None,
    ) -> object:
        """What wechatpy makes of the answer: the JSON, or the whole response where it is none."""
        # wechatpy fetches a token of its own unless the parameter is there, be it None, which requests leaves out.
        params = {**(query or {}), "access_token": token}
        more = {"data": dict(body)} if body is not None else {}
        trouble: WeChatTrouble
        try:
            return self._request(method, path, params=params, **more)
        except WeChatClientException as refused:
            trouble = _trouble_of_refusal(refused)
        except requests.RequestException as broken:
            trouble = NotSent("no connection") if never_left(broken) else NoAnswer(type(broken).__name__)
        except (TypeError, ValueError, ArithmeticError, RecursionError):
            trouble = NoAnswer("an answer that makes no sense")
        # Raised here and not above, so that the original with its URL does not travel along as the context.
        raise trouble

    def exchange_login_code(self, code: str) -> dict[str, Any]:
        """code2Session, without the access token wechatpy would fetch for it; the session key is left out (§2)."""
        query = {
            "appid": self.appid,
            "secret": self._secret,
            "js_code": code,
            "grant_type": "authorization_code",
        }
        answer = self.ask("GET", "sns/jscode2session", query=query)
        answer.pop("session_key", None)
        return answer

    def ask_with_token(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | None] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One call with the access token; if WeChat calls the token bad, once more with a renewed one, never again."""
        return self._with_token(lambda token: self.ask(method, path, query=query, body=body, token=token))

    def ask_for_bytes(self, path: str, *, body: Mapping[str, Any]) -> bytes:
        """As ``ask_with_token``, for what answers with a picture; a refusal of it is JSON all the same (§7)."""

        def bare(token: str) -> bytes:
            answer = self._once("POST", path, query=None, body=body, token=token)
            if isinstance(answer, requests.Response):
                return answer.content
            raise NoAnswer("JSON where a picture was due")

        return self._with_token(bare)

    def _with_token(self, ask: Callable[[str], T]) -> T:
        token = self.access_token
        try:
            return ask(token)
        except WeChatRefused as refused:
            if refused.errcode not in TOKEN_BAD:
                raise
            cause = refused
        renewed = self._renew(not_the_one=token, cause=cause)
        try:
            return ask(renewed)
        except WeChatRefused as refused:
            if refused.errcode in TOKEN_BAD:
                raise NoToken(refused) from None
            raise

    @property
    def access_token(self) -> str:
        """The token from the shelf, renewed before it expires. Raises NoToken."""
        return self._tokens.fresh(clock.now()) or self._renew(not_the_one=None, cause=None)

    def fetch_access_token(self) -> FetchedToken:
        """A token by stable_token in normal mode, which never disturbs other holders (§3)."""
        body = {"grant_type": "client_credential", "appid": self.appid, "secret": self._secret}
        answer = self.ask("POST", "cgi-bin/stable_token", body=body)
        token, expires_in = word_in(answer.get("access_token"), most=LONGEST_TOKEN), answer.get("expires_in")
        if token is None or type(expires_in) is not int:
            raise NoAnswer("a token answer without a token")
        if not 0 < expires_in <= _LONGEST_TOKEN_SECONDS:
            raise NoAnswer("a token answer without a token")
        return FetchedToken(token, expires_in)

    def _renew(self, *, not_the_one: str | None, cause: WeChatTrouble | None) -> str:
        """A token other than the refused one. When WeChat gives the same again, surface the refusal, do not loop."""
        stuck = self._stuck
        if cause is not None and stuck is not None and stuck[0] == not_the_one and clock.now() < stuck[1]:
            raise NoToken(cause)
        try:
            renewed = self._tokens.renew(self.fetch_access_token, not_the_one=not_the_one)
        except WeChatTrouble as trouble:
            raise NoToken(trouble) from None
        if cause is not None and renewed == not_the_one:
            self._stuck = renewed, clock.now() + _STUCK_FOR
            raise NoToken(cause)
        return renewed


def _trouble_of_refusal(refused: WeChatClientException) -> WeChatTrouble:
    if refused.errcode is not None:
        errcode = number_in(refused.errcode)
        if errcode is None:
            return NoAnswer("an errcode that is none")
        return WeChatRefused(errcode, str(refused.errmsg)[:_LONGEST_ERRMSG])
    status = refused.response.status_code
    return NotSent(f"HTTP {status}") if status < 500 else NoAnswer(f"HTTP {status}")
