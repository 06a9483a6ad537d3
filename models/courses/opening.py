"""Opening or not (开班决定): a class too few people registered for is put before staff the day before, and they decide (domain.md §2.1).

It goes on all the same, it is called off, or it is put together with another run of its course. Nothing happens by itself: a class
nobody decided about is held.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Float, cast, func, or_, select
from sqlalchemy.orm import Session, aliased

from models import clock
from models.courses.changing import By
from models.courses.listing import with_all_that_is_shown
from models.courses.planning import Evening, call_off, learners_busy, most_heads
from models.courses.questions import OpenOnes, unanswered_by
from models.courses.registrations import RegistrationState
from models.courses.runs import Admission, Audience, CourseRun, CourseSession, RunState, SessionState
from models.courses.seats.merging import Moved, move_places
from models.errors import Conflict
from models.hearing import hearers
from models.journal import enter
from models.ladder import ToTell, owe_to_people
from models.notices import Debt, NoticeKind, goes_out_at, owe_once
from models.policies import RULES, Policy
from models.regions import Region, regions_within

DECIDED_WITHIN = timedelta(hours=24)  # of the first evening
MOST_LISTED = 100


@dataclass(frozen=True)
class TooFew:
    """A run that starts within the day with fewer people than it needs."""

    run: CourseRun
    minimum: int


def open_anyway(session: Session, run: CourseRun, *, by: By) -> None:
    """Hold a class with however many registered (照常开班). Deciding it twice is fine. Raises Conflict ``nothing_to_decide``."""
    run.lock()
    _must_be_ahead(run)
    if run.opening_decided_at is not None:
        return
    run.opening_decided_at = clock.now()
    enter(
        session,
        "course_run.opened_anyway",
        run,
        by_account_id=by.account_id,
        identity=by.identity,
        details={"because": by.because, "seats_taken": run.seats_taken},
    )
    session.flush()


def merge_run(session: Session, run: CourseRun, into: CourseRun, *, by: By, even_so: bool = False) -> int:
    """Put a run together with another of its course (并班) and call it off; how many people are told.

    Everybody comes along: a seat stays one while the other has any, the rest queue there in order, and what is free then goes to them as
    ever. Whoever has not answered what the other run must know is asked to with the news. All of it or nothing. Raises Conflict
    ``merge_unfit`` for a run that is of another course, not open to the same people or their companions, or not to come;
    ``learners_clash`` when people have another class at its hours, unless staff want it ``even_so``; ``nothing_to_decide`` for a run that
    has begun or was called off.
    """
    if run.id == into.id:
        raise Conflict("merge_unfit", "不能并到自己这个班，请选另一个班")
    for one in sorted((run, into), key=lambda one: one.id):
        one.lock()
    _must_be_ahead(run)
    session.refresh(run, ["sessions"])
    session.refresh(into, ["sessions"])
    _must_fit(run, into)
    _must_take_groups(session, run, into)
    theirs = [Evening(meeting.starts_at, meeting.ends_at, meeting.venue) for meeting in _ahead(into)]
    clashing = learners_busy(session, run, theirs, apart_from=[into.id])
    if clashing and not even_so:
        raise Conflict(
            "learners_clash",
            f"有 {clashing} 人那个班的时间已报名别的课。请换一个班；一定要并的，请确认“仍然合并”，系统会通知他们",
            details={"learners": clashing},
        )
    moved = move_places(session, run, into, by_account_id=by.account_id, identity=by.identity)
    call_off(session, _ahead(run), because=by.because)
    run.state, run.cancelled_at, run.cancelled_because = RunState.CANCELLED, clock.now(), by.because
    learners = {one.learner.id for one in moved}
    open_ones = unanswered_by(session.connection(), [into.id] if into.asks_questions else [], learners)
    enter(
        session,
        "course_run.merged",
        run,
        by_account_id=by.account_id,
        identity=by.identity,
        details={
            "because": by.because,
            "into": into.key,
            "moved": len(moved),
            "unanswered": len(open_ones),
        },
    )
    session.flush()
    _tell(session, into, moved, open_ones, because=by.because)
    return len(moved)


def too_few(session: Session, as_of: datetime, *, within: Sequence[Region] | None = None) -> list[TooFew]:
    """The runs that start within a day of a moment with too few people, and nobody decided about yet, by first evening.

    How many a class needs it says itself, or its community's ``min_to_open`` does; never more than it has seats.
    """
    if within is not None and not within:
        return []
    query = (
        with_all_that_is_shown(select(CourseRun).join(CourseRun.course))
        .add_columns(_needed())
        .where(*_has_too_few(as_of))
        .order_by(CourseRun.starts_at, CourseRun.id)
    )
    if within is not None:
        query = query.where(CourseRun.region_id.in_(regions_within(*within)))
    return [TooFew(run, min(int(needed), run.capacity)) for run, needed in session.execute(query).unique()]


def count_too_few(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many classes wait for such a decision at a moment, by the path of their community."""
    rows = session.execute(
        select(Region.path, func.count())
        .join(CourseRun, CourseRun.region_id == Region.id)
        .where(*_has_too_few(as_of))
        .group_by(Region.path)
    )
    return dict(rows.all())


def count_in_review(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many runs had been handed in for review by a moment and still wait, by the path of their community."""
    rows = session.execute(
        select(Region.path, func.count())
        .join(CourseRun, CourseRun.region_id == Region.id)
        .where(CourseRun.waits_for_review(), CourseRun.submitted_at <= as_of)
        .group_by(Region.path)
    )
    return dict(rows.all())


def _needed() -> ColumnElement[float]:
    """How many a run needs: its own number, the nearest one set for its community, or the default."""
    place, above = aliased(Region), aliased(Region)
    nearest = (
        select(cast(Policy.value, Float))
        .join(above, above.id == Policy.region_id)
        .join(place, func.substr(place.path, 1, func.length(above.path)) == above.path)
        .where(Policy.name == "min_to_open", place.id == CourseRun.region_id)
        .order_by(func.length(above.path).desc())
        .limit(1)
        .correlate(CourseRun)
        .scalar_subquery()
    )
    return func.coalesce(CourseRun.min_to_open, nearest, RULES["min_to_open"].default)


def _has_too_few(as_of: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        CourseRun.stands_published(),
        CourseRun.is_shown_at(as_of),
        CourseRun.starts_at > as_of,
        CourseRun.starts_at <= as_of + DECIDED_WITHIN,
        CourseRun.opening_decided_at.is_(None),
        # before the draw nobody has a seat
        or_(CourseRun.admission != Admission.DRAW, CourseRun.drawn_at.is_not(None)),
        CourseRun.seats_taken < CourseRun.capacity,
        CourseRun.seats_taken < _needed(),
    )


def _must_be_ahead(run: CourseRun) -> None:
    if run.state is not RunState.PUBLISHED or run.starts_at <= clock.now():
        raise Conflict("nothing_to_decide", "这个班已经开课、取消或还没有发布，现在不用决定开不开班")


def _must_fit(run: CourseRun, into: CourseRun) -> None:
    if into.course_id != run.course_id:
        raise Conflict("merge_unfit", "只能并到同一门课程的另一个班")
    if into.state is not RunState.PUBLISHED or into.is_scheduled or into.starts_at <= clock.now():
        raise Conflict("merge_unfit", "要并入的班已经开课、取消或还没有发布，请换一个班")
    if into.admission is Admission.REVIEW or (into.admission is Admission.DRAW and into.drawn_at is None):
        raise Conflict("merge_unfit", "要并入的班要先抽签或审核，不能直接并进去，请换一个班")
    other_people = into.audience not in (run.audience, Audience.EVERYONE)
    from_older = into.min_age is not None and (run.min_age is None or into.min_age > run.min_age)
    to_younger = into.max_age is not None and (run.max_age is None or into.max_age < run.max_age)
    if other_people or from_older or to_younger:
        raise Conflict("merge_unfit", "要并入的班报名对象更窄，有的人进不去，请换一个班")


def _must_take_groups(session: Session, run: CourseRun, into: CourseRun) -> None:
    brought = most_heads(session, run) - 1
    if brought > into.most_companions:
        raise Conflict(
            "merge_unfit",
            f"要并入的班每人最多带 {into.most_companions} 位同行人，这个班有人带了 {brought} 位，请换一个班",
        )


def _ahead(run: CourseRun) -> list[CourseSession]:
    return [
        meeting
        for meeting in run.sessions
        if meeting.state is SessionState.PLANNED and meeting.starts_at > clock.now()
    ]


def _said(one: Moved, open_ones: OpenOnes, into: CourseRun) -> str:
    """What became of somebody's place, and what they are asked to do."""
    if one.state is RegistrationState.CONFIRMED:
        kept = "您的名额保留" if one.had_seat else "那边有名额，已经给您"
    elif one.state is RegistrationState.OFFERED:
        kept = "那边有名额，请按时确认"
    else:
        kept = f"那边名额已满，您在候补第{one.position}位"
    return f"{kept}，请补答报名问题" if open_ones.get((into.id, one.learner.id)) else kept


def _tell(
    session: Session, into: CourseRun, moved: Sequence[Moved], open_ones: OpenOnes, *, because: str
) -> None:
    """Owe the news to everybody who came along, at once, also by night."""
    meeting = _ahead(into)[0]
    kind = NoticeKind.RUN_MERGED
    due_at = goes_out_at(session, kind, into.region_id, clock.now())
    telling = []
    for one in moved:
        learner = one.learner
        told = hearers(own=learner.account_id, registered_by=one.heard_by, name=learner.name, adult=one.adult)
        debt = Debt(
            kind,
            subject_key=one.key,
            page_subject=into.key,
            account_ids=told.accounts,
            facts={
                "course": into.course.title,
                "starts_at": meeting.starts_at.isoformat(),
                "place": meeting.venue.full_name,
                "evening": meeting.key,
                "venue": meeting.venue.key,
                "learner": told.learner,
                "activity": into.course.is_activity,
                "change": "合并" if into.course.is_activity else "并班",
                "kept": _said(one, open_ones, into),
                "reason": because,
            },
            due_at=due_at,
        )
        telling.append(ToTell(debt, learner.id, learner.home_region_id or into.region_id))
    connection = session.connection()
    owe_once(connection, [each.debt for each in telling])
    owe_to_people(connection, [each for each in telling if not each.debt.account_ids])
