"""The calendar of all rooms over the wire: what staff see of their places, and whom they see only when they say so."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, event, select

from models.base import db, reading, transaction
from models.journal import JournalEntry
from models.sites import SiteKind, add_venue, open_site
from tests.people import Town
from tests.phones import Door, the_problem, told
from tests.rooms import SATURDAY, SUNDAY, Centre, a_group, at, takes


def calendar(door: Door, town: Town, query: str = "") -> dict[str, Any]:
    """What the clerk sees from Saturday on."""
    shown: dict[str, Any] = told(
        door.phone(town.clerk).get(f"/staff/room-calendar?first={SATURDAY}&days=2{query}")
    )
    return shown


def uses_of(shown: dict[str, Any], room: str, *, day: int = 0) -> list[dict[str, Any]]:
    """What stands in a room on one of the days."""
    (uses,) = [
        one["uses"] for site in shown["items"] for one in site["days"][day]["rooms"] if one["venue"] == room
    ]
    return list(uses)


def looks() -> list[int | None]:
    """For whom it is written down that somebody looked, in order."""
    with reading() as session:
        return list(
            session.scalars(
                select(JournalEntry.for_resident_id)
                .where(JournalEntry.act == "reservation.looked_at")
                .order_by(JournalEntry.id)
            )
        )


def test_staff_see_every_room_with_its_hours_and_what_holds_it(
    door: Door, town: Town, centre: Centre
) -> None:
    run = town.a_run(title="书法", venue=centre.right, starts_at=at(18, on=SUNDAY))
    mine = takes(town.resident, centre.hall, at(9), heads=30)
    shown = calendar(door, town)
    (site,) = shown["items"]
    assert [room["name"] for room in site["venues"]] == [
        "阅览室",
        "舞蹈室",
        "多功能厅",
        "多功能厅左",
        "多功能厅右",
        "厨房",
        "连廊",
    ]
    assert [(day["on"], day["kind"], len(day["rooms"])) for day in site["days"]] == [
        (str(SATURDAY), "weekend", 7),
        (str(SUNDAY), "weekend", 7),
    ]
    assert site["days"][0]["rooms"][0]["open"] == [
        {"starts_at": "2026-11-21T08:30:00+08:00", "ends_at": "2026-11-21T21:00:00+08:00"}
    ]
    hall = {
        "purpose": "reservation",
        "word": "预约",
        "title": "阅读自习",
        "host": None,
        "state": "approved",
        "state_label": "已预约",
        "subject": mine.key,
        "venue": centre.hall.key,
        "headcount": 30,
        "starts_at": "2026-11-21T09:00:00+08:00",
        "ends_at": "2026-11-21T11:00:00+08:00",
        "held_until": "2026-11-21T11:10:00+08:00",
        "resident": None,
        "name": None,
    }
    for room in (centre.hall, centre.left, centre.right):
        assert uses_of(shown, room.key) == [hall]
    (evening,) = uses_of(shown, centre.right.key, day=1)
    assert (evening["title"], evening["subject"], evening["state_label"]) == ("书法", run.key, "已发布")


def test_who_it_is_stands_there_for_who_asks_and_is_journalled(
    door: Door, town: Town, centre: Centre
) -> None:
    takes(town.resident, centre.left, at(9))
    takes(None, centre.left, at(14), about="志愿者培训")
    group = a_group(town, town.neighbour)
    takes(town.neighbour, centre.right, at(9), group=group)
    calendar(door, town)
    assert looks() == []
    shown = calendar(door, town, "&names=true")
    named = [
        (use["host"], use["resident"], use["name"])
        for room in (centre.left, centre.right)
        for use in uses_of(shown, room.key)
    ]
    assert named == [
        (None, town.resident.key, f"*{town.resident.name[1:]}"),
        ("社区", None, None),
        (group.name, town.neighbour.key, "*洋"),
    ]
    assert sorted(looks(), key=str) == sorted(
        [town.resident.resident_id, town.neighbour.resident_id], key=str
    )


def test_who_asks_for_no_names_takes_no_turn_at_writing(door: Door, town: Town, centre: Centre) -> None:
    takes(town.resident, centre.left, at(9))
    wrote: list[bool] = []

    def begun(connection: Connection) -> None:
        wrote.append(bool(connection.get_execution_options().get("writes")))

    with door.app.app_context():
        engine = db.engine
    event.listen(engine, "begin", begun)
    try:
        calendar(door, town)
        assert wrote
        assert not any(wrote)
        calendar(door, town, "&names=true")
        assert any(wrote)
    finally:
        event.remove(engine, "begin", begun)


def test_service_points_come_page_by_page_and_one_can_be_named(
    door: Door, town: Town, centre: Centre
) -> None:
    with transaction() as session:
        empty = open_site(session, town.wutong, kind=SiteKind.STATION, name="空站")
        other = open_site(session, town.wutong, kind=SiteKind.STATION, name="二站")
        add_venue(session, other, name="活动室", capacity=20)
    first = calendar(door, town, "&limit=2")
    second = calendar(door, town, f"&limit=2&cursor={first['next']}")
    assert [site["name"] for site in first["items"][1:] + second["items"]] == ["空站", "二站"]
    assert (first["items"][1]["venues"], first["items"][1]["days"], second["next"]) == ([], [], None)
    alone = calendar(door, town, f"&site={other.key}")
    assert ([site["key"] for site in alone["items"]], alone["next"]) == ([other.key], None)
    assert calendar(door, town, f"&site={empty.key}")["items"][0]["days"] == []


def test_only_an_office_sees_its_own_rooms(door: Door, town: Town, centre: Centre) -> None:
    takes(town.resident, centre.left, at(9))
    with transaction() as session:
        there = open_site(session, town.wangjiang, kind=SiteKind.STATION, name="望江站")
    for who in (town.resident, town.partner_member):
        the_problem(door.phone(who).get("/staff/room-calendar"), 403, "identity_unfit")
    assert told(door.phone(town.grid_worker).get("/staff/room-calendar"))["items"] == []
    clerk = door.phone(town.clerk)
    for key in (there.key, "a" * 16):
        elsewhere = the_problem(clerk.get(f"/staff/room-calendar?site={key}"), 409, "not_there")
        assert elsewhere["errors"][0]["field"] == "site"
    the_problem(clerk.get("/staff/room-calendar?first=2028-01-01"), 409, "day_out_of_sight")
    for query in ("days=15", "names=yes", "limit=21", "first=soon"):
        the_problem(clerk.get(f"/staff/room-calendar?{query}"), 422, "invalid")
