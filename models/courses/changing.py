"""Changing (改期 · 停课 · 取消) a class people count on: the class, its room, the people and what they are told go together or not at all.

Unlike a correction of the timetable (``revising``), which hurts nobody or is refused, these are decisions: staff say why, and
everybody with a seat or in the queue is told at once (domain.md §6, M4). Who gives up a seat in a class that was changed under
their feet is not late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account
from models.courses.attendance import let_go_of_records
from models.courses.hearing import adults_of, registered_and_hears
from models.courses.planning import Evening, call_off, learners_busy, take_place
from models.courses.registrations import LIVE, Registration
from models.courses.runs import CourseRun, CourseSession, RunState, SessionState
from models.courses.seats.ending import end_all_places
from models.courses.seats.lapsing import shorten_offers
from models.errors import Conflict, Fault, Invalid
from models.hearing import hearers
from models.journal import enter
from models.ladder import ToTell, owe_to_people
from models.notices import Debt, NoticeKind, goes_out_at, owe_once
from models.occupancy import lock_spaces, vacate
from models.residents import Resident
from models.sites import Venue


@dataclass(frozen=True)
class By:
    """Who decided, in which hat, and why, in words the residents will read."""

    because: str
    account_id: int | None = None
    identity: str = "town"


def move_session(
    session: Session,
    meeting: CourseSession,
    *,
    starts_at: datetime,
    ends_at: datetime,
    venue: Venue,
    by: By,
    even_so: bool = False,
) -> int:
    """Hold one evening at another time or in another room; how many people are told.

    Its teacher and the new room must be free, and the old room is let go. Raises Conflict ``session_not_movable`` for an evening
    that has begun or was cancelled, ``learners_clash`` when people of the run have another class then (``details["learners"]``
    says how many) unless staff want it ``even_so``, ``room_taken`` or ``teacher_taken``, and Invalid for a time that cannot be.
    Moving to where it is already changes nothing.
    """
    run = meeting.run.lock()
    session.refresh(meeting)
    _must_be_ahead(run, meeting)
    if (starts_at, ends_at, venue.id) == (meeting.starts_at, meeting.ends_at, meeting.venue_id):
        return 0
    _must_be_possible(run, meeting, starts_at, ends_at)
    clashing = learners_busy(session, run, [Evening(starts_at, ends_at, venue)])
    if clashing and not even_so:
        raise Conflict(
            "learners_clash",
            f"有 {clashing} 人这个时间已报名别的课。请换一个时间；一定要改的，请确认“仍然改期”，系统会通知他们",
            details={"learners": clashing},
        )
    lock_spaces([meeting.venue, venue])
    was = {"starts_at": meeting.starts_at.isoformat(), "venue": meeting.venue.name}
    other_time = starts_at != meeting.starts_at or ends_at != meeting.ends_at
    began_at = run.starts_at
    vacate(session, [meeting.key])
    if other_time:
        let_go_of_records(session, meeting)
    if meeting.moved_from is None:
        meeting.moved_from = meeting.starts_at
    meeting.starts_at, meeting.ends_at, meeting.venue = starts_at, ends_at, venue
    session.flush()
    take_place(session, meeting)
    run.fit_to_sessions()
    if run.starts_at < began_at:
        _come_forward(session, run, by=began_at - run.starts_at)
    run.changed_at = clock.now()
    enter(
        session,
        "course_session.moved",
        meeting,
        by_account_id=by.account_id,
        identity=by.identity,
        details={
            "from": was,
            "to": {"starts_at": starts_at.isoformat(), "venue": venue.name},
            "because": by.because,
        },
    )
    change = "时间调整" if other_time else "更换教室"
    return _tell(session, run, NoticeKind.CLASS_MOVED, meeting, {"change": change, "reason": by.because})


def cancel_session(session: Session, meeting: CourseSession, *, by: By) -> int:
    """Call one evening off, its room let go; how many people are told. Calling it off twice is fine.

    With the last of several the class is over. Raises Conflict ``session_not_movable`` once it has begun, ``last_session`` for the only
    one there is: then the run is to be cancelled.
    """
    run = meeting.run.lock()
    session.refresh(meeting)
    if meeting.state is SessionState.CANCELLED:
        return 0
    _must_be_ahead(run, meeting)
    if len(_standing(run)) == 1:
        raise Conflict("last_session", "这个班只有这一次课，不能只停这一次；不办了请取消整个班")
    call_off(session, [meeting], because=by.because)
    let_go_of_records(session, meeting)
    run.fit_to_sessions()
    run.changed_at = clock.now()
    enter(
        session,
        "course_session.cancelled",
        meeting,
        by_account_id=by.account_id,
        identity=by.identity,
        details={"because": by.because},
    )
    return _tell(
        session, run, NoticeKind.CLASS_CALLED_OFF, meeting, {"change": "停课一次", "reason": by.because}
    )


def cancel_run(session: Session, run: CourseRun, *, by: By) -> int:
    """Call a whole run off (取消): rooms are let go, every place in it ends, and everybody is told; how many people are told.

    Evenings that were held stay held. Cancelling twice is fine. Raises Conflict ``run_finished`` when no evening is left.
    """
    run.lock()
    if run.state is RunState.CANCELLED:
        return 0
    now = clock.now()
    session.refresh(run, ["sessions"])
    ahead = [meeting for meeting in _standing(run) if meeting.starts_at > now]
    was_seen = not run.is_scheduled
    if run.state is RunState.ARCHIVED or not ahead:
        raise Conflict("run_finished", "这个班已经没有要上的课，不能再取消")
    told = _tell(session, run, NoticeKind.RUN_CANCELLED, ahead[0], {"change": "已取消", "reason": by.because})
    call_off(session, ahead, because=by.because)
    end_all_places(session, run, by_account_id=by.account_id, identity=by.identity)
    run.state, run.cancelled_at, run.cancelled_because = RunState.CANCELLED, now, by.because
    if not was_seen:
        run.published_at = None  # what nobody ever saw does not appear as cancelled at its hour
    enter(
        session,
        "course_run.cancelled",
        run,
        by_account_id=by.account_id,
        identity=by.identity,
        details={"because": by.because},
    )
    session.flush()
    return told


# --- what may change ----------------------------------------------------------------------------------------------


def _must_be_ahead(run: CourseRun, meeting: CourseSession) -> None:
    is_over = meeting.starts_at <= clock.now()
    if (
        run.state in (RunState.CANCELLED, RunState.ARCHIVED)
        or meeting.state is SessionState.CANCELLED
        or is_over
    ):
        raise Conflict("session_not_movable", "这次课已经开始、上完或取消了，不能再改")


def _must_be_possible(run: CourseRun, meeting: CourseSession, starts_at: datetime, ends_at: datetime) -> None:
    faults = []
    if ends_at <= starts_at:
        faults.append(Fault("ends_at", "结束时间要晚于开始时间"))
    if starts_at <= clock.now():
        faults.append(Fault("starts_at", "请选一个还没到的时间"))
    others = [other for other in _standing(run) if other is not meeting]
    first_at = min([starts_at, *(other.starts_at for other in others)])
    if any(starts_at < other.ends_at and ends_at > other.starts_at for other in others):
        faults.append(Fault("starts_at", "同一个班的两次课时间重叠了"))
    if run.opens_at >= first_at:
        faults.append(Fault("starts_at", "第一次课要晚于报名开始时间"))
    if run.draws_at is not None and run.drawn_at is None and run.draws_at >= first_at:
        faults.append(Fault("starts_at", "第一次课要晚于抽签时间"))
    if faults:
        raise Invalid(faults)


def _come_forward(session: Session, run: CourseRun, *, by: timedelta) -> None:
    """What must be over before a class begins comes forward with it: held seats are let go so much sooner, and no offer outlasts its start."""
    if run.held_until is not None:
        run.held_until -= by
    shorten_offers(session, run)


def _standing(run: CourseRun) -> list[CourseSession]:
    return [meeting for meeting in run.sessions if meeting.state is SessionState.PLANNED]


# --- telling everybody --------------------------------------------------------------------------------------------


def _tell(
    session: Session,
    run: CourseRun,
    kind: NoticeKind,
    meeting: CourseSession,
    facts: dict[str, str],
) -> int:
    """Owe the news of an evening to everybody with a place and to who registered them; how many people are told.

    At once, also by night; who has no WeChat is told by the next rung (``models.ladder``).
    """
    session.flush()
    now = clock.now()
    due_at = goes_out_at(session, kind, run.region_id, now)
    telling = []
    everybody = session.execute(
        select(Registration, Resident, Account.id)
        .join(Resident, Resident.id == Registration.resident_id)
        .outerjoin(Account, registered_and_hears())
        .where(Registration.run_id == run.id, Registration.state.in_(LIVE))
        .order_by(Registration.number)
    ).all()
    adults = adults_of(session, [registration.id for registration, _, _ in everybody])
    for registration, learner, registered_by in everybody:
        told = hearers(
            own=learner.account_id,
            registered_by=registered_by,
            name=learner.name,
            adult=adults.get(registration.id),
        )
        debt = Debt(
            kind,
            subject_key=registration.key,
            page_subject=run.key,
            account_ids=told.accounts,
            facts={
                **facts,
                "course": run.course.title,
                "starts_at": meeting.starts_at.isoformat(),
                "place": meeting.venue.full_name,
                "evening": meeting.key,
                "venue": meeting.venue.key,
                "learner": told.learner,
                "activity": run.course.is_activity,
            },
            due_at=due_at,
            version=f"{meeting.key}:{meeting.starts_at.timestamp():.0f}:{meeting.venue_id}:{now.timestamp():.0f}",
        )
        telling.append(ToTell(debt, learner.id, learner.home_region_id or run.region_id))
    connection = session.connection()
    owe_once(connection, [each.debt for each in telling])
    owe_to_people(connection, [each for each in telling if not each.debt.account_ids])
    return len(telling)
