"""What is on today in a service point: how each room is this minute, until when, and what is still to come."""

from __future__ import annotations

from datetime import datetime

from models.base import reading, transaction
from models.clock import StoppedClock, in_town
from models.coordination.today import RoomNow, RoomToday, Today, today_in
from models.hours import Hours, OpenOn, write_hours
from models.occupancy import Purpose, occupy
from models.sites import Site, SiteKind, Venue, open_site
from tests.people import Town
from tests.rooms import SATURDAY, SUNDAY, Centre, at, checks_in, signs_out, takes


def today(room: Venue) -> Today:
    with reading() as session:
        return today_in(session, session.get_one(Site, room.site_id))


def now_in(room: Venue) -> RoomToday:
    (found,) = [one for one in today(room).rooms if one.venue.id == room.id]
    return found


def is_now(room: Venue) -> tuple[RoomNow, datetime | None, bool]:
    found = now_in(room)
    return found.now, found.until, found.can_be_reserved


def test_a_room_is_told_as_it_is_from_opening_to_closing(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    mine = takes(town.resident, centre.left, at(9))
    story = {
        at(8): (RoomNow.NOT_OPEN, at(8, 30), False),
        at(8, 30): (RoomNow.FREE, at(9), False),  # no half hour that has not begun is left before nine
        at(9): (RoomNow.IN_USE, at(11), False),
        at(11): (RoomNow.CLEANING, at(11, 10), False),
        at(11, 10): (RoomNow.FREE, at(21), True),
        at(20, 29): (RoomNow.FREE, at(21), True),
        at(20, 30): (RoomNow.FREE, at(21), False),
        at(21): (RoomNow.NOT_OPEN, None, False),
    }
    found = {}
    for moment in story:
        clock.move_to(moment)
        if moment == at(9):
            checks_in(town.resident, mine)
        found[moment] = is_now(centre.left)
    assert found == story


def test_who_leaves_early_leaves_a_room_that_is_cleaned_and_then_free(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    mine = takes(town.resident, centre.left, at(9))
    clock.move_to(at(9))
    checks_in(town.resident, mine)
    clock.move_to(at(10))
    signs_out(town.resident, mine)
    assert is_now(centre.left) == (RoomNow.CLEANING, at(10, 10), False)
    clock.move_to(at(10, 10))
    assert is_now(centre.left) == (RoomNow.FREE, at(21), True)


def test_what_is_still_to_come_stands_there_in_order_until_it_begins(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    takes(None, centre.left, at(14), about="志愿者培训")
    town.a_run(title="书法", venue=centre.left, starts_at=at(18))
    takes(None, centre.left, at(9, on=SUNDAY), about="明天的事")
    for moment, ahead in {
        at(8): ["志愿者培训", "书法"],
        at(14): ["书法"],
        at(18): [],
    }.items():
        clock.move_to(moment)
        assert [use.holder.said for use in now_in(centre.left).ahead] == ahead


def test_a_room_that_is_shut_is_not_said_to_be_used(town: Town, centre: Centre, clock: StoppedClock) -> None:
    with transaction() as session:
        occupy(
            session,
            session.get_one(Venue, centre.hall.id),
            starts_at=at(0),
            ends_at=at(12, on=SUNDAY),
            purpose=Purpose.CLOSURE,
            holder_key="a-closure-of-it",
        )
    clock.move_to(at(10))
    for room in (centre.hall, centre.left, centre.right):
        assert is_now(room) == (RoomNow.SHUT, None, False)
    assert is_now(centre.reading_room)[0] is RoomNow.FREE


def test_only_what_people_reserve_themselves_can_be_reserved(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    clock.move_to(at(10))
    rooms = {one.venue.name: one.can_be_reserved for one in today(centre.left).rooms}
    assert rooms == {
        "阅览室": True,
        "舞蹈室": True,
        "多功能厅": True,
        "多功能厅左": True,
        "多功能厅右": True,
        "厨房": False,
        "连廊": False,
    }


def test_what_goes_on_outside_the_hours_is_on(town: Town, centre: Centre, clock: StoppedClock) -> None:
    takes(None, centre.left, at(22), about="值班", minutes=90)
    clock.move_to(at(22, 30))
    assert is_now(centre.left) == (RoomNow.IN_USE, at(23, 30), False)


def test_a_room_that_closes_at_noon_says_when_it_opens_again(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    with transaction() as session:
        write_hours(
            session,
            session.get_one(Venue, centre.left.id),
            [Hours(OpenOn.WEEKEND, 9 * 60, 12 * 60), Hours(OpenOn.WEEKEND, 14 * 60, 24 * 60)],
        )
    clock.move_to(at(12))
    assert is_now(centre.left) == (RoomNow.NOT_OPEN, at(14), False)
    clock.move_to(at(15))
    assert is_now(centre.left) == (RoomNow.FREE, None, True)


def test_a_service_point_without_rooms_has_nothing_on(town: Town) -> None:
    with transaction() as session:
        site = open_site(session, town.wutong, kind=SiteKind.STATION, name="空站")
    with reading() as session:
        shown = today_in(session, session.get_one(Site, site.id))
    assert (list(shown.rooms), shown.kind) == ([], None)


def test_the_day_is_the_towns(town: Town, centre: Centre, clock: StoppedClock) -> None:
    """At one in the night of Saturday it is Friday in UTC."""
    takes(None, centre.left, at(9), about="志愿者培训")
    clock.move_to(at(1))
    assert in_town(today(centre.left).at).date() == SATURDAY
    assert [use.holder.said for use in now_in(centre.left).ahead] == ["志愿者培训"]
