"""Problems (错误): every refusal and every fault on the wire in one shape, RFC 9457 ``application/problem+json``.

``{type, title, status, code, detail, errors?, details?, request_id}``: ``code`` for programs, ``detail`` the sentence for the
person, ``errors`` one entry a wrong field, ``details`` plain facts. One table maps the kinds of refusals to statuses; nothing
unexpected leaks its text.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import structlog
from flask import Flask, Response, g
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from models.errors import (
    Busy,
    Conflict,
    Fault,
    Forbidden,
    Invalid,
    NotFound,
    Refusal,
    TooOften,
    Unauthenticated,
    Unavailable,
)

log = structlog.get_logger()

STATUSES: dict[type[Refusal], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
    TooOften: 429,
    Busy: 503,
    Unavailable: 503,
}

# when the request itself was malformed: the code, and what a person reads
MALFORMED = {
    400: ("bad_request", "请求格式有误，请更新小程序后重试"),
    404: ("not_found", "没有找到，可能已经下架"),
    405: ("method_not_allowed", "不支持这样的操作"),
    413: ("too_large", "内容太大了，请减少一些再提交"),
    415: ("unsupported_media_type", "请求格式有误，请更新小程序后重试"),
}
MOST_FAULTS = 50
LONGEST_FIELD = 100
MOST_FRAMES = 12
HOUSE = Path(__file__).resolve().parents[1]
SORRY = "系统开小差了，请稍后再试；多次出现请联系社区"


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    faults: tuple[Fault, ...] = (),
    details: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """The answer that says no."""
    body: dict[str, Any] = {
        "type": f"urn:jiamenkou:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": g.get("request_id", ""),
    }
    if faults:
        body["errors"] = [
            {"field": f.field[:LONGEST_FIELD], "message": f.message, "code": f.code}
            for f in faults[:MOST_FAULTS]
        ]
    if details:
        body["details"] = details
    # what was sent may be quoted as a field's name, and need not be text that UTF-8 knows
    text = json.dumps(body, ensure_ascii=False).encode(errors="replace")
    return Response(text, status, headers, mimetype="application/problem+json")


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a kind of refusal."""
    return next(status for kind, status in STATUSES.items() if isinstance(refusal, kind))


def show_refusals(app: Flask) -> None:
    """Teach an app to answer every exception as a problem."""
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(HTTPException, _malformed)
    for trouble in (OperationalError, InterfaceError, IntegrityError, PoolTimeout):
        app.register_error_handler(trouble, _database_trouble)
    app.register_error_handler(Exception, _unexpected)


def _refused(refusal: Refusal) -> Response:
    headers = {}
    if isinstance(refusal, Busy | TooOften | Unavailable):
        headers["Retry-After"] = str(refusal.retry_after)
    if isinstance(refusal, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return problem(
        status_of(refusal),
        refusal.code,
        refusal.message,
        faults=refusal.faults,
        details=refusal.details,
        headers=headers,
    )


def _malformed(error: HTTPException) -> Response:
    status = error.code or 500
    # webargs says which field; everything else of werkzeug speaks of the request as a whole
    messages = (
        getattr(error, "data", {}).get("messages") if status == HTTPStatus.UNPROCESSABLE_ENTITY else None
    )
    if messages:
        return _refused(Invalid(tuple(_faults_in(messages))))
    code, sentence = MALFORMED.get(status, MALFORMED[400] if status < 500 else ("unexpected", SORRY))
    headers = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(error.valid_methods)
    return problem(status, code, sentence, headers=headers)


def _database_trouble(error: Exception) -> Response:
    log.error(
        "database_trouble",
        kind=type(error).__name__,
        driver=type(getattr(error, "orig", None)).__name__,
        frames=frames_of(error),
        request_id=g.get("request_id", ""),
    )
    return _refused(Busy("database_busy", "系统正忙，请稍等几秒再试"))


def _unexpected(error: Exception) -> Response:
    log.error(
        "unexpected",
        kind=type(error).__name__,
        frames=frames_of(error),
        request_id=g.get("request_id", ""),
    )
    return problem(500, "unexpected", SORRY)


def frames_of(error: BaseException) -> list[str]:
    """Where it went wrong, for the log: this house's frames and the one it broke in, the innermost last.

    File, line and function alone: the error's text may quote what people typed.
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        f for f in frames[:-1] if f.filename.startswith(f"{HOUSE}/") and "site-packages" not in f.filename
    ]
    kept = [*ours, *frames[-1:]][-MOST_FRAMES:]
    return [f"{frame.filename.removeprefix(f'{HOUSE}/')}:{frame.lineno} {frame.name}" for frame in kept]


def _faults_in(messages: Any, path: tuple[str, ...] = ()) -> Iterator[Fault]:
    """webargs' nested messages, flattened: ``{"json": {"consent": {"version": [..]}}}`` names ``consent.version``."""
    if isinstance(messages, dict):
        for name, below in messages.items():
            # the outermost name is the place (json, query); what is wrong with a shape as a whole is about where it stands
            yield from _faults_in(below, path if name == "_schema" else (*path, str(name)))
        return
    for message in messages if isinstance(messages, list) else [messages]:
        yield Fault(".".join(path[1:]) or "body", str(message))
