"""The demo town's activity: something neighbours come to once, with somebody beside them, planned as a clerk would one by one."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from models import clock
from models.courses import CourseKind, Evening, RunPlan, Seating, make_run, open_course, publish
from models.regions import Region
from models.sites import venues_within


def hold_an_activity(session: Session, region: Region, now: datetime) -> None:
    """Plan and publish it, six days ahead in the afternoon; one may register at once."""
    room = next(venue for venue in venues_within(session, region) if venue.name == "手工教室")
    starts_at = clock.in_town(now).replace(hour=14, minute=30, second=0, microsecond=0) + timedelta(days=6)
    activity = open_course(session, region, title="邻里包饺子", category="节日活动", kind=CourseKind.ACTIVITY)
    plan = RunPlan(
        month="",
        ordinal=0,
        teacher="社区志愿者",
        teacher_is_person=False,
        capacity=16,
        opens_at=now,
        evenings=[Evening(starts_at, starts_at + timedelta(hours=2), room)],
        materials="围裙",
        seating=Seating(most_companions=1),
    )
    publish(session, make_run(session, activity, plan))
