"""Planning (排课): making a run with its evenings, rooms and teacher.

A run is made whole or not at all: every session holds its room the moment it is planned, and a person cannot teach twice at
once (an organisation can).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, contains_eager

from models.courses.registrations import LIVE, Registration, RegistrationState
from models.courses.runs import Audience, Course, CourseKind, CourseRun, CourseSession, RunState, SessionState
from models.courses.seating import Seating, write_seating
from models.courses.seats.asking import hold_people
from models.errors import Conflict, Fault, Invalid
from models.journal import enter
from models.occupancy import Purpose, lock_spaces, occupy, vacate
from models.policies import policies_at
from models.regions import Region
from models.sites import Venue


@dataclass(frozen=True)
class Evening:
    """One session as planned: when, and in which room."""

    starts_at: datetime
    ends_at: datetime
    venue: Venue


@dataclass(frozen=True)
class RunPlan:
    """Everything staff decide about a run before anybody registers."""

    month: str
    ordinal: int
    teacher: str
    teacher_is_person: bool
    capacity: int
    opens_at: datetime
    evenings: Sequence[Evening]
    audience: Audience = Audience.EVERYONE
    min_age: int | None = None
    max_age: int | None = None
    materials: str = ""
    note: str = ""
    timetable: str = ""
    seating: Seating | None = None  # none: first come, or as it is already

    @property
    def starts_at(self) -> datetime:
        """When the first evening starts."""
        return min(evening.starts_at for evening in self.evenings)

    @property
    def ends_at(self) -> datetime:
        """When the last evening ends."""
        return max(evening.ends_at for evening in self.evenings)


def open_course(
    session: Session,
    region: Region,
    *,
    title: str,
    category: str,
    kind: CourseKind | None = None,
    by_account_id: int | None = None,
    identity: str = "town",
) -> Course:
    """The community's course or activity of this title, made if it is new; its category follows whoever wrote it last.

    What it is (``kind``) is said once, when it is new, else it is a course. Raises Conflict ``kind_differs`` where it is something else
    already.

    Two who open the same course at once get the same one.
    """
    region.lock()
    course = session.scalar(select(Course).where(Course.region_id == region.id, Course.title == title))
    is_new = course is None
    if course is None:
        course = Course(region=region, title=title, kind=kind or CourseKind.COURSE)
        session.add(course)
    elif kind is not None and kind is not course.kind:
        is_now = "活动" if course.is_activity else "课程"
        raise Conflict(
            "kind_differs",
            f"这里已经有一个叫“{title}”的{is_now}，请换一个名称",
            faults=[Fault("title", f"已经是一个{is_now}的名称")],
        )
    course.category = category
    session.flush()
    if is_new:
        enter(session, "course.opened", course, by_account_id=by_account_id, identity=identity)
    return course


def plan_run(
    session: Session,
    course: Course,
    plan: RunPlan,
    *,
    by_account_id: int | None = None,
    identity: str = "town",
) -> CourseRun:
    """Make a draft run with its sessions, holding their rooms.

    The waiting list is as long as the community's policy says. Raises Conflict ``room_taken`` or ``teacher_taken``, Invalid
    for a plan that cannot be; nothing is kept then if the caller rolls back.
    """
    must_make_sense(plan)
    must_be_held_once(course, plan)
    run = CourseRun(
        course=course,
        region_id=course.region_id,
        month=plan.month,
        timetable=plan.timetable,
        ordinal=plan.ordinal,
        teacher=plan.teacher,
        teacher_is_person=plan.teacher_is_person,
        capacity=plan.capacity,
        waitlist_limit=waitlist_for(session, course.region_id, plan.capacity),
        opens_at=plan.opens_at,
        closes_at=plan.starts_at,
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
        audience=plan.audience,
        min_age=plan.min_age,
        max_age=plan.max_age,
        materials=plan.materials,
        note=plan.note,
        state=RunState.DRAFT,
        seats_taken=0,
        waiting=0,
        last_number=0,
    )
    seating = plan.seating or Seating()
    write_seating(session, run, seating)
    run.seats_held = seating.seats_held
    session.add(run)
    session.flush()
    # all at once: two plans that share halls cannot deadlock
    lock_spaces(evening.venue for evening in plan.evenings)
    for evening in plan.evenings:
        hold_evening(session, run, evening)
    enter(session, "course_run.planned", run, by_account_id=by_account_id, identity=identity)
    return run


def hold_evening(session: Session, run: CourseRun, evening: Evening) -> CourseSession:
    """Add one session to a run: its teacher must be free, and its room is held from now on."""
    meeting = CourseSession(
        run=run,
        venue=evening.venue,
        starts_at=evening.starts_at,
        ends_at=evening.ends_at,
        state=SessionState.PLANNED,
    )
    session.add(meeting)
    session.flush()
    take_place(session, meeting)
    return meeting


def take_place(session: Session, meeting: CourseSession, *, apart_from: Collection[int] = ()) -> None:
    """Hold the room of a session, once its teacher is known to be free (``apart_from``: see ``classes_of_teacher``).

    Raises Conflict ``teacher_taken`` or ``room_taken``; ``details["starts_at"]`` says for which evening.
    """
    run = meeting.run
    elsewhere = classes_of_teacher(
        session,
        run.teacher if run.teacher_is_person else "",
        starts_at=meeting.starts_at,
        ends_at=meeting.ends_at,
        apart_from={run.id, *apart_from},
    )
    if elsewhere:
        raise Conflict(
            "teacher_taken",
            f"{run.teacher}这个时间在“{elsewhere[0].run.course.title}”上课，一个人不能同时上两门课",
            details={"session": elsewhere[0].key, "starts_at": meeting.starts_at.isoformat()},
        )
    try:
        occupy(
            session,
            meeting.venue,
            starts_at=meeting.starts_at,
            ends_at=meeting.ends_at,
            purpose=Purpose.COURSE_SESSION,
            holder_key=meeting.key,
        )
    except Conflict as taken:
        taken.details["starts_at"] = meeting.starts_at.isoformat()
        raise


def call_off(session: Session, meetings: Sequence[CourseSession], *, because: str = "") -> None:
    """Cancel evenings that are still to come and let go of their rooms."""
    vacate(session, [meeting.key for meeting in meetings])
    for meeting in meetings:
        meeting.state, meeting.cancelled_because = SessionState.CANCELLED, because


def classes_of_teacher(
    session: Session, teacher: str, *, starts_at: datetime, ends_at: datetime, apart_from: Collection[int]
) -> list[CourseSession]:
    """The sessions in a stretch of time that a person of this name teaches, anywhere in the town.

    ``apart_from`` are runs (by id) that do not count: the one in question, and those about to move. A cell that names
    several persons (周老师、刘老师) meets a session of any of them. Nobody's name is no clash.
    """
    people = people_of(teacher)
    if not people:
        return []
    at_the_time = session.scalars(
        select(CourseSession)
        .join(CourseRun, CourseRun.id == CourseSession.run_id)
        .where(
            CourseRun.teacher_is_person,
            CourseRun.state != RunState.CANCELLED,
            CourseRun.id.not_in(apart_from),
            CourseSession.state == SessionState.PLANNED,
            CourseSession.starts_at < ends_at,
            CourseSession.ends_at > starts_at,
        )
        .order_by(CourseSession.starts_at, CourseSession.id)
    )
    return [meeting for meeting in at_the_time if people & people_of(meeting.run.teacher)]


def teaching_between(
    session: Session, starts_at: datetime, ends_at: datetime
) -> list[tuple[frozenset[str], CourseSession]]:
    """Every session in a stretch of time that persons teach, anywhere in the town, with their names as they are compared; in order."""
    rows = session.scalars(
        select(CourseSession)
        .join(CourseSession.run)
        .options(contains_eager(CourseSession.run))
        .where(
            CourseRun.teacher_is_person,
            CourseRun.state != RunState.CANCELLED,
            CourseSession.state == SessionState.PLANNED,
            CourseSession.starts_at < ends_at,
            CourseSession.ends_at > starts_at,
            CourseSession.starts_at > starts_at - timedelta(days=1),
        )
        .order_by(CourseSession.starts_at, CourseSession.id)
    )
    return [(frozenset(people_of(meeting.run.teacher)), meeting) for meeting in rows]


def learners_busy(
    session: Session, run: CourseRun, evenings: Sequence[Evening], *, apart_from: Collection[int] = ()
) -> int:
    """How many people who come to a run have a class of another run (``apart_from`` these, by id) during one of these evenings.

    The adult of a pair comes too. They are held first, as a tap of theirs on another run holds them: what they have elsewhere cannot
    change meanwhile (E7). The caller holds the run, so that nobody joins it.
    """
    if not evenings:
        return 0
    session.flush()
    coming = session.execute(_WHO_COMES.where(Registration.run_id == run.id))
    people = {person for row in coming for person in row if person is not None}
    hold_people(session.connection(), people)
    elsewhere = session.execute(
        _WHO_COMES.join(CourseSession, CourseSession.run_id == Registration.run_id).where(
            or_(Registration.resident_id.in_(people), Registration.paired_with_id.in_(people)),
            Registration.run_id.not_in({run.id, *apart_from}),
            CourseSession.state == SessionState.PLANNED,
            or_(
                *(
                    (CourseSession.starts_at < evening.ends_at) & (CourseSession.ends_at > evening.starts_at)
                    for evening in evenings
                )
            ),
        )
    )
    return len(people & {person for row in elsewhere for person in row})


_WHO_COMES = select(Registration.resident_id, Registration.paired_with_id).where(Registration.state.in_(LIVE))


def count_applicants(session: Session, run: CourseRun) -> int:
    """How many people have applied to a run and wait to be drawn or admitted; no counter of the run's has them."""
    found = session.scalar(
        select(func.count())
        .select_from(Registration)
        .where(Registration.run_id == run.id, Registration.state == RegistrationState.APPLIED)
    )
    return found or 0


def most_heads(session: Session, run: CourseRun) -> int:
    """How many come together at most, of those with a place in a run: the largest group, whoever registered counted."""
    found = session.scalar(
        select(func.max(Registration.seats)).where(
            Registration.run_id == run.id, Registration.state.in_(LIVE)
        )
    )
    return found or 1


def waitlist_for(session: Session, region_id: int, capacity: int) -> int:
    """How long the waiting list of so many seats is, by the community's policy."""
    share = policies_at(session, region_id).waitlist_share
    return math.floor(round(capacity * share, 6))  # 0.29 of 100 is 29


def must_be_held_once(course: Course, plan: RunPlan) -> None:
    """Raise Invalid for an activity of several sessions."""
    if course.kind is CourseKind.ACTIVITY and len(plan.evenings) > 1:
        raise Invalid([Fault("evenings", "活动只有一次；要上几次课的，请开一门课程")])


def must_make_sense(plan: RunPlan) -> None:
    """Raise Invalid naming everything about a plan that cannot be."""
    faults = []
    evenings = sorted(plan.evenings, key=lambda evening: evening.starts_at)
    if not evenings:
        faults.append(Fault("evenings", "一个班至少有一次课"))
    if any(evening.ends_at <= evening.starts_at for evening in evenings):
        faults.append(Fault("evenings", "每次课的结束时间要晚于开始时间"))
    if any(later.starts_at < earlier.ends_at for earlier, later in pairwise(evenings)):
        faults.append(Fault("evenings", "同一个班的两次课时间重叠了"))
    if plan.min_age is not None and plan.max_age is not None and plan.min_age > plan.max_age:
        faults.append(Fault("min_age", "最小年龄不能大于最大年龄"))
    if plan.capacity < 1:
        faults.append(Fault("capacity", "名额至少为 1"))
    if evenings and plan.opens_at >= evenings[0].starts_at:
        faults.append(Fault("opens_at", "报名开始时间要早于第一次课"))
    if evenings and plan.seating is not None:
        faults += plan.seating.faults(
            capacity=plan.capacity,
            opens_at=plan.opens_at,
            starts_at=plan.starts_at,
            audience=plan.audience,
        )
    if faults:
        raise Invalid(faults)


def people_of(teacher: str) -> set[str]:
    """The persons a cell names (周老师、刘老师), as their names are compared."""
    names = re.split(r"[、，,/／&＆；;]", unicodedata.normalize("NFKC", teacher))
    return {name for written in names if (name := "".join(written.split()).casefold())}
