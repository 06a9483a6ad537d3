"""Reminding (提醒) of classes: the day before at 18:00 and two hours before (domain.md §6, M3), once each.

An evening moved to another time is another event and is reminded of anew, one that was cancelled is not.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import cache

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account
from models.courses.hearing import adults_of, registered_and_hears
from models.courses.registrations import Registration, RegistrationState
from models.courses.runs import Course, CourseKind, CourseRun, CourseSession, RunState, SessionState
from models.hearing import hearers
from models.notices import Debt, NoticeKind, goes_out_at, owe_once
from models.residents import Resident
from models.sites import Site, Venue

EVENING_BEFORE = time(18, 0)
HOURS_BEFORE = timedelta(hours=2)
NOTHING_TO_BRING = "请提前10分钟到场签到"
AT_AN_ACTIVITY = "请提前10分钟到集合地点签到"


def owe_reminders(session: Session, now: datetime) -> int:
    """Owe every reminder that is due now and was not owed before; how many are new."""
    local = clock.in_town(now)
    soon = _debts(session, NoticeKind.CLASS_SOON, now, now + HOURS_BEFORE, now=now)
    tomorrow: list[Debt] = []
    if local.time() >= EVENING_BEFORE:
        midnight = datetime.combine(local.date() + timedelta(days=1), time(), clock.TOWN_ZONE)
        tomorrow = _debts(session, NoticeKind.CLASS_TOMORROW, midnight, midnight + timedelta(days=1), now=now)
    return owe_once(session.connection(), [*soon, *tomorrow])


def _debts(
    session: Session, kind: NoticeKind, after: datetime, before: datetime, *, now: datetime
) -> list[Debt]:
    rows = session.execute(
        select(
            Registration.id,
            Registration.key,
            Account.id.label("by_account_id"),
            Resident.account_id,
            Resident.name,
            CourseRun.key.label("run_key"),
            CourseRun.materials,
            CourseRun.region_id,
            Course.title,
            Course.kind,
            CourseSession.key.label("evening"),
            CourseSession.starts_at,
            Venue.name.label("venue"),
            Site.name.label("site"),
        )
        .join(CourseRun, CourseRun.id == CourseSession.run_id)
        .join(Course, Course.id == CourseRun.course_id)
        .join(
            Registration,
            and_(Registration.run_id == CourseRun.id, Registration.state == RegistrationState.CONFIRMED),
        )
        .join(Resident, Resident.id == Registration.resident_id)
        .outerjoin(Account, registered_and_hears())
        .join(Venue, Venue.id == CourseSession.venue_id)
        .join(Site, Site.id == Venue.site_id)
        .where(
            CourseSession.starts_at > after,
            CourseSession.starts_at < before,
            CourseSession.state == SessionState.PLANNED,
            CourseRun.state == RunState.PUBLISHED,
        )
        .order_by(CourseSession.starts_at, Registration.id)
    ).all()
    adults = adults_of(session, [row.id for row in rows])
    debts = []
    due_at = cache(lambda region_id: goes_out_at(session, kind, region_id, now))
    for row in rows:
        told = hearers(
            own=row.account_id, registered_by=row.by_account_id, name=row.name, adult=adults.get(row.id)
        )
        debts.append(
            Debt(
                kind,
                subject_key=row.key,
                page_subject=row.run_key,
                account_ids=told.accounts,
                facts={
                    "course": row.title,
                    "starts_at": row.starts_at.isoformat(),
                    "place": f"{row.venue}（{row.site}）",
                    "remark": _remark(row.materials, row.kind),
                    "activity": row.kind is CourseKind.ACTIVITY,
                    "evening": row.evening,
                    "learner": told.learner,
                },
                due_at=due_at(row.region_id),
                version=f"{row.evening}:{int(row.starts_at.timestamp())}",
            )
        )
    return debts


def _remark(materials: str, kind: CourseKind) -> str:
    if materials:
        return f"请带{materials}"
    return AT_AN_ACTIVITY if kind is CourseKind.ACTIVITY else NOTHING_TO_BRING
