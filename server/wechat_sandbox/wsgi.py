"""What gunicorn starts: ``gunicorn -w 1 -k gevent 'server.wechat_sandbox.wsgi:app()'`` (one process only)."""

from __future__ import annotations

import os
import re
from pathlib import Path

from flask import Flask

from server.wechat_sandbox import create_sandbox
from server.wechat_sandbox.templates import DEFAULT_TEMPLATES

DEFAULT_APPID = "wxsandbox000000001"
DEFAULT_SECRET = "sandbox-secret"  # noqa: S105 - it opens nothing but the sandbox

_real_appid = re.compile(r"wx[0-9a-f]{16}")


def app() -> Flask:
    """The sandbox as the environment describes it: ``WECHAT_APPID``, ``WECHAT_SECRET``, ``SANDBOX_STATE`` (a path).

    Refuses with RuntimeError to stand in for an account that exists: a real AppID belongs to the real WeChat.
    """
    appid = os.environ.get("WECHAT_APPID") or DEFAULT_APPID
    if _real_appid.fullmatch(appid):
        raise RuntimeError(f"WECHAT_APPID {appid} is a real one: the sandbox does not start beside it")
    state = os.environ.get("SANDBOX_STATE")
    return create_sandbox(
        appid=appid,
        secret=os.environ.get("WECHAT_SECRET") or DEFAULT_SECRET,
        templates=DEFAULT_TEMPLATES,
        state_file=Path(state) if state else None,
    )
