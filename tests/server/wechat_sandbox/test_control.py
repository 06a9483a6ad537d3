"""The control endpoints: bad input names its field; state is kept between starts."""

from __future__ import annotations

import stat
import time
from pathlib import Path
from typing import Any

import pytest

from server.wechat_sandbox.templates import DEFAULT_TEMPLATES, registration_result, seat_offer
from tests.sandbox import SEND, TEMPLATES, SandboxTown, open_sandbox
from tests.server.wechat_sandbox.test_messages import WANG, send

ANY_SIX = [chr(ord("a") + place) * 43 for place in range(6)]

BAD = [
    ("login-codes", None, "(body)"),
    ("login-codes", {}, "openid"),
    ("login-codes", {"openid": "short"}, "openid"),
    ("login-codes", {"openid": "王阿姨的手机"}, "openid"),
    ("login-codes", {"openid": 7}, "openid"),
    ("login-codes", {"openid": WANG, "colour": "red"}, "colour"),
    ("login-codes", {"openid": WANG, "\ud800": 1}, "?"),
    ("login-codes", {"openid": WANG, "appid": "mine"}, "appid"),
    ("phone-codes", {"openid": WANG}, "phone"),
    ("phone-codes", {"openid": WANG, "phone": "not a number"}, "phone"),
    ("phone-codes", {"phone": "13800138000"}, "openid"),
    ("subscriptions", {"openid": WANG}, "accept"),
    ("subscriptions", {"openid": WANG, "accept": "all"}, "accept"),
    ("subscriptions", {"openid": WANG, "accept": [registration_result.id, "nope"]}, "accept[1]"),
    ("subscriptions", {"openid": WANG, "reject": [3]}, "reject[0]"),
    ("subscriptions", {"openid": WANG, "accept": [seat_offer.id] * 2}, "accept"),
    ("subscriptions", {"accept": [seat_offer.id]}, "openid"),
    ("faults", {"errcode": -1}, "path"),
    ("faults", {"path": "/nowhere", "errcode": -1}, "path"),
    ("faults", {"path": SEND}, "errcode"),
    ("faults", {"path": SEND, "errcode": 0}, "errcode"),
    ("faults", {"path": SEND, "errcode": "-1"}, "errcode"),
    ("faults", {"path": SEND, "errcode": -1, "reset_before": True}, "errcode"),
    ("faults", {"path": SEND, "errcode": -1, "times": 0}, "times"),
    ("faults", {"path": SEND, "errcode": -1, "times": True}, "times"),
    ("faults", {"path": SEND, "latency_ms": -5}, "latency_ms"),
    ("faults", {"path": SEND, "http_status": 200}, "http_status"),
    ("faults", {"path": SEND, "http_status": 499}, "http_status"),
    ("faults", {"path": SEND, "reset_before": "yes"}, "reset_before"),
    ("faults", {"path": SEND, "errcode": -1, "openid": "x"}, "openid"),
    ("users", {"openid": WANG, "flagged": "yes"}, "flagged"),
    ("users", {"openid": WANG, "unionid": "!"}, "unionid"),
    ("templates", {"id": "short", "title": "x", "content": "事项:{{thing1.DATA}}"}, "id"),
    ("templates", {"id": "T" * 43, "content": "事项:{{thing1.DATA}}"}, "title"),
    ("templates", {"id": "T" * 43, "title": "新模板"}, "content"),
    ("templates", {"id": "T" * 43, "title": "\ud800", "content": "事项:{{thing1.DATA}}"}, "title"),
    ("templates", {"id": "T" * 43, "title": "新模板", "content": "事项:{{sound1.DATA}}"}, "content"),
    ("templates", {"id": "T" * 43, "title": "新模板", "content": "事项:{{thing1.DATA}}", "type": 9}, "type"),
    ("templates", {"id": "T" * 43, "title": "新模板", "content": "式:{{enum_string1.DATA}}"}, "choices"),
]


@pytest.mark.parametrize(("path", "body", "field"), BAD)
def test_bad_input_is_refused_naming_the_field(
    sandbox: SandboxTown, path: str, body: dict[str, Any] | None, field: str
) -> None:
    answer = sandbox.http.post(f"{sandbox.base_url}/_sandbox/{path}", json=body, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field
    assert answer.json()["error"]["message"]


def test_a_popup_shows_five_templates_of_one_type(sandbox: SandboxTown) -> None:
    for place, template_id in enumerate(ANY_SIX):
        kind = 3 if place == 0 else 2
        made = {"id": template_id, "title": "新模板", "content": "事项:{{thing1.DATA}}", "type": kind}
        sandbox.control("POST", "templates", made)
    url = f"{sandbox.base_url}/_sandbox/subscriptions"
    for shown in ([*ANY_SIX[1:], seat_offer.id], ANY_SIX[:2]):
        answer = sandbox.http.post(url, json={"openid": WANG, "accept": shown}, timeout=5)
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, "accept")


def test_the_popup_answers_as_the_client_would_hear_it(sandbox: SandboxTown) -> None:
    body = {"openid": WANG, "accept": [registration_result.id], "reject": [seat_offer.id]}
    answer = sandbox.control("POST", "subscriptions", body)
    assert answer["result"] == {
        "errMsg": "requestSubscribeMessage:ok",
        registration_result.id: "accept",
        seat_offer.id: "reject",
    }
    assert answer["quota"] == {registration_result.id: 1}


def test_messages_are_asked_for_by_openid(sandbox: SandboxTown) -> None:
    answer = sandbox.http.get(f"{sandbox.base_url}/_sandbox/messages", timeout=5)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "openid")
    assert sandbox.messages("openid-nobody") == []


def test_faults_on_order_are_listed_and_cleared(sandbox: SandboxTown) -> None:
    sandbox.fault(TEMPLATES, errcode=-1, times=3)
    sandbox.get(TEMPLATES)
    (listed,) = sandbox.control("GET", "faults")["faults"]
    assert (listed["path"], listed["errcode"], listed["left"]) == (TEMPLATES, -1, 2)
    sandbox.clear_faults()
    assert sandbox.control("GET", "faults")["faults"] == []


def test_templates_of_the_account_are_listed(sandbox: SandboxTown) -> None:
    listed = sandbox.control("GET", "templates")["templates"]
    assert [each["title"] for each in listed] == [template.title for template in DEFAULT_TEMPLATES]


def test_phones_messages_quotas_and_tokens_outlive_the_sandbox(tmp_path: Path) -> None:
    kept = tmp_path / "var" / "sandbox.json"
    with open_sandbox(state_file=kept) as town:
        town.accept(WANG, registration_result.id)
        town.accept(WANG, registration_result.id)
        town.user(WANG, flagged=True, unionid="union-wang-1")
        send(town)
        token = town.token()
        written_soon(kept, "八段锦入门")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with open_sandbox(state_file=kept) as again:
        assert len(again.messages(WANG)) == 1
        assert again.token() == token
        assert again.account.phones[WANG].flagged
        assert [send(again)["errcode"] for _ in range(2)] == [0, 43101]
        assert len(again.messages(WANG)) == 2


def test_an_unreadable_state_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept = tmp_path / "sandbox.json"
    kept.write_text("{half a fi")
    with open_sandbox(state_file=kept) as town:
        assert town.messages(WANG) == []
    assert (tmp_path / "sandbox.json.broken").read_text() == "{half a fi"
    assert "set aside" in caplog.text


def written_soon(kept: Path, word: str) -> None:
    """Wait for the state to be written; it promises about a second."""
    deadline = time.monotonic() + 10
    while not (kept.exists() and word in kept.read_text() and '"stable":"' in kept.read_text()):
        assert time.monotonic() < deadline, "the state was never written"
        time.sleep(0.05)
