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
    absences,
    accounts,
    agreements,
    attendance,
    availability,
    certificates,
    claim_desk,
    claim_photos,
    claims,
    closures,
    content_checks,
    counter,
    courses,
    credit,
    days,
    departments,
    desk,
    equipment,
    families,
    feedback,
    feeds,
    follows,
    grants,
    groups,
    inductions,
    issue_orders,
    joining,
    joint_meetings,
    ladder,
    my_claims,
    notices,
    pairings,
    partners,
    photos,
    pick_ups,
    planning,
    pushes,
    questions,
    regions,
    registering,
    reservations,
    residents,
    rights,
    room_calendar,
    room_desk,
    room_questions,
    room_sheets,
    room_utilisation,
    rosters,
    scenes,
    screens,
    seats,
    sites,
    staff,
    timetabling,
    today,
    units,
    venue_policies,
    webpages,
    wish_desk,
    wish_figures,
    wishes,
)
from miniprogram_api.document import PREFIX, document
from miniprogram_api.problems import show_refusals
from models import clock
from models.base import new_key

access_log = structlog.get_logger("access")

# addresses below these are themselves the key to something
SECRETS_BELOW = (f"{PREFIX}/calendars/", f"{PREFIX}/room-calendars/", "/screens/")

DOORS = (
    accounts.door,
    regions.door,
    residents.door,
    rights.door,
    courses.door,
    seats.door,
    days.door,
    notices.door,
    follows.door,
    grants.door,
    staff.door,
    planning.door,
    sites.door,
    venue_policies.door,
    availability.door,
    today.door,
    equipment.door,
    inductions.door,
    reservations.door,
    room_desk.door,
    closures.door,
    room_questions.door,
    room_calendar.door,
    room_utilisation.door,
    room_sheets.door,
    credit.door,
    photos.door,
    timetabling.door,
    rosters.door,
    attendance.door,
    absences.door,
    pick_ups.door,
    questions.door,
    feeds.door,
    feedback.door,
    certificates.door,
    desk.door,
    ladder.door,
    scenes.door,
    content_checks.door,
    counter.door,
    registering.door,
    families.door,
    groups.door,
    partners.door,
    pairings.door,
    units.door,
    wishes.door,
    claims.door,
    my_claims.door,
    wish_desk.door,
    wish_figures.door,
    claim_desk.door,
    claim_photos.door,
    issue_orders.door,
    joint_meetings.door,
    departments.door,
    agreements.door,
    joining.door,
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
    app.register_blueprint(webpages.pages)
    app.register_blueprint(screens.blueprint)


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
        path=_path_without_secrets(),
        status=response.status_code,
        ms=round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
        request_id=g.get("request_id", ""),
    )
    return response


def _path_without_secrets() -> str:
    """The address that was asked for; one that is itself the key to something is logged as the rule it fits."""
    if request.url_rule is not None and "token" in (request.view_args or {}):
        return str(request.url_rule)
    # one that fits no rule, or is asked for in another way, may still hold the key
    return next((f"{secret}…" for secret in SECRETS_BELOW if request.path.startswith(secret)), request.path)
