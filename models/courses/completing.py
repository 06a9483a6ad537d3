"""Completing (结业): when a class is over, who came often enough has completed it and gets a certificate.

``COMPLETED_AFTER`` the last evening, when also a paper list has been entered, the town counts by itself: who came to at least
``completion_percent`` of the evenings anybody recorded. An evening nobody recorded counts for nobody, so where none was recorded at all
the town decides nothing: everybody who had a seat has completed the class when staff say so, and not before. Staff may also have it
counted anew after a correction; what was completed once stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.courses.attendance import RunTally, tally_of
from models.courses.attendance.records import anybody_was_recorded
from models.courses.certificates import issue
from models.courses.registrations import Registration, RegistrationState
from models.courses.runs import CourseRun, CourseSession, RunState, SessionState
from models.courses.seats.completing import complete_places
from models.errors import Conflict
from models.journal import enter
from models.policies import policies_at

COMPLETED_AFTER = timedelta(hours=12)


def complete_run(
    session: Session,
    run: CourseRun,
    *,
    by_account_id: int | None = None,
    identity: str = "town",
    by_their_word: bool = False,
) -> int:
    """Let whoever came often enough complete a class that is over, with a certificate each; how many more than before.

    ``by_their_word``: staff say so, also where no evening was recorded. Again changes nothing but what was corrected meanwhile. Raises
    Conflict ``completion_too_early`` before the last evening is over, ``run_cancelled``, and ``nobody_recorded`` where there is nothing to
    go by but staff's word.
    """
    run.lock()
    if run.state is RunState.CANCELLED:
        raise Conflict("run_cancelled", "已经取消了，请看看其他课程或活动")
    if run.ends_at > clock.now():
        raise Conflict("completion_too_early", "课程还没有结束，上完最后一次课才能办结业")
    tally = tally_of(session, run)
    if not tally.recorded and not by_their_word:
        raise Conflict("nobody_recorded", "这个班没有登记过签到，请由工作人员确认结业")
    seated = session.scalars(
        select(Registration)
        .options(joinedload(Registration.resident))
        .where(Registration.run_id == run.id, Registration.state == RegistrationState.CONFIRMED)
        .order_by(Registration.id)
    ).all()
    percent = policies_at(session, run.region_id).completion_percent
    enough = [mine for mine in seated if not tally.recorded or _came_enough(tally, mine.id, percent)]
    ids = complete_places(
        session, run, [mine.id for mine in enough], by_account_id=by_account_id, identity=identity
    )
    held = _held(session, run)
    all_of_it = sum((one.ends_at - one.starts_at for one in held), timedelta())
    for mine in enough:
        theirs = tally.of(mine.id)
        issue(
            session,
            mine,
            evenings=theirs.came if tally.recorded else len(held),
            held=tally.recorded or len(held),
            time_there=theirs.time_there if tally.recorded else all_of_it,
        )
    if run.completed_at is None or ids:
        run.completed_at = run.completed_at or clock.now()
        enter(
            session,
            "course_run.completed",
            run,
            by_account_id=by_account_id,
            identity=identity,
            details={"completed": len(ids), "recorded": tally.recorded},
        )
    session.flush()
    return len(ids)


def runs_to_complete(session: Session, *, most: int) -> Sequence[int]:
    """The ids of runs that are over, were recorded, and of which nothing has been decided yet, oldest first."""
    recorded = (
        select(CourseSession.id).where(CourseSession.run_id == CourseRun.id, anybody_was_recorded()).exists()
    )
    return session.scalars(
        select(CourseRun.id)
        .where(
            CourseRun.state == RunState.PUBLISHED,
            CourseRun.completed_at.is_(None),
            CourseRun.ends_at <= clock.now() - COMPLETED_AFTER,
            recorded,
        )
        .order_by(CourseRun.id)
        .limit(most)
    ).all()


def _came_enough(tally: RunTally, registration_id: int, percent: float) -> bool:
    came = tally.of(registration_id).came
    return came > 0 and came * 100 >= percent * tally.recorded


def _held(session: Session, run: CourseRun) -> Sequence[CourseSession]:
    return session.scalars(
        select(CourseSession).where(
            CourseSession.run_id == run.id,
            CourseSession.state == SessionState.PLANNED,
            CourseSession.ends_at <= clock.now(),
        )
    ).all()
