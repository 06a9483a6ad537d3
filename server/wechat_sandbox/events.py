"""What WeChat pushes (事件推送): every event the product needs, in both of its shapes (wechat.md §4.5, §6.2, §8.5).

JSON is flat, and its ``List`` is an object for one entry and an array for several. XML nests the entries under the event's
own name in capitals. Numbers come as numbers or as strings.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from models import clock

Numbers = Literal["number", "string"]

POPUP = "subscribe_msg_popup_event"
CHANGE = "subscribe_msg_change_event"
SENT = "subscribe_msg_sent_event"
MEDIA_CHECK = "wxa_media_check"
MODIFIED = "user_info_modified"
REVOKE = "user_authorization_revoke"
CANCELLATION = "user_authorization_cancellation"

AUTHORIZATION_EVENTS = (MODIFIED, REVOKE, CANCELLATION)
REVOKE_PHONE = 8
# What a person can withdraw (RevokeInfo).
REVOCABLE = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 14, 15, 16, 18, 19, 20})

_NESTED = {POPUP: "SubscribeMsgPopupEvent", CHANGE: "SubscribeMsgChangeEvent", SENT: "SubscribeMsgSentEvent"}
# Events about an authorization come from the platform: the person is named in OpenID only (§8.5).
_PLATFORM = "oPlatformNotice_0000000000001"


@dataclass(frozen=True)
class Event:
    """One event about ``openid``. ``entries`` are the per-template parts; ``said`` is everything else."""

    name: str
    openid: str
    created_at: int
    said: Mapping[str, Any] = field(default_factory=dict)
    entries: tuple[Mapping[str, Any], ...] = ()


def popup_answered(openid: str, answers: Mapping[str, str]) -> Event:
    """The person answered the subscribe popup; one entry a template."""
    entries = tuple(
        {"TemplateId": each, "SubscribeStatusString": answer, "PopupScene": 0}
        for each, answer in answers.items()
    )
    return Event(POPUP, openid, _now(), entries=entries)


def templates_refused(openid: str, template_ids: Sequence[str]) -> Event:
    """The person refused templates in the service-notification manager."""
    entries = tuple({"TemplateId": each, "SubscribeStatusString": "reject"} for each in template_ids)
    return Event(CHANGE, openid, _now(), entries=entries)


def message_settled(
    openid: str, template_id: str, msgid: int, *, error_code: int, error_status: str
) -> Event:
    """What finally became of a message that was accepted for sending."""
    entry = {"TemplateId": template_id, "MsgID": msgid, "ErrorCode": error_code, "ErrorStatus": error_status}
    return Event(SENT, openid, _now(), entries=(entry,))


def media_checked(openid: str, *, appid: str, trace_id: str, errcode: int, suggest: str, label: int) -> Event:
    """The verdict on a picture or a recording, version 2; valid only with errcode 0."""
    result = {"suggest": suggest, "label": label}
    detail = [{"strategy": "content_model", "errcode": errcode, **result, "prob": 90}]
    said = {
        "appid": appid,
        "trace_id": trace_id,
        "version": 2,
        "errcode": errcode,
        "errmsg": "ok" if errcode == 0 else "download failed",
        "result": result,
        "detail": detail,
    }
    return Event(MEDIA_CHECK, openid, _now(), said)


def authorization_changed(name: str, openid: str, *, appid: str, revoke_info: int | None = None) -> Event:
    """A person's data was cleaned, a permission withdrawn, an authorized account closed."""
    said: dict[str, Any] = {"OpenID": openid, "AppID": appid, "PluginID": "", "OpenPID": ""}
    if revoke_info is not None:
        said["RevokeInfo"] = str(revoke_info)
    return Event(name, openid, _now(), said)


def original_id(appid: str) -> str:
    """The account's ``gh_…`` name, which pushes are addressed to."""
    return "gh_" + hashlib.sha256(appid.encode()).hexdigest()[:12]


def as_json(event: Event, *, appid: str, numbers: Numbers) -> str:
    """The event as JSON mode has it."""
    body = {**_head(event, appid), **event.said}
    if event.entries:
        body["List"] = event.entries[0] if len(event.entries) == 1 else list(event.entries)
    return json.dumps(_in_strings(body) if numbers == "string" else body, ensure_ascii=False)


def as_xml(event: Event, *, appid: str) -> str:
    """The event as XML mode has it."""
    body = {**_head(event, appid), **event.said}
    if event.entries:
        body[_NESTED[event.name]] = {"List": list(event.entries)}
    return f"<xml>{_elements(body)}</xml>"


def envelope_xml(fields: Mapping[str, str]) -> str:
    """The outer XML of a sealed push."""
    return f"<xml>{_elements(fields)}</xml>"


def as_row(event: Event) -> list[Any]:
    """What is kept of an event that still waits."""
    return [
        event.name,
        event.openid,
        event.created_at,
        dict(event.said),
        [dict(each) for each in event.entries],
    ]


def from_row(row: list[Any]) -> Event:
    """The event of such a row."""
    name, openid, created_at, said, entries = row
    return Event(name, openid, created_at, said, tuple(entries))


def _now() -> int:
    return int(clock.now().timestamp())


def _head(event: Event, appid: str) -> dict[str, Any]:
    sender = _PLATFORM if event.name in AUTHORIZATION_EVENTS else event.openid
    return {
        "ToUserName": original_id(appid),
        "FromUserName": sender,
        "CreateTime": event.created_at,
        "MsgType": "event",
        "Event": event.name,
    }


def _in_strings(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _in_strings(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_in_strings(each) for each in value]
    return str(value) if isinstance(value, int) else value


def _elements(fields: Mapping[str, Any]) -> str:
    return "".join(_element(name, value) for name, value in fields.items())


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, each) for each in value)
    if isinstance(value, Mapping):
        return f"<{name}>{_elements(value)}</{name}>"
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    # A CDATA section cannot hold its own end.
    text = str(value).replace("]]>", "]]]]><![CDATA[>")
    return f"<{name}><![CDATA[{text}]]></{name}>"
