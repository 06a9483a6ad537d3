"""Staff move an evening, call it off, or call a whole class off: room, people and news go together or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import (
    Admission,
    Audience,
    By,
    CourseRun,
    Promotion,
    RegistrationState,
    RunPhase,
    RunState,
    Seating,
    SessionPhase,
    SessionState,
    cancel_run,
    cancel_session,
    move_session,
    publish,
    published_run,
)
from models.courses.registrations import CancelledBy
from models.errors import Invalid, NotFound, Refusal
from models.journal import JournalEntry
from models.ladder.short_messages import ShortMessage
from models.notices import Notice, NoticeKind
from models.occupancy import Occupancy
from models.sites import Venue
from models.truth import still_true
from tests.people import FIRST_EVENING, Person, Town, a_venue

WEEK, DAY, LESSON = timedelta(weeks=1), timedelta(days=1), timedelta(minutes=90)
WHY = By("老师出差")


def move(
    run: CourseRun,
    *,
    by: timedelta = DAY,
    evening: int = 0,
    venue: Venue | None = None,
    even_so: bool = False,
) -> int:
    """Move one evening, in a transaction of its own."""
    with transaction() as session:
        meeting = session.get_one(CourseRun, run.id).sessions[evening]
        return move_session(
            session,
            meeting,
            starts_at=meeting.starts_at + by,
            ends_at=meeting.ends_at + by,
            venue=session.get_one(Venue, venue.id) if venue else meeting.venue,
            by=WHY,
            even_so=even_so,
        )


def call_off(run: CourseRun, *, evening: int = 0) -> int:
    with transaction() as session:
        return cancel_session(session, session.get_one(CourseRun, run.id).sessions[evening], by=WHY)


def cancel(run: CourseRun) -> int:
    with transaction() as session:
        return cancel_run(session, session.get_one(CourseRun, run.id), by=WHY)


def code_of(deed: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as refusal:
        deed()
    return refusal.value.code


def told(kind: NoticeKind, person: Person) -> list[Notice]:
    with reading() as session:
        return list(
            session.scalars(
                select(Notice)
                .where(Notice.kind == kind, Notice.account_id == person.account_id)
                .order_by(Notice.id)
            )
        )


def held(session: Session, run: CourseRun) -> set[tuple[str, str]]:
    """What the rooms say: which evening is held when."""
    keys = [meeting.key for meeting in run.sessions]
    rows = session.scalars(select(Occupancy).where(Occupancy.holder_key.in_(keys)))
    return {(row.holder_key, row.starts_at.isoformat()) for row in rows}


def test_an_evening_moves_with_its_room_and_everybody_is_told(town: Town) -> None:
    run = town.a_run(capacity=1, evenings=2)
    town.resident.tap(run)
    town.neighbour.tap(run)
    assert move(run) == 2
    now = town.now(run)
    moved = now.sessions[0]
    assert (moved.starts_at, moved.moved_from, moved.phase) == (
        FIRST_EVENING + DAY,
        FIRST_EVENING,
        SessionPhase.MOVED,
    )
    assert (now.starts_at, now.closes_at, now.ends_at) == (
        FIRST_EVENING + DAY,
        FIRST_EVENING + DAY,
        FIRST_EVENING + WEEK + LESSON,
    )
    with reading() as session:
        assert held(session, now) == {(one.key, one.starts_at.isoformat()) for one in now.sessions}
        (entry,) = session.scalars(select(JournalEntry).where(JournalEntry.act == "course_session.moved"))
        assert (entry.details or {})["because"] == "老师出差"
    for person in (town.resident, town.neighbour):
        (notice,) = told(NoticeKind.CLASS_MOVED, person)
        assert "老师出差" in notice.body
        assert notice.keyword_values()["phrase2"] == "时间调整"
        assert notice.due_at == town_clock.now()


def test_moving_to_where_it_is_tells_nobody(town: Town) -> None:
    run = town.a_run()
    town.resident.tap(run)
    assert move(run, by=timedelta(0)) == 0
    assert told(NoticeKind.CLASS_MOVED, town.resident) == []


def test_another_room_lets_the_old_one_go(town: Town) -> None:
    run = town.a_run()
    town.resident.tap(run)
    with transaction() as session:
        room = a_venue(session, town.wutong)
    move(run, by=timedelta(0), venue=room)
    with reading() as session:
        (space,) = session.scalars(select(Occupancy.space_id))
        assert [one.id for one in session.get_one(Venue, room.id).spaces] == [space]
    (notice,) = told(NoticeKind.CLASS_MOVED, town.resident)
    assert notice.keyword_values()["phrase2"] == "更换教室"


def test_into_a_room_that_is_taken_nothing_moves(town: Town) -> None:
    with transaction() as session:
        room = a_venue(session, town.wutong)
    mine, theirs = town.a_run(), town.a_run(venue=room, starts_at=FIRST_EVENING)
    town.resident.tap(mine)
    assert code_of(lambda: move(mine, by=timedelta(0), venue=room)) == "room_taken"
    assert town.now(mine).sessions[0].venue_id == mine.sessions[0].venue_id
    assert told(NoticeKind.CLASS_MOVED, town.resident) == []
    assert town.now(theirs).sessions[0].venue_id == room.id


def test_a_teacher_does_not_teach_twice_at_once(town: Town) -> None:
    first = town.a_run(teacher="周老师")
    town.a_run(teacher="周老师", starts_at=FIRST_EVENING + DAY)
    assert code_of(lambda: move(first)) == "teacher_taken"


def test_onto_a_learners_other_class_only_when_staff_want_it_all_the_same(town: Town) -> None:
    """E7"""
    run, other = town.a_run(), town.a_run(starts_at=FIRST_EVENING + DAY)
    for one in (run, other):
        town.resident.tap(one)
    assert code_of(lambda: move(run)) == "learners_clash"
    assert town.now(run).starts_at == FIRST_EVENING
    assert move(run, even_so=True) == 1


@pytest.mark.parametrize(
    ("by", "code"),
    [(-timedelta(days=60), "invalid"), (WEEK, "invalid"), (-timedelta(days=13, hours=9), "invalid")],
)
def test_times_that_cannot_be_are_refused(town: Town, by: timedelta, code: str) -> None:
    """In the past, on another evening of the same run, before registration opens."""
    run = town.a_run(evenings=2)
    with pytest.raises(Invalid) as refusal:
        move(run, by=by)
    assert {fault.field for fault in refusal.value.faults} == {"starts_at"}
    assert refusal.value.code == code


def test_what_has_begun_or_was_called_off_stays(town: Town, clock: StoppedClock) -> None:
    run = town.a_run(evenings=3)
    call_off(run, evening=1)
    assert call_off(run, evening=1) == 0
    assert code_of(lambda: move(run, evening=1)) == "session_not_movable"
    clock.move_to(FIRST_EVENING)
    assert code_of(lambda: move(run)) == "session_not_movable"
    assert code_of(lambda: call_off(run)) == "session_not_movable"
    clock.move_to(FIRST_EVENING + LESSON)
    assert [one.phase for one in town.now(run).sessions] == [
        SessionPhase.HELD,
        SessionPhase.CANCELLED,
        SessionPhase.PLANNED,
    ]


def test_one_evening_is_called_off_and_the_rest_stands(town: Town) -> None:
    run = town.a_run(evenings=2)
    town.resident.tap(run)
    assert call_off(run) == 1
    now = town.now(run)
    assert (now.starts_at, now.state) == (FIRST_EVENING + WEEK, RunState.PUBLISHED)
    assert town.states(run) == ["confirmed"]
    assert len(told(NoticeKind.CLASS_CALLED_OFF, town.resident)) == 1
    assert code_of(lambda: call_off(run, evening=1)) == "last_session"


def test_a_run_is_called_off_with_everybody_in_it(town: Town) -> None:
    """E6"""
    run = town.a_run(capacity=2, evenings=2, seating=Seating(seats_held=1))
    town.resident.tap(run)
    town.neighbour.tap(run)
    assert cancel(run) == 2
    assert cancel(run) == 0
    now = town.now(run)
    assert (now.phase, now.seats_taken, now.waiting, now.seats_held) == (RunPhase.CANCELLED, 0, 0, 0)
    assert (now.cancelled_because, now.cancelled_at) == ("老师出差", town_clock.now())
    assert {one.state for one in now.sessions} == {SessionState.CANCELLED}
    for registration in town.registrations(run):
        assert (registration.state, registration.cancelled_by) == (
            RegistrationState.CANCELLED,
            CancelledBy.TOWN,
        )
        assert not registration.cancelled_late
    with reading() as session:
        assert held(session, now) == set()
        acts = session.scalars(select(JournalEntry.act)).all()
    assert (acts.count("registration.ended"), acts.count("course_run.cancelled")) == (2, 1)
    assert acts.count("registration.promoted") == 0, "nobody moves up in a class that is off"
    for person in (town.resident, town.neighbour):
        assert len(told(NoticeKind.RUN_CANCELLED, person)) == 1
    assert code_of(lambda: town.outsider.tap(run)) == "run_cancelled"
    with transaction() as session:
        assert code_of(lambda: publish(session, session.get_one(CourseRun, run.id))) == "run_cancelled"


def test_evenings_that_were_held_stay_held(town: Town, clock: StoppedClock) -> None:
    run = town.a_run(evenings=2)
    town.resident.tap(run)
    clock.move_to(FIRST_EVENING + DAY)
    cancel(run)
    assert [one.phase for one in town.now(run).sessions] == [SessionPhase.HELD, SessionPhase.CANCELLED]
    clock.move_to(FIRST_EVENING + 2 * WEEK)
    over = town.a_run(starts_at=FIRST_EVENING + 3 * WEEK)
    clock.move_to(FIRST_EVENING + 4 * WEEK)
    assert code_of(lambda: cancel(over)) == "run_finished"


def test_giving_up_what_was_changed_under_ones_feet_is_not_late(town: Town, clock: StoppedClock) -> None:
    run = town.a_run()
    for person in (town.resident, town.neighbour):
        person.tap(run)
    clock.move_to(FIRST_EVENING - timedelta(hours=3))
    town.neighbour.give_up(run)
    move(run, by=timedelta(hours=3))
    clock.advance(minutes=5)
    town.outsider.tap(run)
    town.resident.give_up(run)
    town.outsider.give_up(run)
    late = {r.resident_id: r.cancelled_late for r in town.registrations(run)}
    assert late == {
        town.neighbour.resident_id: True,
        town.resident.resident_id: False,
        town.outsider.resident_id: True,
    }


def test_who_has_no_wechat_is_told_by_the_next_rung(town: Town) -> None:
    run = town.a_run()
    town.helper.tap(run, for_whom=town.elder)
    assert cancel(run) == 1
    assert len(told(NoticeKind.RUN_CANCELLED, town.helper)) == 1
    with reading() as session:
        kinds = session.scalars(select(ShortMessage.kind).order_by(ShortMessage.id)).all()
    assert NoticeKind.RUN_CANCELLED not in kinds, "the helper hears it for her"


def test_news_that_is_no_longer_so_is_not_sent(town: Town) -> None:
    run = town.a_run(evenings=2)
    town.resident.tap(run)
    move(run)
    (first,) = told(NoticeKind.CLASS_MOVED, town.resident)
    with reading() as session:
        assert still_true(session, [first]) == {first.id}
    move(run)
    (_, second) = told(NoticeKind.CLASS_MOVED, town.resident)
    cancel(run)
    (third,) = told(NoticeKind.RUN_CANCELLED, town.resident)
    with reading() as session:
        assert still_true(session, [first, second, third]) == {third.id}


def test_calling_off_the_last_evening_ahead_is_still_news(town: Town, clock: StoppedClock) -> None:
    run = town.a_run(evenings=2)
    town.resident.tap(run)
    clock.move_to(FIRST_EVENING + DAY)
    assert call_off(run, evening=1) == 1
    assert town.now(run).phase is RunPhase.FINISHED
    news = told(NoticeKind.CLASS_CALLED_OFF, town.resident)
    with reading() as session:
        assert still_true(session, news) == {news[0].id}


def test_of_two_rooms_one_after_the_other_only_the_last_is_true(town: Town, clock: StoppedClock) -> None:
    run = town.a_run()
    town.resident.tap(run)
    with transaction() as session:
        rooms = [a_venue(session, town.wutong) for _ in range(2)]
    for room in rooms:
        clock.move_to(town_clock.now() + timedelta(minutes=2))
        move(run, by=timedelta(), venue=room)
    first, second = told(NoticeKind.CLASS_MOVED, town.resident)
    with reading() as session:
        assert still_true(session, [first, second]) == {second.id}


def test_what_was_called_off_before_its_hour_never_appears(town: Town, clock: StoppedClock) -> None:
    run = town.a_run(published=False)
    with transaction() as session:
        publish(session, session.get_one(CourseRun, run.id), at=town_clock.now() + DAY)
    cancel(run)
    clock.move_to(town_clock.now() + 2 * DAY)
    with reading() as session, pytest.raises(NotFound):
        published_run(session, run.key)


def test_a_seat_names_the_room_of_the_evening_that_stands(town: Town) -> None:
    """One evening was called off, and another one moved to its hour, in another room."""
    run = town.a_run(evenings=2)
    with transaction() as session:
        other = a_venue(session, town.wutong, name="书画室")
    call_off(run, evening=1)
    move(run, by=WEEK, evening=0, venue=other)
    town.resident.tap(run)
    (notice,) = told(NoticeKind.REGISTRATION_CONFIRMED, town.resident)
    assert str(notice.facts["place"]).startswith("书画室")


# --- a class that comes forward -----------------------------------------------------------------------------------


def test_no_offer_outlasts_the_start_of_a_class_that_comes_forward(town: Town, clock: StoppedClock) -> None:
    """Whom it shortens is told anew, and the old word is not sent any more."""
    run = town.a_run(
        capacity=1, starts_at=FIRST_EVENING + DAY, evenings=1, seating=Seating(promotion=Promotion.OFFER)
    )
    seated, offered = town.people(2)
    seated.tap(run)
    offered.tap(run)
    clock.move_to(FIRST_EVENING - timedelta(hours=8))
    seated.give_up(run)
    before = town.registrations(run)[1].offer_expires_at
    move(run, by=-DAY)
    now = town.now(run)
    assert before is not None
    assert before > now.starts_at == FIRST_EVENING
    assert town.registrations(run)[1].offer_expires_at == FIRST_EVENING
    old, new = told(NoticeKind.SEAT_OFFERED, offered)
    with reading() as session:
        assert still_true(session, [old, new]) == {new.id}
    clock.move_to(FIRST_EVENING)
    assert code_of(lambda: offered.accept(run)) == "offer_expired"


def test_an_offer_that_ends_before_the_class_anyway_stands_as_it_was(town: Town) -> None:
    run = town.a_run(capacity=1, starts_at=FIRST_EVENING + DAY, seating=Seating(promotion=Promotion.OFFER))
    seated, offered = town.people(2)
    seated.tap(run)
    offered.tap(run)
    seated.give_up(run)
    before = town.registrations(run)[1].offer_expires_at
    move(run, by=-DAY)
    assert town.registrations(run)[1].offer_expires_at == before
    assert len(told(NoticeKind.SEAT_OFFERED, offered)) == 1


def test_held_seats_are_let_go_as_long_before_a_class_that_comes_forward(town: Town) -> None:
    run = town.a_run(starts_at=FIRST_EVENING + DAY, seating=Seating(seats_held=2))
    move(run, by=-DAY)
    assert town.now(run).held_until == FIRST_EVENING - DAY
    move(run, by=DAY)
    assert town.now(run).held_until == FIRST_EVENING - DAY, "who was told a day keeps it"


def test_no_class_comes_forward_to_before_its_draw(town: Town) -> None:
    by_lot = Seating(admission=Admission.DRAW, draws_at=FIRST_EVENING)
    run = town.a_run(starts_at=FIRST_EVENING + DAY, seating=by_lot)
    assert code_of(lambda: move(run, by=-DAY)) == "invalid"
    assert town.now(run).starts_at == FIRST_EVENING + DAY


def test_the_adult_of_a_pair_has_other_classes_too(town: Town) -> None:
    """E7: who comes along with a child cannot be in two places either, be it alone or with another child."""
    alone = town.a_run(starts_at=FIRST_EVENING)
    pairs = town.a_run(starts_at=FIRST_EVENING + DAY, audience=Audience.PAIR)
    town.guardian.tap(alone)
    town.guardian.tap(pairs, for_whom=town.child)
    assert code_of(lambda: move(pairs, by=-DAY)) == "learners_clash"
    assert code_of(lambda: move(alone, by=DAY)) == "learners_clash"
    assert move(pairs, by=-DAY, even_so=True) == 1
