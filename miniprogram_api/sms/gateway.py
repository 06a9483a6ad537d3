"""The SMS gateway (短信网关): the one way a short message leaves the house, and the truth about what came of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import structlog

from miniprogram_api.sms.console import ConsoleSms
from miniprogram_api.sms.provider import SmsOutcome, SmsProvider
from miniprogram_api.sms.templates import SMS_TEMPLATES, Unfit
from miniprogram_api.wechat import SendResult
from models.notices import ShortMessageName
from models.residents import is_mobile

log = structlog.get_logger()

# the demo's people; the range is nobody's, but a number nobody has today may be somebody's tomorrow
_DEMO_PHONE = re.compile(r"1990000[0-9]{4}")


class SmsGateway:
    """Sends through a provider; to demo phones (1990000xxxx) it only ever writes, whatever the provider.

    Without a provider nothing goes to anybody else: every message is refused, and whoever wanted it sent knows at once. ``written`` is where written messages are found. Safe for several threads as far as the provider is.
    """

    def __init__(self, provider: SmsProvider | None, *, written: ConsoleSms) -> None:
        self.written = written
        self._provider = provider

    @property
    def carries(self) -> bool:
        """Whether anybody carries messages for this house."""
        return self._provider is not None

    def send(self, phone: str, template: ShortMessageName, params: Mapping[str, str]) -> SmsOutcome:
        """Send one message, once: ``params`` are the template's slots by name. Never raises: the outcome tells.

        A number that is no mainland mobile is refused, and so are values that do not fill the template. May take as long as
        the provider's time-outs allow: never call it inside a transaction.
        """
        if not is_mobile(phone):
            return SmsOutcome(SendResult.REFUSED, reason="not a mainland mobile number")
        try:
            fitted = SMS_TEMPLATES[template].fitted(params)
        except Unfit as unfit:
            log.warning("sms_unfit", template=template.value, reason=str(unfit))
            return SmsOutcome(SendResult.REFUSED, reason=str(unfit))
        if _DEMO_PHONE.fullmatch(phone):
            return self.written.send(phone, template, fitted)
        if self._provider is None:
            return SmsOutcome(SendResult.REFUSED, reason="no carrier")
        return self._provider.send(phone, template, fitted)
