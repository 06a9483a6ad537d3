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
from datetime import date, datetime
from types import ModuleType
from typing import get_type_hints

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

import server.jobs
from models.agreements import (
    Block,
    Record,
    ServiceAgreement,
    Terms,
    decline_delivery,
    draft_agreement,
    put_in_force,
    record_delivery,
)
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
from models.groups import Group, GroupKind, GroupWords, apply_for_group, approve
from models.notices import Delivery, Notice, NoticeKind
from models.partners import Partner, suspend_unit
from models.policies import set_policy
from models.regions import Region
from server.jobs import SCHEDULE
from tests.people import Town, a_bond, a_venue
from tests.phones import Door
from tests.promises.moments import BEGINS, ENDS, Deed, Heard, Week, at
from tests.promises.moments_of_claims import CLAIM_STORY
from tests.promises.moments_of_rooms import ROOM_STORY
from tests.promises.moments_of_streets import STREET_STORY
from tests.promises.moments_of_turns import TURN_STORY
from tests.promises.moments_of_unhappiness import UNHAPPY_STORY
from tests.promises.moments_of_wishes import WISH_STORY
from tests.sandbox import SEND

LUCKY_FOR_THE_FIRST = next(seed for seed in "abcdef" if in_order_of_lots(seed, [1, 2]) == [1, 2])


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


def a_unit_gave_nothing_for_its_room(week: Week) -> None:
    terms = Terms(date(2026, 11, 1), date(2026, 12, 31), [Block(1, 14 * 60, 17 * 60)], "心理咨询", 60)
    with transaction() as session:
        unit = session.get_one(Partner, week.town.partner_member.partner_id)
        room = a_venue(session, week.town.wutong)
        agreement = draft_agreement(session, unit, room, terms, by_account_id=None, identity="town")
        put_in_force(session, agreement, by_account_id=None, identity="town")


def it_makes_up_for_it(week: Week) -> None:
    with transaction() as session:
        agreement = session.scalars(select(ServiceAgreement)).one()
        service = Record(date(2026, 11, 21), 23 * 60, "心理咨询", 40)
        record_delivery(session, agreement, service, by_account_id=None, identity="town")


def one_of_its_records_is_declined(week: Week) -> None:
    with transaction() as session:
        agreement = session.scalars(select(ServiceAgreement)).one()
        twice = Record(date(2026, 11, 21), 60, "心理咨询", 2)
        wrong = record_delivery(session, agreement, twice, by_account_id=None, identity="partner:x")
        decline_delivery(session, wrong, "和上一条重复了", by_account_id=None, identity="town")


def the_year_of_a_unit_is_nearly_over(week: Week) -> None:
    with transaction() as session:
        unit = session.get_one(Partner, week.town.partner_member.partner_id)
        unit.region_id, unit.renewed_until = week.town.wutong.id, date(2026, 11, 30)


def staff_suspend_it(week: Week) -> None:
    clerk = week.town.clerk
    with transaction() as session:
        unit = session.get_one(Partner, week.town.partner_member.partner_id)
        suspend_unit(session, unit, "两次没有来", by_account_id=clerk.account_id, identity=clerk.identity)


def somebody_asks_for_a_group(week: Week) -> None:
    with transaction() as session:
        words = GroupWords("江边合唱团", GroupKind.CHORUS, 12)
        apply_for_group(session, week.town.neighbour.account(session), words)


def staff_approve_of_it(week: Week) -> None:
    with transaction() as session:
        approve(session, session.scalars(select(Group)).one(), by=week.town.clerk.member(session))


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
        a_name_waits_for_somebody_to_look,  # a Sunday; and two classes by night, found since a Saturday became a working day
        [
            Heard(when, who, NoticeKind.STAFF_DESK)
            for when in (at(23, 8, 30), at(23, 17))
            for who in ("clerk", "admin")
        ],
    ),
    Deed(
        at(22, 8, 30),  # a Sunday: nobody looks at the desk
        a_unit_gave_nothing_for_its_room,
        [Heard(at(22, 9), who, NoticeKind.SERVICE_BEHIND) for who in ("partner_member", "clerk", "admin")],
    ),
    Deed(at(22, 10, 30), it_makes_up_for_it, []),
    Deed(
        at(22, 11, 30),
        one_of_its_records_is_declined,
        [Heard(at(22, 11, 30), "partner_member", NoticeKind.SERVICE_DECLINED)],
    ),
    Deed(
        at(22, 11, 40),
        the_year_of_a_unit_is_nearly_over,
        [Heard(at(22, 12), who, NoticeKind.PARTNER_RENEWAL) for who in ("partner_member", "clerk", "admin")],
    ),
    Deed(
        at(22, 12, 10),
        staff_suspend_it,
        [Heard(at(22, 12, 10), "partner_member", NoticeKind.PARTNER_DECIDED)],
    ),
    Deed(at(23, 9), somebody_asks_for_a_group, []),
    Deed(
        at(23, 10),
        staff_approve_of_it,
        [Heard(at(23, 10), "neighbour", NoticeKind.GROUP_DECIDED)],
    ),
    Deed(
        at(23, 12),
        a_clerk_will_not_have_it,
        [Heard(at(23, 12), "resident", NoticeKind.CONTENT_REFUSED)],
    ),
)


STORIES: Mapping[str, Sequence[Deed]] = {
    "classes": STORY,
    "rooms and wishes": (*ROOM_STORY, *WISH_STORY, *CLAIM_STORY, *STREET_STORY),
    "what is late": TURN_STORY,
    "who is unhappy": UNHAPPY_STORY,
}


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


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_every_moment_reaches_whom_it_concerns_once_in_its_template_at_its_hour(
    week: Week, story: Sequence[Deed]
) -> None:
    for deed in sorted(story, key=lambda deed: deed.when):
        week.pass_until(deed.when)
        deed.do(week)
        week.work()
    week.pass_until(ENDS)
    expected = sorted(heard for deed in story for heard in deed.heard)
    assert week.heard() == expected
    with reading() as session:
        ends = Counter(session.scalars(select(Notice.delivery)).all())
    hung_up = {Delivery.UNKNOWN: 1} if story is STORY else {}
    assert ends == {Delivery.SENT: len(expected), **hung_up}  # nothing is left owed


def test_every_moment_is_in_a_story() -> None:
    silent = set(NoticeKind) - {
        heard.kind for story in STORIES.values() for deed in story for heard in deed.heard
    }
    assert not silent, f"add a deed to a story that raises these, and who hears of them when: {silent}"


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
