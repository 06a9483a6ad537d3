"""Telling (告知): what whoever wished hears of the street (domain.md §6, M16). What cannot be done must reach them, and why stands in the wish."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models import clock
from models.base import new_key
from models.notices import NoticeKind
from models.wishes import Wish
from models.wishes.telling import owe_to_wisher


def tell_wisher(session: Session, wish: Wish, result: str, word: str) -> None:
    """Owe the word where a wish lies now to who wished it."""
    _owe(session, NoticeKind.WISH_WITH_STREET, wish, result, word)


def tell_cannot(session: Session, wish: Wish) -> None:
    """Owe the word that a wish cannot be fulfilled to who wished it."""
    _owe(session, NoticeKind.WISH_CANNOT, wish, "未能实现", "原因请点开查看，有疑问请联系社区")


def _owe(session: Session, kind: NoticeKind, wish: Wish, result: str, word: str) -> None:
    owe_to_wisher(
        session,
        kind,
        wish,
        {
            "result": result,
            "word": word,
            "when_at": clock.now().isoformat(),
            "state": wish.state.value,
        },
        subject_key=wish.key,
        version=new_key(),  # each is told, also two within one second
    )
