"""The console (控制台): messages are written down instead of sent. What development, the demo and demo phones use."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from miniprogram_api.schemas.fields import masked_phone
from miniprogram_api.sms.provider import SmsOutcome
from miniprogram_api.sms.templates import SMS_TEMPLATES
from miniprogram_api.wechat import SendResult
from models.notices import ShortMessageName

log = structlog.get_logger()

MOST_KEPT = 200


@dataclass(frozen=True)
class WrittenSms:
    """One message that was written instead of sent."""

    phone: str = field(repr=False)
    template: ShortMessageName
    text: str = field(repr=False)


class ConsoleSms:
    """Writes one log line a message and remembers the last ``MOST_KEPT`` in ``sent``, the newest last.

    The line shows the words only where people are made up (``shows_words``): they may name somebody.
    """

    def __init__(self, *, shows_words: bool = False) -> None:
        self.sent: deque[WrittenSms] = deque(maxlen=MOST_KEPT)
        self._shows_words = shows_words
        self._lock = threading.Lock()
        self._written = 0

    def send(self, phone: str, template: ShortMessageName, params: Mapping[str, str]) -> SmsOutcome:
        """Write it down. Always accepted."""
        text = SMS_TEMPLATES[template].written_out(params)
        with self._lock:
            self._written += 1
            serial = f"written-{self._written}"
            self.sent.append(WrittenSms(phone, template, text))
        words = {"text": text} if self._shows_words else {}
        log.info("sms_written", to=masked_phone(phone), template=template.value, **words)
        return SmsOutcome(SendResult.ACCEPTED, serial=serial)
