"""Tencent Cloud SMS: what is sent, who signed it, and the truth about what came of it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from miniprogram_api.sms import TencentSms
from miniprogram_api.sms.signing import authorization
from miniprogram_api.wechat import SendResult
from models.clock import StoppedClock
from models.notices import ShortMessageName
from tests.miniprogram_api.sms.carrier import (
    APP_ID,
    REGION,
    SECRET_ID,
    SECRET_KEY,
    SIGN,
    Carrier,
    open_carrier,
)

PHONE = "13800138000"
CANCELLED = {"course": "书法入门班", "starts": "12月3日18:30"}
TEMPLATES = {name: f"11{n}" for n, name in enumerate(ShortMessageName)}


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    """Tencent Cloud, standing in."""
    with open_carrier() as carrier:
        yield carrier


def an_account(base_url: str, **changes: Any) -> TencentSms:
    """Our account, with short patience."""
    known: dict[str, Any] = {
        "base_url": base_url,
        "secret_id": SECRET_ID,
        "secret_key": SECRET_KEY,
        "app_id": APP_ID,
        "sign": SIGN,
        "region": REGION,
        "templates": TEMPLATES,
        "timeout": (0.5, 0.5),
    }
    return TencentSms(**known | changes)


@pytest.fixture
def account(carrier: Carrier) -> Iterator[TencentSms]:
    """Our account at the stand-in."""
    account = an_account(carrier.base_url)
    yield account
    account.close()


# --- the signature ------------------------------------------------------------------------------------------------


def test_the_signature_is_that_of_the_published_example() -> None:
    """Tencent Cloud, 签名方法 v3: the instances called 未命名, on 25 February 2019."""
    signed = authorization(
        secret_id="AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        secret_key="Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        service="cvm",
        host="cvm.tencentcloudapi.com",
        content_type="application/json; charset=utf-8",
        body=rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}',
        moment=datetime.fromtimestamp(1551113065, UTC),
    )
    assert signed == (
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host, "
        "Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    )


def test_the_day_of_a_signature_is_that_of_greenwich(account: TencentSms, clock: StoppedClock) -> None:
    """At two in the morning in the town it is still yesterday there."""
    clock.move_to(datetime(2026, 11, 20, 18, 0, tzinfo=UTC))
    assert account.send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED).result is SendResult.ACCEPTED


def test_a_wrong_key_is_ours_to_mend(carrier: Carrier) -> None:
    outcome = an_account(carrier.base_url, secret_key="another").send(
        PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED
    )
    assert (outcome.result, outcome.code) == (SendResult.TRY_LATER, "AuthFailure.SignatureFailure")


# --- what is sent -------------------------------------------------------------------------------------------------


def test_a_message_is_sent_to_one_number_in_the_filed_words(account: TencentSms, carrier: Carrier) -> None:
    outcome = account.send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED)
    assert (outcome.result, outcome.code, outcome.serial) == (SendResult.ACCEPTED, "Ok", "2640:1")
    assert carrier.asked == [
        {
            "PhoneNumberSet": ["+8613800138000"],
            "SmsSdkAppId": APP_ID,
            "SignName": SIGN,
            "TemplateId": TEMPLATES[ShortMessageName.CLASS_CANCELLED],
            "TemplateParamSet": ["书法入门班", "12月3日18:30"],
        }
    ]
    assert carrier.headers[0]["X-TC-Region"] == REGION


def test_of_a_link_only_the_tail_is_sent(account: TencentSms, carrier: Carrier) -> None:
    """Tencent Cloud forbids a URL in a slot; its beginning stands in the filed text."""
    params = {"course": "书法", "starts": "12月3日18:30", "link": "https://wxaurl.cn/Slu6D4fXwRd"}
    assert account.send(PHONE, ShortMessageName.CLASS_CHANGED, params).result is SendResult.ACCEPTED
    assert carrier.asked[0]["TemplateParamSet"] == ["书法", "12月3日18:30", "Slu6D4fXwRd"]


@pytest.mark.parametrize(
    "link", ["https://example.com/x", "https://wxaurl.cn/", "https://wxaurl.cn/0123456789abc"]
)
def test_a_link_that_was_not_filed_is_not_sent(account: TencentSms, carrier: Carrier, link: str) -> None:
    params = {"course": "书法", "starts": "12月3日18:30", "link": link}
    assert account.send(PHONE, ShortMessageName.CLASS_CHANGED, params).result is SendResult.REFUSED
    assert carrier.asked == []


# --- what came of it ----------------------------------------------------------------------------------------------

LATER, NEVER, WHO_KNOWS = SendResult.TRY_LATER, SendResult.REFUSED, SendResult.UNKNOWN
CODES = [
    ("LimitExceeded.PhoneNumberDailyLimit", LATER),
    ("LimitExceeded.PhoneNumberThirtySecondLimit", LATER),
    ("LimitExceeded.PhoneNumberSameContentDailyLimit", NEVER),
    ("RequestLimitExceeded.UinLimitExceeded", LATER),
    ("ResourceUnavailable", LATER),
    ("FailedOperation.InsufficientBalanceInSmsPackage", LATER),
    ("FailedOperation.SignatureIncorrectOrUnapproved", LATER),
    ("FailedOperation.TemplateIncorrectOrUnapproved", LATER),
    ("UnauthorizedOperation.RequestIpNotInWhitelist", LATER),
    ("UnauthorizedOperation.SerivceSuspendDueToArrears", LATER),
    ("InternalError.RequestTimeException", LATER),
    ("FailedOperation.PhoneNumberInBlacklist", NEVER),
    ("FailedOperation.ContainSensitiveWord", NEVER),
    ("InvalidParameterValue.IncorrectPhoneNumber", NEVER),
    ("InvalidParameterValue.ProhibitedUseUrlInTemplateParameter", NEVER),
    ("InvalidParameter", NEVER),
    ("MissingParameter.EmptyPhoneNumberSet", NEVER),
    ("UnsupportedOperation.UnsupportedRegion", NEVER),
    ("FailedOperation.OtherError", WHO_KNOWS),
    ("InternalError.Timeout", WHO_KNOWS),
    ("InternalError.SendAndRecvFail", WHO_KNOWS),
    ("SomethingNew.NobodyHeardOf", WHO_KNOWS),
    ("LimitExceededLookalike", WHO_KNOWS),
]


@pytest.mark.parametrize(("code", "result"), CODES)
def test_the_status_of_a_number_says_what_came_of_it(
    account: TencentSms, carrier: Carrier, code: str, result: SendResult
) -> None:
    carrier.status = {"Code": code, "Message": f"+86{PHONE} {code}"}
    outcome = account.send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED)
    assert (outcome.result, outcome.code) == (result, code)
    assert PHONE not in outcome.reason


@pytest.mark.parametrize(("code", "result"), CODES)
def test_an_error_of_the_whole_call_says_the_same(
    account: TencentSms, carrier: Carrier, code: str, result: SendResult
) -> None:
    carrier.error = {"Code": code, "Message": "no"}
    assert account.send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED).result is result


def test_a_stall_leaves_us_not_knowing(account: TencentSms, carrier: Carrier) -> None:
    carrier.stalls_seconds = 1
    assert account.send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED).result is WHO_KNOWS
    assert len(carrier.asked) == 1  # asked once, never again


def test_a_reset_after_the_words_arrived_leaves_us_not_knowing(account: TencentSms, carrier: Carrier) -> None:
    carrier.resets = True
    assert account.send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED).result is WHO_KNOWS
    assert len(carrier.asked) == 1


@pytest.mark.parametrize(
    ("status", "result"), [(500, WHO_KNOWS), (502, WHO_KNOWS), (403, LATER), (429, LATER)]
)
def test_a_bad_http_status_is_told_apart(
    account: TencentSms, carrier: Carrier, status: int, result: SendResult
) -> None:
    carrier.http_status = status
    outcome = account.send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED)
    assert (outcome.result, outcome.reason) == (result, f"HTTP {status}")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"Response": null}',
        b'{"Response": {"SendStatusSet": []}}',
        b'{"Response": {"SendStatusSet": ["Ok"]}}',
        b'{"Response": {"SendStatusSet": [{"Code": "Ok"}, {"Code": "Ok"}]}}',
        b'{"Response": {"Error": null}}',
    ],
)
def test_an_answer_nobody_can_read_leaves_us_not_knowing(
    account: TencentSms, carrier: Carrier, body: bytes
) -> None:
    carrier.body = body
    assert account.send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED).result is WHO_KNOWS


@contextmanager
def nobody_there() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{nobody.getsockname()[1]}"


def test_where_nobody_listens_nothing_was_sent() -> None:
    with nobody_there() as address:
        outcome = an_account(address).send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED)
    assert (outcome.result, outcome.reason) == (LATER, "no connection")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_behind_a_proxy_that_is_away_nothing_was_sent(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody_there() as proxy:
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy)
        account = an_account(f"{scheme}://sms.example")
        outcome = account.send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED)
    assert (outcome.result, outcome.reason) == (LATER, "no connection")


def test_an_answer_that_never_ends_holds_up_nobody(account: TencentSms, carrier: Carrier) -> None:
    """The worker counts on being back before the lease is over."""
    carrier.body, carrier.drips_seconds = b" " * 50, 0.1
    began = time.monotonic()
    assert account.send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED).result is WHO_KNOWS
    assert time.monotonic() - began < 4
