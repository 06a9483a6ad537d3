"""Whatever people do with the rooms of a centre, in whatever order: what is held is what is kept, and nobody waits beside an empty room."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock as town_clock
from models.base import db, reading, transaction
from models.coordination.closures import ClosureKind, MoveQuestion, RoomClosure, answer
from models.errors import Refusal
from models.groups import Group
from models.occupancy import Occupancy, Purpose, occupy, vacate
from models.policies import set_policy
from models.regions import Region
from models.reservations import (
    HOLDING,
    By,
    Condition,
    CreditEntry,
    Party,
    Reservation,
    ReservationState,
    accept,
    approve,
    call_off,
    cancel,
    check_in,
    reject,
    reserve_series,
    sign_out,
)
from models.reservations.holding import is_taken
from models.reservations.waiting import is_hopeless
from models.sites import Venue
from models.venue_policies import policies_of
from server.jobs import rooms as town_work
from tests.closing import PIPE, closes, lifts
from tests.conftest import NOON, House
from tests.databases import wipe
from tests.people import Person, Town, a_crowd, build_town
from tests.rooms import DOOR, Centre, a_centre, a_group, at, by_phone, by_staff, takes, wish

PEOPLE = 4
A_WEEK = 3
MINUTES = timedelta(minutes=1)
THEIRS = (ReservationState.PENDING, ReservationState.APPROVED, ReservationState.CHECKED_IN)
USED = (*THEIRS, ReservationState.FINISHED, ReservationState.NO_SHOW)

people = st.integers(0, PEOPLE - 1)
rooms = st.sampled_from(["hall", "left", "right", "reading_room", "dance_room"])
# days from tomorrow, and few hours of them, so that people meet
starts = st.tuples(st.integers(0, 1), st.sampled_from([18, 20, 21, 28, 32]))
lengths = st.sampled_from([60, 120])
which = st.integers(0, 30)


class Reserving(RuleBasedStateMachine):
    """Four people and the group one of them leads, five rooms over four floors, staff who close some, a class now and then, and the town's own work."""

    house: House

    @initialize(buffer=st.sampled_from([0, 10, 30]))
    def open_the_centre(self, buffer: int) -> None:
        self.context = self.house.app.app_context()
        self.context.push()
        self.stopped = town_clock.stopped_at(NOON)
        self.hand = self.stopped.__enter__()
        wipe(db.engine)
        self.town = self.house.town("reserving", build_with_people)
        with transaction() as session:
            self.centre: Centre = a_centre(session, self.town.wutong)
            place = session.get_one(Region, self.town.wutong.id)
            numbers = {
                "buffer_minutes": buffer,
                "credit_pause_days": 0,
                "reservations_a_day": 0,
                "reservations_a_week": A_WEEK,
                "reserved_minutes_a_week": 0,
            }
            for name, value in numbers.items():
                set_policy(session, place, name, str(value))
        self.classes: list[str] = []
        self.group = a_group(self.town, self.person(0))

    def person(self, who: int) -> Person:
        return self.town.crowd[who]

    def one_of(self, session: Session, number: int, *states: ReservationState) -> Reservation | None:
        """Some reservation that stands so, if there is one."""
        rows = session.scalars(
            select(Reservation).where(Reservation.state.in_(states)).order_by(Reservation.id)
        ).all()
        return rows[number % len(rows)] if rows else None

    def by(self, reservation: Reservation) -> By:
        """Whoever it belongs to, at their phone."""
        mine = [one for one in self.town.crowd if one.resident_id == reservation.resident_id]
        return by_phone(mine[0]) if mine else by_staff(self.town.clerk)

    @rule(who=people, room=rooms, when=starts, minutes=lengths, waits=st.booleans())
    def reserve(self, who: int, room: str, when: tuple[int, int], minutes: int, waits: bool) -> None:
        with suppress(Refusal):
            takes(self.person(who), getattr(self.centre, room), moment(*when), minutes=minutes, waits=waits)

    @rule(who=people, when=starts)
    def ask_for_the_dance_room(self, who: int, when: tuple[int, int]) -> None:
        with suppress(Refusal):
            takes(self.person(who), self.centre.dance_room, moment(*when), minutes=60, waits=True)

    @rule(room=rooms, when=starts, minutes=lengths)
    def the_community_takes_one(self, room: str, when: tuple[int, int], minutes: int) -> None:
        with suppress(Refusal):
            takes(None, getattr(self.centre, room), moment(*when), minutes=minutes)

    @rule(number=which)
    def somebody_cancels(self, number: int) -> None:
        with suppress(Refusal), transaction() as session:
            found = self.one_of(session, number, *THEIRS, *WAITING)
            if found is not None:
                cancel(session, found, by=self.by(found))

    @rule(number=which)
    def somebody_accepts(self, number: int) -> None:
        with suppress(Refusal), transaction() as session:
            found = self.one_of(session, number, ReservationState.OFFERED)
            if found is not None:
                accept(session, found, by=self.by(found))

    @rule(number=which, says=st.sampled_from(["yes", "no", "off"]))
    def staff_decide(self, number: int, says: str) -> None:
        by = by_staff(self.town.clerk)
        with suppress(Refusal), transaction() as session:
            pending = self.one_of(session, number, ReservationState.PENDING)
            found = pending or self.one_of(session, number, *THEIRS, *WAITING)
            if found is None:
                return
            if says == "yes":
                approve(session, found, by=by)
            elif says == "no":
                reject(session, found, "不行", by=by)
            else:
                call_off(session, found, "停水", by=by)

    @rule(number=which)
    def somebody_comes(self, number: int) -> None:
        with suppress(Refusal), transaction() as session:
            found = self.one_of(session, number, ReservationState.APPROVED)
            if found is not None:
                check_in(session, found, by=self.by(found), door_code=DOOR)

    @rule(number=which, condition=st.sampled_from(list(Condition)))
    def somebody_leaves(self, number: int, condition: Condition) -> None:
        with suppress(Refusal), transaction() as session:
            found = self.one_of(session, number, ReservationState.CHECKED_IN)
            if found is not None:
                sign_out(session, found, by=self.by(found), condition=condition)

    @rule(room=rooms, when=starts)
    def a_class_takes_a_room(self, room: str, when: tuple[int, int]) -> None:
        holder = f"class{len(self.classes):011}"
        with suppress(Refusal), transaction() as session:
            occupy(
                session,
                session.get_one(Venue, getattr(self.centre, room).id),
                starts_at=moment(*when),
                ends_at=moment(*when) + 90 * MINUTES,
                purpose=Purpose.COURSE_SESSION,
                holder_key=holder,
            )
            self.classes.append(holder)

    @rule(number=which)
    def a_class_moves_away(self, number: int) -> None:
        if self.classes:
            with transaction() as session:
                vacate(session, [self.classes.pop(number % len(self.classes))])

    @rule(room=rooms, when=starts, weeks=st.integers(2, 4))
    def a_group_takes_some_weeks(self, room: str, when: tuple[int, int], weeks: int) -> None:
        leader = self.person(0)
        with suppress(Refusal), transaction() as session:
            reserve_series(
                session,
                session.get_one(Venue, getattr(self.centre, room).id),
                wish(moment(*when)),
                weeks,
                whose=Party(leader.resident(session), session.get_one(Group, self.group.id)),
                by=by_phone(leader),
            )

    @rule(
        room=rooms,
        when=starts,
        hours=st.sampled_from([2, 6, 30]),
        kind=st.sampled_from([ClosureKind.CLOSURE, ClosureKind.PUBLIC_NEED]),
        emergency=st.booleans(),
        at_once=st.booleans(),
    )
    def staff_close_a_room(
        self,
        room: str,
        when: tuple[int, int],
        hours: int,
        kind: ClosureKind,
        emergency: bool,
        at_once: bool,
    ) -> None:
        with transaction() as session:  # the classes of this story are nobody's, so nobody could be asked
            vacate(session, self.classes)
        self.classes.clear()
        begins = None if at_once else moment(*when)
        with suppress(Refusal):
            closes(
                self.town,
                [getattr(self.centre, room)],
                begins,
                (begins or town_clock.now()) + timedelta(hours=hours),
                kind=kind,
                emergency_because=PIPE if emergency else "",
            )

    @rule(number=which)
    def staff_open_a_room_again(self, number: int) -> None:
        with reading() as session:
            closed = session.scalars(
                select(RoomClosure).where(RoomClosure.lifted_at.is_(None)).order_by(RoomClosure.id)
            ).all()
        if closed:
            with suppress(Refusal):
                lifts(self.town, closed[number % len(closed)])

    @rule(number=which, yes=st.booleans())
    def somebody_answers(self, number: int, yes: bool) -> None:
        with suppress(Refusal), transaction() as session:
            asked = session.scalars(
                select(MoveQuestion).where(MoveQuestion.answer.is_(None)).order_by(MoveQuestion.id)
            ).all()
            question = asked[number % len(asked)] if asked else None
            if question is not None and question.reservation is not None:
                answer(session, question, accepts=yes, by=self.by(question.reservation))

    @rule(minutes=st.sampled_from([5, 15, 60, 240, 720]))
    def time_passes_and_the_town_works(self, minutes: int) -> None:
        self.hand.advance(minutes=minutes)
        now = town_clock.now()
        for work in (
            town_work.expire_unreviewed,
            town_work.release_no_shows,
            town_work.finish_unsigned,
            town_work.end_room_offers,
            town_work.settle_room_questions,
            town_work.offer_rooms,
        ):
            work(now)
            assert work(now) == 0, "the same work twice finds nothing more"
        self.nobody_waits_beside_an_empty_room()

    def nobody_waits_beside_an_empty_room(self) -> None:
        with reading() as session:
            waiting = session.scalars(
                select(Reservation).where(Reservation.state == ReservationState.WAITLISTED)
            ).all()
            for one in waiting:
                has_begun = one.starts_at <= town_clock.now()
                hopeless = is_hopeless(one, policies_of(session, one.venue), town_clock.now())
                assert has_begun or hopeless or is_taken(session, one)

    @invariant()
    def what_is_held_is_what_is_kept(self) -> None:
        """Every reservation that holds a room stands in the one calendar with its cleaning, and none that let go of it does."""
        with reading() as session:
            for one in session.scalars(select(Reservation)).all():
                held = session.scalars(
                    select(Occupancy).where(Occupancy.holder_key == one.key).order_by(Occupancy.space_id)
                ).all()
                if one.state in HOLDING:
                    assert [row.space_id for row in held] == sorted(space.id for space in one.venue.spaces)
                if one.state not in (*HOLDING, ReservationState.FINISHED):
                    assert not held
                assert {(row.starts_at, row.ends_at) for row in held} <= {(one.starts_at, one.held_until)}

    @invariant()
    def nobody_has_more_than_they_may(self) -> None:
        """So many a week, and no two at one time."""
        with reading() as session:
            for person in self.town.crowd:
                theirs = session.scalars(
                    select(Reservation).where(
                        Reservation.resident_id == person.resident_id, Reservation.group_id.is_(None)
                    )
                ).all()
                # what makes good for what a closure took is beyond what they may
                counted = [one for one in theirs if one.state in USED and one.makes_good_id is None]
                used = [town_clock.in_town(one.starts_at).date() for one in counted]
                assert max(Counter(day.isocalendar()[:2] for day in used).values(), default=0) <= A_WEEK
                for one, other in combinations([one for one in theirs if one.state in THEIRS], 2):
                    assert one.ends_at <= other.starts_at or other.ends_at <= one.starts_at

    @invariant()
    def what_was_lost_is_made_good_once(self) -> None:
        with reading() as session:
            made_good = session.scalars(
                select(Reservation).where(Reservation.makes_good_id.is_not(None), Reservation.state.in_(USED))
            ).all()
            lost = [session.get_one(Reservation, one.makes_good_id) for one in made_good]
            assert len({one.id for one in lost}) == len(lost)
            assert {one.state for one in lost} <= {ReservationState.OVERRIDDEN}

    @invariant()
    def nobody_uses_what_is_closed(self) -> None:
        """A closure that stands holds all its floor but for what is over, and whoever was there when it began goes."""
        with reading() as session:
            closed = session.scalars(select(RoomClosure).where(RoomClosure.lifted_at.is_(None))).all()
            for one in closed:
                floor = {space.id for room in one.venues for space in room.spaces}
                others = session.scalars(
                    select(Reservation).where(
                        Reservation.state.in_(HOLDING),
                        Reservation.starts_at < one.ends_at,
                        Reservation.ends_at > one.starts_at,
                    )
                ).all()
                assert not [room for room in others if floor & {space.id for space in room.venue.spaces}]

    @invariant()
    def an_offer_ends_and_credit_is_taken_once(self) -> None:
        with reading() as session:
            for one in session.scalars(
                select(Reservation).where(Reservation.state == ReservationState.OFFERED)
            ):
                assert one.offer_expires_at is not None
                assert one.offered_at is not None
                assert one.offered_at < one.offer_expires_at
            reasons = Counter(session.execute(select(CreditEntry.reservation_id, CreditEntry.why)).all())
            assert max(reasons.values(), default=1) == 1

    def teardown(self) -> None:
        if hasattr(self, "stopped"):
            db.session.remove()
            self.stopped.__exit__(None, None, None)
            self.context.pop()


WAITING = (ReservationState.WAITLISTED, ReservationState.OFFERED)


def moment(days: int, half_hours: int) -> datetime:
    """A moment on the grid of the days after the tests' noon."""
    return at(0) + timedelta(days=days, minutes=30 * half_hours)


def build_with_people() -> Town:
    """The cast, and some people of one community."""
    town = build_town()
    with transaction() as session:
        return replace(town, crowd=tuple(a_crowd(session, town.wutong, PEOPLE)))


def test_whatever_people_do_with_rooms_nobody_waits_beside_an_empty_one(house: House) -> None:
    class InThisHouse(Reserving):
        pass

    InThisHouse.house = house
    run_state_machine_as_test(
        InThisHouse,
        settings=settings(
            max_examples=20,
            stateful_step_count=40,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
