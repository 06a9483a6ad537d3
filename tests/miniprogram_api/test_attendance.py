"""On the day, over the API: the screen in the room, checking in, staff who scan, the sheet and the batch."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from miniprogram_api.pictures import PictureShelf
from miniprogram_api.rates import Rate, RateName, Rates
from miniprogram_api.scenes import forget_pictures
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import By, CourseRun, cancel_run
from models.scenes import SceneKind, live_scene
from tests.people import FIRST_EVENING, Person, Town, Worker
from tests.phones import Door, the_problem, told

MINUTE = timedelta(minutes=1)


@pytest.fixture
def run(town: Town, clock: StoppedClock) -> CourseRun:
    """A class this evening, in ten minutes, with the resident, the elder and the child in it."""
    run = town.a_run(title="团扇绘画")
    town.resident.tap(run)
    town.helper.tap(run, for_whom=town.elder)
    town.guardian.tap(run, for_whom=town.child)
    clock.move_to(FIRST_EVENING - 10 * MINUTE)
    return run


def evening(run: CourseRun) -> str:
    return f"/course-sessions/{run.sessions[0].key}"


def screen(door: Door, run: CourseRun, worker: Worker) -> str:
    """The address of the screen."""
    path: str = told(door.phone(worker).put(f"/staff{evening(run)}/screen"))["path"]
    return path


def page(door: Door, path: str) -> str:
    answer = door.app.test_client().get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def digits(door: Door, run: CourseRun, worker: Worker) -> str:
    """What somebody in the room reads from the screen."""
    found = re.search(r'class="digits"[^>]*>(\d{3}) (\d{3})<', page(door, screen(door, run, worker)))
    assert found is not None
    return found[1] + found[2]


def registration(town: Town, run: CourseRun, who: Person) -> str:
    return next(one.key for one in town.registrations(run) if one.resident_id == who.resident_id)


def test_what_the_screen_shows_checks_one_in(door: Door, town: Town, run: CourseRun) -> None:
    phone, address = door.phone(town.resident), f"{evening(run)}/check-in"
    before = told(phone.get(address))
    assert (before["state"], before["opens_at"], before["closes_at"]) == (
        None,
        "2026-12-03T17:30:00+08:00",
        "2026-12-03T18:15:00+08:00",
    )
    code = digits(door, run, town.clerk)
    after = told(phone.put(address, json={"code": code}))
    assert (after["state"], after["state_label"], after["at"]) == (
        "present",
        "到课",
        "2026-12-03T17:50:00+08:00",
    )
    assert told(phone.put(address, json={"code": code})) == after == told(phone.get(address))


def test_a_guardian_checks_the_child_in(door: Door, town: Town, run: CourseRun) -> None:
    address = f"{evening(run)}/check-in?for={town.child.key}"
    code = {"code": digits(door, run, town.clerk)}
    assert told(door.phone(town.guardian).put(address, json=code))["state"] == "present"
    the_problem(door.phone(town.neighbour).put(address, json=code), 404, "no_bond")
    the_problem(door.phone(town.guardian).put(f"{evening(run)}/check-in", json=code), 404, "not_registered")


def test_wrong_digits_are_refused_and_cannot_be_guessed_for_long(
    door: Door, town: Town, run: CourseRun
) -> None:
    right = digits(door, run, town.clerk)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    door.app.extensions["rates"] = Rates({RateName.CHECK_INS: Rate(3, 60)})
    try:
        phone = door.phone(town.resident)
        for _ in range(3):
            the_problem(phone.put(f"{evening(run)}/check-in", json={"code": wrong}), 409, "room_code_wrong")
        the_problem(phone.put(f"{evening(run)}/check-in", json={"code": right}), 429, "too_many_requests")
    finally:
        door.app.extensions["rates"] = Rates({})


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12a456", "１２３４５６"])
def test_digits_that_are_none_are_named(door: Door, town: Town, run: CourseRun, code: str) -> None:
    body = the_problem(
        door.phone(town.resident).put(f"{evening(run)}/check-in", json={"code": code}), 422, "invalid"
    )
    assert [fault["field"] for fault in body["errors"]] == ["code"]


def test_the_screen_shows_numbers_and_no_names_and_trusts_nobody_elses_house(
    door: Door, town: Town, run: CourseRun
) -> None:
    door.phone(town.resident).put(f"{evening(run)}/check-in", json={"code": digits(door, run, town.clerk)})
    answer = door.app.test_client().get(screen(door, run, town.clerk))
    assert "团扇绘画" in answer.text
    assert "已签到 <b>1</b> 人" in answer.text
    assert "<svg" in answer.text
    for name in ("陈静", "王奶奶", "李小雨"):
        assert name not in answer.text
    assert not re.findall(r"(?:src|href)=\"(?!/screens/)", answer.text)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    for part in ("screen.css", "screen.js"):
        assert door.app.test_client().get(f"/screens/{part}", buffered=True).status_code == 200


def test_the_screen_says_when_it_begins_and_when_it_is_over(
    door: Door, town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING - 60 * MINUTE)
    path = screen(door, run, town.clerk)
    assert "今天 17:30 开始签到" in page(door, path)
    clock.move_to(FIRST_EVENING + 20 * MINUTE)
    assert "请找现场的工作人员登记" in page(door, path)
    door.phone(town.clerk).put(f"/staff{evening(town.a_run(evenings=2))}/screen")


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (timedelta(hours=18, minutes=1), "明天 17:30"),  # a minute to midnight
        (timedelta(hours=18), "今天 17:30"),
        (timedelta(days=1, hours=18), "明天 17:30"),
        (timedelta(days=1, hours=18, minutes=1), "12月3日 周四 17:30"),
        (timedelta(days=7), "12月3日 周四 17:30"),
    ],
)
def test_the_screen_names_the_day_on_which_checking_in_begins(
    door: Door, town: Town, run: CourseRun, clock: StoppedClock, ahead: timedelta, said: str
) -> None:
    """E14: today is the town's, not the server's."""
    clock.move_to(FIRST_EVENING - ahead)
    assert f"{said} 开始签到" in page(door, screen(door, run, town.clerk))


def test_the_screen_of_a_class_that_was_cancelled_shows_no_code(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    run = town.a_run(evenings=2)
    clock.move_to(run.sessions[0].starts_at)
    path = screen(door, run, town.clerk)
    with door.app.app_context(), transaction() as session:
        cancel_run(session, session.get_one(CourseRun, run.id), by=By("老师生病"))
    shown = page(door, path)
    assert "这次课已取消" in shown
    assert 'class="digits"' not in shown


def test_a_screen_that_was_taken_back_shows_nothing(door: Door, town: Town, run: CourseRun) -> None:
    path = screen(door, run, town.clerk)
    assert door.phone(town.clerk).delete(f"/staff{evening(run)}/screen").status_code == 204
    answer = door.app.test_client().get(path)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "失效" in answer.text
    assert screen(door, run, town.clerk) != path


def test_the_address_of_a_screen_stands_in_no_log(
    door: Door, town: Town, run: CourseRun, capsys: pytest.CaptureFixture[str]
) -> None:
    path = screen(door, run, town.clerk)
    capsys.readouterr()
    page(door, path)
    logged = "".join(capsys.readouterr())
    assert path not in logged


def test_staff_scan_the_code_on_a_phone(door: Door, town: Town, run: CourseRun) -> None:
    mine = told(door.phone(town.helper).get(f"/me/check-in-code?for={town.elder.key}"))
    assert mine["resident"] == town.elder.key
    assert mine["until"] == "2026-12-03T17:55:00+08:00"
    path = f"/staff{evening(run)}/check-ins"
    line = told(door.phone(town.clerk).post(path, json={"code": mine["code"]}))
    assert (line["name"], line["state"], line["how"]) == ("王奶奶", "present", "staff_scan")
    again = told(door.phone(town.clerk).post(path, json={"code": mine["code"]}))
    assert again == line
    neighbours = told(door.phone(town.neighbour).get("/me/check-in-code"))
    the_problem(door.phone(town.clerk).post(path, json={"code": neighbours["code"]}), 404, "not_registered")
    the_problem(door.phone(town.grid_worker).post(path, json={"code": mine["code"]}), 404, "not_found")


def test_a_paper_list_is_entered_and_read_back(door: Door, town: Town, run: CourseRun) -> None:
    phone, path = door.phone(town.clerk), f"/staff{evening(run)}/attendance"
    rows = [
        {"registration": registration(town, run, town.resident), "state": "present"},
        {"registration": "a" * 16, "state": "absent"},
    ]
    answer = told(phone.put(path, json={"rows": rows}))
    assert [item["verdict"] for item in answer["items"]] == ["recorded", "not_of_this_session"]
    lines = told(phone.get(path))["items"]
    assert [(line["name"], line["state"]) for line in lines] == [
        ("陈静", "present"),
        ("王奶奶", None),
        ("李小雨", None),
    ]
    assert "phone" not in lines[0]


def test_after_the_day_a_clerk_sends_for_the_administrator(
    door: Door, town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.advance(days=1)
    path, key = f"/staff{evening(run)}/attendance", registration(town, run, town.resident)
    row = {"registration": key, "state": "present"}
    the_problem(door.phone(town.clerk).put(path, json={"rows": [row]}), 403, "sheet_closed")
    admin = door.phone(town.admin)
    assert told(admin.put(path, json={"rows": [row]}))["items"][0]["verdict"] == "because_needed"
    corrected = told(admin.put(path, json={"rows": [{**row, "because": "漏记了"}]}))["items"]
    assert corrected[0]["verdict"] == "recorded"
    assert told(admin.get(path))["items"][0]["because"] == "漏记了"


def test_a_batch_is_answered_item_by_item_and_may_be_sent_again(
    door: Door, town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING + timedelta(hours=3))
    path = f"/staff{evening(run)}/check-ins/batch"
    items = [
        {
            "event": "pad-1:1",
            "seen_at": "2026-12-03T17:58:00+08:00",
            "registration": registration(town, run, town.resident),
        },
        {"event": "pad-1:2", "seen_at": "2026-12-03T17:59:00+08:00", "registration": "a" * 16},
    ]
    first = told(door.phone(town.clerk).post(path, json={"items": items}))
    assert [item["verdict"] for item in first["items"]] == ["accepted", "not_of_this_session"]
    assert told(door.phone(town.clerk).post(path, json={"items": items})) == first
    both = {**items[0], "code": "a" * 16 + ".0000000000." + "0" * 20}
    the_problem(door.phone(town.clerk).post(path, json={"items": [both]}), 422, "invalid")


@pytest.mark.parametrize("seen_at", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"])
def test_a_moment_no_clock_can_show_is_named(door: Door, town: Town, run: CourseRun, seen_at: str) -> None:
    item = {"event": "1", "seen_at": seen_at, "registration": registration(town, run, town.resident)}
    path = f"/staff{evening(run)}/check-ins/batch"
    body = the_problem(door.phone(town.clerk).post(path, json={"items": [item]}), 422, "invalid")
    assert [fault["field"] for fault in body["errors"]] == ["items.0.seen_at"]


def test_leave_is_asked_for_and_taken_back(
    door: Door, town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING - timedelta(hours=3))
    phone, path = door.phone(town.guardian), f"{evening(run)}/leave?for={town.child.key}"
    asked = told(phone.put(path, json={"reason": "unwell"}))
    assert (asked["state"], asked["state_label"], asked["leave_until"]) == (
        "leave",
        "请假",
        "2026-12-03T16:00:00+08:00",
    )
    assert told(phone.put(path, json={}))["state"] == "leave"
    assert phone.delete(path).status_code == 204
    clock.advance(hours=1)
    body = the_problem(phone.put(path, json={}), 409, "leave_too_late")
    assert body["details"] == {"until": "2026-12-03T16:00:00+08:00"}


def test_the_printed_code_of_an_evening_leads_to_the_page_and_checks_nobody_in(
    door: Door, town: Town, run: CourseRun, tmp_path: Path
) -> None:
    door.app.extensions["code_images"] = PictureShelf(tmp_path)
    answer = door.phone().get(f"{evening(run)}/code")
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    with reading() as session:
        scene = live_scene(session, SceneKind.COURSE_SESSION, run.sessions[0].key)
    assert scene is not None
    assert told(door.phone().get(f"/scenes/{scene.key}")) == {
        "kind": "course_session",
        "page": "pages/courses/check-in",
        "query": f"key={run.sessions[0].key}",
    }
    assert told(door.phone(town.resident).get(f"{evening(run)}/check-in"))["state"] is None
    with door.app.app_context():
        shelf = door.app.extensions["code_images"]
        assert forget_pictures(shelf, since=FIRST_EVENING) == 0
        assert forget_pictures(shelf, since=FIRST_EVENING + timedelta(days=1)) == 1


def test_a_draft_has_no_code_for_its_evenings(door: Door, town: Town) -> None:
    draft = town.a_run(published=False)
    the_problem(door.phone().get(f"{evening(draft)}/code"), 404, "not_found")
