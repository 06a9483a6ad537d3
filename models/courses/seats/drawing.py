"""Drawing (抽签): once, at its time, all at once, so that anybody can repeat it (``models.courses.draws``).

The lowest lots get the seats; the next wait, in the order of their lots, as many as the queue holds; the others are told no. Everybody
hears. Seats that are left are given as people come (补录).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.courses.draws import Draw, in_order_of_lots, lot_of
from models.courses.receipts import Reason, Why, keep_receipts
from models.courses.registrations import Registration, RegistrationState
from models.courses.runs import Admission, CourseRun, RunState
from models.courses.seats.applicants import (
    Outcome,
    applicants_of,
    not_selected,
    seated,
    waiting,
    write_outcomes,
)
from models.courses.seats.asking import LockedRun, hold_people, lock_runs
from models.courses.seats.limits import look_into
from models.courses.seats.telling import tell_of_offers, tell_of_outcomes
from models.courses.seats.writing import journal, write_counters
from models.errors import Conflict, NotFound
from models.journal import enter

PHRASES = {
    RegistrationState.CONFIRMED: ("已中签", ""),
    RegistrationState.WAITLISTED: ("未中签", "您在候补队伍里，有名额会通知您"),
    RegistrationState.NOT_SELECTED: ("未中签", "欢迎关注下一期"),
}


def runs_to_draw(session: Session, now: datetime, *, most: int) -> Sequence[str]:
    """The keys of up to ``most`` runs whose draw is due."""
    return session.scalars(
        select(CourseRun.key)
        .where(
            CourseRun.stands_published(),
            CourseRun.admission == Admission.DRAW,
            CourseRun.drawn_at.is_(None),
            CourseRun.draws_at <= now,
        )
        .order_by(CourseRun.id)
        .limit(most)
    ).all()


def draw_of(session: Session, run: CourseRun) -> Draw:
    """The draw of a run everybody may see. Raises NotFound for a run without one."""
    found = session.scalar(select(Draw).where(Draw.run_id == run.id))
    if found is None:
        raise NotFound("这个班不抽签", code="no_draw")
    return found


def draw(
    session: Session, run: CourseRun, *, by_account_id: int | None = None, identity: str = "town"
) -> Draw:
    """Draw the lots of a run; drawn already, it stays as it was drawn.

    Raises Conflict ``draw_too_early`` before its time, ``run_cancelled`` for what is not published, ``not_by_lot``.
    """
    session.flush()
    connection, now = session.connection(), clock.now()
    locked = lock_runs(connection, {run.key})[run.key]
    session.refresh(run)
    if locked.admission is not Admission.DRAW:
        raise Conflict("not_by_lot", "这个班不抽签")
    result = draw_of(session, run)
    if locked.drawn_at is not None:
        return result
    if locked.state is not RunState.PUBLISHED:
        raise Conflict("run_cancelled", "这个班没有发布或已取消，不能抽签")
    if locked.draws_at is None or now < locked.draws_at:
        raise Conflict("draw_too_early", "还没有到抽签时间，申请还在进行")
    by_ticket = {held.standing.ticket: held for held in applicants_of(connection, locked)}
    order = in_order_of_lots(result.seed, [ticket for ticket in by_ticket if ticket is not None])
    result.seats, result.tickets, result.drawn_at = locked.free, len(order), now
    winners = order[: result.seats]
    hold_people(connection, [by_ticket[ticket].learner.id for ticket in winners])
    grounds = look_into(connection, [(locked, by_ticket[ticket].learner) for ticket in winners], now)
    outcomes = []
    for rank, ticket in enumerate(order, 1):
        held = by_ticket[ticket]
        if rank <= result.seats:
            held = seated(locked, held, grounds, now)
        else:
            held = waiting(locked, held) or not_selected(held)
        outcomes.append(Outcome(held, locked.last_number + rank, rank))
    locked.last_number += len(order)
    locked.drawn_at, locked.touched = now, True
    if outcomes:
        write_outcomes(connection, outcomes, now)
        _explain(session, locked, result, outcomes, now)
    write_counters(connection, [locked])
    enter(
        session,
        "course_run.drawn",
        run,
        by_account_id=by_account_id,
        identity=identity,
        details={"tickets": result.tickets, "seats": result.seats},
    )
    session.flush()
    session.expire_all()
    return result


def _explain(
    session: Session, run: LockedRun, result: Draw, outcomes: Sequence[Outcome], now: datetime
) -> None:
    connection = session.connection()
    journal(
        connection, [("registration.drawn", each.held.id, None, each.held.learner) for each in outcomes], now
    )
    keep_receipts(
        connection,
        [
            Reason(
                run.id,
                each.held.learner.id,
                Why.DRAWN,
                each.standing.state,
                f"{result.tickets} 人抽 {result.seats} 个名额，您的抽签号 {each.standing.ticket}，排在第 {each.rank} 位",
                {
                    "ticket": each.standing.ticket,
                    "rank": each.rank,
                    "seats": result.seats,
                    "lot": lot_of(result.seed, each.standing.ticket or 0),
                },
            )
            for each in outcomes
        ],
        now,
    )
    told = [(each.held, *PHRASES[each.standing.state]) for each in outcomes if each.standing.state in PHRASES]
    tell_of_outcomes(connection, run, told, now)
    offered = [each.held for each in outcomes if each.standing.state is RegistrationState.OFFERED]
    if offered:
        tell_of_offers(connection, run, offered, now)


@dataclass(frozen=True, slots=True)
class Lot:
    """One ticket of a draw, and the place its lot gave it."""

    ticket: int
    rank: int
    lot: str
    has_seat: bool


def lots_of(session: Session, run: CourseRun, *, after_rank: int | None, most: int) -> list[Lot]:
    """Up to ``most`` tickets of a draw in the order they were drawn; none before it is drawn."""
    result = draw_of(session, run)
    rows = session.execute(
        select(Registration.ticket, Registration.rank)
        .where(Registration.run_id == run.id, Registration.rank > (after_rank or 0))
        .order_by(Registration.rank)
        .limit(most)
    )
    return [
        Lot(row.ticket, row.rank, lot_of(result.seed, row.ticket), row.rank <= (result.seats or 0))
        for row in rows
    ]
