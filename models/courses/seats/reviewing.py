"""Reviewing (审核录取): staff say who of the applicants gets a seat, as long as the class has not begun (E11)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.courses.receipts import Reason, Why, keep_receipts
from models.courses.registrations import Registration, RegistrationState
from models.courses.runs import CourseRun, RunState
from models.courses.seats.applicants import (
    Outcome,
    applicants_of,
    not_selected,
    seated,
    waiting,
    write_outcomes,
)
from models.courses.seats.asking import Asker, LockedRun, hold_people, lock_runs
from models.courses.seats.limits import look_into
from models.courses.seats.telling import tell_of_offers, tell_of_outcomes
from models.courses.seats.writing import APPLIED, Held, journal, write_counters
from models.errors import Conflict

NOBODY_LOOKED = "开始前没有审核完，这一期未能录取"


def admit(
    session: Session, run: CourseRun, key: str, *, by_account_id: int | None, identity: str
) -> RegistrationState:
    """Admit an applicant (通过): a seat if one is free, else the end of the queue; what they are now. Twice is fine.

    Raises Conflict ``not_applied`` for who did not apply or was turned down, ``review_too_late`` once the class has begun,
    ``waitlist_full`` when neither seat nor queue has room.
    """
    locked, held, state = _look(session, run, key)
    if held is None:
        if state in (RegistrationState.CONFIRMED, RegistrationState.OFFERED, RegistrationState.WAITLISTED):
            return state
        raise Conflict("not_applied", "这个人没有在等审核")
    connection, now = session.connection(), clock.now()
    hold_people(connection, [held.learner.id])
    grounds = look_into(connection, [(locked, held.learner)], now)
    decided: Held | None
    if locked.has_room_for(held.standing.seats):
        decided = seated(locked, held, grounds, now)
    else:
        decided = waiting(locked, held)
    if decided is None:
        raise Conflict(
            "waitlist_full",
            "名额和候补都已满，不能再通过；可以先增加名额",
            details={"waiting": locked.waiting},
        )
    locked.last_number += 1
    _write(session, locked, [Outcome(decided, locked.last_number)], "审核通过", by_account_id, identity, now)
    return decided.standing.state


def turn_down(
    session: Session, run: CourseRun, key: str, *, because: str, by_account_id: int | None, identity: str
) -> None:
    """Turn an applicant down (不通过), with a reason they will read. Twice is fine. Raises as ``admit`` does."""
    locked, held, state = _look(session, run, key)
    if held is None:
        if state is RegistrationState.NOT_SELECTED:
            return
        raise Conflict("not_applied", "这个人没有在等审核")
    outcome = Outcome(not_selected(held), held.number, because=because)
    _write(session, locked, [outcome], because, by_account_id, identity, clock.now())


def settle_unreviewed(session: Session, run_key: str) -> int:
    """Tell everybody whose application nobody decided before the class began; how many."""
    session.flush()
    connection, now = session.connection(), clock.now()
    locked = lock_runs(connection, {run_key})[run_key]
    if now < locked.starts_at:
        return 0
    outcomes = [
        Outcome(not_selected(held), held.number, because=NOBODY_LOOKED)
        for held in applicants_of(connection, locked)
    ]
    if outcomes:
        _write(session, locked, outcomes, NOBODY_LOOKED, None, "town", now)
    return len(outcomes)


def runs_left_unreviewed(session: Session, now: datetime, *, most: int) -> Collection[str]:
    """The keys of up to ``most`` runs that have begun while somebody's application waits."""
    return session.scalars(
        select(CourseRun.key)
        .join(Registration, Registration.run_id == CourseRun.id)
        .where(Registration.state == APPLIED, CourseRun.starts_at <= now)
        .group_by(CourseRun.id, CourseRun.key)
        .order_by(CourseRun.id)
        .limit(most)
    ).all()


def _look(
    session: Session, run: CourseRun, key: str
) -> tuple[LockedRun, Held | None, RegistrationState | None]:
    session.flush()
    connection = session.connection()
    locked = lock_runs(connection, {run.key})[run.key]
    if locked.state is not RunState.PUBLISHED or clock.now() >= locked.starts_at:
        raise Conflict("review_too_late", "这个班已经开课或取消，不能再审核")
    found = applicants_of(connection, locked, keys={key})
    state = session.execute(
        select(Registration.state).where(Registration.run_id == locked.id, Registration.key == key)
    ).scalar_one_or_none()
    return locked, next(iter(found), None), state


def _write(
    session: Session,
    run: LockedRun,
    outcomes: Sequence[Outcome],
    says: str,
    by_account_id: int | None,
    identity: str,
    now: datetime,
) -> None:
    """Write down what became of applications to a run, and tell everybody."""
    connection = session.connection()
    run.touched = True
    write_outcomes(connection, outcomes, now)
    journal(
        connection,
        [
            (
                "registration.admitted" if _is_in(each) else "registration.turned_down",
                each.held.id,
                Asker(by_account_id, False, None, each.held.learner, identity),
                each.held.learner,
            )
            for each in outcomes
        ],
        now,
    )
    keep_receipts(
        connection,
        [Reason(run.id, each.held.learner.id, Why.REVIEWED, each.standing.state, says) for each in outcomes],
        now,
    )
    offered = [each.held for each in outcomes if each.standing.state is RegistrationState.OFFERED]
    if offered:
        tell_of_offers(connection, run, offered, now)
    told = [
        (each.held, "已通过", "您在候补队伍里，有名额会通知您")
        if _is_in(each)
        else (each.held, "未通过", says)
        for each in outcomes
        if each.standing.state is not RegistrationState.OFFERED
    ]
    if told:
        tell_of_outcomes(connection, run, told, now)
    write_counters(connection, [run])
    session.expire_all()


def _is_in(outcome: Outcome) -> bool:
    return outcome.standing.state is not RegistrationState.NOT_SELECTED
