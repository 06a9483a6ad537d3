"""Sending a subscribe message (发送订阅消息), every rule of wechat.md §4.1 to §4.3."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from models import clock
from server.wechat_sandbox import events
from server.wechat_sandbox.account import Account, Message, Phone
from server.wechat_sandbox.answers import Refused
from server.wechat_sandbox.calls import Call
from server.wechat_sandbox.keywords import fits
from server.wechat_sandbox.templates import LONG_TERM, Template

_STATES = ("formal", "trial", "developer")
_LANGUAGES = ("zh_CN", "en_US", "zh_HK", "zh_TW")

Values = tuple[tuple[str, str, str], ...]


def send(account: Account, call: Call) -> dict[str, object]:
    """``POST /cgi-bin/message/subscribe/send``. A refused send spends no permission (§4.1)."""
    call.require("POST")
    account.tokens.check(call.query.get("access_token"))
    phone = account.phones.get(call.text("touser"))
    if phone is None:
        raise Refused(40003)
    with account.sending_to(phone.openid):
        if call.dwell_seconds:
            time.sleep(call.dwell_seconds)
        with account.lock:
            return _deliver(account, phone, call)


def whose_message(_account: Account, call: Call) -> str | None:
    """To whom a send call speaks."""
    return call.text("touser") or None if call.body else None


def _deliver(account: Account, phone: Phone, call: Call) -> dict[str, object]:
    template = account.templates.get(call.text("template_id"))
    if template is None:
        raise Refused(40037)
    if template.banned:
        raise Refused(43107)
    state = _one_of(call, "miniprogram_state", _STATES)
    lang = _one_of(call, "lang", _LANGUAGES)
    page = _page(account, call)
    values = _values(template, call.json.get("data"))
    if any(word in value for _, _, value in values for word in account.options.sensitive_words):
        raise Refused(45168)
    _spend_permission(phone, template)
    account.last_msgid += 1
    msgid = 3_600_000_000_000_000_000 + account.last_msgid
    settled = account.settle(phone.openid)
    if settled.error_code == 0:
        phone.messages.append(_message(template, msgid, values, page=page, state=state, lang=lang))
    if account.pushes.weather.sent_events:
        event = events.message_settled(
            phone.openid,
            template.id,
            msgid,
            error_code=settled.error_code,
            error_status=settled.error_status,
        )
        account.pushes.tell(event)
    account.on_change()
    gives = account.options.msgid
    if gives == "always" or (gives == "sometimes" and account.last_msgid % 2):
        return {"errcode": 0, "errmsg": "ok", "msgid": msgid}
    return {"errcode": 0, "errmsg": "ok"}


def _one_of(call: Call, field: str, allowed: tuple[str, ...]) -> str:
    """WeChat calls these required and takes their first value when they are absent."""
    value = call.json.get(field, allowed[0])
    if value not in allowed:
        raise Refused(47003, f"argument invalid! {field} invalid")
    return str(value)


def _page(account: Account, call: Call) -> str:
    page = call.json.get("page", "")
    if not isinstance(page, str) or not page.isprintable():
        raise Refused(47003, "argument invalid! page invalid")
    released = account.options.pages
    if page and released is not None and page.partition("?")[0] not in released:
        raise Refused(41030)
    return page


def _values(template: Template, sent: Any) -> Values:
    """Label, key and value of every line. Refuses with 47003 naming the field that is missing, unknown or unfit."""
    if not isinstance(sent, Mapping):
        raise Refused(47003, "argument invalid! data invalid")
    values = []
    for keyword in template.keywords:
        value = _value(sent.get(keyword.key), keyword.key)
        if not fits(keyword.kind, value, choices=template.choices.get(keyword.key, ())):
            raise Refused(47003, f"argument invalid! data.{keyword.key}.value invalid")
        values.append((keyword.label, keyword.key, value))
    if len(sent) > len(values):
        # WeChat does not say what becomes of a key the template lacks; a typing error should be seen.
        stranger = next(key for key in sent if key not in {key for _, key, _ in values})
        raise Refused(47003, f"argument invalid! data.{stranger}.value invalid")
    return tuple(values)


def _value(entry: Any, key: str) -> str:
    if entry is None:
        raise Refused(47003, f"argument invalid! data.{key}.value is empty")
    value = entry.get("value") if isinstance(entry, Mapping) else None
    if value is None and isinstance(entry, Mapping):
        raise Refused(47003, f"argument invalid! data.{key}.value is empty")
    if not isinstance(value, str):
        raise Refused(47003, f"argument invalid! data.{key}.value invalid")
    if not value.strip():
        raise Refused(47003, f"argument invalid! data.{key}.value is empty")
    return value


def _spend_permission(phone: Phone, template: Template) -> None:
    """One accept, one message; a long-term subscription is not used up."""
    if template.kind == LONG_TERM:
        if template.id not in phone.subscribed:
            raise Refused(43101)
    elif phone.quota[template.id] < 1:
        raise Refused(43101)
    else:
        phone.quota[template.id] -= 1


def _message(template: Template, msgid: int, values: Values, *, page: str, state: str, lang: str) -> Message:
    return Message(msgid, template.id, template.title, values, page, state, lang, clock.now())
