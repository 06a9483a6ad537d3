"""The sandbox's outgoing HTTP: to this machine only, five seconds, no redirects (wechat.md §8.3, §6.2)."""

from __future__ import annotations

import http.client
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlencode, urlsplit

PATIENCE_SECONDS = 5.0
_ANSWER_LIMIT = 64 * 1024


class CannotReach(Exception):
    """No answer was had. The text says why."""


@dataclass(frozen=True)
class Heard:
    """An HTTP answer. ``complete`` is false where the body was longer than asked for."""

    status: int
    body: bytes
    complete: bool = True

    @property
    def text(self) -> str:
        """The body as text, for reading."""
        return self.body.decode("utf-8", "replace")


def local_address(url: str) -> SplitResult:
    """The parts of an ``http`` URL on this machine. ValueError for any other: a sandbox calls nobody else."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError("expected an http:// URL")
    if parts.username or parts.password or parts.fragment:
        raise ValueError("the URL may not carry a login or a fragment")
    _ = parts.port  # ValueError when it is no port
    if not _is_loopback(parts.hostname):
        raise ValueError(f"the sandbox calls this machine only, not {parts.hostname}")
    return parts


def call(
    method: str,
    url: str,
    *,
    query: Mapping[str, str] | None = None,
    body: bytes | None = None,
    content_type: str | None = None,
    limit: int = _ANSWER_LIMIT,
) -> Heard:
    """One request, once. Raises CannotReach when nobody answers in time."""
    parts = local_address(url)
    asked = "&".join(part for part in (parts.query, urlencode(query or {})) if part)
    path = (parts.path or "/") + (f"?{asked}" if asked else "")
    headers = {"User-Agent": "Mozilla/4.0", "Accept": "*/*"} | (
        {"Content-Type": content_type} if content_type else {}
    )
    line = http.client.HTTPConnection(str(parts.hostname), parts.port or 80, timeout=PATIENCE_SECONDS)
    try:
        line.request(method, path, body=body, headers=headers)
        answer = line.getresponse()
        heard = answer.read(limit + 1)
    except TimeoutError as late:
        raise CannotReach(f"no answer within {PATIENCE_SECONDS:g} s") from late
    except (OSError, http.client.HTTPException, ValueError) as broken:
        raise CannotReach(f"no connection: {type(broken).__name__}") from broken
    finally:
        line.close()
    return Heard(answer.status, heard[:limit], complete=len(heard) <= limit)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
