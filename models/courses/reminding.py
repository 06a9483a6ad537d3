"""Reminding (提醒) of classes, and whether what is told about a class is still the truth.

The day before at 18:00 and two hours before (domain.md §6, M3), once each: an evening moved to another time is another event and is
reminded of anew, one that was cancelled is not. What has become untrue since it was owed is not sent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, time, timedelta
from functools import cache

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from models import clock
from models.courses.registrations import LIVE, Registration, RegistrationState
from models.courses.runs import Course, CourseRun, CourseSession, RunState, SessionState
from models.notices import MOMENTS, Debt, News, NoticeKind, morning_after, owe_once
from models.policies import policies_at
from models.residents import Resident
from models.sites import Site, Venue

EVENING_BEFORE = time(18, 0)
HOURS_BEFORE = timedelta(hours=2)
NOTHING_TO_BRING = "请提前10分钟到场签到"

_ABOUT_AN_EVENING = (NoticeKind.CLASS_TOMORROW, NoticeKind.CLASS_SOON)


def owe_reminders(session: Session, now: datetime) -> int:
    """Owe every reminder that is due now and was not owed before; how many are new."""
    local = clock.in_town(now)
    soon = _debts(session, NoticeKind.CLASS_SOON, now, now + HOURS_BEFORE, now=now)
    tomorrow: list[Debt] = []
    if local.time() >= EVENING_BEFORE:
        midnight = datetime.combine(local.date() + timedelta(days=1), time(), clock.TOWN_ZONE)
        tomorrow = _debts(session, NoticeKind.CLASS_TOMORROW, midnight, midnight + timedelta(days=1), now=now)
    return owe_once(session.connection(), [*soon, *tomorrow])


def still_true(session: Session, news: Sequence[News]) -> set[int]:
    """The ids of those that still say the truth: the seat is held, the class stands, and is neither over nor moved.

    That somebody acted for a person is true as long as the registration is what they made it.
    """
    again = aliased(Registration)
    rows = session.execute(
        select(
            Registration.key,
            Registration.state,
            CourseRun.state,
            CourseRun.ends_at,
            select(again.id)
            .where(
                again.run_id == Registration.run_id,
                again.resident_id == Registration.resident_id,
                again.state.in_(LIVE),
                again.id != Registration.id,
            )
            .exists(),
        )
        .join(CourseRun, CourseRun.id == Registration.run_id)
        .where(Registration.key.in_({each.subject_key for each in news}))
    )
    now = clock.now()
    states = {
        key: (state, has_come_again)
        for key, state, run_state, ends_at, has_come_again in rows
        if run_state is RunState.PUBLISHED and ends_at > now
    }
    evenings = _standing_evenings(
        session, {str(each.facts["evening"]) for each in news if "evening" in each.facts}
    )
    return {
        each.id
        for each in news
        if each.subject_key in states and _is_so(each, *states[each.subject_key], evenings, now)
    }


def _is_so(
    news: News,
    state: RegistrationState,
    has_come_again: bool,
    evenings: Mapping[str, datetime],
    now: datetime,
) -> bool:
    if news.kind is NoticeKind.ACTED_FOR_YOU:
        if news.facts["gave_up"]:
            return state not in LIVE and not has_come_again
        return state in LIVE
    if state is not RegistrationState.CONFIRMED:
        return False
    return news.kind not in _ABOUT_AN_EVENING or _stands(evenings.get(news.facts["evening"]), news, now)


def _stands(starts_at: datetime | None, news: News, now: datetime) -> bool:
    return starts_at is not None and starts_at > now and starts_at.isoformat() == news.facts["starts_at"]


def _standing_evenings(session: Session, keys: Collection[str]) -> dict[str, datetime]:
    rows = session.execute(
        select(CourseSession.key, CourseSession.starts_at).where(
            CourseSession.key.in_(keys), CourseSession.state == SessionState.PLANNED
        )
    )
    return dict(rows.all())


def _debts(
    session: Session, kind: NoticeKind, after: datetime, before: datetime, *, now: datetime
) -> list[Debt]:
    rows = session.execute(
        select(
            Registration.key,
            Registration.by_account_id,
            Resident.account_id,
            Resident.name,
            CourseRun.key.label("run_key"),
            CourseRun.materials,
            CourseRun.region_id,
            Course.title,
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
        .join(Venue, Venue.id == CourseSession.venue_id)
        .join(Site, Site.id == Venue.site_id)
        .where(
            CourseSession.starts_at > after,
            CourseSession.starts_at < before,
            CourseSession.state == SessionState.PLANNED,
            CourseRun.state == RunState.PUBLISHED,
        )
        .order_by(CourseSession.starts_at, Registration.id)
    )
    debts = []
    policies = cache(lambda region_id: policies_at(session, region_id))
    for row in rows:
        accounts = sorted({account for account in (row.by_account_id, row.account_id) if account is not None})
        is_for_another = row.account_id is None or len(accounts) > 1
        debts.append(
            Debt(
                kind,
                subject_key=row.key,
                page_subject=row.run_key,
                account_ids=accounts,
                facts={
                    "course": row.title,
                    "starts_at": row.starts_at.isoformat(),
                    "place": f"{row.venue}（{row.site}）",
                    "remark": f"请带{row.materials}" if row.materials else NOTHING_TO_BRING,
                    "evening": row.evening,
                    "learner": row.name if is_for_another else "",
                },
                due_at=morning_after(policies(row.region_id), now)
                if MOMENTS[kind].waits_for_morning
                else now,
                version=f"{row.evening}:{int(row.starts_at.timestamp())}",
            )
        )
    return debts
