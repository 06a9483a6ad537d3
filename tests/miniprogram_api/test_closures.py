"""Closing rooms over the API: what staff see and do, what everybody may read, and how people answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from miniprogram_api.schemas.fields import masked_name
from models import clock as town_clock
from models.base import reading, transaction
from models.coordination.closures import MoveAnswer
from models.journal import JournalEntry
from models.reservations import ReservationState
from models.sites import Site
from models.staff import Role
from tests.closing import PIPE, answer_about, closes, question_about
from tests.people import Town, a_bond, a_run, a_staff_member
from tests.phones import Door, Phone, the_problem, told
from tests.rooms import MONDAY, Centre, a_centre, at, now_of, set_number, state_of, takes


@pytest.fixture
def centre(town: Town) -> Centre:
    """The centre of the first community."""
    with transaction() as session:
        return a_centre(session, town.wutong)


@pytest.fixture
def clerk(door: Door, town: Town) -> Phone:
    """The clerk's phone."""
    return door.phone(town.clerk)


def said(moment: datetime) -> str:
    return town_clock.in_town(moment).isoformat()


def site_of(centre: Centre) -> str:
    with reading() as session:
        return session.get_one(Site, centre.left.site_id).key


@pytest.fixture
def half(centre: Centre) -> dict[str, Any]:
    """What staff ask for: the left half, on Saturday morning."""
    return {
        "kind": "closure",
        "site": site_of(centre),
        "venues": [centre.left.key],
        "starts_at": said(at(8)),
        "ends_at": said(at(12)),
    }


Closing = Callable[..., dict[str, Any]]


@pytest.fixture
def closing(clerk: Phone, half: dict[str, Any]) -> Closing:
    """Staff look, and close what they saw."""

    def done(**more: Any) -> dict[str, Any]:
        seen = told(clerk.post("/api/v1/staff/closures/look", json=half))
        sent = {**half, "because": "水管爆裂", "fingerprint": seen["fingerprint"], **more}
        answer = clerk.post("/api/v1/staff/closures", json=sent)
        found: dict[str, Any] = answer.json or {}
        return found

    return done


def test_staff_look_close_and_see_what_was_answered(
    door: Door, town: Town, centre: Centre, clerk: Phone, half: dict[str, Any], closing: Closing
) -> None:
    made = takes(town.resident, centre.left, at(9), heads=30)
    (item,) = told(clerk.post("/api/v1/staff/closures/look", json=half))["items"]
    assert (item["thing"], item["title"], item["remedy"]) == (made.key, "个人预约", "move")
    assert (item["venue"]["name"], item["to_venue"]["name"]) == ("多功能厅左", "多功能厅右")
    assert "resident" not in item
    closure = closing()
    assert closure["state"] == "standing"
    assert closure["answers"] == {"asked": 1, "accepted": 0, "declined": 0, "silent": 0, "open": 1}
    phone = door.phone(town.resident)
    (question,) = told(phone.get("/api/v1/me/room-questions"))["items"]
    assert (question["reservation"], question["because"]) == (made.key, "水管爆裂")
    assert question["was"]["venue"]["name"] == "多功能厅左"
    assert question["kept_by_silence"]
    answered = told(phone.put(f"/api/v1/room-questions/{question['key']}/answer", json={"accepts": True}))
    assert answered["answer"] == "accepted"
    assert told(phone.get("/api/v1/me/room-questions"))["items"] == []
    shown = told(clerk.get(f"/api/v1/staff/closures/{closure['key']}"))
    assert shown["answers"]["accepted"] == 1
    assert shown["items"][0]["answers"]["accepted"] == 1


def test_a_retried_closing_is_one_closing(clerk: Phone, half: dict[str, Any], centre: Centre) -> None:
    seen = told(clerk.post("/api/v1/staff/closures/look", json=half))
    sent = {**half, "because": "消毒", "fingerprint": seen["fingerprint"]}
    once, again = (
        clerk.post("/api/v1/staff/closures", json=sent, headers={"Idempotency-Key": "close-1"})
        for _ in range(2)
    )
    assert (once.status_code, again.status_code) == (201, 201)
    assert told(once, 201)["key"] == told(again, 201)["key"]


def test_a_changed_plan_comes_with_the_new_one(
    town: Town, centre: Centre, clerk: Phone, half: dict[str, Any]
) -> None:
    seen = told(clerk.post("/api/v1/staff/closures/look", json=half))
    made = takes(town.resident, centre.left, at(9), heads=30)
    sent = {**half, "because": "消毒", "fingerprint": seen["fingerprint"]}
    answer = clerk.post("/api/v1/staff/closures", json=sent)
    plan = the_problem(answer, 409, "plan_changed")["details"]["plan"]
    assert plan["items"][0]["thing"] == made.key
    sent["fingerprint"] = plan["fingerprint"]
    assert clerk.post("/api/v1/staff/closures", json=sent).status_code == 201


def test_the_whole_site_is_closed_when_no_room_is_named(
    town: Town, centre: Centre, half: dict[str, Any], closing: Closing
) -> None:
    takes(town.resident, centre.reading_room, at(9))
    half["venues"] = []
    closure = closing()
    assert len(closure["venues"]) == 7
    assert [one["remedy"] for one in closure["items"]] == ["move"]  # the same room, in the afternoon
    assert closure["items"][0]["to_starts_at"] == said(at(12))


def test_what_is_closed_already_stays_and_the_plan_and_the_closure_say_so(
    town: Town, centre: Centre, clerk: Phone, half: dict[str, Any], closing: Closing
) -> None:
    first = closing(because="刷墙")
    half["venues"], half["ends_at"] = [], said(at(20))
    seen = told(clerk.post("/api/v1/staff/closures/look", json=half))
    assert [(one["key"], one["because"]) for one in seen["closed_already"]] == [(first["key"], "刷墙")]
    assert [one["key"] for one in seen["closed_already"][0]["venues"]] == [centre.left.key]
    whole = closing(because="停电")
    assert [one["key"] for one in whole["also_closed_by"]] == [first["key"]]
    path = f"/api/v1/staff/closures/{first['key']}"
    assert [one["because"] for one in told(clerk.get(path))["also_closed_by"]] == ["停电"]
    half["venues"], half["ends_at"] = [centre.left.key], said(at(11))
    refused = the_problem(clerk.post("/api/v1/staff/closures/look", json=half), 409, "closed_already")
    assert refused["errors"][0]["field"] == "venues"
    lifted = told(clerk.put(f"{path}/lifting", json={"because": "干了"}))
    assert [one["because"] for one in lifted["also_closed_by"]] == ["停电"]  # the room is shut still


def test_hours_that_shut_somebody_out_wait_on_the_desk_at_once(
    town: Town, centre: Centre, clerk: Phone
) -> None:
    takes(town.resident, centre.left, at(14, on=MONDAY), heads=30)
    takes(town.neighbour, centre.right, at(14, on=MONDAY), heads=30)

    def outside() -> int:
        piles = told(clerk.get("/api/v1/staff/desk"))["items"]
        return next(int(one["number"]) for one in piles if one["name"] == "outside_hours")

    mornings = {"items": [{"on": "workday", "opens": "08:30", "closes": "12:00"}]}
    told(clerk.put(f"/api/v1/staff/venues/{centre.left.key}/hours", json=mornings))
    assert outside() == 1
    told(clerk.put(f"/api/v1/staff/sites/{site_of(centre)}/hours", json=mornings))
    assert outside() == 2
    told(clerk.put(f"/api/v1/staff/sites/{site_of(centre)}/hours", json={"items": []}))
    told(clerk.put(f"/api/v1/staff/venues/{centre.left.key}/hours", json={"items": []}))
    assert outside() == 0


def test_staff_choose_and_what_cannot_be_is_named(town: Town, centre: Centre, closing: Closing) -> None:
    made = takes(town.resident, centre.left, at(9), heads=30)
    refused = closing(choices=[{"thing": made.key, "remedy": "keep"}])
    assert (refused["code"], refused["errors"][0]["field"]) == ("choices_unfit", "choices.0.remedy")
    refused = closing(choices=[{"thing": made.key, "remedy": "call_off"}] * 2)
    assert refused["errors"][0]["field"] == "choices.1.thing"
    refused = closing(choices=[{"thing": made.key, "remedy": "move", "venue": "a" * 16}])
    assert (refused["code"], refused["errors"][0]["field"]) == ("not_there", "choices.0.venue")
    closure = closing(choices=[{"thing": made.key, "remedy": "call_off"}], offers="可以改约书画室")
    assert closure["items"][0]["remedy"] == "call_off"
    assert state_of(made) is ReservationState.OVERRIDDEN


def test_a_room_of_another_site_is_named(town: Town, clerk: Phone, half: dict[str, Any]) -> None:
    half["venues"] = ["b" * 16]
    answer = the_problem(clerk.post("/api/v1/staff/closures/look", json=half), 409, "not_there")
    assert answer["errors"][0]["field"] == "venues.0"


def test_an_administrator_takes_a_room_from_a_class_for_a_public_need_and_a_clerk_does_not(
    door: Door, town: Town, centre: Centre, clerk: Phone, half: dict[str, Any]
) -> None:
    with transaction() as session:
        a_run(session, town.wutong, venue=centre.left, starts_at=at(9, on=MONDAY), title="合唱")
        admin = a_staff_member(session, Role.ADMIN, town.wutong)
    half |= {
        "kind": "public_need",
        "starts_at": said(at(8, on=MONDAY)),
        "ends_at": said(at(12, on=MONDAY)),
    }
    seen = told(clerk.post("/api/v1/staff/closures/look", json=half))
    sent = {**half, "because": "设投票站", "fingerprint": seen["fingerprint"]}
    answer = clerk.post("/api/v1/staff/closures", json=sent)
    the_problem(answer, 403, "admin_needed")
    assert door.phone(admin).post("/api/v1/staff/closures", json=sent).status_code == 201


def test_everybody_may_read_what_is_closed_and_why(
    door: Door, centre: Centre, closing: Closing, clerk: Phone
) -> None:
    closure = closing()
    nobody = door.phone()
    (item,) = told(nobody.get(f"/api/v1/sites/{site_of(centre)}/closures"))["items"]
    assert (item["key"], item["because"], item["kind_label"]) == (closure["key"], "水管爆裂", "停用")
    assert [room["name"] for room in item["venues"]] == ["多功能厅左"]
    days = told(nobody.get(f"/api/v1/venues/{centre.left.key}/availability?first=2026-11-21&days=1"))
    (held,) = days["days"][0]["held"]
    assert (held["word"], held["because"]) == ("停用", "水管爆裂")
    clerk.put(f"/api/v1/staff/closures/{closure['key']}/lifting", json={"because": "修好了"})
    assert told(nobody.get(f"/api/v1/sites/{site_of(centre)}/closures"))["items"] == []


def test_closures_are_listed_by_how_they_stand(clerk: Phone, centre: Centre, closing: Closing) -> None:
    closure = closing()
    listed = told(clerk.get(f"/api/v1/staff/closures?state=standing&site={site_of(centre)}"))
    assert [one["key"] for one in listed["items"]] == [closure["key"]]
    lifted = clerk.put(f"/api/v1/staff/closures/{closure['key']}/lifting", json={"because": "修好了"})
    assert told(lifted)["state"] == "lifted"
    assert told(clerk.get("/api/v1/staff/closures?state=standing"))["items"] == []
    assert len(told(clerk.get("/api/v1/staff/closures?state=lifted"))["items"]) == 1


def test_a_page_of_closures_goes_on_where_the_last_one_ended(
    town: Town, clerk: Phone, centre: Centre
) -> None:
    keys = [closes(town, [centre.left], at(hour), at(hour + 1)).key for hour in (8, 10, 12)]
    first = told(clerk.get("/api/v1/staff/closures?limit=2"))
    second = told(clerk.get(f"/api/v1/staff/closures?limit=2&cursor={first['next']}"))
    assert [one["key"] for one in [*first["items"], *second["items"]]] == keys[::-1]


def test_a_helper_answers_for_an_elder_and_staff_for_who_phoned(
    door: Door, town: Town, centre: Centre, clerk: Phone
) -> None:
    with transaction() as session:
        a_bond(session, town.neighbour, town.resident)
    made = takes(town.resident, centre.left, at(9), heads=30)
    closes(town, [centre.left], at(8), at(12))
    (question,) = told(door.phone(town.neighbour).get("/api/v1/me/room-questions"))["items"]
    assert question["resident"] == town.resident.key
    other = takes(town.guardian, centre.left, at(14), heads=30)
    closes(town, [centre.left], at(13), at(18))
    key = question_about(other).key
    answered = clerk.put(
        f"/api/v1/staff/room-questions/{key}/answer", json={"accepts": False, "because": "本人来电"}
    )
    assert told(answered)["answer"] == "declined"
    assert state_of(other) is ReservationState.OVERRIDDEN
    phone = door.phone(town.neighbour)
    answered = phone.put(f"/api/v1/room-questions/{question['key']}/answer", json={"accepts": True})
    assert told(answered)["answer"] == "accepted"
    assert answer_about(made) is MoveAnswer.ACCEPTED
    late = phone.put(f"/api/v1/room-questions/{question['key']}/answer", json={"accepts": False})
    the_problem(late, 409, "question_answered")


def test_staff_see_whom_to_call_and_that_is_written_down(
    door: Door, town: Town, centre: Centre, clerk: Phone, closing: Closing
) -> None:
    first = takes(town.resident, centre.left, at(9), heads=30)
    closure = closing()
    address = f"/api/v1/staff/closures/{closure['key']}/questions"
    (item,) = told(clerk.get(f"{address}?open=true"))["items"]
    assert (item["reservation"], item["answer"]) == (first.key, None)
    assert item["name"] == masked_name(town.resident.name)
    clerk.put(
        f"/api/v1/staff/room-questions/{item['key']}/answer", json={"accepts": True, "because": "本人来电"}
    )
    assert told(clerk.get(f"{address}?open=true"))["items"] == []
    (item,) = told(clerk.get(address))["items"]
    assert item["answer_label"] == "同意"
    with reading() as session:
        looks = session.scalars(
            select(JournalEntry.for_resident_id).where(JournalEntry.act == "move_question.looked_at")
        ).all()
    assert looks == [town.resident.resident_id] * 2


def test_ones_copy_says_what_one_was_asked_and_who_answered(
    door: Door, town: Town, centre: Centre, clerk: Phone
) -> None:
    first = takes(town.resident, centre.left, at(9), heads=30)
    takes(town.neighbour, centre.left, at(14), heads=30)
    closes(town, [centre.left], at(8), at(18))
    phone = door.phone(town.resident)
    (question,) = told(phone.get("/me/copy"))["oneself"]["questions"]
    assert (question["because"], question["was_at"], question["to_at"]) == (PIPE, "多功能厅左", "多功能厅右")
    assert (question["answer"], question["answered_at"], question["history"]) == (None, None, [])
    key = question_about(first).key
    told(clerk.put(f"/staff/room-questions/{key}/answer", json={"accepts": True, "because": "本人来电"}))
    copy = told(phone.get("/me/copy"))["oneself"]
    (question,) = copy["questions"]
    assert (question["answer_label"], question["to_starts_at"]) == ("同意", said(at(9)))
    assert [(line["act_label"], line["by"]) for line in question["history"]] == [("答复改约", "staff")]
    assert "答复改约" not in [line["act_label"] for line in copy["journal"]]


def test_who_answered_oneself_reads_that_too_and_a_seat_is_asked_about_like_a_room(
    door: Door, town: Town, centre: Centre
) -> None:
    with transaction() as session:
        run = a_run(session, town.wutong, venue=centre.left, starts_at=at(9, on=MONDAY), title="合唱")
    town.resident.tap(run)
    closes(town, [centre.left], at(8, on=MONDAY), at(12, on=MONDAY))
    phone = door.phone(town.resident)
    (asked,) = told(phone.get("/me/room-questions"))["items"]
    told(phone.put(f"/room-questions/{asked['key']}/answer", json={"accepts": True}))
    (question,) = told(phone.get("/me/copy"))["oneself"]["questions"]
    assert (question["title"], question["answer"]) == ("合唱", "accepted")
    assert [line["by"] for line in question["history"]] == ["oneself"]
    assert told(door.phone(town.neighbour).get("/me/copy"))["oneself"]["questions"] == []


def test_who_learns_finds_the_question_too(door: Door, town: Town, centre: Centre) -> None:
    with transaction() as session:
        run = a_run(session, town.wutong, venue=centre.left, starts_at=at(9, on=MONDAY), title="合唱")
    town.resident.tap(run)
    closes(town, [centre.left], at(8, on=MONDAY), at(12, on=MONDAY))
    (question,) = told(door.phone(town.resident).get("/api/v1/me/room-questions"))["items"]
    assert (question["title"], question["run"], question["reservation"]) == ("合唱", run.key, None)


def test_what_was_overridden_says_until_when_one_more_is_theirs(
    door: Door, town: Town, centre: Centre, closing: Closing
) -> None:
    made = takes(town.resident, centre.left, at(9), heads=30)
    closing(choices=[{"thing": made.key, "remedy": "call_off"}])
    shown = told(door.phone(town.resident).get(f"/api/v1/reservations/{made.key}"))
    until = now_of(made).made_good_until
    assert until is not None
    assert (shown["state"], shown["made_good_until"]) == (
        "overridden",
        town_clock.in_town(until).isoformat(timespec="seconds"),
    )


def test_looking_and_listing_cost_the_same_for_one_and_for_many(
    door: Door, town: Town, centre: Centre, clerk: Phone, half: dict[str, Any], statements: list[str]
) -> None:
    def cost(ask: Callable[[], Any]) -> int:
        told(ask())  # once before, so that nothing is asked for the first time
        statements.clear()
        told(ask())
        return len(statements)

    phone = door.phone(town.resident)
    whole_day = {**half, "ends_at": said(at(21))}
    asks: list[Callable[[], Any]] = [
        lambda: clerk.post("/api/v1/staff/closures/look", json=whole_day),
        lambda: clerk.get("/api/v1/staff/closures"),
        lambda: phone.get("/api/v1/me/room-questions"),
        lambda: door.phone().get(f"/api/v1/sites/{site_of(centre)}/closures"),
    ]
    set_number(town.wutong, "reservations_a_day", "0")
    set_number(town.wutong, "reservations_a_week", "0")
    set_number(town.wutong, "reserved_minutes_a_week", "0")
    takes(town.neighbour, centre.left, at(9), heads=30)
    takes(town.resident, centre.right, at(9, on=MONDAY), heads=30)
    closes(town, [centre.right], at(8, on=MONDAY), at(12, on=MONDAY))
    few = [cost(ask) for ask in asks]
    for hour in (13, 15, 17):
        takes(town.neighbour, centre.left, at(hour, 30), minutes=60, heads=30)
        takes(town.resident, centre.right, at(hour, 30, on=MONDAY), minutes=60, heads=30)
        closes(town, [centre.right], at(hour, 30, on=MONDAY), at(hour + 1, 30, on=MONDAY))
    assert [cost(ask) for ask in asks] == few
