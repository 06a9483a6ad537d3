"""Where the gateway keeps WeChat's access token: one truth, renewed by one caller at a time (wechat.md §3).

``models.wechat_tokens.StoredTokenShelf`` is the shelf of production, shared by all processes; the one here serves a
single process.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from models import clock
from models.wechat_tokens import MARGIN, FetchedToken, SingleFlight

__all__ = ["FetchedToken", "ProcessTokenShelf", "TokenShelf"]


class TokenShelf(Protocol):
    """What the gateway needs of a shelf."""

    def fresh(self, now: datetime) -> str | None:
        """A token that will not expire soon, or ``None``."""
        ...

    def renew(self, fetch: Callable[[], FetchedToken], *, not_the_one: str | None) -> str:
        """A fresh token other than ``not_the_one``; ``fetch`` is called at most once, by one caller at a time.

        Where WeChat itself gives ``not_the_one`` again, that is returned: the caller compares. What ``fetch`` raises
        goes to everyone who waited for it.
        """
        ...


class ProcessTokenShelf:
    """A token kept in this process's memory."""

    def __init__(self) -> None:
        self._flight = SingleFlight()
        self._held: tuple[str, datetime] | None = None

    def fresh(self, now: datetime) -> str | None:
        """A token with more than the margin left, or ``None``."""
        held = self._held
        return held[0] if held is not None and held[1] - now > MARGIN else None

    def renew(self, fetch: Callable[[], FetchedToken], *, not_the_one: str | None) -> str:
        """See ``TokenShelf.renew``."""
        return self._flight.fly(lambda: self._renew(fetch, not_the_one), not_the_one=not_the_one)

    def _renew(self, fetch: Callable[[], FetchedToken], not_the_one: str | None) -> str:
        held = self.fresh(clock.now())
        if held is not None and held != not_the_one:
            return held
        fetched = fetch()
        self._held = fetched.token, clock.now() + timedelta(seconds=fetched.expires_in)
        return fetched.token
