"""Whether a notice about a wish still says the truth. What has become untrue since it was owed is not sent."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.notices import News, NoticeKind
from models.regions import Region
from models.staff import OFFICE, Role, offices, over
from models.wishes.rows import Wish, WishState

_TO_STAFF = (
    NoticeKind.WISH_TURNED_HERE,
    NoticeKind.WISH_REVIEW_DUE,
    NoticeKind.WISH_DECISION_OVERDUE,
    NoticeKind.WISH_URGED,
)
_HANGS = {WishState.APPROVED.value, WishState.PUBLISHED.value}


def still_true(session: Session, news: Sequence[News]) -> set[int]:
    """The ids of those whose wish stands as they say, and, of those to staff, whose reader works there still; two statements for all."""
    rows = session.execute(
        select(Wish.key, Wish.state, Region.path)
        .join(Region, Region.id == Wish.region_id)
        .where(Wish.key.in_({each.subject_key for each in news}))
    )
    now = {key: (WishState(state), path) for key, state, path in rows}
    staff = (
        offices(session, *OFFICE, Role.STREET_OFFICER) if any(each.kind in _TO_STAFF for each in news) else []
    )
    return {
        each.id
        for each in news
        if each.subject_key in now
        and _holds(now[each.subject_key][0], each)
        and (
            each.kind not in _TO_STAFF
            or getattr(each, "account_id", None) in over(staff, now[each.subject_key][1])
        )
    }


def _holds(state: WishState, news: News) -> bool:
    if news.kind is NoticeKind.WISHED_FOR_YOU:
        return state is not WishState.WITHDRAWN
    said = news.facts["state"]
    return said == state.value or {said, state.value} <= _HANGS
