"""Speaking to the houses outside (外面): what WeChat's gateway and that of the short messages have in common.

Whoever asks outside waits for a bounded time, follows no redirect, and knows afterwards whether what it sent can have arrived.
"""

from __future__ import annotations

import logging
import os
import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

# An answer is a picture at most. A broken proxy may send without end, or a byte now and then: neither may hold us up.
_LONGEST_ANSWER = 8 * 1024 * 1024
_READ_CHUNK = 64 * 1024


class TimedSession(requests.Session):
    """A session whose every request has a time limit, follows no redirect, and reads the proxy settings once.

    ``timeout`` is (connect, read) in seconds; an answer that has begun is over after twice their sum. ``connections`` are kept open at
    most. Safe for several threads.
    """

    def __init__(self, base_url: str, *, timeout: tuple[float, float], connections: int) -> None:
        super().__init__()
        self._timeout = timeout
        self.proxies.update(get_environ_proxies(base_url))
        self.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        self.trust_env = False
        for scheme in ("http://", "https://"):
            self.mount(scheme, HTTPAdapter(pool_connections=2, pool_maxsize=connections))

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """As requests does it, within the time limit; a redirect would carry what we sent elsewhere."""
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self._timeout
        kwargs["allow_redirects"] = False
        kwargs["stream"] = True
        answer = super().request(*args, **kwargs)
        with answer:  # what was read to its end goes back to the pool, what was not is hung up
            _read_whole(answer, within=2 * sum(self._timeout))
        return answer


def never_left(broken: BaseException) -> bool:
    """Whether the connection failed before the request was sent: then, and only then, nothing can have happened."""
    seen: list[object] = [broken]
    for each in seen:
        if isinstance(each, requests.ConnectTimeout | NewConnectionError | ConnectTimeoutError):
            return True
        if isinstance(each, BaseException):
            inside = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
            seen.extend(found for found in inside if isinstance(found, BaseException) and found not in seen)
    return False


def _read_whole(answer: requests.Response, *, within: float) -> None:
    """Take an answer in, as requests does it, but no longer than so many seconds, nor more than ``_LONGEST_ANSWER``."""
    give_up_at, read = time.monotonic() + within, bytearray()
    try:
        while piece := answer.raw.read1(_READ_CHUNK, decode_content=True):
            read += piece
            if len(read) > _LONGEST_ANSWER or time.monotonic() > give_up_at:
                raise requests.exceptions.ChunkedEncodingError("an answer without end")
    except (HTTPError, OSError) as broken:
        raise requests.exceptions.ConnectionError(broken) from broken
    answer._content, answer._content_consumed = bytes(read), True  # type: ignore[attr-defined]  # noqa: SLF001 - as its own ``content`` does


class _QueryLeftOut(logging.Filter):
    """urllib3 logs whole URLs at DEBUG, and WeChat's carry the secret, codes and tokens in the query."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args)
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_QueryLeftOut())
