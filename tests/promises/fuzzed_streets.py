"""What a fuzzer needs to know of the street: for each operation an item or a meeting that stands where it can be done, and to whom it may be given."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.base import reading, transaction
from models.credit_codes import check_sign
from models.issue_orders import (
    IssueOrder,
    MeetingPlan,
    assign_order,
    convert_wish,
    plan_meeting,
    unit_to_assign,
)
from models.partners import Partner, PartnerKind, PartnerState, pair
from models.regions import Region
from models.staff import Role, grant
from models.wishes import Wish, make_wish
from tests.people import Town
from tests.promises.fuzzed_partners import MANY
from tests.streets import LIGHT, LIGHT_CARD, a_department
from tests.wishes import by_resident, by_staff

_OF_THE_STREET = ("/issue-orders/{key}", "/joint-meetings/{key}", "/departments/{key}", "/conversion")


def a_street(town: Town) -> None:
    """A department to which the street may give something, and something that waits; the clerk works for the street, too."""
    with transaction() as session:
        street = session.get_one(Region, town.east_street.id)
        grant(session, town.clerk.member(session), Role.STREET_OFFICER, street)
    a_department(town.east_street, name="东街街道市政所")
    for _ in range(4):
        _an_order(town)


def is_about_the_street(label: str) -> bool:
    """Whether an operation's address holds the key of what lies with the street, or is to."""
    return any(part in label for part in _OF_THE_STREET)


def a_streets_key(label: str, town: Town, chance: random.Random) -> str:
    """Something of the sort an operation is about, made for it."""
    if "/departments/" in label:
        return _department(town)
    if "/joint-meetings/" in label:
        if "/partner/" in label:
            _is_called(town)
        return _a_meeting(town, chance)
    if label.endswith("/conversion"):
        with transaction() as session:
            return _a_wish(session, town).key
    key = _an_order(town)
    if label.endswith("/recall"):
        until, department = clock.today() + timedelta(days=9), _department(town)
        with transaction() as session:
            order = session.scalars(select(IssueOrder).where(IssueOrder.key == key)).one()
            unit = unit_to_assign(session, department, order)
            assign_order(session, order, unit, until, by=by_staff(town.street_officer))
    return key


def fill_street(body: dict[str, Any], label: str, town: Town, chance: random.Random) -> None:
    """A day and an hour that are to come, a department with papers that fit, items that are there, and figures of days that have been."""
    if label.endswith("/assignment"):
        body |= {
            "partner": _department(town),
            "until": (clock.today() + timedelta(days=9)).isoformat(),
        }
    if label.endswith("/recall"):
        body.pop("claim", None)
    if label.endswith("/conversion"):
        body["photos"] = []
    if label == "POST /api/v1/staff/wish-sheets":
        body |= {"region": town.wutong.key, "first": clock.today().isoformat()}
    if label == "POST /api/v1/staff/departments":
        seventeen = f"91350100M{chance.randint(0, MANY):08}"
        body |= {"name": f"部门{seventeen}", "credit_code": seventeen + check_sign(seventeen)}
    if label.endswith(("/joint-meetings", "/joint-meetings/{key}")) and body:
        body["starts_at"] = (clock.now() + timedelta(days=chance.randint(2, 99))).isoformat()
        body.pop("orders", None)
    if "/departments" in label or "/joint-meetings" in label:
        _name_the_street(body, town)


def fill_streets_query(query: dict[str, Any], label: str, town: Town) -> None:
    """Of which street units are to be listed."""
    if label == "GET /api/v1/staff/departments":
        _name_the_street(query, town)


def _name_the_street(said: dict[str, Any], town: Town) -> None:
    if "region" in said:
        said["region"] = town.east_street.key


def _a_wish(session: Session, town: Town) -> Wish:
    words = replace(LIGHT, words=f"楼道灯坏了{clock.now().isoformat()}")
    return make_wish(session, town.neighbour.resident(session), words, by=by_resident(town.neighbour))


def _an_order(town: Town) -> str:
    with transaction() as session:
        return convert_wish(session, _a_wish(session, town), LIGHT_CARD, by=by_staff(town.clerk)).key


def _a_meeting(town: Town, chance: random.Random) -> str:
    with transaction() as session:
        plan = MeetingPlan("联席会议", clock.now() + timedelta(minutes=chance.randint(9999, 999999)), "三楼")
        street = session.get_one(Region, town.east_street.id)
        return plan_meeting(session, street, plan, by_account_id=None, identity="town").key


def _is_called(town: Town) -> None:
    """The unit that asks is one of the street's, whatever became of it on the way."""
    with transaction() as session:
        unit = session.get_one(Partner, town.partner_member.partner_id)
        unit.state = PartnerState.ACTIVE
        pair(session, unit, session.get_one(Region, town.wutong.id), by_account_id=None, identity="town")


def _department(town: Town) -> str:
    with reading() as session:
        return (
            session.scalars(
                select(Partner.key)
                .where(
                    Partner.kind == PartnerKind.DEPARTMENT,
                    Partner.region_id == town.east_street.id,
                    Partner.state == PartnerState.ACTIVE,
                )
                .order_by(Partner.id)
            ).first()
            or "a" * 16
        )
