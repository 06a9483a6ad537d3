"""Holders (占用方): what each hold of the one calendar is, over all nouns, as everybody and as staff may read it.

No person is told here, so that nothing that is made of it, the screen in the hall or a calendar that is passed on, can name one. Whose a
reservation is, staff ask for by itself (``whose_are``), and that is written down.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload, load_only

from models import clock
from models.agreements import ServiceAgreement, ServiceHold
from models.availability import Held, RoomDay
from models.bulk import among
from models.coordination.closures import PURPOSES, RoomClosure
from models.courses import UNSEEN, Course, CourseRun, CourseSession, RunState
from models.groups import Group
from models.occupancy import Purpose
from models.partners import Partner
from models.reservations import Reservation, ReservationState, ReservedFor
from models.residents import Resident

# what anybody may read of whatever holds a room, where nothing more is to be read
WORDS = {
    Purpose.COURSE_SESSION: "上课",
    Purpose.RESERVATION: "预约",
    Purpose.CLOSURE: "停用",
    Purpose.PUBLIC_NEED: "征用",
    Purpose.SERVICE: "场地换服务",
}
DOING = {
    ReservedFor.READING: "阅读自习",
    ReservedFor.GAMES: "棋牌球类",
    ReservedFor.REHEARSAL: "排练",
    ReservedFor.TRAINING: "学习培训",
    ReservedFor.MEETING: "会议",
    ReservedFor.DELIBERATION: "议事协商",
    ReservedFor.PUBLIC_EVENT: "公益活动",
    ReservedFor.GATHERING: "邻里聚会",
    ReservedFor.OTHER: "邻里活动",
}
# not theirs for sure yet, so not told as theirs either
UNDECIDED = (ReservationState.PENDING, ReservationState.OFFERED)
COMMUNITY = "社区"


@dataclass(frozen=True)
class Holder:
    """What holds a room. ``title`` is for staff, ``said`` for everybody; ``host`` is the group, the unit or the community, never a person.

    ``subject_key`` is what it leads to: the run, the reservation, the agreement. ``venue_id`` is the room it is in, where it is in one;
    ``ends_at`` is when it is over and cleaning begins, unless that is when the hold ends.
    """

    purpose: Purpose
    key: str
    title: str
    said: str
    host: str | None = None
    state: str | None = None
    subject_key: str | None = None
    venue_id: int | None = None
    ends_at: datetime | None = None
    headcount: int | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Use:
    """One use of a room: when it is used, and until when it is held for it, the cleaning included."""

    holder: Holder
    starts_at: datetime
    ends_at: datetime
    held_until: datetime

    def is_on(self, moment: datetime) -> bool:
        """Whether it goes on then."""
        return self.starts_at <= moment < self.ends_at


def uses_of(session: Session, days: Collection[RoomDay]) -> dict[int, list[Use]]:
    """What holds the room on each of these days, by the day's place among them, in order.

    Hours of cleaning alone are no use. As few statements whatever holds how much.
    """
    holders = holders_of(session, (one for day in days for one in day.held))
    return {
        place: [use for one in day.held if (use := use_of(one, holders[one.holder_key])) is not None]
        for place, day in enumerate(days)
    }


def use_of(held: Held, holder: Holder) -> Use | None:
    """One hold as the use it is for; none where nothing but cleaning is left of it."""
    ends_at = min(held.ends_at, holder.ends_at or held.ends_at)
    return Use(holder, held.starts_at, ends_at, held.ends_at) if held.starts_at < ends_at else None


def holders_of(session: Session, held: Iterable[Held]) -> dict[str, Holder]:
    """What each of these is, by its key: one statement for each purpose there is among them, however many they are."""
    keys: dict[Purpose, set[str]] = defaultdict(set)
    for one in held:
        keys[one.purpose].add(one.holder_key)
    found = {
        key: Holder(purpose, key, WORDS[purpose], WORDS[purpose])
        for purpose, of_purpose in keys.items()
        for key in of_purpose
    }
    for purpose, of_purpose in keys.items():
        if purpose in _READ:
            found |= {holder.key: holder for holder in _READ[purpose](session, of_purpose)}
    return found


def whose_are(session: Session, keys: Collection[str]) -> Mapping[str, Reservation]:
    """Those of these reservations that are a person's, with the person's name, by their key. Whoever looks writes down that they did."""
    rows = session.scalars(
        select(Reservation)
        .options(
            load_only(Reservation.key, Reservation.resident_id),
            joinedload(Reservation.resident, innerjoin=True).load_only(Resident.key, Resident.name),
        )
        .where(among(Reservation.key, "keys"), Reservation.resident_id.is_not(None)),
        {"keys": list(keys)},
    )
    return {one.key: one for one in rows}


def _rows(
    session: Session, query: Select[*tuple[Any, ...]], column: Any, keys: Collection[str]
) -> Iterable[Any]:
    return session.execute(query.where(among(column, "keys")), {"keys": sorted(keys)})


def _evenings(session: Session, keys: Collection[str]) -> Iterator[Holder]:
    query = (
        select(
            CourseSession.key,
            CourseSession.venue_id,
            CourseSession.ends_at,
            CourseRun.key.label("run_key"),
            CourseRun.state,
            CourseRun.published_at,
            CourseRun.changed_at,
            CourseRun.opens_at,
            CourseRun.seats_taken,
            Course.title,
        )
        .join(CourseRun, CourseRun.id == CourseSession.run_id)
        .join(Course, Course.id == CourseRun.course_id)
    )
    now = clock.now()
    for row in _rows(session, query, CourseSession.key, keys):
        is_seen = row.state not in UNSEEN and not (
            row.state is RunState.PUBLISHED and row.published_at is not None and row.published_at > now
        )
        yield Holder(
            Purpose.COURSE_SESSION,
            row.key,
            title=row.title,
            said=row.title if is_seen else WORDS[Purpose.COURSE_SESSION],
            state=row.state.value,
            subject_key=row.run_key,
            venue_id=row.venue_id,
            ends_at=row.ends_at,
            headcount=row.seats_taken,
            changed_at=row.changed_at or row.published_at or row.opens_at,
        )


def _reservations(session: Session, keys: Collection[str]) -> Iterator[Holder]:
    query = select(
        Reservation.key,
        Reservation.venue_id,
        Reservation.ends_at,
        Reservation.state,
        Reservation.wanted_for,
        Reservation.about,
        Reservation.headcount,
        Reservation.resident_id,
        Reservation.reserved_at,
        Reservation.reviewed_at,
        Reservation.ended_at,
        Group.name.label("group_name"),
        Group.name_is_sure,
    ).outerjoin(Group, Group.id == Reservation.group_id)
    for row in _rows(session, query, Reservation.key, keys):
        doing = DOING[row.wanted_for]
        host = row.group_name or (COMMUNITY if row.resident_id is None else None)
        yield Holder(
            Purpose.RESERVATION,
            row.key,
            title=row.about or doing,
            said=_said_of(row, doing),
            host=host,
            state=row.state.value,
            subject_key=row.key,
            venue_id=row.venue_id,
            ends_at=row.ends_at,
            headcount=row.headcount,
            changed_at=row.ended_at or row.reviewed_at or row.reserved_at,
        )


def _said_of(row: Any, doing: str) -> str:
    """A reservation as everybody may read it: a group by a name nobody has to look at any more, the community's own by what it is about."""
    if row.state in UNDECIDED:
        return WORDS[Purpose.RESERVATION]
    if row.resident_id is None:
        return row.about or f"{COMMUNITY}{doing}"
    return f"{row.group_name}·{doing}" if row.group_name and row.name_is_sure else doing


def _services(session: Session, keys: Collection[str]) -> Iterator[Holder]:
    query = (
        select(
            ServiceHold.key,
            ServiceHold.ends_at,
            ServiceAgreement.key.label("agreement_key"),
            func.coalesce(ServiceHold.elsewhere_id, ServiceAgreement.venue_id).label("venue_id"),
            ServiceAgreement.state,
            ServiceAgreement.service,
            ServiceAgreement.in_force_at,
            Partner.name.label("unit"),
        )
        .join(ServiceAgreement, ServiceAgreement.id == ServiceHold.agreement_id)
        .join(Partner, Partner.id == ServiceAgreement.partner_id)
    )
    for row in _rows(session, query, ServiceHold.key, keys):
        yield Holder(
            Purpose.SERVICE,
            row.key,
            title=row.service,
            said=f"{row.unit}·{row.service}",
            host=row.unit,
            state=row.state.value,
            subject_key=row.agreement_key,
            venue_id=row.venue_id,
            ends_at=row.ends_at,
            changed_at=row.in_force_at,
        )


def _closures(session: Session, keys: Collection[str]) -> Iterator[Holder]:
    query = select(RoomClosure.key, RoomClosure.kind, RoomClosure.because, RoomClosure.decided_at)
    for row in _rows(session, query, RoomClosure.key, keys):
        purpose = PURPOSES[row.kind]
        yield Holder(
            purpose,
            row.key,
            title=row.because,
            said=f"{WORDS[purpose]}：{row.because}",
            host=COMMUNITY,
            subject_key=row.key,
            changed_at=row.decided_at,
        )


_READ: Mapping[Purpose, Callable[[Session, Collection[str]], Iterator[Holder]]] = {
    Purpose.COURSE_SESSION: _evenings,
    Purpose.RESERVATION: _reservations,
    Purpose.SERVICE: _services,
    Purpose.CLOSURE: _closures,
    Purpose.PUBLIC_NEED: _closures,
}
