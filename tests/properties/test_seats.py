"""Whatever people do, in whatever order: the invariants of a run hold after every step (architecture §7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from models import clock as town_clock
from models.base import db, reading, transaction, writer
from models.courses import (
    SEATED,
    CancelledBy,
    CourseRun,
    Promotion,
    Registration,
    RegistrationState,
    Seating,
    Standing,
    Tap,
    Wanting,
    decide,
    hold_seats,
)
from models.errors import Conflict, Refusal
from models.journal import JournalEntry
from models.notices import Notice, NoticeKind
from server.jobs import seats as town_work
from tests.conftest import NOON, House
from tests.databases import wipe
from tests.people import Town, a_bond, a_crowd, a_run, build_town, raise_capacity

PEOPLE = 7
RUNS = 2

Answer = Standing | Refusal | None
Wish = tuple[int, int, Wanting, bool, int]
people = st.integers(0, PEOPLE - 1)
runs = st.integers(0, RUNS - 1)
# somebody (1–7), perhaps for their ward, wants, leaves or accepts a seat in a run, perhaps with companions
wishes = st.tuples(people, runs, st.sampled_from(list(Wanting)), st.booleans(), st.integers(0, 2))

# what somebody else may do for a person, and which event of their place it is told as
OF_OTHERS = {
    "registration.confirmed": "confirmed",
    "registration.waitlisted": "waitlisted",
    "registration.accepted": "confirmed",
    "registration.cancelled": "gave_up",
}


def outcome(answer: Answer) -> tuple[Any, ...]:
    """An answer without its random key."""
    if isinstance(answer, Standing):
        return (answer.run_key, answer.resident_key, answer.state, answer.position, answer.registered_at)
    return (answer.code, answer.details) if isinstance(answer, Refusal) else (None,)


class Registering(RuleBasedStateMachine):
    """Two small runs, seven people, everybody the helper of the next."""

    house: House

    @initialize(
        capacity=st.integers(1, 3),
        limit=st.sampled_from([None, 0, 1, 3]),
        promotion=st.sampled_from(list(Promotion)),
        companions=st.sampled_from([0, 0, 2]),
    )
    def open_the_doors(self, capacity: int, limit: int | None, promotion: Promotion, companions: int) -> None:
        self.context = self.house.app.app_context()
        self.context.push()
        self.stopped = town_clock.stopped_at(NOON)
        self.hand = self.stopped.__enter__()
        wipe(db.engine)
        self.town = self.house.town("registering", build_with_crowd)
        with transaction() as session:
            made = [
                a_run(
                    session,
                    self.town.wutong,
                    capacity=capacity + n,
                    waitlist_limit=limit,
                    seating=Seating(promotion=promotion, most_companions=companions),
                )
                for n in range(RUNS)
            ]
            self.runs = [self.replica(run) for run in made]
        self.most_companions = companions
        self.rolled_back: set[str] = set()
        self.told: dict[str, int] = {}

    @staticmethod
    def replica(run: CourseRun) -> CourseRun:
        return CourseRun(id=run.id, key=run.key, capacity=run.capacity)

    def wish(self, wish: Wish) -> Tap:
        who, which, wanting, for_ward, companions = wish
        person, ward = self.town.crowd[who], self.town.crowd[(who + 1) % PEOPLE]
        for_key = ward.key if for_ward else None
        brings = min(companions, self.most_companions) if wanting is Wanting.A_SEAT else 0
        return Tap(self.runs[which].key, person.login_key, wanting, for_key, brings)

    def all_at_once(self, taps: list[Tap]) -> list[Answer]:
        with writer(db.engine).begin() as connection:
            return decide(connection, taps)

    @rule(wish=wishes)
    def tap_or_give_up(self, wish: Wish) -> None:
        (answer,) = self.all_at_once([self.wish(wish)])
        if isinstance(answer, Standing):
            assert self.all_at_once([self.wish(wish)]) == [answer], "a repeat is told the same"

    @rule(batch=st.lists(wishes, max_size=12))
    def many_at_once(self, batch: list[Wish]) -> None:
        """A batch equals the same taps one by one: tried first in a transaction that is rolled back."""
        taps = [self.wish(wish) for wish in batch]
        with writer(db.engine).connect() as connection:
            one_by_one = [outcome(decide(connection, [tap])[0]) for tap in taps]
            before = self.rows(connection)
            self.rolled_back |= {row.key for row in connection.execute(select(Registration.key))}
            connection.rollback()
        assert [outcome(answer) for answer in self.all_at_once(taps)] == one_by_one
        with reading() as session:
            assert self.rows(session.connection()) == before
            self.rolled_back -= set(session.scalars(select(Registration.key)))

    @staticmethod
    def rows(connection: Any) -> list[tuple[Any, ...]]:
        columns = (
            Registration.run_id,
            Registration.number,
            Registration.resident_id,
            Registration.by_account_id,
            Registration.state,
            Registration.cancelled_late,
        )
        found = connection.execute(select(*columns).order_by(Registration.run_id, Registration.number))
        return [tuple(row) for row in found]

    @rule(which=runs, more=st.integers(1, 2))
    def bring_chairs(self, which: int, more: int) -> None:
        with transaction() as session:
            run = session.get_one(CourseRun, self.runs[which].id)
            raise_capacity(session, run, run.capacity + more)

    @rule(which=runs, seats=st.integers(0, 2))
    def hold_some_for_the_counter(self, which: int, seats: int) -> None:
        with suppress(Conflict), transaction() as session:  # not enough of them left
            hold_seats(session, session.get_one(CourseRun, self.runs[which].id), seats)

    @rule(hours=st.sampled_from([1, 11, 24, 24 * 12]))
    def time_goes_by(self, hours: int) -> None:
        """And the town does what is due: offers nobody accepted in time end, and who has not answered is reminded."""
        self.hand.advance(hours=hours)
        town_work.end_offers(town_clock.now())
        town_work.remind_of_offers(town_clock.now())

    @invariant()
    def every_promise_holds(self) -> None:
        with reading() as session:
            stored = session.scalars(select(CourseRun)).all()
            registrations = session.scalars(select(Registration).order_by(Registration.number)).all()
            entries = session.scalars(
                select(JournalEntry).where(JournalEntry.subject_kind == "registrations")
            ).all()
            notices = session.scalars(select(Notice)).all()
        for run in stored:
            mine = [row for row in registrations if row.run_id == run.id]
            sitting = [row for row in mine if row.state in SEATED]
            waiting = [row for row in mine if row.state is RegistrationState.WAITLISTED]
            free = run.capacity - run.seats_taken - run.seats_held
            assert run.seats_taken == sum(row.seats for row in sitting)
            assert free >= 0
            assert run.seats_held >= 0
            assert run.waiting == len(waiting)
            if town_clock.now() < run.starts_at:
                fitting = [row for row in waiting if row.seats <= free]
                assert not fitting, "an idle seat beside somebody waiting"
            assert [row.number for row in mine] == list(range(1, run.last_number + 1))
            live = [row.resident_id for row in (*sitting, *waiting)]
            assert len(live) == len(set(live)), "one person is in twice"
            if waiting and sitting and not run.most_companions:
                assert sitting[-1].number < waiting[0].number, "somebody overtook the queue"
            for row in mine:
                if row.state is RegistrationState.OFFERED:
                    assert row.offer_expires_at is not None
                    assert town_clock.now() < row.offer_expires_at <= run.starts_at
        self.the_journal_tells_every_change(registrations, entries)
        self.nobody_is_told_twice(registrations, entries, notices)

    @staticmethod
    def the_journal_tells_every_change(registrations: Any, entries: Any) -> None:
        """One entry for the first state, one for moving up or being offered, one for accepting, one for the end; nothing else."""
        told = Counter((entry.subject_id, entry.act.removeprefix("registration.")) for entry in entries)
        acts = ("confirmed", "waitlisted", "promoted", "offered", "accepted", "cancelled", "expired")
        for row in registrations:
            assert sorted([told[row.id, "confirmed"], told[row.id, "waitlisted"]]) == [0, 1]
            was_offered, waited = row.offered_at is not None, told[row.id, "waitlisted"]
            sat = row.confirmed_at is not None
            assert told[row.id, "offered"] == int(was_offered)
            assert told[row.id, "accepted"] == int(was_offered and sat)
            assert told[row.id, "promoted"] == int(bool(sat and waited and not was_offered))
            ended = row.state is RegistrationState.CANCELLED
            by_itself = row.cancelled_by is CancelledBy.EXPIRED
            assert told[row.id, "cancelled"] == int(ended and not by_itself)
            assert told[row.id, "expired"] == int(ended and by_itself)
        assert set(told) == {(row.id, act) for row in registrations for act in acts if told[row.id, act]}

    def nobody_is_told_twice(self, registrations: Any, entries: Any, notices: Any) -> None:
        keys = [notice.dedupe_key for notice in notices]
        assert len(keys) == len(set(keys))
        of_others = {notice.dedupe_key for notice in notices if notice.kind is NoticeKind.ACTED_FOR_YOU}
        of_offers = (NoticeKind.SEAT_OFFERED, NoticeKind.OFFER_ENDING)
        of_seats = (NoticeKind.REGISTRATION_CONFIRMED, NoticeKind.REGISTRATION_PROMOTED)
        by_subject = {notice.subject_key for notice in notices if notice.kind in of_seats}
        seated = {row.key for row in registrations if row.confirmed_at is not None}
        # who asked for themselves, and whose helper accepted, hears of it as of what was done for them
        acted_for = {notice.subject_key for notice in notices if notice.kind is NoticeKind.ACTED_FOR_YOU}
        assert by_subject <= seated <= by_subject | acted_for, "told about a seat there is not, or not told"
        offered = {notice.subject_key for notice in notices if notice.kind is NoticeKind.SEAT_OFFERED}
        assert offered == {row.key for row in registrations if row.offered_at is not None}
        assert {notice.kind for notice in notices} <= {*of_offers, *of_seats, NoticeKind.ACTED_FOR_YOU}
        assert of_others == set(self.deeds_of_others(registrations, entries)), (
            "acted for and not told, or told for nothing"
        )
        subjects = {notice.subject_key for notice in notices}
        assert not (self.rolled_back & subjects), "told of a deed that was rolled back"

    def deeds_of_others(self, registrations: Any, entries: Any) -> Iterator[str]:
        """What each person must have been told of what others did for them, as the journal has it."""
        own = {person.resident_id: person.account_id for person in self.town.crowd}
        rows = {row.id: row for row in registrations}
        for entry in entries:
            row, said = rows[entry.subject_id], OF_OTHERS.get(entry.act)
            if said and entry.by_account_id != own[row.resident_id]:
                yield f"acted_for_you:{row.key}:{said}:{own[row.resident_id]}"

    def teardown(self) -> None:
        if hasattr(self, "stopped"):
            db.session.remove()
            self.stopped.__exit__(None, None, None)
            self.context.pop()


def build_with_crowd() -> Town:
    """The cast and seven more, each the helper of the next."""
    town = build_town()
    with transaction() as session:
        crowd = a_crowd(session, town.wutong, PEOPLE)
        for n, helper in enumerate(crowd):
            a_bond(session, helper, crowd[(n + 1) % PEOPLE])
    return replace(town, crowd=tuple(crowd))


def test_every_promise_holds_whatever_people_do(house: House) -> None:
    """E1–E5 in every order hypothesis can think of."""

    class InThisHouse(Registering):
        pass

    InThisHouse.house = house
    run_state_machine_as_test(
        InThisHouse,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a story of 25 steps is short enough
            suppress_health_check=list(HealthCheck),
        ),
    )
