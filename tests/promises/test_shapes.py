"""What leaves the house: no shape has a private field, lists cost the same for one row and for fifty."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from enum import Enum
from typing import Any

import pytest
from flask import Flask
from marshmallow import Schema, fields
from sqlalchemy import event, update

from miniprogram_api import DOORS, schemas
from miniprogram_api.schemas.fields import Phone as PhoneField
from miniprogram_api.schemas.fields import Shape, masked_phone
from models import clock as town_clock
from models.base import db, transaction
from models.clock import StoppedClock
from models.courses import CourseRun, CourseSession, complete_run, give_feedback
from models.courses.attendance import AttendanceState, Mark, Recorder, appeal, mark_sheet
from models.courses.pauses import Pause
from models.notices import Delivery, Notice
from models.regions import RegionKind, plant
from models.residents import BondKind
from server.jobs.ladder import send_short_messages
from tests.people import FIRST_EVENING, Person, Town, a_bond, a_person_without_phone
from tests.phones import Door, Phone, told
from tests.streets import a_department, assigns, converted, meets
from tests.wishes import somebody

PRIVATE = re.compile(
    r"openid|unionid|session_key|fingerprint|secret|password|account_id|invitation|_id$|^id$"
)
# how the shapes of what is sent are named
TAKEN = ("In", "Query", "ForWhom", "WithWhom")
# what no field takes, and what only some of them do
WRONG: tuple[Any, ...] = (
    None, True, 1.5, -1, 10**30, float("nan"), "", " ", "x", "0", "2026-12-03 18:00", "2026-12-03T18:00:00",
    "2026-02-30", "24:61", "\ud800", "\x00", "很长" * 5000, [], [None], {}, {"x": 1}, {"": {}},
)  # fmt: skip
# what shows a number with its middle struck out
MASKED = {"MeOut", "EnteredResidentOut", "CounterResidentOut"}
# two words of English in a row; a name to choose from stands alone
ENGLISH = re.compile(r"[A-Za-z']+ [A-Za-z']+")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# tables of labels that name some members alone, and why
SOME_ONLY = {"ladder.REASON_LABELS": "of the ends of a short message, those that lead to a call"}
# a field may be named like something private and be none
FINE = {
    ("PromptOut", "template_id"): "WeChat's public name of a template",
    ("ProblemOut", "request_id"): "a name for the log",
    ("ClosurePlanOut", "fingerprint"): "it names the plan staff looked at, and nobody",
}
# who may see a whole phone number, and why
WHOLE_PHONES = {
    "RosterLineOut": "the clerk must be able to call",
    "CallOut": "somebody is asked to call it",
    "CopiedProfileOut": "the copy of one's own data, for oneself and the child one guards",
    "FetcherOut": "staff call whoever does not come for a child",
    "StaffWishOut": "whoever reviews a wish asks back",
    "ContactsOut": "the lead of a claim calls who wished, who agreed to it",
    "MyWishWithStepsOut": "the number of the community's own office",
    "StandingOut": "the number of the office of the community or the street",
    "PartnerOut": "the office calls the unit it works with",
    "PartnerContactOut": "so does the office of a place the unit is paired with",
    "PlaceOut": "the public number of a service station",
    "SiteOfRoom": "the same",
    "SiteBrief": "the same",
    "SiteOut": "the same",
}


def shapes() -> list[type[Schema]]:
    """Every shape of every module of shapes."""
    found = {
        shape
        for module in pkgutil.walk_packages(schemas.__path__, f"{schemas.__name__}.")
        for shape in vars(importlib.import_module(module.name)).values()
        if isinstance(shape, type) and issubclass(shape, Shape) and shape is not Shape
    }
    return sorted(found, key=lambda shape: shape.__name__)


def outputs() -> list[type[Schema]]:
    return [shape for shape in shapes() if not shape.__name__.endswith(TAKEN)]


def inputs() -> list[type[Schema]]:
    return [shape for shape in shapes() if shape.__name__.endswith(TAKEN)]


@pytest.mark.parametrize("shape", outputs(), ids=lambda shape: shape.__name__)
def test_no_shape_that_leaves_the_house_has_a_private_field(shape: type[Schema]) -> None:
    for name, field in shape().fields.items():
        if (shape.__name__, name) in FINE:
            continue
        said = (name, field.data_key or "", (field.attribute or "").rpartition(".")[2])
        assert not any(PRIVATE.search(word) for word in said), (
            f"{shape.__name__}.{name} would leave the house: take it out, or say in FINE why it is not private"
        )


@pytest.mark.parametrize("shape", outputs(), ids=lambda shape: shape.__name__)
def test_whole_phone_numbers_leave_only_where_it_is_somebodys_duty(shape: type[Schema]) -> None:
    has_phone = any(
        isinstance(field, PhoneField) or (field.attribute or name).rpartition(".")[2] == "phone"
        for name, field in shape().fields.items()
    )
    assert not has_phone or shape.__name__ in WHOLE_PHONES or shape.__name__ in MASKED, (
        "mask the number (masked_phone), or say in WHOLE_PHONES whose duty needs it whole"
    )


def labels() -> dict[str, Mapping[Enum, str]]:
    """Every table of what the members of an enum are called, by its name."""
    return {
        f"{module.name.rpartition('.')[2]}.{name}": table
        for module in pkgutil.walk_packages(schemas.__path__, f"{schemas.__name__}.")
        for name, table in vars(importlib.import_module(module.name)).items()
        if "LABELS" in name and all(isinstance(each, Enum) for each in table)
    }


def test_whatever_has_a_name_for_people_has_one_in_every_state() -> None:
    found = labels()
    assert len(found) > 5
    for name, table in found.items():
        nameless = set(type(next(iter(table)))) - set(table)
        assert not nameless or name in SOME_ONLY, f"say in {name} what these are called: {nameless}"
        assert all(CHINESE.search(label) for label in table.values()), name


def sentences(said: Any) -> Iterator[str]:
    """Every message of what marshmallow found, however deep."""
    if isinstance(said, dict):
        for below in said.values():
            yield from sentences(below)
    else:
        yield from said if isinstance(said, list) else [said]


@pytest.mark.parametrize("shape", inputs(), ids=lambda shape: shape.__name__)
def test_whatever_is_wrong_with_a_field_is_said_in_chinese(shape: type[Schema]) -> None:
    rules = shape()
    sent: list[Any] = [*WRONG, {"nobody_knows": 1}]
    sent += [{field.data_key or name: value} for name, field in rules.fields.items() for value in WRONG]
    for each in sent:
        for sentence in sentences(rules.validate(each)):
            assert CHINESE.search(sentence), (each, sentence)
            assert not ENGLISH.search(sentence), (each, sentence)


def test_oneself_sees_a_masked_number(door: Door, town: Town) -> None:
    assert told(door.phone(town.resident).get("/me"))["phone"] == masked_phone("13900000001")
    for number in ("13812345678", "01088886666", "+85261234567", "123"):
        assert number[3:-2] not in str(masked_phone(number)) or len(number) < 6


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: shape.__name__)
def test_every_shape_lists_its_fields_by_hand_and_says_what_it_is(shape: type[Schema]) -> None:
    assert shape.__doc__
    assert shape.__doc__ != Shape.__doc__
    assert shape().unknown == "raise"
    assert not getattr(shape, "_declared_fields", {}).get("*")
    assert all(
        not isinstance(field, fields.Raw) or type(field) is not fields.Raw
        for field in shape().fields.values()
    )


def test_every_door_is_hung() -> None:
    assert len({door.name for door in DOORS}) == len(DOORS)


# --- what a list costs --------------------------------------------------------------------------------------------


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """Every statement sent to the database meanwhile."""
    sent: list[str] = []

    def note(*args: object) -> None:
        sent.append(str(args[2]))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def many_runs(town: Town, how_many: int) -> None:
    for _ in range(how_many):
        town.resident.tap(town.a_run(evenings=3))


def cost(door: Door, phone: Phone, path: str, *, items: int) -> int:
    with counted(door.app) as sent:
        assert len(told(phone.get(path))["items"]) == items
    return len(sent)


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("/course-runs?limit=50", None),
        ("/me/registrations?limit=50", "resident"),
        ("/me/notices?limit=50", "resident"),
        ("/staff/course-runs?limit=50", "clerk"),
        ("/staff/courses?limit=50", "clerk"),
    ],
)
def test_a_list_costs_the_same_for_one_row_and_for_fifty(
    door: Door, town: Town, path: str, who: str | None
) -> None:
    phone = door.phone(getattr(town, who) if who else None)
    many_runs(town, 1)
    for_one = cost(door, phone, path, items=1)
    many_runs(town, 49)
    assert cost(door, phone, path, items=50) == for_one


def test_what_staff_decide_about_costs_the_same_for_one_row_and_for_fifty(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    """Appeals that wait, pauses that run, and classes too few registered for."""
    phone, lists = door.phone(town.clerk), ("absence-appeals", "pauses")
    first, later = town.a_run(capacity=60), town.a_run(capacity=60)
    one, *many = town.people(50)

    def stay_away(people: list[Person], run: CourseRun) -> list[int]:
        clock.move_to(run.opens_at + timedelta(hours=2))
        for person in people:
            person.tap(run)
        clock.move_to(run.ends_at)
        lines = [Mark(each.key, AttendanceState.ABSENT) for each in town.registrations(run)]
        with transaction() as session:
            meeting = session.get_one(CourseSession, run.sessions[0].id)
            mark_sheet(session, meeting, lines, may_correct=False, by=Recorder())
            for person in people:
                appeal(session, meeting, person.resident(session), "那天孩子发烧", by=Recorder())
                until = town_clock.now() + timedelta(days=30)
                session.add(Pause(resident_id=person.resident_id, until=until))
        so_far = 1 if run is first else 50
        return [cost(door, phone, f"/staff/{each}?limit=50", items=so_far) for each in lists]

    assert stay_away([one], first) == stay_away(many, later)


def test_classes_with_too_few_cost_the_same_for_one_and_for_many(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    phone, tomorrow = door.phone(town.clerk), town_clock.now() + timedelta(hours=20)
    town.a_run(starts_at=tomorrow)
    for_one = cost(door, phone, "/staff/opening-decisions", items=1)
    for _ in range(19):
        town.a_run(starts_at=tomorrow)
    assert cost(door, phone, "/staff/opening-decisions", items=20) == for_one


def test_a_roster_costs_the_same_for_one_row_and_for_fifty(door: Door, town: Town) -> None:
    run = town.a_run(capacity=100)
    path = f"/staff/course-runs/{run.key}/registrations?limit=200"
    phone = door.phone(town.clerk)
    town.resident.tap(run)
    for_one = cost(door, phone, path, items=1)
    for person in town.people(49):
        person.tap(run)
    assert cost(door, phone, path, items=50) == for_one


@pytest.mark.parametrize("noun", ["answers", "feedback", "certificates"])
def test_what_is_kept_of_a_finished_class_costs_the_same_for_one_row_and_for_fifty(
    door: Door, town: Town, clock: StoppedClock, noun: str
) -> None:
    phone = door.phone(town.clerk)

    def shown(how_many: int) -> int:
        run, people = town.a_run(capacity=100), town.people(how_many)
        for person in people:
            person.tap(run)
        clock.move_to(run.ends_at)
        with transaction() as session:
            mine = session.get_one(CourseRun, run.id)
            for person in people:
                give_feedback(
                    session, mine, person.resident(session), stars=5, words="好", by_account_id=None
                )
            complete_run(session, mine, by_their_word=True)
        page = "" if noun == "certificates" else "?limit=200"
        path = f"/staff/course-runs/{run.key}/{noun}{page}"
        spent = cost(door, phone, path, items=how_many)
        clock.move_to(run.opens_at + timedelta(hours=3))
        return spent

    assert shown(1) == shown(50)


def test_what_did_not_arrive_costs_the_same_for_one_row_and_for_fifty(door: Door, town: Town) -> None:
    run, phone = town.a_run(capacity=100), door.phone(town.clerk)

    def shown(items: int) -> int:
        with transaction() as session:
            session.execute(update(Notice).values(delivery=Delivery.UNKNOWN, settled_at=town_clock.now()))
        return cost(door, phone, "/staff/notices?limit=50", items=items)

    town.resident.tap(run)
    for_one = shown(1)
    for person in town.people(49):
        person.tap(run)
    assert shown(50) == for_one


def test_the_call_list_costs_the_same_for_one_row_and_for_fifty(door: Door, town: Town) -> None:
    phone = door.phone(town.clerk)

    def called(how_many: int) -> None:
        with transaction() as session:
            elders = [a_person_without_phone(session, town.wutong) for _ in range(how_many)]
            for elder in elders:
                a_bond(session, town.helper, elder)
        run = town.a_run(capacity=60)
        for elder in elders:
            town.helper.tap(run, for_whom=elder)
        with door.app.app_context():
            send_short_messages(town_clock.now())

    called(1)
    for_one = cost(door, phone, "/staff/calls?limit=50", items=1)
    called(49)
    assert cost(door, phone, "/staff/calls?limit=50", items=50) == for_one


def test_the_meetings_of_a_unit_cost_the_same_for_one_and_for_fifty(door: Door, town: Town) -> None:
    department = a_department(town.east_street)
    phone = door.phone(department)

    def planned(how_many: int) -> None:
        for _ in range(how_many):
            order = converted(town, somebody(town))
            meets(town, orders=[order], title=f"第{order.number}次会议")
            assigns(town, order, department)

    planned(1)
    for_one = cost(door, phone, "/partner/joint-meetings?limit=50", items=1)
    planned(9)
    assert cost(door, phone, "/partner/joint-meetings?limit=50", items=10) == for_one


def test_the_places_cost_the_same_however_many_there_are(door: Door, town: Town) -> None:
    phone = door.phone()
    for_five = cost(door, phone, "/regions", items=5)
    plant_more()
    assert cost(door, phone, "/regions", items=45) == for_five


def plant_more() -> None:
    with transaction() as session:
        for n in range(40):
            plant(session, kind=RegionKind.CITY, code=f"city-{n}", name=f"第{n}市")


def test_oneself_costs_the_same_for_one_ward_and_for_many(door: Door, town: Town) -> None:
    phone = door.phone(town.helper)

    def ask() -> int:
        with counted(door.app) as sent:
            told(phone.get("/me"))
        return len(sent)

    for_one = ask()
    with transaction() as session:
        for n in range(20):
            ward = a_person_without_phone(session, town.wutong, name=f"邻居{n}")
            a_bond(session, town.helper, ward, kind=BondKind.GRID_HELPER)
    assert ask() == for_one


def test_a_sheet_and_ones_own_attendance_cost_the_same_for_one_row_and_for_fifty(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    run = town.a_run(capacity=60)
    sheet = f"/staff/course-sessions/{run.sessions[0].key}/attendance"
    clerk, helper = door.phone(town.clerk), door.phone(town.helper)

    def registered(how_many: int) -> None:
        clock.move_to(run.opens_at + timedelta(hours=3))
        with transaction() as session:
            elders = [a_person_without_phone(session, town.wutong) for _ in range(how_many)]
            for elder in elders:
                a_bond(session, town.helper, elder)
        for elder in elders:
            town.helper.tap(run, for_whom=elder)
        clock.move_to(FIRST_EVENING)
        rows = [{"registration": one.key, "state": "absent"} for one in town.registrations(run)]
        told(clerk.put(sheet, json={"rows": rows}))

    registered(1)
    for_one = cost(door, clerk, sheet, items=1), cost(door, helper, "/me/attendance?limit=50", items=1)
    registered(49)
    assert cost(door, clerk, sheet, items=50) == for_one[0]
    assert cost(door, helper, "/me/attendance?limit=50", items=50) == for_one[1]
