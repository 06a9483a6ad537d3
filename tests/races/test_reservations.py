"""Many at one moment about one room: one has it, the queue keeps its order, and everybody hears what else there is."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models import occupancy
from models.availability import Stretch
from models.base import Base, db, reading, transaction
from models.clock import StoppedClock
from models.coordination.clashes import rooms_at_ones_classes
from models.coordination.rooms_of_groups import disband_by_staff, suspend
from models.courses import RegistrationState, Standing, registrations_of
from models.departures import close_account, what_closing_means
from models.errors import Refusal
from models.groups import Group, group_led_by
from models.occupancy import Occupancy, Purpose, holders_between
from models.reservations import (
    HOLDING,
    LIVE,
    Condition,
    Judge,
    Party,
    Reservation,
    ReservationEnd,
    ReservationState,
    ReservedFor,
    RoomTaken,
    approve,
    end_offer,
    expire,
    reject,
    release,
    reserve,
    reserve_series,
)
from models.sites import Venue
from tests.people import Person, Town
from tests.races.controls import is_loud, without_index, without_the_rooms_guard
from tests.races.rush import (
    LONGEST_SECONDS,
    all_look_first,
    meanwhile,
    rush,
    until_somebody_waits_for_a_lock,
)
from tests.rooms import (
    MONDAY,
    SUNDAY,
    Centre,
    a_centre,
    a_group,
    accepts,
    again,
    at,
    by_phone,
    by_staff,
    cancels,
    checks_in,
    now_of,
    set_number,
    signs_out,
    state_of,
    takes,
    told,
    wish,
)

HOUR = timedelta(hours=1)
ONLY_POSTGRESQL = pytest.mark.parametrize(
    "engine_name", ["postgresql"], indirect=True
)  # SQLite's writers take turns


@pytest.fixture
def centre_of_many(big_town: Town) -> Centre:
    """The centre of the first community, where five hundred more live."""
    with transaction() as session:
        return a_centre(session, big_town.wutong)


def outcomes(answers: Sequence[object]) -> Counter[str]:
    """States of what was made, codes of what was refused, everything else by its own name."""

    def said(answer: object) -> str:
        if isinstance(answer, Reservation):
            return answer.state.value
        return answer.code if isinstance(answer, Refusal) else str(answer)

    return Counter(map(said, answers))


def must_be_whole() -> None:
    """The invariants of rooms: no floor held twice, every hold for something, and nobody waits beside a room they could have."""
    with reading() as session:
        rows = session.scalars(select(Reservation).order_by(Reservation.id)).all()
        held = session.scalars(select(Occupancy).order_by(Occupancy.space_id, Occupancy.starts_at)).all()
        for one in held:
            floor = [other for other in held if other.space_id == one.space_id and other is not one]
            mine = Stretch(one.starts_at, one.ends_at)
            assert not any(mine.overlaps(Stretch(other.starts_at, other.ends_at)) for other in floor)
        # what was used keeps the time it was used for, and the cleaning after it
        holding = [row for row in rows if row.state in (*HOLDING, ReservationState.FINISHED)]
        assert sorted(
            (row.key, space.id, row.starts_at, row.held_until)
            for row in holding
            for space in row.venue.spaces
        ) == sorted(
            (one.holder_key, one.space_id, one.starts_at, one.ends_at)
            for one in held
            if one.purpose is Purpose.RESERVATION
        )
        for row in rows:
            if row.state is ReservationState.WAITLISTED:
                assert holders_between(session, row.venue, starts_at=row.starts_at, ends_at=row.held_until), (
                    "a free room stands idle beside somebody who waits for it"
                )


def closes(who: Person) -> str:
    """Leave the town for good."""
    with reading() as session:
        seen = what_closing_means(session, who.account(session)).fingerprint
    with transaction() as session:
        close_account(session, who.account(session), seen=seen)
    return "left"


def reserves_by_phone(who: Person, room: Venue) -> Reservation:
    """As the route does it, in one transaction: the account is held, and must stand; so whoever it is does not leave meanwhile."""
    with transaction() as session:
        who.account(session).lock().must_stand()
        party = Party(who.resident(session))
        return reserve(session, session.get_one(Venue, room.id), wish(at(9)), whose=party, by=by_phone(who))


def taps_for_group(leader: Person, room: Venue, group: Group, weeks: int) -> object:
    """As the route does it: the group is looked up, and then asked for, once or for some weeks."""
    with transaction() as session:
        resident = leader.resident(session)
        party = Party(resident, group_led_by(session, resident, group.key))
        venue, by = session.get_one(Venue, room.id), by_phone(leader)
        if weeks:
            return len(reserve_series(session, venue, wish(at(9)), weeks, whose=party, by=by))
        return reserve(session, venue, wish(at(9)), whose=party, by=by)


def suspend_it(session: Session, group: Group, town: Town) -> object:
    """Staff let a group use nothing for some days."""
    return suspend(session, group, "损坏了音响", until=MONDAY, by=town.clerk.member(session))


def disband_it(session: Session, group: Group, town: Town) -> object:
    """Staff end a group."""
    return disband_by_staff(session, group, "不活动了", by=town.clerk.member(session))


# --- one room, many people ----------------------------------------------------------------------------------------


def test_one_of_many_has_the_room_and_the_others_hear_what_else_there_is(
    big_town: Town, app: Flask, centre_of_many: Centre
) -> None:
    room, people = centre_of_many.reading_room, big_town.crowd[:40]
    answers = rush(app, [partial(takes, person, room, at(9)) for person in people])
    assert outcomes(answers) == {"approved": 1, "room_taken": 39}
    for answer in answers:
        if isinstance(answer, RoomTaken):
            kinds = {one["kind"] for one in answer.details["alternatives"]}
            assert kinds == {"other_time", "other_room"}
            assert answer.details["may_wait"]
    must_be_whole()


def test_who_waits_waits_in_the_order_they_came(big_town: Town, app: Flask, centre_of_many: Centre) -> None:
    room, people = centre_of_many.reading_room, big_town.crowd[:12]
    answers = rush(app, [partial(takes, person, room, at(9), waits=True) for person in people])
    assert outcomes(answers) == {"approved": 1, "waitlisted": 11}
    must_be_whole()
    (holder,) = [one for one in answers if isinstance(one, Reservation) and one.state in HOLDING]
    queue = sorted(one.id for one in answers if isinstance(one, Reservation) and one is not holder)
    for before, after in zip([holder.id, *queue], queue, strict=False):
        leaves = now_by_id(before)
        cancels(person_of(big_town, leaves), leaves)
        assert now_by_id(after).state is ReservationState.OFFERED
        must_be_whole()


def test_of_a_hall_and_its_halves_nobody_gets_in_anybodys_way(
    big_town: Town, app: Flask, centre_of_many: Centre
) -> None:
    """E13."""
    rooms = [centre_of_many.hall, centre_of_many.left, centre_of_many.right]
    people = big_town.crowd[:30]
    deeds = [
        partial(takes, person, rooms[n % 3], at(9 + n % 2), waits=n % 5 == 0)
        for n, person in enumerate(people)
    ]
    answers = rush(app, deeds)
    assert set(outcomes(answers)) <= {"approved", "waitlisted", "room_taken"}
    assert outcomes(answers)["approved"] in {1, 2}
    must_be_whole()


def test_thirty_taps_of_one_person_are_one_reservation(town: Town, app: Flask, centre: Centre) -> None:
    answers = rush(app, [partial(takes, town.resident, centre.reading_room, at(9))] * 30)
    assert outcomes(answers) == {"approved": 30}
    assert len({one.key for one in answers if isinstance(one, Reservation)}) == 1
    assert told(town.resident) == ["room_reserved"]
    must_be_whole()


def test_one_person_on_two_devices_keeps_within_their_limits(town: Town, app: Flask, centre: Centre) -> None:
    """E5 of rooms: one a day, two a week."""
    deeds = [
        partial(takes, town.resident, room, at(hour, on=MONDAY + timedelta(days=day)))
        for day in range(4)
        for hour in (9, 14)
        for room in (centre.reading_room, centre.left, centre.right)
    ]
    answers = rush(app, deeds, threads=12)
    assert outcomes(answers) == {"approved": 2, "reservation_limit": len(deeds) - 2}
    days = [one.starts_at.date() for one in answers if isinstance(one, Reservation)]
    assert len(set(days)) == 2
    must_be_whole()


def test_two_groups_and_their_leader_do_not_stop_each_other(
    big_town: Town, app: Flask, centre_of_many: Centre
) -> None:
    """Whoever asks holds people before rooms, and all floor in one order: nobody waits for ever."""
    group = a_group(big_town, big_town.crowd[0])
    hall, left, right = centre_of_many.hall, centre_of_many.left, centre_of_many.right

    def a_series() -> str:
        with transaction() as session:
            party = Party(big_town.crowd[0].resident(session), session.merge(group))
            made = reserve_series(
                session,
                session.get_one(Venue, hall.id),
                wish(at(9)),
                3,
                whose=party,
                by=by_phone(big_town.crowd[0]),
            )
        return f"{len(made)} weeks"

    deeds: list[Callable[[], object]] = [a_series]
    deeds += [
        partial(takes, person, (left, right)[n % 2], at(9)) for n, person in enumerate(big_town.crowd[1:13])
    ]
    deeds.append(partial(takes, big_town.crowd[0], hall, at(9), group=group))
    answers = rush(app, deeds)
    assert not [one for one in answers if isinstance(one, Exception) and not isinstance(one, Refusal)]
    assert set(outcomes(answers)) <= {
        "approved",
        "room_taken",
        "3 weeks",
        "series_unfit",
        "own_clash",
        "reservation_limit",
    }
    must_be_whole()


def test_a_class_and_a_room_tapped_at_once_are_the_class_and_perhaps_the_room_that_is_told(
    big_town: Town, app: Flask, centre_of_many: Centre
) -> None:
    """Whichever was first: everybody has the seat, and a room beside it only who reads of it."""
    run = big_town.a_run(starts_at=at(9), capacity=9)
    people = big_town.crowd[:9]
    rooms = (centre_of_many.left, centre_of_many.right, centre_of_many.reading_room)
    deeds: list[Callable[[], object]] = []
    for n, person in enumerate(people):
        deeds += [partial(person.tap, run), partial(takes, person, rooms[n % 3], at(9))]
    answers = rush(app, deeds)
    assert [one.state for one in answers[::2] if isinstance(one, Standing)] == [
        RegistrationState.CONFIRMED
    ] * len(people)
    assert set(outcomes(answers[1::2])) <= {"approved", "own_clash", "room_taken"}
    everybody = [person.resident_id for person in people]
    with reading() as session:
        found = registrations_of(session, everybody, run_key=run.key, before_id=None, most=len(people))
        shown = rooms_at_ones_classes(session, found, of=everybody)
        held = {one.resident_id for one in session.scalars(select(Reservation)) if one.state in HOLDING}
    assert {one.resident_id for one in found if shown[one.id]} == held
    for person in (who for who in people if who.resident_id not in held):
        with pytest.raises(Refusal) as no:
            takes(person, centre_of_many.dance_room, at(9))
        assert no.value.code == "own_clash"
    must_be_whole()


# --- the queue ----------------------------------------------------------------------------------------------------


def test_who_waits_is_offered_the_room_before_anybody_takes_it(
    big_town: Town, app: Flask, centre_of_many: Centre
) -> None:
    room, people = centre_of_many.reading_room, big_town.crowd[:14]
    mine = takes(people[0], room, at(9))
    waits = takes(people[1], room, at(9), waits=True)
    deeds: list[Callable[[], object]] = [partial(takes, person, room, at(9)) for person in people[2:]]
    deeds.insert(5, partial(cancels, people[0], mine))
    answers = rush(app, deeds)
    assert outcomes(answers) == {"room_taken": 12, "1": 1}
    assert state_of(waits) is ReservationState.OFFERED
    must_be_whole()


def test_an_offer_is_accepted_or_ends_never_both(
    town: Town, app: Flask, centre: Centre, clock: StoppedClock
) -> None:
    """E4 of rooms."""
    mine = takes(town.resident, centre.reading_room, at(9))
    waits = takes(town.neighbour, centre.reading_room, at(9), waits=True)
    next_one = takes(town.helper, centre.reading_room, at(9), waits=True)
    cancels(town.resident, mine)
    expires_at = now_of(waits).offer_expires_at
    assert expires_at is not None
    clock.move_to(expires_at)

    def ends() -> str:
        with transaction() as session:
            return f"ended {end_offer(session, again(session, waits))}"

    answers = outcomes(rush(app, [partial(accepts, town.neighbour, waits), ends] * 4, threads=8))
    states = (state_of(waits), state_of(next_one))
    assert answers["ended True"] == 1
    assert states == (ReservationState.CANCELLED, ReservationState.OFFERED)
    assert now_of(waits).cancelled_by is ReservationEnd.UNANSWERED
    assert not answers["approved"]
    must_be_whole()


def test_an_offer_accepted_and_given_up_at_once_is_one_of_both(
    town: Town, app: Flask, centre: Centre
) -> None:
    mine = takes(town.resident, centre.reading_room, at(9))
    waits = takes(town.neighbour, centre.reading_room, at(9), waits=True)
    cancels(town.resident, mine)
    deeds: list[Callable[[], object]] = [
        partial(accepts, town.neighbour, waits),
        partial(cancels, town.neighbour, waits),
    ]
    answers = rush(app, deeds)
    assert not [one for one in answers if isinstance(one, Exception) and not isinstance(one, Refusal)]
    assert state_of(waits) is ReservationState.CANCELLED, "who gives up last has given up"
    must_be_whole()


# --- staff and the day itself -------------------------------------------------------------------------------------


def test_two_clerks_decide_once(town: Town, app: Flask, centre: Centre) -> None:
    mine = takes(town.resident, centre.dance_room, at(9, on=SUNDAY))

    def says(decision: Callable[..., Reservation], *because: str) -> Reservation:
        with transaction() as session:
            return decision(session, again(session, mine), *because, by=by_staff(town.clerk))

    deeds = [partial(says, approve), partial(says, reject, "另有安排")] * 4
    answers = outcomes(rush(app, deeds))
    decided = state_of(mine)
    assert decided in {ReservationState.APPROVED, ReservationState.REJECTED}
    assert answers == {decided.value: 4, "review_over": 4}
    assert len(told(town.resident)) == 1
    must_be_whole()


def test_a_review_comes_in_time_or_too_late_never_both(
    town: Town, app: Flask, centre: Centre, clock: StoppedClock
) -> None:
    """E11."""
    mine = takes(town.resident, centre.dance_room, at(9, on=SUNDAY))
    clock.move_to(at(21))

    def says_yes() -> Reservation:
        with transaction() as session:
            return approve(session, again(session, mine), by=by_staff(town.clerk))

    def is_late() -> str:
        with transaction() as session:
            return f"expired {expire(session, again(session, mine))}"

    answers = outcomes(rush(app, [says_yes, is_late] * 3))
    if state_of(mine) is ReservationState.APPROVED:
        assert answers == {"approved": 3, "expired False": 3}
    else:
        assert answers == {"review_over": 3, "expired True": 1, "expired False": 2}
    assert len(told(town.resident)) == 1
    must_be_whole()


def test_who_comes_at_the_last_moment_is_there_or_the_room_is_released(
    town: Town, app: Flask, centre: Centre, clock: StoppedClock
) -> None:
    mine = takes(town.resident, centre.reading_room, at(9))
    waits = takes(town.neighbour, centre.reading_room, at(9), waits=True)
    clock.move_to(at(9, 15))

    def nobody_came() -> str:
        with transaction() as session:
            return f"released {release(session, again(session, mine))}"

    answers = outcomes(rush(app, [partial(checks_in, town.resident, mine), nobody_came] * 3))
    if state_of(mine) is ReservationState.CHECKED_IN:
        assert answers == {"checked_in": 3, "released False": 3}
        assert state_of(waits) is ReservationState.WAITLISTED
    else:
        assert answers == {"reservation_over": 3, "released True": 1, "released False": 2}
        assert state_of(waits) is ReservationState.OFFERED
    must_be_whole()


def test_who_signs_out_on_two_devices_earns_credit_once_and_frees_the_rest_once(
    town: Town, app: Flask, centre: Centre, clock: StoppedClock
) -> None:
    mine = takes(town.resident, centre.reading_room, at(9))
    waits = takes(town.neighbour, centre.reading_room, at(9), waits=True)
    clock.move_to(at(9))
    checks_in(town.resident, mine)
    clock.move_to(at(9, 40))
    deeds = [
        partial(signs_out, town.resident, mine),
        partial(signs_out, town.resident, mine, condition=Condition.UNTIDY),
    ] * 3
    assert outcomes(rush(app, deeds)) == {"finished": 6}
    assert state_of(waits) is ReservationState.OFFERED
    must_be_whole()


def test_whoever_leaves_the_town_while_reserving_holds_no_room(
    town: Town, app: Flask, centre: Centre
) -> None:
    """E32."""
    waits = takes(town.neighbour, centre.left, at(14))
    deeds: list[Callable[[], object]] = [
        partial(reserves_by_phone, town.resident, centre.reading_room),
        partial(closes, town.resident),
        partial(cancels, town.neighbour, waits),
    ]
    answers = rush(app, deeds)
    assert not [one for one in answers if isinstance(one, Exception) and not isinstance(one, Refusal)]
    if "left" in answers:
        with reading() as session:
            live = session.scalars(select(Reservation).where(Reservation.state.in_(LIVE))).all()
            assert [row for row in live if row.resident_id == town.resident.resident_id] == []
    must_be_whole()


@ONLY_POSTGRESQL
@pytest.mark.parametrize("weeks", [0, 2])
@pytest.mark.parametrize("deed", [suspend_it, disband_it])
def test_a_group_suspended_or_disbanded_at_the_moment_of_a_tap_gets_no_room(
    town: Town, app: Flask, centre: Centre, deed: Callable[[Session, Group, Town], object], weeks: int
) -> None:
    group = a_group(town, town.resident)
    with transaction() as session:
        deed(session, session.get_one(Group, group.id), town)
        tap, ended = meanwhile(app, partial(taps_for_group, town.resident, centre.hall, group, weeks))
        until_somebody_waits_for_a_lock()
    tap.join(LONGEST_SECONDS)
    assert outcomes(ended) == {"group_not_approved": 1}
    with reading() as session:
        assert session.scalars(select(Reservation)).all() == []
    must_be_whole()


# --- controls -----------------------------------------------------------------------------------------------------


def forgetful_reservation(
    room: Venue,
    looked: threading.Barrier,
    person: Person,
    *,
    holds: bool = True,
    group: Group | None = None,
) -> str:
    """A path that forgot the lock: look, wait until both have looked, then write."""
    starts_at, ends_at = at(9), at(11)
    with reading() as session:
        venue = session.get_one(Venue, room.id)
        taken = holders_between(session, venue, starts_at=starts_at, ends_at=ends_at)
        floor = [space.id for space in venue.spaces]
    looked.wait(30)
    assert not taken
    with transaction() as session:
        row = Reservation(
            venue_id=room.id,
            resident_id=person.resident_id,
            group_id=group.id if group else None,
            state=ReservationState.APPROVED if holds else ReservationState.WAITLISTED,
            starts_at=starts_at,
            ends_at=ends_at,
            wanted_for=ReservedFor.READING,
            headcount=5,
        )
        session.add(row)
        session.flush()
        for space_id in floor if holds else ():
            session.execute(
                insert(Occupancy).values(
                    space_id=space_id,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    purpose=Purpose.RESERVATION,
                    holder_key=row.key,
                )
            )
    return person.name


def both(
    app: Flask, room: Venue, people: Sequence[Person], *, holds: bool = True, group: Group | None = None
) -> list[object]:
    """Two who look before either has written."""
    looked = threading.Barrier(2)
    answers: list[object] = list(
        rush(
            app,
            [partial(forgetful_reservation, room, looked, one, holds=holds, group=group) for one in people],
        )
    )
    return answers


def test_without_the_lock_the_calendars_guard_is_loud(town: Town, app: Flask, centre: Centre) -> None:
    answers = both(app, centre.reading_room, [town.resident, town.neighbour])
    (loud,) = [answer for answer in answers if not isinstance(answer, str)]
    assert is_loud(loud)
    must_be_whole()


def test_without_lock_and_guard_two_have_one_room(town: Town, app: Flask, centre: Centre) -> None:
    with without_the_rooms_guard(db.engine):
        answers = both(app, centre.reading_room, [town.resident, town.neighbour])
        assert sorted(map(str, answers)) == sorted([town.resident.name, town.neighbour.name])
        with pytest.raises(AssertionError):
            must_be_whole()


def test_without_the_lock_one_person_still_waits_once(town: Town, app: Flask, centre: Centre) -> None:
    answers = both(app, centre.reading_room, [town.resident, town.resident], holds=False)
    assert sorted(type(answer).__name__ for answer in answers) == ["IntegrityError", "str"]


def test_without_lock_and_index_one_person_would_wait_twice(town: Town, app: Flask, centre: Centre) -> None:
    with without_index(db.engine, Reservation, "uq_reservations_live_of_person"):
        answers = both(app, centre.reading_room, [town.resident, town.resident], holds=False)
        assert answers == [town.resident.name] * 2


def test_without_the_lock_one_group_still_waits_once(town: Town, app: Flask, centre: Centre) -> None:
    group = a_group(town, town.resident)
    answers = both(
        app, centre.reading_room, [town.resident, town.neighbour], holds=False, group=group
    )  # its leader, and whom they hand it over to
    assert sorted(type(answer).__name__ for answer in answers) == ["IntegrityError", "str"]


def test_without_lock_and_index_one_group_would_wait_twice(town: Town, app: Flask, centre: Centre) -> None:
    group = a_group(town, town.resident)
    with without_index(db.engine, Reservation, "uq_reservations_live_of_group"):
        answers = both(app, centre.reading_room, [town.resident, town.neighbour], holds=False, group=group)
        assert sorted(map(str, answers)) == sorted([town.resident.name, town.neighbour.name])


@ONLY_POSTGRESQL
def test_with_every_lock_out_the_guard_alone_keeps_a_room_to_one(
    big_town: Town, app: Flask, centre_of_many: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = big_town.crowd[:6]  # fewer than the pool has connections
    with (
        monkeypatch.context() as patch,
        all_look_first(monkeypatch, occupancy, "holders_between", many=len(people)),
    ):
        patch.setattr(Base, "lock", lambda self: self)
        answers = rush(app, [partial(takes, one, centre_of_many.reading_room, at(9)) for one in people])
    assert sum(isinstance(one, Reservation) for one in answers) == 1
    assert any(is_loud(one) for one in answers), "nobody met another: no test of the guard"
    must_be_whole()


@ONLY_POSTGRESQL
def test_with_the_persons_lock_out_their_limits_do_not_hold(
    town: Town, app: Flask, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No constraint can count a week: this lock is the only guard there is, and every path goes through it."""
    set_number(town.wutong, "reservations_a_week", "1")
    rooms = (centre.reading_room, centre.left, centre.right)
    judged = threading.Barrier(len(rooms))

    def hold_nobody(self: Party) -> None:
        del self

    def after_all_were_judged(self: object, *given: object, **more: object) -> None:
        must_be_allowed(self, *given, **more)
        judged.wait(30)

    must_be_allowed: Callable[..., None] = Judge.must_be_allowed
    with monkeypatch.context() as patch:
        patch.setattr(Party, "hold", hold_nobody)
        patch.setattr(Judge, "must_be_allowed", after_all_were_judged)
        answers = rush(
            app,
            [partial(takes, town.resident, room, at(9 + 2 * n)) for n, room in enumerate(rooms)],
        )
    assert outcomes(answers) == {"approved": 3}


# --- who is who ---------------------------------------------------------------------------------------------------


def now_by_id(number: int) -> Reservation:
    """A reservation as it stands."""
    with reading() as session:
        return session.get_one(Reservation, number)


def person_of(town: Town, reservation: Reservation) -> Person:
    """Whose it is, of the crowd."""
    (person,) = [one for one in town.crowd if one.resident_id == reservation.resident_id]
    return person
