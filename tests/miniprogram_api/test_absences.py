"""Absences over the API: one's own attendance, appealing, and what staff do about it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models import clock as town_clock
from models.clock import StoppedClock
from models.courses import CourseRun
from server.jobs.attendance import note_absences
from tests.people import FIRST_EVENING, Person, Town
from tests.phones import Door, the_problem, told

WEEK = timedelta(weeks=1)


def missed(door: Door, town: Town, clock: StoppedClock, *who: Person, times: int) -> list[CourseRun]:
    """So many classes of one evening, one a week, that these people did not come to."""
    runs = [town.a_run(starts_at=FIRST_EVENING + n * WEEK, title=f"书法{n}") for n in range(times)]
    for run in runs:
        for person in (town.neighbour, *who):
            person.tap(run)
        (here,) = (
            one.key for one in town.registrations(run) if one.resident_id == town.neighbour.resident_id
        )
        clock.move_to(run.starts_at)
        rows = [{"registration": here, "state": "present"}]
        told(door.phone(town.clerk).put(f"/staff{evening(run)}/attendance", json={"rows": rows}))
        clock.move_to(run.ends_at + timedelta(hours=1))
        note_absences(town_clock.now())
    return runs


def evening(run: CourseRun) -> str:
    return f"/course-sessions/{run.sessions[0].key}"


def test_one_sees_what_is_written_of_oneself_and_of_those_one_acts_for(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    runs = missed(door, town, clock, town.resident, times=3)
    mine = told(door.phone(town.resident).get("/me/attendance"))
    assert [(item["title"], item["state"], item["counts"]) for item in mine["items"]] == [
        ("书法2", "absent", True),
        ("书法1", "absent", True),
        ("书法0", "absent", True),
    ]
    assert (mine["misses"], mine["misses_to_pause"]) == (3, 3)
    assert (
        mine["paused_until"] == town_clock.in_town(runs[2].ends_at + timedelta(days=30, hours=1)).isoformat()
    )
    assert mine["items"][0]["appeal_until"] is not None
    page = told(door.phone(town.resident).get("/me/attendance?limit=2"))
    rest = told(door.phone(town.resident).get(f"/me/attendance?limit=2&cursor={page['next']}"))
    assert [item["title"] for item in rest["items"]] == ["书法0"]
    assert told(door.phone(town.outsider).get("/me/attendance"))["items"] == []
    theirs = told(door.phone(town.neighbour).get("/me/attendance"))
    assert (theirs["misses"], theirs["paused_until"]) == (0, None)


def test_what_is_written_of_a_ward_counts_for_nobody(door: Door, town: Town, clock: StoppedClock) -> None:
    run = town.a_run()
    town.neighbour.tap(run)
    town.helper.tap(run, for_whom=town.elder)
    key = next(one.key for one in town.registrations(run) if one.resident_id == town.elder.resident_id)
    clock.move_to(run.starts_at)
    rows = [{"registration": key, "state": "absent"}]
    told(door.phone(town.clerk).put(f"/staff{evening(run)}/attendance", json={"rows": rows}))
    (item,) = told(door.phone(town.helper).get("/me/attendance"))["items"]
    assert (item["resident"]["name"], item["state"], item["counts"]) == ("王奶奶", "absent", False)


def test_an_appeal_is_read_decided_and_answered(door: Door, town: Town, clock: StoppedClock) -> None:
    runs = missed(door, town, clock, town.resident, times=3)
    phone, clerk = door.phone(town.resident), door.phone(town.clerk)
    path = f"{evening(runs[2])}/appeal"
    made = told(phone.put(path, json={"words": "那天孩子发烧"}))
    assert (made["state"], made["state_label"], made["words"]) == ("waiting", "等待处理", "那天孩子发烧")
    (pile,) = [p for p in told(clerk.get("/staff/desk"))["items"] if p["name"] == "absence_appeals"]
    assert pile["number"] == 1
    (waiting,) = told(clerk.get("/staff/absence-appeals"))["items"]
    assert (waiting["name"], waiting["title"], waiting["words"]) == ("陈静", "书法2", "那天孩子发烧")
    decision = f"/staff/absence-appeals/{waiting['key']}/decision"
    the_problem(clerk.put(decision, json={"decision": "waiting", "because": "好"}), 422, "invalid")
    answer = told(clerk.put(decision, json={"decision": "granted", "because": "情况属实"}))
    assert (answer["state"], answer["answer"]) == ("granted", "情况属实")
    mine = told(phone.get("/me/attendance"))
    assert (mine["items"][0]["state"], mine["items"][0]["appeal"]["answer"]) == ("excused", "情况属实")
    assert (mine["misses"], mine["paused_until"]) == (2, None)
    the_problem(phone.put(path, json={"words": "再看看"}), 409, "appeal_decided")
    the_problem(clerk.put(decision, json={"decision": "declined", "because": "不行"}), 409, "appeal_settled")


def test_words_wechat_will_not_have_are_no_appeal(door: Door, town: Town, clock: StoppedClock) -> None:
    (run,) = missed(door, town, clock, town.resident, times=1)
    phone = door.log_in(town.resident.openid)  # WeChat looks at what those write who are there
    body = the_problem(
        phone.put(f"{evening(run)}/appeal", json={"words": "赌博平台加微信"}),
        422,
        "content_risky",
    )
    assert body["errors"][0]["field"] == "words"


def test_whoever_was_there_or_was_never_expected_has_nothing_to_appeal(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    (run,) = missed(door, town, clock, town.resident, times=1)
    path, words = f"{evening(run)}/appeal", {"words": "我来了"}
    the_problem(door.phone(town.neighbour).put(path, json=words), 409, "nothing_to_appeal")
    the_problem(door.phone(town.outsider).put(path, json=words), 404, "not_registered")


def test_a_storm_is_excused_for_everybody_evening_by_evening(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    runs = missed(door, town, clock, town.resident, town.guardian, times=3)
    keys = [runs[1].sessions[0].key, "a" * 16, town.a_run(community=town.wangjiang).sessions[0].key]
    answer = told(
        door.phone(town.clerk).post("/staff/absence-amnesties", json={"sessions": keys, "because": "台风"})
    )
    assert [(line["found"], line["excused"]) for line in answer["items"]] == [
        (True, 2),
        (False, 0),
        (False, 0),
    ]
    assert answer["lifted"] == 2
    assert told(door.phone(town.guardian).get("/me/attendance"))["paused_until"] is None


def test_staff_see_who_is_paused_and_lift_it(door: Door, town: Town, clock: StoppedClock) -> None:
    missed(door, town, clock, town.resident, times=3)
    clerk = door.phone(town.clerk)
    (pause,) = told(clerk.get("/staff/pauses"))["items"]
    assert pause["name"] == "陈静"
    lifting = f"/staff/pauses/{pause['key']}/lifting"
    assert told(clerk.put(lifting, json={"because": "已说明情况"}))["lifted_at"] is not None
    assert told(clerk.get("/staff/pauses"))["items"] == []
    assert told(door.phone(town.resident).get("/me/attendance"))["paused_until"] is None


@pytest.mark.parametrize("path", ["/staff/pauses", "/staff/absence-appeals"])
def test_nobody_else_sees_who_missed_a_class(door: Door, town: Town, clock: StoppedClock, path: str) -> None:
    missed(door, town, clock, town.resident, times=3)
    for who in (town.grid_worker, town.street_officer):
        assert told(door.phone(who).get(path))["items"] == []
    the_problem(door.phone(town.neighbour).get(path), 403, "identity_unfit")


def test_the_copy_of_ones_data_has_it_all(door: Door, town: Town, clock: StoppedClock) -> None:
    runs = missed(door, town, clock, town.resident, times=3)
    told(door.phone(town.resident).put(f"{evening(runs[0])}/appeal", json={"words": "那天孩子发烧"}))
    copied = told(door.phone(town.resident).get("/me/copy"))["oneself"]
    evenings = [evening for held in copied["registrations"] for evening in held["evenings"]]
    assert [one["state"] for one in evenings] == ["absent"] * 3
    assert evenings[0]["appeal"]["words"] == "那天孩子发烧"
    assert len(copied["pauses"]) == 1
