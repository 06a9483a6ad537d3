"""The schedule: every job does what there is to do once, and nothing when it is run again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models import clock as town_clock
from models.agreements import Block, Terms, draft_agreement, put_in_force
from models.base import db, transaction
from models.calendars import DayKind, set_day
from models.clock import StoppedClock
from models.consents import Consent
from models.content_checks import KEPT_FOR as CHECKS_KEPT_FOR
from models.content_checks import RESIDENT_NAME, VERDICT_WITHIN, Finding, Subject, await_verdict, note_pass
from models.courses import (
    Admission,
    Attendance,
    AttendanceState,
    Course,
    CourseRun,
    CourseSession,
    Promotion,
    QuestionKind,
    QuestionPlan,
    Seating,
    answer_questions,
    ask_questions,
    publish,
    questions_of,
)
from models.courses.attendance import (
    Mark,
    RecordedHow,
    Recorder,
    Seen,
    mark_sheet,
    take_batch,
)
from models.courses.pauses import Pause
from models.departures import begin_closure
from models.follows import follow_course
from models.grants import REPORTS_KEPT
from models.hours import Hours, OpenOn, write_hours
from models.kept_answers import KEPT_FOR as ANSWERS_KEPT_FOR
from models.kept_answers import keep
from models.ladder import sending as short_messages
from models.ladder.falling import WAITS_FOR
from models.notices import Delivery, Notice, TemplateName, sending
from models.occupancy import vacate
from models.partners import Partner
from models.pushes import PushKind, Told, take_down
from models.reservations import By, CreditWhy, Reservation, appeal_credit, decide_credit_appeal
from models.reservations.charging import charge
from models.sites import Venue, VenueUse
from models.truth import still_true
from models.wishes import WORDS_KEPT_FOR, approve_wish, withdraw_wish
from models.wishes.claims import Level, SettledBy, rate_claim
from server.jobs import SCHEDULE, Job, delivery, ladder
from tests.claims import a_claimer, claims, delivered, does, fulfilled, under_way
from tests.closing import closes, question_about
from tests.databases import Rows, photograph
from tests.people import Town, a_venue
from tests.phones import TEMPLATES, Door
from tests.rooms import DOOR, MONDAY, SUNDAY, at, cancels, checks_in, takes
from tests.streets import meets
from tests.wishes import CARD, a_round, by_resident, by_staff, hung, say, wishes

A_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Day:
    """A town at work: its door, its people, its clock."""

    door: Door
    town: Town
    clock: StoppedClock

    def wait(self, span: timedelta) -> None:
        """Let time go by."""
        self.clock.move_to(town_clock.now() + span)

    def a_seat(self) -> CourseRun:
        """The resident takes one."""
        run = self.town.a_run()
        self.town.resident.tap(run)
        return run

    def a_seat_for_the_elder(self) -> CourseRun:
        """Her helper takes it; she has no WeChat to hear of it."""
        run = self.town.a_run()
        self.town.helper.tap(run, for_whom=self.town.elder)
        return run

    @property
    def the_residents_name(self) -> Subject:
        """What the resident wrote."""
        who = self.town.resident
        return Subject(
            field=RESIDENT_NAME, key=who.key, account_id=who.account_id or 0, resident_id=who.resident_id
        )


def end_notices(how: Delivery) -> None:
    with transaction() as session:
        session.execute(update(Notice).values(delivery=how, settled_at=town_clock.now()))


# --- what there is to do ------------------------------------------------------------------------------------------


def a_message_that_is_allowed(day: Day) -> None:
    day.door.allow(day.town.resident)
    day.a_seat()


def a_class_in_an_hour(day: Day) -> None:
    day.clock.move_to(day.a_seat().starts_at - timedelta(hours=1))


def a_desk_at_five(day: Day) -> None:
    day.a_seat()
    end_notices(Delivery.UNKNOWN)
    day.clock.move_to(town_clock.in_town(town_clock.now()).replace(hour=17))


def a_unit_that_gave_nothing(day: Day) -> None:
    today = town_clock.today()
    terms = Terms(today - timedelta(days=60), today + timedelta(days=60), [Block(1, 840, 900)], "理发", 60)
    with transaction() as session:
        unit = session.get_one(Partner, day.town.partner_member.partner_id)
        room = a_venue(session, day.town.wutong)
        agreement = draft_agreement(session, unit, room, terms, by_account_id=None, identity="town")
        put_in_force(session, agreement, by_account_id=None, identity="town")


def a_unit_whose_year_ends_next_week(day: Day) -> None:
    with transaction() as session:
        unit = session.get_one(Partner, day.town.partner_member.partner_id)
        unit.renewed_until = town_clock.today() + timedelta(days=7)


def a_meeting_the_day_after_tomorrow(day: Day) -> None:
    a_claimer(day.town.wutong)
    meets(day.town, town_clock.now() + timedelta(days=2))


def an_older_policy(day: Day) -> None:
    with transaction() as session:
        session.execute(update(Consent).values(version="2025-01"))


def a_class_published_yesterday(day: Day) -> None:
    day.town.a_run()
    day.clock.move_to(town_clock.in_town(town_clock.now()).replace(hour=9, minute=5) + timedelta(days=1))


def a_followed_course_that_opens_within_the_hour(day: Day) -> None:
    run = day.town.a_run(opens_at=town_clock.now() + timedelta(hours=1))
    with transaction() as session:
        follow_course(session, day.town.neighbour.account(session), session.get_one(Course, run.course_id))


def a_worker_lost(day: Day) -> None:
    day.a_seat()
    with transaction() as session:
        assert sending.claim_due(session, worker="lost", most=1)
    day.wait(sending.LEASE + A_SECOND)


def a_promotion_wechat_could_not_tell(day: Day) -> None:
    run = day.town.a_run(capacity=1)
    for person in (day.town.resident, day.town.neighbour):
        person.tap(run)
    day.town.resident.give_up(run)
    end_notices(Delivery.NOT_GRANTED)
    day.wait(WAITS_FOR + A_SECOND)


def a_short_message(day: Day) -> None:
    with transaction() as session:
        day.town.elder.resident(session).take_phone("13612345678", verified=False)
    day.a_seat_for_the_elder()


def a_worker_lost_with_a_short_message(day: Day) -> None:
    a_short_message(day)
    with transaction() as session:
        assert short_messages.claim_due(session, worker="lost", most=1, still_true=still_true)
    day.wait(short_messages.LEASE + A_SECOND)


def a_call_about_a_seat_given_up(day: Day) -> None:
    run = day.a_seat_for_the_elder()
    ladder.send_short_messages(town_clock.now())  # she has no number
    day.town.helper.give_up(run, for_whom=day.town.elder)


def a_push(day: Day) -> None:
    openid = day.town.resident.openid
    with transaction() as session:
        answer = Told(
            kind=PushKind.POPUP_ANSWERED,
            openid=openid,
            at=town_clock.now(),
            dedupe_key="answer",
            facts={"template_id": TEMPLATES[TemplateName.REGISTRATION_RESULT], "accepted": True},
        )
        take_down(session, [answer])


def a_message_allowed_after_it_was_due(day: Day) -> None:
    day.a_seat()
    delivery.deliver_due(town_clock.now())
    day.door.allow(day.town.resident)


def an_old_report_of_an_answer(day: Day) -> None:
    day.door.allow(day.town.resident)
    day.wait(REPORTS_KEPT + A_SECOND)


def a_picture_wechat_says_nothing_of(day: Day) -> None:
    with transaction() as session:
        await_verdict(session, day.the_residents_name, "https://example.com/one.png", trace_id="t-1")
    day.wait(VERDICT_WITHIN)


def an_old_check(day: Day) -> None:
    with transaction() as session:
        note_pass(session, day.the_residents_name, "陈静", Finding())
    day.wait(CHECKS_KEPT_FOR + A_SECOND)


def a_class_somebody_completed(day: Day) -> None:
    run = day.a_seat()
    (mine,) = day.town.registrations(run)
    with transaction() as session:
        session.add(
            Attendance(
                session_id=run.sessions[0].id,
                registration_id=mine.id,
                state=AttendanceState.PRESENT,
                how=RecordedHow.PAPER,
                at=run.starts_at,
            )
        )
    day.clock.move_to(run.ends_at + timedelta(hours=12))


def a_class_long_over(day: Day) -> None:
    day.clock.move_to(day.a_seat().ends_at + timedelta(days=60))


def an_answer_to_a_class_long_over(day: Day) -> None:
    run = day.town.a_run(published=False)
    with transaction() as session:
        mine = session.get_one(CourseRun, run.id)
        ask_questions(session, mine, [QuestionPlan(QuestionKind.TEXT, "想学什么")])
        (question,) = questions_of(session, mine)
        publish(session, mine)
        learner = day.town.resident.resident(session)
        answer_questions(session, mine, learner, {question.key: "包子"}, by_account_id=None)
    day.clock.move_to(run.ends_at + timedelta(days=180))


def an_old_kept_answer(day: Day) -> None:
    with transaction() as session:
        keep(session, day.town.resident.account(session), "attempt", asked="h", status=201, body="{}")
    day.wait(ANSWERS_KEPT_FOR)


def somebody_who_left_long_ago(day: Day) -> None:
    with transaction() as session:
        begin_closure(session, day.town.resident.account(session))
    day.wait(timedelta(days=3 * 365 + 1))


def logins_long_over(day: Day) -> None:
    day.wait(timedelta(days=365))


def a_picture_that_belongs_to_no_code(day: Day) -> None:
    day.door.app.extensions["code_images"].made_once("aaaaaaaaaaaaaaaa-430-release", lambda: b"picture")


def a_photo_that_hangs_nowhere(day: Day) -> None:
    day.door.app.extensions["photo_files"].put(b"photo")
    day.clock.advance(days=1, minutes=1)


def a_class_somebody_missed(day: Day) -> None:
    run = day.a_seat()
    day.town.neighbour.tap(run)
    (absent, here) = [one.key for one in day.town.registrations(run)]
    assert absent != here
    day.clock.move_to(run.sessions[0].starts_at)
    with transaction() as session:
        meeting = session.get_one(CourseSession, run.sessions[0].id)
        mark_sheet(session, meeting, [Mark(here, AttendanceState.PRESENT)], may_correct=False, by=Recorder())
    day.clock.move_to(run.sessions[0].ends_at + timedelta(hours=1))


def a_pause_that_is_over(day: Day) -> None:
    with transaction() as session:
        until = town_clock.now() + timedelta(days=30)
        session.add(Pause(resident_id=day.town.resident.resident_id, until=until))
    day.wait(timedelta(days=30))


def a_batch_of_long_ago(day: Day) -> None:
    run = day.a_seat()
    day.clock.move_to(run.sessions[0].starts_at)
    with transaction() as session:
        meeting = session.get_one(CourseSession, run.sessions[0].id)
        take_batch(session, meeting, [Seen("1", meeting.starts_at, registration_key="a" * 16)], by=Recorder())
    day.wait(timedelta(days=91))


def an_offer_nobody_accepted(day: Day) -> None:
    an_offer_half_over(day)
    day.wait(timedelta(days=1))


def an_offer_half_over(day: Day) -> None:
    run = day.town.a_run(capacity=1, seating=Seating(promotion=Promotion.OFFER))
    for person in (day.town.resident, day.town.neighbour):
        person.tap(run)
    day.town.resident.give_up(run)
    day.wait(timedelta(hours=12))


def a_draw_that_is_due(day: Day) -> None:
    draws_at = town_clock.now() + timedelta(hours=1)
    run = day.town.a_run(seating=Seating(admission=Admission.DRAW, draws_at=draws_at))
    day.town.resident.tap(run)
    day.wait(timedelta(hours=1))


def seats_held_until_the_day_before(day: Day) -> None:
    run = day.town.a_run(seating=Seating(seats_held=4))
    day.clock.move_to(run.starts_at - timedelta(hours=23))


def an_application_nobody_looked_at(day: Day) -> None:
    run = day.town.a_run(seating=Seating(admission=Admission.REVIEW))
    day.town.resident.tap(run)
    day.clock.move_to(run.starts_at)


def a_room(day: Day, use: VenueUse = VenueUse.AT_ONCE) -> Venue:
    with transaction() as session:
        room = a_venue(session, day.town.wutong)
        room.use, room.door_code = use, DOOR
        return room


def a_reservation_nobody_reviewed(day: Day) -> None:
    takes(day.town.resident, a_room(day, VenueUse.REVIEWED), at(9, on=MONDAY))
    day.clock.move_to(at(21, on=SUNDAY))


def a_room_nobody_came_to(day: Day) -> None:
    takes(day.town.resident, a_room(day), at(9))
    day.clock.move_to(at(9, 15))


def a_room_nobody_signed_out_of(day: Day) -> None:
    made = takes(day.town.resident, a_room(day), at(9))
    day.clock.move_to(at(9))
    checks_in(day.town.resident, made)
    day.clock.move_to(at(11, 30))


def a_question_nobody_answered(day: Day) -> None:
    room = a_room(day)
    made = takes(day.town.resident, room, at(9))
    a_room(day)
    closes(day.town, [room], at(8), at(12))
    day.clock.move_to(question_about(made).answer_by)


def a_reservation_outside_the_hours(day: Day) -> None:
    room = a_room(day)
    takes(day.town.resident, room, at(9))
    with transaction() as session:
        site = session.get_one(Venue, room.id).site
        write_hours(session, site, [Hours(OpenOn.WEEKEND, 14 * 60, 21 * 60)])


def a_room_that_is_offered(day: Day) -> None:
    room = a_room(day)
    made = takes(day.town.resident, room, at(9))
    takes(day.town.neighbour, room, at(9), waits=True)
    cancels(day.town.resident, made)
    day.clock.move_to(at(9))


def a_room_a_class_moved_away_from(day: Day) -> None:
    room = a_room(day)
    made = takes(None, room, at(9))
    takes(day.town.neighbour, room, at(9), waits=True)
    with transaction() as session:
        vacate(session, [made.key])


def a_room_in_an_hour(day: Day) -> None:
    takes(day.town.resident, a_room(day), at(9))
    day.clock.move_to(at(8))


def an_appeal_answered_long_ago(day: Day) -> None:
    a_room_nobody_came_to(day)
    with transaction() as session:
        made = session.scalars(select(Reservation)).one()
        entry = charge(session, made, CreditWhy.LATE)
        assert entry is not None
        appeal_credit(session, entry, "有急事", by=By(day.town.resident.account_id, "resident"))
        decide_credit_appeal(session, entry, granted=False, answer="不", by=By())
    day.wait(timedelta(days=181))


def a_wish_of_a_round(day: Day) -> None:
    made = wishes(day.town.resident, in_round=a_round(day.town.wutong))
    say(approve_wish, made, CARD, by=by_staff(day.town.clerk))
    day.wait(timedelta(days=7))


def a_wish_taken_back_long_ago(day: Day) -> None:
    made = wishes(day.town.resident)
    say(withdraw_wish, made, by=by_resident(day.town.resident))
    day.wait(WORDS_KEPT_FOR)


def a_wish_nobody_took_on(day: Day) -> None:
    hung(day.town, day.town.resident)
    day.wait(timedelta(days=15))


def a_wish_nobody_reviewed(day: Day) -> None:
    wishes(day.town.resident)
    day.wait(timedelta(days=3, hours=1))  # over the weekend


def a_claim_nobody_called_about(day: Day) -> None:
    under_way(day.town, a_claimer(day.town.wutong), hung(day.town, day.town.resident))
    day.wait(timedelta(days=7))


def a_day_off_that_was_announced_late(day: Day) -> None:
    claims(a_claimer(day.town.wutong), hung(day.town, day.town.resident))
    takes(day.town.resident, a_room(day, VenueUse.REVIEWED), at(9, on=MONDAY + timedelta(days=2)))
    with transaction() as session:
        set_day(session, town_clock.today() + timedelta(days=3), DayKind.HOLIDAY)


def a_claim_nobody_confirmed(day: Day) -> None:
    delivered(day.town, a_claimer(day.town.wutong), hung(day.town, day.town.resident))
    day.wait(timedelta(days=3))


def somebody_unhappy_nobody_called(day: Day) -> None:
    whose = day.town.resident
    claim = fulfilled(day.town, a_claimer(day.town.wutong), hung(day.town, whose), whose)
    does(rate_claim, claim, Level.UNHAPPY, "", SettledBy.RESIDENT, by=by_resident(whose))
    day.wait(timedelta(days=4))


TO_DO: Mapping[str, Callable[[Day], None]] = {
    "deliver_notices": a_message_that_is_allowed,
    "remind_of_classes": a_class_in_an_hour,
    "note_absences": a_class_somebody_missed,
    "lift_pauses": a_pause_that_is_over,
    "forget_check_ins": a_batch_of_long_ago,
    "tell_staff": a_desk_at_five,
    "hang_up_rounds": a_wish_of_a_round,
    "turn_wishes": a_wish_nobody_took_on,
    "remind_of_wishes": a_wish_nobody_reviewed,
    "release_idle_claims": a_claim_nobody_called_about,
    "remind_of_claims": a_claim_nobody_confirmed,
    "press_for_care_of_the_unhappy": somebody_unhappy_nobody_called,
    "rewind_clocks": a_day_off_that_was_announced_late,
    "forget_wishes": a_wish_taken_back_long_ago,
    "tell_of_promises": a_unit_that_gave_nothing,
    "tell_of_renewals": a_unit_whose_year_ends_next_week,
    "tell_of_meetings": a_meeting_the_day_after_tomorrow,
    "tell_of_policy": an_older_policy,
    "tell_of_new_classes": a_class_published_yesterday,
    "tell_of_openings": a_followed_course_that_opens_within_the_hour,
    "settle_lost_notices": a_worker_lost,
    "pass_on_notices": a_promotion_wechat_could_not_tell,
    "send_short_messages": a_short_message,
    "settle_lost_short_messages": a_worker_lost_with_a_short_message,
    "cancel_stale_calls": a_call_about_a_seat_given_up,
    "settle_pushes": a_push,
    "owe_what_was_allowed": a_message_allowed_after_it_was_due,
    "forget_old_pushes": an_old_report_of_an_answer,
    "hold_overdue_pictures": a_picture_wechat_says_nothing_of,
    "forget_old_checks": an_old_check,
    "complete_runs": a_class_somebody_completed,
    "end_offers": an_offer_nobody_accepted,
    "remind_of_offers": an_offer_half_over,
    "draw_lots": a_draw_that_is_due,
    "release_seats": seats_held_until_the_day_before,
    "settle_unreviewed": an_application_nobody_looked_at,
    "expire_unreviewed": a_reservation_nobody_reviewed,
    "release_no_shows": a_room_nobody_came_to,
    "finish_unsigned": a_room_nobody_signed_out_of,
    "end_room_offers": a_room_that_is_offered,
    "settle_room_questions": a_question_nobody_answered,
    "count_outside_hours": a_reservation_outside_the_hours,
    "offer_rooms": a_room_a_class_moved_away_from,
    "remind_of_rooms": a_room_in_an_hour,
    "forget_credit_appeals": an_appeal_answered_long_ago,
    "archive_runs": a_class_long_over,
    "forget_old_answers": an_old_kept_answer,
    "forget_run_answers": an_answer_to_a_class_long_over,
    "forget_departed": somebody_who_left_long_ago,
    "forget_ended_logins": logins_long_over,
    "forget_code_pictures": a_picture_that_belongs_to_no_code,
    "forget_photo_files": a_photo_that_hangs_nowhere,
}


def everything() -> Rows:
    with db.engine.connect() as connection:
        return photograph(connection)


@pytest.mark.parametrize("job", SCHEDULE, ids=lambda job: job.name)
def test_every_job_does_what_there_is_to_do_and_is_harmless_when_run_twice(
    working: Door, town: Town, clock: StoppedClock, job: Job
) -> None:
    assert job.name in TO_DO, f"TO_DO in {__file__} says what there is for {job.name} to do"
    TO_DO[job.name](Day(working, town, clock))
    assert job.run(town_clock.now()) > 0
    after = everything()
    assert job.run(town_clock.now()) == 0
    assert everything() == after
    assert job.why


def test_a_schedule_names_each_job_once() -> None:
    assert len({job.name for job in SCHEDULE}) == len(SCHEDULE)


@pytest.mark.parametrize("name", ["deliver_notices", "settle_pushes", "owe_what_was_allowed"])
def test_what_answers_a_tap_is_looked_for_every_second_or_two(name: str) -> None:
    """The message lies on the phone seconds after the tap."""
    (job,) = (job for job in SCHEDULE if job.name == name)
    assert job.every <= 2 * A_SECOND
