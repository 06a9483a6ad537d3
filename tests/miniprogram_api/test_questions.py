"""Answering what a class asks, over the phone: checked like other words of residents, seen by its staff and nobody else."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from models.base import reading, transaction
from models.content_checks import ContentCheck, Decision, checks_within, decide
from models.content_checks.checks import CheckState
from models.courses import CourseRun, publish
from models.journal import JournalEntry
from tests.people import Person, Town, a_resident
from tests.phones import Door, Phone, the_problem, told
from tests.sandbox import CHECK_TEXT

FORM = [
    {"kind": "choice", "title": "围裙尺码", "choices": ["小号", "大号"], "required": True},
    {"kind": "text", "title": "想学什么"},
    {"kind": "number", "title": "学过几年", "least": 0, "most": 80},
    {"kind": "consent", "title": "愿意上合影"},
]


@pytest.fixture
def run(door: Door, town: Town) -> CourseRun:
    """A published run with a form."""
    draft = town.a_run(published=False)
    told(door.phone(town.clerk).put(f"/staff/course-runs/{draft.key}/questions", json={"questions": FORM}))
    with transaction() as session:
        publish(session, session.get_one(CourseRun, draft.id))
    return town.now(draft)


@pytest.fixture
def phone(door: Door, town: Town) -> Phone:
    """The resident's own, just opened."""
    door.sandbox.login_code(town.resident.openid)
    return door.phone(town.resident)


def form(door: Door, run: CourseRun) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = told(door.phone().get(f"/course-runs/{run.key}/questions"))["items"]
    return items


def put(door: Door, phone: Phone, run: CourseRun, *said: Any, whom: str = "") -> Any:
    sent = [
        {"question": question["key"], "answer": answer}
        for question, answer in zip(form(door, run), said, strict=False)
        if answer is not None
    ]
    return phone.put(f"/course-runs/{run.key}/answers{whom}", json={"answers": sent})


def test_the_form_is_there_for_everybody_before_the_tap(door: Door, run: CourseRun) -> None:
    assert told(door.phone().get(f"/course-runs/{run.key}"))["asks_questions"] is True
    shown = form(door, run)
    assert [(q["kind"], q["title"], q["required"]) for q in shown] == [
        ("choice", "围裙尺码", True),
        ("text", "想学什么", False),
        ("number", "学过几年", False),
        ("consent", "愿意上合影", False),
    ]


def test_the_tap_asks_for_what_is_open_and_takes_the_seat_afterwards(
    door: Door, run: CourseRun, phone: Phone
) -> None:
    problem = the_problem(phone.put(f"/course-runs/{run.key}/registration"), 409, "answers_needed")
    assert [q["title"] for q in problem["details"]["questions"]] == ["围裙尺码"]
    the_problem(phone.get(f"/course-runs/{run.key}/answers"), 404, "not_answered")
    given = told(put(door, phone, run, "小号", "包子", 3, False))
    assert [one["answer"] for one in given["answers"]] == ["小号", "包子", 3, False]
    assert told(phone.get(f"/course-runs/{run.key}/answers")) == given
    assert told(phone.put(f"/course-runs/{run.key}/registration"))["state"] == "confirmed"


def test_only_new_words_are_checked_and_risky_ones_are_refused(
    door: Door, run: CourseRun, phone: Phone
) -> None:
    for _ in range(2):
        told(put(door, phone, run, "小号", "包子"))
    told(put(door, phone, run, "大号", "包子"))
    assert door.sandbox.calls(CHECK_TEXT) == 1
    problem = the_problem(put(door, phone, run, "小号", "赌博平台"), 422, "content_risky")
    assert [fault["field"] for fault in problem["errors"]] == ["answer"]
    kept = told(phone.get(f"/course-runs/{run.key}/answers"))
    assert [one["answer"] for one in kept["answers"]] == ["大号", "包子"]


def test_a_doubtful_answer_goes_when_a_clerk_will_not_have_it(
    door: Door, town: Town, run: CourseRun, phone: Phone
) -> None:
    told(put(door, phone, run, "小号", "加我微信"))
    with transaction() as session:
        (check,) = checks_within(session, [town.wutong], state=CheckState.WAITING, after_id=None, most=10)
        decide(session, check, Decision.REJECT, by=town.clerk.member(session), reason="请勿留联系方式")
    left = told(phone.get(f"/course-runs/{run.key}/answers"))
    assert [one["answer"] for one in left["answers"]] == ["小号"]


def test_what_is_no_answer_asks_nobody(door: Door, run: CourseRun, phone: Phone) -> None:
    problem = the_problem(put(door, phone, run, "中号", "包子"), 409, "answers_unfit")
    assert len(problem["errors"]) == 1
    question = form(door, run)[0]["key"]
    twice = [{"question": question, "answer": "小号"}] * 2
    the_problem(phone.put(f"/course-runs/{run.key}/answers", json={"answers": twice}), 409, "answers_unfit")
    assert door.sandbox.calls(CHECK_TEXT) == 0
    with reading() as session:
        assert session.scalars(select(ContentCheck)).all() == []


def test_a_guardian_answers_for_the_child(door: Door, town: Town, run: CourseRun) -> None:
    phone, whom = door.phone(town.guardian), f"?for={town.child.key}"
    told(put(door, phone, run, "小号", whom=whom))
    assert told(phone.put(f"/course-runs/{run.key}/registration{whom}"))["state"] == "confirmed"
    the_problem(phone.get(f"/course-runs/{run.key}/answers"), 404, "not_answered")
    the_problem(door.phone(town.neighbour).get(f"/course-runs/{run.key}/answers{whom}"), 404, "no_bond")


def test_only_the_staff_of_the_run_read_answers_and_of_those_with_a_place(
    door: Door, town: Town, run: CourseRun, phone: Phone
) -> None:
    told(put(door, phone, run, "小号", "包子", 3, True))
    clerk, path = door.phone(town.clerk), f"/staff/course-runs/{run.key}/answers"
    assert told(clerk.get(path))["items"] == []
    told(phone.put(f"/course-runs/{run.key}/registration"))
    (line,) = told(clerk.get(path))["items"]
    assert line["name"] == town.resident.name
    assert [one["answer"] for one in line["answers"]] == ["小号", "包子", 3, True]
    the_problem(door.phone(town.grid_worker).get(path), 404, "not_found")
    with reading() as session:
        looks = session.scalars(
            select(JournalEntry).where(JournalEntry.act == "run_answers.looked_at").order_by(JournalEntry.id)
        ).all()
        assert [look.details for look in looks] == [{"lines": 0}, {"lines": 1}]


def test_staff_write_down_what_is_answered_at_the_counter(door: Door, town: Town, run: CourseRun) -> None:
    clerk, path = door.phone(town.clerk), f"/staff/course-runs/{run.key}/answers"
    question = form(door, run)[0]["key"]

    def sent(person: Person, by: Phone = clerk) -> Any:
        answer = {"question": question, "answer": "小号"}
        return by.put(f"{path}/{person.key}", json={"answers": [answer]})

    given = told(sent(town.resident))
    assert [one["answer"] for one in given["answers"]] == ["小号"]
    assert town.resident.tap(run).state == "confirmed"
    the_problem(sent(town.outsider), 404, "not_found")
    at_the_door = told(sent(town.neighbour, by=door.phone(town.grid_worker)))
    assert at_the_door["resident"] == town.neighbour.key
    with transaction() as session:
        stranger = a_resident(session, town.wutong, name="没同意", consents=False)
    the_problem(sent(stranger), 409, "consent_needed")


def test_answers_stand_on_the_roster_and_in_the_copy(
    door: Door, town: Town, run: CourseRun, phone: Phone
) -> None:
    told(put(door, phone, run, "小号", "=1+1", None, True))
    told(phone.put(f"/course-runs/{run.key}/registration"))
    sheet = {"kind": "roster", "purpose": "备料"}
    file = door.phone(town.clerk).post(f"/staff/course-runs/{run.key}/sheets", json=sheet)
    rows = list(openpyxl.load_workbook(BytesIO(file.data)).worksheets[0].iter_rows(values_only=True))
    assert rows[2][5:9] == ("围裙尺码", "想学什么", "学过几年", "愿意上合影")
    assert rows[3][5:9] == ("小号", "=1+1", None, "同意")
    copied = told(phone.get("/me/copy"))["oneself"]["answers"]
    assert [(one["title"], one["answer"]) for one in copied][:2] == [
        ("围裙尺码", "小号"),
        ("想学什么", "=1+1"),
    ]


def test_answers_are_taken_back(door: Door, run: CourseRun, phone: Phone) -> None:
    told(put(door, phone, run, "小号"))
    for _ in range(2):
        assert phone.delete(f"/course-runs/{run.key}/answers").status_code == 204
    the_problem(phone.get(f"/course-runs/{run.key}/answers"), 404, "not_answered")
