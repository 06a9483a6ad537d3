"""More of what people and tests order (``/_sandbox/…``): latency, visits, verdicts on texts and pictures."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import cast

from flask import Blueprint, Response, jsonify

from server.wechat_sandbox.asked import Asked, BadField, account
from server.wechat_sandbox.content import LABELS, Suggest, Verdict
from server.wechat_sandbox.faults import EVERYWHERE
from server.wechat_sandbox.wire import ROUTES

orders = Blueprint("orders", __name__, url_prefix="/_sandbox")

_word_shape = re.compile(r"[^\x00-\x1f\ud800-\udfff]{1,100}")
_LONGEST_LATENCY_MS = 120_000
_LONGEST_EXAMINATION_MS = 1_800_000


@orders.post("/latency")
def order_latency() -> Response:
    """``{path, answer_ms}``: how long every answer of a path takes from now on; ``*`` is every path."""
    asked = Asked("path", "answer_ms")
    path = asked.body.get("path")
    if path != EVERYWHERE and path not in ROUTES:
        raise BadField("path", f"expected * or one of {', '.join(ROUTES)}")
    answer_ms = asked.number("answer_ms", default=0, least=0, most=_LONGEST_LATENCY_MS) or 0
    sandbox = account()
    with sandbox.lock:
        sandbox.latency_ms.update(dict.fromkeys(ROUTES if path == EVERYWHERE else [str(path)], answer_ms))
        shown = dict(sandbox.latency_ms)
    return jsonify(latency_ms=shown)


@orders.post("/visits")
def visit() -> tuple[str, int]:
    """``{openid}``: the person opens the mini-program now, which content checks ask for (§6.1)."""
    asked = Asked("openid")
    sandbox = account()
    with sandbox.lock:
        sandbox.visit(asked.phone())
    return "", HTTPStatus.NO_CONTENT


@orders.post("/content-words")
def order_word() -> tuple[str, int]:
    """``{word, suggest: pass|review|risky, label?}``: the verdict on texts that contain the word."""
    asked = Asked("word", "suggest", "label")
    word, verdict = asked.text("word", _word_shape), _verdict(asked)
    sandbox = account()
    with sandbox.lock:
        sandbox.checks.words[word] = verdict
    return "", HTTPStatus.NO_CONTENT


@orders.post("/media-verdicts")
def order_media_verdict() -> tuple[str, int]:
    """``{mark, suggest, label?}``: the verdict on media whose address contains ``mark``, or whose SHA-256 it is (hex)."""
    asked = Asked("mark", "suggest", "label")
    mark, verdict = asked.text("mark", _word_shape), _verdict(asked)
    sandbox = account()
    with sandbox.lock:
        sandbox.checks.marks[mark] = verdict
    return "", HTTPStatus.NO_CONTENT


@orders.post("/media-delay")
def order_media_delay() -> tuple[str, int]:
    """``{delay_ms}``: how long an examination takes, up to 30 minutes (§6.2)."""
    asked = Asked("delay_ms")
    delay = asked.number("delay_ms", default=0, least=0, most=_LONGEST_EXAMINATION_MS) or 0
    sandbox = account()
    with sandbox.lock:
        sandbox.checks.media_delay_seconds = delay / 1000
    return "", HTTPStatus.NO_CONTENT


def _verdict(asked: Asked) -> Verdict:
    suggest = cast("Suggest", asked.text("suggest", re.compile("pass|review|risky")))
    label = asked.number("label", default=100 if suggest == "pass" else 21000, least=100, most=21000) or 0
    if label not in LABELS:
        raise BadField("label", f"expected one of {sorted(LABELS)}")
    return Verdict(suggest, label)
