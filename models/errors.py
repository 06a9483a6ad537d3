"""Refusals (拒绝): how the town says no.

Saying no is part of the product: every refusal carries a stable ``code`` for programs, a Chinese sentence a resident
accepts, and plain ``details``. Rules raise them; the edge (API, console, commands) decides how each kind is shown.

    Refusal
    ├── NotFound      it is not there, or not yours to see
    ├── Forbidden     you are known, and may not
    ├── Conflict      the state of things does not allow it now
    ├── Invalid       what was sent cannot be right; names the field
    ├── Unauthenticated   we do not know who you are
    ├── Busy          try again in a moment
    ├── TooOften      you asked for this too often; try again later
    └── Unavailable   something outside our house does not answer
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One thing wrong with what was sent: where (``field``, dotted path or sheet cell), what, and a stable code."""

    field: str
    message: str
    code: str = "invalid"


class Refusal(Exception):
    """A deliberate no. ``code`` is stable and listed in the documentation; ``message`` is for the person.

    ``faults`` name the fields it is about, where it is about any.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        faults: Sequence[Fault] = (),
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.details: dict[str, Any] = dict(details or {})
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class NotFound(Refusal):
    """It does not exist, or it is not yours to see: an outsider cannot tell which."""

    def __init__(self, message: str = "没有找到，可能已经下架", *, code: str = "not_found") -> None:
        super().__init__(code, message)


class Forbidden(Refusal):
    """The person is known and may see it, but may not do this."""


class Conflict(Refusal):
    """The state of things does not allow it now; ``details`` say why and what to do."""


class Invalid(Refusal):
    """What was sent cannot be right. ``faults`` name every field at once."""

    def __init__(
        self, faults: Sequence[Fault], *, code: str = "invalid", message: str = "填写的内容有误，请检查后重试"
    ) -> None:
        super().__init__(code, message, faults=faults)


class Unauthenticated(Refusal):
    """No valid login stands behind the request."""

    def __init__(self, code: str = "login_needed", message: str = "请先登录") -> None:
        super().__init__(code, message)


class Busy(Refusal):
    """Too many at once; nothing was done. The same request may be sent again after ``retry_after`` seconds."""

    def __init__(
        self, code: str = "busy", message: str = "人太多啦，请稍等几秒再试", *, retry_after: int = 1
    ) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class TooOften(Refusal):
    """One person, or one address, asks for the same too often; nothing was done. To be asked again after ``retry_after`` seconds."""

    def __init__(
        self,
        code: str = "too_many_requests",
        message: str = "操作有点频繁，请稍等一会儿再试",
        *,
        retry_after: int,
    ) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class Unavailable(Refusal):
    """A service outside our house does not answer; nothing was half-written."""

    def __init__(self, code: str, message: str, *, retry_after: int = 5) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after
