"""What is free, over the wire: the same for everybody, of one room or of a whole centre, and nobody's name in it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from models import clock
from models.base import transaction
from models.coordination.holders import WORDS
from models.occupancy import Purpose, occupy, vacate
from models.policies import set_policy
from models.regions import Region
from models.sites import SiteKind, Venue, VenueUse, add_venue, describe_venue, open_site
from tests.people import Town
from tests.phones import Door, the_problem, told

MONDAY = "2026-11-23"
HOLDER = "holder-of-a-room"


def at(hour: int) -> datetime:
    """A full hour of that Monday."""
    return datetime(2026, 11, 23, hour, tzinfo=clock.TOWN_ZONE)


def stretch(starts: str, ends: str) -> dict[str, str]:
    """A stretch of that Monday, as the wire has it."""
    return {"starts_at": f"{MONDAY}T{starts}:00+08:00", "ends_at": f"{MONDAY}T{ends}:00+08:00"}


@pytest.fixture
def centre(town: Town) -> tuple[Venue, Venue]:
    """A room people reserve and one they walk into, of one centre."""
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "buffer_minutes", "10")
        site = open_site(session, town.wutong, kind=SiteKind.CENTRE, name="中心")
        dance = add_venue(session, site, name="舞蹈室", capacity=25)
        reading_room = add_venue(session, site, name="阅览室", capacity=40)
        describe_venue(session, reading_room, floor="1楼", use=VenueUse.WALK_IN, access_note="")
    return dance, reading_room


def hold(room: Venue, purpose: Purpose = Purpose.COURSE_SESSION, key: str = HOLDER) -> None:
    """Hold a room on Monday from nine to eleven."""
    with transaction() as session:
        occupy(
            session,
            session.get_one(Venue, room.id),
            starts_at=at(9),
            ends_at=at(11),
            purpose=purpose,
            holder_key=key,
        )


def test_anybody_sees_a_day_of_a_room(door: Door, centre: tuple[Venue, Venue]) -> None:
    room = centre[0]
    hold(room)
    seen = told(door.phone().get(f"/venues/{room.key}/availability?first={MONDAY}&days=1"))
    assert seen["venue"] == {
        "key": room.key,
        "name": "舞蹈室",
        "capacity": 25,
        "floor": "",
        "use": "reviewed",
    }
    assert seen["days"] == [
        {
            "open": [stretch("08:30", "21:00")],
            "slots": [
                {**stretch("09:00", "11:00"), "free": False},
                {**stretch("14:00", "16:00"), "free": True},
                {**stretch("16:00", "18:00"), "free": True},
                {**stretch("19:00", "21:00"), "free": True},
            ],
            "free": [stretch("08:30", "09:00"), stretch("11:00", "21:00")],
            "held": [{**stretch("09:00", "11:00"), "purpose": "course_session", "word": "上课"}],
            "on": MONDAY,
            "kind": "workday",
        }
    ]


def test_a_centre_is_seen_day_by_day_and_room_by_room_at_once(
    door: Door, centre: tuple[Venue, Venue]
) -> None:
    dance, reading = centre
    hold(reading, Purpose.CLOSURE)
    seen = told(door.phone().get(f"/sites/{centre[0].site.key}/availability?first={MONDAY}&days=14"))
    assert [room["key"] for room in seen["venues"]] == [dance.key, reading.key]
    assert [day["on"] for day in seen["days"]] == [
        f"{date(2026, 11, 23) + timedelta(days=n)}" for n in range(14)
    ]
    for day in seen["days"]:
        assert [room["venue"] for room in day["rooms"]] == [dance.key, reading.key]
        assert day["rooms"][1]["slots"] == []  # one walks in
    first_day = seen["days"][0]["rooms"]
    assert [len(room["held"]) for room in first_day] == [0, 1]
    assert first_day[1]["held"][0]["word"] == "停用"
    assert seen["days"][5]["kind"] == "weekend"


def test_of_a_centre_without_rooms_there_is_nothing_to_see(door: Door, town: Town) -> None:
    with transaction() as session:
        site = open_site(session, town.wutong, kind=SiteKind.STATION, name="新站")
    seen = told(door.phone().get(f"/sites/{site.key}/availability?first={MONDAY}&days=2"))
    assert seen == {"venues": [], "days": []}


def test_a_week_from_today_is_shown_unless_one_asks_for_another(
    door: Door, centre: tuple[Venue, Venue]
) -> None:
    for path in (f"/venues/{centre[0].key}", f"/sites/{centre[0].site.key}"):
        days = told(door.phone().get(f"{path}/availability"))["days"]
        assert (len(days), days[0]["on"]) == (7, "2026-11-20")


@pytest.mark.parametrize("purpose", list(Purpose))
def test_whose_it_is_stays_in_the_house(door: Door, centre: tuple[Venue, Venue], purpose: Purpose) -> None:
    room = centre[0]
    hold(room, purpose)
    answer = door.phone().get(f"/venues/{room.key}/availability?first={MONDAY}&days=1")
    assert HOLDER not in answer.text
    (held,) = told(answer)["days"][0]["held"]
    assert held == {**stretch("09:00", "11:00"), "purpose": purpose, "word": WORDS[purpose]}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("first=2026-10-19", 409, "day_out_of_sight"),
        ("first=2027-11-22", 409, "day_out_of_sight"),
        ("first=9999-12-31", 409, "day_out_of_sight"),
        ("first=0001-01-01", 409, "day_out_of_sight"),
        ("first=2026-02-30", 422, "invalid"),
        ("first=tomorrow", 422, "invalid"),
        ("days=0", 422, "invalid"),
        ("days=15", 422, "invalid"),
        ("room=1", 422, "invalid"),
    ],
)
def test_days_nobody_plans_are_named_at_their_field(
    door: Door, centre: tuple[Venue, Venue], query: str, status: int, code: str
) -> None:
    for path in (f"/venues/{centre[0].key}", f"/sites/{centre[0].site.key}"):
        problem = the_problem(door.phone().get(f"{path}/availability?{query}"), status, code)
        assert [one["field"] for one in problem["errors"]] == [query.partition("=")[0]]


@pytest.mark.parametrize("query", ["first=2026-10-20", "first=2027-11-21&days=14"])
def test_a_month_back_and_a_year_ahead_can_be_seen(
    door: Door, centre: tuple[Venue, Venue], query: str
) -> None:
    assert told(door.phone().get(f"/sites/{centre[0].site.key}/availability?{query}"))["days"]


@pytest.mark.parametrize("path", ["/venues/{}", "/venues/{}/availability", "/sites/{}/availability"])
def test_what_is_not_there_is_not_found(door: Door, town: Town, path: str) -> None:
    the_problem(door.phone().get(path.format("a" * 16)), 404, "not_found")


def test_who_has_seen_it_already_is_sent_it_again_only_when_it_changed(
    door: Door, centre: tuple[Venue, Venue]
) -> None:
    room, phone = centre[0], door.phone()
    path = f"/sites/{centre[0].site.key}/availability?first={MONDAY}"
    known = phone.get(path).headers["ETag"]
    assert phone.get(path, headers={"If-None-Match": known}).status_code == 304
    hold(room)
    changed = phone.get(path, headers={"If-None-Match": known})
    assert told(changed)["days"][0]["rooms"][0]["held"]
    with transaction() as session:
        vacate(session, [HOLDER])
    assert phone.get(path).headers["ETag"] == known


def test_a_room_is_shown_by_itself_with_its_rules_and_its_week(
    door: Door, centre: tuple[Venue, Venue]
) -> None:
    room = told(door.phone().get(f"/venues/{centre[0].key}"))
    assert (room["name"], room["site"]["name"], room["site"]["kind"]) == ("舞蹈室", "中心", "centre")
    assert room["rules"]["reserve_days"] == 7
    assert [day["on"] for day in room["week"]][::6] == ["2026-11-20", "2026-11-26"]
    assert room["week"][0]["open"] == [{"opens": "08:30", "closes": "21:00"}]
    assert told(door.phone().get(f"/venues/{centre[1].key}"))["rules"] is None


# --- what one could take oneself ----------------------------------------------------------------------------------


def test_somebody_sees_what_a_tap_would_give_them_and_why_not_the_rest(
    door: Door, town: Town, centre: tuple[Venue, Venue]
) -> None:
    room = centre[0]
    hold(room)
    seen = told(door.phone(town.resident).get(f"/me/venue-choices?venue={room.key}&first={MONDAY}&days=6"))
    assert seen["venue"]["key"] == room.key
    slots = seen["days"][0]["slots"]
    assert slots[0] == {
        **stretch("09:00", "11:00"),
        "free": False,
        "may_take": False,
        "may_wait": True,
        "why_not": {"code": "room_taken", "says": "这个时间已被占用"},
    }
    assert slots[1] == {
        **stretch("14:00", "16:00"),
        "free": True,
        "may_take": True,
        "may_wait": False,
        "why_not": None,
    }
    assert [(one["starts_at"][11:16], one["ends_at"][11:16]) for one in seen["days"][0]["free"]] == [
        ("11:00", "21:00")
    ]
    assert {one["why_not"]["code"] for one in seen["days"][5]["slots"]} == {"not_open_yet"}
    elsewhere = told(
        door.phone(town.outsider).get(f"/me/venue-choices?venue={room.key}&first={MONDAY}&days=1")
    )
    assert {one["why_not"]["code"] for one in elsewhere["days"][0]["slots"]} == {"others_not_admitted"}


def test_somebody_sees_the_slots_of_a_whole_centre_at_once(
    door: Door, town: Town, centre: tuple[Venue, Venue]
) -> None:
    dance, reading = centre
    path = f"/me/site-choices?site={dance.site.key}&first={MONDAY}&days=2&headcount=26"
    seen = told(door.phone(town.resident).get(path))
    assert [room["key"] for room in seen["venues"]] == [dance.key, reading.key]
    for day in seen["days"]:
        assert [room["venue"] for room in day["rooms"]] == [dance.key, reading.key]
        codes = [one["why_not"]["code"] for one in day["rooms"][0]["slots"]]
        assert codes == ["too_many_heads"] * 4
        assert day["rooms"][1]["slots"] == []


def test_a_helper_sees_what_the_elder_could_take(door: Door, town: Town, centre: tuple[Venue, Venue]) -> None:
    path = f"/me/venue-choices?venue={centre[0].key}&first={MONDAY}&days=1"
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "others_may_reserve", "1")
    assert told(door.phone(town.helper).get(f"{path}&for={town.elder.key}"))["days"][0]["slots"]
    the_problem(door.phone(town.helper).get(f"{path}&for={town.resident.key}"), 404, "no_bond")
    the_problem(door.phone(town.helper).get(f"{path}&group={'a' * 16}"), 404, "no_group")


def test_a_child_needs_a_grown_up(door: Door, town: Town, centre: tuple[Venue, Venue]) -> None:
    path = f"/me/venue-choices?venue={centre[0].key}&first={MONDAY}&days=1"
    (day,) = told(door.phone(town.guardian).get(f"{path}&for={town.child.key}"))["days"]
    assert {one["may_take"] for one in day["slots"]} == {True}


def test_what_one_could_take_is_for_residents(door: Door, town: Town, centre: tuple[Venue, Venue]) -> None:
    phone = door.phone(town.resident)
    for path, key in (("venue", centre[0].key), ("site", centre[0].site.key)):
        of_it = f"/me/{path}-choices?{path}={key}"
        the_problem(door.phone().get(of_it), 401, "login_needed")
        the_problem(door.phone(town.clerk).get(of_it), 403, "identity_unfit")
        the_problem(phone.get(f"{of_it}&first=9999-12-31"), 409, "day_out_of_sight")
        the_problem(phone.get(f"{of_it}&headcount=0"), 422, "invalid")
        the_problem(phone.get(f"/me/{path}-choices"), 422, "invalid")
        the_problem(phone.get(f"/me/{path}-choices?{path}={'a' * 16}"), 404, "not_found")
