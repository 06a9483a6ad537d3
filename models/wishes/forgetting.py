"""Forgetting (遗忘): what of a wish is kept only while something may come of it, and what becomes of the wishes of who leaves.

Words, address and hardship of a wish that is over are struck after ``WORDS_KEPT_FOR`` (domain.md §4); its photos go with them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, joinedload

from models.journal import enter
from models.wishes.asking import end_wish
from models.wishes.claims.ending import end_claims_on
from models.wishes.claims.forgetting import strike_claims_on
from models.wishes.parties import By
from models.wishes.rows import OVER, Wish, WishPhoto, WishState, WishSupport
from models.wishes.street import strike_cards_on, strike_orders_on

WORDS_KEPT_FOR = timedelta(days=90)
_NOTHING_SAID = {
    "words": None,
    "address": None,
    "address_fingerprint": None,
    "hardship": None,
    "nickname": "",
    "because": "",
    "may_share": False,
}


def forget_old_wishes(session: Session, now: datetime, *, most: int) -> int:
    """Strike what was said of up to ``most`` wishes that were over longer than that ago; how many."""
    ids = session.scalars(
        select(Wish.id)
        .where(Wish.ended_at <= now - WORDS_KEPT_FOR, Wish.state.in_(OVER), Wish.words.is_not(None))
        .order_by(Wish.ended_at, Wish.id)
        .limit(most)
    ).all()
    _strike(session, ids)
    return len(ids)


def leave_wishes(
    session: Session, residents: Collection[int], *, by_account_id: int | None, identity: str
) -> int:
    """These people (held by the caller) leave: nothing comes of their wishes, and nothing of what they said stays; how many were open."""
    theirs = session.scalars(select(Wish).where(Wish.resident_id.in_(residents)).order_by(Wish.id)).all()
    were_open = 0
    for wish in theirs:
        wish.lock()
        if wish.is_open:
            were_open += 1
            end_claims_on(session, wish, "许愿人不需要了", by=By(by_account_id, identity))
            end_wish(session, wish, WishState.WITHDRAWN)
            enter(session, "wish.withdrawn", wish, by_account_id=by_account_id, identity=identity)
        wish.title = wish.public_words = ""
    session.flush()
    strike_cards_on(session, [wish.id for wish in theirs])
    _strike(session, [wish.id for wish in theirs])
    _support_nothing(session, residents)
    return were_open


def wishes_kept_of(session: Session, residents: Collection[int]) -> Sequence[Wish]:
    """Every wish of these people, oldest first."""
    return session.scalars(select(Wish).where(Wish.resident_id.in_(residents)).order_by(Wish.id)).all()


def supports_kept_of(session: Session, residents: Collection[int]) -> Sequence[WishSupport]:
    """Every 我也需要 of these people, with the wish, oldest first."""
    return session.scalars(
        select(WishSupport)
        .options(joinedload(WishSupport.wish))
        .where(WishSupport.resident_id.in_(residents))
        .order_by(WishSupport.id)
    ).all()


def open_wishes_of(session: Session, residents: Collection[int]) -> Sequence[Wish]:
    """The wishes of these people something may still come of, oldest first."""
    return [wish for wish in wishes_kept_of(session, residents) if wish.is_open]


def _strike(session: Session, ids: Sequence[int]) -> None:
    if not ids:
        return
    strike_claims_on(session, ids)
    strike_orders_on(session, ids)
    session.execute(delete(WishPhoto).where(WishPhoto.wish_id.in_(ids)))
    session.execute(update(Wish).where(Wish.id.in_(ids)).values(_NOTHING_SAID))


def _support_nothing(session: Session, residents: Collection[int]) -> None:
    for given in supports_kept_of(session, residents):
        given.wish.lock()
        given.wish.supporters -= 1
        session.delete(given)
    session.flush()
