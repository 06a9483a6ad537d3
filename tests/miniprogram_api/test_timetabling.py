"""Staff decide over the API when a class is published, and what changes about it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.base import transaction
from models.courses import CourseRun
from models.policies import set_policy
from models.regions import Region
from tests.people import FIRST_EVENING, OPENS_AT, Town
from tests.phones import Door, the_problem, told

NOON = OPENS_AT + timedelta(hours=2)
WHY = {"because": "老师出差"}


def at(hours: float) -> str:
    """So many hours after the first evening."""
    return (FIRST_EVENING + timedelta(hours=hours)).isoformat()


def test_a_clerk_lists_drafts_and_publishes_one_for_tomorrow_morning(door: Door, town: Town) -> None:
    run, clerk = town.a_run(published=False), door.phone(town.clerk)
    (draft,) = told(clerk.get("/staff/course-runs?state=draft"))["items"]
    assert (draft["key"], draft["decided"], draft["state"]) == (run.key, "draft", "scheduled")
    shown = told(clerk.put(f"/staff/course-runs/{run.key}/publication", json={"at_the_hour": True}))
    assert (shown["decided"], shown["published_at"]) == ("published", "2026-11-21T09:00:00+08:00")
    assert door.phone().get(f"/course-runs/{run.key}").status_code == 404
    told(clerk.put(f"/staff/course-runs/{run.key}/publication", json={}))
    assert told(door.phone().get(f"/course-runs/{run.key}"))["state"] == "enrolling"
    assert told(clerk.delete(f"/staff/course-runs/{run.key}/publication"))["decided"] == "draft"


def test_there_is_one_way_of_saying_when(door: Door, town: Town) -> None:
    run = town.a_run(published=False)
    both = {"at_the_hour": True, "at": (NOON + timedelta(days=1)).isoformat()}
    answer = door.phone(town.clerk).put(f"/staff/course-runs/{run.key}/publication", json=both)
    the_problem(answer, 409, "two_moments")


def test_where_courses_are_reviewed_a_clerk_hands_in_and_an_administrator_decides(
    door: Door, town: Town
) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "courses_reviewed", "1")
    run = town.a_run(published=False)
    clerk, admin = door.phone(town.clerk), door.phone(town.admin)
    address = f"/staff/course-runs/{run.key}"
    the_problem(clerk.put(f"{address}/publication", json={}), 403, "review_needed")
    assert told(clerk.put(f"{address}/submission"))["decided"] == "in_review"
    assert told(clerk.get(address))["decided_label"] == "待审核"
    assert told(admin.put(f"{address}/objection", json=WHY))["sent_back_because"] == "老师出差"
    told(clerk.put(f"{address}/submission"))
    assert told(admin.put(f"{address}/publication", json={}))["decided"] == "published"


def test_an_evening_moves_to_another_room_and_people_read_it_in_their_inbox(door: Door, town: Town) -> None:
    run = town.a_run(capacity=1)
    told(door.phone(town.resident).put(f"/course-runs/{run.key}/registration"))
    clerk = door.phone(town.clerk)
    rooms = told(clerk.get("/staff/venues"))["items"]
    assert [room["capacity"] for room in rooms] == [30]
    moved = told(
        clerk.put(
            f"/staff/course-sessions/{run.sessions[0].key}/time",
            json={"starts_at": at(24), "ends_at": at(25.5), "venue": rooms[0]["key"], **WHY},
        )
    )
    assert moved["told"] == 1
    (meeting,) = moved["run"]["sessions"]
    assert (meeting["state"], meeting["starts_at"]) == ("moved", "2026-12-04T18:00:00+08:00")
    news = told(door.phone(town.resident).get("/me/notices"))["items"][0]
    assert (news["kind"], "老师出差" in news["body"], "12月4日" in news["body"]) == (
        "class_moved",
        True,
        True,
    )


def test_an_evening_and_then_the_whole_class_are_called_off(door: Door, town: Town) -> None:
    run = town.a_run(evenings=2)
    told(door.phone(town.resident).put(f"/course-runs/{run.key}/registration"))
    clerk = door.phone(town.clerk)
    off = told(clerk.put(f"/staff/course-sessions/{run.sessions[0].key}/cancellation", json=WHY))
    assert [meeting["state"] for meeting in off["run"]["sessions"]] == ["cancelled", "planned"]
    answer = clerk.put(f"/staff/course-sessions/{run.sessions[1].key}/cancellation", json=WHY)
    the_problem(answer, 409, "last_session")
    off = told(clerk.put(f"/staff/course-runs/{run.key}/cancellation", json=WHY))
    assert (off["told"], off["run"]["state"], off["run"]["cancelled_because"]) == (1, "cancelled", "老师出差")
    (mine,) = told(door.phone(town.resident).get("/me/registrations"))["items"]
    assert mine["state"] == "cancelled"


@pytest.mark.parametrize("who", ["grid_worker", "street_officer", "resident", "partner_member"])
def test_nobody_else_decides_about_a_class(door: Door, town: Town, who: str) -> None:
    run, phone = town.a_run(), door.phone(getattr(town, who))
    addresses = (
        f"/staff/course-runs/{run.key}/cancellation",
        f"/staff/course-runs/{run.key}/publication",
        f"/staff/course-sessions/{run.sessions[0].key}/cancellation",
        f"/staff/course-sessions/{run.sessions[0].key}/time",
    )
    whole = {"starts_at": at(24), "ends_at": at(25), **WHY}
    for address in addresses:
        body = {} if address.endswith("publication") else whole if address.endswith("time") else WHY
        assert phone.put(address, json=body).status_code in {403, 404}, address
    assert town.now(run).phase.value == "enrolling"


def test_another_communitys_clerk_finds_nothing(door: Door, town: Town) -> None:
    run = town.a_run(community=town.wangjiang, published=False)
    clerk = door.phone(town.clerk)
    assert told(clerk.get("/staff/course-runs"))["items"] == []
    the_problem(clerk.get(f"/staff/course-runs/{run.key}"), 404, "not_found")
    the_problem(clerk.put(f"/staff/course-runs/{run.key}/cancellation", json=WHY), 404, "not_found")
    mine = town.a_run()
    with transaction() as session:
        theirs = session.get_one(CourseRun, run.id).sessions[0].venue.key
    move = {"starts_at": at(24), "ends_at": at(25), "venue": theirs, **WHY}
    refused = clerk.put(f"/staff/course-sessions/{mine.sessions[0].key}/time", json=move)
    assert [error["field"] for error in the_problem(refused, 409, "not_there")["errors"]] == ["venue"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "because"),
        ({"because": " "}, "because"),
        ({"because": "长" * 101}, "because"),
        ({"because": "停", "why": "x"}, "why"),
    ],
)
def test_a_decision_says_why(door: Door, town: Town, body: dict[str, str], field: str) -> None:
    run = town.a_run()
    answer = door.phone(town.clerk).put(f"/staff/course-runs/{run.key}/cancellation", json=body)
    assert [fault["field"] for fault in the_problem(answer, 422, "invalid")["errors"]] == [field]
