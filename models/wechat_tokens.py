"""The one place all processes keep WeChat's access token (微信接口凭证).

One process renews, the others wait a moment and read the new one; a renewer that crashed loses its lease. The token is
ciphertext at rest. Everything here runs on connections of its own, apart from any request's transaction: fetching a
token takes seconds, and nothing may be locked meanwhile.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, Select, String, Update, insert, select, update
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from models import clock
from models.base import Base, EncryptedText, reader, writer
from models.errors import Unavailable

# From 300 s before its end WeChat gives a new token, and both work until then: asking earlier would only return the
# same one again.
MARGIN = timedelta(seconds=240)

LEASE = timedelta(seconds=20)
PATIENCE_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 0.05

_Row = Row[str | None, datetime | None, datetime | None, int]


@dataclass(frozen=True)
class FetchedToken:
    """What WeChat gave: the token and the seconds it has left."""

    token: str
    expires_in: int

    def __repr__(self) -> str:
        return f"FetchedToken(expires_in={self.expires_in})"


class WeChatToken(Base):
    """The token of one AppID. ``lease_holder`` is renewing it until ``lease_until``; ``failures`` counts vain renewals."""

    __tablename__ = "wechat_tokens"

    appid: Mapped[str] = mapped_column(String(64), unique=True)
    token: Mapped[str | None] = mapped_column(EncryptedText)
    expires_at: Mapped[datetime | None]
    lease_holder: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)


class SingleFlight:
    """Callers who come while a renewal is under way share its end, good or bad, instead of starting another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: tuple[str | None, Future[str]] | None = None

    def fly(self, renew: Callable[[], str], *, not_the_one: str | None) -> str:
        """The result of ``renew``, run by one of the callers present.

        A caller does not share a flight that set out for another reason and brought just the token this one cannot use.
        """
        while True:
            with self._lock:
                joined = self._under_way
                if joined is None:
                    flight: Future[str] = Future()
                    self._under_way = (not_the_one, flight)
            if joined is None:
                return self._lead(flight, renew)
            reason, shared = joined
            token = shared.result()
            if reason == not_the_one or token != not_the_one:
                return token

    def _lead(self, flight: Future[str], renew: Callable[[], str]) -> str:
        try:
            token = renew()
        except BaseException as failed:
            flight.set_exception(failed)
            raise
        else:
            flight.set_result(token)
            return token
        finally:
            with self._lock:
                self._under_way = None


class StoredTokenShelf:
    """The token of ``appid``, shared by every process on this database."""

    def __init__(self, *, appid: str, engine: Engine, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._appid = appid
        self._engine = engine
        self._patience_seconds = patience_seconds
        self._flight = SingleFlight()
        self._seen: tuple[str, datetime] | None = None

    def fresh(self, now: datetime) -> str | None:
        """A token with more than the margin left, or ``None``. Remembers what it read: no query per message.

        Raises ``Unavailable("wechat_unavailable")`` when the database is away.
        """
        seen = self._seen
        if seen is None or not _is_fresh(seen[1], now):
            with _database_may_be_away():
                seen = self._seen = _usable(self._read(), None)
        return seen[0] if seen is not None and _is_fresh(seen[1], now) else None

    def renew(self, fetch: Callable[[], FetchedToken], *, not_the_one: str | None) -> str:
        """A token other than ``not_the_one``: the one another process stored meanwhile, else what ``fetch`` gives.

        WeChat may give the same one again; the caller compares. Raises whatever ``fetch`` raises, and
        ``Unavailable("wechat_unavailable")`` when the process that renews fails or takes too long, or the database is away.
        """
        with _database_may_be_away():
            return self._flight.fly(lambda: self._renew(fetch, not_the_one), not_the_one=not_the_one)

    def _renew(self, fetch: Callable[[], FetchedToken], not_the_one: str | None) -> str:
        me = secrets.token_hex(8)
        give_up_at = time.monotonic() + self._patience_seconds
        failures: int | None = None
        while time.monotonic() < give_up_at:
            row = self._read()
            ready = _usable(row, not_the_one)
            if ready is not None:
                self._seen = ready
                return ready[0]
            if row is not None and failures is not None and row.failures > failures:
                break
            if (row is None or _is_free(row)) and self._take_lease(me, not_the_one):
                return self._fetch_and_store(fetch, me)
            failures = row.failures if row is not None and failures is None else failures
            time.sleep(_LOOK_AGAIN_SECONDS)
        raise _no_answer()

    def _fetch_and_store(self, fetch: Callable[[], FetchedToken], me: str) -> str:
        try:
            fetched = fetch()
        except BaseException:
            self._release(me, {"failures": WeChatToken.failures + 1})
            raise
        expires_at = clock.now() + timedelta(seconds=fetched.expires_in)
        self._release(me, {"token": fetched.token, "expires_at": expires_at})
        self._seen = fetched.token, expires_at
        return fetched.token

    def _take_lease(self, me: str, not_the_one: str | None) -> bool:
        """Become the one who renews. False when another was quicker, or a good token lies there already."""
        with writer(self._engine).begin() as connection:
            row = self._locked_row(connection)
            if row is None:
                return self._begin_row(connection, me)
            if _usable(row, not_the_one) is not None or not _is_free(row):
                return False
            connection.execute(self._change().values(lease_holder=me, lease_until=clock.now() + LEASE))
            return True

    def _begin_row(self, connection: Connection, me: str) -> bool:
        first = insert(WeChatToken).values(
            appid=self._appid, lease_holder=me, lease_until=clock.now() + LEASE, failures=0
        )
        try:
            with connection.begin_nested():
                connection.execute(first)
        except IntegrityError:
            return False
        return True

    def _release(self, me: str, values: dict[str, object]) -> None:
        """Write down how it ended, unless the lease lapsed and somebody else took over."""
        mine = self._change().where(WeChatToken.lease_holder == me)
        with writer(self._engine).begin() as connection:
            connection.execute(mine.values(lease_holder=None, lease_until=None, **values))

    def _read(self) -> _Row | None:
        with reader(self._engine).connect() as connection:
            return connection.execute(self._row()).one_or_none()

    def _locked_row(self, connection: Connection) -> _Row | None:
        return connection.execute(self._row().with_for_update()).one_or_none()

    def _row(self) -> Select[str | None, datetime | None, datetime | None, int]:
        return select(
            WeChatToken.token, WeChatToken.expires_at, WeChatToken.lease_until, WeChatToken.failures
        ).where(WeChatToken.appid == self._appid)

    def _change(self) -> Update:
        return update(WeChatToken).where(WeChatToken.appid == self._appid)


@contextmanager
def _database_may_be_away() -> Iterator[None]:
    """Without the shelf there is no token, which is a refusal like any other: whoever wanted one has sent nothing."""
    try:
        yield
    except DBAPIError:
        raise _no_answer() from None  # its text quotes the statement and its values


def _no_answer() -> Unavailable:
    return Unavailable("wechat_unavailable", "微信服务暂时没有响应，请稍后再试一次")


def _usable(row: _Row | None, not_the_one: str | None) -> tuple[str, datetime] | None:
    """The token that lies on the shelf and when it expires, if it is still fresh and not the refused one."""
    if row is None:
        return None
    token, expires_at, _, _ = row
    if token is None or expires_at is None or token == not_the_one or not _is_fresh(expires_at, clock.now()):
        return None
    return token, expires_at


def _is_free(row: _Row) -> bool:
    """Whether nobody renews: no lease, or one that lapsed with the process that held it."""
    return row.lease_until is None or row.lease_until <= clock.now()


def _is_fresh(expires_at: datetime, now: datetime) -> bool:
    return expires_at - now > MARGIN
