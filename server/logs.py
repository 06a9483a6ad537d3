"""Logs (日志): one JSON line an event, for machines; aligned text when a person watches. No openid, phone, token or query."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

PRIVATE = frozenset({"openid", "unionid", "phone", "token", "code", "secret", "session_key", "access_token"})


def set_up_logs(level: str) -> None:
    """Send everything, ours and the libraries', to stderr. Calling it twice is fine."""
    renderer: Any = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _hide_private,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=lambda *_: structlog.PrintLogger(
            sys.stderr
        ),  # looked up anew: whoever redirects it means it
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s", force=True
    )


def _hide_private(_: object, __: str, event: Any) -> Any:
    for name in PRIVATE & event.keys():
        event[name] = "***"
    return event
