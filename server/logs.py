"""Logs (日志): one JSON line an event, for machines; aligned text when a person watches. No openid, phone, token or query."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from miniprogram_api.problems import frames_of

PRIVATE = frozenset({"openid", "unionid", "phone", "token", "code", "secret", "session_key", "access_token"})


def set_up_logs(level: str) -> None:
    """Send everything, ours and the libraries', to stderr. Calling it twice is fine."""
    renderer: Any = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    signed: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_private,
    ]
    structlog.configure(
        processors=[*signed, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=lambda *_: structlog.PrintLogger(
            sys.stderr
        ),  # looked up anew: whoever redirects it means it
        cache_logger_on_first_use=False,
    )
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *signed],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _tell_the_place,
                renderer,
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[libraries], force=True)


def _hide_private(_: object, __: str, event: Any) -> Any:
    for name in PRIVATE & event.keys():
        event[name] = "***"
    return event


def _tell_the_place(_: object, __: str, event: Any) -> Any:
    """What a library raised, as ours is told: its kind and its place, for its text may quote people."""
    raised = event.pop("exc_info", None)
    error = raised[1] if isinstance(raised, tuple) else None
    if error is not None:
        event |= {"kind": type(error).__name__, "frames": frames_of(error)}
    return event
