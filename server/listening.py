"""Listening (监听): the few settings that gunicorn needs before there is an application, read as ``server.settings`` reads them.

This imports nothing but the standard library: gunicorn's master loads it, and what it has loaded its gevent workers cannot patch.
"""

from __future__ import annotations

import os

DEFAULTS = {
    "BIND": "127.0.0.1",
    "PORT": "8000",
    "WEB_WORKERS": "2",
    "SANDBOX_PORT": "8001",
    "DATA_DIR": "./var",
}
MOST = {"PORT": 65535, "WEB_WORKERS": 64, "SANDBOX_PORT": 65535}


def said(name: str) -> str:
    """A setting as the environment has it; blank is the default."""
    return os.environ.get(name, "").strip() or DEFAULTS[name]


def number_said(name: str) -> int:
    """The same as a number. What is none is the default: the application is what refuses to start with it, by its name."""
    number = whole_number(said(name), most=MOST[name])
    return int(DEFAULTS[name]) if number is None else number


def whole_number(text: str, *, most: int, least: int = 1) -> int | None:
    """The number somebody wrote, None when it is no whole number in these bounds."""
    if text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most:
        return int(text)
    return None
