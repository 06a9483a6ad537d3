"""Cancelling (取消): what one does with a room one cannot use, so that a neighbour may; and what staff do for the community.

Of a series: 本次, 本次及以后, 全部. What was used stays as it was.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.errors import Conflict
from models.groups import Group
from models.journal import enter
from models.notices import NoticeKind
from models.reservations.charging import charge
from models.reservations.credit import CreditWhy
from models.reservations.finding import held_for, rooms_of
from models.reservations.holding import hold_rooms, leave_early, let_room_go
from models.reservations.parties import By, must_not_be_own, party_of
from models.reservations.rows import LIVE, Reservation, ReservationEnd, ReservationState
from models.reservations.telling import tell, tell_acted_for
from models.reservations.waiting import offer_what_is_free
from models.sites import Venue
from models.venue_policies import policies_of_each


class Scope(StrEnum):
    """How much of a series is meant."""

    THIS = "this"  # 本次
    THIS_AND_LATER = "this_and_later"  # 本次及以后
    ALL = "all"  # 全部


def meant_by(session: Session, reservation: Reservation, scope: Scope) -> Sequence[Reservation]:
    """What is meant of the series a reservation is of, in its order: what is over already is not meant. Alone, it is itself that is meant."""
    if reservation.series_id is None or scope is Scope.THIS:
        return [reservation]
    query = select(Reservation).options(*rooms_of()).where(Reservation.series_id == reservation.series_id)
    if scope is Scope.THIS_AND_LATER:
        query = query.where(Reservation.starts_at >= reservation.starts_at)
    rows = session.scalars(query.order_by(Reservation.starts_at, Reservation.id)).all()
    now = clock.now()
    return [one for one in rows if one is reservation or (one.is_live and one.starts_at > now)]


def cancel(
    session: Session,
    reservation: Reservation,
    *,
    by: By,
    scope: Scope = Scope.THIS,
    acted_for: bool = False,
) -> int:
    """Give up what is meant, and let who waits have it; how many were given up. Giving up twice is fine.

    Too shortly before it begins is late, and costs credit. Raises Conflict ``already_in_use`` for a room that is being used (sign out instead),
    ``reservation_over`` for what has ended otherwise; of a series nothing is given up then.
    """
    party_of(reservation).hold()
    meant = meant_by(session, reservation, scope)
    rooms = _hold(session, meant)
    given_up = [one for one in meant if one.is_live]
    numbers = policies_of_each(session, list({one.venue for one in meant}))
    for one in given_up:
        hours = numbers[one.venue_id].cancel_room_hours
        was_made_late = (one.offered_at or one.reserved_at) > one.starts_at - timedelta(hours=hours)
        is_near = one.starts_at - clock.now() < timedelta(hours=hours)
        # who took what was free at the last moment had no time to cancel in time, but once it began
        is_late = (
            one.state is ReservationState.APPROVED
            and one.was_agreed_to
            and (clock.now() >= one.starts_at or (is_near and not was_made_late))
        )
        _end(session, one, ReservationEnd.RESIDENT, by, is_late=is_late, for_somebody=acted_for)
        if is_late:
            charge(session, one, CreditWhy.LATE)
    if given_up and acted_for:
        tell_acted_for(session, given_up[0], by, gave_up=True)
    offer_what_is_free(session, rooms)
    return len(given_up)


def call_off(
    session: Session, reservation: Reservation, because: str, *, by: By, scope: Scope = Scope.THIS
) -> int:
    """Staff cancel what is meant, with a reason everybody concerned is told; how many. It costs nobody credit. Twice is fine.

    Raises Forbidden ``own_content``, and Conflict as ``cancel``.
    """
    must_not_be_own(reservation.resident, by)
    meant = meant_by(session, reservation, scope)
    rooms = _hold(session, meant)
    called_off = [one for one in meant if one.is_live]
    for one in called_off:
        one.decided_because = because
        _end(session, one, ReservationEnd.STAFF, by, is_late=False, for_somebody=True)
        tell(session, NoticeKind.ROOM_CALLED_OFF, one)
    offer_what_is_free(session, rooms)
    return len(called_off)


def let_go_of_rooms(session: Session, residents: Collection[int], *, by: By) -> int:
    """These people (held by the caller) leave the town: what they reserved or wait for themselves goes to who waits; how many it was.

    It costs nobody anything. What a group they lead has reserved stays the group's.
    """
    theirs = held_for(session, residents, after=clock.now())
    rooms = hold_rooms(session, *{one.venue for one in theirs})
    for one in theirs:
        one.lock()
    live = [one for one in theirs if one.is_live]
    for one in live:
        if one.state is ReservationState.CHECKED_IN:
            leave_early(session, one, clock.now())
            one.state, one.ended_at = ReservationState.FINISHED, clock.now()
            enter(session, "reservation.finished", one, by_account_id=by.account_id, identity=by.identity)
        else:
            _end(session, one, ReservationEnd.RESIDENT, by, is_late=False, for_somebody=False)
    offer_what_is_free(session, rooms)
    return len(live)


def let_go_of_group_rooms(
    session: Session, group: Group, because: str, *, by: By, until: datetime | None = None
) -> int:
    """A group (held by the caller) has no more use of rooms, or none that begins before a moment: what it has ahead goes to who waits; how many it was.

    It costs nobody credit, and its leader is told. Who is in a room uses it to the end.
    """
    ahead = Reservation.starts_at > clock.now()
    theirs = session.scalars(
        select(Reservation)
        .options(*rooms_of())
        .where(
            Reservation.group_id == group.id,
            Reservation.state.in_(LIVE),
            ahead if until is None else ahead & (Reservation.starts_at < until),
        )
        .order_by(Reservation.id)
    ).all()
    if not theirs:
        return 0
    rooms = hold_rooms(session, *{one.venue for one in theirs})
    let_go = [one for one in theirs if one.lock().is_live and one.state is not ReservationState.CHECKED_IN]
    how = ReservationEnd.STAFF if by.is_staff else ReservationEnd.RESIDENT
    for one in let_go:
        one.decided_because = because
        _end(session, one, how, by, is_late=False, for_somebody=by.is_staff)
        if by.is_staff:
            tell(session, NoticeKind.ROOM_CALLED_OFF, one)
    offer_what_is_free(session, rooms)
    return len(let_go)


def _hold(session: Session, meant: Sequence[Reservation]) -> list[Venue]:
    """Hold these, and all the rooms they are in: a closure may have moved some weeks of a series elsewhere. Raises what stands against giving them up."""
    rooms = hold_rooms(session, *{one.venue for one in meant})
    for one in meant:
        one.lock()
        _must_be_cancellable(one)
    return rooms


def _must_be_cancellable(one: Reservation) -> None:
    if one.state is ReservationState.CHECKED_IN:
        raise Conflict("already_in_use", "场地正在使用，用完请签退，剩下的时间会让给邻居")
    if not one.is_live and one.state is not ReservationState.CANCELLED:
        raise Conflict("reservation_over", "这个预约已经结束，不用取消", details={"state": one.state.value})


def _end(
    session: Session, one: Reservation, how: ReservationEnd, by: By, *, is_late: bool, for_somebody: bool
) -> None:
    one.state, one.cancelled_by, one.cancelled_late = ReservationState.CANCELLED, how, is_late
    one.ended_at, one.offer_expires_at = clock.now(), None
    session.flush()
    let_room_go(session, one)
    enter(
        session,
        "reservation.cancelled",
        one,
        by_account_id=by.account_id,
        identity=by.identity,
        for_resident_id=one.resident_id if for_somebody else None,
        details={"late": is_late} | ({"because": one.decided_because} if one.decided_because else {}),
    )
    session.flush()
