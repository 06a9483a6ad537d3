"""Parting (成员退出单位): somebody acts for a unit no longer, and what they led of its claims is led by who stays.

Whoever else takes members out of a unit would leave its claims with somebody who may do nothing about them: these are the verbs for it.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.accounts import Account
from models.partners import Partner, PartnerMember, leave_unit, leave_units, remove_member
from models.wishes import By
from models.wishes.claims import part_with


def remove(session: Session, member: PartnerMember, *, by_account_id: int | None, identity: str) -> None:
    """As ``remove_member``, and what they led is led by who stays. Whoever delivers at this moment comes first, or leads no longer."""
    remove_member(session, member, by_account_id=by_account_id, identity=identity)
    part_with(session, member.partner, member.account_id, by=By(by_account_id, identity))


def leave(session: Session, account: Account, partner: Partner, *, successor: str | None = None) -> None:
    """As ``leave_unit``, and what they led is led by who stays."""
    leave_unit(session, account, partner, successor=successor)
    part_with(session, partner, account.id, by=By(account.id, "resident"))


def leave_all(session: Session, account: Account, *, identity: str) -> None:
    """As ``leave_units``, and what they led is led by who stays: all units are held before the first claim is."""
    for partner in leave_units(session, account, identity=identity):
        part_with(session, partner, account.id, by=By(account.id, identity))
