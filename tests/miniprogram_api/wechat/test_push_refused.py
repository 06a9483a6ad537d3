"""What is not believed: forged, stale, foreign and broken pushes, and whatever else may come over the wire."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from miniprogram_api.wechat import PushEvent, PushRefused, verify_url
from models import clock
from server.wechat_sandbox.envelope import signature
from tests.miniprogram_api.wechat.test_push import HEAD, NOW, STAMP, WANG, read, sealed, signed
from tests.sandbox import PUSH_TOKEN, Delivered, Listener, SandboxTown


def why(delivered: Delivered, **more: Any) -> str:
    with pytest.raises(PushRefused) as raised, clock.stopped_at(NOW):
        read(delivered, **more)
    return raised.value.code


def test_a_forged_push_is_refused(sandbox: SandboxTown, listener: Listener) -> None:
    for mode, unsealed in (("plain", {}), ("secure", {}), ("secure", {"sealed": False})):
        sandbox.push_to(listener, mode=mode)
        body = json.dumps({**HEAD, "Event": "user_authorization_cancellation", "OpenID": WANG})
        for kind in ("wrong", "none"):
            listener.delivered.clear()
            sandbox.control("POST", "raw-push", {"body": body, "signature": kind, **unsealed})
            with pytest.raises(PushRefused) as raised:
                read(listener.delivered[0], secure=mode == "secure")
            assert raised.value.code == ("push_unreadable" if unsealed else "push_forged")


def test_a_changed_seal_breaks_its_signature() -> None:
    fine = sealed(json.dumps({**HEAD, "Event": "user_info_modified", "OpenID": WANG}))
    with clock.stopped_at(NOW):
        assert read(fine, secure=True)
    other = sealed(json.dumps({**HEAD, "Event": "user_info_modified", "OpenID": "openid-li"}))
    assert why(Delivered(fine.query, other.body, fine.content_type), secure=True) == "push_forged"


def test_a_push_sealed_for_another_program_is_not_ours() -> None:
    assert why(sealed("{}", appid="wxsomebodyelse"), secure=True) == "push_not_ours"


def test_an_unsealed_push_is_not_read_where_seals_are_due_and_the_other_way_round() -> None:
    plain = signed({**HEAD, "Event": "user_info_modified", "OpenID": WANG})
    assert why(plain, secure=True) == "push_unreadable"
    assert why(sealed(json.dumps(HEAD))) == "push_forged"


def test_a_stale_push_is_refused_as_long_as_we_care() -> None:
    fine = signed({**HEAD, "Event": "user_info_modified", "OpenID": WANG})
    for away in (timedelta(minutes=61), -timedelta(minutes=61)):
        with clock.stopped_at(NOW + away):
            with pytest.raises(PushRefused) as raised:
                read(fine)
            assert raised.value.code == "push_stale"
            assert read(fine, max_age=None)
            assert read(fine, max_age=timedelta(hours=2))


ENTITY_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    "<xml><CreateTime>1</CreateTime><Event>&b;</Event></xml>"
)
OUTSIDE_ENTITY = '<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/hostname">]><xml><Event>&x;</Event></xml>'
# whole and signed but for its DTD
FOREIGN_DTD = (
    '<!DOCTYPE xml SYSTEM "http://127.0.0.1:9/evil.dtd"><xml>'
    + "".join(f"<{name}>{value}</{name}>" for name, value in {**HEAD, "Event": "user_info_modified"}.items())
    + f"<OpenID>{WANG}</OpenID></xml>"
)
ENTRY = {"TemplateId": "t", "SubscribeStatusString": "accept", "PopupScene": 0}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json",
        "[]",
        "7",
        "null",
        "{}",
        "{" * 5000,
        "[" * 30000,
        '{"CreateTime": NaN}',
        '{"CreateTime": 1e400}',
        '{"CreateTime": ' + "9" * 5000 + "}",
        '{"CreateTime": true}',
        '{"CreateTime": 99999999999999}',
        '{"CreateTime": -1}',
        json.dumps({**HEAD, "Event": "subscribe_msg_popup_event"}),
        json.dumps({**HEAD, "Event": "subscribe_msg_popup_event", "List": [7]}),
        json.dumps({**HEAD, "Event": "subscribe_msg_popup_event", "List": [ENTRY] * 51}),
        json.dumps({**HEAD, "Event": "subscribe_msg_popup_event", "List": {"TemplateId": {"x": 1}}}),
        json.dumps({**HEAD, "Event": "subscribe_msg_sent_event", "List": {"TemplateId": "t", "MsgID": "1"}}),
        json.dumps({**HEAD, "Event": "user_info_modified"}),
        json.dumps({**HEAD, "Event": "wxa_media_check", "trace_id": "t", "result": {"label": 10**10}}),
        json.dumps({**HEAD, "Event": "user_info_modified", "OpenID": "x" * 300}),
        json.dumps({**HEAD, "Event": "user_info_modified", "OpenID": "a\nb"}),
        json.dumps({**HEAD, "Event": "user_authorization_revoke", "OpenID": WANG, "RevokeInfo": "x"}),
        json.dumps({**HEAD, "Event": ["user_info_modified"]}),
        "<xml",
        "<a/>",
        "<xml/>",
        "<xml>text</xml>",
        "<xml><Event></xml>",
        "<xml>" * 8000,
        ENTITY_BOMB,
        OUTSIDE_ENTITY,
        FOREIGN_DTD,
        "\x00",
        "\ufeff",
    ],
)
def test_garbage_is_refused_in_one_way(body: str) -> None:
    assert why(signed(body)) == "push_unreadable"
    assert why(sealed(body), secure=True) == "push_unreadable"
    assert why(sealed(body, xml=True), secure=True) == "push_unreadable"


def test_an_entity_hidden_in_another_encoding_does_not_grow() -> None:
    for encoding in ("utf-16", "utf-16-be", "utf-32", "utf-7"):
        assert why(signed(ENTITY_BOMB.encode(encoding), "text/xml")) == "push_unreadable"


def test_an_oversized_push_is_refused_before_it_is_read() -> None:
    assert why(signed(b" " * (64 * 1024 + 1))) == "push_too_large"


def test_a_broken_seal_is_refused_whatever_breaks() -> None:
    for inner in ("", "x", "AAAA", "A" * 64, "=" * 8, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="):
        query = {
            "timestamp": STAMP,
            "nonce": "77",
            "msg_signature": signature(PUSH_TOKEN, STAMP, "77", inner),
        }
        body = json.dumps({"Encrypt": inner}).encode()
        assert why(Delivered(query, body, "application/json"), secure=True) in {
            "push_unreadable",
            "push_not_ours",
        }


_words = st.sampled_from(
    [
        "Event",
        "List",
        "TemplateId",
        "CreateTime",
        "MsgType",
        "event",
        "OpenID",
        "RevokeInfo",
        "result",
        "trace_id",
        "errcode",
        "MsgID",
        "Encrypt",
        "subscribe_msg_popup_event",
        "subscribe_msg_sent_event",
        "wxa_media_check",
        "user_authorization_revoke",
    ]
)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | _words,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_words | st.text(max_size=8), inner, max_size=6)
    ),
    max_leaves=20,
)
_events = st.sampled_from(
    [
        "subscribe_msg_popup_event",
        "subscribe_msg_change_event",
        "subscribe_msg_sent_event",
        "wxa_media_check",
        "user_authorization_revoke",
        "user_authorization_cancellation",
        "user_info_modified",
    ]
)
_bodies = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    _values.map(lambda value: json.dumps(value).encode()),
    st.tuples(_events, st.dictionaries(_words, _values, max_size=6)).map(
        lambda both: json.dumps({**HEAD, "Event": both[0], **both[1]}).encode()
    ),
    st.lists(_words, max_size=12).map(
        lambda words: ("<xml>" + "".join(f"<{w}>{w}</{w}>" for w in words)).encode()
    ),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    body=_bodies, content_type=st.sampled_from(["application/json", "text/xml", "", "multipart/form-data"])
)
def test_no_body_raises_anything_but_the_refusal(body: bytes, content_type: str) -> None:
    with clock.stopped_at(NOW):
        for delivered, secure in ((signed(body, content_type), False), (signed(body, content_type), True)):
            try:
                events = read(delivered, secure=secure)
            except PushRefused:
                continue
            assert all(isinstance(event, PushEvent) for event in events)
        with suppress(PushRefused):
            read(sealed(body.decode("utf-8", "replace")), secure=True)


@settings(max_examples=200, deadline=None)
@given(
    query=st.dictionaries(
        st.sampled_from(["signature", "msg_signature", "timestamp", "nonce", "echostr", "encrypt_type"]),
        st.text(max_size=60) | st.sampled_from([STAMP, "0" * 40]),
    )
)
def test_no_query_raises_anything_but_the_refusal(query: dict[str, str]) -> None:
    with clock.stopped_at(NOW):
        for secure in (True, False):
            with pytest.raises(PushRefused):
                read(Delivered(query, b'{"Encrypt": "AAAA"}', "application/json"), secure=secure)
        with pytest.raises(PushRefused):
            verify_url(query, token=PUSH_TOKEN)
