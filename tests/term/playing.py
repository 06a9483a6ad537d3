"""The stage of the term: the town, and the classes by their names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from models.base import reading
from models.courses import CourseRun, RegistrationState
from models.courses.registrations import LIVE, SEATED
from tests.people import Person
from tests.phones import told
from tests.playing import Play


@dataclass
class Term(Play):
    """Everything that plays."""

    classes: dict[str, str] = field(default_factory=dict)  # the keys of runs, by what the story calls them
    winners: list[str] = field(default_factory=list)  # of the draw, as anybody works them out
    losers: list[str] = field(default_factory=list)

    @property
    def senior(self) -> Person:
        """An elder with a WeChat of her own."""
        return self.guests["senior"]

    # --- classes --------------------------------------------------------------------------------------------------

    def run(self, name: str) -> str:
        """The address of a class, for everybody."""
        return f"/course-runs/{self.classes[name]}"

    def staff_run(self, name: str) -> str:
        """The address of a class, for staff."""
        return f"/staff/course-runs/{self.classes[name]}"

    def evening(self, name: str, number: int = 0) -> str:
        """The address of an evening of a class."""
        sessions = told(self.clerk.get(self.staff_run(name)))["sessions"]
        return f"/course-sessions/{sessions[number]['key']}"

    def row(self, name: str) -> CourseRun:
        """The class as it stands in the database."""
        with reading() as session:
            return session.scalars(select(CourseRun).where(CourseRun.key == self.classes[name])).one()

    def taps(self, who: Person, name: str, *, whom: str | None = None) -> dict[str, Any]:
        """报名, and what the phone shows afterwards."""
        query = f"?for={whom}" if whom else ""
        answer: dict[str, Any] = told(self.phone(who).put(f"{self.run(name)}/registration{query}"))
        return answer

    def gives_up(self, who: Person, name: str) -> None:
        """取消报名."""
        assert self.phone(who).delete(f"{self.run(name)}/registration").status_code == 204

    def line_of(self, name: str, who: str) -> str:
        """The key of somebody's line on the roster, by their name."""
        lines = told(self.clerk.get(f"{self.staff_run(name)}/registrations"))["items"]
        return next(str(line["key"]) for line in lines if line["name"] == who)

    # --- what must be true at the end -----------------------------------------------------------------------------

    def every_class_adds_up(self) -> None:
        """Counters are what the rows say; nobody has two places; no seat stands idle beside somebody who waits for it."""
        for name in self.classes:
            run = self.row(name)
            rows = self.town.registrations(run)
            seated = sum(row.seats for row in rows if row.state in SEATED)
            waiting = sum(row.state is RegistrationState.WAITLISTED for row in rows)
            assert (run.seats_taken, run.waiting) == (seated, waiting), name
            assert run.seats_taken + run.seats_held <= run.capacity, name
            assert not waiting or seated == run.capacity, name
            live = [row.resident_id for row in rows if row.state in {*LIVE, *SEATED}]
            assert len(live) == len(set(live)), name
            assert len({row.number for row in rows}) == len(rows), name
