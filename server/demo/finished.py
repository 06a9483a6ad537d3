"""A class of the demo town that is over: who came, who completed it, and how they found it.

It is played through as it was, on a clock put back to those days; the town's own clock goes on afterwards as if nothing had been.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account, open_login, revoke_login
from models.courses import (
    AttendanceState,
    CourseRun,
    Evening,
    RunPlan,
    Tap,
    complete_run,
    give_feedback,
    open_course,
    plan_run,
    publish,
    register,
)
from models.courses.attendance import Mark, Recorder, mark_sheet
from models.courses.completing import COMPLETED_AFTER
from models.courses.registrations import Registration
from models.regions import Region
from models.residents import resident_of
from models.sites import Site, Venue
from server.demo.classes import EVENING

TITLE, CATEGORY, TEACHER, ROOM = "中国结编织", "生活美学", "唐老师", "手工教室"
DAYS_AGO = (20, 13, 6)
SEATS = 12
# how each of them found it, and which evenings they came to; who came once only did not complete it
SAID: Sequence[tuple[str, int | None, str | None]] = (
    ("111", 5, "老师讲得很细，材料也备得齐"),
    ("111", 5, None),
    ("110", 4, "教室有点小"),
    ("111", 5, "希望再开一期"),
    ("011", 4, None),
    ("100", None, None),
)
_CAME = {"1": AttendanceState.PRESENT, "0": AttendanceState.ABSENT}


def hold_a_class(session: Session, community: Region, people: Sequence[Account], *, now: datetime) -> None:
    """Let these people take a class that ended a few days ago."""
    starts, ends = EVENING
    days = [clock.in_town(now).date() - timedelta(days=ago) for ago in DAYS_AGO]
    venue = session.scalars(
        select(Venue)
        .join(Site, Site.id == Venue.site_id)
        .where(Site.region_id == community.id, Venue.name == ROOM)
    ).first()
    if venue is None:
        raise RuntimeError(f"the demo town has no {ROOM} in {community.name}")
    evenings = [
        Evening(
            datetime.combine(day, starts, clock.TOWN_ZONE),
            datetime.combine(day, ends, clock.TOWN_ZONE),
            venue,
        )
        for day in days
    ]
    opened_at = evenings[0].starts_at - timedelta(days=3)
    with clock.stopped_at(opened_at) as hand:
        plan = RunPlan(
            month=f"{days[0]:%Y-%m}",
            ordinal=1,
            teacher=TEACHER,
            teacher_is_person=True,
            capacity=SEATS,
            opens_at=opened_at,
            evenings=evenings,
            materials="剪刀",
        )
        run = plan_run(session, open_course(session, community, title=TITLE, category=CATEGORY), plan)
        publish(session, run)
        session.flush()
        logins = [open_login(session, account).key for account in people]
        for login_key in logins:
            register(session, Tap(run.key, login_key))
        for login_key in logins:
            revoke_login(session, login_key)
        seats = session.scalars(
            select(Registration).where(Registration.run_id == run.id).order_by(Registration.number)
        ).all()
        for number, meeting in enumerate(run.sessions):
            hand.move_to(meeting.ends_at)
            marks = [
                Mark(seat.key, _CAME[came[number]]) for seat, (came, _, _) in zip(seats, SAID, strict=True)
            ]
            mark_sheet(session, meeting, marks, may_correct=False, by=Recorder())
        hand.move_to(run.ends_at + COMPLETED_AFTER)
        complete_run(session, run)
        _say_how_it_was(session, run, people)


def _say_how_it_was(session: Session, run: CourseRun, people: Sequence[Account]) -> None:
    for account, (_, stars, words) in zip(people, SAID, strict=True):
        resident = resident_of(session, account)
        if resident is not None and stars is not None:
            give_feedback(session, run, resident, stars=stars, words=words, by_account_id=account.id)
