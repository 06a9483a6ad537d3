"""The inbox: every notice is there, whatever became of it at WeChat."""

from __future__ import annotations

from typing import Any

import pytest

from models import clock
from models.clock import StoppedClock
from server.jobs.delivery import deliver_due
from tests.people import Town
from tests.phones import Door, the_problem, told


def test_a_seat_taken_is_in_the_inbox_at_once(door: Door, town: Town) -> None:
    run = town.a_run(title="书法")
    phone = door.phone(town.resident)
    told(phone.put(f"/course-runs/{run.key}/registration"))
    (notice,) = told(phone.get("/me/notices"))["items"]
    assert (notice["kind"], notice["title"], notice["delivery"]) == (
        "registration_confirmed",
        "报名成功",
        "owed",
    )
    assert "书法" in notice["body"]
    assert "2026年12月3日 18:00" in notice["body"]
    assert notice["page"] == f"pages/courses/run?key={run.key}"


def test_a_repeat_owes_no_second_notice_and_a_place_in_the_queue_none(door: Door, town: Town) -> None:
    run = town.a_run(capacity=1)
    first, second = (door.phone(person) for person in town.people(2))
    for _ in range(3):
        told(first.put(f"/course-runs/{run.key}/registration"))
        told(second.put(f"/course-runs/{run.key}/registration"))
    assert len(told(first.get("/me/notices"))["items"]) == 1
    assert told(second.get("/me/notices"))["items"] == []


def test_moving_up_is_told_to_who_moved_up(door: Door, town: Town) -> None:
    run = town.a_run(capacity=1)
    first, second = (door.phone(person) for person in town.people(2))
    for phone in (first, second):
        told(phone.put(f"/course-runs/{run.key}/registration"))
    first.delete(f"/course-runs/{run.key}/registration")
    assert [n["title"] for n in told(second.get("/me/notices"))["items"]] == ["候补已转正"]


def test_who_tapped_for_somebody_else_is_told_for_whom(door: Door, town: Town) -> None:
    phone = door.phone(town.helper)
    told(phone.put(f"/course-runs/{town.a_run().key}/registration?for={town.elder.key}"))
    (notice,) = told(phone.get("/me/notices"))["items"]
    assert notice["body"].startswith("王奶奶：")


def test_a_message_nobody_allowed_is_still_in_the_inbox(door: Door, town: Town) -> None:
    town.resident.tap(town.a_run())
    with door.app.app_context():
        deliver_due(clock.now())
    (notice,) = told(door.phone(town.resident).get("/me/notices"))["items"]
    assert notice["delivery"] == "not_granted"


def test_nobody_reads_anybody_elses_inbox(door: Door, town: Town) -> None:
    town.neighbour.tap(town.a_run())
    assert told(door.phone(town.resident).get("/me/notices")) == {"items": [], "next": None, "unread": 0}


def test_the_inbox_is_walked_newest_first_and_sees_each_once(door: Door, town: Town) -> None:
    for n in range(5):
        town.resident.tap(town.a_run(title=f"课{n}"))
    phone, seen, query = door.phone(town.resident), [], "?limit=2"
    for _ in range(5):
        page = told(phone.get(f"/me/notices{query}"))
        seen += [notice["body"].split("，")[0] for notice in page["items"]]
        if page["next"] is None:
            break
        query = f"?limit=2&cursor={page['next']}"
    assert seen == ["课4", "课3", "课2", "课1", "课0"]


@pytest.mark.parametrize("query", ["cursor=W3RydWVd", "cursor=e30", "limit=0", "limit=x", "unread=1"])
def test_a_senseless_question_names_the_field(door: Door, town: Town, query: str) -> None:
    found = the_problem(door.phone(town.resident).get(f"/me/notices?{query}"), 422, "invalid")
    assert [fault["field"] for fault in found["errors"]] == [query.partition("=")[0]]


# --- read and unread ----------------------------------------------------------------------------------------------


def keys_of(found: Any) -> list[str]:
    return [notice["key"] for notice in found["items"]]


def test_reading_a_message_is_remembered_from_the_first_time(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    for _ in range(3):
        town.resident.tap(town.a_run())
    phone = door.phone(town.resident)
    inbox = told(phone.get("/me/notices"))
    assert inbox["unread"] == 3
    assert {notice["read_at"] for notice in inbox["items"]} == {None}
    second = keys_of(inbox)[1]
    first_time = told(phone.put(f"/me/notices/{second}/reading"))
    clock.advance(minutes=5)
    assert told(phone.put(f"/me/notices/{second}/reading")) == first_time
    assert first_time["read_at"] == "2026-11-20T12:00:00+08:00"
    unread = told(phone.get("/me/notices?unread=true"))
    assert (unread["unread"], keys_of(unread)) == (2, [keys_of(inbox)[0], keys_of(inbox)[2]])
    assert keys_of(told(phone.get("/me/notices?unread=false"))) == keys_of(inbox)


def test_everything_on_the_screen_is_read_at_once_and_what_came_since_is_not(door: Door, town: Town) -> None:
    for _ in range(2):
        town.resident.tap(town.a_run())
    phone = door.phone(town.resident)
    newest = keys_of(told(phone.get("/me/notices")))[0]
    town.resident.tap(town.a_run())
    town.neighbour.tap(town.a_run())
    for _ in range(2):
        assert told(phone.put("/me/notices/reading", json={"through": newest})) == {"unread": 1}
    assert told(door.phone(town.neighbour).get("/me/notices"))["unread"] == 1


def test_the_unread_are_walked_to_the_end(door: Door, town: Town) -> None:
    for _ in range(4):
        town.resident.tap(town.a_run())
    phone = door.phone(town.resident)
    all_of_them = keys_of(told(phone.get("/me/notices")))
    told(phone.put(f"/me/notices/{all_of_them[1]}/reading"))
    first = told(phone.get("/me/notices?unread=true&limit=2"))
    rest = told(phone.get(f"/me/notices?unread=true&limit=2&cursor={first['next']}"))
    assert keys_of(first) + keys_of(rest) == [all_of_them[0], *all_of_them[2:]]
    assert rest["next"] is None


def test_nobody_reads_for_somebody_else(door: Door, town: Town) -> None:
    town.neighbour.tap(town.a_run())
    (theirs,) = keys_of(told(door.phone(town.neighbour).get("/me/notices")))
    phone = door.phone(town.resident)
    for key in (theirs, "a" * 16):
        the_problem(phone.put(f"/me/notices/{key}/reading"), 404, "not_found")
        the_problem(phone.put("/me/notices/reading", json={"through": key}), 404, "not_found")
    assert told(door.phone(town.neighbour).get("/me/notices"))["unread"] == 1


@pytest.mark.parametrize(
    "sent", [{}, {"through": None}, {"through": "x"}, {"through": "a" * 16, "all": True}]
)
def test_reading_up_to_nowhere_is_refused(door: Door, town: Town, sent: dict[str, Any]) -> None:
    the_problem(door.phone(town.resident).put("/me/notices/reading", json=sent), 422, "invalid")
