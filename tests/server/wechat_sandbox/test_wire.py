"""Transport facts (wechat.md §1) and ordered faults."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from server.wechat_sandbox.templates import registration_result
from tests.sandbox import JSCODE2SESSION, SEND, STABLE_TOKEN, TEMPLATES, SandboxTown
from tests.server.wechat_sandbox.test_messages import WANG, send

RID = r"rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$"


def test_a_business_error_comes_with_http_200_and_a_request_id(sandbox: SandboxTown) -> None:
    answer = sandbox.http.get(sandbox.base_url + TEMPLATES, timeout=5)
    assert answer.status_code == 200
    assert answer.headers["LogicRet"] == "41001"
    assert answer.headers["Content-Type"] == "application/json; encoding=utf-8"
    assert re.search(r"^access_token missing " + RID, answer.json()["errmsg"])


def test_sns_answers_json_as_plain_text(sandbox: SandboxTown) -> None:
    answer = sandbox.http.get(sandbox.base_url + JSCODE2SESSION, timeout=5)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert re.search(r"^appid missing, " + RID, answer.json()["errmsg"])


@pytest.mark.parametrize(
    "content_type", [None, "text/xml", "application/json", "application/x-www-form-urlencoded"]
)
def test_the_body_counts_and_not_its_content_type(sandbox: SandboxTown, content_type: str | None) -> None:
    body = {"grant_type": "client_credential", "appid": sandbox.appid, "secret": sandbox.secret}
    headers = {"Content-Type": content_type} if content_type else {}
    sent = json.dumps(body).encode()
    answer = sandbox.http.post(sandbox.base_url + STABLE_TOKEN, data=sent, headers=headers, timeout=5)
    assert "access_token" in answer.json()


def test_a_post_without_content_length_fails_its_precondition(sandbox: SandboxTown) -> None:
    def in_chunks() -> Iterator[bytes]:
        yield b'{"grant_type": '
        yield b'"client_credential"}'

    answer = sandbox.http.post(sandbox.base_url + STABLE_TOKEN, data=in_chunks(), timeout=5)
    assert answer.status_code == 412
    line = http.client.HTTPConnection(urlsplit(sandbox.base_url).netloc, timeout=5)
    line.putrequest("POST", STABLE_TOKEN)
    line.endheaders()
    assert line.getresponse().status == 412
    line.close()
    assert sandbox.calls(STABLE_TOKEN) == 0, "no business was done"


def test_an_ordered_errcode_strikes_as_often_as_ordered(sandbox: SandboxTown) -> None:
    sandbox.fault(TEMPLATES, errcode=-1, times=2)
    token = sandbox.token()
    answers = [sandbox.get(TEMPLATES, access_token=token)["errcode"] for _ in range(3)]
    assert answers == [-1, -1, 0]
    assert sandbox.calls(TEMPLATES) == 3


def test_a_fault_can_strike_one_person_only(sandbox: SandboxTown) -> None:
    for openid in (WANG, "openid-li"):
        sandbox.accept(openid, registration_result.id)
    sandbox.fault(SEND, errcode=45009, openid=WANG, times=None)
    assert send(sandbox)["errcode"] == 45009
    assert send(sandbox, openid="openid-li")["errcode"] == 0
    assert send(sandbox)["errcode"] == 45009
    sandbox.clear_faults()
    assert send(sandbox)["errcode"] == 0


def test_a_fault_about_a_login_knows_whose_code_it_is(sandbox: SandboxTown) -> None:
    sandbox.fault(JSCODE2SESSION, errcode=-1, openid=WANG)
    query = {"appid": sandbox.appid, "secret": sandbox.secret, "grant_type": "authorization_code"}
    other = sandbox.get(JSCODE2SESSION, **query, js_code=sandbox.login_code("openid-li"))
    assert other["openid"] == "openid-li"
    assert sandbox.get(JSCODE2SESSION, **query, js_code=sandbox.login_code(WANG))["errcode"] == -1


def test_a_fault_can_be_an_http_status_or_only_slowness(sandbox: SandboxTown) -> None:
    sandbox.fault("*", http_status=502)
    assert sandbox.http.get(sandbox.base_url + TEMPLATES, timeout=5).status_code == 502
    sandbox.fault(TEMPLATES, latency_ms=300)
    began = time.monotonic()
    assert sandbox.get(TEMPLATES)["errcode"] == 41001
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(("kind", "arrived"), [("reset_before", 0), ("reset_after_processing", 1)])
def test_a_reset_hides_whether_the_message_arrived(sandbox: SandboxTown, kind: str, arrived: int) -> None:
    sandbox.accept(WANG, registration_result.id)
    sandbox.token()
    order: dict[str, Any] = {kind: True}
    sandbox.fault(SEND, **order)
    with pytest.raises(requests.ConnectionError):
        send(sandbox)
    assert len(sandbox.messages(WANG)) == arrived


@pytest.mark.parametrize("kind", ["cut", "page", "foreign"])
def test_a_garbled_answer_comes_after_all_was_done(sandbox: SandboxTown, kind: str) -> None:
    sandbox.accept(WANG, registration_result.id)
    sandbox.token()
    sandbox.fault(SEND, garbled=kind)
    try:
        answer = send(sandbox)
    except requests.JSONDecodeError:
        answer = {}
    assert "errcode" not in answer
    assert len(sandbox.messages(WANG)) == 1
