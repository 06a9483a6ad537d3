"""Moving up (递补): the one way a free seat goes to somebody who waits, whatever made it free.

In the order of waiting. A seat is given at once where the run promotes automatically or the person asked for that (直接转正); else, and
always to somebody who takes as many courses as they may, it is offered: theirs to accept for twelve waking hours, two when the class is
less than a day away, half an hour when it is less than four hours away (domain.md §2.1). Within an hour of the class nobody who did not ask
for it is seated without a word; from the start on nothing is offered,
and nothing given but a seat that was taken back for absence. An offered seat is taken. Of people with companions whoever
does not fit keeps their place, and the next who fits moves up.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, select, update
from sqlalchemy.engine import Connection

from models.bulk import among
from models.courses.receipts import Reason, Why, keep_receipts
from models.courses.registrations import Registration, RegistrationState
from models.courses.runs import Promotion, RunState
from models.courses.seats.asking import LockedRun, hold_people, person_of
from models.courses.seats.finding import held_of, places_in
from models.courses.seats.limits import Grounds, is_at_limit, look_into
from models.courses.seats.telling import tell_of_offers, tell_of_rising
from models.courses.seats.writing import WAITING, Held, journal
from models.notices.outbox import awake_after
from models.policies import Policies

ALONE_BEFORE = timedelta(hours=1)  # from then on nobody is seated without a word
OFFERS = (  # how near the class is, and how long an offer stands then
    (timedelta(hours=4), timedelta(minutes=30)),
    (timedelta(hours=24), timedelta(hours=2)),
)
OFFER = timedelta(hours=12)


class Freed(StrEnum):
    """What made a seat free."""

    GIVEN_UP = "given_up"  # 有人取消了报名
    DECLINED = "declined"  # 前面的人没有要
    EXPIRED = "expired"  # 前面的人没有按时确认
    MORE_SEATS = "more_seats"  # 名额增加了
    RELEASED = "released"  # 预留的名额放开了
    ABSENCE = "absence"  # 有人多次缺课，名额让出
    MERGED = "merged"  # 两个班并成一个，还有名额


FREED = {
    Freed.GIVEN_UP: "有人取消了报名",
    Freed.DECLINED: "排在前面的人没有要这个名额",
    Freed.EXPIRED: "排在前面的人没有按时确认",
    Freed.MORE_SEATS: "名额增加了",
    Freed.RELEASED: "预留的名额放开了",
    Freed.ABSENCE: "有人多次缺课，名额让了出来",
    Freed.MERGED: "两个班并成一个，还有名额",
}


@dataclass(frozen=True, slots=True)
class _Rising:
    """One registration that moves up, and which place in the queue it had, from 1."""

    held: Held
    place: int

    @property
    def offered_until(self) -> datetime | None:
        """Until when it is an offer, if it is one."""
        return self.held.standing.offer_expires_at


def move_up(connection: Connection, run: LockedRun, now: datetime, *, because: Freed) -> None:
    """Give or offer every free seat of a locked run to who waits, in their order. The caller writes the counters."""
    if run.state is not RunState.PUBLISHED or not _may_still_come(run, now, because):
        return
    while run.free > 0 and run.waiting:
        first = connection.execute(_first_in_line(run)).all()
        if not first:
            return
        hold_people(connection, [row.id for row in first])
        grounds = look_into(connection, [(run, person_of(row)) for row in first], now)
        policy = grounds.policy_of(run.region_id)
        queue = _queue_up_to(connection, run, first[-1].number)
        rising = []
        for row in first:
            if row.seats <= run.free:
                run.seats_taken += row.seats
                run.waiting -= 1
                run.touched = True
                rising.append(_rise(run, row, bisect_left(queue, row.number) + 1, grounds, policy, now))
        _write(connection, run, rising, now, because)


def _may_still_come(run: LockedRun, now: datetime, because: Freed) -> bool:
    """Until the class starts; to a seat taken back for absence also later, where nobody needs to be asked first."""
    if now < run.starts_at:
        return True
    return because is Freed.ABSENCE and run.promotion is Promotion.AUTOMATIC and now < run.ends_at


def offer_ends_at(run: LockedRun, now: datetime, policy: Policies) -> datetime:
    """Until when an offer made now stands: hours people are awake, as nobody hears of it by night, never past the start of the class."""
    ahead = run.starts_at - now
    span = next((span for near, span in OFFERS if ahead < near), OFFER)
    return min(awake_after(policy, now, span), run.starts_at)


def _first_in_line(run: LockedRun) -> Select[*tuple[Any, ...]]:
    """Who waits and fits on what is free, and whether they need not be asked."""
    return (
        places_in(run, Registration.state == WAITING, Registration.seats <= run.free)
        .add_columns(Registration.seats_directly)
        .limit(run.free)
    )


def _queue_up_to(connection: Connection, run: LockedRun, last: int) -> Sequence[int]:
    """The numbers of everybody who waits up to this one, in order: whoever does not fit stands before others too.

    To count for each how many stand before them would look at the front of a long queue again and again.
    """
    return connection.scalars(
        select(Registration.number)
        .where(Registration.run_id == run.id, Registration.state == WAITING, Registration.number <= last)
        .order_by(Registration.number)
    ).all()


def _rise(
    run: LockedRun, row: Row[*tuple[Any, ...]], place: int, grounds: Grounds, policy: Policies, now: datetime
) -> _Rising:
    held = held_of(run, row)
    wants_it_so = row.seats_directly or (
        run.promotion is Promotion.AUTOMATIC and run.starts_at - now >= ALONE_BEFORE
    )
    may_be_asked = now < run.starts_at
    is_offered = may_be_asked and (
        not wants_it_so or is_at_limit(run, grounds.commitments.get(held.learner.id, ()), grounds)
    )
    until = offer_ends_at(run, now, policy) if is_offered else None
    state = RegistrationState.OFFERED if is_offered else RegistrationState.CONFIRMED
    standing = replace(held.standing, state=state, offer_expires_at=until)
    return _Rising(replace(held, standing=standing), place)


def _write(
    connection: Connection, run: LockedRun, rising: Sequence[_Rising], now: datetime, because: Freed
) -> None:
    seated = [each.held for each in rising if each.offered_until is None]
    offered = [each for each in rising if each.offered_until is not None]
    if seated:
        connection.execute(
            update(Registration)
            .where(among(Registration.id, "seated"))
            .values(state=RegistrationState.CONFIRMED, confirmed_at=now),
            {"seated": [mine.id for mine in seated]},
        )
        tell_of_rising(connection, run, seated, now)
    for until in {each.offered_until for each in offered}:
        connection.execute(
            update(Registration)
            .where(among(Registration.id, "offered"))
            .values(state=RegistrationState.OFFERED, offered_at=now, offer_expires_at=until),
            {"offered": [each.held.id for each in offered if each.offered_until == until]},
        )
    if offered:
        tell_of_offers(connection, run, [each.held for each in offered], now)
    journal(
        connection,
        [
            (
                "registration.promoted" if each.offered_until is None else "registration.offered",
                each.held.id,
                None,
                each.held.learner,
            )
            for each in rising
        ],
        now,
    )
    keep_receipts(
        connection,
        [
            Reason(
                run.id,
                each.held.learner.id,
                Why.PROMOTED if each.offered_until is None else Why.OFFERED,
                because,
                f"{FREED[because]}，您是候补第 {each.place} 位，名额给了您"
                if each.offered_until is None
                else f"{FREED[because]}，您是候补第 {each.place} 位，请在限定时间内确认",
                {"number": each.held.number, "place": each.place},
            )
            for each in rising
        ],
        now,
    )
