"""Lending (借用设备): the equipment that goes with a reservation, asked for with it or changed until it begins."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy.orm import Session

from models import clock
from models.equipment import give_back, loans_of
from models.errors import Conflict
from models.journal import enter
from models.reservations.holding import borrow, hold_rooms
from models.reservations.parties import By
from models.reservations.rows import HOLDING, Reservation


def change_equipment(
    session: Session, reservation: Reservation, pieces: Mapping[str, int], *, by: By
) -> None:
    """Have just these pieces go with a reservation instead of what did; none at all is fine, and so is the same again.

    Raises Conflict ``equipment_short``, and ``reservation_over`` for what holds no room or began already; what was lent stays then.
    """
    hold_rooms(session, reservation.venue)
    reservation.lock()
    if reservation.state not in HOLDING or reservation.starts_at <= clock.now():
        raise Conflict(
            "reservation_over",
            "只有还没开始的预约能改设备",
            details={"state": reservation.state.value},
        )
    wanted = {key: number for key, number in pieces.items() if number}
    if borrowed_by(session, [reservation]).get(reservation.key, {}) == wanted:
        return
    give_back(session, [reservation.key])
    borrow(session, reservation, wanted)
    enter(
        session,
        "reservation.equipment_changed",
        reservation,
        by_account_id=by.account_id,
        identity=by.identity,
        for_resident_id=reservation.resident_id if by.is_staff else None,
    )
    session.flush()


def borrowed_by(session: Session, reservations: Collection[Reservation]) -> dict[str, dict[str, int]]:
    """What goes with each of these reservations: by its key, how many pieces by the equipment's key."""
    return loans_of(session, [one.key for one in reservations])
