"""Whatever people do, in whatever order: the invariants of a run hold after every step (architecture §7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from models import clock as town_clock
from models.base import db, reading, transaction, writer
from models.courses import CourseRun, Registration, RegistrationState, Standing, Tap, Wanting, decide
from models.errors import Refusal
from models.journal import JournalEntry
from models.notices import Notice, NoticeKind
from tests.conftest import NOON, House
from tests.databases import wipe
from tests.people import Town, a_bond, a_crowd, a_run, build_town, raise_capacity

PEOPLE = 7
RUNS = 2

Answer = Standing | Refusal | None
people = st.integers(0, PEOPLE - 1)
runs = st.integers(0, RUNS - 1)
# somebody (1–7), perhaps for their ward, wants or leaves a run
wishes = st.tuples(people, runs, st.sampled_from(list(Wanting)), st.booleans())


def outcome(answer: Answer) -> tuple[Any, ...]:
    """An answer without its random key."""
    if isinstance(answer, Standing):
        return (answer.run_key, answer.resident_key, answer.state, answer.position, answer.registered_at)
    return (answer.code, answer.details) if isinstance(answer, Refusal) else (None,)


class Registering(RuleBasedStateMachine):
    """Two small runs, seven people, everybody the helper of the next."""

    house: House

    @initialize(capacity=st.integers(1, 3), limit=st.sampled_from([None, 0, 1, 3]))
    def open_the_doors(self, capacity: int, limit: int | None) -> None:
        self.context = self.house.app.app_context()
        self.context.push()
        self.stopped = town_clock.stopped_at(NOON)
        self.hand = self.stopped.__enter__()
        wipe(db.engine)
        self.town = self.house.town("registering", build_with_crowd)
        with transaction() as session:
            made = [
                a_run(session, self.town.wutong, capacity=capacity + n, waitlist_limit=limit)
                for n in range(RUNS)
            ]
            self.runs = [self.replica(run) for run in made]
        self.rolled_back: set[str] = set()
        self.told: dict[str, int] = {}

    @staticmethod
    def replica(run: CourseRun) -> CourseRun:
        return CourseRun(id=run.id, key=run.key, capacity=run.capacity)

    def wish(self, wish: tuple[int, int, Wanting, bool]) -> Tap:
        who, which, wanting, for_ward = wish
        person, ward = self.town.crowd[who], self.town.crowd[(who + 1) % PEOPLE]
        return Tap(self.runs[which].key, person.login_key, wanting, ward.key if for_ward else None)

    def all_at_once(self, taps: list[Tap]) -> list[Answer]:
        with writer(db.engine).begin() as connection:
            return decide(connection, taps)

    @rule(wish=wishes)
    def tap_or_give_up(self, wish: tuple[int, int, Wanting, bool]) -> None:
        (answer,) = self.all_at_once([self.wish(wish)])
        if isinstance(answer, Standing):
            assert self.all_at_once([self.wish(wish)]) == [answer], "a repeat is told the same"

    @rule(batch=st.lists(wishes, max_size=12))
    def many_at_once(self, batch: list[tuple[int, int, Wanting, bool]]) -> None:
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

    @rule(hours=st.sampled_from([1, 11, 24, 24 * 12]))
    def time_goes_by(self, hours: int) -> None:
        self.hand.advance(hours=hours)

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
            confirmed = [row for row in mine if row.state is RegistrationState.CONFIRMED]
            waiting = [row for row in mine if row.state is RegistrationState.WAITLISTED]
            assert run.seats_taken == len(confirmed) <= run.capacity
            assert run.waiting == len(waiting)
            if town_clock.now() < run.starts_at:
                assert not waiting or run.seats_taken == run.capacity, "an idle seat beside somebody waiting"
            assert [row.number for row in mine] == list(range(1, run.last_number + 1))
            live = [row.resident_id for row in (*confirmed, *waiting)]
            assert len(live) == len(set(live)), "one person is in twice"
            if waiting and confirmed:
                assert confirmed[-1].number < waiting[0].number, "somebody overtook the queue"
        self.the_journal_tells_every_change(registrations, entries)
        self.nobody_is_told_twice(registrations, notices)

    @staticmethod
    def the_journal_tells_every_change(registrations: Any, entries: Any) -> None:
        """One entry for the first state, one for moving up, one for the end; nothing else."""
        told = Counter((entry.subject_id, entry.act.removeprefix("registration.")) for entry in entries)
        for row in registrations:
            ways_in = [told[row.id, "confirmed"], told[row.id, "waitlisted"]]
            assert sorted(ways_in) == [0, 1]
            moved_up = row.confirmed_at is not None and told[row.id, "waitlisted"]
            assert told[row.id, "promoted"] == int(bool(moved_up))
            assert told[row.id, "cancelled"] == int(row.state is RegistrationState.CANCELLED)
        assert set(told) == {
            (row.id, act)
            for row in registrations
            for act in ("confirmed", "waitlisted", "promoted", "cancelled")
            if told[row.id, act]
        }

    def nobody_is_told_twice(self, registrations: Any, notices: Any) -> None:
        keys = [notice.dedupe_key for notice in notices]
        assert len(keys) == len(set(keys))
        of_others = {notice.dedupe_key for notice in notices if notice.kind is NoticeKind.ACTED_FOR_YOU}
        by_subject = {notice.subject_key for notice in notices if notice.kind is not NoticeKind.ACTED_FOR_YOU}
        seated = {row.key for row in registrations if row.confirmed_at is not None}
        assert by_subject == seated, "told about a seat there is not, or not told"
        assert of_others == set(self.deeds_of_others(registrations)), (
            "acted for and not told, or told for nothing"
        )
        subjects = {notice.subject_key for notice in notices}
        assert not (self.rolled_back & subjects), "told of a deed that was rolled back"

    def deeds_of_others(self, registrations: Any) -> Iterator[str]:
        """What each person must have been told of what others did for them."""
        own = {person.resident_id: person.account_id for person in self.town.crowd}
        for row in registrations:
            account = own[row.resident_id]
            if row.by_account_id != account:
                yield f"acted_for_you:{row.key}:registered:{account}"
            if row.state is RegistrationState.CANCELLED and row.cancelled_by_account_id != account:
                yield f"acted_for_you:{row.key}:gave_up:{account}"

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
