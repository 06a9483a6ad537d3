"""Revising (改课): a corrected plan for a run that stands already, and withdrawing a run the corrected plan no longer has.

A correction that would hurt somebody who has a seat or waits for one is refused with what to do instead; whatever hurts nobody
applies. The two lists stand in ``hurts_of``. Rooms and waiting list move with the run, in the same transaction or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from models import clock
from models.courses.planning import (
    Evening,
    RunPlan,
    call_off,
    count_applicants,
    learners_busy,
    most_heads,
    must_be_held_once,
    must_make_sense,
    take_place,
    waitlist_for,
)
from models.courses.reseating import (
    gives_seats_otherwise,
    hold_no_more,
    must_give_seats_alike,
    say_seating,
    seat_as_planned,
    seating_in,
)
from models.courses.runs import (
    UNSEEN,
    Audience,
    CourseRun,
    CourseSession,
    RunState,
    SessionState,
)
from models.courses.saying import say_audience
from models.courses.seating import seating_of
from models.courses.seats import Freed, promote
from models.errors import Conflict
from models.journal import enter
from models.occupancy import lock_spaces, vacate

NOTHING_LEFT = "只剩已经停掉的课了。请加上要上的课；这个班不办了，请把它从表里去掉"


@dataclass(frozen=True)
class Change:
    """One thing a correction changes about a run: which (``field`` of the plan), from what, to what, as a clerk reads it."""

    field: str
    word: str
    before: str
    after: str

    @property
    def line(self) -> str:
        """名额由“20”改为“24”."""
        return f"{self.word}由“{self.before or '空'}”改为“{self.after or '空'}”"


@dataclass(frozen=True)
class _Move:
    """One session that changes: none before for an added evening, none after for a dropped one."""

    meeting: CourseSession | None
    evening: Evening | None


def changes_of(run: CourseRun, plan: RunPlan) -> tuple[Change, ...]:
    """What this plan would change about a run; nothing when they are equal, or when staff called the run off.

    Month and ordinal are the run's name, not changed. An evening staff moved or called off stands for the one the plan has.
    """
    if run.is_called_off:
        return ()
    compared = (
        ("state", "状态", _say_state(run), "恢复"),
        ("timetable", "课程表", run.timetable, plan.timetable),
        ("teacher", "授课老师", run.teacher, plan.teacher),
        ("evenings", "时间场地", _say_evenings(_meetings(run)), _say_evenings(_in_order(plan))),
        ("capacity", "名额", str(run.capacity), str(plan.capacity)),
        ("opens_at", "报名开始时间", _say_moment(run.opens_at), _say_moment(plan.opens_at)),
        ("audience", "报名对象", say_audience(run), say_audience(plan)),
        ("seating", "录取方式", say_seating(seating_of(run)), say_seating(seating_in(run, plan))),
        ("materials", "自备材料", run.materials, plan.materials),
        ("note", "备注", run.note, plan.note),
    )
    differs = {
        "state": run.state is RunState.CANCELLED,
        "timetable": run.timetable != plan.timetable,
        "teacher": (run.teacher, run.teacher_is_person) != (plan.teacher, plan.teacher_is_person),
        "evenings": bool(_moves(run, plan)) and run.state is not RunState.CANCELLED,
        "capacity": run.capacity != plan.capacity,
        "opens_at": run.opens_at != plan.opens_at,
        "audience": (run.audience, run.min_age, run.max_age) != (plan.audience, plan.min_age, plan.max_age),
        "seating": seating_in(run, plan) != seating_of(run),
        "materials": run.materials != plan.materials,
        "note": run.note != plan.note,
    }
    return tuple(Change(*words) for words in compared if differs[words[0]])


def revise_run(
    session: Session,
    run: CourseRun,
    plan: RunPlan,
    *,
    by_account_id: int | None = None,
    identity: str = "town",
    still_moving: Collection[int] = (),
) -> tuple[Change, ...]:
    """Bring a run into line with a corrected plan and say what changed. An equal plan changes nothing, journal included.

    Harmless, also with people in the run: teacher, materials, note, opening time, more seats, a wider audience, and evenings
    added after the last one that no learner has another class in. More seats go to the waiting list at once, and its limit
    follows. A withdrawn run stands again, as a draft. ``still_moving`` are runs (by id) whose old evenings no longer bind their teacher, because the same correction is about to move them.

    Raises Conflict ``run_has_learners`` (``details["hurts"]`` says why, by field) for a change that hurts somebody,
    ``nothing_left`` where staff called off all that the plan still has, ``room_taken`` or ``teacher_taken``, and Invalid for a plan that
    cannot be; the caller rolls back then.
    """
    run.lock()
    must_make_sense(plan)
    must_be_held_once(run.course, plan)
    changes = changes_of(run, plan)
    if not changes:
        return ()
    if hurts := hurts_of(session, run, plan):
        raise _refusal(run, hurts)
    if leaves_nothing(run, plan):
        raise Conflict("nothing_left", NOTHING_LEFT)
    must_give_seats_alike(run, plan)
    moves, had_teacher, had_capacity = _moves(run, plan), run.teacher, run.capacity
    began_at = run.starts_at
    hold_no_more(session, run, plan, by_account_id=by_account_id, identity=identity)
    leave_rooms(session, run, plan)
    _write(session, run, plan)
    meetings = _move(session, run, moves)
    if run.held_until is not None:
        run.held_until += run.starts_at - began_at  # as long before the class as they were
    if (run.teacher, run.teacher_is_person) != (had_teacher, run.teacher_is_person):
        vacate(session, [meeting.key for meeting in _meetings(run)])
        meetings = _meetings(run)
    lock_spaces(meeting.venue for meeting in meetings)
    for meeting in meetings:
        take_place(session, meeting, apart_from=still_moving)
    enter(
        session,
        "course_run.revised",
        run,
        by_account_id=by_account_id,
        identity=identity,
        details={change.field: [change.before, change.after] for change in changes},
    )
    session.flush()
    seat_as_planned(session, run, plan, by_account_id=by_account_id, identity=identity)
    if run.waiting:
        promote(session, run, because=Freed.MORE_SEATS if run.capacity > had_capacity else Freed.RELEASED)
    return changes


def leave_rooms(session: Session, run: CourseRun, plan: RunPlan) -> None:
    """Let go of the rooms a run will not keep under this plan, so that another run of the same correction can have them."""
    leaving = [move.meeting for move in _moves(run, plan) if move.meeting]
    vacate(session, [meeting.key for meeting in leaving])


def withdraw_run(session: Session, run: CourseRun, *, by_account_id: int | None = None) -> None:
    """Take back a run the corrected timetable no longer has, and let go of its rooms. Withdrawing twice is fine.

    One that was published stays visible as cancelled, evenings that were held stay held; what nobody ever saw is removed. Raises
    Conflict ``run_has_learners`` while anybody has a seat in it, waits for one or has applied.
    """
    run.lock()
    if run.state is RunState.CANCELLED:
        return
    was_seen = run.state not in UNSEEN and not run.is_scheduled
    applied = count_applicants(session, run)
    if run.seats_taken or run.waiting or applied:
        raise _refusal(
            run, {"state": f"{_say_learners(run, applied)}，不能撤下。请先联系他们，等他们取消报名后再撤"}
        )
    now, meetings = clock.now(), _meetings(run)
    call_off(session, [meeting for meeting in meetings if meeting.starts_at > now])
    enter(
        session,
        "course_run.withdrawn",
        run,
        by_account_id=by_account_id,
        details={"course": run.course.title, "evenings": _say_evenings(meetings)},
    )
    if not was_seen and not run.last_number:
        vacate(session, [meeting.key for meeting in meetings])
        session.delete(run)
    else:
        run.state, run.cancelled_at = RunState.CANCELLED, now
        run.published_at = run.published_at if was_seen else None
    session.flush()


# --- whom it would hurt -------------------------------------------------------------------------------------------


def hurts_of(session: Session, run: CourseRun, plan: RunPlan) -> dict[str, str]:
    """Why a plan would hurt the people in a run and what to do instead, by field; nothing when nobody is in it."""
    applied = count_applicants(session, run)
    if not run.seats_taken and not run.waiting and not applied:
        return {}
    learners = _say_learners(run, applied)
    hurts = {}
    moves = _moves(run, plan)
    added = [move.evening for move in moves if move.evening]
    ends_at = max(meeting.ends_at for meeting in _meetings(run))
    if any(move.meeting for move in moves) or any(evening.starts_at < ends_at for evening in added):
        hurts["evenings"] = (
            f"{learners}，不能改上课时间和场地，也不能去掉或提前加课。"
            "请保留原来的安排，把新的安排另写成一个班；一定要改的，请先联系他们取消报名"
        )
    elif clashing := learners_busy(session, run, added):
        hurts["evenings"] = f"加的课和其中 {clashing} 人已报名的其他课撞了时间。请换一个时间，或另写成一个班"
    if plan.capacity < run.seats_taken:
        hurts["capacity"] = f"{learners}，名额不能减到 {plan.capacity}。请写 {run.seats_taken} 或更多"
    heads, most = most_heads(session, run), 1 + seating_in(run, plan).most_companions
    if gives_seats_otherwise(run, plan):
        hurts["seating"] = f"{learners}，不能再改录取方式和抽签时间。请另写成一个班"
    elif heads > most:
        hurts["seating"] = (
            f"已有人带 {heads - 1} 位同行人，不能改成最多带 {most - 1} 位。请写 {heads - 1} 或更多"
        )
    if _is_narrower(run, plan):
        hurts["audience"] = (
            f"{learners}，报名对象不能再收窄。请保留“{say_audience(run)}”，或把新的要求另写成一个班"
        )
    return hurts


def leaves_nothing(run: CourseRun, plan: RunPlan) -> bool:
    """Whether every evening the plan still has is one that staff called off."""
    if run.state is RunState.CANCELLED:
        return False
    kept = [
        next((each for each in run.sessions if _is_as_planned(each, evening)), None)
        for evening in plan.evenings
    ]
    return all(meeting is not None and meeting.state is SessionState.CANCELLED for meeting in kept)


def _is_narrower(run: CourseRun, plan: RunPlan) -> bool:
    other_people = plan.audience not in (run.audience, Audience.EVERYONE)
    from_older = plan.min_age is not None and (run.min_age is None or plan.min_age > run.min_age)
    to_younger = plan.max_age is not None and (run.max_age is None or plan.max_age < run.max_age)
    return other_people or from_older or to_younger


def _refusal(run: CourseRun, hurts: dict[str, str]) -> Conflict:
    return Conflict(
        "run_has_learners",
        "；".join(hurts.values()),
        details={"run": run.key, "seats_taken": run.seats_taken, "waiting": run.waiting, "hurts": hurts},
    )


# --- the deed -----------------------------------------------------------------------------------------------------


def _write(session: Session, run: CourseRun, plan: RunPlan) -> None:
    if run.capacity != plan.capacity:
        run.waitlist_limit = waitlist_for(session, run.region_id, plan.capacity)
    if run.state is RunState.CANCELLED:
        run.state, run.published_at = RunState.DRAFT, None
        run.cancelled_at = None
    run.timetable, run.capacity, run.opens_at = plan.timetable, plan.capacity, plan.opens_at
    run.teacher, run.teacher_is_person = plan.teacher, plan.teacher_is_person
    run.audience, run.min_age, run.max_age = plan.audience, plan.min_age, plan.max_age
    run.materials, run.note = plan.materials, plan.note
    run.starts_at = run.closes_at = plan.starts_at
    run.ends_at = plan.ends_at


def _move(session: Session, run: CourseRun, moves: Sequence[_Move]) -> list[CourseSession]:
    """Write the sessions as they shall be; the ones that now need a room."""
    placed = []
    for move in moves:
        meeting, evening = move.meeting, move.evening
        if evening is None:
            if meeting is not None:
                run.sessions.remove(meeting)
            continue
        if meeting is None:
            meeting = CourseSession(run=run)
            session.add(meeting)
        meeting.venue, meeting.state = evening.venue, SessionState.PLANNED
        meeting.starts_at, meeting.ends_at = evening.starts_at, evening.ends_at
        meeting.moved_from, meeting.cancelled_because = None, ""
        placed.append(meeting)
    session.flush()
    session.expire(run, ["sessions"])  # to be read again in order of time
    run.fit_to_sessions()
    return placed


def _moves(run: CourseRun, plan: RunPlan) -> list[_Move]:
    """What changes about the sessions. What stays is left out; the rest is paired off in order of time."""
    wanted = _in_order(plan)
    meetings = _meetings(run)
    if run.state is not RunState.CANCELLED:
        stands = {
            evening: next((meeting for meeting in run.sessions if _is_as_planned(meeting, evening)), None)
            for evening in wanted
        }
        meetings = [meeting for meeting in meetings if meeting not in stands.values()]
        wanted = [evening for evening in wanted if stands[evening] is None]
    return [
        _Move(meetings[n] if n < len(meetings) else None, wanted[n] if n < len(wanted) else None)
        for n in range(max(len(meetings), len(wanted)))
    ]


def _meetings(run: CourseRun) -> list[CourseSession]:
    """The sessions that count, in order of time: the planned ones, or all of a withdrawn run."""
    counted = [
        meeting
        for meeting in run.sessions
        if run.state is RunState.CANCELLED or meeting.state is SessionState.PLANNED
    ]
    return sorted(counted, key=lambda meeting: (meeting.starts_at, meeting.id))


def _in_order(plan: RunPlan) -> list[Evening]:
    return sorted(plan.evenings, key=lambda evening: evening.starts_at)


def _is_as_planned(meeting: CourseSession, evening: Evening) -> bool:
    return meeting.stands_for(evening.starts_at, evening.ends_at) and meeting.is_held_where(evening.venue)


# --- as a clerk reads it ------------------------------------------------------------------------------------------


def _say_state(run: CourseRun) -> str:
    return "已撤下" if run.state is RunState.CANCELLED else ""


def _say_learners(run: CourseRun, applied: int) -> str:
    waiting = f"、{run.waiting} 人候补" if run.waiting else ""
    applying = f"、{applied} 人申请" if applied else ""
    return f"已有 {run.seats_taken} 人报名{waiting}{applying}"


def _say_evenings(evenings: Sequence[Evening | CourseSession]) -> str:
    said = []
    for evening in evenings:
        starts, ends = clock.in_town(evening.starts_at), clock.in_town(evening.ends_at)
        said.append(f"{starts.month}月{starts.day}日 {starts:%H:%M}-{ends:%H:%M} {evening.venue.name}")
    return "；".join(said)


def _say_moment(moment: datetime) -> str:
    return f"{clock.in_town(moment):%Y-%m-%d %H:%M}"
