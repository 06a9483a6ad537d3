"""What becomes of a wish whose words may not stay, or whose nickname, or what it counts its pieces in (内容安全): they are checked as one text."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.journal import enter
from models.wishes.asking import end_wish, words_of
from models.wishes.rows import IN_REVIEW, Wish, WishState
from models.wishes.telling import tell_review

WORDS_REFUSED = "文字没有通过内容审核，请换一种说法再提交"


def clear_words(session: Session, key: str, words: str | None) -> None:
    """Nobody has to look at these words any more. Words that were changed meanwhile are others."""
    wish = _still_saying(session, key, words)
    if wish is not None:
        wish.words_are_sure = True
        session.flush()


def refuse_words(session: Session, key: str, words: str | None) -> None:
    """These words may not stay: a wish that waits is refused, and may be said anew. One that was reviewed was read by somebody already."""
    wish = _still_saying(session, key, words)
    if wish is None or wish.state not in IN_REVIEW:
        return
    end_wish(session, wish, WishState.REJECTED)
    wish.because = WORDS_REFUSED
    enter(session, "wish.rejected", wish, for_resident_id=wish.resident_id)
    session.flush()
    tell_review(session, wish)


def _still_saying(session: Session, key: str, words: str | None) -> Wish | None:
    wish = session.scalar(
        select(Wish).options(joinedload(Wish.resident), joinedload(Wish.region)).where(Wish.key == key)
    )
    return wish if wish is not None and words_of(wish.lock()).to_check == words else None
