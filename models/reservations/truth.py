"""Whether a notice about a reservation still says the truth. What has become untrue since it was owed is not sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.notices import News, NoticeKind
from models.reservations.rows import HOLDING, Reservation, ReservationState


def _is_theirs(one: Reservation, news: News) -> bool:
    return one.state is ReservationState.APPROVED and one.ends_at > clock.now()


def _was_refused(one: Reservation, news: News) -> bool:
    return one.state in (ReservationState.REJECTED, ReservationState.EXPIRED)


def _is_offered(one: Reservation, news: News) -> bool:
    return (
        one.state is ReservationState.OFFERED
        and one.offer_expires_at == datetime.fromisoformat(news.facts["expires_at"])
        and one.offer_expires_at > clock.now()
    )


def _begins_then(one: Reservation, news: News) -> bool:
    return (
        one.state is ReservationState.APPROVED
        and one.starts_at > clock.now()
        and one.starts_at == datetime.fromisoformat(news.facts["starts_at"])
    )


def _was_moved_there(one: Reservation, news: News) -> bool:
    """As long as it is where the message says; whoever said yes meanwhile knows."""
    return _stands_then(one, news) and one.move_agreed_at is None


def _stands_then(one: Reservation, news: News) -> bool:
    return (
        one.state in HOLDING
        and one.starts_at > clock.now()
        and one.starts_at == datetime.fromisoformat(news.facts["starts_at"])
        and one.venue.key == news.facts["venue"]
    )


def _is_over(one: Reservation, news: News) -> bool:
    return not one.is_live


def _was_done_for_them(one: Reservation, news: News) -> bool:
    return one.is_live is not news.facts["gave_up"]


def _stays_so(one: Reservation, news: News) -> bool:
    return True


_HOLDS: Mapping[NoticeKind, Callable[[Reservation, News], bool]] = {
    NoticeKind.ROOM_RESERVED: _is_theirs,
    NoticeKind.ROOM_REFUSED: _was_refused,
    NoticeKind.ROOM_OFFERED: _is_offered,
    NoticeKind.ROOM_WAIT_OVER: _is_over,
    NoticeKind.ROOM_SOON: _begins_then,
    NoticeKind.ROOM_CALLED_OFF: _is_over,
    NoticeKind.ROOM_MOVED: _was_moved_there,
    NoticeKind.ROOM_CUT_SHORT: _stays_so,
    NoticeKind.ROOM_RELEASED: _is_over,
    NoticeKind.RESERVED_FOR_YOU: _was_done_for_them,
    NoticeKind.CREDIT_TAKEN: _stays_so,
    NoticeKind.CREDIT_APPEAL_DECIDED: _stays_so,
    NoticeKind.RESERVING_RESUMED: _stays_so,
}


def still_true(session: Session, news: Sequence[News]) -> set[int]:
    """The ids of those that still say the truth, in one statement however many they are."""
    rows = session.scalars(
        select(Reservation)
        .options(joinedload(Reservation.venue))
        .where(Reservation.key.in_({each.subject_key for each in news}))
        .execution_options(populate_existing=True)
    )
    found = {row.key: row for row in rows}
    return {
        each.id
        for each in news
        if each.subject_key in found and _HOLDS[each.kind](found[each.subject_key], each)
    }
