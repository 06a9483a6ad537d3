"""No answer outlives its purpose: they go with the person, and some time after the run."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import clock
from models.courses.questions.rows import RunAnswer, RunQuestion
from models.courses.runs import CourseRun
from models.policies import policies_at


def forget_answers_of(session: Session, residents: Collection[int]) -> None:
    """These people leave: nothing of what they answered stays."""
    session.execute(
        delete(RunAnswer).where(RunAnswer.resident_id.in_(residents)),
        execution_options={"synchronize_session": False},
    )


def forget_run_answers(session: Session) -> int:
    """Drop the answers to runs that were over ``answers_kept_days`` ago, as each community's policy says; how many."""
    asked = select(RunQuestion.run_id).join(RunAnswer, RunAnswer.question_id == RunQuestion.id)
    places = session.scalars(
        select(CourseRun.region_id)
        .where(CourseRun.id.in_(asked), CourseRun.ends_at <= clock.now())
        .distinct()
        .order_by(CourseRun.region_id)
    ).all()
    gone = 0
    for region_id in places:
        since = clock.now() - timedelta(days=policies_at(session, region_id).answers_kept_days)
        over = select(RunQuestion.id).join(CourseRun, CourseRun.id == RunQuestion.run_id)
        dropped = session.execute(
            delete(RunAnswer).where(
                RunAnswer.question_id.in_(
                    over.where(CourseRun.region_id == region_id, CourseRun.ends_at <= since)
                )
            ),
            execution_options={"synchronize_session": False},
        )
        gone += int(dropped.rowcount)  # type: ignore[attr-defined,unused-ignore]  # a DELETE's result always counts rows
    return gone
