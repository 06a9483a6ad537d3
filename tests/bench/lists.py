"""The cells of lists (P16): a page of each, read by the product's own finders in a town with few runs and in one with very many.

What is old is over, every second run archived, in a hundred communities, one evening an hour; what is still to come is the same two
dozen runs in both.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import clock
from models.base import db, new_key, reading, transaction
from models.bulk import insert_rows
from models.courses import (
    Course,
    CourseRun,
    CourseSession,
    RunFilter,
    RunPhase,
    RunState,
    SessionState,
    day_of,
    published_runs,
    runs_for_staff,
)
from models.regions import Region, RegionKind, plant
from models.sites import Venue
from tests.bench.serving import busy_seconds, cpu_seconds_of
from tests.bench.stores import Store
from tests.bench.town import CAPACITY, BenchTown, take_statistics

PAGE = 21
COMMUNITIES = 100
AT_ONCE = 5_000
AN_HOUR = timedelta(hours=1)


@dataclass
class Look:
    """What one look costs with so many rows of the past behind it; seconds, the median."""

    name: str
    past: int
    seconds: float
    others_share: float


Looks = Mapping[str, Callable[[], object]]


def add_old_runs(town: BenchTown, how_many: int) -> None:
    """So many runs that are over, as lists meet them after years."""
    with town.app.app_context():
        with transaction() as session:
            own = session.get_one(Region, town.community_id)
            others = [
                plant(session, kind=RegionKind.COMMUNITY, code=f"old-{n}", name=f"社区{n}", parent=own.parent)
                for n in range(COMMUNITIES - 1)
            ]
            courses = []
            for region in (own, *others):
                course = Course(region_id=region.id, title="多年的课程", category="艺术")
                session.add(course)
                courses.append(course)
            session.flush()
            places = [(course.id, course.region_id) for course in courses]
            venue_id = session.scalar(select(func.min(Venue.id)))
        now = clock.now()
        with db.engine.execution_options(writes=True).begin() as connection:
            for first in range(0, how_many, AT_ONCE):
                numbers = range(first, min(first + AT_ONCE, how_many))
                made = insert_rows(
                    connection,
                    CourseRun,
                    [_old_run(n, *places[n % COMMUNITIES], now - AN_HOUR * (n + 2)) for n in numbers],
                    "id",
                    "starts_at",
                    "ends_at",
                ).all()
                insert_rows(
                    connection,
                    CourseSession,
                    [
                        {
                            "key": new_key(),
                            "run_id": row.id,
                            "venue_id": venue_id,
                            "starts_at": row.starts_at,
                            "ends_at": row.ends_at,
                            "state": SessionState.PLANNED,
                            "absences_noted_at": row.ends_at,
                            "cancelled_because": "",
                        }
                        for row in made
                    ],
                    "id",
                )
    take_statistics(town.engine)


def look_in_turn(store: Store, towns: Sequence[tuple[int, BenchTown, Looks]], times: int) -> list[Look]:
    """Every look, so many times in turn in each of the towns, of which each has so many rows of the past."""
    taken: dict[tuple[str, int], list[float]] = {}
    began, busy, ours = time.monotonic(), busy_seconds(), _ours(store)
    for turn in range(times + 1):
        for past, town, looks in towns:
            with town.app.app_context():
                for name, look in looks.items():
                    start = time.perf_counter()
                    look()
                    if turn:  # the first opens the connection and compiles the statements
                        taken.setdefault((name, past), []).append(time.perf_counter() - start)
    others = busy_seconds() - busy - (_ours(store) - ours)
    share = max(0.0, others) / (time.monotonic() - began) / (os.cpu_count() or 1)
    return [Look(name, past, statistics.median(each), share) for (name, past), each in taken.items()]


def looks_at_lists(town: BenchTown) -> Looks:
    """A page of every list."""
    return {name: partial(_read, look) for name, look in _lists(town).items()}


def _read(look: Callable[[Session], object]) -> None:
    with reading() as session:
        look(session)


def _lists(town: BenchTown) -> Mapping[str, Callable[[Session], object]]:
    now = clock.now()
    soon = clock.in_town(now + timedelta(days=14)).date()

    def public(**wanted: object) -> Callable[[Session], object]:
        def look(session: Session) -> object:
            here, district = _places(town, session)
            places = {"here": here, "district": district}
            filled = {name: places.get(str(value), value) for name, value in wanted.items()}
            return published_runs(session, RunFilter(**filled), after=None, most=PAGE)  # type: ignore[arg-type]

        return look

    def for_staff(state: RunState | None, *, old: bool = False) -> Callable[[Session], object]:
        after = (now, 0) if not old else None
        return lambda session: runs_for_staff(
            session, within=_places(town, session)[1:], state=state, after=after, most=PAGE
        )

    return {
        "public, all": public(),
        "public, a community": public(region="here"),
        "public, a district on a day": public(region="district", day=soon),
        "public, a community on a day": public(region="here", day=soon),
        **{f"public, {phase}": public(phase=phase) for phase in RunPhase},
        **{
            f"public, {phase} in a community": public(phase=phase, region="here")
            for phase in (RunPhase.ENROLLING, RunPhase.FULL, RunPhase.UPCOMING)
        },
        "staff, from the first": for_staff(None, old=True),
        "staff, from today": for_staff(None),
        "staff, drafts": for_staff(RunState.DRAFT, old=True),
        "the day's page": lambda session: day_of(
            session, _places(town, session)[1], clock.in_town(now).date()
        ),
    }


def _places(town: BenchTown, session: Session) -> tuple[Region, Region]:
    own = session.get_one(Region, town.community_id)
    assert own.parent is not None
    return own, own.parent


def _old_run(number: int, course_id: int, region_id: int, starts_at: datetime) -> dict[str, object]:
    opens_at = starts_at - timedelta(days=10)
    return {
        "key": new_key(),
        "course_id": course_id,
        "region_id": region_id,
        "month": "2016-01",
        "timetable": "",
        "ordinal": number,
        "state": RunState.ARCHIVED if number % 2 else RunState.PUBLISHED,
        "teacher": "老师",
        "teacher_is_person": False,
        "materials": "",
        "note": "",
        "capacity": CAPACITY,
        "seats_taken": 0,
        "waiting": 0,
        "last_number": 0,
        "opens_at": opens_at,
        "closes_at": starts_at,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(minutes=50),
        "audience": "everyone",
        "published_at": opens_at,
        "sent_back_because": "",
        "cancelled_because": "",
    }


def _ours(store: Store) -> float:
    return time.process_time() + cpu_seconds_of(store.processes())
