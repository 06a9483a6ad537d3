"""Ordering pushes (``/_sandbox/push-…``): where they go, in what weather, what was pushed, and forged ones.

Bad input answers 400 like everywhere under ``/_sandbox``; an address that does not prove itself names what failed.
"""

from __future__ import annotations

import base64
import re
from dataclasses import asdict, replace
from http import HTTPStatus
from typing import Any, cast

from flask import Blueprint, Response, jsonify, request

from models import clock
from server.wechat_sandbox import envelope, events, posting
from server.wechat_sandbox.account import SentResult
from server.wechat_sandbox.asked import Asked, BadField, account
from server.wechat_sandbox.events import Numbers
from server.wechat_sandbox.pushing import Push
from server.wechat_sandbox.target import Format, Mode, NotVerified, PushTarget, verify

push_control = Blueprint("push_control", __name__, url_prefix="/_sandbox")

_url_shape = re.compile(r"\S{8,500}")
_token_shape = re.compile(r"[A-Za-z0-9]{3,32}")
_aes_key_shape = re.compile(r"[A-Za-z0-9]{43}")
_status_shape = re.compile(r"[^\x00-\x1f\ud800-\udfff]{1,60}")
_digits_shape = re.compile(r"[0-9]{1,20}")
_type_shape = re.compile(r"[\x20-\x7e]{1,80}")
_appid_shape = re.compile(r"[A-Za-z0-9]{1,40}")
_LONGEST_DELAY_MS = 1_800_000


@push_control.post("/push-target")
def save_target() -> tuple[Response, int]:
    """``{url, token, aes_key?, mode?: plain|secure, format?: json|xml}``: verified with a GET as the console does.

    Nothing is saved unless the address returns ``echostr``: 400 names ``url``, ``token`` or ``aes_key``.
    """
    asked = Asked("url", "token", "aes_key", "mode", "format")
    mode = asked.text("mode", re.compile("plain|secure"), default="plain")
    shape = asked.text("format", re.compile("json|xml"), default="json")
    aes_key = asked.text("aes_key", _aes_key_shape) if mode == "secure" or "aes_key" in asked.body else ""
    target = PushTarget(
        asked.text("url", _url_shape),
        asked.text("token", _token_shape),
        aes_key,
        cast("Mode", mode),
        cast("Format", shape),
    )
    try:
        verify(target)
    except NotVerified as failed:
        raise BadField(failed.field, failed.message) from failed
    sandbox = account()
    with sandbox.lock:
        sandbox.pushes.target = target
        sandbox.on_change()
    return jsonify(_target_as_json(target)), HTTPStatus.CREATED


@push_control.get("/push-target")
def show_target() -> Response:
    """The address in use, or ``null``; without the token and the key."""
    target = account().pushes.target
    return jsonify(_target_as_json(target) if target else None)


@push_control.delete("/push-target")
def forget_target() -> tuple[str, int]:
    """No pushes any more; those on their way are dropped after their attempt."""
    sandbox = account()
    with sandbox.lock:
        sandbox.pushes.target = None
        sandbox.on_change()
    return "", HTTPStatus.NO_CONTENT


@push_control.post("/push-weather")
def order_weather() -> Response:
    """``{duplicate?, drop_first_answer?, out_of_order?, delay_ms?, retry_ms?, numbers?: number|string, sent_events?}``.

    Fields left out stay as they are. ``sent_events: false`` spares a benchmark the push after every send.
    """
    flags = ("duplicate", "drop_first_answer", "out_of_order", "sent_events")
    asked = Asked(*flags, "delay_ms", "retry_ms", "numbers")
    changed: dict[str, Any] = {flag: asked.flag(flag) for flag in flags if flag in asked.body}
    for span in ("delay_ms", "retry_ms"):
        if span in asked.body:
            changed[span] = asked.number(span, default=0, least=0, most=_LONGEST_DELAY_MS)
    if "numbers" in asked.body:
        changed["numbers"] = cast("Numbers", asked.text("numbers", re.compile("number|string")))
    sandbox = account()
    with sandbox.lock:
        sandbox.pushes.weather = replace(sandbox.pushes.weather, **changed)
        shown = asdict(sandbox.pushes.weather)
    return jsonify(shown)


@push_control.get("/pushes")
def list_pushes() -> Response:
    """``?openid=`` → ``{pushes, waiting}``: what was pushed, every attempt and its answer, oldest first; all without it."""
    sandbox = account()
    with sandbox.lock:
        found = sandbox.pushes.about(request.args.get("openid"))
        shown = [_push_as_json(push) for push in found]
        examined = len(sandbox.checks.pending)
    waiting = sum(push["state"] == "waiting" for push in shown) + examined
    return jsonify(pushes=shown, waiting=waiting)


@push_control.post("/pushes/release")
def release_pushes() -> tuple[str, int]:
    """What waits for its time (a delay, a picture's examination) goes now: for tests that drive the clock."""
    account().pushes.release()
    return "", HTTPStatus.NO_CONTENT


@push_control.post("/subscription-settings")
def refuse_in_settings() -> Response:
    """``{openid, reject: […]}``: the person refuses templates in the service-notification manager; allowed sends are gone."""
    asked = Asked("openid", "reject")
    reject = asked.templates("reject")
    if not reject:
        raise BadField("reject", "name at least one template")
    sandbox = account()
    with sandbox.lock:
        phone = asked.phone()
        sandbox.refuse_templates(phone, list(dict.fromkeys(each.id for each in reject)))
        quota = {each: left for each, left in phone.quota.items() if left}
    return jsonify(openid=phone.openid, quota=quota)


@push_control.post("/authorization-events")
def change_authorization() -> tuple[str, int]:
    """``{openid, event, revoke_info?}``: what the person did to an authorization; ``revoke_info`` says what was withdrawn."""
    asked = Asked("openid", "event", "revoke_info")
    event = asked.text("event", re.compile("|".join(events.AUTHORIZATION_EVENTS)))
    revoke_info = asked.number("revoke_info", default=None, least=1, most=99)
    if event == events.REVOKE and revoke_info not in events.REVOCABLE:
        raise BadField("revoke_info", f"expected one of {sorted(events.REVOCABLE)}")
    if event != events.REVOKE and revoke_info is not None:
        raise BadField("revoke_info", f"belongs to {events.REVOKE} only")
    sandbox = account()
    with sandbox.lock:
        sandbox.change_authorization(asked.phone(), event, revoke_info=revoke_info)
    return "", HTTPStatus.NO_CONTENT


@push_control.post("/sent-results")
def order_sent_result() -> tuple[str, int]:
    """``{error_code, error_status, openid?, times?}``: accepted messages that do not arrive after all (§4.5)."""
    asked = Asked("openid", "error_code", "error_status", "times")
    error_code = asked.number("error_code", default=0, least=1, most=1_000_000) or 0
    status = asked.text("error_status", _status_shape)
    times = asked.number("times", default=1, least=1, most=1_000_000) or 1
    sandbox = account()
    with sandbox.lock:
        openid = asked.phone().openid if "openid" in asked.body else None
        sandbox.sent_results.append(SentResult(openid, error_code, status, times))
    return "", HTTPStatus.NO_CONTENT


@push_control.post("/raw-push")
def push_anything() -> Response:
    """One push of any body, once: ``{body? | body_base64?, signature?: right|wrong|none, sealed?, appid?, timestamp?, nonce?,
    content_type?, openid?}`` → ``{status, answer}``.

    ``sealed`` (default: as the target's mode) encrypts the body for ``appid`` (default: ours); ``signature: wrong`` spoils
    every signature there is. This is what an attacker can try.
    """
    asked = Asked(
        "body",
        "body_base64",
        "signature",
        "sealed",
        "appid",
        "timestamp",
        "nonce",
        "content_type",
        "openid",
    )
    sandbox = account()
    target = sandbox.pushes.target
    if target is None:
        raise BadField("(target)", "save a push target first")
    sent = _raw_body(asked)
    query = _raw_query(asked, target)
    sealed = asked.flag("sealed") if "sealed" in asked.body else target.mode == "secure"
    if sealed:
        sent = _sealed(asked, target, query, sent)
    kind = asked.text("signature", re.compile("right|wrong|none"), default="right")
    for name in ("signature", "msg_signature"):
        if kind == "none":
            query.pop(name, None)
        elif kind == "wrong" and name in query:
            query[name] = query[name][::-1]
    content_type = asked.text("content_type", _type_shape, default=target.content_type)
    try:
        heard = posting.call("POST", target.url, query=query, body=sent, content_type=content_type)
    except posting.CannotReach as unreachable:
        return jsonify(status=None, answer=str(unreachable))
    return jsonify(status=heard.status, answer=heard.text)


def _raw_body(asked: Asked) -> bytes:
    body, coded = asked.body.get("body"), asked.body.get("body_base64")
    if (body is None) == (coded is None):
        raise BadField("body", "one of body and body_base64")
    if body is not None:
        if not isinstance(body, str):
            raise BadField("body", "expected a text")
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(str(coded), validate=True)
    except ValueError as odd:
        raise BadField("body_base64", "expected base64") from odd


def _raw_query(asked: Asked, target: PushTarget) -> dict[str, str]:
    query = target.sign()
    timestamp = asked.text("timestamp", _digits_shape, default=query["timestamp"])
    nonce = asked.text("nonce", _digits_shape, default=query["nonce"])
    signed = envelope.signature(target.token, timestamp, nonce)
    return {"signature": signed, "timestamp": timestamp, "nonce": nonce}


def _sealed(asked: Asked, target: PushTarget, query: dict[str, str], body: bytes) -> bytes:
    if not target.aes_key:
        raise BadField("sealed", "the push target has no aes_key")
    appid = asked.text("appid", _appid_shape, default=account().appid)
    openid = asked.phone().openid if "openid" in asked.body else "openid-of-nobody"
    sealing = replace(target, mode="secure")
    whole, outer = sealing.address(body.decode("utf-8", "replace"), openid=openid, appid=appid)
    if {"timestamp", "nonce"} & asked.body.keys():
        raise BadField("timestamp", "a sealed push is stamped when it is sealed")
    query.clear()
    query.update(whole)
    return outer.encode()


def _target_as_json(target: PushTarget) -> dict[str, Any]:
    return {"url": target.url, "mode": target.mode, "format": target.format}


def _push_as_json(push: Push) -> dict[str, Any]:
    event = push.event
    return {
        "id": push.id,
        "openid": event.openid,
        "event": event.name,
        "said": dict(event.said),
        "entries": [dict(each) for each in event.entries],
        "state": push.state,
        "attempts": [
            {**asdict(attempt), "at": clock.in_town(attempt.at).isoformat()} for attempt in push.attempts
        ],
    }
