"""Reading pushes: believed only when signed for us, read in every shape WeChat uses, refused in one way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from miniprogram_api.wechat import (
    AuthorizationCancelled,
    AuthorizationRevoked,
    MediaChecked,
    MessageSettled,
    PopupAnswered,
    ProfileModified,
    PushEvent,
    PushRefused,
    Suggest,
    TemplateRefused,
    Unknown,
    read_push,
    verify_url,
)
from models import clock
from server.wechat_sandbox.envelope import seal, signature
from server.wechat_sandbox.templates import registration_result, seat_offer
from tests.sandbox import AES_KEY, APPID, PUSH_TOKEN, Delivered, Listener, SandboxTown
from tests.server.wechat_sandbox.test_messages import send

WANG = "openid-wang"
NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
HEAD = {"ToUserName": "gh_1", "FromUserName": WANG, "CreateTime": STAMP, "MsgType": "event"}

SHAPES = [(mode, shape) for mode in ("plain", "secure") for shape in ("json", "xml")]


def read(delivered: Delivered, *, secure: bool = False, **more: Any) -> list[PushEvent]:
    key = AES_KEY if secure else None
    asked: dict[str, Any] = {"token": PUSH_TOKEN, "aes_key": key, "appid": APPID, **more}
    return read_push(delivered.query, delivered.body, delivered.content_type, **asked)


def signed(body: bytes | str | Mapping[str, Any], content_type: str = "application/json") -> Delivered:
    """A plain push as WeChat signs it, with any body."""
    raw = (
        json.dumps(body).encode()
        if isinstance(body, Mapping)
        else body.encode()
        if isinstance(body, str)
        else body
    )
    query = {"timestamp": STAMP, "nonce": "77", "signature": signature(PUSH_TOKEN, STAMP, "77")}
    return Delivered(query, raw, content_type)


def sealed(message: str, *, appid: str = APPID, xml: bool = False) -> Delivered:
    """A sealed push with any message inside."""
    inner = seal(message, aes_key=AES_KEY, appid=appid)
    query = {"timestamp": STAMP, "nonce": "77", "msg_signature": signature(PUSH_TOKEN, STAMP, "77", inner)}
    if xml:
        return Delivered(query, f"<xml><Encrypt><![CDATA[{inner}]]></Encrypt></xml>".encode(), "text/xml")
    return Delivered(query, json.dumps({"Encrypt": inner}).encode(), "application/json")


def test_the_official_address_check_is_answered_with_its_echo() -> None:
    query = {
        "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696",
        "timestamp": "1714036504",
        "nonce": "1514711492",
        "echostr": "4375120948345356249",
    }
    assert verify_url(query, token="AAAAA") == "4375120948345356249"
    for spoilt in (
        {"signature": "0" * 40},
        {"signature": "ä"},
        {"timestamp": "1"},
        {"nonce": ""},
        {"echostr": ""},
    ):
        with pytest.raises(PushRefused):
            verify_url({**query, **spoilt}, token="AAAAA")
    for gone in query:
        with pytest.raises(PushRefused):
            verify_url({name: query[name] for name in query if name != gone}, token="AAAAA")


def test_the_official_sealed_push_opens() -> None:
    official = "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="
    query = {
        "timestamp": "1713424427",
        "nonce": "415670741",
        "msg_signature": "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1",
    }
    ours: dict[str, Any] = {"token": "AAAAA", "aes_key": "A" * 43, "max_age": None}
    body = json.dumps({"Encrypt": official}).encode()
    with pytest.raises(PushRefused) as raised:
        read_push(query, body, "application/json", appid="wxba5fad812f8e6fb9", **ours)
    assert raised.value.code == "push_unreadable", "it opens, and holds a greeting instead of an event"
    with pytest.raises(PushRefused) as raised:
        read_push(query, body, "application/json", appid="wxsomebodyelse", **ours)
    assert raised.value.code == "push_not_ours"


@pytest.mark.parametrize(("mode", "shape"), SHAPES)
@pytest.mark.parametrize("numbers", ["number", "string"])
def test_everything_the_sandbox_pushes_is_understood(
    sandbox: SandboxTown, listener: Listener, mode: str, shape: str, numbers: str
) -> None:
    sandbox.push_to(listener, mode=mode, format=shape)
    sandbox.weather(numbers=numbers)
    shown = {"openid": WANG, "accept": [registration_result.id], "reject": [seat_offer.id]}
    with clock.stopped_at(NOW) as hand:
        sandbox.control("POST", "subscriptions", shown)
        hand.advance(seconds=1)  # WeChat counts in seconds: two taps in one would be one event
        sandbox.accept(WANG, registration_result.id)
        assert send(sandbox)["errcode"] == 0
        sandbox.control("POST", "sent-results", {"error_code": 3, "error_status": "user canceled"})
        assert send(sandbox)["errcode"] == 0
        sandbox.control("POST", "subscription-settings", {"openid": WANG, "reject": [seat_offer.id]})
        for order in (
            {"event": "user_authorization_revoke", "revoke_info": 8},
            {"event": "user_authorization_cancellation"},
            {"event": "user_info_modified"},
        ):
            sandbox.control("POST", "authorization-events", {"openid": WANG, **order})
        sandbox.pushes()
        events = [event for each in listener.delivered for event in read(each, secure=mode == "secure")]
    assert {event.openid for event in events} == {WANG}
    assert len({event.dedupe_key for event in events}) == len(events) == 9
    assert [event.at for event in events] == [NOW] * 2 + [NOW + timedelta(seconds=1)] * 7
    accepted, refused, again, arrived, lost, in_settings, revoked, cancelled, modified = events
    assert isinstance(accepted, PopupAnswered)
    assert (accepted.template_id, accepted.accepted) == (registration_result.id, True)
    assert isinstance(refused, PopupAnswered)
    assert (refused.template_id, refused.accepted) == (seat_offer.id, False)
    assert isinstance(again, PopupAnswered)
    assert isinstance(arrived, MessageSettled)
    assert (arrived.error_code, arrived.msgid) == (0, sandbox.messages(WANG)[0]["msgid"])
    assert isinstance(lost, MessageSettled)
    assert (lost.error_code, lost.error_status) == (3, "user canceled")
    assert isinstance(in_settings, TemplateRefused)
    assert in_settings.template_id == seat_offer.id
    assert isinstance(revoked, AuthorizationRevoked)
    assert revoked.code == 8
    assert isinstance(cancelled, AuthorizationCancelled)
    assert isinstance(modified, ProfileModified)
    assert WANG not in repr(events)


@pytest.mark.parametrize(("mode", "shape"), SHAPES)
def test_a_pictures_verdict_is_understood(
    sandbox: SandboxTown, listener: Listener, mode: str, shape: str
) -> None:
    sandbox.push_to(listener, mode=mode, format=shape)
    sandbox.weather(numbers="string")
    sandbox.login_code(WANG)
    body = {
        "media_url": "http://127.0.0.1:9/x.png",
        "media_type": 2,
        "version": 2,
        "scene": 2,
        "openid": WANG,
    }
    trace_id = sandbox.post("/wxa/media_check_async", body, access_token=sandbox.token())["trace_id"]
    sandbox.pushes()
    (event,) = read(listener.delivered[0], secure=mode == "secure")
    assert isinstance(event, MediaChecked)
    assert (event.trace_id, event.errcode, event.suggest) == (trace_id, -1008, Suggest.REVIEW)


def test_a_repeated_push_has_the_same_keys(sandbox: SandboxTown, listener: Listener) -> None:
    sandbox.push_to(listener, mode="secure")
    sandbox.weather(duplicate=True, drop_first_answer=True, retry_ms=1)
    sandbox.accept(WANG, registration_result.id)
    sandbox.pushes()
    keys = [read(each, secure=True)[0].dedupe_key for each in listener.delivered]
    assert (len(keys), len(set(keys))) == (3, 1)
    assert WANG not in keys[0]


def test_a_verdict_without_a_result_waits_for_a_person() -> None:
    checked = {**HEAD, "Event": "wxa_media_check", "trace_id": "t1"}
    verdicts: dict[Suggest, dict[str, Any]] = {
        Suggest.RISKY: {"errcode": 0, "result": {"suggest": "risky", "label": "20002"}},
        Suggest.PASS: {"errcode": "0", "result": {"suggest": "pass", "label": 100}},
        Suggest.REVIEW: {"errcode": 0, "isrisky": 0, "status_code": 0},
    }
    with clock.stopped_at(NOW):
        for suggest, more in verdicts.items():
            (event,) = read(signed({**checked, **more}))
            assert isinstance(event, MediaChecked)
            assert event.suggest is suggest
        (failed,) = read(signed({**checked, "errcode": -1008, "result": {"suggest": "pass", "label": 100}}))
    assert isinstance(failed, MediaChecked)
    assert failed.suggest is Suggest.REVIEW, "a verdict counts only with errcode 0"


def test_several_permissions_may_be_withdrawn_at_once_and_new_ones_are_kept_by_number() -> None:
    revoked = {**HEAD, "Event": "user_authorization_revoke", "OpenID": "openid-li", "RevokeInfo": "8,13,99"}
    with clock.stopped_at(NOW):
        events = read(signed(revoked))
    assert [event.code for event in events if isinstance(event, AuthorizationRevoked)] == [8, 13, 99]
    assert {event.openid for event in events} == {"openid-li"}, "FromUserName is somebody else"


def test_what_we_have_no_use_for_is_unknown_and_no_error() -> None:
    with clock.stopped_at(NOW):
        (debug,) = read(signed({**HEAD, "Event": "debug_demo", "debug_str": "hello world"}))
        said = {"FromUserName": WANG, "CreateTime": STAMP, "MsgType": "text", "Content": "在吗", "MsgId": 7}
        (first,), (second,) = read(signed(said)), read(signed({**said, "MsgId": 8}))
    assert isinstance(debug, Unknown)
    assert debug.name == "debug_demo"
    assert isinstance(first, Unknown)
    assert first.name == "text"
    assert first.dedupe_key != second.dedupe_key
