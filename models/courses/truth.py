"""Whether a notice about somebody's place in a class still says the truth. What has become untrue since it was owed is not sent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from models import clock
from models.courses.registrations import LIVE, CancelledBy, Registration, RegistrationState
from models.courses.runs import CourseRun, CourseSession, RunState, SessionState
from models.notices import News, NoticeKind
from models.sites import Venue


@dataclass(frozen=True)
class _Evening:
    """How an evening stands now."""

    state: SessionState
    starts_at: datetime
    venue_key: str


@dataclass(frozen=True)
class _Place:
    """How things stand now: the place somebody has in a run, and the evening the notice tells of, if it tells of one."""

    state: RegistrationState
    cancelled_by: CancelledBy | None
    offer_expires_at: datetime | None
    run_state: RunState
    ends_at: datetime
    came_again: bool
    evening: _Evening | None

    def has_seat(self) -> bool:
        """In a class that stands and is not over."""
        return self.state is RegistrationState.CONFIRMED and self.goes_on()

    def is_awaited(self) -> bool:
        """By a class that stands and is not over: with a seat, or in the queue."""
        return self.state in LIVE and self.goes_on()

    def meets_at(self, starts_at: str) -> bool:
        """Whether the evening is still to come, at just that moment."""
        return (
            self.evening is not None
            and self.evening.state is SessionState.PLANNED
            and self.evening.starts_at > clock.now()
            and self.evening.starts_at == datetime.fromisoformat(starts_at)
        )

    def meets_in(self, venue_key: str) -> bool:
        """Whether the evening is in just that room."""
        return self.evening is not None and self.evening.venue_key == venue_key

    def goes_on(self) -> bool:
        """Whether the class stands and is not over."""
        return self.run_state is RunState.PUBLISHED and self.ends_at > clock.now()


def _seat_is_held(place: _Place, news: News) -> bool:
    return place.has_seat()


def _is_not_selected(place: _Place, news: News) -> bool:
    """Also of who waits in the queue since."""
    told = (RegistrationState.NOT_SELECTED, RegistrationState.WAITLISTED)
    return place.state in told and place.goes_on()


def _is_offered(place: _Place, news: News) -> bool:
    """To just that end: an offer made again is told again."""
    return (
        place.state is RegistrationState.OFFERED
        and place.goes_on()
        and place.offer_expires_at == datetime.fromisoformat(news.facts["expires_at"])
        and place.offer_expires_at > clock.now()
    )


def _class_is_near(place: _Place, news: News) -> bool:
    return place.has_seat() and place.meets_at(news.facts["starts_at"])


def _class_is_there_now(place: _Place, news: News) -> bool:
    meets_so = place.meets_at(news.facts["starts_at"]) and place.meets_in(news.facts["venue"])
    return place.is_awaited() and meets_so


def _class_is_off(place: _Place, news: News) -> bool:
    """True also of the last evening, with which the class is over."""
    is_off = place.evening is not None and place.evening.state is SessionState.CANCELLED
    return is_off and place.state in LIVE and place.run_state is RunState.PUBLISHED


def _run_is_off(place: _Place, news: News) -> bool:
    return place.cancelled_by is CancelledBy.TOWN


def _was_done_for_them(place: _Place, news: News) -> bool:
    """That somebody acted for a person is true as long as the registration is what they made it."""
    if not place.goes_on():
        return False
    is_live = place.state in LIVE
    return not is_live and not place.came_again if news.facts["gave_up"] else is_live


def _child_went_home(place: _Place, news: News) -> bool:
    return True


_HOLDS: Mapping[NoticeKind, Callable[[_Place, News], bool]] = {
    NoticeKind.REGISTRATION_CONFIRMED: _seat_is_held,
    NoticeKind.REGISTRATION_PROMOTED: _seat_is_held,
    NoticeKind.SELECTED: _seat_is_held,
    NoticeKind.NOT_SELECTED: _is_not_selected,
    NoticeKind.SEAT_OFFERED: _is_offered,
    NoticeKind.OFFER_ENDING: _is_offered,
    NoticeKind.ACTED_FOR_YOU: _was_done_for_them,
    NoticeKind.CLASS_TOMORROW: _class_is_near,
    NoticeKind.CLASS_SOON: _class_is_near,
    NoticeKind.CLASS_MOVED: _class_is_there_now,
    NoticeKind.RUN_MERGED: _class_is_there_now,
    NoticeKind.CLASS_CALLED_OFF: _class_is_off,
    NoticeKind.RUN_CANCELLED: _run_is_off,
    NoticeKind.CHILD_FETCHED: _child_went_home,
}


def still_true(session: Session, news: Sequence[News]) -> set[int]:
    """The ids of those that still say the truth, in two statements however many they are."""
    evenings = _evenings(session, {str(each.facts["evening"]) for each in news if "evening" in each.facts})
    again = aliased(Registration)
    came_again = (
        select(again.id)
        .where(
            again.run_id == Registration.run_id,
            again.resident_id == Registration.resident_id,
            again.state.in_(LIVE),
            again.id != Registration.id,
        )
        .exists()
    )
    rows = session.execute(
        select(
            Registration.key,
            Registration.state,
            Registration.cancelled_by,
            Registration.offer_expires_at,
            CourseRun.state.label("run_state"),
            CourseRun.ends_at,
            came_again.label("came_again"),
        )
        .join(CourseRun, CourseRun.id == Registration.run_id)
        .where(Registration.key.in_({each.subject_key for each in news}))
    )
    places = {row.key: row for row in rows}
    true = set()
    for each in news:
        row = places.get(each.subject_key)
        if row is None:
            continue
        evening = evenings.get(str(each.facts.get("evening", "")))
        place = _Place(
            row.state,
            row.cancelled_by,
            row.offer_expires_at,
            row.run_state,
            row.ends_at,
            row.came_again,
            evening,
        )
        if _HOLDS[each.kind](place, each):
            true.add(each.id)
    return true


def _evenings(session: Session, keys: Collection[str]) -> dict[str, _Evening]:
    if not keys:
        return {}
    rows = session.execute(
        select(CourseSession.key, CourseSession.state, CourseSession.starts_at, Venue.key.label("venue_key"))
        .join(Venue, Venue.id == CourseSession.venue_id)
        .where(CourseSession.key.in_(keys))
    )
    return {row.key: _Evening(row.state, row.starts_at, row.venue_key) for row in rows}
