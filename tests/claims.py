"""Claims of the tests: units that take wishes on, by the verbs, each in a transaction of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import select

from models.accounts import Account
from models.base import reading, transaction
from models.partners import Partner, admit, pair
from models.partners.pairings import Pairing
from models.regions import Region
from models.wishes import By, Wish
from models.wishes.claims import (
    WISH_PROMISE,
    Claim,
    Done,
    Evidence,
    Promise,
    SettledBy,
    agree_to_claim,
    claim_wish,
    confirm_done,
    deliver,
    note_contact,
)
from tests.people import Person, Town, UnitMember, a_unit, an_account
from tests.wishes import by_resident, by_staff

PROMISE = Promise("周末两个人上门去修", date(2026, 11, 30))


def a_member(partner: Partner | UnitMember) -> UnitMember:
    """Somebody new who acts for a unit."""
    with transaction() as session:
        unit = session.get_one(Partner, partner.partner_id if isinstance(partner, UnitMember) else partner.id)
        account, login_key = an_account(session)
        admit(session, unit, session.get_one(Account, account.id))
        return UnitMember(unit.id, unit.key, account.id, login_key)


def a_claimer(region: Region, *, trusted: bool = False) -> UnitMember:
    """Somebody who acts for a unit of their own, which is paired with a place."""
    with transaction() as session:
        unit = a_unit(session, region)
        place = session.get_one(Region, region.id)
        pairing = pair(session, unit, place, by_account_id=None, identity="town")
        session.get_one(Pairing, pairing.id).is_trusted = trusted
    return a_member(unit)


def by_unit(who: UnitMember) -> By:
    """Somebody acts for their unit."""
    return By(who.account_id, who.identity)


def claims(who: UnitMember, wish: Wish, promise: Promise = PROMISE, **more: Any) -> Claim:
    """A unit takes a wish on."""
    with transaction() as session:
        return claim_wish(
            session,
            session.get_one(Wish, wish.id),
            session.get_one(Partner, who.partner_id),
            replace(promise, **more),
            promise_version=WISH_PROMISE.version,
            by=by_unit(who),
        )


def does(deed: Any, claim: Claim, *said: Any, by: By, **more: Any) -> Any:
    """Somebody does something about a claim."""
    with transaction() as session:
        return deed(session, session.get_one(Claim, claim.id), *said, by=by, **more)


def under_way(town: Town, who: UnitMember, wish: Wish, **more: Any) -> Claim:
    """A claim the community agreed to."""
    claim = claims(who, wish, **more)
    does(agree_to_claim, claim, by=by_staff(town.clerk))
    return claim


def delivered(town: Town, who: UnitMember, wish: Wish, *, minutes: int = 0, **more: Any) -> Claim:
    """A claim whose unit says that it is done."""
    claim = under_way(town, who, wish, **more)
    does(note_contact, claim, by=by_unit(who))
    does(deliver, claim, Done(Evidence.TAP, minutes=minutes), by=by_unit(who))
    return claim


def fulfilled(town: Town, who: UnitMember, wish: Wish, whose: Person, **more: Any) -> Claim:
    """A claim both sides say is done."""
    claim = delivered(town, who, wish, **more)
    does(confirm_done, claim, SettledBy.RESIDENT, by=by_resident(whose))
    return claim


def claim_now(claim: Claim) -> Claim:
    """A claim as it stands."""
    with reading() as session:
        return session.scalars(select(Claim).where(Claim.id == claim.id)).one()
