"""Staff make and correct runs over the API, and look at a series before they save it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select

from models.base import reading, transaction
from models.calendars import DayKind, set_day
from models.clock import StoppedClock
from models.courses import Course, CourseRun, courses_within, hold_seats
from models.journal import JournalEntry
from models.policies import set_policy
from models.regions import Region
from models.sites import Venue
from server.jobs.delivery import remind
from tests.people import FIRST_EVENING, OPENS_AT, Town, a_course, a_venue
from tests.phones import Door, Phone, the_problem, told
from tests.races.rush import meanwhile, until_somebody_waits_for_a_lock

WEEKLY = {"first_on": "2026-12-03", "starts": "18:00", "ends": "19:30", "times": 3}


def a_room(town: Town, *, name: str = "多功能厅") -> str:
    """The key of a room of 梧桐里."""
    with transaction() as session:
        return a_venue(session, town.wutong, name=name).key


def course_of(town: Town, *, title: str = "摄影") -> str:
    """The key of a course of 梧桐里."""
    with transaction() as session:
        return a_course(session, town.wutong, title=title).key


def evening(room: str, starts_at: datetime = FIRST_EVENING) -> dict[str, str]:
    return {
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(minutes=90)).isoformat(),
        "venue": room,
    }


def written(room: str, *starts: datetime, **changes: Any) -> dict[str, Any]:
    """A run as staff write it down."""
    return {
        "teacher": "周老师",
        "capacity": 20,
        "opens_at": OPENS_AT.isoformat(),
        "evenings": [evening(room, start) for start in starts or (FIRST_EVENING,)],
        **changes,
    }


def faults(answer: Any, status: int, code: str) -> list[str]:
    return [error["field"] for error in the_problem(answer, status, code)["errors"]]


@pytest.fixture
def clerk(door: Door, town: Town) -> Phone:
    return door.phone(town.clerk)


def test_a_clerk_opens_a_course_and_makes_a_run_of_it(clerk: Phone, door: Door, town: Town) -> None:
    opened = told(
        clerk.post(
            "/staff/courses", json={"community": town.wutong.key, "title": "书法", "category": "艺术"}
        ),
        201,
    )
    assert [course["title"] for course in told(clerk.get("/staff/courses"))["items"]] == ["书法"]
    room = a_room(town)
    week = timedelta(weeks=1)
    made = told(
        clerk.post(
            "/staff/course-runs",
            json={
                **written(room, FIRST_EVENING, FIRST_EVENING + week, materials="毛笔", min_age=18),
                "course": opened["key"],
            },
        ),
        201,
    )
    assert (made["title"], made["decided"], made["min_age"], made["materials"]) == (
        "书法",
        "draft",
        18,
        "毛笔",
    )
    assert [each["starts_at"] for each in made["sessions"]] == [
        "2026-12-03T18:00:00+08:00",
        "2026-12-10T18:00:00+08:00",
    ]
    assert told(clerk.get(f"/staff/course-runs/{made['key']}"))["key"] == made["key"]
    told(clerk.put(f"/staff/course-runs/{made['key']}/publication", json={}))
    told(door.phone(town.resident).put(f"/course-runs/{made['key']}/registration"))


def test_a_course_is_opened_once_and_it_is_written_down_who_did(clerk: Phone, town: Town) -> None:
    course = {"community": town.wutong.key, "title": "书法", "category": "艺术"}
    first = told(clerk.post("/staff/courses", json=course), 201)
    again = told(clerk.post("/staff/courses", json={**course, "category": "文化"}), 201)
    assert (first["key"], again["category"]) == (again["key"], "文化")
    with reading() as session:
        (entry,) = session.query(JournalEntry).where(JournalEntry.act == "course.opened")
        assert (entry.by_account_id, entry.identity) == (town.clerk.account_id, town.clerk.identity)


def test_the_same_request_sent_twice_makes_one_run(clerk: Phone, town: Town) -> None:
    sent = {**written(a_room(town)), "course": course_of(town)}
    answers = [
        told(clerk.post("/staff/course-runs", json=sent, headers={"Idempotency-Key": "run-1"}), 201)
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    with reading() as session:
        assert session.query(CourseRun).count() == 1


def test_runs_of_one_month_are_told_apart(clerk: Phone, town: Town) -> None:
    room, course = a_room(town), course_of(town)
    for days in range(3):
        sent = {**written(room, FIRST_EVENING + timedelta(days=days)), "course": course}
        told(clerk.post("/staff/course-runs", json=sent), 201)
    with reading() as session:
        runs = session.query(CourseRun).order_by(CourseRun.id)
        assert [(run.month, run.ordinal) for run in runs] == [("2026-12", 1), ("2026-12", 2), ("2026-12", 3)]


def test_a_taken_room_names_the_evening_and_nothing_is_kept(clerk: Phone, town: Town) -> None:
    room, course, week = a_room(town), course_of(town), timedelta(weeks=1)
    told(
        clerk.post("/staff/course-runs", json={**written(room, FIRST_EVENING + week), "course": course}), 201
    )
    series = [FIRST_EVENING, FIRST_EVENING + week, FIRST_EVENING + 2 * week]
    sent = {**written(room, *series, teacher="刘老师"), "course": course}
    assert faults(clerk.post("/staff/course-runs", json=sent), 409, "room_taken") == ["evenings.1"]
    elsewhere = {**written(a_room(town, name="小教室"), *series), "course": course}
    assert faults(clerk.post("/staff/course-runs", json=elsewhere), 409, "teacher_taken") == ["evenings.1"]
    with reading() as session:
        assert session.query(CourseRun).count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"teacher": " "}, "teacher"),
        ({"capacity": 0}, "capacity"),
        ({"capacity": 2001}, "capacity"),
        ({"opens_at": "明天"}, "opens_at"),
        ({"opens_at": FIRST_EVENING.isoformat()}, "opens_at"),
        ({"opens_at": "0001-01-01T00:00:00+08:00"}, "opens_at"),
        ({"evenings": []}, "evenings"),
        ({"min_age": 60, "max_age": 18}, "min_age"),
        ({"audience": "cats"}, "audience"),
        ({"price": 10}, "price"),
    ],
)
def test_every_fault_of_a_run_is_named(clerk: Phone, town: Town, changes: dict[str, Any], field: str) -> None:
    sent = {**written(a_room(town), **changes), "course": course_of(town)}
    assert faults(clerk.post("/staff/course-runs", json=sent), 422, "invalid") == [field]


@pytest.mark.parametrize(
    ("starts_at", "field"),
    [
        (datetime.fromisoformat("2026-11-20T11:59:00+08:00"), "evenings.1.starts_at"),
        (datetime.fromisoformat("2029-11-20T11:59:00+08:00"), "evenings.1.ends_at"),
    ],
)
def test_what_is_planned_lies_ahead_and_not_too_far(
    clerk: Phone, town: Town, starts_at: datetime, field: str
) -> None:
    changes = {"opens_at": "2026-11-01T10:00:00+08:00"}
    sent = {**written(a_room(town), FIRST_EVENING, starts_at, **changes), "course": course_of(town)}
    assert faults(clerk.post("/staff/course-runs", json=sent), 422, "invalid") == [field]


def test_a_course_or_room_of_others_is_not_there(clerk: Phone, town: Town) -> None:
    with transaction() as session:
        theirs = a_course(session, town.wangjiang).key
        their_room = a_venue(session, town.wangjiang).key
    sent = {**written(a_room(town)), "course": theirs}
    assert faults(clerk.post("/staff/course-runs", json=sent), 409, "not_there") == ["course"]
    sent = {**written(their_room), "course": course_of(town)}
    assert faults(clerk.post("/staff/course-runs", json=sent), 409, "not_there") == ["evenings.0.venue"]
    opening = {"community": town.wangjiang.key, "title": "书法", "category": "艺术"}
    assert faults(clerk.post("/staff/courses", json=opening), 409, "not_there") == ["community"]
    opening["community"] = town.district.key
    assert faults(clerk.post("/staff/courses", json=opening), 409, "not_there") == ["community"]


@pytest.mark.parametrize("who", ["resident", "grid_worker", "street_officer", "partner_member"])
def test_nobody_else_plans(door: Door, town: Town, who: str) -> None:
    phone = door.phone(getattr(town, who))
    room, course = a_room(town), course_of(town)
    sent = {**written(room), "course": course}
    assert phone.post("/staff/course-runs", json=sent).status_code in {403, 409}
    opening = {"community": town.wutong.key, "title": "书法", "category": "艺术"}
    assert phone.post("/staff/courses", json=opening).status_code in {403, 409}
    the_problem(phone.post("/staff/course-series/preview", json=WEEKLY), 403, "identity_unfit")
    with reading() as session:
        assert session.query(CourseRun).count() == 0
        assert session.query(Course).count() == 1


def test_a_draft_is_corrected_and_the_same_again_changes_nothing(clerk: Phone, town: Town) -> None:
    room = a_room(town)
    made = told(clerk.post("/staff/course-runs", json={**written(room), "course": course_of(town)}), 201)
    address = f"/staff/course-runs/{made['key']}"
    later = written(room, FIRST_EVENING + timedelta(days=1), teacher="刘老师", capacity=24)
    changed = told(clerk.put(address, json=later))
    assert (changed["teacher"], changed["capacity"], changed["starts_at"]) == (
        "刘老师",
        24,
        "2026-12-04T18:00:00+08:00",
    )
    told(clerk.put(address, json=later))
    with reading() as session:
        acts = [entry.act for entry in session.query(JournalEntry).order_by(JournalEntry.id)]
        assert acts.count("course_run.revised") == 1


def test_a_correction_that_hurts_somebody_is_refused(clerk: Phone, door: Door, town: Town) -> None:
    room = a_room(town)
    made = told(clerk.post("/staff/course-runs", json={**written(room), "course": course_of(town)}), 201)
    address = f"/staff/course-runs/{made['key']}"
    told(clerk.put(f"{address}/publication", json={}))
    told(door.phone(town.resident).put(f"/course-runs/{made['key']}/registration"))
    earlier = written(room, FIRST_EVENING - timedelta(days=1))
    the_problem(clerk.put(address, json=earlier), 409, "run_has_learners")
    told(clerk.put(address, json=written(room, note="请带身份证")))


def test_an_evening_that_is_over_does_not_stand_in_the_way_of_a_correction(
    clerk: Phone, town: Town, clock: StoppedClock
) -> None:
    room, next_week = a_room(town), FIRST_EVENING + timedelta(weeks=1)
    sent = {**written(room, FIRST_EVENING, next_week), "course": course_of(town)}
    made = told(clerk.post("/staff/course-runs", json=sent), 201)
    clock.move_to(FIRST_EVENING + timedelta(days=1))
    corrected = written(room, FIRST_EVENING, next_week, note="带笔")
    assert told(clerk.put(f"/staff/course-runs/{made['key']}", json=corrected))["note"] == "带笔"


# --- a series -----------------------------------------------------------------------------------------------------


def preview(clerk: Phone, **changes: Any) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = told(clerk.post("/staff/course-series/preview", json={**WEEKLY, **changes}))
    return answer


def test_a_series_is_shown_before_anything_is_written_and_then_saved_as_shown(
    clerk: Phone, town: Town
) -> None:
    with transaction() as session:
        set_day(session, date(2026, 12, 10), DayKind.HOLIDAY)
    room = a_room(town)
    shown = preview(clerk, holidays="move", venue=room, teacher="周老师")
    assert [(each["on"], each["verdicts"], each["moved_from"]) for each in shown["items"]] == [
        ("2026-12-03", ["ok"], None),
        ("2026-12-11", ["moved"], "2026-12-10"),
        ("2026-12-17", ["ok"], None),
    ]
    assert shown["items"][1]["label"] == "因放假改到这一天"
    with reading() as session:
        assert session.query(CourseRun).count() == 0
    evenings = [
        {"starts_at": each["starts_at"], "ends_at": each["ends_at"], "venue": room}
        for each in shown["items"]
        if each["can_be_held"]
    ]
    sent = {**written(room), "evenings": evenings, "course": course_of(town)}
    assert len(told(clerk.post("/staff/course-runs", json=sent), 201)["sessions"]) == shown["evenings"] == 3


def test_a_series_shows_where_room_and_teacher_are_taken(clerk: Phone, town: Town) -> None:
    room = a_room(town)
    told(clerk.post("/staff/course-runs", json={**written(room), "course": course_of(town)}), 201)
    first = preview(clerk, venue=room, teacher="周老师")["items"][0]
    assert (first["verdicts"], first["can_be_held"]) == (["room_taken", "teacher_taken"], False)
    assert preview(clerk, venue=room, teacher="周老师", teacher_is_person=False)["items"][0]["verdicts"] == [
        "room_taken"
    ]


def test_a_year_nobody_announced_is_said_in_a_preview(clerk: Phone) -> None:
    """E16."""
    shown = preview(clerk, first_on="2028-02-22")["items"]
    assert [each["on"] for each in shown] == ["2028-02-22", "2028-02-29", "2028-03-07"]
    assert {tuple(each["verdicts"]) for each in shown} == {("year_not_announced",)}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"starts": "6点"}, "starts"),
        ({"ends": "18:00"}, "ends"),
        ({"times": 0}, "times"),
        ({"until": "2026-12-20"}, "times"),
        ({"first_on": "9999-12-31"}, "first_on"),
        ({"weekdays": [8]}, "weekdays.0"),
    ],
)
def test_every_fault_of_a_series_is_named(clerk: Phone, changes: dict[str, Any], field: str) -> None:
    answer = clerk.post("/staff/course-series/preview", json={**WEEKLY, **changes})
    assert faults(answer, 422, "invalid") == [field]


def test_a_room_of_others_is_not_looked_at(clerk: Phone, town: Town) -> None:
    with transaction() as session:
        theirs = a_venue(session, town.wangjiang)
        assert isinstance(theirs, Venue)
    answer = clerk.post("/staff/course-series/preview", json={**WEEKLY, "venue": theirs.key})
    assert faults(answer, 409, "not_there") == ["venue"]


def test_courses_of_no_place_are_none(town: Town) -> None:
    course_of(town)
    with reading() as session:
        assert courses_within(session, [], after_id=None, most=5) == []


# --- copies, and many at once -------------------------------------------------------------------------------------


def test_a_run_is_copied_to_next_term(clerk: Phone, town: Town) -> None:
    run = town.a_run(evenings=2)
    copy = told(clerk.post(f"/staff/course-runs/{run.key}/copy", json={"first_on": "2027-03-04"}), 201)
    assert (copy["decided"], [each["starts_at"][:10] for each in copy["sessions"]]) == (
        "draft",
        ["2027-03-04", "2027-03-11"],
    )
    answer = clerk.post(f"/staff/course-runs/{run.key}/copy", json={"first_on": "2027-03-04"})
    assert faults(answer, 409, "teacher_taken") == ["evenings.0"]


def test_of_many_copies_each_stands_by_itself(clerk: Phone, town: Town) -> None:
    first, second, theirs = town.a_run(), town.a_run(), town.a_run(community=town.wangjiang)
    items = [
        {"run": first.key, "first_on": "2027-03-04"},
        {"run": theirs.key, "first_on": "2027-03-04"},
        {"run": second.key, "first_on": "2026-01-01"},
        {"run": second.key, "first_on": "2027-03-04"},
    ]
    sent = {"json": {"items": items}, "headers": {"Idempotency-Key": "copies"}}
    answer = told(clerk.post("/staff/course-runs/copies", **sent))
    assert (answer["done"], answer["refused"]) == (2, 2)
    assert [row["refusal"] and row["refusal"]["code"] for row in answer["items"]] == [
        None,
        "not_found",
        "invalid",
        None,
    ]
    assert [row["key"] for row in answer["items"]] == [first.key, theirs.key, second.key, second.key]
    assert told(clerk.post("/staff/course-runs/copies", **sent)) == answer
    with reading() as session:
        assert session.query(CourseRun).count() == 5


def bulk(clerk: Phone, act: str, *runs: CourseRun, **more: Any) -> list[str]:
    """The codes of what became of each."""
    sent = {"act": act, "keys": [run.key for run in runs], **more}
    rows = told(clerk.post("/staff/course-runs/bulk", json=sent))["items"]
    return [row["refusal"]["code"] if row["refusal"] else row["run"]["decided"] for row in rows]


def test_many_runs_are_published_taken_down_and_called_off_each_by_itself(
    clerk: Phone, door: Door, town: Town
) -> None:
    one, other = town.a_run(published=False), town.a_run(published=False)
    theirs = town.a_run(community=town.wangjiang, published=False)
    assert bulk(clerk, "submit", one) == ["in_review"]
    assert bulk(clerk, "publish", one, theirs, other) == ["published", "not_found", "published"]
    told(door.phone(town.resident).put(f"/course-runs/{one.key}/registration"))
    assert bulk(clerk, "unpublish", other, one) == ["draft", "run_has_learners"]
    assert bulk(clerk, "cancel", one, other, because="教室维修") == ["cancelled", "cancelled"]
    (mine,) = told(door.phone(town.resident).get("/me/registrations"))["items"]
    assert mine["state"] == "cancelled"
    assert town.now(theirs).published_at is None


def test_many_are_published_at_the_hour(clerk: Phone, town: Town) -> None:
    run = town.a_run(published=False)
    assert bulk(clerk, "publish", run, at_the_hour=True) == ["published"]
    assert town.now(run).published_at == datetime.fromisoformat("2026-11-21T09:00:00+08:00")


def test_where_courses_are_reviewed_many_are_too(clerk: Phone, door: Door, town: Town) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "courses_reviewed", "1")
    run = town.a_run(published=False)
    assert bulk(clerk, "publish", run) == ["review_needed"]
    assert bulk(door.phone(town.admin), "publish", run) == ["published"]


def test_calling_many_off_needs_a_reason_and_publishing_one_moment(clerk: Phone, town: Town) -> None:
    run = town.a_run()
    sent: dict[str, Any] = {"act": "cancel", "keys": [run.key]}
    assert faults(clerk.post("/staff/course-runs/bulk", json=sent), 409, "reason_needed") == ["because"]
    sent = {"act": "publish", "keys": [run.key], "at_the_hour": True, "at": FIRST_EVENING.isoformat()}
    the_problem(clerk.post("/staff/course-runs/bulk", json=sent), 409, "two_moments")


# --- too few for a class ------------------------------------------------------------------------------------------


def test_staff_decide_what_becomes_of_a_class_with_too_few(
    clerk: Phone, door: Door, town: Town, clock: StoppedClock
) -> None:
    runs = [town.a_run(title="摄影", starts_at=FIRST_EVENING) for _ in range(3)]
    into = town.a_run(title="摄影", starts_at=FIRST_EVENING + timedelta(weeks=1))
    for run, person in zip(runs, (town.resident, town.neighbour, town.guardian), strict=True):
        told(door.phone(person).put(f"/course-runs/{run.key}/registration"))
    clock.move_to(FIRST_EVENING - timedelta(hours=19))
    waiting = told(clerk.get("/staff/opening-decisions"))["items"]
    assert [(each["run"]["key"], each["minimum"], each["run"]["seats_taken"]) for each in waiting] == [
        (run.key, 8, 1) for run in runs
    ]
    why = {"because": "报名人数太少"}
    decisions: list[dict[str, Any]] = [
        {"decision": "run"},
        {"decision": "cancel"},
        {"decision": "merge", "into": into.key},
    ]
    answers = [
        told(clerk.put(f"/staff/course-runs/{run.key}/opening-decision", json={**decision, **why}))
        for run, decision in zip(runs, decisions, strict=True)
    ]
    assert [(answer["run"]["decided"], answer["told"]) for answer in answers] == [
        ("published", 0),
        ("cancelled", 1),
        ("cancelled", 1),
    ]
    assert told(clerk.get("/staff/opening-decisions"))["items"] == []
    assert town.states(into) == ["confirmed"]


def test_a_merger_names_the_run_and_it_is_the_offices_own(clerk: Phone, town: Town) -> None:
    run, theirs = town.a_run(title="摄影"), town.a_run(community=town.wangjiang)
    address = f"/staff/course-runs/{run.key}/opening-decision"
    sent = {"decision": "merge", "because": "人数不够"}
    assert faults(clerk.put(address, json=sent), 409, "merge_into_needed") == ["into"]
    assert faults(clerk.put(address, json={**sent, "into": theirs.key}), 409, "not_there") == ["into"]
    assert faults(clerk.put(address, json={"decision": "run"}), 422, "invalid") == ["because"]


# --- how seats are given, and activities --------------------------------------------------------------------------


def test_staff_say_how_the_seats_of_a_run_are_given(clerk: Phone, town: Town) -> None:
    room, before = a_room(town), course_of(town, title="摄影入门")
    sent = written(
        room,
        admission="draw",
        draws_at="2026-11-30T10:00:00+08:00",
        promotion="offer",
        seats_held=3,
        home_first_hours=0,
        min_to_open=5,
        after_course=before,
    )
    made = told(clerk.post("/staff/course-runs", json={**sent, "course": course_of(town)}), 201)
    assert {name: made[name] for name in sent if name != "evenings"} == {
        name: value for name, value in sent.items() if name != "evenings"
    }
    address = f"/staff/course-runs/{made['key']}"
    same = told(clerk.put(address, json=written(room)))
    assert (same["admission"], same["seats_held"], same["after_course"]) == ("draw", 3, before)
    changed = told(
        clerk.put(address, json=written(room, admission="first_come", draws_at=None, seats_held=5))
    )
    assert (changed["admission"], changed["draws_at"], changed["seats_held"]) == ("first_come", None, 5)


def test_a_run_gives_its_seats_as_its_community_does_unless_staff_say_otherwise(
    clerk: Phone, town: Town
) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "held_share", "0.1")
        set_policy(session, session.get_one(Region, town.wutong.id), "home_first_hours", "12")
    made = told(
        clerk.post("/staff/course-runs", json={**written(a_room(town)), "course": course_of(town)}), 201
    )
    assert (made["admission"], made["seats_held"], made["home_first_hours"]) == ("first_come", 2, 12)
    assert made["held_until"] == "2026-12-02T18:00:00+08:00"


def test_a_class_moved_forward_before_anybody_registered_takes_its_held_seats_along(
    clerk: Phone, town: Town
) -> None:
    room = a_room(town)
    sent = {**written(room, seats_held=2), "course": course_of(town)}
    made = told(clerk.post("/staff/course-runs", json=sent), 201)
    assert made["held_until"] == "2026-12-02T18:00:00+08:00"
    earlier = written(room, FIRST_EVENING - timedelta(weeks=1))
    changed = told(clerk.put(f"/staff/course-runs/{made['key']}", json=earlier))
    assert (changed["seats_held"], changed["held_until"]) == (2, "2026-11-25T18:00:00+08:00")


def test_a_held_seat_given_out_just_now_is_not_held_again_by_a_word_about_materials(
    clerk: Phone, town: Town, app: Flask, engine_name: str
) -> None:
    """What staff leave out is as it stands when their turn comes."""
    room = a_room(town)
    sent = {**written(room, seats_held=2), "course": course_of(town)}
    made = told(clerk.post("/staff/course-runs", json=sent), 201)
    address, corrected = f"/staff/course-runs/{made['key']}", written(room, materials="带笔")
    with transaction() as session:
        run = session.scalars(select(CourseRun).where(CourseRun.key == made["key"])).one()
        hold_seats(session, run, 1)
        correcting, answers = meanwhile(app, lambda: told(clerk.put(address, json=corrected)))
        if engine_name == "postgresql":  # on SQLite whoever writes waits for its turn
            until_somebody_waits_for_a_lock()
    correcting.join(30)
    assert [(answer["materials"], answer["seats_held"]) for answer in answers] == [("带笔", 1)]  # type: ignore[index]


def test_of_a_run_everybody_sees_how_seats_are_given_stays(clerk: Phone, town: Town) -> None:
    room = a_room(town)
    made = told(clerk.post("/staff/course-runs", json={**written(room), "course": course_of(town)}), 201)
    address = f"/staff/course-runs/{made['key']}"
    told(clerk.put(f"{address}/publication", json={}))
    drawn = written(room, admission="draw", draws_at="2026-11-30T10:00:00+08:00")
    the_problem(clerk.put(address, json=drawn), 409, "admission_fixed")
    assert told(clerk.put(address, json=written(room, seats_held=1)))["seats_held"] == 1
    told(clerk.delete(f"{address}/publication"))
    assert told(clerk.put(address, json=drawn))["admission"] == "draw"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"admission": "draw"}, "draws_at"),
        ({"draws_at": "2026-11-30T10:00:00+08:00"}, "draws_at"),
        ({"admission": "luck"}, "admission"),
        ({"seats_held": 21}, "seats_held"),
        ({"min_to_open": 21}, "min_to_open"),
        ({"most_companions": 21}, "most_companions"),
    ],
)
def test_every_fault_of_how_seats_are_given_is_named(
    clerk: Phone, town: Town, changes: dict[str, Any], field: str
) -> None:
    sent = {**written(a_room(town), **changes), "course": course_of(town)}
    assert faults(clerk.post("/staff/course-runs", json=sent), 422, "invalid") == [field]


def an_activity(clerk: Phone, town: Town) -> str:
    """The key of an activity of 梧桐里."""
    sent = {"community": town.wutong.key, "title": "包粽子", "category": "节日", "kind": "activity"}
    key: str = told(clerk.post("/staff/courses", json=sent), 201)["key"]
    return key


def test_an_activity_is_held_once_and_has_words_of_its_own(clerk: Phone, door: Door, town: Town) -> None:
    activity, room = an_activity(clerk, town), a_room(town)
    twice = {**written(room, FIRST_EVENING, FIRST_EVENING + timedelta(weeks=1)), "course": activity}
    assert faults(clerk.post("/staff/course-runs", json=twice), 422, "invalid") == ["evenings"]
    sent = {**written(room, most_companions=2, materials="围裙"), "course": activity}
    made = told(clerk.post("/staff/course-runs", json=sent), 201)
    told(clerk.put(f"/staff/course-runs/{made['key']}/publication", json={}))
    town.a_run()
    (shown,) = told(door.phone().get("/course-runs?kind=activity"))["items"]
    assert (shown["key"], shown["kind"]) == (made["key"], "activity")
    assert shown["words"] == {
        "kind": "活动",
        "place": "集合地点",
        "starts": "集合时间",
        "teacher": "负责人",
    }
    sheet = clerk.post(
        f"/staff/course-runs/{made['key']}/sheets", json={"kind": "sign_in", "purpose": "现场签到"}
    )
    cells = [cell.value for row in load_workbook(BytesIO(sheet.data)).worksheets[0] for cell in row]
    assert "负责人签字：______________" in cells
    calendar = door.phone().get(f"/course-runs/{made['key']}/calendar").text
    assert f"DESCRIPTION:负责人：{shown['teacher']}" in calendar
    (course,) = told(door.phone().get("/course-runs?kind=course"))["items"]
    assert course["words"]["place"] == "上课地点"
    page = door.app.test_client().get(f"/days/{town.wutong.key}/2026-11-20").text
    assert "集合地点：" in page
    assert "可带 2 人" in page


def test_who_comes_to_an_activity_reads_of_an_activity(
    clerk: Phone, door: Door, town: Town, clock: StoppedClock
) -> None:
    sent = {**written(a_room(town)), "course": an_activity(clerk, town)}
    made = told(clerk.post("/staff/course-runs", json=sent), 201)
    told(clerk.put(f"/staff/course-runs/{made['key']}/publication", json={}))
    told(door.phone(town.resident).put(f"/course-runs/{made['key']}/registration"))
    clock.move_to(FIRST_EVENING - timedelta(hours=1))
    with door.app.app_context():
        remind(FIRST_EVENING - timedelta(hours=1))
    told(clerk.put(f"/staff/course-runs/{made['key']}/cancellation", json={"because": "下雨"}))
    titles = [each["title"] for each in told(door.phone(town.resident).get("/me/notices"))["items"]]
    assert titles[:2] == ["活动已取消", "活动马上开始"]


def test_what_something_is_is_said_once(clerk: Phone, town: Town) -> None:
    an_activity(clerk, town)
    sent = {"community": town.wutong.key, "title": "包粽子", "category": "节日"}
    assert told(clerk.post("/staff/courses", json=sent), 201)["kind"] == "activity"
    body = the_problem(clerk.post("/staff/courses", json={**sent, "kind": "course"}), 409, "kind_differs")
    assert body["detail"] == "这里已经有一个叫“包粽子”的活动，请换一个名称"
    assert body["errors"][0]["field"] == "title"
