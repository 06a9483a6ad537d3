"""The screen in the room (签到屏): a page staff open where the class meets. Whoever has its link sees it; nobody logs in there.

It shows this half minute's code as digits and as a QR code, how long it is still good by the town's clock, and how many are here: numbers
alone, no names. It renews itself, and says so when it cannot. Nothing of it comes from anywhere else.
"""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import segno
from flask import Blueprint, Response, render_template, send_from_directory

from models import clock
from models.base import db
from models.courses import CourseSession
from models.courses.attendance import code_now, how_many_are_here, is_off, screen_behind, window_of
from models.errors import NotFound

PAGES = Path(__file__).parent / "pages"
# what a phone reads from the QR code, in the mini-program's own scanner: the evening, and the digits
SCANNED = "jiamenkou:check-in:{key}:{digits}"
_POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

blueprint = Blueprint("screens", __name__, template_folder=str(PAGES))


@blueprint.get("/screens/<string(length=48):token>")
def show_screen(token: str) -> Response:
    """The page as it is this second; a link that leads nowhere is told so on a page too."""
    session = db.session()
    try:
        screen = screen_behind(session, token)
    except NotFound as gone:
        return _page("gone.html", 404, message=gone.message)
    meeting, now = screen.meeting, clock.now()
    window = window_of(session, meeting)
    shown: dict[str, Any] = {
        "meeting": meeting,
        "starts": _when(meeting),
        "now": f"{clock.in_town(now):%H:%M:%S}",
        "is_off": is_off(meeting),
        "opens": None if window.has_opened(now) else _hour_of(window.opens_at),
        "is_over": now >= window.closes_at,
        "here": how_many_are_here(session, meeting),
        "expected": meeting.run.seats_taken,
    }
    if not (shown["is_off"] or shown["opens"] or shown["is_over"]):
        code = code_now(screen)
        shown |= {
            "digits": code.digits,
            "seconds": max(int((code.until - now).total_seconds()), 0),
            "picture": _picture(SCANNED.format(key=meeting.key, digits=code.digits)),
        }
    return _page("screen.html", 200, **shown)


@blueprint.get("/screens/<any('screen.css', 'screen.js', 'hall.css', 'hall.js'):name>")
def show_part(name: str) -> Response:
    """What the screens in the room and in the hall are made of."""
    return send_from_directory(PAGES, name, max_age=3600)


def _page(template: str, status: int, **shown: Any) -> Response:
    answer = Response(render_template(template, **shown), status, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["Referrer-Policy"] = "no-referrer"  # the address is the key to it
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _when(meeting: CourseSession) -> str:
    starts, ends = clock.in_town(meeting.starts_at), clock.in_town(meeting.ends_at)
    return f"{starts.month}月{starts.day}日 {starts:%H:%M}–{ends:%H:%M}"


def _hour_of(moment: datetime) -> str:
    """An hour ahead with its day, as one says it in the room: today's and tomorrow's by that name."""
    at, today = clock.in_town(moment), clock.today()
    days = {today: "今天", today + timedelta(days=1): "明天"}
    day = days.get(at.date(), f"{at.month}月{at.day}日 周{clock.weekday(at)}")
    return f"{day} {at:%H:%M}"


def _picture(text: str) -> str:
    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        drawn, kind="svg", xmldecl=False, svgns=False, omitsize=True, border=2, svgclass="qr", lineclass=None
    )
    return drawn.getvalue().decode()
