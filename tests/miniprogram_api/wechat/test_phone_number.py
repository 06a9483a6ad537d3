"""Reading the phone number a person allowed us to read."""

from __future__ import annotations

import pytest

from miniprogram_api.wechat import WeChatGateway
from models.errors import Refusal
from tests.sandbox import PHONE_NUMBER, STABLE_TOKEN, SandboxTown

WANG = "openid-wang"


def refusal(gateway: WeChatGateway, code: str, *, openid: str = WANG) -> str:
    with pytest.raises(Refusal) as raised:
        gateway.phone_number(code, openid=openid)
    return raised.value.code


@pytest.mark.parametrize(
    ("phone", "read"),
    [("13800138000", "13800138000"), ("+85261234567", "+85261234567"), ("+12025550123", "+12025550123")],
)
def test_a_phone_code_gives_the_number(
    sandbox: SandboxTown, gateway: WeChatGateway, phone: str, read: str
) -> None:
    assert gateway.phone_number(sandbox.phone_code(WANG, phone), openid=WANG) == read


def test_a_used_code_asks_for_a_new_tap(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    code = sandbox.phone_code(WANG, "13800138000")
    gateway.phone_number(code, openid=WANG)
    assert refusal(gateway, code) == "wechat_code_invalid"


def test_somebody_elses_number_cannot_be_bound(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    code = sandbox.phone_code("openid-li", "13800138000")
    assert refusal(gateway, code, openid=WANG) == "wechat_phone_not_yours"


def test_a_superseded_token_does_not_cost_the_code(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    gateway.phone_number(sandbox.phone_code(WANG, "13800138000"), openid=WANG)
    sandbox.token(force_refresh=True)
    assert gateway.phone_number(sandbox.phone_code(WANG, "13900139000"), openid=WANG) == "13900139000"


@pytest.mark.parametrize(
    ("path", "day", "code"),
    [
        (PHONE_NUMBER, {"errcode": -1}, "wechat_unavailable"),
        (PHONE_NUMBER, {"errcode": 45011}, "wechat_too_frequent"),
        (PHONE_NUMBER, {"errcode": 40013}, "wechat_misconfigured"),
        (PHONE_NUMBER, {"errcode": 48001}, "wechat_misconfigured"),
        (PHONE_NUMBER, {"latency_ms": 900}, "wechat_unavailable"),
        (PHONE_NUMBER, {"reset_after_processing": True}, "wechat_unavailable"),
        (STABLE_TOKEN, {"errcode": 40125}, "wechat_misconfigured"),
        (STABLE_TOKEN, {"errcode": 45009}, "wechat_unavailable"),
        (STABLE_TOKEN, {"http_status": 500}, "wechat_unavailable"),
    ],
)
def test_a_bad_day_is_a_clear_refusal(
    sandbox: SandboxTown, gateway: WeChatGateway, path: str, day: dict[str, object], code: str
) -> None:
    sandbox.fault(path, **day)
    assert refusal(gateway, sandbox.phone_code(WANG, "13800138000")) == code
    assert sandbox.calls(path) == 1
