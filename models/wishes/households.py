"""Households (一户): whose wishes count together, and who may not decide about each other's (domain.md §2.3, §3).

Nobody tells the town who lives with whom. Taken for one household are parents and all their children, whom somebody helps or is helped by as
family, those with the same phone number, and wishes for the same address.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from models import clock
from models.residents import Bond, BondKind, Resident
from models.vault import vault
from models.wishes.rows import Wish


def household_of(session: Session, resident: Resident) -> set[int]:
    """The people of somebody's household, themselves included, by id."""
    kin = _family_of(session, resident) | _bound_to(session, {resident.id}, BondKind.FAMILY_HELPER)
    if resident.phone_fingerprint is not None:
        same_phone = select(Resident.id).where(
            Resident.phone_fingerprint == resident.phone_fingerprint, Resident.left_at.is_(None)
        )
        kin.update(session.scalars(same_phone))
    return kin


def _family_of(session: Session, resident: Resident) -> set[int]:
    """Parents, their children, and the children's other parents, however far that goes: two of them share a child, or a parent."""
    family, found = {resident.id}, {resident.id}
    while found:
        found = _bound_to(session, found, BondKind.GUARDIAN) - family
        family |= found
    return family


def _bound_to(session: Session, people: Collection[int], kind: BondKind) -> set[int]:
    """Who acts for one of these people, or for whom one of them acts, by a bond of a kind that holds today."""
    bonds = session.execute(
        select(Bond.helper_id, Bond.ward_id).where(
            or_(Bond.helper_id.in_(people), Bond.ward_id.in_(people)),
            Bond.kind == kind,
            Bond.is_live_on(clock.today()),
        )
    )
    return {one for bond in bonds for one in bond}


def fingerprint_of(address: str) -> str | None:
    """What tells that two addresses are the same, however they are written; none for no address."""
    plain = "".join(character for character in address.casefold() if character.isalnum())
    return vault.fingerprint(plain) if plain else None


def of_household(
    people: Collection[int], region_id: int, address_fingerprint: str | None
) -> ColumnElement[bool]:
    """The condition that a wish is of these people, or for this address of a community."""
    theirs = Wish.resident_id.in_(people)
    if address_fingerprint is None:
        return theirs
    there = (Wish.region_id == region_id) & (Wish.address_fingerprint == address_fingerprint)
    return or_(theirs, there)
