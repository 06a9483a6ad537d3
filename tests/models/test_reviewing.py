"""Seats by review (审核录取), and seats held for the counter (预留): what staff decide, and until when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.courses import (
    Admission,
    By,
    CourseRun,
    RegistrationState,
    Seating,
    admit,
    cancel_run,
    hold_seats,
    turn_down,
)
from models.errors import Refusal
from models.journal import JournalEntry
from models.notices import Notice, NoticeKind
from server.jobs import seats as town_work
from tests.people import Person, Town, raise_capacity

REVIEWED = Seating(admission=Admission.REVIEW)


def refusal_of(deed: Callable[[], object]) -> Refusal:
    """The refusal a deed ends in."""
    with pytest.raises(Refusal) as caught:
        deed()
    return caught.value


def applied(
    town: Town, how_many: int, *, capacity: int = 2, waitlist_limit: int | None = None
) -> tuple[CourseRun, list[Person], list[str]]:
    """A run with applicants, who they are, and the keys of their registrations."""
    run = town.a_run(capacity=capacity, waitlist_limit=waitlist_limit, seating=REVIEWED)
    people = town.people(how_many)
    standings = [person.tap(run) for person in people]
    assert {standing.state for standing in standings} <= {RegistrationState.APPLIED}
    return run, people, [standing.key for standing in standings]


def admitted(town: Town, run: CourseRun, key: str) -> RegistrationState:
    """The clerk admits somebody."""
    clerk = town.clerk
    with transaction() as session:
        stored = session.get_one(CourseRun, run.id)
        return admit(session, stored, key, by_account_id=clerk.account_id, identity=clerk.identity)


def turned_down(town: Town, run: CourseRun, key: str, because: str = "本期先照顾没有上过的居民") -> None:
    """The clerk turns somebody down."""
    clerk = town.clerk
    with transaction() as session:
        stored = session.get_one(CourseRun, run.id)
        turn_down(
            session,
            stored,
            key,
            because=because,
            by_account_id=clerk.account_id,
            identity=clerk.identity,
        )


def notices(kind: NoticeKind) -> list[int]:
    """The accounts that are owed a notice of this kind."""
    with reading() as session:
        return list(session.scalars(select(Notice.account_id).where(Notice.kind == kind)))


def acts() -> list[tuple[str, int | None, str]]:
    """What the journal says of registrations: act, by whom, in which hat."""
    with reading() as session:
        rows = session.scalars(
            select(JournalEntry).where(JournalEntry.subject_kind == "registrations").order_by(JournalEntry.id)
        ).all()
    return [(row.act, row.by_account_id, row.identity) for row in rows]


# --- reviewing ----------------------------------------------------------------------------------------------------


def test_an_applicant_has_neither_seat_nor_place_until_somebody_decides(town: Town) -> None:
    run, people, _ = applied(town, 1)
    now = town.now(run)
    assert (now.seats_taken, now.waiting) == (0, 0)
    assert people[0].tap(run).state is RegistrationState.APPLIED


def test_who_is_admitted_sits_and_who_finds_no_seat_waits(town: Town) -> None:
    run, people, keys = applied(town, 4, capacity=2)
    states = [admitted(town, run, key) for key in (keys[2], keys[0], keys[3])]
    assert [state.value for state in states] == ["confirmed", "confirmed", "waitlisted"]
    now = town.now(run)
    assert (now.seats_taken, now.waiting) == (2, 1)
    assert town.why(people[2], run) == [("reviewed", "confirmed")]
    assert town.why(people[3], run) == [("reviewed", "waitlisted")]
    assert people[3].tap(run).position == 1
    people[2].give_up(run)
    assert people[3].tap(run).state is RegistrationState.CONFIRMED
    assert acts()[4] == ("registration.admitted", town.clerk.account_id, town.clerk.identity)


def test_admitting_twice_is_fine_and_told_once(town: Town) -> None:
    run, people, keys = applied(town, 2, capacity=1)
    for key, state in ((keys[0], "confirmed"), (keys[1], "waitlisted")):
        assert admitted(town, run, key).value == state
        assert admitted(town, run, key).value == state
    assert notices(NoticeKind.SELECTED) == [people[0].account_id]
    assert notices(NoticeKind.NOT_SELECTED) == [people[1].account_id]
    assert town.now(run).seats_taken == 1


def test_nobody_is_admitted_where_neither_seat_nor_queue_has_room(town: Town) -> None:
    run, _, keys = applied(town, 2, capacity=1, waitlist_limit=0)
    admitted(town, run, keys[0])
    assert refusal_of(lambda: admitted(town, run, keys[1])).code == "waitlist_full"
    assert town.states(run).count("applied") == 1
    with transaction() as session:
        raise_capacity(session, run, 2)
    assert admitted(town, run, keys[1]) is RegistrationState.CONFIRMED


def test_who_takes_as_many_courses_as_they_may_is_admitted_to_an_offer(town: Town) -> None:
    run, (person,), (key,) = applied(town, 1)
    for _ in range(2):
        person.tap(town.a_run())
    town.is_as_strict_as_others()
    assert admitted(town, run, key) is RegistrationState.OFFERED
    assert admitted(town, run, key) is RegistrationState.OFFERED
    assert notices(NoticeKind.SEAT_OFFERED) == [person.account_id]
    assert town.now(run).seats_taken == 1


def test_who_is_turned_down_reads_why_once(town: Town) -> None:
    run, (person,), (key,) = applied(town, 1)
    turned_down(town, run, key, "本期只收初学者")
    turned_down(town, run, key, "另一个说法")
    (row,) = town.registrations(run)
    assert (row.state, row.decided_because) == (RegistrationState.NOT_SELECTED, "本期只收初学者")
    assert notices(NoticeKind.NOT_SELECTED) == [person.account_id]
    assert town.why(person, run) == [("reviewed", "not_selected")]
    assert refusal_of(lambda: admitted(town, run, key)).code == "not_applied"
    assert person.tap(run).state is RegistrationState.APPLIED, "they may apply again"


def test_only_an_applicant_is_decided_about(town: Town) -> None:
    run, (person,), (key,) = applied(town, 1)
    other_run, _, (elsewhere,) = applied(town, 1)
    assert refusal_of(lambda: admitted(town, run, elsewhere)).code == "not_applied"
    assert refusal_of(lambda: turned_down(town, run, "nosuchkey")).code == "not_applied"
    admitted(town, run, key)
    assert refusal_of(lambda: turned_down(town, run, key)).code == "not_applied"
    person.give_up(run)
    assert refusal_of(lambda: admitted(town, run, key)).code == "not_applied"
    assert town.states(other_run) == ["applied"]


def test_nobody_is_reviewed_once_the_class_has_begun_or_is_off(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    """E11."""
    run, _, keys = applied(town, 2)
    off, _, (of_off,) = applied(town, 1)
    with transaction() as session:
        cancel_run(session, session.get_one(CourseRun, off.id), by=By("老师出差"))
    assert refusal_of(lambda: admitted(town, off, of_off)).code == "review_too_late"
    clock.move_to(run.starts_at - timedelta(microseconds=1))
    assert admitted(town, run, keys[0]) is RegistrationState.CONFIRMED
    clock.move_to(run.starts_at)
    assert refusal_of(lambda: admitted(town, run, keys[1])).code == "review_too_late"
    assert refusal_of(lambda: turned_down(town, run, keys[1])).code == "review_too_late"


def test_who_was_left_undecided_when_the_class_began_is_told(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    run, people, keys = applied(town, 3)
    admitted(town, run, keys[0])
    clock.move_to(run.starts_at - timedelta(seconds=1))
    assert town_work.settle_unreviewed(town_clock.now()) == 0
    clock.move_to(run.starts_at)
    assert town_work.settle_unreviewed(town_clock.now()) == 2
    assert town_work.settle_unreviewed(town_clock.now()) == 0
    assert sorted(town.states(run)) == ["confirmed", "not_selected", "not_selected"]
    assert sorted(notices(NoticeKind.NOT_SELECTED)) == sorted(p.account_id or 0 for p in people[1:])
    assert town.why(people[1], run) == [("reviewed", "not_selected")]


# --- seats held for the counter -----------------------------------------------------------------------------------


def hold(town: Town, run: CourseRun, seats: int) -> None:
    """The clerk holds so many seats."""
    with transaction() as session:
        stored = session.get_one(CourseRun, run.id)
        hold_seats(session, stored, seats, by_account_id=town.clerk.account_id, identity=town.clerk.identity)


def test_a_held_seat_is_nobodys_on_the_phone(town: Town) -> None:
    run = town.a_run(capacity=2, seating=Seating(seats_held=1))
    assert town.resident.tap(run).state is RegistrationState.CONFIRMED
    assert town.neighbour.tap(run).state is RegistrationState.WAITLISTED
    now = town.now(run)
    assert (now.seats_taken, now.seats_held, now.seats_left) == (1, 1, 0)


def test_what_is_let_go_goes_to_who_waits_first(town: Town) -> None:
    run = town.a_run(capacity=3, waitlist_limit=None)
    hold(town, run, 2)
    people = town.people(4)
    for person in people:
        person.tap(run)
    hold(town, run, 1)
    assert town.states(run) == ["confirmed", "confirmed", "waitlisted", "waitlisted"]
    assert town.why(people[1], run) == [("promoted", "released")]
    hold(town, run, 1)
    assert town.now(run).seats_held == 1


def test_nobody_holds_seats_people_sit_on(town: Town) -> None:
    run = town.a_run(capacity=3)
    for person in town.people(2):
        person.tap(run)
    refusal = refusal_of(lambda: hold(town, run, 2))
    assert (refusal.code, refusal.details) == ("not_enough_seats", {"free": 1})
    hold(town, run, 1)
    assert town.resident.tap(run).state is RegistrationState.WAITLISTED


def test_a_seat_given_up_beside_held_ones_goes_to_who_waits_and_the_held_stay(town: Town) -> None:
    run = town.a_run(capacity=2, seating=Seating(seats_held=1))
    town.resident.tap(run)
    town.neighbour.tap(run)
    town.resident.give_up(run)
    now = town.now(run)
    assert (town.states(run), now.seats_taken, now.seats_held) == (["cancelled", "confirmed"], 1, 1)
