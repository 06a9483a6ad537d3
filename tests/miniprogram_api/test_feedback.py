"""How a class was: from whoever was there, once, changeable for a while, and nobody's name beside it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.content_checks import CheckState, ContentCheck, Decision, checks_within, decide
from models.courses import Attendance, AttendanceState, CourseRun, Feedback
from models.courses.attendance import RecordedHow
from models.departures import begin_closure
from tests.people import Person, Town
from tests.phones import Door, Phone, the_problem, told
from tests.sandbox import CHECK_TEXT


@pytest.fixture
def over(door: Door, town: Town, clock: StoppedClock) -> CourseRun:
    """A class of two evenings that is over; the resident and the neighbour had seats."""
    run = town.a_run(evenings=2, capacity=20)
    for person in (town.resident, town.neighbour):
        person.tap(run)
    clock.move_to(run.ends_at + timedelta(minutes=1))
    return town.now(run)


@pytest.fixture
def phone(door: Door, town: Town, over: CourseRun) -> Phone:
    """The resident's own, just opened."""
    door.sandbox.login_code(town.resident.openid)
    return door.phone(town.resident)


def rate(phone: Phone, run: CourseRun, stars: int, text: str | None = None, whom: str = "") -> Any:
    sent: dict[str, Any] = {"stars": stars} | ({} if text is None else {"text": text})
    return phone.put(f"/course-runs/{run.key}/feedback{whom}", json=sent)


def come(town: Town, run: CourseRun, person: Person, state: AttendanceState) -> None:
    (mine,) = [one for one in town.registrations(run) if one.resident_id == person.resident_id]
    with transaction() as session:
        session.add(
            Attendance(
                session_id=run.sessions[0].id,
                registration_id=mine.id,
                state=state,
                how=RecordedHow.PAPER,
                at=town_clock.now(),
            )
        )


def test_who_was_there_says_how_it_was_and_may_say_it_differently(phone: Phone, over: CourseRun) -> None:
    the_problem(phone.get(f"/course-runs/{over.key}/feedback"), 404, "not_rated")
    told(rate(phone, over, 4, "老师很耐心"))
    assert told(rate(phone, over, 5, "老师很耐心"))["stars"] == 5
    said = told(phone.get(f"/course-runs/{over.key}/feedback"))
    assert (said["stars"], said["text"]) == (5, "老师很耐心")
    with reading() as session:
        assert len(session.scalars(select(Feedback)).all()) == 1


def test_nothing_is_said_before_the_last_evening_is_over(door: Door, town: Town, clock: StoppedClock) -> None:
    run = town.a_run(evenings=2)
    town.resident.tap(run)
    clock.move_to(run.ends_at - timedelta(minutes=1))
    the_problem(rate(door.phone(town.resident), run, 5), 409, "feedback_too_early")


def test_only_from_a_seat(door: Door, town: Town, clock: StoppedClock) -> None:
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    town.neighbour.tap(run)
    clock.move_to(run.ends_at)
    for person in (town.neighbour, town.outsider):
        the_problem(rate(door.phone(person), run, 1), 404, "not_registered")


def test_where_anybody_was_recorded_only_who_came_says_something(
    door: Door, town: Town, over: CourseRun, phone: Phone
) -> None:
    come(town, over, town.resident, AttendanceState.ABSENT)
    the_problem(rate(phone, over, 1, "骗子平台"), 409, "not_attended")
    assert door.sandbox.calls(CHECK_TEXT) == 0
    come(town, over, town.neighbour, AttendanceState.LATE)
    told(rate(door.phone(town.neighbour), over, 5))


def test_after_fourteen_days_it_stays_or_goes(
    door: Door, town: Town, over: CourseRun, clock: StoppedClock, phone: Phone
) -> None:
    told(rate(phone, over, 4))
    clock.move_to(town_clock.now() + timedelta(days=14))
    told(rate(phone, over, 4))
    the_problem(rate(phone, over, 5), 409, "feedback_closed")
    for _ in range(2):
        assert phone.delete(f"/course-runs/{over.key}/feedback").status_code == 204
    the_problem(phone.get(f"/course-runs/{over.key}/feedback"), 404, "not_rated")


def test_risky_words_are_refused_and_doubtful_ones_go_when_a_clerk_says_so(
    town: Town, over: CourseRun, phone: Phone
) -> None:
    the_problem(rate(phone, over, 1, "赌博平台"), 422, "content_risky")
    told(rate(phone, over, 5, "加我微信"))
    with transaction() as session:
        (check,) = checks_within(session, [town.wutong], state=CheckState.WAITING, after_id=None, most=10)
        decide(session, check, Decision.REJECT, by=town.clerk.member(session), reason="请勿留联系方式")
    said = told(phone.get(f"/course-runs/{over.key}/feedback"))
    assert (said["stars"], said["text"]) == (5, None)


def test_words_taken_back_need_no_look(town: Town, over: CourseRun, phone: Phone) -> None:
    told(rate(phone, over, 5, "加我微信"))
    told(rate(phone, over, 5))
    with reading() as session:
        assert session.scalars(select(ContentCheck.state)).all() == [CheckState.DROPPED]


def test_the_average_is_public_from_five_on(door: Door, town: Town, clock: StoppedClock) -> None:
    run, people = town.a_run(), town.people(5)
    for person in people:
        person.tap(run)
    clock.move_to(run.ends_at)
    for person, stars in zip(people, (5, 4, 5, 5), strict=False):
        told(rate(door.phone(person), run, stars))
    path = f"/course-runs/{run.key}/rating"
    assert told(door.phone().get(path)) == {"run": run.key, "ratings": None, "average": None}
    told(rate(door.phone(people[4]), run, 4))
    assert told(door.phone().get(path)) == {"run": run.key, "ratings": 5, "average": 4.6}


def test_staff_read_the_words_and_no_names(door: Door, town: Town, over: CourseRun, phone: Phone) -> None:
    told(rate(phone, over, 4, "老师很耐心"))
    path = f"/staff/course-runs/{over.key}/feedback"
    answer = door.phone(town.clerk).get(path)
    shown = told(answer)
    assert [(one["stars"], one["text"]) for one in shown["items"]] == [(4, "老师很耐心")]
    assert (shown["ratings"], shown["average"]) == (1, 4.0)
    assert town.resident.name not in answer.text
    assert town.resident.key not in answer.text
    the_problem(door.phone(town.street_officer).get(path), 404, "not_found")


def test_a_guardian_speaks_for_the_child(door: Door, town: Town, clock: StoppedClock) -> None:
    run, whom = town.a_run(), f"?for={town.child.key}"
    town.guardian.tap(run, for_whom=town.child)
    clock.move_to(run.ends_at)
    told(rate(door.phone(town.guardian), run, 5, whom=whom))
    the_problem(rate(door.phone(town.guardian), run, 5), 404, "not_registered")
    the_problem(rate(door.phone(town.resident), run, 5, whom=whom), 404, "no_bond")


def test_it_is_in_the_copy_and_the_words_go_with_the_person(
    town: Town, over: CourseRun, phone: Phone
) -> None:
    told(rate(phone, over, 4, "老师很耐心"))
    (held,) = told(phone.get("/me/copy"))["oneself"]["registrations"]
    assert held["feedback"]["text"] == "老师很耐心"
    assert "评价课程" in [line["act_label"] for line in held["history"]]
    with transaction() as session:
        begin_closure(session, town.resident.account(session))
    with reading() as session:
        (left,) = session.scalars(select(Feedback))
        assert (left.stars, left.words) == (4, None)


def test_stars_are_one_to_five(phone: Phone, over: CourseRun) -> None:
    for stars in (0, 6):
        the_problem(rate(phone, over, stars), 422, "invalid")
    with pytest.raises(Exception, match="one_to_five"), transaction() as session:
        session.add(Feedback(registration_id=1, stars=9))
    with transaction() as session:
        session.execute(update(Feedback).values(words=None))
