"""Limits (限制): what somebody holds elsewhere decides what they may still take (domain.md §2.1). Each rule says no in its own words.

Whoever asks is held first (``asking.hold_people``), so that two phones of one person cannot both take the last allowed course (E5).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, literal, select, union_all
from sqlalchemy.engine import Connection
from sqlalchemy.orm import InstrumentedAttribute

from models import clock
from models.bulk import among
from models.calendars import term_of
from models.courses.registrations import HAVING_A_SEAT, Registration, RegistrationState
from models.courses.runs import Course, CourseKind, CourseRun, CourseSession, SessionState
from models.courses.seats.asking import LockedRun, Person
from models.courses.seats.writing import LIVE_STATES
from models.errors import Conflict
from models.policies import Policies, policies_at
from models.regions import Region, paths_down_to

Times = Sequence[tuple[datetime, datetime]]


@dataclass(frozen=True, slots=True)
class Commitment:
    """A live place of somebody in a run that is not over; or a child's, whom they come along with (``alongside``).

    To come along takes their time, and is no course or queue of theirs.
    """

    run_id: int
    course_id: int
    title: str
    kind: CourseKind
    state: RegistrationState
    starts_at: datetime
    alongside: bool = False

    @property
    def is_a_seat(self) -> bool:
        """Whether they sit there, or are offered to."""
        return self.state in HAVING_A_SEAT

    def counts_in_term_of(self, moment: datetime) -> bool:
        """Whether it is one of the courses somebody takes in the term of a moment; activities are not."""
        return (
            not self.alongside
            and self.is_a_seat
            and self.kind is CourseKind.COURSE
            and _term_of(self.starts_at) == _term_of(moment)
        )


@dataclass
class Grounds:
    """What asks are judged by besides the runs themselves; read once a batch, and kept true while the batch is decided."""

    policy_of: Callable[[int], Policies]
    commitments: dict[int, list[Commitment]]
    times: Mapping[int, Times] = field(default_factory=dict)
    courses: Mapping[int, tuple[str, CourseKind]] = field(default_factory=dict)
    completed: Collection[tuple[int, int]] = ()
    paths: Mapping[int, str] = field(default_factory=dict)

    def note(
        self, run: LockedRun, person: Person, state: RegistrationState, *, alongside: bool = False
    ) -> None:
        """Somebody of this batch got a place, or comes along to one: their next ask of the batch meets it."""
        title, kind = self.courses.get(run.id, ("", CourseKind.COURSE))
        self.commitments[person.id].append(
            Commitment(run.id, run.course_id, title, kind, state, run.starts_at, alongside)
        )


def must_be_free(run: LockedRun, adult: Person, grounds: Grounds) -> None:
    """Raise Conflict ``time_clash`` for the adult of a pair who has another class at the time of this one."""
    mine = grounds.times.get(run.id, ())
    for each in grounds.commitments.get(adult.id, ()):
        if each.run_id != run.id and _meet(mine, grounds.times.get(each.run_id, ())):
            raise Conflict(
                "time_clash",
                f"陪同的家长和“{each.title}”时间冲突。想一起来，请先取消那一个",
                details={"course": each.title},
            )


def look_into(connection: Connection, asked: Sequence[tuple[LockedRun, Person]], now: datetime) -> Grounds:
    """Everything that is needed to judge these asks, in as few statements as they need."""
    people = {learner.id for _, learner in asked}
    runs = {run.id: run for run, _ in asked}
    grounds = Grounds(
        cache(lambda region_id: policies_at(connection, region_id)), commitments_of(connection, people, now)
    )
    if len(asked) > len(people) or grounds.commitments:
        elsewhere = {each.run_id for theirs in grounds.commitments.values() for each in theirs}
        grounds.times = _times_of(connection, {*runs, *elsewhere})
        grounds.courses = _courses_of(connection, runs)
    before = {run.after_course_id for run in runs.values() if run.after_course_id is not None}
    if before:
        grounds.completed = _completed(connection, people, before)
    staged = [run for run in runs.values() if now < _open_to_all_at(run)]
    if staged:
        homes = {learner.home_region_id for _, learner in asked if learner.home_region_id is not None}
        grounds.paths = _paths_of(connection, {*homes, *(run.region_id for run in staged)})
    return grounds


def must_be_neighbours(run: LockedRun, learner: Person, grounds: Grounds, now: datetime) -> None:
    """Raise Conflict ``neighbours_first`` while the run is open to its community, or its street, only (居民优先)."""
    if now >= _open_to_all_at(run):
        return
    here = grounds.paths[run.region_id]
    home = grounds.paths.get(learner.home_region_id or 0, "")
    for_home_until = run.opens_at + timedelta(hours=run.home_first_hours)
    street = paths_down_to(here)[-2:][0]  # what the community lies in
    if home.startswith(here) or (now >= for_home_until and home.startswith(street)):
        return
    opens_at = for_home_until if home.startswith(street) else _open_to_all_at(run)
    opens = clock.in_town(opens_at)
    whom = "本社区" if now < for_home_until else "本街道"
    raise Conflict(
        "neighbours_first",
        f"现在先由{whom}居民报名，您可以从{opens.month}月{opens.day}日 {opens:%H:%M} 开始报名",
        details={"opens_at": opens.isoformat()},
    )


def must_have_completed(run: LockedRun, learner: Person, grounds: Grounds) -> None:
    """Raise Conflict ``course_needed`` unless the course that comes before was completed (先修)."""
    if run.after_course_id is not None and (learner.id, run.after_course_id) not in grounds.completed:
        raise Conflict("course_needed", "要先学完前一阶的课程才能报名，请看看其他课程或活动，或联系社区")


def must_leave_room(
    run: LockedRun, learner: Person, grounds: Grounds, *, will_sit: bool, but_for: int | None = None
) -> None:
    """Raise Conflict for what stands against one more place of this person's.

    ``same_course``: they have a live place in another run of this course; ``time_clash``: another class of theirs is at the same time;
    ``too_many_runs``: they take as many courses this term as they may, and would sit at once (``will_sit``); ``too_many_waits``: they
    wait in as many queues as they may. ``but_for`` is a run (by id) that does not count: the one they hold an offer of.
    """
    theirs = [
        each for each in grounds.commitments.get(learner.id, ()) if each.run_id not in (run.id, but_for)
    ]
    if not theirs:
        return
    own = [each for each in theirs if not each.alongside]
    for each in own:
        if each.course_id == run.course_id:
            raise Conflict(
                "same_course",
                f"您已报名“{each.title}”的另一个班，一门课一次上一个班；想换班请先取消那一个",
                details={"course": each.title},
            )
    mine = grounds.times.get(run.id, ())
    for each in theirs:
        if _meet(mine, grounds.times.get(each.run_id, ())):
            raise Conflict(
                "time_clash",
                f"和您的“{each.title}”时间冲突。想报这一个，请先取消那一个",
                details={"course": each.title},
            )
    policy = grounds.policy_of(run.region_id)
    if will_sit:
        if is_at_limit(run, theirs, grounds):
            titles = [each.title for each in theirs if each.counts_in_term_of(run.starts_at)]
            raise Conflict(
                "too_many_runs",
                f"每人每学期最多同时上 {policy.runs_a_term} 门课，您已有{'、'.join(f'“{title}”' for title in titles)}；"
                "想上这一门，请先取消一门",
                details={"most": policy.runs_a_term, "courses": titles},
            )
    elif policy.waits_at_once:
        waiting = [each.title for each in own if not each.is_a_seat]
        if len(waiting) >= policy.waits_at_once:
            raise Conflict(
                "too_many_waits",
                f"每人最多同时候补或申请 {policy.waits_at_once} 门课，您已有 {len(waiting)} 门；请先取消一门",
                details={"most": policy.waits_at_once, "courses": waiting},
            )


def is_at_limit(run: LockedRun, theirs: Iterable[Commitment], grounds: Grounds) -> bool:
    """Whether somebody takes as many courses in the run's term as their community lets them. An activity is always welcome."""
    if grounds.courses.get(run.id, ("", CourseKind.COURSE))[1] is CourseKind.ACTIVITY:
        return False
    counted = sum(each.counts_in_term_of(run.starts_at) for each in theirs if each.run_id != run.id)
    most = grounds.policy_of(run.region_id).runs_a_term if counted else 0
    return 0 < most <= counted


def _places_of(whose: InstrumentedAttribute[Any], *, alongside: bool) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Registration.id.label("registration_id"),
            whose.label("person_id"),
            Registration.run_id,
            CourseRun.course_id,
            Course.title,
            Course.kind,
            Registration.state,
            CourseRun.starts_at,
            literal(alongside).label("alongside"),
        )
        .join(CourseRun, CourseRun.id == Registration.run_id)
        .join(Course, Course.id == CourseRun.course_id)
        .where(
            among(whose, "people"),
            Registration.state.in_(LIVE_STATES),
            CourseRun.ends_at > bindparam("now"),
        )
    )


# two questions, not one with an "or": each has its index
_COMMITMENTS = union_all(
    _places_of(Registration.resident_id, alongside=False),
    _places_of(Registration.paired_with_id, alongside=True),
).order_by("registration_id")


def commitments_of(
    connection: Connection, people: Collection[int], now: datetime
) -> dict[int, list[Commitment]]:
    """By person: every live place in a run that is not over, theirs or a child's whom they come along with."""
    found: dict[int, list[Commitment]] = defaultdict(list)
    if not people:
        return found
    for _, person, *commitment in connection.execute(_COMMITMENTS, {"people": people, "now": now}):
        found[person].append(Commitment(*commitment))
    return found


_TIMES = (
    select(CourseSession.run_id, CourseSession.starts_at, CourseSession.ends_at)
    .where(among(CourseSession.run_id, "runs"), CourseSession.state == SessionState.PLANNED)
    .order_by(CourseSession.starts_at)
)


def _times_of(connection: Connection, runs: Collection[int]) -> dict[int, list[tuple[datetime, datetime]]]:
    times: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for run_id, starts_at, ends_at in connection.execute(_TIMES, {"runs": runs}):
        times[run_id].append((starts_at, ends_at))
    return times


_COURSES = (
    select(CourseRun.id, Course.title, Course.kind)
    .join(Course, Course.id == CourseRun.course_id)
    .where(among(CourseRun.id, "runs"))
)


def _courses_of(connection: Connection, runs: Collection[int]) -> dict[int, tuple[str, CourseKind]]:
    return {row.id: (row.title, row.kind) for row in connection.execute(_COURSES, {"runs": runs})}


_COMPLETED = (
    select(Registration.resident_id, CourseRun.course_id)
    .join(CourseRun, CourseRun.id == Registration.run_id)
    .where(
        among(Registration.resident_id, "people"),
        Registration.state == RegistrationState.COMPLETED,
        among(CourseRun.course_id, "courses"),
    )
)


def _completed(
    connection: Connection, people: Collection[int], courses: Collection[int]
) -> set[tuple[int, int]]:
    rows = connection.execute(_COMPLETED, {"people": people, "courses": courses})
    return {(row.resident_id, row.course_id) for row in rows}


_PATHS = select(Region.id, Region.path).where(among(Region.id, "regions"))


def _paths_of(connection: Connection, regions: Collection[int]) -> dict[int, str]:
    rows = connection.execute(_PATHS, {"regions": regions})
    return {row.id: row.path for row in rows}


def _open_to_all_at(run: LockedRun) -> datetime:
    return run.opens_at + timedelta(hours=run.home_first_hours + run.street_first_hours)


def _meet(mine: Times, theirs: Times) -> bool:
    return any(
        starts < other_ends and other_starts < ends
        for starts, ends in mine
        for other_starts, other_ends in theirs
    )


def _term_of(moment: datetime) -> object:
    return term_of(clock.in_town(moment).date())
