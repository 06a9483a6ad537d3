"""What is free: hours minus what the one calendar holds, by the day, by the slot, and elsewhere when it is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import count

import pytest
from sqlalchemy.orm import Session

from models import clock
from models.availability import (
    Alternative,
    RoomDay,
    Stretch,
    alternatives,
    availability,
    fits_grid,
    is_free,
    joined,
    left_of,
    slots_of,
    stretch_of_day,
)
from models.base import reading, transaction
from models.calendars import DayKind, set_day
from models.hours import Hours, OpenOn, write_hours
from models.occupancy import Purpose, occupy, vacate
from models.policies import set_policy
from models.regions import Region
from models.sites import Site, SiteKind, Venue, VenueUse, add_space, add_venue, describe_venue, open_site
from models.venue_policies import policies_of, set_venue_policy
from tests.people import Town, a_site, a_venue

MONDAY, SATURDAY = date(2026, 11, 23), date(2026, 11, 21)
WORKED_SATURDAY, NATIONAL_DAY = date(2026, 10, 10), date(2026, 10, 1)
OPENS, CLOSES = "08:30", "21:00"  # by policy
_holders = (f"holder-{n}" for n in count(1))


def at(hour: str, on: date = MONDAY) -> datetime:
    """A time of a day on the town's clock; 24:00 ends it."""
    if hour == "24:00":
        return at("00:00", on + timedelta(days=1))
    return datetime.combine(on, time.fromisoformat(hour), clock.TOWN_ZONE)


def stretches(said: str, on: date = MONDAY) -> list[Stretch]:
    """``09:00-11:00 14:00-16:00`` of a day."""
    return [Stretch(at(one[:5], on), at(one[6:], on)) for one in said.split()]


def said(stretches: Sequence[Stretch], on: date = MONDAY) -> str:
    """The same, told back."""

    def hour(moment: datetime) -> str:
        return "24:00" if moment == at("24:00", on) else f"{clock.in_town(moment):%H:%M}"

    return " ".join(f"{hour(one.starts_at)}-{hour(one.ends_at)}" for one in stretches)


def hold(venue: Venue, when: str, *, on: date = MONDAY, until: date | None = None, by: str = "") -> str:
    """Hold a room, as the verb does; the holder's key."""
    key = by or next(_holders)
    with transaction() as session:
        occupy(
            session,
            session.get_one(Venue, venue.id),
            starts_at=at(when[:5], on),
            ends_at=at(when[6:], until or on),
            purpose=Purpose.RESERVATION,
            holder_key=key,
        )
    return key


def day_of(venue: Venue, on: date = MONDAY) -> RoomDay:
    """One day of a room."""
    with reading() as session:
        (day,) = availability(session, [session.get_one(Venue, venue.id)], first=on, days=1)[venue.id]
    return day


def free_on(venue: Venue, on: date = MONDAY) -> str:
    """What is free of a room on a day."""
    return said(day_of(venue, on).free, on)


def slots_on(venue: Venue, on: date = MONDAY) -> str:
    """The fixed slots of a day, those that are taken in brackets."""
    with reading() as session:
        room = session.get_one(Venue, venue.id)
        (day,) = availability(session, [room], first=on, days=1)[room.id]
        slots = slots_of(room, day, policies_of(session, room))
    told = (said([Stretch(one.starts_at, one.ends_at)], on) for one in slots)
    return " ".join(text if one.free else f"({text})" for text, one in zip(told, slots, strict=True))


def a_room(session: Session, site: Site, name: str, capacity: int, use: VenueUse = VenueUse.AT_ONCE) -> Venue:
    """A room of a site."""
    room = add_venue(session, site, name=name, capacity=capacity)
    describe_venue(session, room, floor="", use=use, access_note="")
    return room


@pytest.fixture
def room(town: Town) -> Venue:
    """A room of the first community."""
    with transaction() as session:
        return a_venue(session, town.wutong)


@pytest.fixture
def hall(town: Town) -> tuple[Venue, Venue, Venue]:
    """The hall of two halves: whole, left, right."""
    with transaction() as session:
        site = a_site(session, town.wutong)
        left, right = add_space(session, site, "左半厅"), add_space(session, site, "右半厅")
        return (
            add_venue(session, site, name="多功能厅", capacity=80, spaces=[left, right]),
            add_venue(session, site, name="多功能厅左", capacity=40, spaces=[left]),
            add_venue(session, site, name="多功能厅右", capacity=40, spaces=[right]),
        )


# --- stretches ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("some", "taken", "left"),
    [
        ("", "", ""),
        ("08:00-12:00", "", "08:00-12:00"),
        ("08:00-12:00", "09:00-10:00", "08:00-09:00 10:00-12:00"),
        ("08:00-12:00", "07:00-09:00 11:00-13:00", "09:00-11:00"),
        ("08:00-12:00", "08:00-12:00", ""),
        ("08:00-12:00", "12:00-13:00", "08:00-12:00"),
        ("08:00-10:00 10:00-12:00", "09:00-11:00", "08:00-09:00 11:00-12:00"),
        ("08:00-12:00 14:00-18:00", "09:00-10:00 09:30-15:00", "08:00-09:00 15:00-18:00"),
    ],
)
def test_what_is_left_of_some_time(some: str, taken: str, left: str) -> None:
    assert said(left_of(stretches(some), stretches(taken))) == left


def test_time_that_touches_or_overlaps_is_one() -> None:
    assert (
        said(joined(stretches("09:00-10:00 08:00-09:00 09:30-09:40 12:00-13:00")))
        == "08:00-10:00 12:00-13:00"
    )


def test_where_one_ends_another_may_begin() -> None:
    first, second, both = stretches("08:00-09:00 09:00-10:00 08:00-10:00")
    assert not first.overlaps(second)
    assert both.overlaps(first)
    assert both.contains(second)
    assert not second.contains(both)
    assert both.minutes == 120


def test_a_day_is_the_towns_whatever_the_server_thinks() -> None:
    """E14."""
    whole = stretch_of_day(MONDAY)
    assert whole.starts_at.isoformat() == "2026-11-22T16:00:00+00:00"
    assert (whole.minutes, said([whole])) == (1440, "00:00-24:00")


@pytest.mark.parametrize(
    ("moment", "fits"),
    [("09:00", True), ("09:30", True), ("00:00", True), ("09:15", False), ("09:00:30", False)],
)
def test_the_grid_is_half_an_hour_of_the_towns_clock(moment: str, fits: bool) -> None:
    assert fits_grid(at(moment)) is fits
    assert fits_grid(at("10:00"), at(moment)) is fits


# --- days ---------------------------------------------------------------------------------------------------------


def test_what_nobody_holds_is_free_while_the_room_is_open(room: Venue) -> None:
    assert free_on(room) == f"{OPENS}-{CLOSES}"
    hold(room, "09:00-11:10")
    hold(room, "07:00-09:00")
    day = day_of(room)
    assert (said(day.open), said(day.free)) == (f"{OPENS}-{CLOSES}", f"11:10-{CLOSES}")
    assert [said([one.stretch]) for one in day.held] == ["07:00-09:00", "09:00-11:10"]


def test_what_is_let_go_is_free_at_once(room: Venue) -> None:
    key = hold(room, "09:00-11:00")
    with transaction() as session:
        vacate(session, [key])
    assert free_on(room) == f"{OPENS}-{CLOSES}"


def test_the_hall_is_as_free_as_both_halves_and_tells_each_holder_once(
    hall: tuple[Venue, Venue, Venue],
) -> None:
    """E13."""
    whole, left, right = hall
    chorus, dance = hold(left, "09:00-11:00"), hold(right, "10:00-12:00")
    everybody = hold(whole, "19:00-21:00")
    assert free_on(whole) == "08:30-09:00 12:00-19:00"
    assert free_on(left) == "08:30-09:00 11:00-19:00"
    assert free_on(right) == "08:30-10:00 12:00-19:00"
    assert [one.holder_key for one in day_of(whole).held] == [chorus, dance, everybody]


def test_what_lasts_for_days_is_held_on_each_of_them(room: Venue) -> None:
    painters = hold(room, "18:00-10:00", on=SATURDAY, until=SATURDAY + timedelta(days=9))
    with reading() as session:
        days = availability(session, [session.get_one(Venue, room.id)], first=MONDAY, days=8)[room.id]
    assert [said(day.free, day.on) for day in days] == [*[""] * 7, "10:00-21:00"]
    assert [[said([one.stretch], day.on) for one in day.held] for day in days[:2]] == [["00:00-24:00"]] * 2
    assert {one.holder_key for day in days for one in day.held} == {painters}


def test_days_go_by_the_calendar_and_not_by_the_week(room: Venue) -> None:
    """E15: a Saturday that is worked has the hours of a working day."""
    with transaction() as session:
        site = session.get_one(Venue, room.id).site
        write_hours(session, site, [Hours(OpenOn.WORKDAY, 540, 1080), Hours(OpenOn.WEEKEND, 600, 960)])
    assert free_on(room, SATURDAY) == "10:00-16:00"
    assert free_on(room, WORKED_SATURDAY) == "09:00-18:00"
    assert free_on(room, NATIONAL_DAY) == ""
    with transaction() as session:
        set_day(session, SATURDAY, DayKind.ADJUSTED_WORKDAY)
    assert (free_on(room, SATURDAY), day_of(room, SATURDAY).kind) == ("09:00-18:00", OpenOn.WORKDAY)


def test_a_day_may_end_at_midnight(room: Venue) -> None:
    with transaction() as session:
        write_hours(session, session.get_one(Venue, room.id).site, [Hours(OpenOn.WORKDAY, 0, 1440)])
    hold(room, "22:00-24:00")
    assert free_on(room) == "00:00-22:00"
    assert free_on(room, MONDAY + timedelta(days=1)) == "00:00-24:00"


def test_all_rooms_cost_the_same_statements(town: Town, statements: list[str]) -> None:
    with transaction() as session:
        site = a_site(session, town.wutong)
        rooms = [add_venue(session, site, name=f"教室{n}", capacity=20) for n in range(12)]
    with reading() as session:
        found = [session.get_one(Venue, room.id) for room in rooms]
        counted = []
        for venues in (found[:1], found):
            availability(session, venues, first=MONDAY, days=14)
            statements.clear()
            assert len(availability(session, venues, first=MONDAY, days=14)) == len(venues)
            counted.append(len(statements))
    assert counted[0] == counted[1] <= 4


def test_no_room_has_no_days(town: Town) -> None:
    with reading() as session:
        assert availability(session, [], first=MONDAY, days=7) == {}


# --- free or not --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "free"),
    [
        ("14:00-16:00", True),
        ("08:30-09:50", True),  # the cleaning ends when the next begins
        ("08:30-10:00", False),
        ("11:50-12:30", False),
        ("12:00-13:00", True),
        ("20:00-21:00", True),  # one cleans after closing
        ("20:00-21:30", False),
        ("08:00-09:00", False),
        ("16:00-14:00", False),
        ("14:00-14:00", False),
    ],
)
def test_a_stretch_is_free_if_open_all_the_while_and_clean_before_the_next(
    room: Venue, wanted: str, free: bool
) -> None:
    hold(room, "10:00-12:00")
    (starts_at, ends_at) = at(wanted[:5]), at(wanted[6:])
    buffer = timedelta(minutes=10)
    with reading() as session:
        venue = session.get_one(Venue, room.id)
        assert is_free(session, venue, starts_at=starts_at, ends_at=ends_at, buffer=buffer) is free
    if starts_at < ends_at:
        assert day_of(room).is_free(Stretch(starts_at, ends_at), buffer=buffer) is free


def test_a_night_is_free_where_both_days_are_open(room: Venue) -> None:
    with transaction() as session:
        write_hours(session, session.get_one(Venue, room.id).site, [Hours(OpenOn.WORKDAY, 0, 1440)])
    tuesday, friday = MONDAY + timedelta(days=1), MONDAY + timedelta(days=4)
    with reading() as session:
        venue = session.get_one(Venue, room.id)

        def free(on: date, until: date) -> bool:
            return is_free(
                session,
                venue,
                starts_at=at("22:00", on),
                ends_at=at("01:00", until),
                buffer=timedelta(0),
            )

        assert free(MONDAY, tuesday)
        assert not free(friday, friday + timedelta(days=1))


# --- fixed slots --------------------------------------------------------------------------------------------------


def test_the_fixed_slots_of_a_day_tell_which_can_still_be_had(room: Venue) -> None:
    assert slots_on(room) == "09:00-11:00 14:00-16:00 16:00-18:00 19:00-21:00"
    hold(room, "15:30-16:30")
    assert slots_on(room) == "09:00-11:00 (14:00-16:00) (16:00-18:00) 19:00-21:00"


def test_a_slot_that_began_is_gone(town: Town, room: Venue, clock: clock.StoppedClock) -> None:
    clock.move_to(at("14:00"))
    assert slots_on(room) == "(09:00-11:00) (14:00-16:00) 16:00-18:00 19:00-21:00"


def test_a_room_has_the_slots_it_is_open_for_by_its_own_numbers(room: Venue) -> None:
    with transaction() as session:
        venue = session.get_one(Venue, room.id)
        write_hours(session, venue, [Hours(OpenOn.WORKDAY, 480, 1440)])
        set_venue_policy(session, venue, "reserve_slots", "07:00-09:00 20:15-22:15 22:15-24:00")
        set_venue_policy(session, venue, "buffer_minutes", "0")
    assert slots_on(room) == "20:15-22:15 22:15-24:00"
    hold(room, "00:00-01:00", on=MONDAY + timedelta(days=1))
    assert slots_on(room) == "20:15-22:15 22:15-24:00"
    with transaction() as session:
        set_venue_policy(session, session.get_one(Venue, room.id), "buffer_minutes", "10")
    assert slots_on(room) == "20:15-22:15 (22:15-24:00)"


@pytest.mark.parametrize("use", [VenueUse.WALK_IN, VenueUse.STAFF_ONLY])
def test_a_room_people_do_not_reserve_has_no_slots(room: Venue, use: VenueUse) -> None:
    with transaction() as session:
        describe_venue(session, session.get_one(Venue, room.id), floor="", use=use, access_note="")
    assert slots_on(room) == ""
    assert free_on(room) == f"{OPENS}-{CLOSES}"


def test_a_room_nobody_can_hold_is_free_for_nobody(room: Venue) -> None:
    with transaction() as session:
        venue = session.get_one(Venue, room.id)
        venue.spaces.clear()
    assert (slots_on(room), free_on(room), day_of(room).open) == ("", "", ())
    with reading() as session:
        venue = session.get_one(Venue, room.id)
        hour = Stretch(at("09:00"), at("10:00"))
        assert not is_free(session, venue, starts_at=hour.starts_at, ends_at=hour.ends_at, buffer=timedelta())


# --- alternatives -------------------------------------------------------------------------------------------------


@pytest.fixture
def centre(town: Town) -> list[Venue]:
    """A centre with rooms for 10, 20, 30 and 60 people, one of 30 to walk into, and one of 30 that staff give; ten minutes to clean up."""
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "buffer_minutes", "10")
        site = open_site(session, town.wutong, kind=SiteKind.CENTRE, name="中心")
        return [
            a_room(session, site, "活动室", 20),
            a_room(session, site, "大教室", 60),
            a_room(session, site, "小教室", 10),
            a_room(session, site, "教室", 30),
            a_room(session, site, "阅览室", 30, VenueUse.WALK_IN),
            a_room(session, site, "会议室", 30, VenueUse.STAFF_ONLY),
        ]


def offered(room: Venue, when: str, **more: object) -> list[str]:
    """What else there is for one who wanted a room on Monday."""
    (wanted,) = stretches(when)
    with reading() as session:
        found = alternatives(
            session,
            session.get_one(Venue, room.id),
            starts_at=wanted.starts_at,
            ends_at=wanted.ends_at,
            **{"headcount": 15, **more},  # type: ignore[arg-type]
        )
        return [told_as(one) for one in found]


def told_as(one: Alternative) -> str:
    """An alternative in a line."""
    on = clock.in_town(one.starts_at).date()
    day = "" if on == MONDAY else f" {on:%d}日"
    return f"{one.kind} {one.venue.name}{day} {said([one.stretch], on)}"


def test_who_finds_a_room_taken_is_offered_other_times_less_time_other_rooms_and_the_days_after(
    centre: list[Venue],
) -> None:
    hold(centre[0], "15:00-16:00")
    everything = offered(centre[0], "14:00-16:00", most=20)
    assert everything == [
        "other_time 活动室 16:00-18:00",
        "other_time 活动室 09:00-11:00",
        "other_time 活动室 19:00-21:00",
        "other_time 活动室 12:30-14:30",
        "shorter 活动室 14:00-14:30",
        "other_room 教室 14:00-16:00",
        "other_room 大教室 14:00-16:00",
        "other_time 活动室 24日 14:00-16:00",
        "other_time 活动室 25日 14:00-16:00",
        "other_time 活动室 26日 14:00-16:00",
    ]
    assert offered(centre[0], "14:00-16:00") == [*everything[:3], *everything[4:7]]
    assert offered(centre[0], "14:00-16:00", most=2) == [everything[0], everything[4]]


def test_who_wanted_no_fixed_slot_is_offered_what_is_nearest(centre: list[Venue]) -> None:
    hold(centre[0], "10:30-11:40")
    assert offered(centre[0], "09:30-11:00", most=6)[:3] == [
        "other_time 活动室 08:30-10:00",
        "other_time 活动室 12:00-13:30",
        "other_time 活动室 13:30-15:00",
    ]


def test_shorter_is_as_long_as_it_can_be_and_no_shorter_than_the_room_is_reserved_for(
    centre: list[Venue],
) -> None:
    hold(centre[0], "15:40-17:00")
    assert "shorter 活动室 14:00-15:30" in offered(centre[0], "14:00-16:00")
    with transaction() as session:
        set_venue_policy(session, session.get_one(Venue, centre[0].id), "reserve_least_minutes", "120")
    assert not [one for one in offered(centre[0], "14:00-16:00") if one.startswith("shorter")]


def test_what_is_offered_is_large_enough_and_not_taken_either(centre: list[Venue]) -> None:
    hold(centre[0], "14:00-16:00")
    hold(centre[3], "16:00-17:00")  # and so nobody could clean it
    rooms = [one for one in offered(centre[0], "14:00-16:00", most=20) if one.startswith("other_room")]
    assert rooms == ["other_room 大教室 14:00-16:00"]
    assert {one.split()[1] for one in offered(centre[0], "14:00-16:00", headcount=25, most=20)} == {"大教室"}
    assert offered(centre[0], "14:00-16:00", headcount=61) == []


def test_nothing_is_offered_that_began_or_that_the_asker_could_not_have(
    centre: list[Venue], clock: clock.StoppedClock
) -> None:
    clock.move_to(at("12:40"))
    hold(centre[0], "14:00-16:00")
    before_tuesday = at("00:00", MONDAY + timedelta(days=1))
    assert offered(
        centre[0], "14:00-16:00", most=20, fits=lambda room, one, numbers: one.ends_at <= before_tuesday
    ) == [
        "other_time 活动室 16:00-18:00",
        "other_time 活动室 19:00-21:00",
        "other_room 教室 14:00-16:00",
        "other_room 大教室 14:00-16:00",
    ]


def test_for_a_room_people_do_not_reserve_other_rooms_are_offered_alone(centre: list[Venue]) -> None:
    assert offered(centre[4], "14:00-16:00") == [
        "other_room 活动室 14:00-16:00",
        "other_room 教室 14:00-16:00",
        "other_room 大教室 14:00-16:00",
    ]


def test_what_is_offered_can_be_taken(hall: tuple[Venue, Venue, Venue]) -> None:
    """E13: of a hall and its halves only what no hold of any space of it touches."""
    whole, left, _ = hall
    hold(left, "14:00-15:50")
    (wanted,) = stretches("14:00-16:00")
    with transaction() as session:
        room = session.get_one(Venue, whole.id)
        buffer = timedelta(minutes=policies_of(session, room).buffer_minutes)
        found = alternatives(
            session, room, starts_at=wanted.starts_at, ends_at=wanted.ends_at, headcount=30, most=20
        )
        assert {one.venue.name for one in found} == {"多功能厅", "多功能厅右"}
        for number, one in enumerate(found):
            assert is_free(session, one.venue, starts_at=one.starts_at, ends_at=one.ends_at, buffer=buffer)
            occupy(
                session,
                one.venue,
                starts_at=one.starts_at,
                ends_at=one.ends_at + buffer,
                purpose=Purpose.RESERVATION,
                holder_key=f"taken-{number}",
            )
            vacate(session, [f"taken-{number}"])


def test_alternatives_cost_the_same_statements_in_a_small_and_in_a_large_house(
    centre: list[Venue], statements: list[str]
) -> None:
    def counted() -> int:
        with reading() as session:
            room = session.get_one(Venue, centre[0].id)
            statements.clear()
            (wanted,) = stretches("14:00-16:00")
            alternatives(session, room, starts_at=wanted.starts_at, ends_at=wanted.ends_at, headcount=5)
            return len(statements)

    small = counted()
    with transaction() as session:
        site = session.get_one(Venue, centre[0].id).site
        for n in range(20):
            a_room(session, site, f"房间{n}", 20)
    for hour in range(9, 20):
        hold(centre[0], f"{hour:02}:00-{hour:02}:30")
    assert counted() == small <= 12
