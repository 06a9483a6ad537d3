"""Courses, runs and sessions: planned whole or not at all, shown to whom, in which phase when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.courses import (
    CourseRun,
    Evening,
    Registration,
    RunFilter,
    RunPhase,
    RunState,
    open_course,
    plan_run,
    publish,
    published_run,
    published_runs,
    registrations_of,
    roster_of,
    run_for_staff,
)
from models.errors import Conflict, Invalid, NotFound, Refusal
from models.journal import JournalEntry
from models.occupancy import Occupancy
from models.policies import set_policy
from models.regions import Region
from tests.conftest import NOON
from tests.people import FIRST_EVENING, OPENS_AT, Town, a_course, a_plan, a_venue

MINUTE = timedelta(minutes=1)


# --- planning -----------------------------------------------------------------------------------------------------


def test_a_run_is_planned_with_its_evenings_and_holds_their_room(town: Town) -> None:
    run = town.a_run(evenings=3, published=False)
    assert [s.starts_at for s in run.sessions] == [FIRST_EVENING + timedelta(weeks=w) for w in range(3)]
    assert (run.starts_at, run.closes_at) == (FIRST_EVENING, FIRST_EVENING)
    assert run.ends_at == FIRST_EVENING + timedelta(weeks=2, minutes=90)
    with reading() as session:
        held = session.scalars(select(Occupancy.holder_key)).all()
        acts = session.scalars(select(JournalEntry.act).where(JournalEntry.subject_id == run.id)).all()
    assert sorted(held) == sorted(s.key for s in run.sessions)
    assert "course_run.planned" in acts


def test_two_classes_cannot_share_a_room(town: Town) -> None:
    with transaction() as session:
        room = a_venue(session, town.wutong, name="书画室")
    town.a_run(venue=room)
    with pytest.raises(Conflict) as caught:
        town.a_run(venue=room, starts_at=FIRST_EVENING + 89 * MINUTE)
    assert caught.value.code == "room_taken"
    assert "书画室" in caught.value.message
    town.a_run(venue=room, starts_at=FIRST_EVENING + 90 * MINUTE)


def test_a_plan_that_fails_half_way_holds_nothing(town: Town) -> None:
    with transaction() as session:
        room = a_venue(session, town.wutong)
    town.a_run(venue=room, starts_at=FIRST_EVENING + timedelta(weeks=1))
    with pytest.raises(Conflict):
        town.a_run(venue=room, evenings=2, title="半途", starts_at=FIRST_EVENING)
    with reading() as session:
        assert len(session.scalars(select(Occupancy)).all()) == 1
        assert published_runs(session, RunFilter(), after=None, most=9)[0].course.title != "半途"


def test_a_person_cannot_teach_twice_at_once(town: Town) -> None:
    town.a_run(teacher="林老师", title="国画")
    with pytest.raises(Conflict) as caught:
        town.a_run(teacher="林老师", starts_at=FIRST_EVENING + 30 * MINUTE)
    assert caught.value.code == "teacher_taken"
    assert "国画" in caught.value.message


def test_a_person_may_teach_one_class_after_another(town: Town) -> None:
    town.a_run(teacher="林老师")
    assert town.a_run(teacher="林老师", starts_at=FIRST_EVENING + 90 * MINUTE).teacher == "林老师"


def test_a_cancelled_class_leaves_its_teacher_free(town: Town) -> None:
    run = town.a_run(teacher="林老师")
    town.call_off(run)
    assert town.a_run(teacher="林老师").id != run.id


def test_an_organisation_can_teach_twice_at_once(town: Town) -> None:
    with transaction() as session:
        for _ in range(2):
            plan = a_plan(session, town.wutong, teacher="区文化馆", teacher_is_person=False)
            plan_run(session, a_course(session, town.wutong), plan)


def faults_of(town: Town, **changes: Any) -> list[str]:
    """The fields that are wrong with a plan that has something else in it."""

    def plan_it() -> None:
        with transaction() as session:
            plan = replace(a_plan(session, town.wutong), **changes)
            plan_run(session, a_course(session, town.wutong), plan)

    with pytest.raises(Invalid) as caught:
        plan_it()
    return [fault.field for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"evenings": []}, "evenings"),
        ({"capacity": 0}, "capacity"),
        ({"opens_at": FIRST_EVENING}, "opens_at"),
        ({"min_age": 60, "max_age": 50}, "min_age"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(town: Town, changes: dict[str, object], field: str) -> None:
    assert faults_of(town, **changes) == [field]


def test_everything_wrong_with_a_plan_is_told_at_once(town: Town) -> None:
    assert faults_of(town, evenings=[], capacity=0) == ["evenings", "capacity"]


def test_an_evening_ends_after_it_starts(town: Town) -> None:
    with transaction() as session:
        room = a_venue(session, town.wutong)
    assert faults_of(town, evenings=[Evening(FIRST_EVENING, FIRST_EVENING, room)]) == ["evenings"]


@pytest.mark.parametrize(("share", "limit"), [("0", 0), ("0.29", 29), ("1.15", 115), ("3", 300)])
def test_the_waiting_list_is_a_share_of_the_seats(town: Town, share: str, limit: int) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "waitlist_share", share)
    assert town.a_run(capacity=100).waitlist_limit == limit


def test_a_course_is_made_once_and_its_category_follows(town: Town) -> None:
    with transaction() as session:
        wutong = session.get_one(Region, town.wutong.id)
        wangjiang = session.get_one(Region, town.wangjiang.id)
        first = open_course(session, wutong, title="摄影", category="艺术")
        again = open_course(session, wutong, title="摄影", category="数字生活")
        elsewhere = open_course(session, wangjiang, title="摄影", category="艺术")
    assert first is again
    assert first.category == "数字生活"
    assert elsewhere.id != first.id


# --- publishing ---------------------------------------------------------------------------------------------------


def test_a_draft_is_seen_once_it_is_published(town: Town) -> None:
    run = town.a_run(published=False)
    with reading() as session, pytest.raises(NotFound):
        published_run(session, run.key)
    with transaction() as session:
        publish(session, session.get_one(CourseRun, run.id))
        publish(session, session.get_one(CourseRun, run.id))
    with reading() as session:
        assert published_run(session, run.key).published_at == NOON
        acts = session.scalars(select(JournalEntry.act).where(JournalEntry.subject_id == run.id)).all()
    assert acts.count("course_run.published") == 1


def test_what_cannot_be_published_says_why(town: Town) -> None:
    run = town.a_run(published=False)
    with transaction() as session:
        row = session.get_one(CourseRun, run.id)
        row.state = RunState.CANCELLED
        with pytest.raises(Refusal) as caught:
            publish(session, row)
    assert caught.value.code == "run_cancelled"


# --- phases -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "phase"),
    [
        (OPENS_AT - MINUTE, RunPhase.UPCOMING),
        (OPENS_AT, RunPhase.ENROLLING),
        (FIRST_EVENING - MINUTE, RunPhase.ENROLLING),
        (FIRST_EVENING, RunPhase.RUNNING),
        (FIRST_EVENING + 90 * MINUTE, RunPhase.FINISHED),
    ],
)
def test_a_run_goes_through_its_phases_by_the_clock(
    town: Town, clock: town_clock.StoppedClock, moment: datetime, phase: RunPhase
) -> None:
    clock.move_to(OPENS_AT - timedelta(days=1))
    run = town.a_run()
    clock.move_to(moment)
    assert run.phase is phase


def test_a_full_run_is_full_and_a_cancelled_one_cancelled(town: Town) -> None:
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    assert town.now(run).phase is RunPhase.FULL
    town.call_off(run)
    assert town.now(run).phase is RunPhase.CANCELLED


hours = st.integers(-30, 30)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    state=st.sampled_from([RunState.PUBLISHED, RunState.CANCELLED]),
    published=st.none() | hours,
    opens=hours,
    closes=hours,
    starts=hours,
    lasts=st.integers(1, 30),
    capacity=st.integers(1, 2),
    taken=st.integers(0, 1),
    waiting=st.integers(0, 1),
)
def test_the_phase_shown_and_the_phase_filtered_by_agree(
    town: Town,
    state: RunState,
    published: int | None,
    opens: int,
    closes: int,
    starts: int,
    lasts: int,
    capacity: int,
    taken: int,
    waiting: int,
) -> None:
    """``CourseRun.phase`` and ``is_in_phase`` say the same of any run at any time: exactly one phase holds."""
    now = town_clock.now()
    with transaction() as session:
        run = session.scalars(select(CourseRun).limit(1)).first()
        if run is None:
            plan = a_plan(session, town.wutong)
            run = plan_run(session, a_course(session, town.wutong), plan)
        run.state, run.cancelled_at = state, now if state is RunState.CANCELLED else None
        run.published_at = None if published is None else now + timedelta(hours=published)
        run.opens_at, run.closes_at = now + timedelta(hours=opens), now + timedelta(hours=closes)
        run.starts_at = now + timedelta(hours=starts)
        run.ends_at = run.starts_at + timedelta(hours=lasts)
        run.capacity, run.seats_taken, run.waiting = capacity, taken, waiting
        session.flush()
        holds = [
            phase
            for phase in RunPhase
            if session.scalars(select(CourseRun.id).where(CourseRun.is_in_phase(phase, now))).all()
        ]
        assert holds == [run.phase]


# --- lists --------------------------------------------------------------------------------------------------------


def titles(town: Town, wanted: RunFilter, *, most: int = 50) -> list[str]:
    """The titles of the published runs somebody looks for."""
    with reading() as session:
        return [run.course.title for run in published_runs(session, wanted, after=None, most=most)]


def test_lists_show_what_is_asked_for(town: Town, clock: town_clock.StoppedClock) -> None:
    later = FIRST_EVENING + timedelta(days=1)
    town.a_run(title="摄影", evenings=2)
    town.a_run(title="二胡", category="音乐", starts_at=later)
    town.a_run(title="太极", community=town.wangjiang, category="健身", starts_at=later)
    town.a_run(title="草稿", published=False)
    full = town.a_run(title="满了", capacity=1, starts_at=later)
    town.resident.tap(full)
    with reading() as session:
        wutong, east, district = (
            session.get_one(Region, place.id) for place in (town.wutong, town.east_street, town.district)
        )
    assert titles(town, RunFilter()) == ["摄影", "二胡", "太极", "满了"]
    assert titles(town, RunFilter(region=wutong)) == ["摄影", "二胡", "满了"]
    assert titles(town, RunFilter(region=east)) == ["摄影", "二胡", "满了"]
    assert titles(town, RunFilter(region=district, category="健身")) == ["太极"]
    assert titles(town, RunFilter(day=date(2026, 12, 10))) == ["摄影"]
    assert titles(town, RunFilter(day=date(2026, 12, 9))) == []
    assert titles(town, RunFilter(phase=RunPhase.FULL)) == ["满了"]
    assert titles(town, RunFilter(phase=RunPhase.ENROLLING, category="音乐")) == ["二胡"]


def test_a_day_is_a_day_of_the_town(town: Town) -> None:
    """E14: a class at 00:10 is on the new day, though UTC has the old one."""
    town.a_run(title="跨年", starts_at=datetime(2027, 1, 1, 0, 10, tzinfo=town_clock.TOWN_ZONE))
    assert titles(town, RunFilter(day=date(2027, 1, 1))) == ["跨年"]
    assert titles(town, RunFilter(day=date(2026, 12, 31))) == []


def test_pages_follow_each_other_without_gap_or_repeat(town: Town) -> None:
    """Runs that start at the same moment are told apart by their id."""
    made = [town.a_run(starts_at=FIRST_EVENING + timedelta(days=n // 3)).id for n in range(8)]
    seen: list[int] = []
    after: tuple[datetime, int] | None = None
    with reading() as session:
        while page := published_runs(session, RunFilter(), after=after, most=3):
            seen += [run.id for run in page]
            after = (page[-1].starts_at, page[-1].id)
    assert seen == made


def queries(statements: list[str], look: Callable[[], object]) -> int:
    """How many statements a look takes."""
    del statements[:]
    look()
    return len(statements)


def test_lists_cost_the_same_for_1_row_and_for_50(town: Town, statements: list[str]) -> None:
    resident = town.resident

    def look_at_runs() -> None:
        with reading() as session:
            for run in published_runs(session, RunFilter(), after=None, most=50):
                assert all((run.course.title, run.region.name, run.sessions[0].venue.site.name))

    def look_at_mine() -> None:
        with reading() as session:
            mine = registrations_of(session, [resident.resident_id], run_key=None, before_id=None, most=50)
            for row in mine:
                assert all((row.run.course.title, row.resident.name, row.run.sessions[0].venue.site.name))

    resident.tap(town.a_run())
    for_one = queries(statements, look_at_runs), queries(statements, look_at_mine)
    for _ in range(49):
        resident.tap(town.a_run())
    assert (queries(statements, look_at_runs), queries(statements, look_at_mine)) == for_one


def test_ones_own_registrations_come_newest_first_cancelled_too(town: Town) -> None:
    runs = [town.a_run() for _ in range(3)]
    for run in runs:
        town.resident.tap(run)
    town.resident.give_up(runs[1])
    town.neighbour.tap(runs[0])
    mine = [town.resident.resident_id]
    with reading() as session:
        first = registrations_of(session, mine, run_key=None, before_id=None, most=2)
        rest = registrations_of(session, mine, run_key=None, before_id=first[-1].id, most=2)
        of_one = registrations_of(session, mine, run_key=runs[1].key, before_id=None, most=9)
        nobodys = registrations_of(session, [], run_key=None, before_id=None, most=9)
    assert [row.run_id for row in (*first, *rest)] == [run.id for run in reversed(runs)]
    assert [row.state.value for row in of_one] == ["cancelled"]
    assert nobodys == []


def test_staff_see_a_draft_of_their_own_places_only(town: Town) -> None:
    run = town.a_run(published=False)
    with reading() as session:
        east, wangjiang = (session.get_one(Region, p.id) for p in (town.east_street, town.wangjiang))
        assert run_for_staff(session, run.key, within=[east]).id == run.id
        for within in ([wangjiang], []):
            with pytest.raises(NotFound):
                run_for_staff(session, run.key, within=within)
        with pytest.raises(NotFound):
            run_for_staff(session, "nothing", within=[east])


def test_the_roster_is_in_the_order_of_decision(town: Town) -> None:
    run = town.a_run(capacity=2)
    for person in (town.resident, town.neighbour, town.outsider, town.guardian):
        person.tap(run)
    town.neighbour.give_up(run)
    with reading() as session:
        first = roster_of(session, run, after_id=None, most=2)
        rest = roster_of(session, run, after_id=first[-1].id, most=9)
        names = [row.resident.name for row in (*first, *rest)]
    assert names == ["陈静", "赵敏", "李强"]
    assert all(isinstance(row, Registration) for row in rest)
