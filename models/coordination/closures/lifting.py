"""Lifting (恢复开放): a closure ends early, or before it began. What was moved stays where it is, and who was asked may still answer."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models import clock
from models.coordination.closures.rows import RoomClosure
from models.coordination.closures.shutting import pass_on
from models.errors import Conflict
from models.journal import enter
from models.occupancy import let_go_from
from models.reservations import By, hold_rooms, offer_what_is_free


def lift(session: Session, closure: RoomClosure, because: str, *, by: By) -> None:
    """Open the rooms again from now on, but for what another closure wants of them; who waits for what is free again is offered it. Twice is fine.

    Raises Conflict ``closure_over`` for one that has ended by itself.
    """
    rooms = hold_rooms(session, *closure.venues)
    closure.lock()
    if closure.lifted_at is not None:
        return
    now = clock.now()
    if closure.ends_at <= now:
        raise Conflict("closure_over", "这次停用已经到期，不用恢复")
    closure.lifted_at, closure.lifted_because = now, because
    session.flush()
    opens_at = max(now, closure.starts_at)
    let_go_from(session, closure.key, opens_at)
    pass_on(session, closure, opens_at)
    enter(
        session,
        "room_closure.lifted",
        closure,
        by_account_id=by.account_id,
        identity=by.identity,
        details={"because": because},
    )
    session.flush()
    offer_what_is_free(session, rooms)
