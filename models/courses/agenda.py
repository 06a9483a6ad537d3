"""The evenings on people's calendars (课表): of every class they have a seat in, and how often each was changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from models.courses.registrations import IN_CLASS, CancelledBy, Registration
from models.courses.runs import UNSEEN, CourseRun, CourseSession, SessionState
from models.journal import count_entries
from models.sites import Venue

_MOVED = ("course_session.moved",)
_REVISED = ("course_run.revised",)


def evenings_of(
    session: Session, residents: Collection[int], *, since: datetime, most: int
) -> list[tuple[Registration, CourseSession]]:
    """Up to ``most`` evenings that were not over at a moment, of every class these people have a seat in; in the order of time.

    A class the town called off is among them: a phone that has its evenings must hear that they are off.
    """
    has_seat = Registration.state.in_(IN_CLASS)
    was_called_off = and_(
        Registration.cancelled_by == CancelledBy.TOWN, Registration.confirmed_at.is_not(None)
    )
    rows = session.execute(
        select(Registration, CourseSession)
        .join(CourseRun, CourseRun.id == Registration.run_id)
        .join(CourseSession, CourseSession.run_id == CourseRun.id)
        .options(
            joinedload(CourseSession.venue).joinedload(Venue.site),
            contains_eager(CourseSession.run).joinedload(CourseRun.course),
        )
        .where(
            Registration.resident_id.in_(residents),
            or_(has_seat, was_called_off),
            CourseRun.state.not_in(UNSEEN),
            CourseSession.ends_at >= since,
        )
        .order_by(CourseSession.starts_at, CourseSession.id, Registration.id)
        .limit(most)
    )
    return [(mine, meeting) for mine, meeting in rows]


def changes_of_evenings(session: Session, meetings: Sequence[CourseSession]) -> dict[int, int]:
    """How often each evening was changed, by its id: what stands of it in the journal, and being called off."""
    by_id = count_entries(session, CourseSession, {one.id for one in meetings}, acts=_MOVED)
    by_run = count_entries(session, CourseRun, {one.run_id for one in meetings}, acts=_REVISED)
    return {
        one.id: by_id.get(one.id, 0) + by_run.get(one.run_id, 0) + (one.state is SessionState.CANCELLED)
        for one in meetings
    }
