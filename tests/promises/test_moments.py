"""Every moment of the catalogue, played through: the town's own schedule, some days of its clock, and what lay on whose phone when.

Each kind of notice has a deed that raises it, done as the product does it; nothing is owed by hand. The schedule alone does the rest:
a job that stands on no schedule, a kind without a witness or a template nobody asks for, and the story differs from the one told here.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from types import ModuleType
from typing import NamedTuple, get_type_hints

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

import server.jobs
from models import clock as town_clock
from models.accounts import Account
from models.base import reading, transaction
from models.calendars import DayKind, set_day
from models.clock import StoppedClock
from models.consents import Consent
from models.content_checks import (
    RESIDENT_NAME,
    CheckState,
    Decision,
    Finding,
    HeldBecause,
    Subject,
    checks_within,
    decide,
    hold_text,
)
from models.courses import (
    Admission,
    Audience,
    By,
    Course,
    CourseRun,
    CourseSession,
    Draw,
    Promotion,
    Seating,
    cancel_run,
    cancel_session,
    in_order_of_lots,
    merge_run,
    move_session,
)
from models.courses.attendance import (
    AbsenceAppeal,
    AttendanceState,
    Mark,
    Recorder,
    appeal,
    decide_appeal,
    lift_pause,
    mark_sheet,
    sign_out,
)
from models.courses.pauses import Pause
from models.follows import follow_course
from models.grants import Answer, record_answers
from models.notices import Delivery, Notice, NoticeKind, TemplateName
from models.policies import set_policy
from models.regions import Region
from server.jobs import SCHEDULE, Job
from tests.people import Town, a_bond
from tests.phones import TEMPLATES, Door
from tests.sandbox import SEND

STEP = timedelta(minutes=30)
QUICK = timedelta(minutes=1)  # jobs that run as often find whatever the others left within a step
LUCKY_FOR_THE_FIRST = next(seed for seed in "abcdef" if in_order_of_lots(seed, [1, 2]) == [1, 2])
ALLOWED = 12  # messages of each template everybody allows: more than the story has


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026 on the town's wall; the 20th is a Friday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=town_clock.TOWN_ZONE)


BEGINS, ENDS = at(20, 12), at(24, 0)


class Heard(NamedTuple):
    """One message on one phone."""

    when: datetime
    who: str
    kind: NoticeKind


@dataclass
class Week:
    """The town in these days, its worker, and everybody's phone."""

    door: Door
    town: Town
    clock: StoppedClock
    offered: CourseRun = field(init=False)
    last_run: dict[str, datetime] = field(default_factory=dict)
    afternoon: CourseRun = field(init=False)
    afternoon_of_children: CourseRun = field(init=False)

    @cached_property
    def run(self) -> CourseRun:
        """A class with one seat on Monday evening."""
        return self.town.a_run(capacity=1, starts_at=at(23, 18, 50))

    @cached_property
    def singing(self) -> CourseRun:
        """A class of three evenings in the week after, in which the outsider has a seat."""
        run = self.town.a_run(evenings=3, starts_at=at(26, 19))
        self.town.outsider.tap(run)
        return run

    @cached_property
    def sparse(self) -> CourseRun:
        """A class in the week after that few people want."""
        return self.town.a_run(title="剪纸", starts_at=at(29, 19))

    @cached_property
    def openids(self) -> Mapping[str, str]:
        """Everybody with a phone, by the part they play."""
        with reading() as session:
            openids = dict(session.execute(select(Account.id, Account.openid)).all())
        parts = {name: getattr(who, "account_id", None) for name, who in vars(self.town).items()}
        return {name: openids[account_id] for name, account_id in parts.items() if account_id is not None}

    def everybody_allows_everything(self) -> None:
        accepted: dict[str, Answer] = dict.fromkeys(TemplateName, Answer.ACCEPT)
        for openid in self.openids.values():
            for _ in range(ALLOWED):
                with transaction() as session:
                    account = session.scalars(select(Account).where(Account.openid == openid)).one()
                    record_answers(session, account, accepted)
                self.door.sandbox.accept(openid, *TEMPLATES.values())

    def pass_until(self, moment: datetime) -> None:
        """Let time pass, the worker working through its schedule at every step."""
        while town_clock.now() < moment:
            self.clock.move_to(min(town_clock.now() + STEP, moment))
            self.work()

    def work(self) -> None:
        """Everything that is due now; what runs every few seconds does so until it finds nothing more."""
        now = town_clock.now()
        quick = [job for job in SCHEDULE if job.every <= QUICK]
        slow = [job for job in SCHEDULE if job not in quick and self.is_due(job, now)]
        self.last_run |= {job.name: now for job in slow}
        while sum([job.run(now) for job in [*slow, *quick]]):
            slow = []

    def is_due(self, job: Job, now: datetime) -> bool:
        return job.name not in self.last_run or now - self.last_run[job.name] >= job.every

    def heard(self) -> list[Heard]:
        """What lies on the phones; each message is some notice's, in its template, with its page and of its moment."""
        with reading() as session:
            sent = session.execute(
                select(Notice, Account.openid)
                .join(Account, Account.id == Notice.account_id)
                .where(Notice.delivery == Delivery.SENT)
            ).all()
        kinds = {
            (openid, TEMPLATES[notice.moment.template], notice.page, notice.settled_at): notice.kind
            for notice, openid in sent
        }
        return sorted(
            Heard(letter.sent_at, who, kinds[openid, letter.template_id, letter.page, letter.sent_at])
            for who, openid in self.openids.items()
            for letter in self.door.sandbox.account.phones[openid].messages
        )


@dataclass(frozen=True)
class Deed:
    """Something that happens in the town, and who hears what of it when."""

    when: datetime
    do: Callable[[Week], object]
    heard: Sequence[Heard]


# --- what happens -------------------------------------------------------------------------------------------------


def a_seat_is_taken_and_somebody_waits_for_it(week: Week) -> None:
    week.town.resident.tap(week.run)
    week.town.neighbour.tap(week.run)


def wechat_hangs_up_on_a_message(week: Week) -> None:
    week.door.sandbox.fault(SEND, http_status=502, times=1)
    week.town.guardian.tap(week.town.a_run())


def the_seat_is_given_up_at_night(week: Week) -> None:
    week.town.resident.give_up(week.run)


def the_privacy_policy_is_a_new_one_for_somebody(week: Week) -> None:
    with transaction() as session:
        session.execute(
            update(Consent).where(Consent.account_id == week.town.helper.account_id).values(version="2025-01")
        )


def somebody_registers_a_grown_up_neighbour(week: Week) -> None:
    with transaction() as session:
        a_bond(session, week.town.guardian, week.town.outsider)
    week.town.guardian.tap(week.town.a_run(), for_whom=week.town.outsider)


def the_class_moves_to_another_evening(week: Week) -> None:
    decide_on(
        week,
        lambda session, run, by: move_session(
            session,
            run.sessions[0],
            starts_at=at(25, 19),
            ends_at=at(25, 20),
            venue=run.sessions[0].venue,
            by=by,
        ),
    )


def one_evening_is_called_off(week: Week) -> None:
    decide_on(week, lambda session, run, by: cancel_session(session, run.sessions[1], by=by))


def the_whole_class_is_called_off(week: Week) -> None:
    decide_on(week, lambda session, run, by: cancel_run(session, run, by=by))


def decide_on(week: Week, decision: Callable[[Session, CourseRun, By], int]) -> None:
    """Staff decide about the singers' class, in which the outsider has a seat."""
    singing = week.singing
    with transaction() as session:
        decision(session, session.get_one(CourseRun, singing.id), By("老师出差"))


def somebody_takes_a_seat_in_a_class_with_few(week: Week) -> None:
    week.town.guardian.tap(week.sparse)


def its_people_move_to_another_run_of_the_course(week: Week) -> None:
    into = week.town.a_run(title="剪纸", starts_at=at(30, 19))
    with transaction() as session:
        merge_run(
            session,
            session.get_one(CourseRun, week.sparse.id),
            session.get_one(CourseRun, into.id),
            by=By("人数不够"),
        )


def somebody_follows_a_course_that_opens_tomorrow(week: Week) -> None:
    run = week.town.a_run(opens_at=at(23, 10))
    with transaction() as session:
        follow_course(session, week.town.outsider.account(session), session.get_one(Course, run.course_id))


def a_name_waits_for_somebody_to_look(week: Week) -> None:
    whose = week.town.resident
    subject = Subject(
        field=RESIDENT_NAME,
        key=whose.key,
        account_id=whose.account_id or 0,
        resident_id=whose.resident_id,
    )
    with transaction() as session:
        doubt = Finding(label=10001, trace_id="t-doubt")
        hold_text(session, subject, "加我微信", doubt, HeldBecause.DOUBTFUL)


def a_clerk_will_not_have_it(week: Week) -> None:
    with transaction() as session:
        waiting = CheckState.WAITING
        (check,) = checks_within(session, [week.town.wutong], state=waiting, after_id=None, most=10)
        clerk = week.town.clerk.member(session)
        decide(session, check, Decision.REJECT, by=clerk, reason="请填写称呼")


def a_class_this_afternoon(week: Week) -> None:
    week.afternoon = week.town.a_run(starts_at=at(21, 14))
    week.town.guardian.tap(week.afternoon)


def nobody_saw_the_guardian_there(week: Week) -> None:
    """Where one absence is one too many."""
    (line,) = week.town.registrations(week.afternoon)
    with transaction() as session:
        set_policy(session, session.get_one(Region, week.town.wutong.id), "absences_to_pause", "1")
        meeting = session.get_one(CourseSession, week.afternoon.sessions[0].id)
        mark_sheet(
            session, meeting, [Mark(line.key, AttendanceState.ABSENT)], may_correct=False, by=Recorder()
        )


def an_appeal_does_not_convince(week: Week) -> None:
    guardian, clerk = week.town.guardian, week.town.clerk
    with transaction() as session:
        meeting = session.get_one(CourseSession, week.afternoon.sessions[0].id)
        by = Recorder(guardian.account_id, "resident")
        appeal(session, meeting, guardian.resident(session), "我忘了", by=by)
    with transaction() as session:
        found = session.scalars(select(AbsenceAppeal)).one()
        by = Recorder(clerk.account_id, clerk.identity)
        decide_appeal(session, found, grant=False, answer="请下次提前请假", by=by)


def there_was_a_good_reason(week: Week) -> None:
    with transaction() as session:
        pause = session.scalars(select(Pause)).one()
        clerk = week.town.clerk
        lift_pause(
            session, pause, because="情况属实", by_account_id=clerk.account_id, identity=clerk.identity
        )


def a_class_for_children(week: Week) -> None:
    week.afternoon_of_children = week.town.a_run(starts_at=at(22, 15), audience=Audience.CHILD)
    week.town.guardian.tap(week.afternoon_of_children, for_whom=week.town.child)


def the_child_goes_home(week: Week) -> None:
    (line,) = week.town.registrations(week.afternoon_of_children)
    with transaction() as session:
        meeting = session.get_one(CourseSession, week.afternoon_of_children.sessions[0].id)
        mark_sheet(
            session, meeting, [Mark(line.key, AttendanceState.PRESENT)], may_correct=False, by=Recorder()
        )
        sign_out(session, meeting, line.key, week.town.guardian.key, by=Recorder())


def somebody_waits_for_an_offer(week: Week) -> None:
    week.offered = week.town.a_run(
        capacity=1, starts_at=at(29, 9), seating=Seating(promotion=Promotion.OFFER)
    )
    for person in (week.town.guardian, week.town.helper):
        person.tap(week.offered)


def its_seat_is_given_up(week: Week) -> None:
    week.town.guardian.give_up(week.offered)


def two_want_a_seat_by_lot(week: Week) -> None:
    lots = week.town.a_run(
        capacity=1,
        starts_at=at(28, 9),
        seating=Seating(admission=Admission.DRAW, draws_at=at(22, 11)),
    )
    with transaction() as session:
        session.execute(update(Draw).where(Draw.run_id == lots.id).values(seed=LUCKY_FOR_THE_FIRST))
    for person in (week.town.resident, week.town.outsider):
        person.tap(lots)


STORY: Sequence[Deed] = (
    Deed(
        at(20, 13),
        somebody_waits_for_an_offer,
        [Heard(at(20, 13), "guardian", NoticeKind.REGISTRATION_CONFIRMED)],
    ),
    Deed(
        at(21, 11),
        its_seat_is_given_up,
        [
            Heard(at(21, 11), "helper", NoticeKind.SEAT_OFFERED),
            Heard(
                at(22, 8), "helper", NoticeKind.OFFER_ENDING
            ),  # half of it is over at a quarter past ten at night
        ],
    ),
    Deed(
        at(21, 13),
        two_want_a_seat_by_lot,
        [
            Heard(at(22, 11), "resident", NoticeKind.SELECTED),
            Heard(at(22, 11), "outsider", NoticeKind.NOT_SELECTED),
        ],
    ),
    Deed(
        at(20, 12),
        a_seat_is_taken_and_somebody_waits_for_it,
        [
            Heard(at(20, 12), "resident", NoticeKind.REGISTRATION_CONFIRMED),
            # at nine, and the minute it takes, the neighbourhood hears of what was published since
            *(
                Heard(at(day, 9, 30), who, NoticeKind.NEW_CLASSES)
                for day in (21, 22, 23)
                for who in ("resident", "neighbour", "helper", "guardian")
            ),
        ],
    ),
    Deed(
        at(20, 16),
        wechat_hangs_up_on_a_message,  # nobody knows of it, so staff look: on Friday, on the Saturday that is worked, not on Sunday
        [
            Heard(when, who, NoticeKind.STAFF_DESK)
            for when in (at(20, 17), at(21, 8, 30), at(21, 17))
            for who in ("clerk", "admin")
        ],
    ),
    Deed(
        at(20, 22, 30),
        the_seat_is_given_up_at_night,
        [
            Heard(at(21, 8), "neighbour", NoticeKind.REGISTRATION_PROMOTED),
            Heard(at(22, 18), "neighbour", NoticeKind.CLASS_TOMORROW),
            Heard(at(23, 17), "neighbour", NoticeKind.CLASS_SOON),
        ],
    ),
    Deed(
        at(20, 23),
        the_privacy_policy_is_a_new_one_for_somebody,
        [Heard(at(21, 8), "helper", NoticeKind.POLICY_CHANGED)],
    ),
    Deed(
        at(21, 9, 30),
        a_class_this_afternoon,
        [
            Heard(at(21, 9, 30), "guardian", NoticeKind.REGISTRATION_CONFIRMED),
            Heard(at(21, 12, 30), "guardian", NoticeKind.CLASS_SOON),
        ],
    ),
    Deed(
        at(21, 14, 30),
        nobody_saw_the_guardian_there,  # it ends at half past three
        [
            Heard(at(21, 16, 30), "guardian", NoticeKind.ABSENCE_NOTED),
            Heard(at(21, 16, 30), "guardian", NoticeKind.REGISTERING_PAUSED),
        ],
    ),
    Deed(
        at(22, 11),
        a_class_for_children,
        [
            Heard(at(22, 11), "guardian", NoticeKind.REGISTRATION_CONFIRMED),
            Heard(at(22, 13, 30), "guardian", NoticeKind.CLASS_SOON),
        ],
    ),
    Deed(
        at(22, 16, 30),
        the_child_goes_home,
        [Heard(at(22, 16, 30), "guardian", NoticeKind.CHILD_FETCHED)],
    ),
    Deed(
        at(22, 9),
        an_appeal_does_not_convince,
        [Heard(at(22, 9), "guardian", NoticeKind.APPEAL_DECIDED)],
    ),
    Deed(
        at(22, 10),
        there_was_a_good_reason,
        [Heard(at(22, 10), "guardian", NoticeKind.PAUSE_LIFTED)],
    ),
    Deed(
        at(21, 10),
        somebody_registers_a_grown_up_neighbour,
        [
            Heard(at(21, 10), "guardian", NoticeKind.REGISTRATION_CONFIRMED),
            Heard(at(21, 10), "outsider", NoticeKind.ACTED_FOR_YOU),
        ],
    ),
    Deed(
        at(21, 12, 30),
        the_class_moves_to_another_evening,
        [
            Heard(at(21, 12, 30), "outsider", NoticeKind.REGISTRATION_CONFIRMED),
            Heard(at(21, 12, 30), "outsider", NoticeKind.CLASS_MOVED),
        ],
    ),
    Deed(
        at(21, 22),
        one_evening_is_called_off,  # by night: whoever plans the morning by it must know
        [Heard(at(21, 22), "outsider", NoticeKind.CLASS_CALLED_OFF)],
    ),
    Deed(
        at(23, 14),
        the_whole_class_is_called_off,
        [Heard(at(23, 14), "outsider", NoticeKind.RUN_CANCELLED)],
    ),
    Deed(
        at(22, 14),
        somebody_takes_a_seat_in_a_class_with_few,
        [Heard(at(22, 14), "guardian", NoticeKind.REGISTRATION_CONFIRMED)],
    ),
    Deed(
        at(22, 15),
        its_people_move_to_another_run_of_the_course,
        [Heard(at(22, 15), "guardian", NoticeKind.RUN_MERGED)],
    ),
    Deed(
        at(22, 13),
        somebody_follows_a_course_that_opens_tomorrow,
        [
            Heard(at(23, 9), "outsider", NoticeKind.OPENING_SOON),
            Heard(at(23, 9, 30), "outsider", NoticeKind.NEW_CLASSES),
        ],
    ),
    Deed(
        at(22, 12),
        a_name_waits_for_somebody_to_look,  # a Sunday
        [Heard(at(23, 8, 30), who, NoticeKind.STAFF_DESK) for who in ("clerk", "admin")],
    ),
    Deed(
        at(23, 12),
        a_clerk_will_not_have_it,
        [Heard(at(23, 12), "resident", NoticeKind.CONTENT_REFUSED)],
    ),
)


@pytest.fixture
def week(door: Door, town: Town, clock: StoppedClock) -> Iterator[Week]:
    """The town before the story: everybody allowed everything, and the coming Saturday is worked."""
    with door.app.app_context():
        with transaction() as session:
            set_day(session, date(2026, 11, 21), DayKind.ADJUSTED_WORKDAY, name="调休上班")
        clock.move_to(BEGINS)
        told = Week(door, town, clock)
        told.everybody_allows_everything()
        yield told


def test_every_moment_reaches_whom_it_concerns_once_in_its_template_at_its_hour(week: Week) -> None:
    for deed in sorted(STORY, key=lambda deed: deed.when):
        week.pass_until(deed.when)
        deed.do(week)
        week.work()
    week.pass_until(ENDS)
    expected = sorted(heard for deed in STORY for heard in deed.heard)
    assert week.heard() == expected
    silent = set(NoticeKind) - {heard.kind for heard in expected}
    assert not silent, f"add a deed to STORY that raises these, and who hears of them when: {silent}"
    with reading() as session:
        ends = Counter(session.scalars(select(Notice.delivery)).all())
    assert ends == {Delivery.SENT: len(expected), Delivery.UNKNOWN: 1}  # nothing is left owed


def test_nobody_who_refused_everything_hears_anything_and_everything_is_in_their_inbox(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    with door.app.app_context():
        clock.move_to(BEGINS)
        quiet = Week(door, town, clock)
        a_seat_is_taken_and_somebody_waits_for_it(quiet)
        the_seat_is_given_up_at_night(quiet)
        the_privacy_policy_is_a_new_one_for_somebody(quiet)
        quiet.pass_until(at(21, 9))
        assert door.sandbox.calls(SEND) == 0
        with reading() as session:
            ends = Counter(session.scalars(select(Notice.delivery)).all())
    assert ends == {Delivery.NOT_GRANTED: 2, Delivery.STALE: 1}


# --- the schedule -------------------------------------------------------------------------------------------------


def job_modules() -> list[ModuleType]:
    found = pkgutil.iter_modules(server.jobs.__path__, f"{server.jobs.__name__}.")
    return [importlib.import_module(module.name) for module in found]


def jobs_of(module: ModuleType) -> Iterator[Callable[..., object]]:
    """The functions of a module that are shaped like a job: ``run(now) -> how many``."""
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if function.__module__ != module.__name__ or name.startswith("_"):
            continue
        hints = get_type_hints(function)
        if list(inspect.signature(function).parameters) == ["now"] and hints == {
            "now": datetime,
            "return": int,
        }:
            yield function


def test_whatever_is_shaped_like_a_job_is_on_the_schedule() -> None:
    jobs = {job for module in job_modules() for job in jobs_of(module)}
    assert len(jobs) > 5
    scheduled = {job.run for job in SCHEDULE}
    forgotten = sorted(f"{job.__module__}.{job.__name__}" for job in jobs - scheduled)
    assert not forgotten, (
        f"add a line to SCHEDULE in server/jobs/__init__.py, or nobody ever runs it: {forgotten}"
    )
    assert scheduled <= jobs
