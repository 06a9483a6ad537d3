"""What a fuzzer needs to know of partner units and their agreements: papers that may be real, rooms and days that fit."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select

from models.agreements import (
    AgreementState,
    Block,
    Record,
    ServiceAgreement,
    ServiceDelivery,
    Terms,
    draft_agreement,
    put_in_force,
    record_delivery,
)
from models.base import reading, transaction
from models.credit_codes import check_sign
from models.partners import Partner
from models.sites import Venue
from tests.people import Town, a_unit, a_venue

MANY = 99_999_999
TERMS = Terms(date(2026, 11, 1), date(2027, 1, 31), [Block(1, 14 * 60, 17 * 60)], "心理咨询", 46)
GIVEN = Record(date(2026, 11, 17), 90, "一对一咨询", 3)


def some_units(town: Town) -> None:
    """Units the clerk works with."""
    with transaction() as session:
        for _ in range(5):
            a_unit(session, town.wutong)


def fill_unit(body: dict[str, Any], label: str, town: Town, chance: random.Random) -> None:
    """A credit code with the check digit that fits, and where the unit serves."""
    if label in {"POST /api/v1/staff/partners", "PUT /api/v1/staff/partners/{key}"}:
        seventeen = f"91350100M{chance.randint(0, MANY):08}"
        body |= {"credit_code": seventeen + check_sign(seventeen), "region": town.wutong.key}


def some_agreements(town: Town) -> None:
    """Drafts, and agreements in force in rooms of their own with a record to confirm; of the unit that asks, among others."""
    with transaction() as session:
        unit = session.get_one(Partner, town.partner_member.partner_id)
        unit.region_id = town.wutong.id
        for n in range(16):
            room = a_venue(session, town.wutong, name=f"换服务{n}")
            agreement = draft_agreement(session, unit, room, TERMS, by_account_id=None, identity="town")
            if n % 2:
                put_in_force(session, agreement, by_account_id=None, identity="town")
                record_delivery(session, agreement, GIVEN, by_account_id=None, identity=f"partner:{unit.key}")


def fill_agreement(body: dict[str, Any], label: str, chance: random.Random) -> None:
    """A room and a unit of the clerk's, a period that is not over, a day that is."""
    if label.endswith(("/service-agreements", "/service-agreements/preview")):
        body |= {
            "venue": _a_key(Venue, chance, Venue.name.startswith("换服务")),
            "starts_on": "2026-11-01",
            "ends_on": "2027-01-31",
            "blocks": [{"weekday": 1, "from": "14:00", "to": "17:00"}],
        }
    if label == "POST /api/v1/staff/service-agreements":
        body["partner"] = _a_key(Partner, chance, Partner.credit_code.is_not(None))
    if label.endswith("/deliveries"):
        body["done_on"] = GIVEN.done_on.isoformat()
    if label.endswith("/commencement"):
        body["leave_out"] = []


def an_agreements_key(label: str, chance: random.Random) -> str:
    """A draft for what puts it in force, and one in force for whatever else is done about it."""
    state = AgreementState.DRAFT if label.endswith("/commencement") else AgreementState.IN_FORCE
    return _a_key(ServiceAgreement, chance, ServiceAgreement.state == state)


def a_deliverys_key(label: str, chance: random.Random) -> str:
    """A record that was not declined for what confirms one; whatever is declined, the first never is."""
    if label.endswith("/declining"):
        return _a_key(
            ServiceDelivery,
            chance,
            ServiceDelivery.id > select(func.min(ServiceDelivery.id)).scalar_subquery(),
        )
    return _a_key(ServiceDelivery, chance, ServiceDelivery.declined_at.is_(None))


def _a_key(
    noun: type[Partner | Venue | ServiceAgreement | ServiceDelivery],
    chance: random.Random,
    which: ColumnElement[bool],
) -> str:
    with reading() as session:
        keys = session.scalars(select(noun.key).where(which).order_by(noun.id)).all()
    return chance.choice(keys) if keys else "a" * 16
