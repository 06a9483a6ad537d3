"""Attempts (幂等): the client names its attempt with ``Idempotency-Key``, and the same attempt gets the same answer.

Sent again later, it is answered before anything is done. Sent twice at once, the slower one is rolled back, or is refused because of what
the quicker one did; either way it hears what the quicker one heard.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any, cast

from flask import Response, current_app, request
from marshmallow import Schema

from models.accounts import Account
from models.base import TownSession
from models.errors import Fault, Invalid
from models.kept_answers import keep, recall

LONGEST_ATTEMPT_KEY = 64
ATTEMPT_KEY = f"[!-~]{{1,{LONGEST_ATTEMPT_KEY}}}"
FORM = "multipart/form-data"


@dataclass(frozen=True)
class Attempt:
    """The name of an attempt, and a hash of what was asked with it, where and in which hat."""

    key: str
    asked: str


def attempt_named(identity: str) -> Attempt | None:
    """The attempt the request says it is, if it says so. Raises Invalid ``Idempotency-Key`` for what can be no name."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not re.fullmatch(ATTEMPT_KEY, key):
        raise Invalid([Fault("Idempotency-Key", f"请求编号为 1 到 {LONGEST_ATTEMPT_KEY} 个可见字符")])
    asked = f"{request.method} {request.full_path} {identity}\n".encode() + _what_was_sent()
    return Attempt(key, hashlib.sha256(asked).hexdigest())


def told_before(session: TownSession, account: Account, attempt: Attempt) -> Response | None:
    """What this attempt heard before. Raises Conflict ``idempotency_key_reused``."""
    kept = recall(session, account, attempt.key, asked=attempt.asked)
    return Response(kept.body, kept.status, mimetype="application/json") if kept else None


def told_meanwhile(session: TownSession, account: Account, attempt: Attempt) -> Response | None:
    """What the same attempt heard while this one was under way; whatever this one did is undone."""
    session.rollback()
    session.declare_reads()
    return told_before(session, account, attempt)


def keep_answer(
    session: TownSession,
    account: Account,
    attempt: Attempt,
    *,
    shape: type[Schema] | None,
    status: int,
    result: Any,
) -> None:
    """Keep what is about to be answered, in the transaction of the deed. Raises Busy when the same attempt was quicker."""
    session.flush()
    body = (
        cast("Response", current_app.json.response(shape().dump(result))).get_data(as_text=True)
        if shape
        else ""
    )
    keep(session, account, attempt.key, asked=attempt.asked, status=status, body=body)


def _what_was_sent() -> bytes:
    """The body, the same for the same attempt: the lines between the files of a form are drawn anew each time it is sent."""
    if request.mimetype != FORM:
        return request.get_data()
    said = [(name, value.encode(errors="replace")) for name, value in request.form.items(multi=True)]
    for name, file in request.files.items(multi=True):
        said.append((name, file.read()))
        file.seek(0)
    parts = sorted((name.encode(errors="replace"), hashlib.sha256(body).digest()) for name, body in said)
    return b"".join(hashlib.sha256(name).digest() + digest for name, digest in parts)
