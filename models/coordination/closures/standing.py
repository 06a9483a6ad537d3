"""Standing (还要不要问): whether what somebody was asked about is where the question says, and theirs still.

What is given up, called off or moved anew after it was asked about needs no answer: nobody reads the question any more, nobody is called about it,
and when its time is over it is written down as moot.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from models.coordination.closures.rows import ClosureEffect, MoveQuestion
from models.courses import CourseSession, Registration, RegistrationState, SessionState
from models.reservations import Reservation, ReservationState

_THEIRS = (ReservationState.PENDING, ReservationState.APPROVED)


def is_still_so(question: MoveQuestion) -> bool:
    """Whether what is asked about is still where the question says, and still theirs."""
    there = (question.effect.to_venue_id, question.effect.to_starts_at, question.effect.to_ends_at)
    one, meeting, registration = question.reservation, question.meeting, question.registration
    if one is not None:
        return one.state in _THEIRS and (one.venue_id, one.starts_at, one.ends_at) == there
    return (
        registration is not None
        and registration.state is RegistrationState.CONFIRMED
        and meeting is not None
        and meeting.state is SessionState.PLANNED
        and (meeting.venue_id, meeting.starts_at, meeting.ends_at) == there
    )


def still_so() -> ColumnElement[bool]:
    """The same as a condition on a question."""
    effect = ClosureEffect.__table__.alias()
    of_it = effect.c.id == MoveQuestion.effect_id
    room = select(Reservation.id).where(
        of_it,
        Reservation.id == MoveQuestion.reservation_id,
        Reservation.state.in_(_THEIRS),
        Reservation.venue_id == effect.c.to_venue_id,
        Reservation.starts_at == effect.c.to_starts_at,
        Reservation.ends_at == effect.c.to_ends_at,
    )
    seat = select(Registration.id).where(
        of_it,
        Registration.id == MoveQuestion.registration_id,
        Registration.state == RegistrationState.CONFIRMED,
        CourseSession.id == MoveQuestion.session_id,
        CourseSession.state == SessionState.PLANNED,
        CourseSession.venue_id == effect.c.to_venue_id,
        CourseSession.starts_at == effect.c.to_starts_at,
        CourseSession.ends_at == effect.c.to_ends_at,
    )
    return room.correlate(MoveQuestion).exists() | seat.correlate(MoveQuestion).exists()
