"""The day's list (每日新课): what a place published on one day, as everybody may see it and pass it on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models import clock
from models.courses.listing import FIRST_DAY, LAST_DAY, with_all_that_is_shown
from models.courses.runs import CourseRun
from models.courses.saying import say_how_many
from models.regions import Region, regions_within

MOST_OF_A_DAY = 100
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Day:
    """What was published in a place on one day; the days before and after it on which anything was."""

    region: Region
    on: date
    runs: Sequence[CourseRun]
    number: int  # of all of them, also beyond the ``MOST_OF_A_DAY`` that are listed
    before: date | None
    after: date | None

    @property
    def title(self) -> str:
        """What a shared link is called."""
        return f"{self.region.name} {self.on.month}月{self.on.day}日新课"

    @property
    def says(self) -> str:
        """The day in a sentence."""
        if not self.number:
            return "这一天没有发布新课"
        titles = list(dict.fromkeys(run.course.title for run in self.runs))
        more = "等" if len(titles) > 3 else ""
        activities = sum(run.course.is_activity for run in self.runs)
        number = say_how_many(courses=self.number - activities, activities=activities)
        return f"新发布{number}：{'、'.join(titles[:3])}{more}"


def day_of(session: Session, region: Region, on: date) -> Day:
    """What was published on a day in a place and under it and still stands, by first evening. A day nobody published on is empty."""
    if not FIRST_DAY <= on < LAST_DAY:
        return Day(region, on, [], 0, None, None)  # no calendar goes there, and no database counts so far
    begins = datetime.combine(on, time(), clock.TOWN_ZONE)
    ends = begins + ONE_DAY
    that_day = (CourseRun.published_at >= begins, CourseRun.published_at < ends)
    runs = (
        session.scalars(
            with_all_that_is_shown(_seen(select(CourseRun).join(CourseRun.course), region))
            .where(*that_day)
            .order_by(CourseRun.starts_at, CourseRun.id)
            .limit(MOST_OF_A_DAY)
        )
        .unique()
        .all()
    )
    number = session.scalar(_seen(select(func.count(CourseRun.id)), region).where(*that_day)) or 0
    published = CourseRun.published_at  # the nearest first, not the least of all: that would read every one
    before = session.scalar(
        _seen(select(published), region).where(published < begins).order_by(published.desc()).limit(1)
    )
    after = session.scalar(
        _seen(select(published), region).where(published >= ends).order_by(published).limit(1)
    )
    return Day(region, on, runs, number, _date_of(before), _date_of(after))


def _seen(query: Select[Any], region: Region) -> Select[Any]:
    return query.where(
        CourseRun.stands_published(),
        CourseRun.published_at <= clock.now(),
        CourseRun.region_id.in_(regions_within(region)),
    )


def _date_of(moment: datetime | None) -> date | None:
    return None if moment is None else clock.in_town(moment).date()
