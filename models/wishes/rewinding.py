"""Rewinding (重排时限): the calendar or a number of a place has changed, and every clock that runs is wound anew from its thread (domain.md §7, E26).

A clock is a function of what happened, the calendar and the numbers, so what is kept of it on the row is old once one of these is new. Threads are
taken by the batch, in the order of their ids, and what somebody holds at this moment is passed over: it is wound by itself afterwards. A batch takes
as few statements as one thread does, and nothing is kept from one to the next.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from models import clock
from models.calendars import Calendar
from models.policies import policies_at_each
from models.regions import Region, regions_within
from models.wishes.claims.claiming import hold_claim
from models.wishes.claims.rows import LIVE, Claim, Rating
from models.wishes.clocks import clock_of_care, clock_of_claim, clock_of_wish
from models.wishes.rows import OPEN, Wish
from models.wishes.thread import threads_of, times_of

Thread: TypeAlias = type[Wish] | type[Claim] | type[Rating]
_Rows: TypeAlias = "Select[*tuple[Any, ...]]"

THREADS: Sequence[Thread] = (Wish, Claim, Rating)
NUMBERS_OF_CLOCKS = "wish_"  # how the names of the rules begin that a clock may read


@dataclass(frozen=True)
class Rewound:
    """What became of a batch: how many clocks ring at another time now, and which threads somebody held."""

    changed: int
    held: Sequence[int]


def running_threads(
    session: Session, of: Thread, *, within: Region | None, after_id: int, most: int
) -> Sequence[int]:
    """Up to ``most`` wishes, claims or bad ratings a clock may run for, of a place or of everywhere, by id in their order."""
    query = _beside_its_wish(select(of.id), of).where(_runs(of), of.id > after_id)
    if within is not None:
        query = query.where(Wish.region_id.in_(regions_within(within)))
    return session.scalars(query.order_by(of.id).limit(most)).all()


def rewind(session: Session, of: Thread, ids: Collection[int]) -> Rewound:
    """Wind the clocks of these threads up anew. Who changes one of them at this moment is not waited for."""
    free = session.scalars(
        select(of.id)
        .where(of.id.in_(ids))
        .order_by(of.id)
        .with_for_update(of=of, skip_locked=True, key_share=True)
    ).all()
    return Rewound(_wind_anew(session, of, free), sorted(set(ids).difference(free)))


def rewind_one(session: Session, of: Thread, row_id: int) -> int:
    """Wind the clock of one thread up anew, after whoever holds it; 1 where it rings at another time now, else 0."""
    if of is Wish:
        session.get_one(Wish, row_id).lock()
    elif of is Claim:
        hold_claim(session, session.get_one(Claim, row_id))
    else:
        hold_claim(session, session.get_one(Rating, row_id).claim)
    return _wind_anew(session, of, [row_id])


def _wind_anew(session: Session, of: Thread, ids: Collection[int]) -> int:
    """The same for threads that are held."""
    calendar, now = Calendar.in_force(session), clock.now()
    anew: list[dict[str, Any]] = []
    if of is Rating:
        ratings = session.execute(
            _beside_its_wish(select(Rating, Wish.region_id), of).where(*_among(of, ids))
        ).all()
        numbers = policies_at_each(session, {region_id for _, region_id in ratings})
        for rating, region_id in ratings:
            care = clock_of_care(rating.rated_at, rating.called_at, calendar, numbers[region_id])
            times = times_of(care, now, standing=rating.care_remind_at)
            if times != (rating.care_due_at, rating.care_remind_at):
                anew.append({"id": rating.id, "care_due_at": times[0], "care_remind_at": times[1]})
    else:
        noun, wound = (Wish, clock_of_wish) if of is Wish else (Claim, clock_of_claim)
        query: _Rows = select(noun.id, Wish.region_id, noun.due_at, noun.remind_at)
        rows = session.execute(_beside_its_wish(query, of).where(*_among(of, ids))).all()
        numbers = policies_at_each(session, {region_id for _, region_id, _, _ in rows})
        threads = threads_of(session, of, [row_id for row_id, _, _, _ in rows])
        for row_id, region_id, due_at, remind_at in rows:
            running = wound(threads.get(row_id, ()), calendar, numbers[region_id])
            times = times_of(running, now, standing=remind_at)
            if times != (due_at, remind_at):
                anew.append({"id": row_id, "due_at": times[0], "remind_at": times[1]})
    if anew:
        session.execute(update(of), anew)
    return len(anew)


def _among(of: Thread, ids: Collection[int]) -> tuple[ColumnElement[bool], ...]:
    return of.id.in_(ids), _runs(of)


def _runs(of: Thread) -> ColumnElement[bool]:
    if of is Wish:
        return Wish.state.in_(OPEN)
    if of is Claim:  # what is done and not rated yet is reminded of
        return Claim.state.in_(LIVE) | Claim.remind_at.is_not(None)
    return Rating.care_due_at.is_not(None)


def _beside_its_wish(query: _Rows, of: Thread) -> _Rows:
    if of is Rating:
        query = query.join(Claim, Claim.id == Rating.claim_id)
    return query if of is Wish else query.join(Wish, Wish.id == Claim.wish_id)
