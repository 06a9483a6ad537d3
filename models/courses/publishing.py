"""Publishing (发布): from a clerk's draft to what everybody sees, and at last into the archive.

A draft is published at once, at the community's next hour of publishing, or at any later moment: ``published_at`` is from when
everybody sees it, so a scheduled run appears by the clock alone. Where a community wants a second pair of eyes
(``courses_reviewed``), a clerk submits and an administrator publishes or sends back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.courses.draws import Draw
from models.courses.planning import count_applicants
from models.courses.runs import LISTED, Admission, CourseRun, RunState
from models.errors import Conflict, Forbidden
from models.journal import enter
from models.policies import policies_at
from models.regions import Region, is_within
from models.staff import Role, StaffMember, places_of

ARCHIVED_AFTER = timedelta(days=30)


def submit(
    session: Session, run: CourseRun, *, by_account_id: int | None = None, identity: str = "town"
) -> None:
    """Hand a draft in for review (送审). Handing in twice is fine. Raises Conflict ``run_not_draft``."""
    run.lock()
    if run.state is RunState.IN_REVIEW:
        return
    if run.state is not RunState.DRAFT:
        raise Conflict("run_not_draft", "只有草稿可以送审")
    run.state, run.sent_back_because = RunState.IN_REVIEW, ""
    run.submitted_at = clock.now()
    enter(session, "course_run.submitted", run, by_account_id=by_account_id, identity=identity)
    session.flush()


def send_back(
    session: Session,
    run: CourseRun,
    *,
    because: str,
    by_account_id: int | None = None,
    identity: str = "town",
) -> None:
    """Give a submitted run back to whoever drafted it, with the reason (退回). Raises Conflict ``run_not_in_review``."""
    run.lock()
    if run.state is not RunState.IN_REVIEW:
        raise Conflict("run_not_in_review", "这个班没有在等审核")
    run.state, run.sent_back_because = RunState.DRAFT, because
    enter(
        session,
        "course_run.sent_back",
        run,
        by_account_id=by_account_id,
        identity=identity,
        details={"because": because},
    )
    session.flush()


def publish(
    session: Session,
    run: CourseRun,
    *,
    at: datetime | None = None,
    by_account_id: int | None = None,
    identity: str = "town",
) -> None:
    """Let everybody see a draft: now, or from a later moment on (定时发布), which may be changed until it has come.

    Publishing again what everybody sees changes nothing. Raises Conflict ``run_cancelled``, and ``published_too_late`` for a moment at
    which its first class has begun.
    """
    run.lock()
    now = clock.now()
    if run.state is RunState.CANCELLED:
        raise Conflict("run_cancelled", "这个班已取消，不能再发布")
    if run.state is RunState.ARCHIVED or (run.is_published and not run.is_scheduled):
        return
    moment = max(at or now, now)
    if at is not None and moment >= run.starts_at:
        raise Conflict("published_too_late", "发布时间要早于第一次课，请改早一些")
    if run.is_published and run.published_at == moment:
        return
    run.state, run.published_at, run.sent_back_because = RunState.PUBLISHED, moment, ""
    if run.admission is Admission.DRAW and not session.scalar(select(Draw.id).where(Draw.run_id == run.id)):
        session.add(Draw.promise(run))
    enter(
        session,
        "course_run.scheduled" if moment > now else "course_run.published",
        run,
        by_account_id=by_account_id,
        identity=identity,
        details={"at": moment.isoformat()} if moment > now else None,
    )
    session.flush()


def unpublish(
    session: Session, run: CourseRun, *, by_account_id: int | None = None, identity: str = "town"
) -> None:
    """Make a run a draft again (下架), its rooms kept. A draft stays one.

    Raises Conflict ``run_has_learners`` while anybody has a seat, waits or has applied, ``run_not_published`` for what was cancelled or is
    archived.
    """
    run.lock()
    if run.state is RunState.DRAFT:
        return
    if run.state not in (RunState.PUBLISHED, RunState.IN_REVIEW):
        raise Conflict("run_not_published", "这个班已取消或已归档，不能下架")
    applied = count_applicants(session, run)
    if run.seats_taken or run.waiting or applied:
        raise Conflict(
            "run_has_learners",
            f"已有 {run.seats_taken + run.waiting + applied} 人报名、候补或申请，不能下架；确实不办了请取消这个班，系统会通知大家",
            details={"seats_taken": run.seats_taken, "waiting": run.waiting},
        )
    run.state, run.published_at = RunState.DRAFT, None
    enter(session, "course_run.unpublished", run, by_account_id=by_account_id, identity=identity)
    session.flush()


def must_be_publisher(session: Session, member: StaffMember, run: CourseRun) -> None:
    """Raise Forbidden ``review_needed`` where a clerk's run must be reviewed by an administrator first."""
    is_admin = is_within(run.region, places_of(session, member, Role.ADMIN))
    if not is_admin and policies_at(session, run.region_id).courses_reviewed:
        raise Forbidden("review_needed", "本社区的课程要先送审，由管理员发布")


def next_publishing_hour(session: Session, region: Region) -> datetime:
    """The next moment at which this community publishes: today's hour while it has not come, else tomorrow's."""
    now, hour = clock.now(), policies_at(session, region.id).publishing_hour
    today = clock.in_town(now).replace(hour=hour.hour, minute=hour.minute, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


def archive_finished(session: Session, *, most: int) -> int:
    """Put away up to ``most`` runs whose last class ended ``ARCHIVED_AFTER`` ago (归档); how many. Lists leave them out."""
    over = session.scalars(
        select(CourseRun)
        .where(CourseRun.state.in_(LISTED), CourseRun.ends_at < clock.now() - ARCHIVED_AFTER)
        .order_by(CourseRun.id)
        .limit(most)
    ).all()
    archived = 0
    for run in over:
        run.lock()
        if (
            run.state in LISTED and run.ends_at < clock.now() - ARCHIVED_AFTER
        ):  # nobody added an evening meanwhile
            run.state = RunState.ARCHIVED
            enter(session, "course_run.archived", run)
            archived += 1
    session.flush()
    return archived
