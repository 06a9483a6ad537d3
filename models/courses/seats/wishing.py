"""Wishing (直接转正): whoever waits says whether a freed seat is theirs at once, or whether they want to be asked first."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.courses.registrations import LIVE, Registration
from models.courses.runs import CourseRun
from models.errors import NotFound
from models.journal import enter
from models.residents import Resident


def seat_directly(
    session: Session, run: CourseRun, learner: Resident, wanted: bool, *, by_account_id: int | None
) -> None:
    """Seat this person without asking when their turn comes, or ask them. Saying it twice is fine. Raises NotFound ``not_registered``."""
    run.lock()
    held = session.scalar(
        select(Registration).where(
            Registration.run_id == run.id,
            Registration.resident_id == learner.id,
            Registration.state.in_(LIVE),
        )
    )
    if held is None:
        raise NotFound("还没有报名", code="not_registered")
    if held.seats_directly is not wanted:
        held.seats_directly = wanted
        enter(
            session,
            "registration.seated_directly" if wanted else "registration.asked_first",
            held,
            by_account_id=by_account_id,
        )
    session.flush()
