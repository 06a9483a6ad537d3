"""One HTTP call as WeChat sees it: method, query, body. Content types are ignored, as WeChat ignores them (§1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from server.wechat_sandbox.answers import Refused


class Call:
    """A request to the WeChat side. ``dwell_seconds`` is how long it is to take; ``origin`` is where it was addressed."""

    def __init__(
        self, *, method: str, path: str, query_string: str, body: bytes, origin: str = "http://127.0.0.1"
    ) -> None:
        self.method = method
        self.path = path
        self.body = body
        self.origin = origin
        self.dwell_seconds = 0.0
        self._query_string = query_string

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The query parameters; of a repeated one the first counts."""
        return dict(reversed(parse_qsl(self._query_string, keep_blank_values=True)))

    @cached_property
    def json(self) -> dict[str, Any]:
        """The JSON object sent. Refuses an empty body (44002) and anything else (47001)."""
        if not self.body:
            raise Refused(44002)
        try:
            sent = json.loads(self.body)
        except (ValueError, RecursionError) as broken:
            raise Refused(47001) from broken
        if not isinstance(sent, dict):
            raise Refused(47001)
        return sent

    def require(self, method: str) -> None:
        """Refuse another method the way the older families do: 43001 or 43002."""
        if self.method != method:
            raise Refused(43001 if method == "GET" else 43002)

    def text(self, field: str) -> str:
        """A text of the JSON body; missing or of another type reads as empty."""
        value = self.json.get(field)
        return value if isinstance(value, str) else ""


def openid_in_body(_account: object, call: Call) -> str | None:
    """Whom a call with ``openid`` in its JSON is about."""
    return call.text("openid") or None if call.body else None


def openid_in_query(_account: object, call: Call) -> str | None:
    """Whom a call with ``openid`` in its query is about."""
    return call.query.get("openid") or None
