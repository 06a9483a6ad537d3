"""What the house asks of whoever carries its short messages (短信服务商)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from miniprogram_api.wechat import SendResult
from models.notices import ShortMessageName


@dataclass(frozen=True)
class SmsOutcome:
    """How a send ended. ``code`` and ``serial`` are the provider's; ``reason`` is for staff and free of personal data."""

    result: SendResult
    code: str = ""
    serial: str = ""
    reason: str = ""


class SmsProvider(Protocol):
    """Somebody who carries short messages."""

    def send(self, phone: str, template: ShortMessageName, params: Mapping[str, str]) -> SmsOutcome:
        """Send one message, once, to a mainland mobile number. Never raises: the outcome tells.

        ``params`` are the template's slots by name, fitted already.
        """
        ...
