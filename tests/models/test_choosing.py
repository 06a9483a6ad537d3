"""What of a room's days somebody could take: what they see is what a tap would tell them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from models import clock as town_clock
from models.availability import Stretch
from models.base import reading, transaction
from models.clock import StoppedClock
from models.errors import Refusal
from models.groups import Group
from models.hours import Hours, OpenOn, write_hours
from models.reservations import Choice, DayOfChoices, Party, Reservation, RoomTaken, choices
from models.sites import Venue
from models.venue_policies import set_venue_policy
from tests.people import Person, Town
from tests.rooms import (
    MONDAY,
    NEXT_FRIDAY,
    SATURDAY,
    SUNDAY,
    Centre,
    a_group,
    at,
    cancels,
    set_number,
    takes,
)


def seen(
    person: Person,
    rooms: Sequence[Venue],
    *,
    on: date = SATURDAY,
    days: int = 1,
    group: Group | None = None,
    heads: int = 5,
) -> list[list[DayOfChoices]]:
    """The days of each room, as somebody sees them."""
    with reading() as session:
        party = Party(person.resident(session), session.get_one(Group, group.id) if group else None)
        found = choices(
            session,
            [session.get_one(Venue, room.id) for room in rooms],
            whose=party,
            first=on,
            days=days,
            headcount=heads,
        )
        return [found[room.id] for room in rooms]


def told(choices: Sequence[Choice]) -> list[str]:
    """``09:00-11:00`` for what may be taken, the reason behind what may not, and whether one may wait."""

    def line(one: Choice) -> str:
        begins, ends = (town_clock.in_town(moment) for moment in (one.starts_at, one.ends_at))
        text = f"{begins:%H:%M}-{ends:%H:%M}"
        if one.why_not is not None:
            text += f" {one.why_not.code}"
        return f"{text} may wait" if one.may_wait else text

    return [line(one) for one in choices]


def slots(person: Person, room: Venue, **more: object) -> list[str]:
    """The slots of one day of one room."""
    ((day,),) = seen(person, [room], **more)  # type: ignore[arg-type]
    return told(day.slots)


def free(person: Person, room: Venue, **more: object) -> list[str]:
    """What else is free on one day of one room."""
    ((day,),) = seen(person, [room], **more)  # type: ignore[arg-type]
    return told(day.free)


def test_a_free_slot_may_be_taken_and_a_taken_one_waited_for(town: Town, centre: Centre) -> None:
    takes(town.neighbour, centre.reading_room, at(9))
    assert slots(town.resident, centre.reading_room) == [
        "09:00-11:00 room_taken may wait",
        "14:00-16:00",
        "16:00-18:00",
        "19:00-21:00",
    ]


def test_ones_own_reasons_come_before_that_it_is_taken(town: Town, centre: Centre) -> None:
    takes(town.neighbour, centre.reading_room, at(9))
    assert slots(town.resident, centre.reading_room, heads=21)[0] == "09:00-11:00 too_many_heads"
    assert slots(town.outsider, centre.reading_room)[:2] == [
        "09:00-11:00 others_not_admitted",
        "14:00-16:00 others_not_admitted",
    ]


def test_each_slot_says_its_own_reason(town: Town, centre: Centre) -> None:
    set_number(town.wutong, "reservations_a_day", "2")
    takes(town.resident, centre.hall, at(9))
    assert slots(town.resident, centre.reading_room) == [
        "09:00-11:00 own_clash",
        "14:00-16:00",
        "16:00-18:00",
        "19:00-21:00",
    ]
    set_number(town.wutong, "reservations_a_day", "1")
    assert set(slots(town.resident, centre.reading_room)) == {
        f"{hours} reservation_limit" for hours in ("09:00-11:00", "14:00-16:00", "16:00-18:00", "19:00-21:00")
    }
    assert slots(town.resident, centre.reading_room, on=SUNDAY)[0] == "09:00-11:00"


def test_a_slot_at_the_time_of_ones_own_class_says_so(town: Town, centre: Centre) -> None:
    town.resident.tap(town.a_run(starts_at=at(15), title="太极"))
    assert slots(town.resident, centre.reading_room)[:3] == [
        "09:00-11:00",
        "14:00-16:00 own_clash",
        "16:00-18:00 own_clash",
    ]
    assert slots(town.neighbour, centre.reading_room)[1] == "14:00-16:00"


def test_beyond_the_days_one_may_reserve_it_is_not_open_yet_but_for_groups(
    town: Town, centre: Centre
) -> None:
    far = NEXT_FRIDAY + timedelta(days=1)
    ((near_day, far_day),) = seen(town.resident, [centre.hall], on=NEXT_FRIDAY, days=2)
    assert told(near_day.slots)[0] == "09:00-11:00"
    assert told(far_day.slots)[0] == "09:00-11:00 not_open_yet"
    assert told(far_day.free) == ["08:30-21:00 not_open_yet"]
    assert slots(town.resident, centre.hall, on=far, group=a_group(town, town.resident))[0] == "09:00-11:00"


def test_rooms_people_do_not_reserve_have_nothing_to_choose(town: Town, centre: Centre) -> None:
    for room in (centre.kitchen, centre.corridor):
        assert slots(town.resident, room) == free(town.resident, room) == []


def test_what_is_free_is_told_on_the_grid_with_time_to_clean(town: Town, centre: Centre) -> None:
    takes(town.neighbour, centre.reading_room, at(12), minutes=90)
    assert free(town.resident, centre.reading_room) == ["08:30-11:30", "14:00-21:00"]
    with transaction() as session:
        room = session.get_one(Venue, centre.reading_room.id)
        set_venue_policy(session, room, "reserve_least_minutes", "120")
        write_hours(session, room, [Hours(OpenOn.WEEKEND, 500, 870)])
    assert free(town.resident, centre.reading_room) == ["08:30-11:30"]


def test_what_is_free_is_told_in_pieces_that_hold_the_same(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    """Half an hour of somebody's own elsewhere; and what staff have no time left to review."""
    set_number(town.wutong, "reservations_a_day", "0")
    takes(town.resident, centre.hall, at(10), minutes=60)
    assert free(town.resident, centre.reading_room) == [
        "08:30-10:00",
        "10:00-11:00 own_clash",
        "11:00-21:00",
    ]
    clock.move_to(at(3, 30))
    assert free(town.neighbour, centre.dance_room) == [
        "08:30-16:00 too_late_for_review",
        "16:00-21:00",
    ]


def test_what_began_is_gone(town: Town, centre: Centre, clock: StoppedClock) -> None:
    clock.move_to(at(14, 10))
    assert slots(town.resident, centre.reading_room) == [
        "09:00-11:00 time_unfit",
        "14:00-16:00 time_unfit",
        "16:00-18:00",
        "19:00-21:00",
    ]
    assert free(town.resident, centre.reading_room) == ["14:30-21:00"]


def tap(person: Person, room: Venue, one: Choice) -> Reservation | Refusal:
    """What somebody hears who taps on it."""
    try:
        return takes(person, room, one.starts_at, minutes=Stretch(one.starts_at, one.ends_at).minutes)
    except Refusal as refusal:
        return refusal


def test_a_tap_tells_what_was_seen(town: Town, centre: Centre) -> None:
    """Every fixed slot of every room in the days one sees: the tap gives it, or refuses for the same reason."""
    takes(town.neighbour, centre.left, at(14))
    takes(town.neighbour, centre.reading_room, at(9, on=MONDAY))
    rooms = [centre.reading_room, centre.hall, centre.left, centre.right]
    tried = 0
    for room, days in zip(rooms, seen(town.resident, rooms, days=8), strict=True):
        for one in [one for day in (days[0], days[2], days[7]) for one in day.slots]:
            answer = tap(town.resident, room, one)
            if isinstance(answer, Refusal):
                assert one.why_not is not None
                assert answer.code == one.why_not.code
                assert not isinstance(answer, RoomTaken) or answer.details["may_wait"] == one.may_wait
            else:
                assert one.may_take
                cancels(town.resident, answer)
            tried += 1
    assert tried == 4 * 3 * 4


def test_all_rooms_cost_the_same_statements(town: Town, centre: Centre, statements: list[str]) -> None:
    counted = []
    for rooms in ([centre.hall], [centre.hall, centre.left, centre.right, centre.reading_room]):
        seen(town.resident, rooms, days=14)
        statements.clear()
        seen(town.resident, rooms, days=14)
        # each room and its site is looked up by the test itself
        counted.append(len(statements) - len(rooms))
    assert counted[0] == counted[1] <= 15
