"""Whatever the hours say and whoever holds what: a minute is free exactly when the room is open in it and nobody holds any of its floor."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.orm import Session

from models import clock as town_clock
from models.availability import Alternative, RoomDay, Stretch, alternatives, availability, is_free, slots_of
from models.base import reading, transaction
from models.calendars import CalendarDay, DayKind, set_day
from models.errors import Conflict
from models.hours import Hours, OpenOn, write_hours
from models.occupancy import Occupancy, Purpose, occupy
from models.sites import Venue, VenueUse, add_space, add_venue, describe_venue
from models.venue_policies import policies_of, set_venue_policy
from tests.people import Town, a_site

DAYS = 3
A_DAY = 24 * 60
A_MINUTE = timedelta(minutes=1)
# E15: the day before a festival and the festival; a Friday, a Saturday that is worked, and a Sunday
KINDS = {
    date(2026, 9, 30): [OpenOn.WORKDAY, OpenOn.HOLIDAY, OpenOn.HOLIDAY],
    date(2026, 10, 9): [OpenOn.WORKDAY, OpenOn.WORKDAY, OpenOn.WEEKEND],
}
FLOOR_OF = {"whole": {"left", "right"}, "left": {"left"}, "right": {"right"}}
SLOTS = ((0, 90), (540, 660), (660, 780), (1350, 1440))


@dataclass(frozen=True)
class Hold:
    """Who wants which room, from which minute after the first midnight, for how many."""

    room: str
    starts: int
    minutes: int


@dataclass(frozen=True)
class Days:
    """Some days of the house: its hours, one day that is another kind than announced, and holds in the order they are tried."""

    first: date
    hours: list[Hours]
    differs: tuple[int, DayKind] | None
    holds: list[Hold]
    buffer: int


@st.composite
def openings(draw: st.DrawFn) -> list[Hours]:
    """Up to three stretches for each kind of day, some of them touching, some from midnight or until midnight."""
    found = []
    for on in OpenOn:
        points = sorted(draw(st.sets(st.integers(0, 96) | st.sampled_from([0, 96]), max_size=6)))
        step = draw(st.sampled_from([1, 2]))
        pairs = list(zip(points[::step], points[1::step], strict=False))[:3]
        found += [Hours(on, opens * 15, closes * 15) for opens, closes in pairs]
    return found


some_days = st.builds(
    Days,
    first=st.sampled_from(sorted(KINDS)),
    hours=openings(),
    differs=st.none() | st.tuples(st.integers(0, DAYS - 1), st.sampled_from(list(DayKind))),
    holds=st.lists(
        st.builds(
            Hold,
            room=st.sampled_from(sorted(FLOOR_OF)),
            starts=st.integers(-2 * A_DAY, DAYS * A_DAY + 60)
            | st.builds(lambda day, minutes: day * A_DAY + minutes, st.integers(0, DAYS), st.integers(0, 50)),
            minutes=st.integers(1, 300) | st.integers(1, 4 * A_DAY),
        ),
        max_size=7,
    ),
    buffer=st.sampled_from([0, 10, 45]),
)
wishes = st.lists(
    st.tuples(
        st.integers(0, DAYS * A_DAY // 30) | st.integers(1, DAYS - 1).map(lambda day: day * A_DAY // 30 - 1),
        st.integers(0, 8),
        st.sampled_from([0, 0, 7]),
        st.integers(1, 30),
    ),
    min_size=1,
    max_size=4,
)


@given(days=some_days, asked=wishes)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[phase for phase in Phase if phase is not Phase.explain],
)
def a_minute_is_free_when_open_and_held_by_nobody(
    rooms: dict[str, int], days: Days, asked: list[tuple[int, int, int, int]]
) -> None:
    """What hypothesis plays on the one hall, emptied each time."""
    midnight = datetime.combine(days.first, time(), town_clock.TOWN_ZONE)
    with transaction() as session:
        held = live_through(session, rooms, days, midnight)
    opened = open_minutes(days)
    with reading() as session:
        venues = {name: session.get_one(Venue, venue_id) for name, venue_id in rooms.items()}
        found = availability(session, list(venues.values()), first=days.first, days=DAYS)
        for name, venue in venues.items():
            taken = {minute for floor in FLOOR_OF[name] for minute in held[floor]}
            for number, day in enumerate(found[venue.id]):
                is_told_in_order(day)
                today = set(range(number * A_DAY, (number + 1) * A_DAY))
                assert minutes_of(day.open, midnight) == opened & today
                assert minutes_of([one.stretch for one in day.held], midnight) == taken & today
                assert minutes_of(day.free, midnight) == (opened - taken) & today
                for slot in slots_of(venue, day, policies_of(session, venue)):
                    starts = (slot.starts_at - midnight) // A_MINUTE
                    ends = (slot.ends_at - midnight) // A_MINUTE
                    assert slot.free == fits(starts, ends, days.buffer, opened, taken)
            for starts, minutes in [*wished(asked), *just_before(days)]:
                answer = is_free(
                    session,
                    venue,
                    starts_at=midnight + starts * A_MINUTE,
                    ends_at=midnight + (starts + minutes) * A_MINUTE,
                    buffer=days.buffer * A_MINUTE,
                )
                assert answer == (minutes > 0 and fits(starts, starts + minutes, days.buffer, opened, taken))
        offers_are_free(session, venues["left"], asked[0], days, midnight, opened, held)


def live_through(
    session: Session, rooms: dict[str, int], days: Days, midnight: datetime
) -> dict[str, set[int]]:
    """Write the days down with the verbs of the house; the minutes each piece of floor is held in."""
    session.execute(delete(Occupancy))
    session.execute(delete(CalendarDay))
    venues = {name: session.get_one(Venue, venue_id) for name, venue_id in rooms.items()}
    write_hours(session, venues["whole"].site, days.hours)
    for venue in venues.values():
        set_venue_policy(session, venue, "buffer_minutes", str(days.buffer))
    if days.differs is not None:
        number, kind = days.differs
        set_day(session, days.first + timedelta(days=number), kind)
    held: dict[str, set[int]] = {"left": set(), "right": set()}
    for number, hold in enumerate(days.holds):
        with suppress(Conflict):
            occupy(
                session,
                venues[hold.room],
                starts_at=midnight + hold.starts * A_MINUTE,
                ends_at=midnight + (hold.starts + hold.minutes) * A_MINUTE,
                purpose=list(Purpose)[number % len(Purpose)],
                holder_key=f"holder-{number}",
            )
            for floor in FLOOR_OF[hold.room]:
                held[floor] |= set(range(hold.starts, hold.starts + hold.minutes))
    return held


def open_minutes(days: Days) -> set[int]:
    """The minutes after the first midnight in which the house is open; where nothing is written it goes by its community."""
    usual = [Hours(on, 510, 1260) for on in (OpenOn.WORKDAY, OpenOn.WEEKEND)]
    kinds = list(KINDS[days.first])
    if days.differs is not None:
        number, kind = days.differs
        kinds[number] = OpenOn.WORKDAY if kind.is_work else OpenOn(kind)
    return {
        number * A_DAY + minute
        for number, kind in enumerate(kinds)
        for one in days.hours or usual
        if one.on is kind
        for minute in range(one.opens_minute, one.closes_minute)
    }


def minutes_of(stretches: tuple[Stretch, ...] | list[Stretch], midnight: datetime) -> set[int]:
    """The minutes after a midnight that lie in these."""
    return {
        minute
        for one in stretches
        for minute in range((one.starts_at - midnight) // A_MINUTE, (one.ends_at - midnight) // A_MINUTE)
    }


def is_told_in_order(day: RoomDay) -> None:
    """Nothing empty, nothing twice, nothing in two pieces that is one."""
    for stretches in (day.open, day.free):
        assert all(one.starts_at < one.ends_at for one in stretches)
        assert all(one.ends_at < after.starts_at for one, after in pairwise(stretches))
    assert list(day.held) == sorted(day.held, key=lambda one: one.starts_at)
    for holder in {one.holder_key for one in day.held}:
        pieces = [one for one in day.held if one.holder_key == holder]
        assert all(one.ends_at < after.starts_at for one, after in pairwise(pieces))


def fits(starts: int, ends: int, buffer: int, opened: set[int], taken: set[int]) -> bool:
    """Whether these minutes are open, and they and those of the cleaning held by nobody."""
    return set(range(starts, ends)) <= opened and not taken & set(range(starts, ends + buffer))


def wished(asked: list[tuple[int, int, int, int]]) -> list[tuple[int, int]]:
    """From which minute on and for how many: on the grid or beside it, perhaps over midnight; some are empty."""
    stretches = [(at * 30 + beside, steps * 30) for at, steps, beside, _ in asked]
    return [(starts, minutes) for starts, minutes in stretches if starts + minutes <= DAYS * A_DAY]


def just_before(days: Days) -> list[tuple[int, int]]:
    """Half an hour that ends shortly before somebody wants the room, or just then."""
    ends = [hold.starts - 10 * number for number, hold in enumerate(days.holds[:3])]
    return [(end - 30, 30) for end in ends if 30 <= end <= DAYS * A_DAY]


def offers_are_free(
    session: Session,
    venue: Venue,
    wish: tuple[int, int, int, int],
    days: Days,
    midnight: datetime,
    opened: set[int],
    held: dict[str, set[int]],
) -> None:
    """Whatever is offered to one who wanted a half of the hall can be had, and none of it twice."""
    starts, length, heads = wish[0] * 30, (wish[1] + 1) * 30, wish[3]
    found = alternatives(
        session,
        venue,
        starts_at=midnight + starts * A_MINUTE,
        ends_at=midnight + (starts + length) * A_MINUTE,
        headcount=heads,
        most=10,
        fits=lambda room, one, numbers: one.ends_at <= midnight + DAYS * A_DAY * A_MINUTE,
    )
    assert len(found) == len({(one.venue.id, one.starts_at, one.ends_at) for one in found}) <= 10
    names = {"多功能厅": "whole", "左半厅": "left", "右半厅": "right"}
    for one in found:
        assert can_be_had(one, names[one.venue.name], days.buffer, midnight, opened, held)
        assert heads <= one.venue.capacity


def can_be_had(
    one: Alternative,
    room: str,
    buffer: int,
    midnight: datetime,
    opened: set[int],
    held: dict[str, set[int]],
) -> bool:
    """Whether an alternative is what it says."""
    taken = {minute for floor in FLOOR_OF[room] for minute in held[floor]}
    starts, ends = ((moment - midnight) // A_MINUTE for moment in (one.starts_at, one.ends_at))
    return fits(starts, ends, buffer, opened, taken)


def test_a_minute_is_free_when_open_and_held_by_nobody(town: Town, clock: town_clock.StoppedClock) -> None:
    """E13, E15, closing at midnight, holds of several days, holds over midnight."""
    clock.move_to(datetime(2026, 9, 1, tzinfo=town_clock.TOWN_ZONE))
    with transaction() as session:
        site = a_site(session, town.wutong)
        left, right = add_space(session, site, "左"), add_space(session, site, "右")
        rooms = {
            "whole": add_venue(session, site, name="多功能厅", capacity=30, spaces=[left, right]),
            "left": add_venue(session, site, name="左半厅", capacity=15, spaces=[left]),
            "right": add_venue(session, site, name="右半厅", capacity=15, spaces=[right]),
        }
        for venue in rooms.values():
            describe_venue(session, venue, floor="", use=VenueUse.AT_ONCE, access_note="")
            slots = " ".join(f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in SLOTS)
            set_venue_policy(session, venue, "reserve_slots", slots)
    a_minute_is_free_when_open_and_held_by_nobody(rooms={name: venue.id for name, venue in rooms.items()})
