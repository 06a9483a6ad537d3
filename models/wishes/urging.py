"""Urging (催办): whoever wished asks how it goes, and whoever's desk it is on hears of it; once in so many days, however often they tap (E27)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from models import clock
from models.errors import Conflict
from models.journal import enter
from models.notices import NoticeKind
from models.policies import policies_at
from models.staff import OFFICE, Role, offices, over
from models.wishes.claims.finding import claims_on
from models.wishes.claims.telling import tell_urged
from models.wishes.clocks import Desk
from models.wishes.parties import By
from models.wishes.rows import Wish, WishState
from models.wishes.standing import Standing, standing_of, standings_of
from models.wishes.telling import owe_to_staff

URGED = "居民催办"


@dataclass(frozen=True)
class Urged:
    """That somebody was asked: when, within how many days they answer, and from when on one may ask again."""

    at: datetime
    days: int
    again_at: datetime
    is_new: bool


def urge(session: Session, wish: Wish, *, by: By) -> Urged:
    """Ask whoever's desk a wish is on how it goes. Until the days are over, another tap asks nobody and says from when on it would.

    Raises Conflict ``wish_decided`` for one that is over, and ``waits_for_you`` for one that waits for whoever wished.
    """
    wish.lock()
    days = policies_at(session, wish.region_id).wish_urge_days
    span, now = timedelta(days=days), clock.now()
    if wish.urged_at is not None and now < wish.urged_at + span:
        return Urged(wish.urged_at, days, wish.urged_at + span, is_new=False)
    claims = claims_on(session, [wish.id])[wish.id]
    standing = standing_of(wish, claims)
    if standing is None or not wish.is_open:
        raise Conflict("wish_decided", "这个心愿已经结束，不用催办", details={"state": wish.state.value})
    if standing.desk is Desk.WISHER:
        raise Conflict("waits_for_you", "这一步在等您：请先补充材料，或者确认有没有办好")
    version = (
        f"after-{wish.urged_at.isoformat()}" if wish.urged_at else "first"
    )  # a second look says the same
    wish.urged_at = now
    enter(session, "wish.urged", wish, **by.of(wish))
    all_of_it = standings_of(claims) if wish.state is WishState.CLAIMED else [standing]
    for desk in dict.fromkeys(one.desk for one in all_of_it):
        _ask(session, wish, desk, [one for one in all_of_it if one.desk is desk], version)
    session.flush()
    return Urged(now, days, now + span, is_new=True)


def urge_from(session: Session, wish: Wish, standing: Standing | None) -> datetime | None:
    """From when on whoever wished may ask how it goes; none where nobody else is waited for."""
    if standing is None or standing.desk is Desk.WISHER:
        return None
    now = clock.now()
    if wish.urged_at is None:
        return now
    return max(now, wish.urged_at + timedelta(days=policies_at(session, wish.region_id).wish_urge_days))


def _ask(session: Session, wish: Wish, desk: Desk, about: list[Standing], version: str) -> None:
    if desk is Desk.UNIT:
        for standing in about:
            if standing.claim is not None:
                tell_urged(session, standing.claim, URGED, version=version)
    elif desk is not Desk.WISHER:
        roles = [Role.STREET_OFFICER] if desk is Desk.STREET else OFFICE
        owe_to_staff(
            session,
            NoticeKind.WISH_URGED,
            wish,
            {"result": URGED, "when_at": clock.now().isoformat(), "state": wish.state.value},
            over(offices(session, *roles), wish.region.path),
            version=version,
        )
