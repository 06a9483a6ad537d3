"""From a clerk's draft to what everybody sees, and at last into the archive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import (
    CourseRun,
    RunFilter,
    RunPhase,
    RunState,
    archive_finished,
    must_be_publisher,
    next_publishing_hour,
    publish,
    published_run,
    published_runs,
    runs_for_staff,
    send_back,
    submit,
    unpublish,
)
from models.errors import Forbidden, NotFound, Refusal
from models.journal import JournalEntry
from models.policies import set_policy
from models.regions import Region
from tests.people import FIRST_EVENING, OPENS_AT, Town

NOON = OPENS_AT + timedelta(hours=2)


def do(run: CourseRun, deed: Callable[[Session, CourseRun], object]) -> None:
    """One deed on a run, in a transaction of its own."""
    with transaction() as session:
        deed(session, session.get_one(CourseRun, run.id))


def refused(run: CourseRun, deed: Callable[[Session, CourseRun], object]) -> str:
    with pytest.raises(Refusal) as refusal:
        do(run, deed)
    return refusal.value.code


def listed(run: CourseRun) -> bool:
    with reading() as session:
        return run.key in {one.key for one in published_runs(session, RunFilter(), after=None, most=50)}


def test_a_scheduled_run_appears_by_the_clock_alone(town: Town, clock: StoppedClock) -> None:
    run, hour = town.a_run(published=False), NOON + timedelta(hours=21)
    do(run, lambda session, it: publish(session, it, at=hour))
    assert (town.now(run).phase, listed(run)) == (RunPhase.SCHEDULED, False)
    with pytest.raises(NotFound):
        town.resident.tap(run)
    with reading() as session, pytest.raises(NotFound):
        published_run(session, run.key)
    clock.move_to(hour)
    assert (town.now(run).phase, listed(run)) == (RunPhase.ENROLLING, True)
    assert town.resident.tap(run).run_key == run.key


def test_the_moment_may_change_until_it_has_come(town: Town, clock: StoppedClock) -> None:
    run = town.a_run(published=False)
    do(run, lambda session, it: publish(session, it, at=NOON + timedelta(days=2)))
    do(run, lambda session, it: publish(session, it, at=NOON + timedelta(days=1)))
    assert town.now(run).published_at == NOON + timedelta(days=1)
    clock.move_to(NOON + timedelta(days=1))
    do(run, lambda session, it: publish(session, it, at=NOON + timedelta(days=3)))
    assert town.now(run).published_at == NOON + timedelta(days=1), "everybody has seen it"


def test_a_moment_in_the_past_is_now(town: Town) -> None:
    run = town.a_run(published=False)
    do(run, lambda session, it: publish(session, it, at=NOON - timedelta(days=1)))
    assert town.now(run).published_at == NOON


def test_nobody_publishes_after_the_first_class(town: Town) -> None:
    run = town.a_run(published=False)
    assert refused(run, lambda session, it: publish(session, it, at=FIRST_EVENING)) == "published_too_late"


def test_a_draft_is_handed_in_and_sent_back_with_the_reason(town: Town) -> None:
    run = town.a_run(published=False)
    assert refused(run, lambda s, r: send_back(s, r, because="名额太少")) == "run_not_in_review"
    do(run, submit)
    do(run, submit)
    assert (town.now(run).state, listed(run)) == (RunState.IN_REVIEW, False)
    do(run, lambda s, r: send_back(s, r, because="名额太少"))
    assert (town.now(run).state, town.now(run).sent_back_because) == (RunState.DRAFT, "名额太少")
    do(run, submit)
    assert town.now(run).sent_back_because == ""
    do(run, publish)
    assert refused(run, submit) == "run_not_draft"


def test_what_waits_for_review_cannot_be_tapped(town: Town) -> None:
    run = town.a_run(published=False)
    do(run, submit)
    with pytest.raises(NotFound):
        town.resident.tap(run)


def test_where_courses_are_reviewed_a_clerk_does_not_publish(town: Town) -> None:
    run = town.a_run(published=False)
    do(run, lambda s, r: must_be_publisher(s, town.clerk.member(s), r))
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "courses_reviewed", "1")
    with pytest.raises(Forbidden) as refusal:
        do(run, lambda s, r: must_be_publisher(s, town.clerk.member(s), r))
    assert refusal.value.code == "review_needed"
    do(run, lambda s, r: must_be_publisher(s, town.admin.member(s), r))


def test_a_run_is_taken_down_as_long_as_nobody_has_a_place(town: Town) -> None:
    run = town.a_run()
    town.resident.tap(run)
    assert refused(run, unpublish) == "run_has_learners"
    town.resident.give_up(run)
    do(run, unpublish)
    do(run, unpublish)
    assert (town.now(run).state, listed(run)) == (RunState.DRAFT, False)


def test_what_was_cancelled_is_not_taken_down(town: Town) -> None:
    run = town.a_run()
    town.call_off(run)
    assert refused(run, unpublish) == "run_not_published"
    assert refused(run, publish) == "run_cancelled"


@pytest.mark.parametrize(
    ("now", "hour"),
    [
        ("2026-11-20T08:59+08:00", "2026-11-20T09:00+08:00"),
        ("2026-11-20T09:00+08:00", "2026-11-21T09:00+08:00"),
        ("2026-12-31T20:00+08:00", "2027-01-01T09:00+08:00"),
    ],
)
def test_the_community_publishes_at_its_hour(town: Town, clock: StoppedClock, now: str, hour: str) -> None:
    clock.move_to(datetime.fromisoformat(now))
    with reading() as session:
        assert next_publishing_hour(session, town.wutong) == datetime.fromisoformat(hour)


def test_what_was_over_a_month_ago_is_archived_and_leaves_the_lists(town: Town, clock: StoppedClock) -> None:
    over, called_off, new = (
        town.a_run(),
        town.a_run(),
        town.a_run(starts_at=FIRST_EVENING + timedelta(days=60)),
    )
    town.resident.tap(over)
    with transaction() as session:
        row = session.get_one(CourseRun, called_off.id)
        row.state, row.cancelled_at = RunState.CANCELLED, NOON
    clock.move_to(FIRST_EVENING + timedelta(days=31))
    with transaction() as session:
        assert archive_finished(session, most=1) == 1
    with transaction() as session:
        assert archive_finished(session, most=10) == 1
        assert archive_finished(session, most=10) == 0
    assert [town.now(run).state for run in (over, called_off, new)] == [
        RunState.ARCHIVED,
        RunState.ARCHIVED,
        RunState.PUBLISHED,
    ]
    assert [town.now(run).phase for run in (over, called_off)] == [RunPhase.FINISHED, RunPhase.CANCELLED]
    assert [listed(run) for run in (over, called_off, new)] == [False, False, True]
    with reading() as session:
        entries = session.scalars(select(JournalEntry).where(JournalEntry.act == "course_run.archived")).all()
        assert {entry.subject_id for entry in entries} == {over.id, called_off.id}
        assert published_run(session, over.key).key == over.key, "who has its address still finds it"
        archived = runs_for_staff(session, within=[town.wutong], state=RunState.ARCHIVED, after=None, most=9)
        assert {run.key for run in archived} == {over.key, called_off.key}


def test_staff_walk_their_runs_to_the_end_also_those_that_start_at_one_moment(town: Town) -> None:
    there = [town.a_run(published=False) for _ in range(3)]
    seen: list[str] = []
    after = None
    with reading() as session:
        for _ in range(4):
            for run in runs_for_staff(session, within=[town.wutong], state=None, after=after, most=1):
                seen.append(run.key)
                after = (run.starts_at, run.id)
    assert seen == [run.key for run in there]


def test_staff_see_drafts_of_their_own_places_only(town: Town) -> None:
    mine, theirs = town.a_run(published=False), town.a_run(published=False, community=town.wangjiang)
    with reading() as session:
        assert [
            r.key for r in runs_for_staff(session, within=[town.wutong], state=None, after=None, most=9)
        ] == [mine.key]
        assert {
            r.key for r in runs_for_staff(session, within=[town.district], state=None, after=None, most=9)
        } == {
            mine.key,
            theirs.key,
        }
        assert runs_for_staff(session, within=[], state=None, after=None, most=9) == []
