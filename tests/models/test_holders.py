"""What holds a room, over all nouns: told by what it is, never by who."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import update

from models import clock as town_clock
from models.agreements import Block, Terms, draft_agreement, put_in_force
from models.base import reading, transaction
from models.clock import StoppedClock
from models.coordination.calendar import calendar_of_rooms
from models.coordination.holders import Use
from models.courses import CourseRun
from models.groups import Group
from models.occupancy import Purpose, occupy
from models.partners import Partner
from models.reservations import ReservedFor
from models.sites import Site, Venue
from tests.people import Town
from tests.rooms import SATURDAY, SUNDAY, Centre, a_group, at, checks_in, set_number, signs_out, takes


def uses(room: Venue, *, days: int = 1) -> list[Use]:
    """What stands in the calendar of a room from Saturday on."""
    with reading() as session:
        (calendar,) = calendar_of_rooms(
            session, [session.get_one(Site, room.site_id)], first=SATURDAY, days=days
        )
        return [
            use for rooms in calendar.days for one in rooms if one.venue.id == room.id for use in one.uses
        ]


def titles(found: Sequence[Use]) -> list[tuple[str, str]]:
    """As staff read it, and as everybody does."""
    return [(use.holder.title, use.holder.said) for use in found]


def a_service(town: Town, room: Venue) -> None:
    with transaction() as session:
        agreement = draft_agreement(
            session,
            session.get_one(Partner, town.partner_member.partner_id),
            session.get_one(Venue, room.id),
            Terms(SATURDAY, SUNDAY, [Block(5, 14 * 60, 16 * 60)], "周六理发", 2),
            by_account_id=None,
            identity="town",
        )
        put_in_force(session, agreement, by_account_id=None, identity="town")


def test_everything_that_holds_a_room_says_what_it_is(town: Town, centre: Centre) -> None:
    run = town.a_run(title="书法", venue=centre.left, starts_at=at(18), evenings=1)
    mine = takes(town.resident, centre.left, at(9), wanted_for=ReservedFor.GATHERING)
    takes(None, centre.left, at(12), about="志愿者培训", minutes=60)
    a_service(town, centre.left)
    with transaction() as session:
        occupy(
            session,
            session.get_one(Venue, centre.left.id),
            starts_at=at(20),
            ends_at=at(21),
            purpose=Purpose.CLOSURE,
            holder_key="a-closure-of-it",
        )
    found = uses(centre.left)
    assert [use.holder.purpose for use in found] == [
        Purpose.RESERVATION,
        Purpose.RESERVATION,
        Purpose.SERVICE,
        Purpose.COURSE_SESSION,
        Purpose.CLOSURE,
    ]
    with reading() as session:
        unit = session.get_one(Partner, town.partner_member.partner_id).name
    assert titles(found) == [
        ("邻里聚会", "邻里聚会"),
        ("志愿者培训", "志愿者培训"),
        ("周六理发", f"{unit}·周六理发"),
        ("书法", "书法"),
        ("停用", "停用"),
    ]
    assert [use.holder.host for use in found] == [None, "社区", unit, None, None]
    assert (found[0].holder.subject_key, found[3].holder.subject_key) == (mine.key, run.key)
    assert town.resident.name not in str(found)


def test_a_class_nobody_sees_yet_is_told_to_nobody(town: Town, centre: Centre) -> None:
    run = town.a_run(title="书法", venue=centre.left, starts_at=at(18), published=False)
    assert titles(uses(centre.left)) == [("书法", "上课")]
    with transaction() as session:
        session.execute(
            update(CourseRun)
            .where(CourseRun.id == run.id)
            .values(state="published", published_at=town_clock.now() + timedelta(hours=1))
        )
    assert titles(uses(centre.left)) == [("书法", "上课")]
    with transaction() as session:
        session.execute(update(CourseRun).where(CourseRun.id == run.id).values(published_at=town_clock.now()))
    assert titles(uses(centre.left)) == [("书法", "书法")]


def test_a_group_is_named_once_the_room_and_the_name_are_sure(town: Town, centre: Centre) -> None:
    group = a_group(town, town.resident)
    waiting = takes(town.resident, centre.dance_room, at(9), group=group, wanted_for=ReservedFor.REHEARSAL)
    takes(town.resident, centre.left, at(14), group=group, wanted_for=ReservedFor.REHEARSAL)
    (pending,) = uses(centre.dance_room)
    assert (pending.holder.said, pending.holder.host, pending.holder.state) == ("预约", group.name, "pending")
    assert pending.holder.subject_key == waiting.key
    assert titles(uses(centre.left)) == [("排练", f"{group.name}·排练")]
    with transaction() as session:
        session.execute(update(Group).where(Group.id == group.id).values(name_is_sure=False))
    assert titles(uses(centre.left)) == [("排练", "排练")]


def test_the_halves_show_what_the_hall_is_used_for_and_where_it_is(town: Town, centre: Centre) -> None:
    takes(None, centre.hall, at(9), about="重阳节联欢")
    for room in (centre.hall, centre.left, centre.right):
        (use,) = uses(room)
        assert (use.holder.said, use.holder.venue_id) == ("重阳节联欢", centre.hall.id)


def test_a_use_ends_before_the_cleaning_and_when_somebody_signs_out(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    mine = takes(town.resident, centre.left, at(9))
    (use,) = uses(centre.left)
    assert (use.starts_at, use.ends_at, use.held_until) == (at(9), at(11), at(11, 10))
    assert [use.is_on(moment) for moment in (at(8, 59), at(9), at(11))] == [False, True, False]
    clock.move_to(at(9))
    checks_in(town.resident, mine)
    clock.move_to(at(10))
    signs_out(town.resident, mine)
    (use,) = uses(centre.left)
    assert (use.ends_at, use.held_until) == (at(10), at(10, 10))


def test_cleaning_that_reaches_into_the_next_day_is_no_use_of_it(town: Town, centre: Centre) -> None:
    takes(None, centre.kitchen, at(22), minutes=120)
    assert [use.ends_at for use in uses(centre.kitchen, days=2)] == [at(0, on=SUNDAY)]


@pytest.mark.parametrize("many", [2, 6])
def test_a_calendar_costs_the_same_whatever_holds_the_rooms(
    town: Town, centre: Centre, statements: list[str], many: int
) -> None:
    set_number(town.wutong, "reservations_a_week", "0")
    set_number(town.wutong, "reservations_a_day", "0")
    set_number(town.wutong, "reserved_minutes_a_week", "0")
    a_service(town, centre.right)
    for n in range(many):
        day = SATURDAY + timedelta(days=n)
        town.a_run(venue=centre.reading_room, starts_at=at(9, on=day))
        takes(town.resident, centre.left, at(9, on=day), minutes=30)
    with reading() as session:
        site = session.get_one(Site, centre.left.site_id)
        assert len(site.venues) == 7
        statements.clear()
        calendar_of_rooms(session, [site], first=SATURDAY, days=7)
    assert len(statements) == 7, statements
