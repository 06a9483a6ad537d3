"""The push address (wechat.md §8.1, §8.2): verified on saving, signed and sealed as the official examples are."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature

from server.wechat_sandbox.envelope import seal, signature
from tests.sandbox import AES_KEY, PUSH_TOKEN, Listener, SandboxTown, open_listener
from tests.server.wechat_sandbox.test_messages import WANG
from tests.server.wechat_sandbox.test_pushing import refused


@pytest.mark.parametrize(
    ("timestamp", "nonce", "expected"),
    [
        ("1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696"),
        ("1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
    ],
)
def test_a_signature_is_the_official_one(timestamp: str, nonce: str, expected: str) -> None:
    assert signature("AAAAA", timestamp, nonce) == expected


def test_a_seal_is_the_official_one_to_the_byte() -> None:
    official = "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="
    assert (
        signature("AAAAA", "1713424427", "415670741", official) == "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"
    )
    crypto = WeChatCrypto("AAAAA", "A" * 43, "wxba5fad812f8e6fb9")
    salt = _salt_of(official, crypto.key)
    sealed = seal('{"demo_resp":"good luck"}', aes_key="A" * 43, appid="wxba5fad812f8e6fb9", salt=salt)
    assert sealed == official


def test_saving_the_address_verifies_it_as_the_console_does(sandbox: SandboxTown, listener: Listener) -> None:
    sandbox.push_to(listener)
    (query,) = listener.verified
    check_signature(PUSH_TOKEN, query["signature"], query["timestamp"], query["nonce"])
    assert query["echostr"].isdecimal()
    assert sandbox.control("GET", "push-target") == {"url": listener.url, "mode": "plain", "format": "json"}


def test_an_address_that_does_not_prove_itself_is_not_saved(sandbox: SandboxTown, listener: Listener) -> None:
    fine = {"url": listener.url, "token": PUSH_TOKEN}
    listener.echoes = False
    assert refused(sandbox, "push-target", fine)[:2] == (400, "url")
    assert "echostr" in refused(sandbox, "push-target", fine)[2]
    for url in (
        "http://192.0.2.7/push",
        "http://example.com/",
        "https://127.0.0.1/",
        "ftp://127.0.0.1/x",
        "http://u@127.0.0.1/",
    ):
        assert refused(sandbox, "push-target", {**fine, "url": url})[:2] == (400, "url")
    with open_listener() as gone:
        pass
    status, field, message = refused(sandbox, "push-target", {**fine, "url": gone.url})
    assert (status, field) == (400, "url")
    assert "no connection" in message
    assert refused(sandbox, "push-target", {**fine, "mode": "secure"})[:2] == (400, "aes_key")
    assert refused(sandbox, "push-target", {**fine, "token": "-"})[:2] == (400, "token")
    assert sandbox.control("GET", "push-target") is None


def test_an_attacker_can_push_anything_with_a_right_or_a_wrong_signature(
    sandbox: SandboxTown, listener: Listener
) -> None:
    assert refused(sandbox, "raw-push", {"body": "{}"})[:2] == (400, "(target)")
    sandbox.push_to(listener, mode="secure")
    told = sandbox.control("POST", "raw-push", {"body": "not json", "appid": "wxsomebodyelse"})
    assert told == {"status": 200, "answer": "success"}
    sandbox.control(
        "POST", "raw-push", {"body": "x", "sealed": False, "signature": "wrong", "timestamp": "7"}
    )
    sandbox.control("POST", "raw-push", {"body_base64": "AAEC", "sealed": False, "signature": "none"})
    sealed, spoilt, bare = listener.delivered
    crypto = WeChatCrypto(PUSH_TOKEN, AES_KEY, "wxsomebodyelse")
    query = sealed.query
    assert (
        crypto.decrypt_message(sealed.fields, query["msg_signature"], query["timestamp"], query["nonce"])
        == "not json"
    )
    assert spoilt.query["signature"] != signature(PUSH_TOKEN, "7", spoilt.query["nonce"])
    assert (bare.body, "signature" in bare.query) == (b"\x00\x01\x02", False)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("push-weather", {"duplicate": "yes"}, "duplicate"),
        ("push-weather", {"delay_ms": -1}, "delay_ms"),
        ("push-weather", {"numbers": "roman"}, "numbers"),
        ("push-weather", {"rain": True}, "rain"),
        ("subscription-settings", {"openid": WANG}, "reject"),
        ("authorization-events", {"openid": WANG, "event": "user_died"}, "event"),
        ("authorization-events", {"openid": WANG, "event": "user_authorization_revoke"}, "revoke_info"),
        (
            "authorization-events",
            {"openid": WANG, "event": "user_info_modified", "revoke_info": 8},
            "revoke_info",
        ),
        ("sent-results", {"error_code": 0, "error_status": "x"}, "error_code"),
        ("sent-results", {"error_code": 1}, "error_status"),
    ],
)
def test_an_order_that_cannot_be_right_names_its_field(
    sandbox: SandboxTown, path: str, body: dict[str, Any], field: str
) -> None:
    assert refused(sandbox, path, body)[:2] == (400, field)


def _salt_of(sealed: str, key: bytes) -> bytes:
    opening = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    return opening.update(base64.b64decode(sealed))[:16]
