"""When a site is open: by its own hours, by its community's, by the calendar with 调休."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from models.base import reading, transaction
from models.errors import Conflict
from models.hours import Hours, Opening, OpeningTimes, OpenOn, said, write_hours
from models.journal import JournalEntry
from models.policies import set_policy
from models.regions import Region
from models.sites import Venue
from tests.people import Town, a_venue

MORNING, AFTERNOON = (8 * 60 + 30, 12 * 60), (13 * 60 + 30, 17 * 60 + 30)
A_THURSDAY, A_SATURDAY = date(2026, 10, 15), date(2026, 10, 17)
WORKED_SATURDAY, NATIONAL_DAY = date(2026, 10, 10), date(2026, 10, 1)


def on(kind: OpenOn, *stretches: tuple[int, int]) -> list[Hours]:
    return [Hours(kind, *stretch) for stretch in stretches]


@pytest.fixture
def room(town: Town) -> Venue:
    """A room of a site in the first community."""
    with transaction() as session:
        return a_venue(session, town.wutong)


def write(room: Venue, hours: list[Hours], *, for_room: bool = False) -> None:
    with transaction() as session:
        venue = session.get_one(Venue, room.id)
        write_hours(session, venue if for_room else venue.site, hours)


def open_on(room: Venue, day: date, *, site: bool = False) -> list[str]:
    """When the room, or its site, is open on a day."""
    with reading() as session:
        venue = session.get_one(Venue, room.id)
        times = OpeningTimes(session, [venue.site])
        hours = times.of_site(venue.site) if site else times.of_venue(venue)
        return [said(one).split(" ")[1] for one in times.on_day(hours, day)]


def test_a_site_nobody_wrote_hours_for_goes_by_its_community_and_is_closed_on_holidays(
    town: Town, room: Venue
) -> None:
    assert open_on(room, A_THURSDAY) == open_on(room, A_SATURDAY) == ["08:30-21:00"]
    assert open_on(room, NATIONAL_DAY) == []
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.district.id), "closes", "18:00")
    assert open_on(room, A_THURSDAY) == ["08:30-18:00"]


def test_a_written_site_is_open_just_when_it_says(room: Venue) -> None:
    write(room, on(OpenOn.WORKDAY, AFTERNOON, MORNING))
    assert open_on(room, A_THURSDAY) == ["08:30-12:00", "13:30-17:30"]
    assert open_on(room, A_SATURDAY) == []


def test_a_saturday_that_is_worked_goes_by_the_hours_of_a_working_day(room: Venue) -> None:
    """E15: 2026-10-10 is a Saturday on which the State Council lets people work."""
    write(room, [*on(OpenOn.WORKDAY, MORNING), *on(OpenOn.WEEKEND, AFTERNOON)])
    assert open_on(room, WORKED_SATURDAY) == ["08:30-12:00"]
    assert open_on(room, A_SATURDAY) == ["13:30-17:30"]


def test_a_holiday_has_hours_of_its_own(room: Venue) -> None:
    write(room, [*on(OpenOn.WORKDAY, MORNING), *on(OpenOn.HOLIDAY, (9 * 60, 24 * 60))])
    assert open_on(room, NATIONAL_DAY) == ["09:00-24:00"]


def test_a_room_may_differ_from_its_site_and_goes_by_it_again_when_nothing_is_written(room: Venue) -> None:
    write(room, on(OpenOn.WORKDAY, MORNING))
    write(room, on(OpenOn.WORKDAY, (0, 24 * 60)), for_room=True)
    assert open_on(room, A_THURSDAY) == ["00:00-24:00"]
    assert open_on(room, A_THURSDAY, site=True) == ["08:30-12:00"]
    write(room, [], for_room=True)
    assert open_on(room, A_THURSDAY) == ["08:30-12:00"]


def test_stretches_that_touch_are_one(room: Venue) -> None:
    write(room, on(OpenOn.WORKDAY, (8 * 60, 12 * 60), (12 * 60, 18 * 60)))
    assert open_on(room, A_THURSDAY) == ["08:00-18:00"]


@pytest.mark.parametrize(
    ("hours", "fields"),
    [
        (on(OpenOn.WORKDAY, (600, 600)), ["items.0.closes"]),
        (on(OpenOn.WORKDAY, (600, 540), MORNING), ["items.0.closes"]),
        (on(OpenOn.WORKDAY, MORNING, (700, 800)), ["items.1.opens"]),
        ([Hours(OpenOn.WEEKEND, n * 60, n * 60 + 30) for n in range(13)], ["items"]),
    ],
)
def test_hours_that_cannot_be_are_named_and_nothing_is_lost(
    room: Venue, hours: list[Hours], fields: list[str]
) -> None:
    write(room, on(OpenOn.WORKDAY, MORNING))
    with pytest.raises(Conflict) as caught:
        write(room, hours)
    assert [fault.field for fault in caught.value.faults] == fields
    assert open_on(room, A_THURSDAY) == ["08:30-12:00"]


def test_writing_the_same_again_writes_nothing(room: Venue) -> None:
    def rows() -> tuple[list[int], int]:
        with reading() as session:
            acts = session.scalars(select(JournalEntry.act)).all()
            return list(session.scalars(select(Opening.id))), acts.count("site.hours_written")

    write(room, on(OpenOn.WORKDAY, MORNING, AFTERNOON))
    before = rows()
    write(room, on(OpenOn.WORKDAY, AFTERNOON, MORNING))
    assert rows() == before
    assert before[1] == 1


def test_the_hours_of_many_sites_cost_the_same_statements(room: Venue, statements: list[str]) -> None:
    with reading() as session:
        site = session.get_one(Venue, room.id).site
        for sites in ([site], [site] * 50):
            statements.clear()
            OpeningTimes(session, sites)
            assert len(statements) <= 3


def test_another_sites_hours_are_left_alone(town: Town, room: Venue) -> None:
    write(room, on(OpenOn.WORKDAY, MORNING))
    with transaction() as session:
        other = a_venue(session, town.wangjiang).site
        write_hours(session, other, on(OpenOn.WORKDAY, AFTERNOON))
    assert open_on(room, A_THURSDAY) == ["08:30-12:00"]
