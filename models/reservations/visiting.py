"""Visiting (签到 · 签退 · 没有来): what happens to a reservation on its day.

Whoever reserved checks in with the code on the door, or staff do it with the code on the phone; a quarter of an hour after the start an empty
room goes to who waits. Signing out early frees what is left. Nobody uses a room in another's name: there is no way to hand one on.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.errors import Conflict, NotFound
from models.journal import enter
from models.notices import NoticeKind
from models.reservations.charging import charge
from models.reservations.credit import CreditWhy
from models.reservations.finding import first_due, rooms_of
from models.reservations.holding import hold_rooms, leave_early, let_room_go
from models.reservations.overriding import agree_to_move
from models.reservations.parties import By, must_not_be_own
from models.reservations.rows import Condition, Reservation, ReservationState
from models.reservations.telling import tell
from models.reservations.waiting import offer_what_is_free
from models.scenes import SceneKind, live_scene, revoke, subjects_of
from models.sites import Venue
from models.venue_policies import policies_of

DIGITS = 6
A_DAY = timedelta(days=1)  # none is longer


def renew_door_code(session: Session, venue: Venue, *, by: By) -> str:
    """A new code for the paper on a room's door; the old one, and the sign to scan beside it, are good for nothing any more."""
    venue.lock()
    venue.door_code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    session.flush()
    sign = live_scene(session, SceneKind.VENUE, venue.key)
    if sign is not None:
        revoke(session, sign, by_account_id=by.account_id, identity=by.identity)
    enter(session, "venue.door_code_renewed", venue, by_account_id=by.account_id, identity=by.identity)
    return venue.door_code


def check_in(
    session: Session,
    reservation: Reservation,
    *,
    by: By,
    door_code: str | None = None,
    sign: str | None = None,
) -> Reservation:
    """Whoever reserved is there: with the digits on the door or the key of the scanned ``sign`` there, or staff saw them. Twice is fine.

    Raises Forbidden ``own_content`` for staff who let themselves in; Conflict ``door_code_wrong``; ``room_not_ready`` half an hour before and earlier; ``not_approved`` for what is not theirs yet;
    ``reservation_over`` once it was released, cancelled or is over.
    """
    if by.is_staff:
        must_not_be_own(reservation.resident, by)
    hold_rooms(session, reservation.venue)
    reservation.lock()
    if reservation.state is ReservationState.CHECKED_IN:
        return reservation
    if reservation.state in (
        ReservationState.PENDING,
        ReservationState.WAITLISTED,
        ReservationState.OFFERED,
    ):
        raise Conflict("not_approved", "这个预约还没有定下来，定下来以后才能签到")
    now = clock.now()
    if reservation.state is not ReservationState.APPROVED or now >= reservation.ends_at:
        raise Conflict(
            "reservation_over",
            "这个预约已经结束或放开了，还想用请重新预约",
            details={"state": reservation.state.value},
        )
    opens_at = reservation.starts_at - timedelta(
        minutes=policies_of(session, reservation.venue).room_check_in_before_minutes
    )
    if now < opens_at:
        at = clock.in_town(opens_at)
        raise Conflict(
            "room_not_ready",
            f"{at.month}月{at.day}日 {at:%H:%M} 开始签到",
            details={"opens_at": at.isoformat()},
        )
    if not by.is_staff:
        _must_be_at_the_door(session, reservation.venue, door_code, sign)
    reservation.state, reservation.checked_in_at = ReservationState.CHECKED_IN, now
    agree_to_move(session, reservation)
    session.flush()
    enter(session, "reservation.checked_in", reservation, **_who(reservation, by))
    return reservation


def check_in_by_code(session: Session, venue: Venue, code: str, *, by: By) -> Reservation:
    """Staff type in the code somebody shows at a room; whose reservation it is.

    Six digits may be of two reservations of a day: the one they can be checked in for now is meant, before one that is in already, before
    one that begins later or is not theirs yet, before what is over. Raises NotFound ``code_unknown`` and what ``check_in`` does.
    """
    now = clock.now()
    found = session.scalars(
        select(Reservation)
        .options(*rooms_of())
        .where(
            Reservation.venue_id == venue.id,
            Reservation.code == code,
            Reservation.starts_at > now - A_DAY,
            Reservation.starts_at < now + A_DAY,
            Reservation.ends_at > now,
        )
        .order_by(Reservation.starts_at, Reservation.id)
    ).all()
    if not found:
        raise NotFound("没有找到这个签到码，请核对场地和时间", code="code_unknown")
    before = timedelta(minutes=policies_of(session, venue).room_check_in_before_minutes)

    def comes_last(one: Reservation) -> tuple[bool, bool, bool]:
        is_theirs = one.state is ReservationState.APPROVED
        return (
            not one.is_live,
            not (is_theirs and one.starts_at - before <= now),
            one.state is not ReservationState.CHECKED_IN,
        )

    return check_in(session, min(found, key=comes_last), by=by)


def sign_out(
    session: Session,
    reservation: Reservation,
    *,
    by: By,
    condition: Condition | None = None,
    note: str = "",
) -> Reservation:
    """The room is left, as it is said (unsaid: in order); what is left of its time goes to who waits. Twice is fine, the first word stays.

    What staff noted as damaged stays so unless staff say otherwise. Kept as reserved it gives credit back; what is damaged costs credit where
    staff say so, and otherwise is for staff to look at. Raises Conflict ``not_checked_in``.
    """
    rooms = hold_rooms(session, reservation.venue)
    reservation.lock()
    if reservation.signed_out_at is not None:
        return reservation
    if reservation.state is not ReservationState.CHECKED_IN:
        raise Conflict("not_checked_in", "还没有签到，不用签退", details={"state": reservation.state.value})
    now = clock.now()
    leave_early(session, reservation, now)
    reservation.state, reservation.signed_out_at, reservation.ended_at = ReservationState.FINISHED, now, now
    _leave_as(reservation, condition, note, by)
    session.flush()
    enter(session, "reservation.signed_out", reservation, **_who(reservation, by))
    if reservation.condition is Condition.GOOD:
        charge(session, reservation, CreditWhy.KEPT)
    elif condition is Condition.DAMAGED and by.is_staff:
        charge(session, reservation, CreditWhy.DAMAGE, note=note)
    offer_what_is_free(session, rooms)
    return reservation


def _leave_as(reservation: Reservation, condition: Condition | None, note: str, by: By) -> None:
    """Keep how the room was left: what staff noted while somebody was there is not for that somebody to take back."""
    is_noted = reservation.condition is Condition.DAMAGED
    if not is_noted or (by.is_staff and condition not in (None, Condition.DAMAGED)):
        reservation.condition, reservation.condition_note = condition or Condition.GOOD, note
    elif by.is_staff and note:
        reservation.condition_note = note


def note_damage(session: Session, reservation: Reservation, note: str, *, by: By) -> Reservation:
    """Staff found damage after somebody had been there. Twice is fine. Raises Conflict ``not_used`` for a room nobody was in."""
    hold_rooms(session, reservation.venue)
    reservation.lock()
    if reservation.checked_in_at is None:
        raise Conflict(
            "not_used", "这个预约没有人到场，不能记损坏", details={"state": reservation.state.value}
        )
    if reservation.condition is not Condition.DAMAGED or reservation.condition_note != note:
        reservation.condition, reservation.condition_note = Condition.DAMAGED, note
        session.flush()
    enter(session, "reservation.damage_noted", reservation, **_who(reservation, by))
    charge(session, reservation, CreditWhy.DAMAGE, note=note)
    return reservation


def no_shows(session: Session, now: datetime, *, most: int) -> Sequence[Reservation]:
    """Up to ``most`` rooms nobody came to in time, and own uses of the community that are over, those that began first."""
    return first_due(
        session,
        (Reservation.state == ReservationState.APPROVED)
        & (Reservation.starts_at <= now)
        & (Reservation.resident_id.is_not(None) | (Reservation.ends_at <= now)),
        lambda one, numbers: _is_let_go_at(one, numbers.no_show_minutes) <= now,
        most=most,
    )


def release(session: Session, reservation: Reservation) -> bool:
    """Let go of a room nobody came to, for who waits; it costs credit. What the community used itself is over. Whether it was so."""
    rooms = hold_rooms(session, reservation.venue)
    reservation.lock()
    now = clock.now()
    minutes = policies_of(session, reservation.venue).no_show_minutes
    if reservation.state is not ReservationState.APPROVED or _is_let_go_at(reservation, minutes) > now:
        return False
    reservation.ended_at = now
    if reservation.resident_id is None:
        reservation.state = ReservationState.FINISHED
        session.flush()
        enter(session, "reservation.finished", reservation)
        return True
    reservation.state = ReservationState.NO_SHOW
    session.flush()
    let_room_go(session, reservation)
    enter(session, "reservation.no_show", reservation, for_resident_id=reservation.resident_id)
    entry = charge(session, reservation, CreditWhy.NO_SHOW)
    if entry is None:
        tell(session, NoticeKind.ROOM_RELEASED, reservation)
    offer_what_is_free(session, rooms)
    return True


def not_signed_out(session: Session, now: datetime, *, most: int) -> Sequence[Reservation]:
    """Up to ``most`` rooms that are over, and nobody said they had left, those that began first."""
    return first_due(
        session,
        (Reservation.state == ReservationState.CHECKED_IN) & (Reservation.ends_at <= now),
        lambda one, numbers: one.ends_at + timedelta(minutes=numbers.sign_out_minutes) <= now,
        most=most,
    )


def finish(session: Session, reservation: Reservation) -> bool:
    """End what nobody signed out of in time; whether it was so."""
    hold_rooms(session, reservation.venue)
    reservation.lock()
    grace = timedelta(minutes=policies_of(session, reservation.venue).sign_out_minutes)
    if reservation.state is not ReservationState.CHECKED_IN or reservation.ends_at + grace > clock.now():
        return False
    reservation.state, reservation.ended_at = ReservationState.FINISHED, clock.now()
    session.flush()
    enter(session, "reservation.finished", reservation, for_resident_id=reservation.resident_id)
    charge(session, reservation, CreditWhy.NO_SIGN_OUT)
    return True


def _is_let_go_at(one: Reservation, minutes: int) -> datetime:
    """When nobody is waited for any longer; whoever took it late has the same quarter of an hour from then."""
    if one.resident_id is None:
        return one.ends_at
    return max(one.starts_at, one.offered_at or one.starts_at) + timedelta(minutes=minutes)


def _must_be_at_the_door(session: Session, venue: Venue, door_code: str | None, sign: str | None) -> None:
    if sign is not None:
        if subjects_of(session, [sign]).get(sign) != (SceneKind.VENUE, venue.key):
            raise Conflict("door_code_wrong", f"扫的不是“{venue.name}”门口的码，请扫门口的码或输入六位数字")
        return
    if not venue.door_code:
        raise Conflict("door_code_wrong", "这个场地没有门口签到码，请工作人员帮您签到")
    if door_code is None or not secrets.compare_digest(door_code.encode(), venue.door_code.encode()):
        raise Conflict("door_code_wrong", "签到码不对，请看场地门口贴的六位数字，或请工作人员帮您签到")


def _who(reservation: Reservation, by: By) -> dict[str, Any]:
    """Who acts, as the journal takes it, and for whom where that is somebody else."""
    own = reservation.resident.account_id if reservation.resident else None
    return {
        "by_account_id": by.account_id,
        "identity": by.identity,
        "for_resident_id": reservation.resident_id if by.account_id != own else None,
    }
