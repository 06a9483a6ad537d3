"""One's classes and rooms in the calendar of one's own phone: they follow every move, and the address is nobody else's business."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.coordination.feeds import CalendarFeed
from models.courses import (
    By,
    CourseRun,
    cancel_run,
    cancel_session,
    move_session,
)
from models.departures import begin_closure
from models.residents import BondKind
from tests.people import FIRST_EVENING, Person, Town, a_bond
from tests.phones import Door, Phone, the_problem, told


def path_of(door: Door, person: Person) -> str:
    path: str = told(door.phone(person).put("/me/calendar"))["path"]
    return path


def events(door: Door, path: str) -> list[Any]:
    answer = door.phone().get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar"), answer.text
    calendar = Calendar.from_ical(answer.data)
    (zone,) = calendar.walk("VTIMEZONE")
    assert zone["TZID"] == "Asia/Shanghai"
    return list(calendar.walk("VEVENT"))


def said(event: Any, *names: str) -> tuple[Any, ...]:
    return tuple(str(event[name]) for name in names)


def decide(run: CourseRun, deed: Callable[[Session, CourseRun], object]) -> None:
    with transaction() as session:
        deed(session, session.get_one(CourseRun, run.id))


def move(run: CourseRun, by: timedelta) -> None:
    def deed(session: Session, mine: CourseRun) -> None:
        first = mine.sessions[0]
        move_session(
            session,
            first,
            starts_at=first.starts_at + by,
            ends_at=first.ends_at + by,
            venue=first.venue,
            by=By("老师出差"),
        )

    decide(run, deed)


def test_a_run_as_a_file_has_every_evening_at_the_towns_time_with_a_reminder(door: Door, town: Town) -> None:
    run = town.a_run(title="摄影入门", evenings=3)
    answer = door.phone().get(f"/course-runs/{run.key}/calendar")
    assert "filename*=UTF-8''" in answer.headers["Content-Disposition"]
    found = list(Calendar.from_ical(answer.data).walk("VEVENT"))
    assert [event.decoded("DTSTART") for event in found] == [
        FIRST_EVENING + timedelta(weeks=week) for week in range(3)
    ]
    assert b"DTSTART;TZID=Asia/Shanghai:20261203T180000" in answer.data
    assert said(found[0], "SUMMARY", "STATUS", "SEQUENCE") == ("摄影入门", "CONFIRMED", "0")
    (alarm,) = found[0].walk("VALARM")
    assert alarm.decoded("TRIGGER") == -timedelta(hours=2)
    assert len({event["UID"] for event in found}) == 3
    the_problem(door.phone().get(f"/course-runs/{'a' * 16}/calendar"), 404, "not_found")


def test_a_feed_has_the_seats_of_oneself_and_of_whom_one_acts_for(door: Door, town: Town) -> None:
    mine, childs, full = town.a_run(), town.a_run(), town.a_run(capacity=1)
    town.neighbour.tap(full)
    for run in (mine, full):
        town.guardian.tap(run)
    town.guardian.tap(mine, for_whom=town.child)
    town.guardian.tap(childs, for_whom=town.child)
    found = events(door, path_of(door, town.guardian))
    assert len(found) == 3, "who waits has no class yet"
    assert len({event["UID"] for event in found}) == 3, "two of the family in one class are two entries"
    assert sum("李*雨" in str(event["SUMMARY"]) for event in found) == 2
    assert town.child.name not in str(found), "a calendar is shared, and kept by others"
    town.guardian.give_up(childs, for_whom=town.child)
    assert len(events(door, path_of(door, town.guardian))) == 2


def test_an_evening_keeps_its_name_and_counts_its_moves(door: Door, town: Town) -> None:
    run = town.a_run(evenings=2)
    town.resident.tap(run)
    path = path_of(door, town.resident)
    (first, _) = events(door, path)
    for times in (1, 2):
        move(run, timedelta(hours=1))
        (moved, other) = events(door, path)
        assert (moved["UID"], int(moved["SEQUENCE"])) == (first["UID"], times)
        assert moved.decoded("DTSTART") == FIRST_EVENING + timedelta(hours=times)
        assert int(other["SEQUENCE"]) == 0
    decide(run, lambda session, mine: cancel_session(session, mine.sessions[0], by=By("停电")))
    (off, stands) = events(door, path)
    assert said(off, "UID", "STATUS", "SEQUENCE") == (str(first["UID"]), "CANCELLED", "3")
    assert "停电" in off["DESCRIPTION"]
    assert not off.walk("VALARM")
    assert stands["STATUS"] == "CONFIRMED"


def test_a_class_the_town_cancelled_is_struck_out(door: Door, town: Town) -> None:
    run = town.a_run()
    town.resident.tap(run)
    path = path_of(door, town.resident)
    (before,) = events(door, path)
    decide(run, lambda session, mine: cancel_run(session, mine, by=By("老师出差")))
    (after,) = events(door, path)
    assert (after["UID"], after["STATUS"]) == (before["UID"], "CANCELLED")
    assert int(after["SEQUENCE"]) > int(before["SEQUENCE"])


def test_an_evening_leaves_the_calendar_after_three_months(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    run = town.a_run()
    town.resident.tap(run)
    path = path_of(door, town.resident)
    clock.move_to(run.ends_at + timedelta(days=90))
    assert len(events(door, path)) == 1
    clock.move_to(run.ends_at + timedelta(days=91))
    assert events(door, path) == []


def test_a_feed_taken_back_leads_nowhere_and_the_next_is_another(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    the_problem(phone.get("/me/calendar"), 404, "no_calendar")
    path = path_of(door, town.resident)
    assert path_of(door, town.resident) == path
    assert told(phone.get("/me/calendar"))["path"] == path
    for _ in range(2):
        assert phone.delete("/me/calendar").status_code == 204
    the_problem(door.phone().get(path), 404, "calendar_unknown")
    again = path_of(door, town.resident)
    assert again != path
    assert events(door, again) == []
    assert told(phone.get("/me/copy"))["calendar_feed"]["opened_at"]


@pytest.mark.parametrize(
    "forge", [lambda t: t[:-1], lambda t: "a" * 16 + t[16:], lambda t: t[:16] + "0" * 32]
)
def test_a_forged_address_leads_nowhere(door: Door, town: Town, forge: Callable[[str], str]) -> None:
    token = path_of(door, town.resident).removesuffix(".ics").rpartition("/")[2]
    the_problem(door.phone().get(f"/calendars/{forge(token)}.ics"), 404, "calendar_unknown")


def test_a_feed_ends_with_the_bond_and_with_the_account(door: Door, town: Town) -> None:
    run = town.a_run()
    with transaction() as session:
        bond = a_bond(session, town.neighbour, town.elder, kind=BondKind.FAMILY_HELPER)
    town.neighbour.tap(run, for_whom=town.elder)
    path = path_of(door, town.neighbour)
    assert len(events(door, path)) == 1
    with transaction() as session:
        session.get_one(type(bond), bond.id).ended_at = town_clock.now()
    assert events(door, path) == []
    with transaction() as session:
        begin_closure(session, town.neighbour.account(session))
    the_problem(door.phone().get(path), 404, "calendar_unknown")
    with reading() as session:
        assert session.scalars(select(CalendarFeed)).all() == []


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("ending", [".ics", "", "/x"])
def test_no_log_holds_the_address(
    door: Door, town: Town, capfd: pytest.CaptureFixture[str], method: str, ending: str
) -> None:
    path = path_of(door, town.resident).removesuffix(".ics")
    capfd.readouterr()
    Phone(door.app.test_client()).ask(method, f"{path}{ending}")
    written = capfd.readouterr().err
    assert json.loads(written.splitlines()[-1])["path"].startswith("/api/v1/calendars/")
    assert path.rpartition("/")[2] not in written
    assert path.rpartition("/")[2][:16] not in written
