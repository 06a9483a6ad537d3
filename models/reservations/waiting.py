"""Waiting (候补): a room that becomes free goes to who waits for it, in their order, before anybody else may take it.

Whoever decides about a room first lets those who wait have what is free (``offer_what_is_free``), so no free time stands idle beside
somebody waiting who could take it, and nobody overtakes them. It is offered for a while, and held meanwhile. Who waits for longer than
is free stands in nobody's way.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.availability import Stretch, next_on_the_grid
from models.errors import Conflict
from models.journal import enter
from models.notices import NoticeKind
from models.notices.outbox import awake_after
from models.policies import Policies
from models.reservations.finding import rooms_of
from models.reservations.holding import hold_rooms, is_taken, keep_room, let_room_go
from models.reservations.judging import Judge
from models.reservations.parties import By, must_not_be_own, party_of
from models.reservations.queueing import Floor, given_from, waits_for
from models.reservations.reviewing import begin_review
from models.reservations.rows import Reservation, ReservationEnd, ReservationState
from models.reservations.telling import tell, tell_acted_for, tell_offer
from models.sites import Venue, VenueUse
from models.venue_policies import policies_of_each

READ_AT_A_TIME = 200


def offer_what_is_free(session: Session, rooms: Sequence[Venue]) -> int:
    """Offer what is free of these rooms (held by the caller) to whoever waits for it, the first first; how many are offered something.

    What has begun already is offered for the rest of its time.
    """
    now = clock.now()
    waiting = waits_for(session, rooms, now)
    if not waiting:
        return 0
    floor = Floor(session, rooms, waiting)
    offered = 0
    for first in range(0, len(waiting), READ_AT_A_TIME):
        free = [one for one in waiting[first : first + READ_AT_A_TIME] if floor.is_free_for(one)]
        if not free:
            continue
        rows = _read(session, [one.id for one in free])
        numbers = policies_of_each(session, list({row.venue for row in rows.values()}))
        for one in free:
            # whoever was offered something just now stands before the next
            if floor.is_free_for(one) and _offer(session, rows[one.id], numbers[one.venue_id], now):
                floor.give(one)
                offered += 1
    return offered


def _read(session: Session, ids: Sequence[int]) -> dict[int, Reservation]:
    rows = session.scalars(
        select(Reservation)
        .options(*rooms_of())
        .where(Reservation.id.in_(ids))
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}


def _offer(session: Session, one: Reservation, policy: Policies, now: datetime) -> bool:
    starts_at = given_from(one.starts_at, now)
    if one.ends_at - starts_at < timedelta(minutes=policy.reserve_least_minutes):
        return False
    if _nobody_could_review(one, policy, now):
        return False
    was, one.starts_at = one.starts_at, starts_at
    if is_taken(session, one):
        one.starts_at = was
        return False
    one.offered_at = now
    if one.resident_id is None:  # the community's own: there is nobody to ask
        one.state = ReservationState.APPROVED
    else:
        one.state = ReservationState.OFFERED
        one.offer_expires_at = offer_ends_at(one, policy, now)
    session.flush()
    keep_room(session, one)
    if one.state is ReservationState.APPROVED:
        enter(session, "reservation.accepted", one)
        return True
    enter(session, "reservation.offered", one, for_resident_id=one.resident_id)
    tell_offer(session, one)
    return True


def offer_ends_at(one: Reservation, policy: Policies, now: datetime) -> datetime:
    """Until when an offer made now stands: hours people are awake, never past the start, but always the quarter of an hour that is waited for anybody.

    Of what staff must review first, never past the moment it is let go of because nobody did.
    """
    stands = awake_after(policy, now, timedelta(minutes=policy.room_offer_minutes))
    stands = min(stands, max(one.starts_at, now + timedelta(minutes=policy.no_show_minutes)))
    reviewed_until = _reviewed_until(one, policy)
    return stands if reviewed_until is None else min(stands, reviewed_until)


def accept(session: Session, reservation: Reservation, *, by: By, acted_for: bool = False) -> Reservation:
    """Take what is offered; accepting twice is fine.

    It waits for review then, where staff did not say yes before and do not accept it themselves for who cannot. Raises Forbidden
    ``own_content`` for staff who accept their own; Conflict ``no_offer`` while one still waits or after it ended, ``offer_expired`` when it is
    too late, also for staff to look at it, and what ``Judge`` says against it now.
    """
    if by.is_staff:
        must_not_be_own(reservation.resident, by)
    party = party_of(reservation)
    party.hold()
    hold_rooms(session, reservation.venue)
    reservation.lock()
    if reservation.state in (ReservationState.PENDING, ReservationState.APPROVED):
        return reservation
    if reservation.state is not ReservationState.OFFERED or reservation.offer_expires_at is None:
        raise Conflict("no_offer", "现在没有等您确认的场地，轮到了会通知您")
    if reservation.offer_expires_at <= clock.now():
        raise Conflict("offer_expired", "确认的时间已过，场地转给了下一位；还想要的话可以重新预约")
    on = clock.in_town(reservation.starts_at).date()
    judge = Judge(
        session,
        party,
        [reservation.venue],
        first=on,
        last=on,
        by_staff=by.is_staff,
        acted_for=acted_for,
        besides=reservation,
    )
    is_sure = reservation.reviewed_at is not None or not judge.needs_review(reservation.venue)
    reviewed_until = _reviewed_until(reservation, judge.numbers(reservation.venue))
    if not is_sure and reviewed_until is not None and reviewed_until <= clock.now():
        raise Conflict("offer_expired", "现在已经来不及审核，着急用请打电话给社区，或换一个时间预约")
    wanted = Stretch(reservation.starts_at, reservation.ends_at)
    if reservation.makes_good_id is None:
        judge.must_still_be_allowed(reservation.venue, wanted)
        reservation.makes_good_id = judge.spends(reservation.venue, wanted)
    else:
        judge.must_still_be_allowed(reservation.venue, wanted, within_limits=True)
    reservation.state = ReservationState.APPROVED if is_sure else ReservationState.PENDING
    reservation.offer_expires_at = None
    if by.is_staff and reservation.reviewed_at is None:
        reservation.reviewed_at = clock.now()
    begin_review(session, [reservation], judge.numbers(reservation.venue))
    enter(
        session,
        "reservation.accepted",
        reservation,
        by_account_id=by.account_id,
        identity=by.identity,
        for_resident_id=reservation.resident_id,
    )
    session.flush()
    if acted_for or by.is_staff:
        tell_acted_for(session, reservation, by)
    elif is_sure:
        tell(session, NoticeKind.ROOM_RESERVED, reservation)
    return reservation


def end_offer(session: Session, reservation: Reservation) -> bool:
    """End an offer nobody accepted in time, and offer the room to the next; whether it was one."""
    rooms = hold_rooms(session, reservation.venue)
    reservation.lock()
    now = clock.now()
    expires_at = reservation.offer_expires_at
    if reservation.state is not ReservationState.OFFERED or expires_at is None or expires_at > now:
        return False
    _end(session, reservation, ReservationEnd.UNANSWERED, now)
    offer_what_is_free(session, rooms)
    return True


def end_waiting(session: Session, reservation: Reservation) -> bool:
    """Tell somebody who waits that it comes to nothing, when too little is left of their time; whether they waited."""
    hold_rooms(session, reservation.venue)
    reservation.lock()
    now = clock.now()
    policy = policies_of_each(session, [reservation.venue])[reservation.venue_id]
    if reservation.state is not ReservationState.WAITLISTED or not is_hopeless(reservation, policy, now):
        return False
    _end(session, reservation, ReservationEnd.TOO_LATE, now)
    return True


def is_hopeless(one: Reservation, policy: Policies, now: datetime) -> bool:
    """Whether what is left of the time somebody waits for is too little to be offered to them any more."""
    starts_at = max(one.starts_at, next_on_the_grid(now))
    too_short = one.ends_at - starts_at < timedelta(minutes=policy.reserve_least_minutes)
    return too_short or _nobody_could_review(one, policy, now)


def _end(session: Session, one: Reservation, how: ReservationEnd, now: datetime) -> None:
    was_offered = one.state is ReservationState.OFFERED
    one.state, one.cancelled_by, one.ended_at = ReservationState.CANCELLED, how, now
    one.offer_expires_at = None
    session.flush()
    if was_offered:
        let_room_go(session, one)
    enter(session, "reservation.lapsed", one, for_resident_id=one.resident_id, details={"how": how.value})
    tell(session, NoticeKind.ROOM_WAIT_OVER, one)


def _nobody_could_review(one: Reservation, policy: Policies, now: datetime) -> bool:
    """Whether nobody would have the time to accept it and be looked at."""
    until = _reviewed_until(one, policy)
    return until is not None and until <= now + timedelta(minutes=policy.no_show_minutes)


def _reviewed_until(one: Reservation, policy: Policies) -> datetime | None:
    """Until when staff can look at it; none where they need not, or did."""
    if one.resident_id is None or one.reviewed_at is not None or one.venue.use is not VenueUse.REVIEWED:
        return None
    return one.starts_at - timedelta(hours=policy.unreviewed_until_hours)
