"""From the fields of a push to events: XML or JSON, one entry or several, numbers or strings (wechat.md §4.5, §8.5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from miniprogram_api.wechat.content import suggested
from miniprogram_api.wechat.events import (
    AuthorizationCancelled,
    AuthorizationRevoked,
    MediaChecked,
    MessageSettled,
    PopupAnswered,
    ProfileModified,
    PushEvent,
    TemplateRefused,
    Unknown,
    dedupe_key,
)
from miniprogram_api.wechat.words import number_in

_integer = re.compile(r"-?[0-9]{1,18}")
_LATEST = 4_102_444_800  # the year 2100
_LONGEST_TEXT = 256
_MOST_ENTRIES = 50

Fields = Mapping[str, Any]


class Unreadable(Exception):
    """Not a push as WeChat sends them."""


def events_of(fields: Fields) -> list[PushEvent]:
    """The events of one push. Raises Unreadable."""
    at = _moment(fields.get("CreateTime"))
    name = _text(fields, "Event") if fields.get("MsgType") == "event" else ""
    read = _READERS.get(name)
    if read is None:
        return [_unknown(fields, at, name)]
    return read(fields, at)


def _popup_answered(fields: Fields, at: datetime) -> list[PushEvent]:
    openid = _whom(fields)
    return [
        PopupAnswered(
            openid=openid,
            at=at,
            template_id=_whole_text(entry, "TemplateId"),
            accepted=entry.get("SubscribeStatusString") == "accept",
            dedupe_key=_key(
                fields, openid, at, _text(entry, "TemplateId"), _text(entry, "SubscribeStatusString")
            ),
        )
        for entry in _entries(fields, "SubscribeMsgPopupEvent")
    ]


def _template_refused(fields: Fields, at: datetime) -> list[PushEvent]:
    """WeChat pushes refusals only; anything else it may come to push is not taken for one."""
    openid = _whom(fields)
    return [
        TemplateRefused(
            openid=openid,
            at=at,
            template_id=_whole_text(entry, "TemplateId"),
            dedupe_key=_key(fields, openid, at, _text(entry, "TemplateId")),
        )
        for entry in _entries(fields, "SubscribeMsgChangeEvent")
        if entry.get("SubscribeStatusString") == "reject"
    ]


def _message_settled(fields: Fields, at: datetime) -> list[PushEvent]:
    openid = _whom(fields)
    return [
        MessageSettled(
            openid=openid,
            at=at,
            template_id=_whole_text(entry, "TemplateId"),
            msgid=_whole_text(entry, "MsgID"),
            error_code=_number(entry.get("ErrorCode")),
            error_status=_text(entry, "ErrorStatus"),
            dedupe_key=_key(fields, openid, at, _text(entry, "TemplateId"), _text(entry, "MsgID")),
        )
        for entry in _entries(fields, "SubscribeMsgSentEvent")
    ]


def _media_checked(fields: Fields, at: datetime) -> list[PushEvent]:
    """Version 2 only: what has no ``result`` has no verdict, and waits for a person."""
    openid, trace_id = _whom(fields), _whole_text(fields, "trace_id")
    result = fields.get("result")
    result = result if isinstance(result, Mapping) else {}
    errcode = _number(fields.get("errcode", 0))
    event = MediaChecked(
        openid=openid,
        at=at,
        trace_id=trace_id,
        suggest=suggested(result.get("suggest") if errcode == 0 else None),
        label=_label(result.get("label", 0)),
        errcode=errcode,
        dedupe_key=_key(fields, openid, at, trace_id),
    )
    return [event]


def _authorization_revoked(fields: Fields, at: datetime) -> list[PushEvent]:
    """One event a withdrawn permission; several codes may stand in one text, divided by anything that is no digit."""
    openid = _person(fields)
    codes = [int(code) for code in re.findall(r"[0-9]{1,6}", _whole_text(fields, "RevokeInfo"))]
    if not codes:
        raise Unreadable
    return [
        AuthorizationRevoked(openid=openid, at=at, code=code, dedupe_key=_key(fields, openid, at, code))
        for code in dict.fromkeys(codes)
    ]


def _authorization_cancelled(fields: Fields, at: datetime) -> list[PushEvent]:
    openid = _person(fields)
    return [AuthorizationCancelled(openid=openid, at=at, dedupe_key=_key(fields, openid, at))]


def _profile_modified(fields: Fields, at: datetime) -> list[PushEvent]:
    openid = _person(fields)
    return [ProfileModified(openid=openid, at=at, dedupe_key=_key(fields, openid, at))]


_READERS: dict[str, Callable[[Fields, datetime], list[PushEvent]]] = {
    "subscribe_msg_popup_event": _popup_answered,
    "subscribe_msg_change_event": _template_refused,
    "subscribe_msg_sent_event": _message_settled,
    "wxa_media_check": _media_checked,
    "user_authorization_revoke": _authorization_revoked,
    "user_authorization_cancellation": _authorization_cancelled,
    "user_info_modified": _profile_modified,
}


def _unknown(fields: Fields, at: datetime, name: str) -> Unknown:
    """Messages are told apart by their id, events by sender and time (§8.3)."""
    openid = _text(fields, "FromUserName")
    kind = name or _text(fields, "MsgType")
    return Unknown(
        openid=openid, at=at, name=kind, dedupe_key=_key(fields, openid, at, _text(fields, "MsgId"))
    )


def _key(fields: Fields, openid: str, at: datetime, *business: object) -> str:
    return dedupe_key(_text(fields, "Event"), openid, int(at.timestamp()), *business)


def _entries(fields: Fields, nest: str) -> list[Fields]:
    """JSON has ``List`` on top, XML inside an element of the event's own; one entry is an object, several an array."""
    inside = fields.get(nest)
    found = (
        fields.get("List")
        if "List" in fields
        else inside.get("List")
        if isinstance(inside, Mapping)
        else None
    )
    listed = found if isinstance(found, list) else [found]
    entries = [entry for entry in listed if isinstance(entry, Mapping)]
    if len(entries) < len(listed) or len(entries) > _MOST_ENTRIES:
        raise Unreadable
    return entries


def _whom(fields: Fields) -> str:
    return _whole_text(fields, "FromUserName")


def _person(fields: Fields) -> str:
    """Events about an authorization name the person in ``OpenID``; ``FromUserName`` is somebody else (§8.5)."""
    return _whole_text(fields, "OpenID")


def _whole_text(fields: Fields, name: str) -> str:
    text = _text(fields, name)
    if not text:
        raise Unreadable
    return text


def _text(fields: Fields, name: str) -> str:
    """A text, also where WeChat wrote a number; nothing where there is none."""
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unreadable
    text = str(value)
    if len(text) > _LONGEST_TEXT or not text.isprintable():
        raise Unreadable
    return text


def _number(value: object) -> int:
    """A whole number, also where WeChat wrote a text."""
    if isinstance(value, bool) or not isinstance(value, str | int) or _integer.fullmatch(str(value)) is None:
        raise Unreadable
    return int(value)


def _label(value: object) -> int:
    label = number_in(value)
    if label is None:
        raise Unreadable
    return label


def _moment(value: object) -> datetime:
    seconds = _number(value)
    if not 0 <= seconds <= _LATEST:
        raise Unreadable
    return datetime.fromtimestamp(seconds, UTC)
