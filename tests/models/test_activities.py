"""Activities (活动): whoever goes to one reads of an activity in every message, never of a class."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from miniprogram_api.sms import SMS_TEMPLATES
from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import (
    Admission,
    Audience,
    By,
    CourseKind,
    CourseRun,
    CourseSession,
    Promotion,
    Seating,
    cancel_run,
    merge_run,
    move_session,
    open_course,
)
from models.courses.attendance import (
    AbsenceAppeal,
    AttendanceState,
    Mark,
    Recorder,
    appeal,
    decide_appeal,
    mark_sheet,
    sign_out,
)
from models.follows import follow_course
from models.ladder import ShortMessage
from models.notices import About, Notice, NoticeKind, ShortMessageName
from models.notices.catalogue import MOMENTS
from models.regions import Region
from server.jobs import SCHEDULE
from tests.people import FIRST_EVENING, Town, raise_capacity

OF_A_CLASS = re.compile("[课班]")
TITLE = "重阳登高"
BY = By("下雨")
AN_HOUR = timedelta(hours=1)
Story = Callable[[Town, StoppedClock], None]
# what is told of runs, but never of one that is held once
NEVER = {NoticeKind.CLASS_CALLED_OFF}


def an_activity(town: Town, **how: Any) -> CourseRun:
    """One more day of the same activity."""
    with transaction() as session:
        place = session.get_one(Region, town.wutong.id)
        open_course(session, place, title=TITLE, category="节日", kind=CourseKind.ACTIVITY)
    return town.a_run(title=TITLE, category="节日", **how)


def work(clock: StoppedClock, moment: datetime) -> None:
    """Everything of the schedule that is owed by then."""
    clock.move_to(moment)
    for job in SCHEDULE:
        if job.name not in {"deliver_notices", "pass_on_notices", "send_short_messages"}:
            job.run(moment)


def do(run: CourseRun, deed: Callable[..., object], **how: Any) -> None:
    with transaction() as session:
        deed(session, session.get_one(CourseRun, run.id), **how)


def it_fills_empties_moves_and_is_off(town: Town, clock: StoppedClock) -> None:
    run = an_activity(town, capacity=1)
    town.resident.tap(run)
    town.neighbour.tap(run)
    town.resident.give_up(run)
    town.helper.tap(run, for_whom=town.elder)
    with transaction() as session:
        meeting = session.get_one(CourseRun, run.id).sessions[0]
        later = meeting.starts_at + AN_HOUR
        move_session(session, meeting, starts_at=later, ends_at=later + AN_HOUR, venue=meeting.venue, by=BY)
    work(clock, FIRST_EVENING - timedelta(hours=23))
    work(clock, FIRST_EVENING)
    do(run, cancel_run, by=BY)


def its_seats_are_offered(town: Town, clock: StoppedClock) -> None:
    run = an_activity(town, capacity=1, seating=Seating(promotion=Promotion.OFFER))
    town.resident.tap(run)
    town.neighbour.tap(run)
    town.resident.give_up(run)
    (ends_at,) = [each.offer_expires_at for each in town.registrations(run) if each.offer_expires_at]
    work(clock, ends_at - AN_HOUR)


def its_seats_are_drawn(town: Town, clock: StoppedClock) -> None:
    at = town_clock.now() + AN_HOUR
    run = an_activity(town, capacity=1, seating=Seating(admission=Admission.DRAW, draws_at=at))
    for person in (town.resident, town.neighbour, town.helper):
        person.tap(run)
    work(clock, at)


def nobody_looked_at_who_applied(town: Town, clock: StoppedClock) -> None:
    run = an_activity(town, seating=Seating(admission=Admission.REVIEW))
    town.resident.tap(run)
    work(clock, run.starts_at)


def somebody_does_not_come(town: Town, clock: StoppedClock) -> None:
    run = an_activity(town)
    for person in (town.resident, town.neighbour):
        person.tap(run)
    clock.move_to(run.ends_at)
    states = [AttendanceState.PRESENT, AttendanceState.ABSENT]
    lines = [Mark(each.key, state) for each, state in zip(town.registrations(run), states, strict=True)]
    with transaction() as session:
        meeting = session.get_one(CourseSession, run.sessions[0].id)
        mark_sheet(session, meeting, lines, may_correct=False, by=Recorder())
    work(clock, run.ends_at + AN_HOUR)
    with transaction() as session:
        meeting = session.get_one(CourseSession, run.sessions[0].id)
        appeal(session, meeting, town.neighbour.resident(session), "那天孩子发烧", by=Recorder())
    with transaction() as session:
        made = session.scalars(select(AbsenceAppeal)).one()
        decide_appeal(session, made, grant=False, answer="请下次提前请假", by=Recorder())


def a_child_is_fetched(town: Town, clock: StoppedClock) -> None:
    run = an_activity(town, audience=Audience.CHILD)
    town.guardian.tap(run, for_whom=town.child)
    clock.move_to(run.starts_at)
    (line,) = town.registrations(run)
    with transaction() as session:
        meeting = session.get_one(CourseSession, run.sessions[0].id)
        here = [Mark(line.key, AttendanceState.PRESENT)]
        mark_sheet(session, meeting, here, may_correct=False, by=Recorder())
        sign_out(session, meeting, line.key, town.guardian.key, by=Recorder())


def too_few_come_to_one_of_two(town: Town, clock: StoppedClock) -> None:
    few, into = an_activity(town), an_activity(town, capacity=1)
    town.resident.tap(into)
    for person in (town.neighbour, town.helper):
        person.tap(few)
    with transaction() as session:
        raise_capacity(session, into, 2)
        session.get_one(CourseRun, into.id).waitlist_limit = 5
    with transaction() as session:
        runs = [session.get_one(CourseRun, run.id) for run in (few, into)]
        merge_run(session, *runs, by=BY)


def somebody_follows_it(town: Town, clock: StoppedClock) -> None:
    run = an_activity(town, opens_at=town_clock.now() + timedelta(days=2))
    with transaction() as session:
        course = session.get_one(CourseRun, run.id).course
        follow_course(session, town.resident.account(session), course)
    work(clock, town_clock.now() + timedelta(days=1))
    work(clock, run.opens_at - AN_HOUR / 2)


HEARD: Mapping[Story, set[NoticeKind]] = {
    it_fills_empties_moves_and_is_off: {
        *(NoticeKind.REGISTRATION_CONFIRMED, NoticeKind.REGISTRATION_PROMOTED, NoticeKind.ACTED_FOR_YOU),
        *(NoticeKind.CLASS_TOMORROW, NoticeKind.CLASS_SOON, NoticeKind.CLASS_MOVED, NoticeKind.RUN_CANCELLED),
    },
    its_seats_are_offered: {NoticeKind.SEAT_OFFERED, NoticeKind.OFFER_ENDING},
    its_seats_are_drawn: {NoticeKind.SELECTED, NoticeKind.NOT_SELECTED},
    nobody_looked_at_who_applied: {NoticeKind.NOT_SELECTED},
    somebody_does_not_come: {NoticeKind.ABSENCE_NOTED, NoticeKind.APPEAL_DECIDED},
    a_child_is_fetched: {NoticeKind.CHILD_FETCHED},
    too_few_come_to_one_of_two: {NoticeKind.RUN_MERGED},
    somebody_follows_it: {NoticeKind.NEW_CLASSES, NoticeKind.OPENING_SOON},
}


@pytest.mark.parametrize("story", HEARD, ids=lambda story: story.__name__)
def test_whoever_goes_to_an_activity_never_reads_of_a_class(
    town: Town, clock: StoppedClock, story: Story
) -> None:
    story(town, clock)
    with reading() as session:
        told = [*session.scalars(select(Notice)), *session.scalars(select(ShortMessage))]
        assert HEARD[story] <= {news.kind for news in told}
        for news in told:
            said = (news.title, news.body, *news.keyword_values().values(), *news.slot_values().values())
            assert not [each for each in said if OF_A_CLASS.search(each)], news.kind


def test_every_message_about_a_run_is_told_of_an_activity_here() -> None:
    of_runs = {
        kind
        for kind, moment in MOMENTS.items()
        if moment.about in {About.REGISTRATION, About.ATTENDANCE, About.NEW_CLASS}
    }
    untold = of_runs - NEVER - set().union(*HEARD.values())
    assert not untold, f"let a story of this file tell these of an activity: {untold}"


@pytest.mark.parametrize("name", ShortMessageName)
def test_a_short_message_suits_a_class_and_an_activity(name: ShortMessageName) -> None:
    assert not OF_A_CLASS.search(SMS_TEMPLATES[name].text)
