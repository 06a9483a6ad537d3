"""Accepting (确认名额) the seat one is offered, while the offer stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from models.courses.registrations import CancelledBy, Registration, RegistrationState, Standing
from models.courses.runs import RunState
from models.courses.seats.asking import Ask, hold_people
from models.courses.seats.explaining import explain
from models.courses.seats.giving import held_by
from models.courses.seats.limits import look_into, must_leave_room
from models.courses.seats.telling import tell_of_seats
from models.courses.seats.writing import Held, journal
from models.errors import Conflict, NotFound, Refusal


def accept(connection: Connection, ask: Ask, now: datetime) -> Standing | Refusal:
    """Sit on the seat that is offered; who sits already gets the same answer.

    Refuses with ``run_cancelled`` where the class is off, ``offer_expired`` once its time is over, also before anybody wrote that down
    (E4), ``no_offer`` while one waits or has applied, with what ``must_leave_room`` finds in the way, and NotFound ``not_registered``
    without a place.
    """
    learner = ask.asker.learner
    mine = held_by(connection, [ask]).get((ask.run.id, learner.id)) if learner else None
    if learner is None or mine is None:
        return _no_place(connection, ask)
    if mine.standing.state is RegistrationState.CONFIRMED:
        return mine.standing
    try:
        _must_stand(ask, mine, now)
        hold_people(connection, [learner.id])
        grounds = look_into(connection, [(ask.run, learner)], now)
        must_leave_room(ask.run, learner, grounds, will_sit=True)
    except Refusal as refusal:
        explain(connection, [(ask, refusal)], now)
        return refusal
    connection.execute(
        update(Registration)
        .where(Registration.id == mine.id)
        .values(state=RegistrationState.CONFIRMED, confirmed_at=now, offer_expires_at=None)
    )
    seated = replace(mine.standing, state=RegistrationState.CONFIRMED, offer_expires_at=None)
    journal(connection, [("registration.accepted", mine.id, ask.asker, learner)], now)
    tell_of_seats(connection, [(ask, replace(mine, standing=seated))], now)
    return seated


def _must_stand(ask: Ask, mine: Held, now: datetime) -> None:
    if mine.standing.state is not RegistrationState.OFFERED:
        raise Conflict("no_offer", "现在还没有轮到您的名额，轮到时会通知您")
    if mine.standing.offer_expires_at is None or now >= mine.standing.offer_expires_at:
        raise Conflict("offer_expired", "确认的时间已过，名额转给了下一位；想要的话可以重新排队")


def _no_place(connection: Connection, ask: Ask) -> Refusal:
    """Whoever lost it with the class hears that, whoever let an offer go by that, everybody else that they hold nothing (E6)."""
    if ask.run.state is RunState.CANCELLED:
        return Conflict("run_cancelled", "已经取消了，请看看其他课程或活动")
    learner = ask.asker.learner
    if learner is not None:
        ended = connection.execute(
            select(Registration.cancelled_by)
            .where(Registration.run_id == ask.run.id, Registration.resident_id == learner.id)
            .order_by(Registration.id.desc())
            .limit(1)
        ).scalar_one_or_none()
        if ended is CancelledBy.EXPIRED:
            return Conflict("offer_expired", "确认的时间已过，名额转给了下一位；想要的话可以重新排队")
    return NotFound("还没有报名", code="not_registered")
