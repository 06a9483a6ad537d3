"""The push sender (消息推送): every event over real HTTP, three attempts, in good weather once and in order (wechat.md §8.3).

Pushes of one person travel on one line, so their order is kept; lines do not wait for each other. The weather makes what
happens on bad days happen on purpose: twice, an answer lost, out of order, late.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any, Literal
from zlib import crc32

from models import clock
from server.wechat_sandbox import events, posting
from server.wechat_sandbox.events import Event, Numbers
from server.wechat_sandbox.lines import Line
from server.wechat_sandbox.target import PushTarget

if TYPE_CHECKING:
    from server.wechat_sandbox.account import Account

ATTEMPTS = 3


@dataclass(frozen=True)
class Weather:
    """How pushes travel. WeChat does not tell how long it waits between attempts: ``retry_ms``."""

    duplicate: bool = False
    drop_first_answer: bool = False
    out_of_order: bool = False
    delay_ms: int = 0
    retry_ms: int = 100
    numbers: Numbers = "number"
    sent_events: bool = True


@dataclass(frozen=True)
class Attempt:
    """One time a push was sent. ``status`` is ``None`` where no answer was had; ``trouble`` says why."""

    at: datetime
    status: int | None
    answer: str = ""
    trouble: str = ""
    duplicate: bool = False

    @property
    def arrived(self) -> bool:
        """Whether WeChat takes the push for delivered. It does not say what a status other than 200 means: sent again."""
        return self.status == 200 and not self.trouble


@dataclass
class Push:
    """One event on its way: ``waiting``, then ``delivered`` or, after three attempts in vain, ``given_up``."""

    id: int
    event: Event
    state: Literal["waiting", "delivered", "given_up"] = "waiting"
    attempts: list[Attempt] = field(default_factory=list)


class Pushes:
    """The account's pushes. Without a target nothing is pushed and nothing kept."""

    def __init__(self, account: Account, *, lines: int, kept: int) -> None:
        self._account = account
        self._ids = count(1)
        self._lines = [Line(f"push-{place}") for place in range(lines)]
        self._gone = threading.Event()
        self.target: PushTarget | None = None
        self.weather = Weather()
        self.waiting: dict[int, Push] = {}
        self.settled: deque[Push] = deque(maxlen=kept)

    def tell(self, event: Event, *, after_seconds: float = 0.0) -> None:
        """Push an event, later or at once. Called under the account's lock."""
        if self.target is None:
            return
        push = Push(next(self._ids), event)
        self.waiting[push.id] = push
        delay = after_seconds + self.weather.delay_ms / 1000
        self.run_soon(
            event.openid, lambda: self._deliver(push), after_seconds=delay, swapped=self.weather.out_of_order
        )
        self._account.on_change()

    def run_soon(
        self, openid: str, job: Callable[[], None], *, after_seconds: float = 0.0, swapped: bool = False
    ) -> None:
        """Run a job on the person's line. ``swapped`` lets the next one overtake it."""
        line = self._lines[crc32(openid.encode()) % len(self._lines)]
        line.put(job, after_seconds=after_seconds, swapped=swapped)

    def release(self) -> None:
        """What waits for its time goes now."""
        for line in self._lines:
            line.hurry()

    def close(self) -> None:
        """Stop the lines; what has not been sent stays waiting."""
        self._gone.set()
        for line in self._lines:
            line.close()

    def about(self, openid: str | None) -> list[Push]:
        """The pushes about one person, or all, oldest first."""
        known = sorted([*self.settled, *self.waiting.values()], key=lambda push: push.id)
        return [push for push in known if openid is None or push.event.openid == openid]

    def as_row(self) -> dict[str, Any]:
        """What is kept between starts: the target, and what has not arrived yet."""
        target = self.target
        return {
            "target": [target.url, target.token, target.aes_key, target.mode, target.format]
            if target
            else None,
            "waiting": [events.as_row(push.event) for push in self.waiting.values()],
        }

    def take_up(self, row: dict[str, Any]) -> None:
        """Go on where an earlier start stopped."""
        self.target = PushTarget(*row["target"]) if row["target"] else None
        for each in row["waiting"]:
            self.tell(events.from_row(each))

    def _deliver(self, push: Push) -> None:
        for number in range(ATTEMPTS):
            target, weather = self.target, self.weather
            if target is None or self._gone.is_set():
                break
            attempt = self._attempt(
                push, target, weather, lose_answer=weather.drop_first_answer and number == 0
            )
            if attempt.arrived:
                if weather.duplicate:
                    self._attempt(push, target, weather, duplicate=True)
                self._settle(push, "delivered")
                return
            self._gone.wait(weather.retry_ms / 1000)
        if not self._gone.is_set():
            self._settle(push, "given_up")

    def _attempt(
        self,
        push: Push,
        target: PushTarget,
        weather: Weather,
        *,
        lose_answer: bool = False,
        duplicate: bool = False,
    ) -> Attempt:
        """Send the push once, signed anew. A lost answer was given, only WeChat did not hear it."""
        appid = self._account.appid
        body = target.body_of(push.event, appid=appid, numbers=weather.numbers)
        query, sent = target.address(body, openid=push.event.openid, appid=appid)
        try:
            heard = posting.call(
                "POST", target.url, query=query, body=sent.encode(), content_type=target.content_type
            )
        except posting.CannotReach as unreachable:
            attempt = Attempt(clock.now(), None, trouble=str(unreachable), duplicate=duplicate)
        else:
            trouble = "the answer was lost on purpose" if lose_answer else ""
            attempt = Attempt(clock.now(), heard.status, heard.text[:200], trouble, duplicate)
        with self._account.lock:
            push.attempts.append(attempt)
        return attempt

    def _settle(self, push: Push, state: Literal["delivered", "given_up"]) -> None:
        with self._account.lock:
            push.state = state
            self.waiting.pop(push.id, None)
            self.settled.append(push)
            self._account.on_change()
