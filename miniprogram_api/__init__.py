"""The conversation with the phone (小程序接口): routes, shapes, login, and the WeChat gateway.

``open_doors`` hangs everything under ``/api/v1`` on an app. What the routes need of the installation ``server.app`` puts into
``app.extensions``; ``installed`` has a door to what several of them need. The others are ``seats`` (the committer of taps),
``push_secrets`` (none: WeChat tells nothing here) and ``scene_looks`` (the tally of looks).
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from flask import Flask, Response, g, request

from miniprogram_api import (
    accounts,
    content_checks,
    courses,
    desk,
    grants,
    ladder,
    notices,
    pushes,
    regions,
    residents,
    rights,
    scenes,
    staff,
    timetabling,
)
from miniprogram_api.document import document
from miniprogram_api.problems import show_refusals
from models import clock
from models.base import new_key

access_log = structlog.get_logger("access")

DOORS = (
    accounts.door,
    regions.door,
    residents.door,
    rights.door,
    courses.door,
    notices.door,
    grants.door,
    staff.door,
    timetabling.door,
    desk.door,
    ladder.door,
    scenes.door,
    content_checks.door,
)


def open_doors(app: Flask) -> None:
    """Hang the API and WeChat's push address on an app, with the API's document at ``/api/openapi.json`` and a page to read it at ``/api/docs``."""
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask's default provider has it
    app.json.sort_keys = False  # type: ignore[attr-defined]  # shapes keep their order
    app.before_request(_name_the_request)
    app.after_request(_sign_the_answer)
    show_refusals(app)
    document(app, DOORS)
    app.register_blueprint(pushes.blueprint)


def _name_the_request() -> None:
    g.request_id = new_key()
    g.began = time.perf_counter()


def _sign_the_answer(response: Response) -> Response:
    """Server time for countdowns, a name for the log, nothing private cached; one line in the log, without query or person."""
    headers: Any = response.headers
    headers["X-Request-Id"] = g.get("request_id", "")
    headers["X-Server-Time"] = clock.in_town(clock.now()).isoformat(timespec="milliseconds")
    headers.setdefault("Cache-Control", "no-store")
    headers["X-Content-Type-Options"] = "nosniff"
    access_log.info(
        "request",
        method=request.method,
        path=request.path,
        status=response.status_code,
        ms=round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
        request_id=g.get("request_id", ""),
    )
    return response
