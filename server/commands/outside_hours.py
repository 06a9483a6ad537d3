"""Outside the hours (不在开放时间的): what a command says of what nobody opens the door for, now that the calendar or the hours have changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from models import clock
from models.availability import stretch_of_day
from models.base import reading
from models.coordination.closures import (
    LOOKS_AHEAD,
    Affected,
    Noun,
    count_outside_hours,
    outside_hours,
    sites_to_count,
)
from models.sites import Site
from server.commands.speaking import say
from server.jobs import rooms

_COUNTED = {Noun.COURSE_SESSION: "节课", Noun.RESERVATION: "个预约", Noun.SERVICE_HOLD: "个单位服务时段"}


def say_outside_hours(on: date | None = None) -> None:
    """Count for the desk anew, and say how many there are: of a day that changed at each site, and of the next two weeks altogether."""
    changed = rooms.count_outside_hours(clock.now())
    with reading() as session:
        if on is not None:
            _say_of_day(session, on)
        number = sum(count_outside_hours(session, clock.now()).values())
    if number:
        say(f"今后两周共有 {number} 项不在开放时间，已列入工作人员待办")
    elif changed:
        say("今后两周没有不在开放时间的课和预约了")


def _say_of_day(session: Session, on: date) -> None:
    found = False
    for site_id in sites_to_count(session):
        site = session.get_one(Site, site_id)
        outside = outside_hours(session, site, stretch_of_day(on))
        if outside:
            found = True
            say(f"{on.isoformat()} 不在开放时间：{site.region.name} {site.name} {_told(outside)}")
    if found and stretch_of_day(on).starts_at >= clock.now() + LOOKS_AHEAD:
        say("离这一天还有两周时，会列入工作人员待办")


def _told(outside: Sequence[Affected]) -> str:
    numbers = Counter(one.noun for one in outside)
    return "、".join(f"{numbers[noun]} {word}" for noun, word in _COUNTED.items() if numbers[noun])
