"""Staff put two classes together while people tap on both: everybody has one place, in the class that is held."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from flask import Flask

from models.base import transaction
from models.courses import By, CourseRun, RunState, Standing, merge_run
from models.errors import Refusal
from tests.people import FIRST_EVENING, Town
from tests.races.rush import must_be_whole, rush

WHY = By("人数不够")
NEXT_WEEK = FIRST_EVENING + timedelta(weeks=1)


def merge(run: CourseRun, into: CourseRun) -> int:
    with transaction() as session:
        return merge_run(
            session, session.get_one(CourseRun, run.id), session.get_one(CourseRun, into.id), by=WHY
        )


def live(town: Town, run: CourseRun) -> list[int]:
    return [each.resident_id for each in town.registrations(run) if each.state.value != "cancelled"]


def test_whoever_tapped_before_comes_along_and_whoever_comes_later_is_told_it_is_off(
    big_town: Town, app: Flask
) -> None:
    run = big_town.a_run(title="摄影", capacity=5, waitlist_limit=None)
    into = big_town.a_run(title="摄影", capacity=8, waitlist_limit=None, starts_at=NEXT_WEEK)
    here, there = list(big_town.crowd[:12]), list(big_town.crowd[12:20])
    deeds: list[Callable[[], object]] = [partial(person.tap, run) for person in here]
    deeds += [partial(person.tap, into) for person in there]
    deeds.insert(10, partial(merge, run, into))
    answers = rush(app, deeds)
    taps = [*answers[:10], *answers[11:]]
    got = [
        person.resident_id
        for person, answer in zip([*here, *there], taps, strict=True)
        if isinstance(answer, Standing)
    ]
    assert {answer.code for answer in taps if isinstance(answer, Refusal)} <= {"run_cancelled"}
    assert live(big_town, run) == []
    assert sorted(live(big_town, into)) == sorted(got)
    assert big_town.now(run).state is RunState.CANCELLED
    must_be_whole(run)
    must_be_whole(into)


def test_two_clerks_who_merge_two_classes_into_each_other_do_not_lose_both(
    big_town: Town, app: Flask
) -> None:
    for round_ in range(3):
        one = big_town.a_run(title="摄影", waitlist_limit=None)
        other = big_town.a_run(title="摄影", waitlist_limit=None, starts_at=NEXT_WEEK)
        big_town.crowd[2 * round_].tap(one)
        big_town.crowd[2 * round_ + 1].tap(other)
        deeds: list[Callable[[], object]] = [partial(merge, one, other), partial(merge, other, one)]
        answers = rush(app, deeds)
        assert sorted(isinstance(answer, Refusal) for answer in answers) == [False, True]
        left = other if answers[0] == 1 else one
        assert big_town.now(left).state is RunState.PUBLISHED
        assert len(live(big_town, left)) == 2
        with transaction() as session:  # make room for the next round
            session.get_one(CourseRun, left.id).state = RunState.ARCHIVED
