"""What meets when seats are offered, drawn and limited: expiry, promotion, a second phone, a class that moves. With the controls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from models import clock as town_clock
from models import committer
from models.base import db, reading, transaction
from models.committer import Committer
from models.courses import (
    Admission,
    By,
    CourseRun,
    Evening,
    Promotion,
    QuestionKind,
    QuestionPlan,
    Registration,
    RegistrationState,
    Seating,
    Standing,
    Tap,
    admit,
    answer_questions,
    ask_questions,
    decide,
    draw,
    hold_seats,
    merge_run,
    move_session,
    publish,
    questions_of,
    revise_run,
    seats,
    take_answers_back,
)
from models.courses.seats import giving, limits
from models.courses.seats.giving_up import give_up
from models.errors import Refusal
from models.notices import Notice, NoticeKind
from server.jobs import seats as town_work
from tests.people import FIRST_EVENING, Person, Town, plan_as_it_stands, raise_capacity
from tests.races.rush import a_tap_that_stops, meanwhile, must_be_whole, rush, until_somebody_waits_for_a_lock

OFFER = Seating(promotion=Promotion.OFFER)
DRAWS_AT = FIRST_EVENING - timedelta(days=3)
PATIENCE = 30


def told(kind: NoticeKind) -> list[int]:
    """The accounts that are owed a notice of this kind."""
    with reading() as session:
        return sorted(session.scalars(select(Notice.account_id).where(Notice.kind == kind)))


def holding_one(run: CourseRun, people: list[Person], town: Town) -> list[Person]:
    """Who of these has a seat or is offered one."""
    having = {row.resident_id for row in town.registrations(run) if row.state in ("confirmed", "offered")}
    return [person for person in people if person.resident_id in having]


# --- an offer -----------------------------------------------------------------------------------------------------


def test_an_offer_is_accepted_while_it_ends(town: Town, app: Flask, clock: town_clock.StoppedClock) -> None:
    """E4: it is theirs or the next one's, never both, and never nobody's."""
    for _ in range(6):
        run = town.a_run(capacity=1, waitlist_limit=None, seating=OFFER)
        seated, first, second = town.people(3)
        for person in (seated, first, second):
            person.tap(run)
        seated.give_up(run)
        ends = town.registrations(run)[1].offer_expires_at
        assert ends is not None
        clock.move_to(ends - timedelta(seconds=1))

        def time_is_up(after: timedelta) -> int:
            clock.advance(seconds=int(after.total_seconds()))
            return town_work.end_offers(town_clock.now())

        deeds: list[Callable[[], object]] = [
            partial(first.accept, run),
            partial(time_is_up, timedelta(seconds=2)),
            partial(first.accept, run),
        ]
        accepted, ended, again = rush(app, deeds)
        must_be_whole(run)
        took = isinstance(accepted, Standing) or isinstance(again, Standing)
        assert isinstance(ended, int)
        assert town.states(run)[1:] == (["confirmed", "waitlisted"] if took else ["cancelled", "offered"])
        for answer in (accepted, again):
            assert isinstance(answer, Standing) or getattr(answer, "code", answer) == "offer_expired"


def test_two_workers_end_one_offer_once(town: Town, app: Flask, clock: town_clock.StoppedClock) -> None:
    run = town.a_run(capacity=1, waitlist_limit=None, seating=OFFER)
    people = town.people(4)
    for person in people:
        person.tap(run)
    people[0].give_up(run)
    clock.advance(hours=24)
    answers = rush(app, [lambda: town_work.end_offers(town_clock.now())] * 4)
    assert sorted(answers, key=str) == [0, 0, 0, 1]
    assert town.states(run) == ["cancelled", "cancelled", "offered", "waitlisted"]
    must_be_whole(run)


def test_two_workers_remind_of_one_offer_once(town: Town, app: Flask, clock: town_clock.StoppedClock) -> None:
    run = town.a_run(capacity=1, waitlist_limit=None, seating=OFFER)
    seated, offered = town.people(2)
    seated.tap(run)
    offered.tap(run)
    seated.give_up(run)
    clock.advance(hours=20)
    answers = rush(app, [lambda: town_work.remind_of_offers(town_clock.now())] * 4)
    assert sorted(answers, key=str) == [0, 0, 0, 1]
    assert told(NoticeKind.OFFER_ENDING) == [offered.account_id]


@pytest.mark.parametrize("seating", [OFFER, Seating()])
def test_giving_up_meets_more_chairs_and_fewer_held(town: Town, app: Flask, seating: Seating) -> None:
    """E3: whatever frees seats at one moment, each goes to one person, in the order of waiting."""
    run = town.a_run(capacity=3, waitlist_limit=None, seating=seating)
    people = town.people(10)
    for person in people:
        person.tap(run)

    def more() -> None:
        with transaction() as session:
            raise_capacity(session, run, 4)

    def hold(seats: int) -> None:
        with transaction() as session:
            hold_seats(session, session.get_one(CourseRun, run.id), seats)

    deeds: list[Callable[[], object]] = [
        partial(people[0].give_up, run),
        more,
        partial(people[3].give_up, run),
        partial(hold, 1),
        partial(people[1].give_up, run),
        partial(hold, 0),
    ]
    answers = rush(app, deeds)
    assert {getattr(answer, "code", answer) for answer in answers} <= {None, "not_enough_seats"}
    must_be_whole(run)
    now = town.now(run)
    assert now.seats_taken + now.seats_held == 4


# --- capacity -----------------------------------------------------------------------------------------------------


def test_fewer_chairs_than_people_sit_on_are_refused_by_the_table_itself(town: Town) -> None:
    """Control: a path that lowers the number without looking is loud, with held seats too."""
    run = town.a_run(capacity=3)
    for person in town.people(2):
        person.tap(run)
    for capacity, held in ((1, 0), (2, 1), (3, 2)):
        lower = update(CourseRun).where(CourseRun.id == run.id).values(capacity=capacity, seats_held=held)
        with transaction() as session, pytest.raises(IntegrityError):
            session.execute(lower)
    must_be_whole(run)


def test_a_correction_waits_for_the_tap_that_takes_the_seat_it_would_take_away(
    town: Town, app: Flask, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And refuses in words what the table would only fail at."""
    run = town.a_run(capacity=2)
    first, second = town.people(2)
    first.tap(run)

    def fewer_chairs() -> object:
        with transaction() as session:
            mine = session.get_one(CourseRun, run.id)
            return revise_run(session, mine, replace(plan_as_it_stands(mine), capacity=1))

    with a_tap_that_stops(monkeypatch, "write_counters", done=True) as (stands_there, may_go_on):
        tapping, tapped = meanwhile(app, partial(second.tap, run))
        assert stands_there.wait(PATIENCE)
        correcting, answers = meanwhile(app, fewer_chairs)
        if engine_name == "postgresql":  # on SQLite whoever writes waits for its turn
            until_somebody_waits_for_a_lock()
        may_go_on.set()
        for thread in (tapping, correcting):
            thread.join(PATIENCE)
    (standing,), (refusal,) = tapped, answers
    assert isinstance(standing, Standing)
    assert getattr(refusal, "code", refusal) == "run_has_learners"
    assert (town.now(run).capacity, town.now(run).seats_taken) == (2, 2)


def test_seats_are_held_while_people_tap(town: Town, app: Flask) -> None:
    run = town.a_run(capacity=4, waitlist_limit=None)

    def hold() -> None:
        with transaction() as session:
            hold_seats(session, session.get_one(CourseRun, run.id), 2)

    deeds: list[Callable[[], object]] = [partial(person.tap, run) for person in town.people(6)]
    answers = rush(app, [*deeds, hold])
    must_be_whole(run)
    refused = [answer.code for answer in answers if isinstance(answer, Refusal)]
    now = town.now(run)
    assert (now.seats_taken, now.seats_held) in {(2, 2), (3, 0), (4, 0)} | ({(3, 0)} if refused else set())
    assert refused in ([], ["not_enough_seats"])
    assert bool(refused) == (now.seats_held == 0)


# --- the last allowed course --------------------------------------------------------------------------------------


def two_phones_at_the_last_course(town: Town, app: Flask) -> list[str]:
    """One person with one course taps two others through two committers at once; what each tap comes to."""
    town.is_as_strict_as_others()
    town.resident.tap(town.a_run())
    runs = [town.a_run(), town.a_run()]
    committers: list[Committer[Tap, Standing | None]] = [Committer(db.engine, decide) for _ in runs]
    taps = [town.resident.wants(run) for run in runs]
    deeds = [partial(committer.ask, tap) for committer, tap in zip(committers, taps, strict=True)]
    answers = rush(app, deeds)
    return sorted(
        answer.state.value if isinstance(answer, Standing) else str(getattr(answer, "code", answer))
        for answer in answers
    )


def test_two_phones_of_one_person_take_the_last_allowed_course_once(town: Town, app: Flask) -> None:
    """E5: two runs, so no lock of a run keeps them apart: the person is held."""
    assert two_phones_at_the_last_course(town, app) == ["confirmed", "too_many_runs"]


def test_without_holding_the_person_two_phones_take_one_course_too_many(
    town: Town, app: Flask, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: both look before either has written. SQLite has one writer, so there the second looks afterwards."""
    looked = threading.Barrier(2)

    def looking(*given: Any) -> Any:
        grounds = look_into(*given)
        if len(given[1]) == 1 and looking_together.is_set():
            looked.wait(PATIENCE)
        return grounds

    look_into, looking_together = limits.look_into, threading.Event()
    monkeypatch.setattr(giving, "hold_people", lambda *given: None)
    monkeypatch.setattr(giving, "look_into", looking)
    if engine_name == "sqlite":
        assert two_phones_at_the_last_course(town, app) == ["confirmed", "too_many_runs"]
        return
    town.is_as_strict_as_others()
    has, *runs = (town.a_run() for _ in range(3))
    town.resident.tap(has)
    looking_together.set()
    committers: list[Committer[Tap, Standing | None]] = [Committer(db.engine, decide) for _ in runs]
    deeds = [
        partial(committer.ask, town.resident.wants(run))
        for committer, run in zip(committers, runs, strict=True)
    ]
    answers = rush(app, deeds)
    states = [answer.state for answer in answers if isinstance(answer, Standing)]
    assert states == [RegistrationState.CONFIRMED] * 2


# --- a draw -------------------------------------------------------------------------------------------------------


def test_a_run_is_drawn_once_however_many_draw(
    town: Town, app: Flask, clock: town_clock.StoppedClock
) -> None:
    run = town.a_run(capacity=3, seating=Seating(admission=Admission.DRAW, draws_at=DRAWS_AT))
    people = town.people(8)
    for person in people:
        person.tap(run)
    clock.move_to(DRAWS_AT)

    def draw_it() -> str:
        with transaction() as session:
            return draw(session, session.get_one(CourseRun, run.id)).seed

    deeds: list[Callable[[], object]] = [partial(person.tap, run) for person in town.people(2)]
    deeds[1:1] = [draw_it] * 4
    seeds = rush(app, deeds)[1:5]
    assert isinstance(seeds[0], str)
    assert len(set(seeds)) == 1
    assert sorted(row.rank for row in town.registrations(run) if row.rank) == list(range(1, 9))
    assert len(told(NoticeKind.SELECTED)) == 3
    must_be_whole(run)


# --- a class that moves -------------------------------------------------------------------------------------------


def move_to_first_evening(run: CourseRun) -> int:
    """Staff move a class of one evening, where nobody is hurt by it."""
    with transaction() as session:
        meeting = session.get_one(CourseRun, run.id).sessions[0]
        return move_session(
            session,
            meeting,
            starts_at=FIRST_EVENING,
            ends_at=FIRST_EVENING + timedelta(minutes=90),
            venue=meeting.venue,
            by=By("教室停电"),
        )


def test_a_class_moves_while_people_of_another_one_tap_on_it(town: Town, app: Flask) -> None:
    for _ in range(4):
        there = town.a_run(starts_at=FIRST_EVENING)
        moves = town.a_run(starts_at=FIRST_EVENING + timedelta(days=40))
        person = town.people(1)[0]
        person.tap(there)
        deeds: list[Callable[[], object]] = [
            partial(person.tap, moves),
            partial(move_to_first_evening, moves),
        ]
        tapped, moved = rush(app, deeds)
        assert isinstance(tapped, Standing) != isinstance(moved, int)
        refusal = moved if isinstance(tapped, Standing) else tapped
        assert getattr(refusal, "code", refusal) in {"learners_clash", "time_clash"}
        must_be_whole(moves)


def meets_a_tap(
    app: Flask,
    engine_name: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    tap: Callable[[], object],
    deed: Callable[[], object],
) -> tuple[object, object]:
    """What becomes of a tap that has looked at what its learner has elsewhere, and of a deed of the staff that comes just then."""
    has_looked, may_go_on = threading.Event(), threading.Event()
    look_into = limits.look_into

    def looking(*given: Any) -> Any:
        grounds = look_into(*given)
        has_looked.set()
        assert may_go_on.wait(PATIENCE)
        return grounds

    monkeypatch.setattr(giving, "look_into", looking)
    tapping, tapped = meanwhile(app, tap)
    assert has_looked.wait(PATIENCE)
    doing, done = meanwhile(app, deed)
    if engine_name == "postgresql":  # on SQLite whoever writes waits for its turn
        until_somebody_waits_for_a_lock()
    may_go_on.set()
    for thread in (tapping, doing):
        thread.join(PATIENCE)
    (standing,), (answer,) = tapped, done
    return standing, answer


def test_a_class_moves_onto_the_one_its_learner_is_just_taking(
    town: Town, app: Flask, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E7: two runs, so no lock of a run keeps them apart: whoever moves holds the learners, and looks at what they have then."""
    moves = town.a_run(starts_at=FIRST_EVENING + timedelta(days=40))
    wanted = town.a_run(starts_at=FIRST_EVENING)
    town.resident.tap(moves)
    standing, refusal = meets_a_tap(
        app,
        engine_name,
        monkeypatch,
        tap=partial(town.resident.tap, wanted),
        deed=partial(move_to_first_evening, moves),
    )
    assert isinstance(standing, Standing)
    assert getattr(refusal, "code", refusal) == "learners_clash"


def test_a_class_gets_an_evening_its_learner_is_just_taking_another_class_in(
    town: Town, app: Flask, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E7, by a corrected plan."""
    grows, wanted = (
        town.a_run(starts_at=FIRST_EVENING),
        town.a_run(starts_at=FIRST_EVENING + timedelta(days=7)),
    )
    town.resident.tap(grows)

    def a_week_more() -> object:
        with transaction() as session:
            run = session.get_one(CourseRun, grows.id)
            (first,) = run.sessions
            evenings = [
                Evening(first.starts_at + week, first.ends_at + week, first.venue)
                for week in (timedelta(0), timedelta(days=7))
            ]
            return revise_run(session, run, replace(plan_as_it_stands(run), evenings=evenings))

    standing, refusal = meets_a_tap(
        app, engine_name, monkeypatch, tap=partial(town.resident.tap, wanted), deed=a_week_more
    )
    assert isinstance(standing, Standing)
    assert getattr(refusal, "code", refusal) == "run_has_learners"
    assert len(town.now(grows).sessions) == 1


def test_two_classes_are_put_together_at_the_hour_their_learner_is_just_taking_another(
    town: Town, app: Flask, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E7, by a merger."""
    next_week = FIRST_EVENING + timedelta(days=7)
    run, into = town.a_run(title="摄影"), town.a_run(title="摄影", starts_at=next_week)
    wanted = town.a_run(starts_at=next_week)
    town.resident.tap(run)

    def put_together() -> int:
        with transaction() as session:
            one, other = (session.get_one(CourseRun, each.id) for each in (run, into))
            return merge_run(session, one, other, by=By("人数不够"))

    standing, refusal = meets_a_tap(
        app, engine_name, monkeypatch, tap=partial(town.resident.tap, wanted), deed=put_together
    )
    assert isinstance(standing, Standing)
    assert getattr(refusal, "code", refusal) == "learners_clash"
    assert (town.states(run), town.states(into)) == (["confirmed"], [])


# --- answers ------------------------------------------------------------------------------------------------------


def test_nobody_takes_back_the_answers_their_tap_has_just_relied_on(
    town: Town, app: Flask, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = town.a_run(published=False)
    with transaction() as session:
        mine, oneself = session.get_one(CourseRun, run.id), town.resident.resident(session)
        ask_questions(session, mine, [QuestionPlan(QuestionKind.NUMBER, "学过几年", is_required=True)])
        publish(session, mine)
        said = {question.key: 3 for question in questions_of(session, mine)}
        answer_questions(session, mine, oneself, said, by_account_id=town.resident.account_id)

    def think_better_of_it() -> None:
        with transaction() as session:
            stored, oneself = session.get_one(CourseRun, run.id), town.resident.resident(session)
            take_answers_back(session, stored, oneself, by_account_id=town.resident.account_id)

    standing, refusal = meets_a_tap(
        app, engine_name, monkeypatch, tap=partial(town.resident.tap, run), deed=think_better_of_it
    )
    assert isinstance(standing, Standing)
    assert getattr(refusal, "code", refusal) == "answers_in_use"


# --- a seat is given to somebody who is just taking another ---------------------------------------------------------


def draws(run: CourseRun) -> None:
    """The town draws."""
    with transaction() as session:
        draw(session, session.get_one(CourseRun, run.id))


def admits(run: CourseRun) -> None:
    """A clerk admits whoever applied."""
    with transaction() as session:
        mine = session.get_one(CourseRun, run.id)
        (applied,) = session.scalars(select(Registration).where(Registration.run_id == run.id))
        admit(session, mine, applied.key, by_account_id=None, identity="town")


@pytest.mark.parametrize(
    ("seating", "deed"),
    [
        (Seating(admission=Admission.DRAW, draws_at=DRAWS_AT), draws),
        (Seating(admission=Admission.REVIEW), admits),
    ],
)
def test_whoever_is_just_taking_their_last_course_is_asked_which_one_they_want(
    town: Town,
    app: Flask,
    engine_name: str,
    monkeypatch: pytest.MonkeyPatch,
    clock: town_clock.StoppedClock,
    seating: Seating,
    deed: Callable[[CourseRun], None],
) -> None:
    """E5: whoever gives seats holds the people, and looks at what they have then."""
    town.is_as_strict_as_others()
    has, wanted, gives = town.a_run(), town.a_run(), town.a_run(seating=seating)
    town.resident.tap(has)
    town.resident.tap(gives)
    clock.move_to(DRAWS_AT)
    standing, trouble = meets_a_tap(
        app, engine_name, monkeypatch, tap=partial(town.resident.tap, wanted), deed=partial(deed, gives)
    )
    assert isinstance(standing, Standing)
    assert trouble is None
    assert (town.states(wanted), town.states(gives)) == (["confirmed"], ["offered"])


# --- who moves up while they tap elsewhere ------------------------------------------------------------------------


def a_moment_later(one_process: Committer[Tap, Standing | None], tap: Tap) -> object:
    """Ask while the batch still gathers, behind whoever asked at once."""
    time.sleep(0.1)
    return one_process.ask(tap)


def test_two_who_move_up_by_each_others_batch_are_both_answered(
    town: Town, app: Flask, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch holds the one who taps in it, and then wants the one who waits for the seat that is given up in it.

    PostgreSQL lets one batch go first, and its committer decides the other anew: nobody is refused, and nobody loses a seat.
    """
    seated, first, second = town.people(3)
    full = [town.a_run(capacity=1, waitlist_limit=None) for _ in range(2)]
    other = [town.a_run() for _ in range(2)]
    for run, waits in zip(full, (second, first), strict=True):
        seated.tap(run)
        waits.tap(run)
    both_hold = threading.Barrier(2)
    met: list[object] = []

    def giving_up(*given: Any) -> object:
        met.append(given)
        if engine_name == "postgresql" and len(met) <= 2:  # on SQLite the second has not begun
            both_hold.wait(PATIENCE)
        return give_up(*given)

    monkeypatch.setattr(seats, "give_up", giving_up)
    monkeypatch.setattr(committer, "LINGER_SECONDS", 0.5)
    deeds: list[Callable[[], object]] = []
    for taps, elsewhere, run in zip((first, second), other, full, strict=True):
        one_process: Committer[Tap, Standing | None] = Committer(db.engine, decide)
        deeds += [
            partial(one_process.ask, taps.wants(elsewhere)),
            partial(a_moment_later, one_process, seated.leaves(run)),
        ]
    answers = rush(app, deeds)
    assert [getattr(answer, "state", answer) for answer in answers] == [RegistrationState.CONFIRMED, None] * 2
    assert len(met) == (3 if engine_name == "postgresql" else 2), "one batch is decided anew"
    for run in full:
        assert town.states(run) == ["cancelled", "confirmed"]
        must_be_whole(run)
