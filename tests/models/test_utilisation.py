"""How much of their open time rooms were used: exact to the minute, halls by their halves, and nothing that did not happen."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from models.agreements import (
    Block,
    Record,
    ServiceDelivery,
    Terms,
    draft_agreement,
    put_in_force,
    record_delivery,
)
from models.base import reading, transaction
from models.calendars import DayKind, set_day
from models.clock import StoppedClock
from models.coordination.utilisation import Usage, Utilisation, utilisation
from models.courses import Attendance, AttendanceState, Registration
from models.courses.attendance import RecordedHow
from models.hours import Hours, OpenOn, write_hours
from models.occupancy import Purpose, occupy
from models.partners import Partner
from models.reservations import release
from models.sites import Site, Venue
from tests.people import Town
from tests.rooms import (
    MONDAY,
    SATURDAY,
    SUNDAY,
    Centre,
    again,
    at,
    cancels,
    checks_in,
    set_number,
    signs_out,
    takes,
)

A_DAY = 12 * 60 + 30  # from 08:30 to 21:00


def counted(room: Venue, *, first: date = SATURDAY, days: int = 1) -> Utilisation:
    with reading() as session:
        return utilisation(session, [session.get_one(Site, room.site_id)], first=first, days=days)


def of(room: Venue, *, first: date = SATURDAY, days: int = 1) -> Usage:
    """What one room comes to."""
    (site,) = counted(room, first=first, days=days).sites
    (found,) = [one.usage for one in site.rooms if one.venue.id == room.id]
    return found


def used(usage: Usage, purpose: Purpose = Purpose.RESERVATION) -> tuple[int, int, int]:
    (one,) = [each for each in usage.by_purpose if each.purpose is purpose]
    return one.minutes, one.uses, one.people


def closes(room: Venue, starts_at: datetime, ends_at: datetime, purpose: Purpose = Purpose.CLOSURE) -> None:
    with transaction() as session:
        occupy(
            session,
            session.get_one(Venue, room.id),
            starts_at=starts_at,
            ends_at=ends_at,
            purpose=purpose,
            holder_key="a-closure-of-it",
        )


@pytest.fixture
def afterwards(town: Town, clock: StoppedClock) -> StoppedClock:
    """Nobody waits for anybody's number of reservations; the clock."""
    for name in ("reservations_a_day", "reservations_a_week", "reserved_minutes_a_week"):
        set_number(town.wutong, name, "0")
    return clock


def test_what_was_used_by_what_was_open(town: Town, centre: Centre, afterwards: StoppedClock) -> None:
    mine = takes(town.resident, centre.left, at(9), heads=7)
    takes(None, centre.left, at(14), about="志愿者培训", heads=20)
    town.a_run(venue=centre.left, starts_at=at(18))
    afterwards.move_to(at(9))
    checks_in(town.resident, mine)
    afterwards.move_to(at(10, 30))
    signs_out(town.resident, mine)
    afterwards.move_to(at(0, on=SUNDAY))
    usage = of(centre.left)
    assert (usage.open_minutes, usage.closed_minutes, usage.outside_minutes) == (A_DAY, 0, 0)
    assert used(usage) == (90 + 120, 2, 27)  # who leaves early used it until then
    assert used(usage, Purpose.COURSE_SESSION) == (90, 1, 0)
    assert (usage.used_minutes, usage.uses, usage.people) == (300, 3, 27)
    assert usage.rate == round(300 / A_DAY, 4)


def test_who_does_not_come_uses_nothing_and_is_counted(
    town: Town, centre: Centre, afterwards: StoppedClock
) -> None:
    mine = takes(town.resident, centre.left, at(9))
    gone = takes(town.neighbour, centre.right, at(9))
    cancels(town.neighbour, gone)
    afterwards.move_to(at(9, 16))
    with transaction() as session:
        assert release(session, again(session, mine))
    afterwards.move_to(at(0, on=SUNDAY))
    usage = of(centre.left)
    assert (usage.used_minutes, usage.uses, usage.rate) == (0, 0, 0)
    assert (usage.reserved_minutes, usage.no_show_minutes, usage.no_shows) == (120, 120, 1)
    assert (of(centre.right).reserved_minutes, of(centre.right).no_shows) == (0, 0)


def test_a_hall_is_used_as_much_as_its_floor_is(town: Town, centre: Centre, afterwards: StoppedClock) -> None:
    takes(None, centre.left, at(9), about="半厅")
    takes(None, centre.hall, at(14), about="全厅", heads=60)
    afterwards.move_to(at(0, on=SUNDAY))
    hall, left, right = (of(room) for room in (centre.hall, centre.left, centre.right))
    assert [one.used_minutes for one in (hall, left, right)] == [60 + 120, 240, 120]
    assert [one.uses for one in (hall, left, right)] == [2, 2, 1]
    assert [one.people for one in (hall, left, right)] == [60, 5, 0]
    assert hall.open_minutes == left.open_minutes == A_DAY
    # the house: six pieces of floor, each once, and each use once
    (site,) = counted(centre.hall).sites
    assert (site.usage.open_minutes, site.usage.used_minutes) == (6 * A_DAY, 120 + 240)
    assert (site.usage.uses, site.usage.people) == (2, 65)
    assert counted(centre.hall).usage == site.usage


def test_what_was_closed_was_not_open(town: Town, centre: Centre, afterwards: StoppedClock) -> None:
    closes(centre.hall, at(17), at(12, on=SUNDAY))
    closes(centre.kitchen, at(9), at(10), Purpose.PUBLIC_NEED)
    afterwards.move_to(at(0, on=MONDAY))
    for room in (centre.hall, centre.left):
        usage = of(room, days=2)
        assert usage.closed_minutes == 4 * 60 + 3 * 60 + 30
        assert usage.open_minutes == 2 * A_DAY - usage.closed_minutes
        assert usage.rate == 0
    assert of(centre.kitchen).closed_minutes == 60


def test_a_room_that_was_never_open_has_no_rate(town: Town, centre: Centre, afterwards: StoppedClock) -> None:
    closes(centre.left, at(0), at(0, on=SUNDAY))
    with transaction() as session:
        set_day(session, SUNDAY, DayKind.HOLIDAY)
    afterwards.move_to(at(0, on=MONDAY))
    assert [of(centre.left, days=2).open_minutes, of(centre.left, days=2).rate] == [0, None]


def test_what_lies_outside_the_hours_is_told_apart(
    town: Town, centre: Centre, afterwards: StoppedClock
) -> None:
    takes(None, centre.left, at(20), minutes=180, about="晚会")
    closes(centre.left, at(23, 30), at(0, 30, on=SUNDAY), Purpose.SERVICE)
    afterwards.move_to(at(12, on=SUNDAY))
    usage = of(centre.left)
    assert (usage.used_minutes, usage.outside_minutes, usage.uses) == (60, 120 + 30, 2)
    sunday = of(centre.left, first=SUNDAY)
    assert (sunday.used_minutes, sunday.outside_minutes, sunday.uses) == (0, 30, 1)


def test_only_what_is_over_counts(town: Town, centre: Centre, afterwards: StoppedClock) -> None:
    takes(None, centre.left, at(9), about="志愿者培训")
    takes(None, centre.left, at(14), about="下午的事")
    town.a_run(venue=centre.right, starts_at=at(9, 30))
    afterwards.move_to(at(10))
    found = counted(centre.left, days=7)
    assert found.until == at(10)
    left, right = of(centre.left, days=7), of(centre.right, days=7)
    assert (left.open_minutes, left.used_minutes, left.uses) == (90, 60, 1)
    assert (right.open_minutes, right.used_minutes, right.uses) == (90, 30, 1)
    ahead = of(centre.left, first=MONDAY)
    assert (ahead.open_minutes, ahead.rate, ahead.uses) == (0, None, 0)


def test_a_worked_saturday_is_open_like_a_working_day(
    town: Town, centre: Centre, afterwards: StoppedClock
) -> None:
    with transaction() as session:
        write_hours(
            session,
            session.get_one(Venue, centre.left.id),
            [Hours(OpenOn.WORKDAY, 9 * 60, 17 * 60), Hours(OpenOn.WEEKEND, 9 * 60, 10 * 60)],
        )
        set_day(session, SATURDAY, DayKind.ADJUSTED_WORKDAY)
    afterwards.move_to(at(0, on=MONDAY))
    assert of(centre.left, days=2).open_minutes == 8 * 60 + 60
    assert of(centre.hall, days=2).open_minutes == 2 * A_DAY
    # of the house the floor of the half is open as long as the hall over it is
    (site,) = counted(centre.left, days=2).sites
    assert site.usage.open_minutes == 6 * 2 * A_DAY


def test_classes_count_who_was_there_and_units_whom_they_served(
    town: Town, centre: Centre, afterwards: StoppedClock
) -> None:
    run = town.a_run(venue=centre.left, starts_at=at(18))
    people = (town.resident, town.neighbour, town.guardian)
    for person in people:
        person.tap(run)
    states = [AttendanceState.PRESENT, AttendanceState.LATE, AttendanceState.ABSENT]
    with transaction() as session:
        for person, state in zip(people, states, strict=True):
            registration = session.scalars(
                select(Registration).where(Registration.resident_id == person.resident_id)
            ).one()
            session.add(
                Attendance(
                    session_id=run.sessions[0].id,
                    registration_id=registration.id,
                    state=state,
                    how=RecordedHow.PAPER,
                    at=at(18),
                )
            )
        agreement = draft_agreement(
            session,
            session.get_one(Partner, town.partner_member.partner_id),
            session.get_one(Venue, centre.right.id),
            Terms(SATURDAY, SUNDAY, [Block(5, 14 * 60, 16 * 60)], "周六理发", 2),
            by_account_id=None,
            identity="town",
        )
        put_in_force(session, agreement, by_account_id=None, identity="town")
    afterwards.move_to(at(0, on=SUNDAY))
    with transaction() as session:
        for served in (9, 4):
            record_delivery(
                session,
                session.get_one(type(agreement), agreement.id),
                Record(SATURDAY, 60, "理发", served),
                by_account_id=None,
                identity="staff:x",
            )
        session.execute(
            update(ServiceDelivery).where(ServiceDelivery.people_served == 4).values(confirmed_at=None)
        )
    assert used(of(centre.left), Purpose.COURSE_SESSION) == (90, 1, 2)
    assert used(of(centre.right), Purpose.SERVICE) == (120, 1, 9)
    assert used(of(centre.hall), Purpose.SERVICE) == (60, 1, 0)


@pytest.mark.parametrize("days", [1, 400])
def test_a_count_costs_the_same_few_statements(
    town: Town, centre: Centre, statements: list[str], days: int
) -> None:
    with reading() as session:
        site = session.get_one(Site, centre.left.site_id)
        assert len(site.venues) == 7
        statements.clear()
        utilisation(session, [site], first=SATURDAY - timedelta(days=days), days=days)
    assert len(statements) == 8, statements
