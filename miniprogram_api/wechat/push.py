"""The push endpoint's reading half (消息推送, wechat.md §8): pure functions from a request to events.

Nothing in a push is believed before its signature is. In plain mode the signature does not cover the body, so whoever saw one
push can send other bodies until its timestamp is stale: production uses secure mode.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict  # type: ignore[import-untyped]  # no stubs among our tools
from wechatpy.crypto import PrpCrypto, WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException
from wechatpy.utils import WeChatSigner

from miniprogram_api.wechat.events import PushEvent
from miniprogram_api.wechat.pushed import Unreadable, events_of
from models import clock
from models.errors import Forbidden

MAX_BYTES = 64 * 1024
MAX_AGE = timedelta(hours=1)

_digits = re.compile(r"[0-9]{1,12}")
_hex40 = re.compile(r"[0-9a-f]{40}")
_nonce_shape = re.compile(r"[\x21-\x7e]{1,64}")


class PushRefused(Forbidden):
    """The push is not believed or cannot be read; nothing of it was taken over.

    ``code`` is ``push_forged``, ``push_stale``, ``push_not_ours``, ``push_too_large`` or ``push_unreadable``.
    """


def verify_url(query: Mapping[str, str], *, token: str) -> str:
    """The ``echostr`` to answer with, verbatim, when WeChat checks the address (§8.1). Raises PushRefused.

    The comparison takes the same time however much of the signature is right.
    """
    _check(query.get("signature"), token, *_stamp(query))
    echo = query.get("echostr")
    if not echo:
        raise _unreadable()
    return echo


def read_push(
    query: Mapping[str, str],
    body: bytes,
    content_type: str,
    *,
    token: str,
    aes_key: str | None,
    appid: str,
    max_age: timedelta | None = MAX_AGE,
) -> list[PushEvent]:
    """What a push tells: one event a template or subject, in order. Raises PushRefused and nothing else.

    With an ``aes_key`` only sealed pushes are read, without one only plain ones: the mode is ours to say, not the sender's.
    ``max_age`` refuses a timestamp further from now than that, ``None`` takes any; WeChat names no window (§8.3). The content
    type is a hint only: a body that begins with ``<`` is XML.
    """
    if len(body) > MAX_BYTES:
        raise PushRefused("push_too_large", "推送内容过大")
    timestamp, nonce = _stamp(query)
    try:
        if aes_key is None:
            _check(query.get("signature"), token, timestamp, nonce)
            _check_age(timestamp, max_age)
            return events_of(_fields(body, content_type))
        # The envelope has to be read before its signature can be checked: small, and free of entities.
        sealed = _sealed(_fields(body, content_type))
        _check(query.get("msg_signature"), token, timestamp, nonce, sealed)
        _check_age(timestamp, max_age)
        plain = _opened(sealed, token=token, aes_key=aes_key, appid=appid)
        return events_of(_fields(plain.encode(), content_type))
    except Unreadable:
        raise _unreadable() from None


def _stamp(query: Mapping[str, str]) -> tuple[str, str]:
    timestamp, nonce = query.get("timestamp") or "", query.get("nonce") or ""
    if _digits.fullmatch(timestamp) is None or _nonce_shape.fullmatch(nonce) is None:
        raise _forged()
    return timestamp, nonce


def _check(given: str | None, token: str, *signed: str) -> None:
    signer = WeChatSigner()
    signer.add_data(token, *signed)
    if given is None or _hex40.fullmatch(given) is None:
        raise _forged()
    if not hmac.compare_digest(signer.signature, given):
        raise _forged()


def _check_age(timestamp: str, max_age: timedelta | None) -> None:
    if max_age is None:
        return
    if abs(clock.now().timestamp() - int(timestamp)) > max_age.total_seconds():
        raise PushRefused("push_stale", "推送已过期")


def _sealed(fields: Mapping[str, Any]) -> str:
    sealed = fields.get("Encrypt")
    if not isinstance(sealed, str) or not sealed.isascii():
        raise Unreadable
    return sealed


def _opened(sealed: str, *, token: str, aes_key: str, appid: str) -> str:
    """The message inside, if it was sealed for us. A wrong key of ours is a ValueError at once, not a refusal of WeChat."""
    key = WeChatCrypto(token, aes_key, appid).key
    try:
        opened = PrpCrypto(key).decrypt(sealed, appid)
    except InvalidAppIdException:
        raise PushRefused("push_not_ours", "推送不属于本小程序") from None
    except Exception:
        raise Unreadable from None
    return str(opened)


def _fields(body: bytes, content_type: str) -> dict[str, Any]:
    """The body's fields, JSON or XML. Refuses documents with a DTD, so no entity can grow or reach out."""
    try:
        text = body.decode("utf-8-sig").strip()
        if not (text.startswith("<") or (not text.startswith("{") and "xml" in content_type)):
            found = json.loads(text)
        elif "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise Unreadable
        else:
            found = xmltodict.parse(text, encoding="utf-8", disable_entities=True)["xml"]
    except (ValueError, RecursionError, ExpatError, KeyError, TypeError):
        raise Unreadable from None
    if not isinstance(found, dict):
        raise Unreadable
    return found


def _forged() -> PushRefused:
    return PushRefused("push_forged", "签名不正确")


def _unreadable() -> PushRefused:
    return PushRefused("push_unreadable", "推送内容无法识别")
