"""The desk as staff see it on the phone."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from models import clock
from models.base import transaction
from models.notices import Delivery, Notice
from tests.people import Town
from tests.phones import Door, the_problem, told


def numbers(shown: Any) -> dict[str, int]:
    return {item["name"]: item["number"] for item in shown["items"]}


def test_staff_see_what_waits_for_them_and_only_that(door: Door, town: Town) -> None:
    town.resident.tap(town.a_run())
    with transaction() as session:
        session.execute(update(Notice).values(delivery=Delivery.UNKNOWN, settled_at=clock.now()))
    assert numbers(told(door.phone(town.clerk).get("/staff/desk")))["dead_letters"] == 1
    assert "dead_letters" not in numbers(told(door.phone(town.grid_worker).get("/staff/desk")))
    for unfit in (town.resident, town.partner_member):
        the_problem(door.phone(unfit).get("/staff/desk"), 403, "identity_unfit")


def test_staff_are_asked_for_their_own_template(door: Door, town: Town) -> None:
    asked = told(door.phone(town.clerk).get("/message-grants/prompts?moment=staff_desk"))
    assert [(item["template"], item["title"]) for item in asked["items"]] == [("staff_desk", "待办事项提醒")]
