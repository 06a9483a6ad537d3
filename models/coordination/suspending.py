"""Suspending a unit (暂停单位): it may take on nothing for now, and what it has not done yet of what it took on is free for others (E19)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.partners import Partner, suspend_unit
from models.wishes import By
from models.wishes.claims import release_claims_of


def suspend(
    session: Session, partner: Partner, because: str, *, by_account_id: int | None, identity: str
) -> int:
    """As ``suspend_unit``, and its open claims end; how many did. Whoever claims at this moment comes first, and is found, or too late."""
    suspend_unit(session, partner, because, by_account_id=by_account_id, identity=identity)
    return release_claims_of(session, partner, because, by=By(by_account_id, identity))
