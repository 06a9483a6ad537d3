"""What people and tests do to the sandbox (``/_sandbox/…``, JSON): hand out codes, answer popups, order bad days.

Bad input answers 400 with ``{"error": {"field": …, "message": …}}``; a field nobody knows is bad input too.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, jsonify, request

from models import clock
from server.wechat_sandbox.account import Message, Phone
from server.wechat_sandbox.asked import Asked, BadField, account
from server.wechat_sandbox.faults import EVERYWHERE, GARBLED, OrderedFault
from server.wechat_sandbox.templates import LONG_TERM, ONE_TIME, Template
from server.wechat_sandbox.wire import ROUTES

control = Blueprint("control", __name__, url_prefix="/_sandbox")

_phone_shape = re.compile(r"\+?[0-9]{5,17}")
_appid_shape = re.compile(r"wx[A-Za-z0-9]{4,30}")
_template_id_shape = re.compile(r"[A-Za-z0-9_-]{20,64}")
_title_shape = re.compile(r"[^\x00-\x1f\ud800-\udfff]{1,30}")
_content_shape = re.compile(r"[^\x00-\x09\x0b-\x1f\ud800-\udfff]{1,1000}")
_choice_shape = re.compile(r"[^\x00-\x1f\ud800-\udfff]{1,20}")
_garbled_shape = re.compile("|".join(GARBLED))
_TEMPLATES_A_POPUP = 5
_LONGEST_LATENCY_MS = 120_000


@control.post("/login-codes")
def give_login_code() -> tuple[Response, int]:
    """``{openid, appid?}`` → ``{code}``: what wx.login would have given. Another ``appid`` makes it a foreign code."""
    asked = Asked("openid", "appid")
    sandbox = account()
    appid = asked.text("appid", _appid_shape, default=sandbox.appid)
    with sandbox.lock:
        code = sandbox.login_code(asked.phone(), appid=appid)
    return jsonify(code=code), HTTPStatus.CREATED


@control.post("/phone-codes")
def give_phone_code() -> tuple[Response, int]:
    """``{openid, phone, appid?}`` → ``{code}``: what the phone-number button would have given."""
    asked = Asked("openid", "phone", "appid")
    sandbox = account()
    appid = asked.text("appid", _appid_shape, default=sandbox.appid)
    number = asked.text("phone", _phone_shape)
    with sandbox.lock:
        code = sandbox.codes.issue_phone(asked.phone().openid, number, appid=appid)
        sandbox.on_change()
    return jsonify(code=code), HTTPStatus.CREATED


@control.post("/subscriptions")
def answer_popup() -> Response:
    """``{openid, accept:[…], reject:[…]}`` → ``{result, quota}``; ``result`` is what wx.requestSubscribeMessage gives.

    A popup shows at most five templates, of one type only (§4.4).
    """
    asked = Asked("openid", "accept", "reject")
    accept, reject = asked.templates("accept"), asked.templates("reject")
    shown = accept + reject
    if not shown:
        raise BadField("accept", "a popup shows at least one template")
    if len(shown) > _TEMPLATES_A_POPUP:
        raise BadField("accept", "a popup shows at most 5 templates (fail code 20003)")
    if len({template.kind for template in shown}) > 1:
        raise BadField("accept", "one-time and long-term templates cannot be mixed (fail code 20002)")
    twice = [each for each, times in Counter(template.id for template in shown).items() if times > 1]
    if twice:
        raise BadField(
            "reject" if twice[0] in {each.id for each in reject} else "accept", "a template stands twice"
        )
    sandbox = account()
    with sandbox.lock:
        phone = asked.phone()
        sandbox.answer_popup(phone, accept=[each.id for each in accept], reject=[each.id for each in reject])
        result = {each.id: phone.answers[each.id] for each in shown}
        quota = _quota(phone)
    return jsonify(result={"errMsg": "requestSubscribeMessage:ok", **result}, quota=quota)


@control.get("/messages")
def list_messages() -> Response:
    """``?openid=`` → ``{messages}``, oldest first. An openid never seen has none."""
    openid = request.args.get("openid", "")
    if not openid:
        raise BadField("openid", "say whose messages: ?openid=")
    sandbox = account()
    with sandbox.lock:
        phone = sandbox.phones.get(openid)
        messages = list(phone.messages) if phone else []
    return jsonify(messages=[_as_json(message) for message in messages])


@control.post("/faults")
def order_fault() -> tuple[Response, int]:
    """``{path, times?, openid?, latency_ms?, errcode? | http_status? | reset_before? | reset_after_processing? | garbled?}``.

    ``path`` is a WeChat path or ``*``; ``times`` defaults to 1, ``null`` means until cleared; with ``openid`` only
    calls about that person are struck. Answers the fault with its ``id`` and how often it is ``left``.
    """
    asked = Asked(
        "path",
        "times",
        "openid",
        "latency_ms",
        "errcode",
        "http_status",
        "reset_before",
        "reset_after_processing",
        "garbled",
    )
    path = asked.body.get("path")
    if path != EVERYWHERE and path not in ROUTES:
        raise BadField("path", f"expected * or one of {', '.join(ROUTES)}")
    times = None
    if asked.body.get("times", 1) is not None:
        times = asked.number("times", default=1, least=1, most=1_000_000)
    errcode = asked.number("errcode", default=None, least=-100_000, most=100_000_000)
    if errcode == 0:
        raise BadField("errcode", "0 is not a fault")
    http_status = asked.number("http_status", default=None, least=400, most=599)
    if http_status is not None and http_status not in set(HTTPStatus):
        raise BadField("http_status", "no such HTTP status")
    latency_ms = asked.number("latency_ms", default=0, least=0, most=_LONGEST_LATENCY_MS) or 0
    reset_before, reset_after = asked.flag("reset_before"), asked.flag("reset_after_processing")
    garbled = asked.text("garbled", _garbled_shape) if "garbled" in asked.body else None
    ways = [errcode is not None, http_status is not None, reset_before, reset_after, garbled is not None]
    if sum(ways) > 1:
        raise BadField(
            "errcode", "one of errcode, http_status, reset_before, reset_after_processing, garbled at a time"
        )
    if not any(ways) and not latency_ms:
        raise BadField(
            "errcode", "say what goes wrong: errcode, http_status, reset_…, garbled, or latency_ms"
        )
    sandbox = account()
    with sandbox.lock:
        fault = sandbox.faults.order(
            path=str(path),
            times=times,
            openid=asked.phone().openid if "openid" in asked.body else None,
            errcode=errcode,
            http_status=http_status,
            latency_ms=latency_ms,
            reset_before=reset_before,
            reset_after_processing=reset_after,
            garbled=garbled,
        )
        shown = asdict(fault)
    return jsonify(shown), HTTPStatus.CREATED


@control.get("/faults")
def list_faults() -> Response:
    """``{faults}`` still on order."""
    sandbox = account()
    with sandbox.lock:
        ordered: list[OrderedFault] = list(sandbox.faults.ordered)
        shown = [asdict(fault) for fault in ordered]
    return jsonify(faults=shown)


@control.delete("/faults")
def clear_faults() -> tuple[str, int]:
    """Good weather again."""
    sandbox = account()
    with sandbox.lock:
        sandbox.faults.clear()
    return "", HTTPStatus.NO_CONTENT


@control.get("/calls")
def count_calls() -> Response:
    """``{calls: {path: times}, overlaps: {openid: times}}``: how often each WeChat path was called since the start, faults
    included, and who was being sent a message when the next one came (43108).
    """
    sandbox = account()
    with sandbox.lock:
        calls, overlaps = dict(sandbox.calls), dict(sandbox.overlaps)
    return jsonify(calls=calls, overlaps=overlaps)


@control.post("/users")
def describe_user() -> Response:
    """``{openid, flagged?, unionid?}``: a flagged person is refused login (40226); ``unionid: null`` takes it away."""
    asked = Asked("openid", "flagged", "unionid")
    flagged = asked.flag("flagged")
    unionid = asked.body.get("unionid")
    if unionid is not None:
        unionid = asked.text("unionid", re.compile(r"[A-Za-z0-9_-]{6,64}"))
    sandbox = account()
    with sandbox.lock:
        phone = asked.phone()
        if "flagged" in asked.body:
            phone.flagged = flagged
        if "unionid" in asked.body:
            phone.unionid = unionid
        sandbox.on_change()
        shown = {
            "openid": phone.openid,
            "flagged": phone.flagged,
            "unionid": phone.unionid,
            "quota": _quota(phone),
        }
    return jsonify(shown)


@control.get("/templates")
def list_templates() -> Response:
    """``{templates}`` of the account."""
    sandbox = account()
    with sandbox.lock:
        shown = [_template_as_json(template) for template in sandbox.templates.values()]
    return jsonify(templates=shown)


@control.post("/templates")
def put_template() -> tuple[Response, int]:
    """``{id, title?, content?, type?, choices?, banned?}``: a new template, or a known one changed (say, banned)."""
    asked = Asked("id", "title", "content", "type", "choices", "banned")
    template_id = asked.text("id", _template_id_shape)
    sandbox = account()
    with sandbox.lock:
        known = sandbox.templates.get(template_id)
        template = _template_from(asked, template_id, known)
        sandbox.templates[template_id] = template
        sandbox.deleted_templates.discard(template_id)
        sandbox.on_change()
    return jsonify(_template_as_json(template)), HTTPStatus.OK if known else HTTPStatus.CREATED


def _template_from(asked: Asked, template_id: str, known: Template | None) -> Template:
    title = asked.text("title", _title_shape, default=known.title if known else None)
    content = asked.text("content", _content_shape, default=known.content if known else None)
    kind = asked.number("type", default=known.kind if known else ONE_TIME, least=ONE_TIME, most=LONG_TERM)
    choices = _choices(asked) if "choices" in asked.body else dict(known.choices) if known else {}
    banned = asked.flag("banned") if "banned" in asked.body else bool(known and known.banned)
    try:
        template = Template(template_id, title, content, kind or ONE_TIME, choices, banned)
    except ValueError as wrong:
        raise BadField("content", str(wrong)) from wrong
    for keyword in template.keywords:
        if keyword.kind == "enum_string" and not choices.get(keyword.key):
            raise BadField("choices", f"{keyword.key} needs its list of values")
    return template


def _choices(asked: Asked) -> dict[str, tuple[str, ...]]:
    sent = asked.body["choices"]
    fine = isinstance(sent, dict) and all(
        isinstance(values, list)
        and values
        and all(isinstance(value, str) and _choice_shape.fullmatch(value) for value in values)
        for values in sent.values()
    )
    if not fine:
        raise BadField("choices", "expected {key: [value, …]}")
    return {str(key): tuple(values) for key, values in sent.items()}


def _quota(phone: Phone) -> dict[str, int | str]:
    """How many sends are left; a long-term subscription has no end."""
    one_time: dict[str, int | str] = {each: left for each, left in phone.quota.items() if left}
    return one_time | dict.fromkeys(sorted(phone.subscribed), "long_term")


def _as_json(message: Message) -> dict[str, Any]:
    return {
        "msgid": str(message.msgid),
        "template_id": message.template_id,
        "title": message.title,
        "values": {key: value for _, key, value in message.values},
        "lines": [{"label": label, "value": value} for label, _, value in message.values],
        "page": message.page,
        "miniprogram_state": message.state,
        "lang": message.lang,
        "sent_at": clock.in_town(message.sent_at).isoformat(),
    }


def _template_as_json(template: Template) -> dict[str, Any]:
    return {
        "id": template.id,
        "title": template.title,
        "type": template.kind,
        "content": template.content,
        "choices": {key: list(values) for key, values in template.choices.items()},
        "banned": template.banned,
    }
