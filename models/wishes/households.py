"""Households (一户): whose wishes count together, and who may not decide about each other's (domain.md §2.3, §3).

Nobody tells the town who lives with whom. Taken for one household are those bound by guardianship or family help, those with the same phone
number, and wishes for the same address.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from models.residents import BondKind, Resident, bonds_of, bonds_over
from models.vault import vault
from models.wishes.rows import Wish

_KIN = (BondKind.GUARDIAN, BondKind.FAMILY_HELPER)


def household_of(session: Session, resident: Resident) -> set[int]:
    """The people of somebody's household, themselves included, by id."""
    kin = {resident.id} | {
        one
        for bond in (*bonds_of(session, resident), *bonds_over(session, resident))
        if bond.kind in _KIN
        for one in (bond.helper_id, bond.ward_id)
    }
    if resident.phone_fingerprint is not None:
        same_phone = select(Resident.id).where(
            Resident.phone_fingerprint == resident.phone_fingerprint, Resident.left_at.is_(None)
        )
        kin.update(session.scalars(same_phone))
    return kin


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
