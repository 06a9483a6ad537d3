"""Rooms in calendars: what one has reserved in one's own, beside one's classes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from icalendar import Calendar

from models.base import transaction
from models.clock import StoppedClock
from models.reservations import ReservedFor, approve, call_off, reject
from models.residents import BondKind
from tests.people import Person, Town, a_bond
from tests.phones import Door, told
from tests.rooms import (
    SATURDAY,
    SUNDAY,
    Centre,
    a_group,
    again,
    at,
    by_staff,
    cancels,
    checks_in,
    signs_out,
    takes,
)


def path_of(door: Door, person: Person) -> str:
    path: str = told(door.phone(person).put("/me/calendar"))["path"]
    return path


def events(door: Door, path: str) -> list[Any]:
    answer = door.phone().get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar"), answer.text
    return list(Calendar.from_ical(answer.data).walk("VEVENT"))


def said(event: Any) -> tuple[str, str, int]:
    return str(event["SUMMARY"]), str(event["STATUS"]), int(event["SEQUENCE"])


# --- one's own ----------------------------------------------------------------------------------------------------


def test_ones_calendar_has_classes_and_rooms_in_the_order_of_time(
    door: Door, town: Town, centre: Centre
) -> None:
    run = town.a_run(title="书法", venue=centre.right, starts_at=at(18))
    town.resident.tap(run)
    takes(town.resident, centre.left, at(9), heads=6)
    takes(town.neighbour, centre.reading_room, at(9))
    room, evening = events(door, path_of(door, town.resident))
    assert [str(one["SUMMARY"]) for one in (room, evening)] == ["多功能厅左 阅读自习", "书法"]
    assert (room.decoded("DTSTART"), room.decoded("DTEND")) == (at(9), at(11))
    assert "多功能厅左" in room["LOCATION"]
    assert (str(room["STATUS"]), str(room["CLASS"]), str(room["DESCRIPTION"])) == (
        "CONFIRMED",
        "PRIVATE",
        "已预约\n6 人",
    )
    (alarm,) = room.walk("VALARM")
    assert alarm.decoded("TRIGGER") == -timedelta(hours=2)


def test_what_is_not_sure_yet_is_tentative_and_grows_with_every_word(
    door: Door, town: Town, centre: Centre
) -> None:
    path = path_of(door, town.resident)
    asked = takes(town.resident, centre.dance_room, at(9))
    (pending,) = events(door, path)
    assert (str(pending["STATUS"]), pending["UID"]) == ("TENTATIVE", f"{asked.key}@jiamenkou")
    with transaction() as session:
        approve(session, again(session, asked), by=by_staff(town.clerk))
    (approved,) = events(door, path)
    assert (approved["UID"], str(approved["STATUS"])) == (pending["UID"], "CONFIRMED")
    assert int(approved["SEQUENCE"]) > int(pending["SEQUENCE"])
    with transaction() as session:
        call_off(session, again(session, asked), "水管爆裂", by=by_staff(town.clerk))
    (off,) = events(door, path)
    assert (off["UID"], str(off["STATUS"])) == (pending["UID"], "CANCELLED")
    assert int(off["SEQUENCE"]) > int(approved["SEQUENCE"])
    assert str(off["SUMMARY"]).startswith("【不能使用】")
    assert "水管爆裂" in off["DESCRIPTION"]
    assert not off.walk("VALARM")


def test_what_staff_said_no_to_is_struck_out_and_what_one_gave_up_is_gone(
    door: Door, town: Town, centre: Centre
) -> None:
    path = path_of(door, town.resident)
    refused = takes(town.resident, centre.dance_room, at(9))
    with transaction() as session:
        reject(session, again(session, refused), "当天有活动", by=by_staff(town.clerk))
    mine = takes(town.resident, centre.left, at(9, on=SUNDAY))
    assert [said(one)[:2] for one in events(door, path)] == [
        ("【不能使用】舞蹈室 阅读自习", "CANCELLED"),
        ("多功能厅左 阅读自习", "CONFIRMED"),
    ]
    cancels(town.resident, mine)
    assert len(events(door, path)) == 1


def test_who_waits_for_a_room_has_none_in_the_calendar(door: Door, town: Town, centre: Centre) -> None:
    takes(town.neighbour, centre.left, at(9))
    takes(town.resident, centre.left, at(9), waits=True)
    assert events(door, path_of(door, town.resident)) == []


def test_whoever_leaves_early_has_the_room_until_then(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    mine = takes(town.resident, centre.left, at(9))
    clock.move_to(at(9))
    checks_in(town.resident, mine)
    clock.move_to(at(10))
    signs_out(town.resident, mine)
    (event,) = events(door, path_of(door, town.resident))
    assert (event.decoded("DTEND"), str(event["STATUS"])) == (at(10), "CONFIRMED")


def test_a_calendar_has_the_rooms_of_whom_one_acts_for_and_of_groups_one_leads(
    door: Door, town: Town, centre: Centre
) -> None:
    with transaction() as session:
        a_bond(session, town.neighbour, town.elder, kind=BondKind.FAMILY_HELPER)
    group = a_group(town, town.neighbour)
    takes(town.elder, centre.left, at(9), acted_for=True)
    takes(town.neighbour, centre.right, at(14), group=group, wanted_for=ReservedFor.REHEARSAL)
    found = [str(event["SUMMARY"]) for event in events(door, path_of(door, town.neighbour))]
    masked = found[0].removeprefix("多功能厅左 阅读自习")
    assert masked.startswith("（")
    assert "*" in masked
    assert town.elder.name not in str(found)
    assert found[1] == f"{group.name}·排练"
    assert events(door, path_of(door, town.resident)) == []


def test_a_phone_that_has_the_calendar_is_told_so_while_nothing_changed(
    door: Door, town: Town, centre: Centre
) -> None:
    path = path_of(door, town.resident)
    takes(town.resident, centre.left, at(9))
    phone = door.phone()
    first = phone.get(path)
    assert first.headers["Cache-Control"] == "private, max-age=0"
    known = {"If-None-Match": first.headers["ETag"]}
    assert phone.get(path, headers=known).status_code == 304
    takes(town.resident, centre.left, at(9, on=SUNDAY))
    assert phone.get(path, headers=known).status_code == 200


def test_a_room_leaves_the_calendar_after_three_months(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    path = path_of(door, town.resident)
    takes(None, centre.kitchen, at(9), about="志愿者培训")
    mine = takes(town.resident, centre.left, at(9))
    clock.move_to(at(9))
    checks_in(town.resident, mine)
    clock.move_to(at(11, on=SATURDAY + timedelta(days=90)))
    assert len(events(door, path)) == 1
    clock.advance(minutes=1)
    assert events(door, path) == []
