"""What a fuzzer needs to know of partner units and their agreements: papers that may be real, rooms and days that fit."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select

from models import clock
from models.accounts import Account
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
from models.partners import (
    Pairing,
    PairingState,
    Partner,
    PartnerMember,
    PartnerState,
    admit,
    apply_for_unit,
    ask_to_be_paired,
    invite_member,
)
from models.regions import Region
from models.sites import Venue
from tests.people import Person, Town, UnitMember, a_card, a_member_of, a_unit, a_venue

MANY = 99_999_999
SPARE = "人多的单位"
TAKES_A_CARD = {
    "POST /api/v1/staff/partners",
    "PUT /api/v1/staff/partners/{key}",
    "POST /api/v1/me/partner-applications",
}
TERMS = Terms(date(2026, 11, 1), date(2027, 1, 31), [Block(1, 14 * 60, 17 * 60)], "心理咨询", 46)
GIVEN = Record(date(2026, 11, 17), 90, "一对一咨询", 3)


def some_units(town: Town) -> None:
    """Units the clerk works with: some that wait, some to suspend, one of many members; and colleagues of whoever asks for a unit."""
    with transaction() as session:
        for _ in range(8):
            a_unit(session, town.wutong)
        spare = a_unit(session, town.wutong, name=SPARE)
        for _ in range(12):
            a_member_of(session, spare)
    for person in town.people(12):
        with transaction() as session:
            card = replace(a_card(session, town.wutong), name=f"申请的单位{person.key}")
            apply_for_unit(session, person.account(session), card)
    with transaction() as session:
        mine = session.get_one(Partner, town.partner_member.partner_id)
        mine.region_id, mine.renewed_until = town.wutong.id, clock.today() + timedelta(days=10)
        for _ in range(12):
            a_member_of(session, mine)
        for place in (town.wutong, town.east_street, town.district):
            ask_to_be_paired(
                session,
                mine,
                session.get_one(Region, place.id),
                by_account_id=None,
                identity=town.partner_member.identity,
            )


def fill_unit(body: dict[str, Any], label: str, town: Town, chance: random.Random) -> None:
    """A name nobody has, a credit code with the check digit that fits, and where the unit serves."""
    if label in TAKES_A_CARD:
        seventeen = f"91350100M{chance.randint(0, MANY):08}"
        body |= {"name": f"单位{seventeen}", "kind": "unit", "region": town.wutong.key}
        body["credit_code"] = seventeen + check_sign(seventeen)
    if label.endswith("/pairings"):
        body["region"] = town.wutong.key
    if label == "POST /api/v1/staff/pairings":
        body["partner"] = _a_key(
            Partner, chance, Partner.credit_code.is_not(None) & (Partner.state == "active")
        )


def fill_code(body: dict[str, Any], label: str, *, leaves: bool) -> None:
    """A code somebody of a unit has just handed out, but to who leaves, for whoever acts for a unit cannot."""
    if label == "POST /api/v1/me/partner-memberships" and not leaves:
        with transaction() as session:
            spare = session.scalars(select(Partner).where(Partner.name == SPARE)).first()
            if spare is not None and spare.state is PartnerState.ACTIVE:
                body["code"] = invite_member(session, spare, by_account_id=None, identity="town")


def is_about_units(label: str) -> bool:
    """Whether the key in an address is that of a unit, of a member of one, or of a pairing."""
    return any(
        part in label for part in ("/staff/partners/{", "partner-member", "/partner/members/", "/pairings/{")
    )


def a_units_key(label: str, who: object, town: Town, chance: random.Random) -> str:
    """What fits: never the unit of whoever asks for one, nor who asks."""
    if made := _made_for(label, who, town):
        return made
    asking = who.partner_id if isinstance(who, UnitMember) else None
    account = who.account_id if isinstance(who, UnitMember | Person) else None
    if "/partner-memberships/" in label:
        theirs = select(PartnerMember.partner_id).where(
            PartnerMember.account_id == account, PartnerMember.left_at.is_(None)
        )
        return _a_key(Partner, chance, Partner.id.in_(theirs) & Partner.id.is_distinct_from(asking))
    if "/pairings/" in label:
        mine = Pairing.partner_id == asking if "/partner/" in label else Pairing.id > 0
        wanted = PairingState.ACTIVE if label.endswith("/trust") else PairingState.ASKED
        return _a_key(Pairing, chance, mine & ((Pairing.state == wanted) | (Pairing.partner_id == asking)))
    if "member" in label and "/staff/partners/" not in label:
        of_it = (
            (PartnerMember.partner_id == asking) & (PartnerMember.account_id != account)
            if "/partner/" in label
            else PartnerMember.partner_id.in_(select(Partner.id).where(Partner.name == SPARE))
        )
        return _a_key(PartnerMember, chance, of_it & PartnerMember.left_at.is_(None))
    return _a_key(Partner, chance, (Partner.state == PartnerState.APPLIED) & Partner.name.startswith("申请"))


def _made_for(label: str, who: object, town: Town) -> str | None:
    """The key of something made for this one request, where what stands there is soon used up on the way."""
    if label == "PUT /api/v1/staff/pairings/{key}/agreement":  # who asks may say no to all others
        with transaction() as session:
            place = session.get_one(Region, town.wutong.id)
            return ask_to_be_paired(
                session, a_unit(session, place), place, by_account_id=None, identity="town"
            ).key
    if "/staff/partners/{key}" in label and not label.endswith(("/approval", "/rejection")):
        with transaction() as session:  # whoever asks may suspend or rename all others on the way
            unit = a_unit(session, session.get_one(Region, town.wutong.id))
            a_member_of(session, unit)
            return unit.key
    if "/partner-memberships/" in label and isinstance(who, UnitMember):
        with transaction() as session:  # one has no way back to a unit one has left
            unit = a_unit(session, session.get_one(Region, town.wutong.id))
            a_member_of(session, unit)
            admit(session, unit, session.get_one(Account, who.account_id))
            return unit.key
    return None


def some_agreements(town: Town) -> None:
    """Drafts, and agreements in force in rooms of their own with a record to confirm; of the unit that asks, among others."""
    with transaction() as session:
        unit = session.get_one(Partner, town.partner_member.partner_id)
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
    noun: type[Partner | PartnerMember | Pairing | Venue | ServiceAgreement | ServiceDelivery],
    chance: random.Random,
    which: ColumnElement[bool],
) -> str:
    with reading() as session:
        keys = session.scalars(select(noun.key).where(which).order_by(noun.id)).all()
    return chance.choice(keys) if keys else "a" * 16
