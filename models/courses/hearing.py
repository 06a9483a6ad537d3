"""Hearing (告知谁): who is told of somebody's place in a class, in one place for every message about it.

The learner's own account hears, and whoever registered them, as long as they may still act for them: who closed their account can be told
nothing, and who lost the bond has no business to know. Where nobody is left to hear, the message is owed to the person by the next rung
(``models.ladder``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session, aliased

from models import clock
from models.accounts import Account
from models.courses.registrations import Registration
from models.residents import Bond, Resident


def hears() -> ColumnElement[bool]:
    """The condition that an account is told of somebody's (``Resident``, joined) place today: their own, or of who may act for them."""
    helper = aliased(Resident)
    may_act = (
        select(Bond.id)
        .join(helper, helper.id == Bond.helper_id)
        .where(
            helper.account_id == Account.id,
            Bond.ward_id == Resident.id,
            Bond.is_live_on(clock.today()),
        )
        .exists()
    )
    return and_(Account.closed_at.is_(None), or_(Account.id == Resident.account_id, may_act))


def registered_and_hears() -> ColumnElement[bool]:
    """The condition that an account registered somebody (``Resident``, joined) and is told of their place today."""
    return and_(Account.id == Registration.by_account_id, hears())


@dataclass(frozen=True, slots=True)
class Hearers:
    """The accounts that are told of one place, and the learner's name where they must be told whose it is."""

    accounts: list[int]
    learner: str


def adults_of(bind: Session | Connection, registrations: Collection[int]) -> dict[int, str]:
    """By registration: the name of the adult, for those that are a pair's."""
    if not registrations:
        return {}
    rows = bind.execute(
        select(Registration.id, Resident.name)
        .join(Resident, Resident.id == Registration.paired_with_id)
        .where(Registration.id.in_(registrations))
    )
    return {row.id: row.name or "家长" for row in rows}


def hearers(
    *, own: int | None, registered_by: int | None, name: str | None, adult: str | None = None
) -> Hearers:
    """Who hears: the learner's own account and who registered them, either perhaps nobody. Of a pair both are named."""
    accounts = sorted({account for account in (own, registered_by) if account is not None})
    is_for_another = own is None or len(accounts) > 1
    if adult is not None:
        return Hearers(accounts, f"{name or '孩子'}、{adult}")
    return Hearers(accounts, (name or "") if is_for_another else "")
