"""Tencent Cloud SMS (腾讯云短信): ``SendSms``, version 2021-01-11, one number a call.

A call is made once. What the answer's code says decides whether the message surely did not go out (and may later), never will, or
nobody knows. Keys stand in headers and numbers in bodies; neither leaves this module in a log line or a reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog

from miniprogram_api.outside import TimedSession, never_left
from miniprogram_api.sms.provider import SmsOutcome
from miniprogram_api.sms.signing import authorization
from miniprogram_api.sms.templates import SMS_TEMPLATES, Unfit
from miniprogram_api.wechat import SendResult
from models import clock
from models.notices import ShortMessageName

log = structlog.get_logger()

TENCENT_API = "https://sms.tencentcloudapi.com"
VERSION = "2021-01-11"
CONTENT_TYPE = "application/json; charset=utf-8"
LONGEST_REASON = 200

# The longest code or beginning of a code that fits decides; one we do not know is not sent again.
_RESULTS: Mapping[str, SendResult] = {
    "Ok": SendResult.ACCEPTED,
    # surely not sent, and may go out later
    "LimitExceeded": SendResult.TRY_LATER,
    "RequestLimitExceeded": SendResult.TRY_LATER,
    "ResourceUnavailable": SendResult.TRY_LATER,
    # the number had these very words as often as it may, or the limit is not one of time
    "LimitExceeded.PhoneNumberSameContentDailyLimit": SendResult.REFUSED,
    "LimitExceeded.PhoneNumberCountLimit": SendResult.REFUSED,
    "LimitExceeded.AppCountryOrRegionInBlacklist": SendResult.REFUSED,
    # never
    "FailedOperation": SendResult.REFUSED,
    "InvalidParameter": SendResult.REFUSED,
    "InvalidParameterValue": SendResult.REFUSED,
    "MissingParameter": SendResult.REFUSED,
    "UnknownParameter": SendResult.REFUSED,
    "UnsupportedOperation": SendResult.REFUSED,
    # nobody knows: it broke after it was taken
    "FailedOperation.OtherError": SendResult.UNKNOWN,
    "InternalError": SendResult.UNKNOWN,
}

# Our account, its papers or its money: nothing was sent, and everything will be once somebody here has mended it.
_OURS_TO_MEND = (
    "ActionOffline",
    "AuthFailure",
    "FailedOperation.FailResolvePacket",
    "FailedOperation.InsufficientBalanceInSmsPackage",
    "FailedOperation.JsonParseFail",
    "FailedOperation.SignatureIncorrectOrUnapproved",
    "FailedOperation.TemplateIdNotExist",
    "FailedOperation.TemplateIncorrectOrUnapproved",
    "InternalError.RequestTimeException",
    "InternalError.RestApiInterfaceNotExist",
    "InternalError.SigFieldMissing",
    "InternalError.SigVerificationFail",
    "InvalidAction",
    "InvalidParameterValue.SdkAppIdNotExist",
    "IpInBlacklist",
    "IpNotInWhitelist",
    "NoSuchProduct",
    "NoSuchVersion",
    "UnauthorizedOperation",
    "UnsupportedRegion",
)


class TencentSms:
    """One application of one Tencent Cloud account. Safe for several threads.

    ``templates`` are the provider's ids by our names; ``timeout`` is (connect, read) in seconds.
    """

    def __init__(
        self,
        *,
        base_url: str,
        secret_id: str,
        secret_key: str,
        app_id: str,
        sign: str,
        region: str,
        templates: Mapping[ShortMessageName, str],
        timeout: tuple[float, float] = (3, 8),
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._host = urlsplit(base_url).netloc
        self._secret_id = secret_id
        self._secret_key = secret_key
        self._app_id = app_id
        self._sign = sign
        self._region = region
        self._templates = dict(templates)
        self._http = TimedSession(base_url, timeout=timeout, connections=1)
        # A kept connection that the other side has closed meanwhile would leave us not knowing whether a message went out.
        self._http.headers["Connection"] = "close"

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def send(self, phone: str, template: ShortMessageName, params: Mapping[str, str]) -> SmsOutcome:
        """Send one message, once. Never raises."""
        try:
            values = SMS_TEMPLATES[template].as_filed(params)
        except Unfit as unfit:
            log.warning("sms_unfit", template=template.value, reason=str(unfit))
            return SmsOutcome(SendResult.REFUSED, reason=str(unfit))
        body = {
            "PhoneNumberSet": [f"+86{phone}"],
            "SmsSdkAppId": self._app_id,
            "SignName": self._sign,
            "TemplateId": self._templates[template],
            "TemplateParamSet": values,
        }
        try:
            answer = self._post("SendSms", body)
        except requests.RequestException as broken:
            if never_left(broken):
                return SmsOutcome(SendResult.TRY_LATER, reason="no connection")
            return SmsOutcome(SendResult.UNKNOWN, reason=type(broken).__name__)
        if not answer.ok:
            # a 4xx is of the front server, which passed nothing on; behind a 5xx anything may have happened
            result = SendResult.TRY_LATER if answer.status_code < 500 else SendResult.UNKNOWN
            return SmsOutcome(result, reason=f"HTTP {answer.status_code}")
        return _outcome_of(answer, phone=phone)

    def _post(self, action: str, sent: Mapping[str, Any]) -> requests.Response:
        body = json.dumps(sent, ensure_ascii=False).encode()
        moment = clock.now()
        headers = {
            "Authorization": authorization(
                secret_id=self._secret_id,
                secret_key=self._secret_key,
                service="sms",
                host=self._host,
                content_type=CONTENT_TYPE,
                body=body,
                moment=moment,
            ),
            "Content-Type": CONTENT_TYPE,
            "Host": self._host,
            "X-TC-Action": action,
            "X-TC-Region": self._region,
            "X-TC-Timestamp": str(int(moment.timestamp())),
            "X-TC-Version": VERSION,
        }
        return self._http.post(f"{self._base_url}/", data=body, headers=headers)


def _outcome_of(answer: requests.Response, *, phone: str) -> SmsOutcome:
    """What an answer of HTTP 200 says: an error of the whole call, or the status of our one number."""
    try:
        told = answer.json()["Response"]
        status = told["Error"] if "Error" in told else _only(told["SendStatusSet"])
        code = str(status["Code"])
    except (ValueError, KeyError, TypeError):
        return SmsOutcome(SendResult.UNKNOWN, reason="an answer nobody can read")
    serial = str(status.get("SerialNo") or "")
    if code == "Ok":
        return SmsOutcome(SendResult.ACCEPTED, code, serial)
    reason = str(status.get("Message") or "").replace(phone, "…")[:LONGEST_REASON]
    if any(_is_under(code, ours) for ours in _OURS_TO_MEND):
        log.error("sms_misconfigured", provider="tencent", errcode=code)
        return SmsOutcome(SendResult.TRY_LATER, code, serial, reason)
    return SmsOutcome(_result_of(code), code, serial, reason)


def _only(statuses: Any) -> Any:
    (status,) = statuses
    return status


def _result_of(code: str) -> SendResult:
    known = [name for name in _RESULTS if _is_under(code, name)]
    return _RESULTS[max(known, key=len)] if known else SendResult.UNKNOWN


def _is_under(code: str, name: str) -> bool:
    return code == name or code.startswith(f"{name}.")
