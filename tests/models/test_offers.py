"""Freed seats: who is offered one, for how long, and whose it is when they do not want it (domain.md §2.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.base import db, reading, transaction, writer
from models.courses import (
    Admission,
    By,
    CancelledBy,
    CourseRun,
    Promotion,
    Registration,
    RegistrationState,
    Seating,
    Standing,
    Tap,
    cancel_run,
    decide,
    hold_seats,
    receipts_of,
    release_seats,
    seat_directly,
)
from models.courses.seats.leaving import take_back_for_absence
from models.errors import Refusal
from models.notices import Notice, NoticeKind
from models.policies import set_policy
from models.regions import Region
from server.jobs import seats as town_work
from tests.people import FIRST_EVENING, Person, Town, raise_capacity

OFFER = Seating(promotion=Promotion.OFFER)
SATURDAY_AT_TEN_THIRTY = datetime(2026, 11, 21, 10, 30, tzinfo=town_clock.TOWN_ZONE)
AN_HOUR = timedelta(hours=1)


def refusal_of(deed: Callable[[], object]) -> Refusal:
    """The refusal a deed ends in."""
    with pytest.raises(Refusal) as caught:
        deed()
    return caught.value


def all_at_once(*taps: Tap) -> list[Standing | Refusal | None]:
    """Decide taps in one batch and commit, refusals and all."""
    with writer(db.engine).begin() as connection:
        return decide(connection, taps)


def told(kind: NoticeKind, run: CourseRun) -> list[int]:
    """The accounts that are owed a notice of this kind about a run."""
    with reading() as session:
        rows = session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id)).all()
    return [notice.account_id for notice in rows if notice.facts["page_subject"] == run.key]


def a_full_run(
    town: Town, waiting: int, *, seating: Seating = OFFER, starts_at: datetime | None = None
) -> tuple[CourseRun, Person, list[Person]]:
    """A run of one seat, who sits there, and who waits, first in line first."""
    run = town.a_run(capacity=1, waitlist_limit=None, seating=seating, starts_at=starts_at)
    seated, *line = town.people(waiting + 1)
    for person in (seated, *line):
        person.tap(run)
    return run, seated, line


def offer_of(town: Town, person: Person, run: CourseRun) -> Registration:
    """The registration of somebody who is offered a seat."""
    (mine,) = [row for row in town.registrations(run) if row.resident_id == person.resident_id]
    assert mine.state is RegistrationState.OFFERED
    return mine


def counters(town: Town, run: CourseRun) -> tuple[int, int]:
    """Seats taken, and how many wait."""
    now = town.now(run)
    return now.seats_taken, now.waiting


# --- who is offered a seat ----------------------------------------------------------------------------------------


def test_a_freed_seat_is_offered_to_the_first_in_line(town: Town) -> None:
    run, seated, line = a_full_run(town, 2)
    seated.give_up(run)
    assert town.states(run) == ["cancelled", "offered", "waitlisted"]
    assert counters(town, run) == (1, 1), "an offered seat is taken"
    assert told(NoticeKind.SEAT_OFFERED, run) == [line[0].account_id]
    assert line[1].tap(run).position == 1


def test_where_seats_are_given_at_once_nobody_is_asked(town: Town) -> None:
    run, seated, line = a_full_run(town, 2, seating=Seating())
    seated.give_up(run)
    assert town.states(run) == ["cancelled", "confirmed", "waitlisted"]
    assert told(NoticeKind.SEAT_OFFERED, run) == []
    assert told(NoticeKind.REGISTRATION_PROMOTED, run) == [line[0].account_id]


def test_who_takes_as_many_courses_as_they_may_is_asked_even_where_seats_are_given_at_once(
    town: Town,
) -> None:
    run, seated, line = a_full_run(town, 1, seating=Seating())
    for _ in range(2):
        line[0].tap(town.a_run())
    town.is_as_strict_as_others()
    seated.give_up(run)
    assert town.states(run) == ["cancelled", "offered"]
    assert refusal_of(lambda: line[0].accept(run)).code == "too_many_runs"


def test_who_asked_for_it_is_seated_without_being_asked(town: Town) -> None:
    """直接转正, said with the tap or afterwards, and taken back."""
    run = town.a_run(capacity=3, waitlist_limit=None, seating=OFFER)
    seated = town.people(3)
    by_tap, afterwards, changed_mind = town.people(3)
    for person in seated:
        person.tap(run)
    by_tap.tap(run, directly=True)
    afterwards.tap(run)
    changed_mind.tap(run, directly=True)
    with transaction() as session:
        stored = session.get_one(CourseRun, run.id)
        for _ in range(2):
            seat_directly(session, stored, afterwards.resident(session), True, by_account_id=None)
        seat_directly(session, stored, changed_mind.resident(session), False, by_account_id=None)
    for person in seated:
        person.give_up(run)
    assert town.states(run)[3:] == ["confirmed", "confirmed", "offered"]


def test_who_has_no_place_cannot_say_how_they_want_it(town: Town) -> None:
    run = town.a_run()
    with transaction() as session:
        stored, oneself = session.get_one(CourseRun, run.id), town.resident.resident(session)
        refusal = refusal_of(lambda: seat_directly(session, stored, oneself, True, by_account_id=None))
    assert refusal.code == "not_registered"


# --- for how long -------------------------------------------------------------------------------------------------


def test_an_offer_stands_for_twelve_waking_hours(town: Town) -> None:
    """From noon half past nine and a half hours go by until the quiet hours, the rest after eight in the morning."""
    run, seated, line = a_full_run(town, 1)
    seated.give_up(run)
    assert offer_of(town, line[0], run).offer_expires_at == SATURDAY_AT_TEN_THIRTY


def test_an_offer_made_at_night_starts_in_the_morning(town: Town, clock: town_clock.StoppedClock) -> None:
    run, seated, line = a_full_run(town, 1)
    clock.move_to(datetime(2026, 11, 20, 23, 15, tzinfo=town_clock.TOWN_ZONE))
    seated.give_up(run)
    morning = datetime(2026, 11, 21, 8, 0, tzinfo=town_clock.TOWN_ZONE)
    assert offer_of(town, line[0], run).offer_expires_at == morning + 12 * AN_HOUR


@pytest.mark.parametrize(
    ("freed_at", "starts_at", "stands_until"),
    [
        ("11-29T23:00", "11-30T18:00", "11-30T10:00"),  # two hours, from eight in the morning
        ("11-29T20:30", "11-30T18:00", "11-30T09:00"),  # one of them before the night
        ("11-30T06:30", "11-30T10:00", "11-30T08:30"),  # half an hour
        ("11-29T23:00", "11-30T08:30", "11-30T08:30"),  # no time is left: until the class begins
        ("11-30T06:00", "11-30T07:00", "11-30T07:00"),
    ],
)
def test_no_offer_ends_while_the_town_sleeps_and_nobody_has_heard_of_it(
    town: Town, clock: town_clock.StoppedClock, freed_at: str, starts_at: str, stands_until: str
) -> None:
    """Told of it one is in the morning: by then it must not have gone through the whole queue."""
    freed, starts, until = (
        datetime.fromisoformat(f"2026-{moment}+08:00") for moment in (freed_at, starts_at, stands_until)
    )
    run, seated, line = a_full_run(town, 1, starts_at=starts)
    clock.move_to(freed)
    seated.give_up(run)
    assert offer_of(town, line[0], run).offer_expires_at == until


def test_where_there_are_no_quiet_hours_twelve_hours_are_twelve(town: Town) -> None:
    with transaction() as session:
        for name in ("quiet_from", "quiet_until"):
            set_policy(session, session.get_one(Region, town.district.id), name, "21:30")
    run, seated, line = a_full_run(town, 1)
    seated.give_up(run)
    assert offer_of(town, line[0], run).offer_expires_at == town_clock.now() + 12 * AN_HOUR


@pytest.mark.parametrize(
    ("before", "stands"),
    [
        (timedelta(hours=24), timedelta(hours=22, minutes=30)),  # three and a half of them before the night
        (timedelta(hours=24) - timedelta(seconds=1), timedelta(hours=2)),
        (timedelta(hours=4), timedelta(hours=2)),
        (timedelta(hours=4) - timedelta(seconds=1), timedelta(minutes=30)),
        (timedelta(hours=1), timedelta(minutes=30)),
        (timedelta(minutes=20), timedelta(minutes=20)),
    ],
)
def test_the_nearer_the_class_the_shorter_an_offer_stands(
    town: Town, clock: town_clock.StoppedClock, before: timedelta, stands: timedelta
) -> None:
    run, seated, line = a_full_run(town, 1, starts_at=FIRST_EVENING)
    clock.move_to(run.starts_at - before)
    seated.give_up(run)
    assert offer_of(town, line[0], run).offer_expires_at == town_clock.now() + stands


def test_no_offer_outlasts_the_start_of_the_class(town: Town, clock: town_clock.StoppedClock) -> None:
    """Where the night is longer than a dozen hours, twelve waking ones are over only after the class began."""
    with transaction() as session:
        for name, hour in (("quiet_from", "19:00"), ("quiet_until", "10:00")):
            set_policy(session, session.get_one(Region, town.district.id), name, hour)
    run, seated, line = a_full_run(town, 1, starts_at=FIRST_EVENING)
    clock.move_to(run.starts_at - timedelta(hours=24))
    seated.give_up(run)
    assert offer_of(town, line[0], run).offer_expires_at == run.starts_at


def test_within_the_last_hour_nobody_is_seated_without_a_word(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    run, seated, line = a_full_run(town, 1, seating=Seating())
    clock.move_to(run.starts_at - AN_HOUR + timedelta(seconds=1))
    seated.give_up(run)
    assert offer_of(town, line[0], run).offer_expires_at == town_clock.now() + timedelta(minutes=30)


def test_an_hour_before_the_class_a_seat_is_still_given_at_once(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    run, seated, _ = a_full_run(town, 1, seating=Seating())
    clock.move_to(run.starts_at - AN_HOUR)
    seated.give_up(run)
    assert town.states(run) == ["cancelled", "confirmed"]


def test_who_asked_for_it_is_seated_in_the_last_hour_too(town: Town, clock: town_clock.StoppedClock) -> None:
    run = town.a_run(capacity=1, seating=OFFER)
    town.resident.tap(run)
    town.neighbour.tap(run, directly=True)
    clock.move_to(run.starts_at - timedelta(minutes=5))
    town.resident.give_up(run)
    assert town.states(run) == ["cancelled", "confirmed"]


@pytest.mark.parametrize("seating", [OFFER, Seating()])
def test_nothing_is_offered_or_given_once_the_class_has_begun(
    town: Town, clock: town_clock.StoppedClock, seating: Seating
) -> None:
    run, seated, _ = a_full_run(town, 1, seating=seating)
    clock.move_to(run.starts_at)
    seated.give_up(run)
    assert town.states(run) == ["cancelled", "waitlisted"]


@pytest.mark.parametrize(("when", "becomes"), [("during", "confirmed"), ("over", "waitlisted")])
def test_a_seat_taken_back_for_absence_is_given_as_long_as_the_class_goes_on(
    town: Town, clock: town_clock.StoppedClock, when: str, becomes: str
) -> None:
    """The last absence is noted when the class is over: nobody is called to it any more."""
    run, seated, _ = a_full_run(town, 1, seating=Seating())
    clock.move_to(run.starts_at if when == "during" else run.ends_at)
    too_many_absences(run, seated, clock)
    assert town.states(run) == ["cancelled", becomes]


def test_a_seat_is_taken_back_for_absence_once(town: Town, clock: town_clock.StoppedClock) -> None:
    run, seated, _ = a_full_run(town, 2, seating=Seating())
    for _ in range(2):
        too_many_absences(run, seated, clock)
    assert town.states(run) == ["cancelled", "confirmed", "waitlisted"]
    assert counters(town, run) == (1, 1)


# --- taking it, leaving it ----------------------------------------------------------------------------------------


def test_accepting_seats_and_accepting_again_is_fine(town: Town) -> None:
    run, seated, line = a_full_run(town, 1)
    seated.give_up(run)
    first = line[0].accept(run)
    assert (first.state, first.offer_expires_at) == (RegistrationState.CONFIRMED, None)
    assert line[0].accept(run) == first
    assert town.states(run) == ["cancelled", "confirmed"]
    assert counters(town, run) == (1, 0)
    assert told(NoticeKind.REGISTRATION_CONFIRMED, run).count(line[0].account_id or 0) == 1


def test_a_helper_accepts_for_whom_they_act(town: Town) -> None:
    run = town.a_run(capacity=1, seating=OFFER)
    town.resident.tap(run)
    town.helper.tap(run, for_whom=town.elder)
    town.resident.give_up(run)
    assert town.helper.accept(run, for_whom=town.elder).resident_key == town.elder.key
    assert refusal_of(lambda: town.neighbour.accept(run, for_whom=town.elder)).code == "no_bond"


def test_who_is_not_offered_anything_is_told_so(town: Town) -> None:
    run, _, line = a_full_run(town, 1)
    assert refusal_of(lambda: line[0].accept(run)).code == "no_offer"
    assert refusal_of(lambda: town.neighbour.accept(run)).code == "not_registered"
    assert town.states(run) == ["confirmed", "waitlisted"]


def test_an_applicant_has_nothing_to_accept(town: Town) -> None:
    run = town.a_run(seating=Seating(admission=Admission.REVIEW))
    town.resident.tap(run)
    assert refusal_of(lambda: town.resident.accept(run)).code == "no_offer"


def test_an_offer_cannot_be_accepted_after_its_end(town: Town, clock: town_clock.StoppedClock) -> None:
    """E4: by the clock, whether the town wrote it down already or not."""
    run, seated, line = a_full_run(town, 2)
    seated.give_up(run)
    clock.move_to(SATURDAY_AT_TEN_THIRTY)
    assert refusal_of(lambda: line[0].accept(run)).code == "offer_expired"
    assert town.states(run) == ["cancelled", "offered", "waitlisted"]
    assert town_work.end_offers(town_clock.now()) == 1
    assert refusal_of(lambda: line[0].accept(run)).code == "offer_expired"
    assert town.states(run) == ["cancelled", "cancelled", "offered"]


def test_until_the_very_end_an_offer_can_be_accepted(town: Town, clock: town_clock.StoppedClock) -> None:
    run, seated, line = a_full_run(town, 1)
    seated.give_up(run)
    clock.move_to(SATURDAY_AT_TEN_THIRTY - timedelta(microseconds=1))
    assert town_work.end_offers(town_clock.now()) == 0
    assert line[0].accept(run).state is RegistrationState.CONFIRMED


def test_what_nobody_accepts_rolls_on_until_nobody_is_left(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    run, seated, line = a_full_run(town, 3)
    seated.give_up(run)
    for person in line:
        ends = offer_of(town, person, run).offer_expires_at
        assert ends is not None
        clock.move_to(ends)
        assert town_work.end_offers(town_clock.now()) == 1
        assert town_work.end_offers(town_clock.now()) == 0
        ended = next(row for row in town.registrations(run) if row.resident_id == person.resident_id)
        assert (ended.state, ended.cancelled_by) == (RegistrationState.CANCELLED, CancelledBy.EXPIRED)
        assert not ended.cancelled_late
        assert town.why(person, run) == [
            ("offered", "given_up" if person is line[0] else "expired"),
            ("expired", "offer_expired"),
        ]
    assert told(NoticeKind.SEAT_OFFERED, run) == [person.account_id for person in line]
    assert counters(town, run) == (0, 0)
    assert line[0].tap(run).state is RegistrationState.CONFIRMED, "who let it go by may come again"


def test_leaving_an_offer_gives_it_to_the_next(town: Town) -> None:
    """E3: in the same transaction, so that it is never seen free."""
    run, seated, line = a_full_run(town, 2)
    seated.give_up(run)
    line[0].give_up(run)
    assert town.states(run) == ["cancelled", "cancelled", "offered"]
    declined = town.registrations(run)[1]
    assert (declined.cancelled_by, declined.offer_expires_at) == (CancelledBy.RESIDENT, None)
    assert town.why(line[1], run) == [("offered", "declined")]
    assert counters(town, run) == (1, 0)


def test_leaving_an_offer_is_never_late(town: Town, clock: town_clock.StoppedClock) -> None:
    run, seated, line = a_full_run(town, 1)
    clock.move_to(run.starts_at - 3 * AN_HOUR)
    seated.give_up(run)
    line[0].give_up(run)
    assert [row.cancelled_late for row in town.registrations(run)] == [True, False]


def test_who_leaves_at_the_moment_a_seat_becomes_free_is_not_offered_it(town: Town) -> None:
    """E3, in one batch, in both orders."""
    for leaver_first in (False, True):
        run, seated, line = a_full_run(town, 2)
        taps = [seated.leaves(run), line[0].leaves(run)]
        assert all_at_once(*(taps[::-1] if leaver_first else taps)) == [None, None]
        assert town.states(run) == ["cancelled", "cancelled", "offered"]
        assert counters(town, run) == (1, 0)


def test_who_has_not_answered_is_reminded_once_at_half_time(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    run, seated, line = a_full_run(town, 1)
    seated.give_up(run)
    offered_at = town_clock.now()
    clock.move_to(offered_at + (SATURDAY_AT_TEN_THIRTY - offered_at) / 2 - timedelta(seconds=1))
    assert town_work.remind_of_offers(town_clock.now()) == 0
    clock.advance(seconds=1)
    assert town_work.remind_of_offers(town_clock.now()) == 1
    assert town_work.remind_of_offers(town_clock.now()) == 0
    assert told(NoticeKind.OFFER_ENDING, run) == [line[0].account_id]


# --- whatever frees a seat ----------------------------------------------------------------------------------------


def more_chairs(run: CourseRun, seated: Person, clock: town_clock.StoppedClock) -> None:
    with transaction() as session:
        raise_capacity(session, run, 2)


def somebody_leaves(run: CourseRun, seated: Person, clock: town_clock.StoppedClock) -> None:
    seated.give_up(run)


def too_many_absences(run: CourseRun, seated: Person, clock: town_clock.StoppedClock) -> None:
    with transaction() as session:
        row = session.scalars(
            select(Registration).where(Registration.resident_id == seated.resident_id)
        ).one()
        take_back_for_absence(session, session.get_one(CourseRun, run.id), [row.id])


def held_ones_let_go(run: CourseRun, seated: Person, clock: town_clock.StoppedClock) -> None:
    with transaction() as session:
        raise_capacity_and_hold(session.get_one(CourseRun, run.id))
        session.flush()
        hold_seats(session, session.get_one(CourseRun, run.id), 0)


def raise_capacity_and_hold(run: CourseRun) -> None:
    """One more chair, for the counter."""
    run.capacity, run.seats_held = 2, 1


@pytest.mark.parametrize(
    ("frees", "because"),
    [
        (more_chairs, "more_seats"),
        (somebody_leaves, "given_up"),
        (too_many_absences, "absence"),
        (held_ones_let_go, "released"),
    ],
)
@pytest.mark.parametrize(("seating", "becomes"), [(OFFER, "offered"), (Seating(), "promoted")])
def test_whatever_frees_a_seat_it_goes_to_the_first_in_line_and_they_can_look_up_why(
    town: Town,
    clock: town_clock.StoppedClock,
    frees: Callable[[CourseRun, Person, town_clock.StoppedClock], None],
    because: str,
    seating: Seating,
    becomes: str,
) -> None:
    run, seated, line = a_full_run(town, 2, seating=seating)
    frees(run, seated, clock)
    assert town.states(run)[1:] == ["offered" if becomes == "offered" else "confirmed", "waitlisted"]
    assert town.why(line[0], run) == [(becomes, because)]
    assert town.why(line[1], run) == []


def test_seats_held_for_the_counter_go_to_who_waits_when_their_time_is_over(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    seating = Seating(promotion=Promotion.OFFER, seats_held=2)
    run = town.a_run(capacity=3, waitlist_limit=None, seating=seating)
    people = town.people(4)
    for person in people:
        person.tap(run)
    assert town.states(run) == ["confirmed"] + ["waitlisted"] * 3
    assert run.held_until == run.starts_at - timedelta(hours=24)
    clock.move_to(run.held_until - timedelta(seconds=1))
    assert town_work.release_seats(town_clock.now()) == 0
    clock.advance(seconds=1)
    assert town_work.release_seats(town_clock.now()) == 2
    assert town_work.release_seats(town_clock.now()) == 0
    assert town.states(run) == ["confirmed", "offered", "offered", "waitlisted"]
    assert town.why(people[2], run) == [("offered", "released")]


def test_a_seat_taken_back_for_absence_is_given_while_the_class_goes_on_only_where_nobody_is_asked(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    for seating, expected in ((OFFER, "waitlisted"), (Seating(), "confirmed")):
        run = town.a_run(capacity=1, waitlist_limit=None, seating=seating, evenings=3)
        seated, waiting = town.people(2)
        seated.tap(run)
        waiting.tap(run)
        with town_clock.stopped_at(run.starts_at + timedelta(days=8)):
            too_many_absences(run, seated, clock)
        assert town.states(run) == ["cancelled", expected]


# --- a class that is off ------------------------------------------------------------------------------------------


def test_a_class_that_is_off_ends_its_offers_and_tells_everybody_once(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    """E6: nobody keeps a seat, an offer or a place, and nothing rolls on afterwards."""
    run, seated, line = a_full_run(town, 3)
    staying = town.people(1)[0]
    with transaction() as session:
        raise_capacity(session, run, 3)
    line[0].accept(run)
    staying.tap(run)
    assert town.states(run) == ["confirmed", "confirmed", "offered", "waitlisted", "waitlisted"]
    everybody: Sequence[Person] = (seated, *line, staying)
    with transaction() as session:
        assert cancel_run(session, session.get_one(CourseRun, run.id), by=By("老师出差")) == 5
    assert set(town.states(run)) == {"cancelled"}
    assert counters(town, run) == (0, 0)
    heard = told(NoticeKind.RUN_CANCELLED, run)
    assert sorted(heard) == sorted(person.account_id or 0 for person in everybody)
    assert {row.cancelled_by for row in town.registrations(run)} == {CancelledBy.TOWN}
    assert refusal_of(lambda: line[1].accept(run)).code == "run_cancelled"
    clock.move_to(SATURDAY_AT_TEN_THIRTY)
    assert town_work.end_offers(town_clock.now()) == 0
    assert town_work.remind_of_offers(town_clock.now()) == 0


# --- held by hand -------------------------------------------------------------------------------------------------


def hold(run: CourseRun, seats: int) -> None:
    """Staff hold seats of a run that stands already."""
    with transaction() as session:
        hold_seats(session, session.get_one(CourseRun, run.id), seats)


def test_seats_staff_hold_later_are_let_go_a_day_before_the_class_too(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    run = town.a_run(capacity=2, waitlist_limit=None)
    hold(run, 1)
    for person in town.people(2):
        person.tap(run)
    assert town.states(run) == ["confirmed", "waitlisted"]
    clock.move_to(run.starts_at - timedelta(days=1, seconds=1))
    assert town_work.release_seats(town_clock.now()) == 0
    clock.advance(seconds=1)
    assert town_work.release_seats(town_clock.now()) == 1
    assert town.states(run) == ["confirmed", "confirmed"]


def test_seats_staff_hold_on_the_last_day_are_held_until_the_class_begins(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    """Also where others were held before and let go of by the town."""
    run = town.a_run(capacity=3, seating=Seating(seats_held=1))
    clock.move_to(run.starts_at - timedelta(hours=20))
    assert town_work.release_seats(town_clock.now()) == 1
    hold(run, 2)
    assert town_work.release_seats(town_clock.now()) == 0
    assert town.now(run).held_until == run.starts_at


def test_holding_fewer_holds_none_of_them_longer(town: Town, clock: town_clock.StoppedClock) -> None:
    run = town.a_run(capacity=3, seating=Seating(seats_held=3))
    clock.move_to(run.starts_at - timedelta(hours=20))
    hold(run, 2)
    assert town_work.release_seats(town_clock.now()) == 2


# --- companions ---------------------------------------------------------------------------------------------------


def test_who_does_not_fit_keeps_their_place_and_the_next_who_fits_moves_up(town: Town) -> None:
    run = town.a_run(capacity=3, waitlist_limit=None, seating=Seating(most_companions=2))
    alone, pair, three, another_pair, last = town.people(5)
    alone.tap(run)
    pair.tap(run, companions=1)
    assert three.tap(run, companions=2).position == 1
    assert another_pair.tap(run, companions=1).position == 2
    assert last.tap(run).position == 3
    alone.give_up(run)
    assert town.states(run) == ["cancelled", "confirmed", "waitlisted", "waitlisted", "confirmed"]
    assert counters(town, run) == (3, 2)
    assert three.tap(run, companions=2).position == 1
    pair.give_up(run)
    assert town.states(run)[2:] == ["waitlisted", "confirmed", "confirmed"]
    assert counters(town, run) == (3, 1)
    last.give_up(run)
    assert counters(town, run) == (2, 1)
    another_pair.give_up(run)
    assert town.states(run)[2:] == ["confirmed", "cancelled", "cancelled"]
    assert counters(town, run) == (3, 0)


def test_of_two_groups_that_each_fit_the_first_moves_up_and_the_second_stays(town: Town) -> None:
    """One look at the queue finds both; the seats are enough for one."""
    run = town.a_run(capacity=3, waitlist_limit=None, seating=Seating(most_companions=2))
    three, first, second = town.people(3)
    three.tap(run, companions=2)
    first.tap(run, companions=1)
    second.tap(run, companions=1)
    three.give_up(run)
    assert town.states(run) == ["cancelled", "confirmed", "waitlisted"]
    assert counters(town, run) == (2, 1)


def test_who_fits_sits_beside_a_group_that_does_not(town: Town) -> None:
    """No seat stands idle beside somebody who could sit on it."""
    run = town.a_run(capacity=3, waitlist_limit=None, seating=Seating(most_companions=2))
    pair, three, single = town.people(3)
    pair.tap(run, companions=1)
    assert three.tap(run, companions=2).position == 1
    assert single.tap(run).state is RegistrationState.CONFIRMED
    assert counters(town, run) == (3, 1)


def test_a_receipt_says_the_place_somebody_had_in_the_queue(town: Town) -> None:
    run = town.a_run(capacity=2, waitlist_limit=None, seating=Seating(most_companions=1))
    alone, other, pair, next_in_line = town.people(4)
    alone.tap(run)
    other.tap(run)
    pair.tap(run, companions=1)
    next_in_line.tap(run)
    alone.give_up(run)
    assert place_told(next_in_line, run) == 2, "a pair stood before them and did not fit"


def place_told(person: Person, run: CourseRun) -> int:
    """Which place in the queue the receipt of somebody's rising names."""
    with reading() as session:
        (receipt,) = receipts_of(session, [person.resident_id], run_key=run.key, before_id=None, most=None)
    assert receipt.facts is not None
    assert f"候补第 {receipt.facts['place']} 位" in receipt.says
    return int(receipt.facts["place"])


def test_an_offer_holds_the_seats_of_a_whole_group(town: Town, clock: town_clock.StoppedClock) -> None:
    seating = Seating(promotion=Promotion.OFFER, most_companions=2)
    run = town.a_run(capacity=3, waitlist_limit=None, seating=seating)
    three, pair, single = town.people(3)
    three.tap(run, companions=2)
    pair.tap(run, companions=1)
    single.tap(run)
    three.give_up(run)
    assert town.states(run) == ["cancelled", "offered", "offered"]
    assert counters(town, run) == (3, 0)
    pair.accept(run)
    clock.move_to(SATURDAY_AT_TEN_THIRTY)
    assert town_work.end_offers(town_clock.now()) == 1
    assert counters(town, run) == (2, 0)


def test_an_offer_a_group_lets_go_by_frees_the_seats_of_all_of_them(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    seating = Seating(promotion=Promotion.OFFER, most_companions=2)
    run = town.a_run(capacity=3, waitlist_limit=None, seating=seating)
    seated, three, *singles = town.people(5)
    seated.tap(run, companions=2)
    three.tap(run, companions=2)
    for person in singles:
        person.tap(run)
    seated.give_up(run)
    assert town.states(run)[1:] == ["offered", "waitlisted", "waitlisted", "waitlisted"]
    clock.move_to(SATURDAY_AT_TEN_THIRTY)
    assert town_work.end_offers(town_clock.now()) == 1
    assert town.states(run)[1:] == ["cancelled", "offered", "offered", "offered"]
    assert counters(town, run) == (3, 0)


@pytest.mark.parametrize(("most", "brings"), [(0, 1), (2, 3)])
def test_nobody_brings_more_than_they_may(town: Town, most: int, brings: int) -> None:
    run = town.a_run(seating=Seating(most_companions=most))
    refusal = refusal_of(partial(town.resident.tap, run, companions=brings))
    assert (refusal.code, refusal.details) == ("too_many_companions", {"most": most})


def test_a_refused_acceptance_leaves_a_receipt(town: Town) -> None:
    run, _, line = a_full_run(town, 1)
    for _ in range(2):
        (answer,) = all_at_once(line[0].accepting(run))
        assert isinstance(answer, Refusal)
    assert town.why(line[0], run) == [("refused", "no_offer")]


def test_nobody_is_reminded_of_an_offer_that_is_over(town: Town, clock: town_clock.StoppedClock) -> None:
    """Also before the town wrote down that it is."""
    run, seated, _ = a_full_run(town, 1)
    seated.give_up(run)
    clock.move_to(SATURDAY_AT_TEN_THIRTY)
    assert town_work.remind_of_offers(town_clock.now()) == 0
    assert told(NoticeKind.OFFER_ENDING, run) == []


def test_reminders_are_owed_run_by_run(town: Town, clock: town_clock.StoppedClock) -> None:
    """Each run by itself: an offer of one is not the other's."""
    first, second = (a_full_run(town, 1) for _ in range(2))
    for run, seated, _ in (first, second):
        seated.give_up(run)
    clock.move_to(SATURDAY_AT_TEN_THIRTY - AN_HOUR)
    assert town_work.remind_of_offers(town_clock.now()) == 2
    for run, _, line in (first, second):
        assert told(NoticeKind.OFFER_ENDING, run) == [line[0].account_id]


def test_held_seats_whose_time_was_put_off_meanwhile_stay_held(town: Town) -> None:
    run = town.a_run(seating=Seating(seats_held=2))
    with transaction() as session:
        assert release_seats(session, run.key) == 0
    assert town.now(run).seats_held == 2
