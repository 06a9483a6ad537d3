"""A seat if nobody waits and one is free, else the end of the queue; the same answer to whoever has one already."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.engine import Connection

from models.base import new_key
from models.bulk import among, insert_rows
from models.courses.pauses import must_not_be_paused, paused_until
from models.courses.questions import OpenOnes, must_have_answered, unanswered_by
from models.courses.registrations import Registration, RegistrationState, Standing
from models.courses.runs import Admission
from models.courses.seats.asking import Ask, Person, hold_people
from models.courses.seats.explaining import explain
from models.courses.seats.limits import (
    Grounds,
    look_into,
    must_be_free,
    must_be_neighbours,
    must_have_completed,
    must_leave_room,
)
from models.courses.seats.rules import (
    looks_at_age,
    must_be_few,
    must_be_for,
    must_be_old_enough,
    must_be_open,
    must_be_told,
)
from models.courses.seats.telling import tell_of_seats
from models.courses.seats.writing import LIVE_STATES, WAITING, Held, journal
from models.errors import Conflict, Refusal


def seat(
    connection: Connection, asks: Sequence[Ask], answers: list[Standing | Refusal | None], now: datetime
) -> None:
    """Answer these asks for a seat in their order; the same answer to whoever has a place already."""
    held = held_by(connection, asks)
    hopeful: list[tuple[Ask, Person]] = []
    refused: list[tuple[Ask, Refusal]] = []
    for ask in asks:
        learner = ask.asker.learner
        mine = held.get((ask.run.id, learner.id)) if learner else None
        if mine is not None:
            answers[ask.place] = mine.standing
            continue
        try:
            hopeful.append((ask, _may_ask(ask, now)))
        except Refusal as refusal:
            refused.append((ask, refusal))
    asked = [(ask.run, person) for ask, learner in hopeful for person in (learner, ask.adult) if person]
    hold_people(connection, {person.id for _, person in asked})
    grounds = look_into(connection, asked, now)
    open_questions = _open_questions(connection, asks)
    paused = paused_until(connection, {learner.id for _, learner in hopeful}, now)
    fresh: list[tuple[Ask, Held]] = []
    for ask, learner in hopeful:
        mine = held.get((ask.run.id, learner.id))
        if mine is None:
            try:
                must_not_be_paused(paused.get(learner.id))
                must_have_answered(open_questions, ask.run.id, learner.id)
                mine = _give(ask, learner, grounds, now)
            except Refusal as refusal:
                refused.append((ask, refusal))
                continue
            held[ask.run.id, learner.id] = mine
            grounds.note(ask.run, learner, mine.standing.state)
            if ask.adult is not None:
                grounds.note(ask.run, ask.adult, mine.standing.state, alongside=True)
            fresh.append((ask, mine))
        answers[ask.place] = mine.standing
    _store(connection, fresh, now)
    for ask, why_not in refused:
        answers[ask.place] = why_not
    explain(connection, refused, now)


def _open_questions(connection: Connection, asks: Sequence[Ask]) -> OpenOnes:
    """What is not answered yet, of the runs that ask something; most ask nothing, and then nothing is read."""
    asking = [ask for ask in asks if ask.run.asks_questions and ask.asker.learner is not None]
    return unanswered_by(
        connection,
        {ask.run.id for ask in asking},
        {ask.asker.learner.id for ask in asking if ask.asker.learner is not None},
    )


def _may_ask(ask: Ask, now: datetime) -> Person:
    """The one it is for, once the run is open to them and enough is known of everybody. Raises why not."""
    run, asker = ask.run, ask.asker
    must_be_open(run, now)
    learner = must_be_told(asker, at_what_age=looks_at_age(run))
    must_be_for(run, learner, asker)
    must_be_old_enough(asker)
    return learner


def _give(ask: Ask, learner: Person, grounds: Grounds, now: datetime) -> Held:
    """A seat, a place in the queue, or an application, by how the run gives its seats. Raises why not."""
    run, heads = ask.run, 1 + ask.tap.companions
    must_be_few(run, ask.tap.companions)
    gives_held = _gives_held(ask, heads, now)
    sits = gives_held or (run.has_room_for(heads) and not run.takes_applications)
    must_be_neighbours(run, learner, grounds, now)
    must_have_completed(run, learner, grounds)
    must_leave_room(run, learner, grounds, will_sit=sits)
    if ask.adult is not None:
        must_be_free(run, ask.adult, grounds)
    if sits:
        run.seats_taken += heads
        run.seats_held -= heads if gives_held else 0
        state, position = RegistrationState.CONFIRMED, None
    elif run.takes_applications:
        state, position = RegistrationState.APPLIED, None
    elif run.waitlist_limit is not None and run.waiting >= run.waitlist_limit:
        raise Conflict("waitlist_full", "名额和候补都已满，欢迎关注下一期", details={"waiting": run.waiting})
    else:
        run.waiting += 1
        state, position = RegistrationState.WAITLISTED, run.waiting
    run.last_number += 1
    run.touched = True
    ticket = (
        run.last_number if state is RegistrationState.APPLIED and run.admission is Admission.DRAW else None
    )
    return Held(
        id=None,
        standing=Standing(new_key(), run.key, learner.key, state, position, now, seats=heads, ticket=ticket),
        learner=learner,
        by_account_id=ask.asker.registered_by,
        number=run.last_number,
    )


def _gives_held(ask: Ask, heads: int, now: datetime) -> bool:
    """Whether this is one of the seats held for the counter, which go past the queue and the draw as long as they are held."""
    run, counter = ask.run, ask.asker.counter
    if counter is None or not counter.gives_held_seats or heads > run.seats_held:
        return False
    return run.held_until is None or now < run.held_until


_BEHIND = Registration.__table__.alias()
_HELD = select(
    Registration.id,
    Registration.key,
    Registration.run_id,
    Registration.resident_id,
    Registration.by_account_id,
    Registration.state,
    Registration.number,
    Registration.registered_at,
    Registration.seats,
    Registration.ticket,
    Registration.offer_expires_at,
    case(
        (
            Registration.state == WAITING,
            select(func.count())
            .where(
                _BEHIND.c.run_id == Registration.run_id,
                _BEHIND.c.state == WAITING,
                _BEHIND.c.number > Registration.number,
            )
            .correlate(Registration)
            .scalar_subquery(),
        )
    ).label("behind"),
).where(
    among(Registration.resident_id, "learners"),
    among(Registration.run_id, "runs"),
    Registration.state.in_(LIVE_STATES),
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
    held = {}
    for row in connection.execute(_HELD, {"learners": learners, "runs": runs}):
        run, learner = runs[row.run_id], learners[row.resident_id]
        position = None if row.behind is None else run.waiting - row.behind
        standing = Standing(
            row.key,
            run.key,
            learner.key,
            row.state,
            position,
            row.registered_at,
            row.seats,
            row.ticket,
            row.offer_expires_at,
        )
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
                "paired_with_id": ask.adult.id if ask.adult else None,
                "seats": mine.standing.seats,
                "seats_directly": ask.tap.directly,
                "ticket": mine.standing.ticket,
                "decided_because": "",
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
