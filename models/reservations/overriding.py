"""Overriding (停用 · 征用): what becomes of a reservation whose room is needed otherwise. It is moved, cut short, or let go; it costs nobody credit.

Who loses a room this way may reserve one more than the limits allow, for some days (``making_good``). The callers hold the party and the
rooms: what is decided here is one part of a whole (``models.coordination.closures``), which also lets those who wait have what is free.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.availability import Stretch
from models.commitments import Takes, commitments_of
from models.errors import Conflict
from models.journal import enter
from models.notices import NoticeKind
from models.notices.keywords import say_briefly
from models.reservations.holding import borrow, keep_room, leave_early, let_room_go
from models.reservations.lending import borrowed_by
from models.reservations.parties import By, party_of
from models.reservations.reviewing import review_where_it_is_now
from models.reservations.rows import HOLDING, Reservation, ReservationState
from models.reservations.telling import tell
from models.sites import Venue
from models.venue_policies import policies_of

HAD_IT = (ReservationState.PENDING, ReservationState.APPROVED, ReservationState.CHECKED_IN)


def override(session: Session, reservation: Reservation, because: str, *, by: By, offers: str = "") -> bool:
    """Let go of a reservation for something that goes before it, and tell them why and what they get for it; whether it stood.

    Who had the room may reserve one more for it, within the days the community says; who only waited for it has lost nothing.
    """
    reservation.lock()
    if not reservation.is_live:
        return False
    days = policies_of(session, reservation.venue).made_good_days
    if reservation.state in HAD_IT and reservation.resident_id is not None and days:
        reservation.made_good_until = clock.now() + timedelta(days=days)
    reservation.state, reservation.decided_because = ReservationState.OVERRIDDEN, because
    reservation.ended_at, reservation.offer_expires_at = clock.now(), None
    session.flush()
    let_room_go(session, reservation)
    enter(session, "reservation.overridden", reservation, **_who(reservation, by, {"because": because}))
    tell(session, NoticeKind.ROOM_CALLED_OFF, reservation, {"remark": _made_good(reservation, offers)})
    return True


def move(
    session: Session,
    reservation: Reservation,
    venue: Venue,
    stretch: Stretch,
    *,
    because: str,
    by: By,
) -> None:
    """Give a reservation another room or another time; its person has not said yes to it yet.

    Raises Conflict ``room_taken``; ``equipment_short`` where what was lent with it is not there; ``too_many_heads``; ``own_clash`` where they
    have another room then, or at another hour than before sit in a class (E7).
    """
    reservation.lock()
    if reservation.headcount > venue.capacity:
        raise Conflict(
            "too_many_heads",
            f"“{venue.name}”最多 {venue.capacity} 人，请换大一点的场地",
            details={"capacity": venue.capacity},
        )
    _must_not_clash(session, reservation, stretch)
    pieces = borrowed_by(session, [reservation]).get(reservation.key, {})
    let_room_go(session, reservation)
    was = {"starts_at": reservation.starts_at.isoformat(), "venue": reservation.venue.name}
    reservation.moved_from = reservation.moved_from or reservation.starts_at
    reservation.move_agreed_at = None
    reservation.venue, reservation.starts_at, reservation.ends_at = venue, stretch.starts_at, stretch.ends_at
    numbers = policies_of(session, venue)
    reservation.buffer_minutes = numbers.buffer_minutes
    review_where_it_is_now(session, reservation, numbers)
    session.flush()
    keep_room(session, reservation)
    borrow(session, reservation, pieces)
    enter(
        session,
        "reservation.moved",
        reservation,
        **_who(
            reservation,
            by,
            {
                "from": was,
                "to": {"starts_at": stretch.starts_at.isoformat(), "venue": venue.name},
                "because": because,
            },
        ),
    )
    session.flush()


def agree_to_move(session: Session, reservation: Reservation) -> None:
    """Its person wants it as it is now."""
    if reservation.moved_from is not None and reservation.move_agreed_at is None:
        reservation.move_agreed_at = clock.now()
        session.flush()


def cut_short(session: Session, reservation: Reservation, at: datetime, *, because: str, by: By) -> None:
    """End a use that goes on at a moment; what is over then is finished. Nothing is charged, and they are told."""
    reservation.lock()
    ends = max(at, reservation.starts_at + timedelta(minutes=1))
    reservation.buffer_minutes = 0  # nobody cleans up after it for the next
    leave_early(session, reservation, ends)
    reservation.decided_because = because
    if ends <= clock.now() + timedelta(minutes=1):
        reservation.state, reservation.ended_at = ReservationState.FINISHED, clock.now()
    session.flush()
    enter(
        session,
        "reservation.cut_short",
        reservation,
        **_who(reservation, by, {"because": because, "ends_at": ends.isoformat()}),
    )
    tell(
        session,
        NoticeKind.ROOM_CUT_SHORT,
        reservation,
        {"until": say_briefly(ends), "remark": "请收拾好随身物品，不扣信用分"},
        version=ends.isoformat(),
    )


def _must_not_clash(session: Session, reservation: Reservation, stretch: Stretch) -> None:
    party = party_of(reservation)
    if party.is_community:
        return
    other = session.scalars(
        select(Reservation)
        .where(
            party.owns(),
            Reservation.id != reservation.id,
            Reservation.state.in_(HOLDING),
            Reservation.starts_at < stretch.ends_at,
            Reservation.starts_at > stretch.starts_at - timedelta(days=1),
            Reservation.ends_at > stretch.starts_at,
        )
        .order_by(Reservation.id)
        .limit(1)
    ).first()
    if other is not None:
        raise Conflict(
            "own_clash",
            "改到的时间，预约的人另有一个预约，请换一个时间",
            details={"reservation": other.key},
        )
    keeps_its_hour = (stretch.starts_at, stretch.ends_at) == (reservation.starts_at, reservation.ends_at)
    if keeps_its_hour or party.group is not None or party.resident is None:
        return
    at_class = commitments_of(
        session, [party.resident.id], Takes.A_CLASS, starts_at=stretch.starts_at, ends_at=stretch.ends_at
    )
    if at_class:
        raise Conflict("own_clash", "改到的时间，预约的人要上课，请换一个时间")


def _made_good(reservation: Reservation, offers: str) -> str:
    until = reservation.made_good_until
    if until is None:
        return offers or "不扣信用分"
    on = clock.in_town(until)
    return f"不扣分，{on.month}月{on.day}日前可多约一次" + (f"；{offers}" if offers else "")


def _who(reservation: Reservation, by: By, details: dict[str, Any]) -> dict[str, Any]:
    return {
        "by_account_id": by.account_id,
        "identity": by.identity,
        "for_resident_id": reservation.resident_id,
        "details": details,
    }
