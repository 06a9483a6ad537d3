"""Rooms in calendars: what one has reserved in one's own, beside one's classes; and what is in a room, for those who work there."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import select

from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import By, CourseSession, move_session
from models.journal import JournalEntry
from models.occupancy import Purpose, occupy
from models.reservations import ReservedFor, approve, call_off, reject
from models.residents import BondKind
from models.sites import Venue
from tests.people import Person, Town, a_bond
from tests.phones import Door, Phone, the_problem, told
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


def room_path_of(door: Door, town: Town, room: Venue) -> str:
    path: str = told(door.phone(town.clerk).put(f"/staff/venues/{room.key}/calendar"))["path"]
    return path


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


# --- a room's -----------------------------------------------------------------------------------------------------


def test_a_rooms_calendar_tells_what_is_in_it_and_never_who(door: Door, town: Town, centre: Centre) -> None:
    town.a_run(title="书法", venue=centre.left, starts_at=at(18))
    takes(town.resident, centre.left, at(9), wanted_for=ReservedFor.GATHERING)
    takes(None, centre.hall, at(14), about="重阳节联欢")
    path = room_path_of(door, town, centre.left)
    found = events(door, path)
    assert [(str(one["SUMMARY"]), str(one["DESCRIPTION"]), str(one["STATUS"])) for one in found] == [
        ("邻里聚会", "预约", "CONFIRMED"),
        ("重阳节联欢", "预约", "CONFIRMED"),
        ("书法", "上课", "CONFIRMED"),
    ]
    assert [one.decoded("DTSTART") for one in found] == [at(9), at(14), at(18)]
    assert found[0].decoded("DTEND") == at(11)  # the cleaning after it is no part of it
    assert not [alarm for one in found for alarm in one.walk("VALARM")]
    body = door.phone().get(path).text
    assert town.resident.name not in body
    calendar = Calendar.from_ical(body)
    assert str(calendar["X-WR-CALNAME"]).startswith("多功能厅左（")


def test_what_is_not_decided_yet_is_tentative_and_what_is_let_go_is_gone(
    door: Door, town: Town, centre: Centre
) -> None:
    asked = takes(town.resident, centre.dance_room, at(9))
    path = room_path_of(door, town, centre.dance_room)
    (pending,) = events(door, path)
    assert (str(pending["SUMMARY"]), str(pending["STATUS"])) == ("预约", "TENTATIVE")
    with transaction() as session:
        approve(session, again(session, asked), by=by_staff(town.clerk))
    (sure,) = events(door, path)
    assert (sure["UID"], str(sure["SUMMARY"]), str(sure["STATUS"])) == (
        pending["UID"],
        "阅读自习",
        "CONFIRMED",
    )
    assert int(sure["SEQUENCE"]) > int(pending["SEQUENCE"])
    cancels(town.resident, asked)
    assert events(door, path) == []


def test_a_class_keeps_its_name_in_the_room_when_it_moves(door: Door, town: Town, centre: Centre) -> None:
    run = town.a_run(title="书法", venue=centre.left, starts_at=at(18))
    path = room_path_of(door, town, centre.left)
    (before,) = events(door, path)
    with transaction() as session:
        meeting = session.get_one(CourseSession, run.sessions[0].id)
        move_session(
            session,
            meeting,
            starts_at=at(18, on=SUNDAY),
            ends_at=at(19, 30, on=SUNDAY),
            venue=meeting.venue,
            by=By("老师出差"),
        )
    (after,) = events(door, path)
    assert (after["UID"], int(before["SEQUENCE"]), int(after["SEQUENCE"])) == (before["UID"], 0, 1)
    assert after.decoded("DTSTART") == at(18, on=SUNDAY)


def test_what_closes_a_room_for_days_is_told_day_by_day(door: Door, town: Town, centre: Centre) -> None:
    with transaction() as session:
        occupy(
            session,
            session.get_one(Venue, centre.left.id),
            starts_at=at(12),
            ends_at=at(12, on=SUNDAY),
            purpose=Purpose.CLOSURE,
            holder_key="a-closure-of-it",
        )
    found = events(door, room_path_of(door, town, centre.left))
    assert [str(one["SUMMARY"]) for one in found] == ["停用", "停用"]
    assert len({str(one["UID"]) for one in found}) == 2


def test_a_rooms_calendar_is_one_for_the_office_until_it_is_taken_back(
    door: Door, town: Town, centre: Centre
) -> None:
    clerk, address = door.phone(town.clerk), f"/staff/venues/{centre.left.key}/calendar"
    the_problem(clerk.get(address), 404, "no_calendar")
    path = room_path_of(door, town, centre.left)
    assert room_path_of(door, town, centre.left) == path
    assert told(clerk.get(address))["path"] == path
    assert room_path_of(door, town, centre.right) != path
    for _ in range(2):
        assert clerk.delete(address).status_code == 204
    the_problem(door.phone().get(path), 404, "calendar_unknown")
    assert room_path_of(door, town, centre.left) != path
    with reading() as session:
        acts = session.scalars(
            select(JournalEntry.act)
            .where(JournalEntry.act.like("venue.calendar%"), JournalEntry.subject_id == centre.left.id)
            .order_by(JournalEntry.id)
        ).all()
    assert acts == ["venue.calendar_opened", "venue.calendar_closed", "venue.calendar_opened"]


@pytest.mark.parametrize(
    "forge", [lambda t: t[:-1], lambda t: "a" * 16 + t[16:], lambda t: t[:16] + "0" * 32]
)
def test_a_forged_address_of_a_room_leads_nowhere(
    door: Door, town: Town, centre: Centre, forge: Callable[[str], str]
) -> None:
    token = room_path_of(door, town, centre.left).removesuffix(".ics").rpartition("/")[2]
    the_problem(door.phone().get(f"/room-calendars/{forge(token)}.ics"), 404, "calendar_unknown")


def test_the_address_of_a_person_is_none_of_a_room_and_stands_in_no_log(
    door: Door, town: Town, centre: Centre, capfd: pytest.CaptureFixture[str]
) -> None:
    tokens = {
        kind: path.removesuffix(".ics").rpartition("/")[2]
        for kind, path in {
            "room-calendars": path_of(door, town.resident),
            "calendars": room_path_of(door, town, centre.left),
        }.items()
    }
    capfd.readouterr()
    for kind, token in tokens.items():
        the_problem(door.phone().get(f"/{kind}/{token}.ics"), 404, "calendar_unknown")
        Phone(door.app.test_client()).ask("POST", f"/{kind}/{token}")
    written = capfd.readouterr().err
    paths = [json.loads(line)["path"] for line in written.splitlines()]
    assert all(path.startswith(("/api/v1/room-calendars/", "/api/v1/calendars/")) for path in paths)
    assert not [token for token in tokens.values() if token[:16] in written]


def test_a_rooms_calendar_costs_the_same_whatever_is_in_it(
    door: Door, town: Town, centre: Centre, statements: list[str]
) -> None:
    path = room_path_of(door, town, centre.left)
    costs = []
    for day in (SATURDAY, SUNDAY):
        town.a_run(venue=centre.left, starts_at=at(18, on=day))
        takes(None, centre.left, at(9, on=day), about="志愿者培训")
        statements.clear()
        assert door.phone().get(path).status_code == 200
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 14, statements
