"""A seat if nobody waits and one is free, else the end of the queue; the same answer to whoever has one already."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from models.base import new_key
from models.courses.registrations import Registration, RegistrationState, Standing
from models.courses.seats.asking import Ask
from models.courses.seats.bulk import insert_rows
from models.courses.seats.rules import looks_at_age, must_be_for, must_be_open
from models.courses.seats.telling import tell_of_seats
from models.courses.seats.writing import LIVE_STATES, WAITING, Held, journal
from models.errors import Conflict, Refusal
from models.profiles import must_be_known


def seat(
    connection: Connection, asks: Sequence[Ask], answers: list[Standing | Refusal | None], now: datetime
) -> None:
    held = held_by(connection, asks)
    fresh: list[tuple[Ask, Held]] = []
    for ask in asks:
        learner = ask.asker.learner
        mine = held.get((ask.run.id, learner.id)) if learner else None
        if mine is None:
            try:
                mine = _give(ask, now)
            except Refusal as refusal:
                answers[ask.place] = refusal
                continue
            held[ask.run.id, mine.learner.id] = mine
            fresh.append((ask, mine))
        answers[ask.place] = mine.standing
    _store(connection, fresh, now)


def _give(ask: Ask, now: datetime) -> Held:
    """A seat if nobody waits and one is free, else the end of the queue. Raises why not."""
    run, asker = ask.run, ask.asker
    must_be_open(run, now)
    learner = must_be_known(
        asker.oneself,
        asker.learner,
        has_agreed=asker.consented,
        ward_withdrew=asker.ward_withdrew,
        at_what_age=looks_at_age(run),
    )
    must_be_for(run, learner, asker)
    if not run.waiting and run.seats_taken < run.capacity:
        run.seats_taken += 1
        state, position = RegistrationState.CONFIRMED, None
    elif run.waitlist_limit is not None and run.waiting >= run.waitlist_limit:
        raise Conflict("waitlist_full", "名额和候补都已满，欢迎关注下一期", details={"waiting": run.waiting})
    else:
        run.waiting += 1
        state, position = RegistrationState.WAITLISTED, run.waiting
    run.last_number += 1
    run.touched = True
    return Held(
        id=None,
        standing=Standing(new_key(), run.key, learner.key, state, position, now),
        learner=learner,
        by_account_id=asker.account_id,
        number=run.last_number,
    )


def held_by(connection: Connection, asks: Sequence[Ask]) -> dict[tuple[int, int], Held]:
    """The live registrations of these people in these runs, with their place in the queue.

    The place is counted from the end (those behind, taken off the run's counter), because most repeats come right after
    their first tap.
    """
    learners = {ask.asker.learner.id: ask.asker.learner for ask in asks if ask.asker.learner}
    runs = {ask.run.id: ask.run for ask in asks}
    if not learners:
        return {}
    behind = aliased(Registration)
    how_many_behind = (
        select(func.count())
        .where(
            behind.run_id == Registration.run_id,
            behind.state == WAITING,
            behind.number > Registration.number,
        )
        .correlate(Registration)
        .scalar_subquery()
    )
    rows = connection.execute(
        select(
            Registration.id,
            Registration.key,
            Registration.run_id,
            Registration.resident_id,
            Registration.by_account_id,
            Registration.state,
            Registration.number,
            Registration.registered_at,
            case((Registration.state == WAITING, how_many_behind)).label("behind"),
        ).where(
            Registration.resident_id.in_(learners),
            Registration.run_id.in_(runs),
            Registration.state.in_(LIVE_STATES),
        )
    )
    held = {}
    for row in rows:
        run, learner = runs[row.run_id], learners[row.resident_id]
        position = None if row.behind is None else run.waiting - row.behind
        standing = Standing(row.key, run.key, learner.key, row.state, position, row.registered_at)
        held[row.run_id, row.resident_id] = Held(row.id, standing, learner, row.by_account_id, row.number)
    return held


def _store(connection: Connection, fresh: Sequence[tuple[Ask, Held]], now: datetime) -> None:
    if not fresh:
        return
    stored = insert_rows(
        connection,
        Registration,
        [
            {
                "key": mine.standing.key,
                "run_id": ask.run.id,
                "resident_id": mine.learner.id,
                "by_account_id": mine.by_account_id,
                "state": mine.standing.state,
                "number": mine.number,
                "registered_at": now,
                "confirmed_at": now if mine.standing.state is RegistrationState.CONFIRMED else None,
                "cancelled_late": False,
            }
            for ask, mine in fresh
        ],
        "id",
        "key",
    )
    ids = {row.key: row.id for row in stored}
    journal(
        connection,
        [
            (f"registration.{mine.standing.state}", ids[mine.standing.key], ask.asker, mine.learner)
            for ask, mine in fresh
        ],
        now,
    )
    tell_of_seats(connection, fresh, now)
