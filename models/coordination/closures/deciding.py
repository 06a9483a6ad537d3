"""Deciding (停用 · 征用): what was looked at is done, all of it in one transaction or nothing.

The room is held in the one calendar, and everything that was in the way is moved, called off or ended by its own noun's verbs. Whoever
decides holds, in this order, the runs, the agreements, the groups and the people concerned, and then all the floor at once: in the
order in which taps, agreements and reservations take them, so that nobody waits for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.agreements import ServiceHold, call_off_hold, cut_hold, move_hold
from models.coordination.closures.asking import ask, ask_no_longer
from models.coordination.closures.choosing import Choice, chosen
from models.coordination.closures.hours import count_again
from models.coordination.closures.planning import Plan, Wanted, look
from models.coordination.closures.proposing import Proposal
from models.coordination.closures.rows import (
    PURPOSES,
    ClosureEffect,
    ClosureKind,
    Noun,
    Remedy,
    RoomClosure,
)
from models.coordination.closures.seeing import Affected
from models.coordination.closures.shutting import shut_floor
from models.courses import (
    LIVE,
    CourseSession,
    Registration,
    SessionState,
    cancel_run,
    cancel_session,
    end_early,
    move_session,
)
from models.courses import By as ByCourses
from models.courses.seats.asking import hold_people
from models.errors import Conflict, Forbidden
from models.journal import enter
from models.occupancy import vacate
from models.reservations import (
    By,
    Reservation,
    ReservationState,
    cut_short,
    hold_rooms,
    move,
    neighbours_of,
    offer_what_is_free,
    override,
)
from models.venue_policies import policies_of_each


@dataclass(frozen=True)
class Decision:
    """What staff say to a plan they saw (``fingerprint``), by the keys of things where they want something else."""

    because: str
    fingerprint: str
    emergency_because: str = ""
    offers: str = ""
    choices: Mapping[str, Choice] = field(default_factory=dict)


def close(
    session: Session, wanted: Wanted, decision: Decision, *, by: By, may_override_classes: bool = True
) -> RoomClosure:
    """Close rooms as was looked at, or as staff chose, and tell and ask everybody it concerns.

    ``may_override_classes``: whether they may take a room from a class for a public need. Raises as ``look``; Conflict ``plan_changed`` where
    anything is other than it was; ``room_in_use`` and ``notice_too_short`` naming what is concerned, unless it is an
    emergency; ``choices_unfit`` naming what cannot be; ``learners_clash`` naming each chosen hour at which some who learn have another class,
    unless it is chosen ``even_so``; Forbidden ``admin_needed``; and whatever the nouns' own verbs say of a place that
    was chosen.
    """
    seen = look(session, wanted)
    _hold(session, seen, decision)
    plan = look(session, wanted)
    if plan.fingerprint != decision.fingerprint or seen.fingerprint != plan.fingerprint:
        raise Conflict(
            "plan_changed",
            "受影响的安排有了变化，请看过新的方案再确认",
            details={"fingerprint": plan.fingerprint},
        )
    items = chosen(session, plan, decision.choices)
    _must_be_entitled(plan, may_override_classes=may_override_classes)
    if not decision.emergency_because:
        _must_not_be_in_use(plan)
        _must_be_told_in_time(session, plan)
    closure = RoomClosure(
        site=wanted.site,
        kind=wanted.kind,
        starts_at=plan.during.starts_at,
        ends_at=plan.during.ends_at,
        because=decision.because,
        emergency_because=decision.emergency_because,
        offers=decision.offers,
        venues=list(wanted.venues),
    )
    session.add(closure)
    session.flush()
    _carry_out(session, closure, items, by)
    enter(
        session,
        "room_closure.decided",
        closure,
        by_account_id=by.account_id,
        identity=by.identity,
        details={"kind": closure.kind, "because": closure.because, "affected": len(items)},
    )
    session.flush()
    if closure.kind is ClosureKind.HOURS:
        count_again(session, wanted.site)
    offer_what_is_free(session, neighbours_of(session, wanted.site.venues))
    return closure


# --- holding ------------------------------------------------------------------------------------------------------


def _hold(session: Session, plan: Plan, decision: Decision) -> None:
    """Hold everything the plan concerns, and all the floor something may go to."""
    things = [one.thing for one in plan.affected]
    runs = {one.run_id: one.run for one in things if isinstance(one, CourseSession)}
    agreements = {one.agreement_id: one.agreement for one in things if isinstance(one, ServiceHold)}
    groups = {
        one.group_id: one.group for one in things if isinstance(one, Reservation) and one.group is not None
    }
    for rows in (runs, agreements, groups):
        for _, row in sorted(rows.items()):
            row.lock()
    _hold_people(session, things, runs)
    places = {choice.venue for choice in decision.choices.values() if choice.venue is not None}
    hold_rooms(session, *plan.wanted.site.venues, *places)
    session.expire_all()  # what others wrote while this waited is seen by the second look


def _hold_people(session: Session, things: Sequence[object], runs: Collection[int]) -> None:
    people = {
        one.resident_id
        for one in things
        if isinstance(one, Reservation) and one.group_id is None and one.resident_id is not None
    }
    if runs:
        rows = session.execute(
            select(Registration.resident_id, Registration.paired_with_id).where(
                Registration.run_id.in_(runs), Registration.state.in_(LIVE)
            )
        )
        people |= {person for row in rows for person in row if person is not None}
    hold_people(session.connection(), people)


# --- what may be --------------------------------------------------------------------------------------------------


def _must_be_entitled(plan: Plan, *, may_override_classes: bool) -> None:
    takes_classes = plan.wanted.kind is ClosureKind.PUBLIC_NEED and any(
        one.noun is Noun.COURSE_SESSION for one in plan.affected
    )
    if takes_classes and not may_override_classes:
        raise Forbidden("admin_needed", "征用会影响课程，请由社区管理员办理")


def _must_not_be_in_use(plan: Plan) -> None:
    used = [one for one in plan.affected if one.in_use]
    if used:
        raise Conflict(
            "room_in_use",
            f"“{used[0].venue.name}”等 {len(used)} 处正在使用。请等用完，或确认是紧急情况并写明原因",
            details={"things": [one.key for one in used]},
        )


def _must_be_told_in_time(session: Session, plan: Plan) -> None:
    if plan.wanted.kind is not ClosureKind.PUBLIC_NEED:
        return
    numbers = policies_of_each(session, list({one.venue for one in plan.affected}))
    now = clock.now()
    late = [
        one
        for one in plan.affected
        if not one.only_waits
        and one.stretch.starts_at < now + timedelta(hours=numbers[one.venue.id].override_notice_hours)
    ]
    if late:
        hours = numbers[late[0].venue.id].override_notice_hours
        raise Conflict(
            "notice_too_short",
            f"征用要至少提前 {hours:g} 小时告知，有 {len(late)} 个安排来不及。请改时间，或确认是紧急情况并写明原因",
            details={"things": [one.key for one in late]},
        )


# --- what is done -------------------------------------------------------------------------------------------------


def _carry_out(session: Session, closure: RoomClosure, items: Sequence[Proposal], by: By) -> None:
    """Everything lets go first, the closure takes its floor, and then each goes where it goes."""
    effects = {one.affected.key: _effect(closure, one) for one in items}
    leaving = [one for one in items if one.remedy is not Remedy.KEEP]
    ask_no_longer(session, [one.affected.thing for one in leaving])
    session.add_all(effects.values())
    session.flush()
    for one in leaving:
        if one.remedy is Remedy.END_NOW:
            _end(session, closure, one.affected, by)
    vacate(session, [one.affected.key for one in leaving if one.remedy is not Remedy.END_NOW])
    if closure.kind in PURPOSES:
        shut_floor(session, closure)
    for one in leaving:
        if one.remedy is Remedy.MOVE:
            _move(session, closure, one, by)
            ask(session, effects[one.affected.key], one.affected.thing)
        elif one.remedy is Remedy.CALL_OFF:
            _call_off(session, closure, one.affected, by)
    session.flush()


def _effect(closure: RoomClosure, one: Proposal) -> ClosureEffect:
    seen = one.affected
    return ClosureEffect(
        closure=closure,
        noun=seen.noun,
        thing=seen.key,
        title=seen.title,
        venue_id=seen.venue.id,
        starts_at=seen.stretch.starts_at,
        ends_at=seen.stretch.ends_at,
        remedy=one.remedy,
        to_venue_id=one.venue.id if one.venue else None,
        to_starts_at=one.stretch.starts_at if one.stretch else None,
        to_ends_at=one.stretch.ends_at if one.stretch else None,
        people=seen.people,
    )


def _move(session: Session, closure: RoomClosure, one: Proposal, by: By) -> None:
    thing, venue, stretch = one.affected.thing, one.venue, one.stretch
    if venue is None or stretch is None:
        raise AssertionError("what moves goes somewhere")
    if isinstance(thing, CourseSession):
        move_session(
            session,
            thing,
            starts_at=stretch.starts_at,
            ends_at=stretch.ends_at,
            venue=venue,
            by=_as_courses_take_it(closure, by),
            even_so=True,  # each of them is asked
        )
    elif isinstance(thing, Reservation):
        move(session, thing, venue, stretch, because=closure.because, by=by)
    else:
        move_hold(
            session,
            thing,
            venue,
            stretch.starts_at,
            stretch.ends_at,
            closure.because,
            by_account_id=by.account_id,
            identity=by.identity,
        )


def _call_off(session: Session, closure: RoomClosure, affected: Affected, by: By) -> None:
    thing = affected.thing
    if isinstance(thing, Reservation):
        override(session, thing, closure.because, by=by, offers=closure.offers)
    elif isinstance(thing, ServiceHold):
        call_off_hold(session, thing, closure.because, by_account_id=by.account_id, identity=by.identity)
    elif sum(one.state is SessionState.PLANNED for one in thing.run.sessions) == 1:
        cancel_run(session, thing.run, by=_as_courses_take_it(closure, by))
    else:
        cancel_session(session, thing, by=_as_courses_take_it(closure, by))


def _end(session: Session, closure: RoomClosure, affected: Affected, by: By) -> None:
    thing, at = affected.thing, closure.starts_at
    if isinstance(thing, Reservation):
        was_used = thing.resident_id is None or thing.state is ReservationState.CHECKED_IN
        if was_used and thing.starts_at < at:
            cut_short(session, thing, at, because=closure.because, by=by)
        else:
            override(session, thing, closure.because, by=by, offers=closure.offers)
    elif isinstance(thing, ServiceHold):
        cut_hold(session, thing, at, closure.because, by_account_id=by.account_id, identity=by.identity)
    else:
        end_early(session, thing, at, by=_as_courses_take_it(closure, by))


def _as_courses_take_it(closure: RoomClosure, by: By) -> ByCourses:
    return ByCourses(closure.because, by.account_id, by.identity)
