"""Reviewing (审核): who works for the community says what may hang on the wall, asks for more, or says no, in working time (domain.md §2.3).

Nobody decides about their own household. What hangs on the wall is written by whoever reviews, and tells nothing private: no phone number, no
address, not the name of who wished it. While more is asked for the clock stands still.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.errors import Conflict, Fault
from models.journal import enter
from models.policies import policies_at
from models.residents import Resident, is_minor
from models.screening import names, passages, said
from models.wishes.asking import end_wish
from models.wishes.claims.ending import end_claims_on
from models.wishes.parties import By, must_not_be_of_the_household
from models.wishes.rows import IN_REVIEW, ON_THE_WALL, AgeBand, Card, Wish, WishRound, WishState
from models.wishes.telling import tell_review
from models.wishes.thread import wind_wish

ELDER_FROM = 60  # 老年人权益保障法 art. 2


def approve_wish(session: Session, wish: Wish, card: Card, *, by: By) -> Wish:
    """Let a wish hang on the wall with this card: now, or on the day its round is shown. The same twice is fine, another card replaces the first.

    Raises Forbidden ``own_content``; Conflict ``wish_decided`` for one that was refused or taken back, and ``wish_card_unfit`` naming what of the card
    tells too much, and ``wish_frozen`` once somebody has taken it on: what they promised stays as they read it.
    """
    _hold(session, wish, by)
    if wish.state not in (*IN_REVIEW, *ON_THE_WALL):
        raise decided(wish)
    if wish.state in ON_THE_WALL and card_of(wish) == card:
        return wish
    was_decided = wish.state in ON_THE_WALL
    if was_decided and wish.parts_taken:
        raise Conflict("wish_frozen", "已经有单位认领，公开的文字不能再改，有出入请联系认领单位")
    must_tell_nothing_private(wish, card)
    hang(wish, card)
    if was_decided:
        enter(session, "wish.card_corrected", wish, **by.of(wish))
        session.flush()
        return wish
    wish.words_are_sure, wish.reviewed_at, wish.because = True, clock.now(), ""
    wish.state = WishState.APPROVED
    enter(session, "wish.approved", wish, **by.of(wish))
    wind_wish(session, wish)
    if wish.round is None or _shown_from(session, wish.round) <= clock.now():
        publish(session, wish)
    tell_review(session, wish)
    return wish


def ask_for_more(session: Session, wish: Wish, what: str, *, by: By) -> Wish:
    """Ask whoever wishes for what is missing, and wait. The same twice is fine. Raises as ``approve_wish``."""
    _hold(session, wish, by)
    if wish.state is WishState.NEED_INFO and wish.because == what:
        return wish
    if wish.state not in IN_REVIEW:
        raise decided(wish)
    wish.state, wish.because = WishState.NEED_INFO, what
    enter(session, "wish.more_asked", wish, **by.of(wish))
    wind_wish(session, wish)
    tell_review(session, wish)
    return wish


def reject_wish(session: Session, wish: Wish, because: str, *, by: By) -> Wish:
    """Say no, or take it off the wall, for a reason only they read; they may say it anew. Twice is fine. Raises as ``approve_wish``."""
    _hold(session, wish, by)
    if wish.state is WishState.REJECTED:
        return wish
    if not wish.is_open:
        raise decided(wish)
    end_claims_on(session, wish, "社区已取下这个心愿", by=by)
    end_wish(session, wish, WishState.REJECTED)
    wish.because, wish.reviewed_at = because, clock.now()
    enter(session, "wish.rejected", wish, **by.of(wish))
    session.flush()
    tell_review(session, wish)
    return wish


def publish(session: Session, wish: Wish) -> bool:
    """Hang an approved wish on the wall; whether it did not hang there yet."""
    wish.lock()
    if wish.state is not WishState.APPROVED:
        return False
    wish.state, wish.published_at, wish.turn = WishState.PUBLISHED, clock.now(), 1
    wish.first_published_at = wish.first_published_at or wish.published_at
    enter(session, "wish.published", wish, for_resident_id=wish.resident_id)
    wind_wish(session, wish)
    return True


def due_to_show(session: Session, now: datetime, *, most: int) -> Sequence[Wish]:
    """Up to ``most`` approved wishes whose round is shown from today or before, the oldest first; ``is_shown_now`` says whether its hour has come."""
    return session.scalars(
        select(Wish)
        .join(WishRound, WishRound.id == Wish.round_id)
        .options(joinedload(Wish.round), joinedload(Wish.region))
        .where(Wish.state == WishState.APPROVED, WishRound.shown_on <= clock.in_town(now).date())
        .order_by(Wish.id)
        .limit(most)
    ).all()


def is_shown_now(session: Session, wish: Wish) -> bool:
    """Whether the hour has come at which the round of an approved wish hangs on the wall."""
    return wish.round is None or _shown_from(session, wish.round) <= clock.now()


def age_band_of(resident: Resident | None) -> AgeBand:
    """As much of somebody's age as the wall tells."""
    year = resident.birth_year if resident is not None else None
    if year is None:
        return AgeBand.UNKNOWN
    if is_minor(year):
        return AgeBand.CHILD
    return AgeBand.ELDER if clock.today().year - year >= ELDER_FROM else AgeBand.ADULT


def _shown_from(session: Session, in_round: WishRound) -> datetime:
    hour: time = policies_at(session, in_round.region_id).publishing_hour
    on: date = in_round.shown_on
    return datetime.combine(on, hour, clock.TOWN_ZONE)


def _hold(session: Session, wish: Wish, by: By) -> None:
    must_not_be_of_the_household(session, wish, by)
    wish.lock()


def hang(wish: Wish, card: Card) -> None:
    """Put on a wish (held by the caller) what of it others may read."""
    wish.title, wish.public_words, wish.age_band = card.title, card.words, age_band_of(wish.resident)
    for photo in wish.photos:
        photo.is_public = photo.key in card.photos


def card_of(wish: Wish) -> Card:
    """What of a wish others may read."""
    return Card(
        wish.title, wish.public_words, frozenset(photo.key for photo in wish.photos if photo.is_public)
    )


def must_tell_nothing_private(wish: Wish, card: Card) -> None:
    """Raises Conflict ``wish_card_unfit`` naming what of a card tells too much of whoever wished."""
    faults = []
    name = wish.resident.name if wish.resident else None
    for field, text in (("title", card.title), ("words", card.words)):
        found = passages(text)
        if found:
            faults.append(Fault(field, f"公开的文字里有{said(found)}，请改掉"))
        if name and len(name) > 1 and name in text:
            faults.append(Fault(field, "公开的文字里有许愿人的姓名，请改掉"))
        if wish.address and wish.address in text:
            faults.append(Fault(field, "公开的文字里有住址，请改掉"))
    is_child = is_minor(wish.resident.birth_year if wish.resident else None)
    if not is_child and names(wish.nickname, name):  # a child's stands nowhere
        faults.append(Fault("nickname", "公开的称呼里有许愿人的姓名，请先让居民改掉"))
    known = {photo.key: photo for photo in wish.photos}
    if card.photos - known.keys():
        faults.append(Fault("photos", "不是这个心愿的照片"))
    elif card.photos and is_child:
        faults.append(Fault("photos", "孩子的心愿不公开照片"))
    elif any(not known[key].is_sure for key in card.photos):
        faults.append(Fault("photos", "照片还在内容审核，通过以后才能公开"))
    if faults:
        raise Conflict("wish_card_unfit", faults[0].message, faults=faults)


def decided(wish: Wish) -> Conflict:
    """The no for a wish that stands elsewhere by now."""
    return Conflict(
        "wish_decided", "这个心愿的状态已经变了，请刷新后查看", details={"state": wish.state.value}
    )
