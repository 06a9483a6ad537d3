"""Whether a notice about a wish still says the truth. What has become untrue since it was owed is not sent."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.notices import News, NoticeKind
from models.wishes.rows import Wish, WishState

_HANGS = {WishState.APPROVED.value, WishState.PUBLISHED.value}


def still_true(session: Session, news: Sequence[News]) -> set[int]:
    """The ids of those whose wish stands as they say, in one statement however many they are."""
    rows = session.execute(
        select(Wish.key, Wish.state).where(Wish.key.in_({each.subject_key for each in news}))
    )
    now = {key: WishState(state) for key, state in rows}
    return {each.id for each in news if each.subject_key in now and _holds(now[each.subject_key], each)}


def _holds(state: WishState, news: News) -> bool:
    if news.kind is NoticeKind.WISHED_FOR_YOU:
        return state is not WishState.WITHDRAWN
    said = news.facts["state"]
    return said == state.value or {said, state.value} <= _HANGS
