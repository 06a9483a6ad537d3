"""Proposing (怎么办): a remedy of the same day for each thing that is in the way, one after the other, so that no two take the same hour.

The same hour in another room that fits comes first, then another hour of the day in the same or another room, at which the fewest who learn
have another class; where there is none, it is called off. Classes choose first, then units that serve for their room, then the community's own uses, then groups, then persons
(domain.md §2.2).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.availability import Stretch
from models.bulk import among
from models.coordination.closures.clashing import TheirClasses, whole_of
from models.coordination.closures.floor import Floor
from models.coordination.closures.rows import Noun, Remedy
from models.coordination.closures.seeing import Affected
from models.courses import CourseSession, SessionState, people_of, teaching_between
from models.equipment import equipment_of
from models.reservations import HOLDING, Reservation, borrowed_by
from models.sites import Venue, VenueUse

NO_SOONER = timedelta(hours=2)  # nobody can be asked to come at another hour than that


@dataclass(frozen=True)
class Proposal:
    """What is to become of one thing; where it goes, if it goes anywhere, and how many of its people have another class then."""

    affected: Affected
    remedy: Remedy
    venue: Venue | None = None
    stretch: Stretch | None = None
    clashing: int = 0


def rank_of(affected: Affected) -> int:
    """Who chooses before whom."""
    thing = affected.thing
    if not isinstance(thing, Reservation):
        return 0 if affected.noun is Noun.COURSE_SESSION else 1
    if thing.resident_id is None:
        return 2
    return 3 if thing.group_id is not None else 4


def in_order(affected: Iterable[Affected]) -> list[Affected]:
    """These things in the order in which they choose."""
    return sorted(affected, key=lambda one: (rank_of(one), one.stretch, one.thing.id))


def propose(session: Session, floor: Floor, affected: Sequence[Affected]) -> list[Proposal]:
    """A remedy for each, in the order in which they choose; what is in use ends, and who only waits waits in vain."""
    ways = _Ways(session, floor, affected)
    return [ways.out_for(one) for one in in_order(affected)]


class _Ways:
    """What each could have besides, and what it has taken."""

    def __init__(self, session: Session, floor: Floor, affected: Sequence[Affected]) -> None:
        self._floor, self._now = floor, clock.now()
        self._lent = borrowed_by(
            session, [one.thing for one in affected if isinstance(one.thing, Reservation)]
        )
        self._bound = {
            room_id: {one.key for one in there}
            for room_id, there in (equipment_of(session, floor.rooms) if self._lent else {}).items()
        }
        whole = whole_of(affected) if affected else None
        gone = {one.key for one in affected}
        self._classes = TheirClasses(session, affected)
        self._busy: dict[tuple[str, int], list[Stretch]] = _their_time(session, affected, whole, gone)
        self._teaching: dict[str, list[Stretch]] = defaultdict(list)
        if whole is not None and any(one.noun is Noun.COURSE_SESSION for one in affected):
            for people, meeting in teaching_between(session, whole.starts_at, whole.ends_at):
                if meeting.key not in gone:
                    self._teach(people, Stretch(meeting.starts_at, meeting.ends_at))

    def out_for(self, affected: Affected) -> Proposal:
        if affected.in_use:
            return Proposal(affected, Remedy.END_NOW)
        if affected.only_waits:
            return Proposal(affected, Remedy.CALL_OFF)
        ways = (
            Proposal(affected, Remedy.MOVE, room, stretch, self._clashing(affected, stretch))
            for room, stretch in self._places_for(affected)
            if self._floor.is_free(room, stretch) and self._suits(affected, stretch)
        )
        best: Proposal | None = None
        for way in ways:
            if best is None or way.clashing < best.clashing:
                best = way
            if not best.clashing:
                break
        if best is None or best.venue is None or best.stretch is None:
            return Proposal(affected, Remedy.CALL_OFF)
        self._take(affected, best.venue, best.stretch)
        return best

    def _clashing(self, affected: Affected, stretch: Stretch) -> int:
        thing = affected.thing
        return self._classes.clashing(thing, stretch) if isinstance(thing, CourseSession) else 0

    def _places_for(self, affected: Affected) -> Iterator[tuple[Venue, Stretch]]:
        thing, own = affected.thing, affected.stretch
        fitting = [room for room in self._floor.rooms if self._fits(affected, room)]
        for room in sorted(fitting, key=lambda each: (each.capacity, each.id)):
            if room.id != affected.venue.id:
                yield room, own
        if thing.key in self._lent:
            return  # what is lent with it is promised for that hour
        by_likeness = sorted(fitting, key=lambda each: (each.id != affected.venue.id, each.capacity, each.id))
        on = clock.in_town(own.starts_at).date()
        for stretch in self._floor.starts_of(on, own.minutes, near=own.starts_at):
            if stretch != own and stretch.starts_at >= self._now + NO_SOONER:
                yield from ((room, stretch) for room in by_likeness)

    def _fits(self, affected: Affected, room: Venue) -> bool:
        """Whether what goes on could go on in a room."""
        thing = affected.thing
        if isinstance(thing, Reservation):
            return self._fits_who_reserved(thing, room)
        needed = (
            max(thing.run.capacity, thing.run.seats_taken)
            if isinstance(thing, CourseSession)
            else thing.agreement.venue.capacity  # what a unit needs of its room nobody wrote down
        )
        return room.use is not VenueUse.WALK_IN and room.capacity >= needed

    def _fits_who_reserved(self, reservation: Reservation, room: Venue) -> bool:
        if room.capacity < reservation.headcount:
            return False
        if not set(self._lent.get(reservation.key, ())) <= self._bound.get(room.id, set()):
            return False
        if room.id == reservation.venue.id:
            return True
        if reservation.resident_id is None:
            return room.use is not VenueUse.WALK_IN
        return room.use in (VenueUse.AT_ONCE, VenueUse.REVIEWED)

    def _suits(self, affected: Affected, stretch: Stretch) -> bool:
        """Whether those who come, or who teaches, could come then."""
        thing, own = affected.thing, affected.stretch
        if stretch == own:
            return True
        if isinstance(thing, CourseSession):
            run = thing.run
            taught = people_of(run.teacher) if run.teacher_is_person else set()
            others = [
                Stretch(one.starts_at, one.ends_at)
                for one in run.sessions
                if one is not thing and one.state is SessionState.PLANNED
            ]
            return (
                stretch.starts_at > run.opens_at
                and (run.draws_at is None or run.drawn_at is not None or stretch.starts_at > run.draws_at)
                and not any(stretch.overlaps(one) for one in others)
                and not any(stretch.overlaps(one) for who in taught for one in self._teaching[who])
            )
        whose = _whose(thing) if isinstance(thing, Reservation) else None
        return whose is None or not (
            any(stretch.overlaps(one) for one in self._busy[whose])
            or (isinstance(thing, Reservation) and self._classes.hinders(thing, stretch))
        )

    def _take(self, affected: Affected, room: Venue, stretch: Stretch) -> None:
        self._floor.take(room, stretch)
        thing = affected.thing
        if isinstance(thing, CourseSession):
            self._classes.goes(thing, stretch)
            if thing.run.teacher_is_person:
                self._teach(frozenset(people_of(thing.run.teacher)), stretch)
        if isinstance(thing, Reservation) and (whose := _whose(thing)) is not None:
            self._busy[whose].append(stretch)

    def _teach(self, people: Iterable[str], stretch: Stretch) -> None:
        for who in people:
            self._teaching[who].append(stretch)


def _whose(reservation: Reservation) -> tuple[str, int] | None:
    if reservation.group_id is not None:
        return "group", reservation.group_id
    return None if reservation.resident_id is None else ("resident", reservation.resident_id)


def _their_time(
    session: Session, affected: Sequence[Affected], whole: Stretch | None, gone: set[str]
) -> dict[tuple[str, int], list[Stretch]]:
    """What else of rooms those who are affected have on these days."""
    found: dict[tuple[str, int], list[Stretch]] = defaultdict(list)
    theirs = [_whose(one.thing) for one in affected if isinstance(one.thing, Reservation)]
    people = sorted({whose[1] for whose in theirs if whose is not None and whose[0] == "resident"})
    groups = sorted({whose[1] for whose in theirs if whose is not None and whose[0] == "group"})
    if whole is None or not (people or groups):
        return found
    whoever: Mapping[str, list[int]] = {"people": people, "groups": groups}
    rows = session.scalars(
        select(Reservation).where(
            among(Reservation.resident_id, "people") & Reservation.group_id.is_(None)
            | among(Reservation.group_id, "groups"),
            Reservation.state.in_(HOLDING),
            Reservation.starts_at >= whole.starts_at,
            Reservation.starts_at < whole.ends_at,
        ),
        whoever,
    )
    for row in rows:
        whose = _whose(row)
        if whose is not None and row.key not in gone:
            found[whose].append(Stretch(row.starts_at, row.ends_at))
    return found
