"""Clashing (和自己的课冲突): which classes those have who come to what is affected, so that nobody is moved onto their own class unseen (E7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.availability import Stretch
from models.bulk import among
from models.commitments import Takes, commitments_of
from models.coordination.closures.seeing import Affected
from models.courses import HAVING_A_SEAT, CourseSession, Registration
from models.reservations import Reservation

_A_DAY = timedelta(days=1)


def whole_of(affected: Sequence[Affected]) -> Stretch:
    """Every day something lies on; there is something."""
    return Stretch(
        min(one.stretch.starts_at for one in affected) - _A_DAY,
        max(one.stretch.ends_at for one in affected) + _A_DAY,
    )


class TheirClasses:
    """The classes of everybody concerned on the days concerned, as they will be: what is affected is where ``goes`` says, or nowhere yet.

    Two statements, however many are concerned. ``also``: other times something may go to.
    """

    def __init__(
        self, session: Session, affected: Sequence[Affected], *, also: Sequence[Stretch] = ()
    ) -> None:
        meetings = [one.thing for one in affected if isinstance(one.thing, CourseSession)]
        self._coming = _who_come(session, {one.run_id for one in meetings})
        self._classes: dict[int, list[tuple[str, Stretch]]] = defaultdict(list)
        persons = {
            one.thing.resident_id
            for one in affected
            if isinstance(one.thing, Reservation) and one.thing.group_id is None and one.thing.resident_id
        }
        people = persons.union(*self._coming.values())
        if not people:
            return
        leaves = {(one.run.key, one.starts_at) for one in meetings}
        whole = whole_of(affected)
        starts_at = min([whole.starts_at, *(one.starts_at for one in also)])
        ends_at = max([whole.ends_at, *(one.ends_at for one in also)])
        for one in commitments_of(
            session, sorted(people), Takes.A_CLASS, starts_at=starts_at, ends_at=ends_at
        ):
            if (one.key, one.starts_at) not in leaves:
                self._classes[one.resident_id].append((one.key, Stretch(one.starts_at, one.ends_at)))

    def goes(self, meeting: CourseSession, stretch: Stretch) -> None:
        """An evening will be then: everybody who comes to it is there."""
        for person in self._coming.get(meeting.run_id, ()):
            self._classes[person].append((meeting.run.key, stretch))

    def clashing(self, meeting: CourseSession, stretch: Stretch) -> int:
        """How many who come to an evening would have a class of another run then; nobody where its hour stays."""
        if stretch == Stretch(meeting.starts_at, meeting.ends_at):
            return 0
        return sum(
            self._is_at_class(person, stretch, apart_from=meeting.run.key)
            for person in self._coming.get(meeting.run_id, ())
        )

    def hinders(self, reservation: Reservation, stretch: Stretch) -> bool:
        """Whether the person whose it is sits in a class then; a leader may be elsewhere than the group."""
        if reservation.group_id is not None or reservation.resident_id is None:
            return False
        return self._is_at_class(reservation.resident_id, stretch)

    def _is_at_class(self, person: int, stretch: Stretch, *, apart_from: str = "") -> bool:
        return any(key != apart_from and stretch.overlaps(one) for key, one in self._classes.get(person, ()))


def _who_come(session: Session, runs: Iterable[int]) -> dict[int, set[int]]:
    """Who has a seat in these runs, or is offered one, and the adults who come along, by the run's id."""
    coming: dict[int, set[int]] = defaultdict(set)
    wanted = sorted(runs)
    if not wanted:
        return coming
    rows = session.execute(
        select(Registration.run_id, Registration.resident_id, Registration.paired_with_id).where(
            among(Registration.run_id, "runs"), Registration.state.in_(HAVING_A_SEAT)
        ),
        {"runs": wanted},
    )
    for run_id, *people in rows:
        coming[run_id].update(person for person in people if person is not None)
    return coming
