"""Logging in through WeChat: who it is, or a sentence that says what to do next."""

from __future__ import annotations

import logging
import socket
import traceback

import pytest
import structlog

from miniprogram_api.wechat import ProcessTokenShelf, TokenShelf, WeChatGateway
from models.errors import Busy, Conflict, Forbidden, Refusal, Unavailable
from tests.sandbox import JSCODE2SESSION, STABLE_TOKEN, SandboxTown

WANG = "openid-wang"


def refusal(gateway: WeChatGateway, code: str) -> Refusal:
    with pytest.raises(Refusal) as raised:
        gateway.login(code)
    return raised.value


def test_a_code_tells_who_logs_in(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    login = gateway.login(sandbox.login_code(WANG))
    assert (login.openid, login.unionid) == (WANG, None)
    sandbox.user(WANG, unionid="union-wang-1")
    assert gateway.login(sandbox.login_code(WANG)).unionid == "union-wang-1"


def test_login_asks_for_no_token(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    gateway.login(sandbox.login_code(WANG))
    assert sandbox.calls(STABLE_TOKEN) == 0


def test_a_token_outage_does_not_break_login(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    sandbox.fault(STABLE_TOKEN, http_status=503, times=None)
    assert gateway.login(sandbox.login_code(WANG)).openid == WANG


@pytest.mark.parametrize(
    ("errcode", "kind", "code"),
    [
        (40029, Conflict, "wechat_code_invalid"),
        (41008, Conflict, "wechat_code_invalid"),
        (40163, Conflict, "wechat_code_used"),
        (40226, Forbidden, "wechat_login_blocked"),
        (45011, Busy, "wechat_too_frequent"),
        (-1, Unavailable, "wechat_unavailable"),
        (45009, Unavailable, "wechat_unavailable"),
        (40013, Unavailable, "wechat_misconfigured"),
        (40125, Unavailable, "wechat_misconfigured"),
        (40164, Unavailable, "wechat_misconfigured"),
        (40243, Unavailable, "wechat_misconfigured"),
        (41002, Unavailable, "wechat_misconfigured"),
    ],
)
def test_what_wechat_answers_becomes_the_houses_own_refusal(
    sandbox: SandboxTown, gateway: WeChatGateway, errcode: int, kind: type[Refusal], code: str
) -> None:
    sandbox.fault(JSCODE2SESSION, errcode=errcode)
    refused = refusal(gateway, sandbox.login_code(WANG))
    assert type(refused) is kind
    assert refused.code == code
    assert not refused.message.isascii()
    assert sandbox.calls(JSCODE2SESSION) == 1, "a code is asked about once"


def test_a_used_code_and_a_flagged_person_are_refused(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    code = sandbox.login_code(WANG)
    gateway.login(code)
    assert refusal(gateway, code).code == "wechat_code_used"
    sandbox.user("openid-shady", flagged=True)
    assert refusal(gateway, sandbox.login_code("openid-shady")).code == "wechat_login_blocked"


def test_too_frequent_says_when_to_come_back(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    sandbox.fault(JSCODE2SESSION, errcode=45011)
    refused = refusal(gateway, sandbox.login_code(WANG))
    assert isinstance(refused, Busy)
    assert refused.retry_after == 60


@pytest.mark.parametrize(
    "day",
    [
        {"latency_ms": 900},
        {"reset_before": True},
        {"reset_after_processing": True},
        {"http_status": 502},
        {"http_status": 404},
    ],
)
def test_a_bad_day_at_wechat_is_unavailable_and_asked_once(
    sandbox: SandboxTown, gateway: WeChatGateway, day: dict[str, object]
) -> None:
    sandbox.fault(JSCODE2SESSION, **day)
    assert refusal(gateway, sandbox.login_code(WANG)).code == "wechat_unavailable"
    assert sandbox.calls(JSCODE2SESSION) == 1


def test_nobody_at_the_address_is_unavailable(sandbox: SandboxTown) -> None:
    assert refusal(nobody_home(sandbox), "any-code").code == "wechat_unavailable"


def test_an_answer_that_is_no_json_is_unavailable(sandbox: SandboxTown) -> None:
    lost = WeChatGateway(
        appid=sandbox.appid,
        secret=sandbox.secret,
        base_url=f"{sandbox.base_url}/_sandbox/messages?openid=",
        tokens=ProcessTokenShelf(),
    )
    assert refusal(lost, "any-code").code == "wechat_unavailable"
    lost.close()


def test_our_wrong_configuration_is_reported_with_the_ip_and_without_the_secret(
    sandbox: SandboxTown, gateway: WeChatGateway
) -> None:
    sandbox.fault(JSCODE2SESSION, errcode=40164)
    with structlog.testing.capture_logs() as events:
        refusal(gateway, sandbox.login_code(WANG))
    assert events == [
        {
            "event": "wechat_misconfigured",
            "errcode": 40164,
            "ip_to_whitelist": "203.0.113.7",
            "log_level": "error",
        }
    ]


def test_nothing_private_is_in_logs_or_tracebacks(
    sandbox: SandboxTown, gateway: WeChatGateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    code = sandbox.login_code(WANG)
    days: list[dict[str, object]] = [
        {"errcode": 40029},
        {"errcode": 40013},
        {"latency_ms": 900},
        {"reset_before": True},
        {"http_status": 502},
    ]
    caplog.clear()
    with structlog.testing.capture_logs() as events:
        for day in days:
            with caplog.at_level(logging.CRITICAL + 1, logger="urllib3"):
                sandbox.fault(JSCODE2SESSION, **day)
            told += traceback.format_exception(refusal(gateway, code))
        told += traceback.format_exception(refusal(nobody_home(sandbox), code))
    everything = "".join(told) + caplog.text + repr(events)
    assert "/sns/jscode2session" in caplog.text, "the log was listening"
    assert "wechat_unusable" in repr(events), "and so was ours"
    for private in (sandbox.secret, code, WANG):
        assert private not in everything


def nobody_home(town: SandboxTown, *, tokens: TokenShelf | None = None) -> WeChatGateway:
    """A gateway to a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    return WeChatGateway(
        appid=town.appid,
        secret=town.secret,
        base_url=f"http://127.0.0.1:{port}",
        tokens=tokens or ProcessTokenShelf(),
    )
