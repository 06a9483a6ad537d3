"""Turning (轮次 · 上报): nothing is left on the wall. What nobody took on in its days hangs again, before the others; after the last turn it lies
with the street (domain.md §0, 3; §2.3).

Of a wish some pieces of which are in somebody's hands, those that are free go on, and what was promised stays promised.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.errors import Busy
from models.journal import enter
from models.policies import policies_at
from models.wishes.parties import By
from models.wishes.rows import Wish, WishState
from models.wishes.street import IssueOrder, IssueSource, lay_before_the_street, street_over
from models.wishes.telling import tell_turned
from models.wishes.thread import wind_wish


def wishes_that_ring(session: Session, now: datetime, *, most: int) -> Sequence[Wish]:
    """Up to ``most`` wishes on the wall whose days are over, the longest first."""
    return session.scalars(
        select(Wish)
        .options(joinedload(Wish.region), joinedload(Wish.resident))
        .where(Wish.due_at <= now, Wish.state == WishState.PUBLISHED)
        .order_by(Wish.due_at, Wish.id)
        .limit(most)
    ).all()


def turn_if_due(session: Session, wish: Wish, now: datetime) -> bool:
    """Hang a wish again whose days on the wall are over, or bring it before the street after its last turn; whether it was time.

    Who wished hears which, and so does the community (M16). Raises Busy for a wish that began anew while it was looked at: there is another time.
    """
    turns = policies_at(session, wish.region_id).wish_turns
    is_last = wish.turn >= turns
    if is_last:
        street_over(session, wish.region).lock()  # first, as everybody does who holds both
    wish.lock()
    if wish.state is not WishState.PUBLISHED or wish.due_at is None or wish.due_at > now:
        return False
    if is_last is not (wish.turn >= turns):
        raise Busy
    if is_last:
        escalate(session, wish, by=By())
        return True
    wish.turn += 1
    wish.priority += 1
    enter(session, "wish.hung_again", wish, for_resident_id=wish.resident_id, details={"turn": wish.turn})
    wind_wish(session, wish)
    tell_turned(session, wish)
    return True


def escalate(session: Session, wish: Wish, *, by: By) -> IssueOrder:
    """Bring a wish that hangs on the wall before its street, as a named item with a number; the caller holds the street, and then the wish."""
    wish.state = WishState.ESCALATED
    order = lay_before_the_street(session, wish, IssueSource.UNCLAIMED_WISH)
    enter(session, "wish.escalated", wish, **by.of(wish))
    wind_wish(session, wish)
    tell_turned(session, wish)
    return order
