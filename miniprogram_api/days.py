"""The day's list (每日新课): what a community published on one day, for the mini-program and as a page to pass on to anybody."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import Response, url_for

from miniprogram_api.edge import Door, Needs
from miniprogram_api.freshness import etag_of, unless_known
from miniprogram_api.schemas.courses import WORDS, label_of
from miniprogram_api.schemas.days import DayOut
from miniprogram_api.webpages import MANNERS, page_of_nothing, pages, written
from models import clock
from models.base import db, reading
from models.courses import ADMISSIONS, Day, day_of, say_audience
from models.errors import NotFound
from models.regions import region_by_key

door = Door("days", description="每日新课")

FRESH_SECONDS = 60


@door.get("/regions/<key:key>/days/<day:day>", needs=Needs.NOTHING, kept=True)
@door.gives(DayOut, refuses=(404,))
def show_day(key: str, day: date) -> dict[str, Any]:
    """每日新课

    What was published on a day in a place and still stands, with the days before and after on which anything was. On a day without
    anything it is empty and says so. ``share`` is what a link to it is called and where it leads.
    """
    session = db.session()
    shown = day_of(session, region_by_key(session, key), day)
    return {
        "region": shown.region,
        "on": shown.on,
        "says": shown.says,
        "number": shown.number,
        "runs": shown.runs,
        "before": shown.before,
        "after": shown.after,
        "share": {
            "title": shown.title,
            "path": f"/pages/courses/day?region={key}&date={day}",
            "page": _address(shown, day),
        },
    }


@pages.get("/days/<key:key>/<day:day>")
def show_page_of_day(key: str, day: date) -> Response:
    """The same as a page for whoever has no mini-program at hand: large letters, nothing that loads, nobody's name but the teachers'."""
    try:
        with reading() as session:
            shown = day_of(session, region_by_key(session, key), day)
            body = written(
                "day.html",
                day=shown,
                label_of=label_of,
                words=WORDS,
                admissions=ADMISSIONS,
                say_audience=say_audience,
                say=_say,
                before=shown.before and _address(shown, shown.before),
                after=shown.after and _address(shown, shown.after),
            )
    except NotFound as missing:
        return page_of_nothing(missing.message)
    encoded = body.encode()
    answer = unless_known(encoded, etag_of(encoded), kind="text/html", fresh_seconds=FRESH_SECONDS)
    answer.headers.update(MANNERS)
    return answer


@pages.get("/days/<path:rest>")
def show_that_there_is_no_such_day(rest: str) -> Response:
    """A link that was cut or grew a full stop on its way is told so on a page, too."""
    return page_of_nothing("没有找到这一天")


def _address(shown: Day, day: date) -> str:
    return url_for("pages.show_page_of_day", key=shown.region.key, day=day)


def _say(moment: datetime) -> str:
    local = clock.in_town(moment)
    return f"{local.month}月{local.day}日 星期{clock.weekday(local)} {local:%H:%M}"
