"""A carrier of short messages (短信服务商) at the edge of the house: it does what it is told, and remembers whom it went to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from miniprogram_api.sms import SmsOutcome
from miniprogram_api.wechat import SendResult
from models.notices import ShortMessageName

TAKEN = SmsOutcome(SendResult.ACCEPTED, "Ok", "2640:1")


class Postman:
    """A provider whose next answers are ``answers``, one a message; after them it takes everything. Safe for several threads.

    ``before`` is called with the phone before it answers.
    """

    def __init__(self) -> None:
        self.answers: list[SmsOutcome] = []
        self.carried: list[tuple[str, ShortMessageName, dict[str, str]]] = []
        self.before: Callable[[str], None] = lambda phone: None
        self._lock = threading.Lock()

    def send(self, phone: str, template: ShortMessageName, params: Mapping[str, str]) -> SmsOutcome:
        """Carry it, or not, as it was told."""
        self.before(phone)
        with self._lock:
            self.carried.append((phone, template, dict(params)))
            return self.answers.pop(0) if self.answers else TAKEN

    @property
    def phones(self) -> list[str]:
        """Whom it went to, in order."""
        return [phone for phone, _, _ in self.carried]
