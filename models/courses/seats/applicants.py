"""Applicants (申请人): who has applied to a run, as those who decide about them need to know them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.engine import Connection

from models.bulk import among
from models.courses.registrations import Registration, RegistrationState, Standing
from models.courses.seats.asking import LockedRun
from models.courses.seats.finding import held_of, places_in
from models.courses.seats.limits import Grounds, is_at_limit
from models.courses.seats.moving_up import offer_ends_at
from models.courses.seats.writing import APPLIED, Held


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one application: its new standing, its place in the order, in a draw its rank, and why."""

    held: Held
    number: int
    rank: int | None = None
    because: str = ""

    @property
    def standing(self) -> Standing:
        """What it is from now on."""
        return self.held.standing


def applicants_of(
    connection: Connection, run: LockedRun, *, keys: Collection[str] | None = None
) -> list[Held]:
    """Who has applied to a locked run and is not decided about (of these registrations, if any are named), as they came."""
    query = places_in(run, Registration.state == APPLIED)
    if keys is not None:
        query = query.where(among(Registration.key, "keys"))
    rows = connection.execute(query, {} if keys is None else {"keys": keys})
    return [held_of(run, row) for row in rows]


def seated(run: LockedRun, held: Held, grounds: Grounds, now: datetime) -> Held:
    """The same with a seat, counted; offered to who takes as many courses as they may: they choose which one to leave.

    Once the class has begun nothing is offered, and a seat is a seat.
    """
    run.seats_taken += held.standing.seats
    if now < run.starts_at and is_at_limit(run, grounds.commitments.get(held.learner.id, ()), grounds):
        until = offer_ends_at(run, now, grounds.policy_of(run.region_id))
        return _as(held, RegistrationState.OFFERED, offer_expires_at=until)
    return _as(held, RegistrationState.CONFIRMED)


def waiting(run: LockedRun, held: Held) -> Held | None:
    """The same at the end of the queue, counted; none when the queue is full."""
    if run.waitlist_limit is not None and run.waiting >= run.waitlist_limit:
        return None
    run.waiting += 1
    return _as(held, RegistrationState.WAITLISTED, position=run.waiting)


def not_selected(held: Held) -> Held:
    """The same without a place."""
    return _as(held, RegistrationState.NOT_SELECTED)


def write_outcomes(connection: Connection, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write down what became of these applications."""
    connection.execute(
        update(Registration.__table__)  # type: ignore[arg-type]  # a mapped class's __table__ is always a Table
        .where(Registration.__table__.c.id == bindparam("registration_id"))
        .values(
            state=bindparam("became"),
            number=bindparam("place"),
            rank=bindparam("drawn_at_rank"),
            confirmed_at=bindparam("seated_at"),
            offered_at=bindparam("asked_at"),
            offer_expires_at=bindparam("until"),
            decided_because=bindparam("because"),
        ),
        [
            {
                "registration_id": each.held.id,
                "became": each.standing.state,
                "place": each.number,
                "drawn_at_rank": each.rank,
                "seated_at": now if each.standing.state is RegistrationState.CONFIRMED else None,
                "asked_at": now if each.standing.state is RegistrationState.OFFERED else None,
                "until": each.standing.offer_expires_at,
                "because": each.because,
            }
            for each in outcomes
        ],
    )


def _as(held: Held, state: RegistrationState, **changes: Any) -> Held:
    return replace(held, standing=replace(held.standing, state=state, **changes))
