"""Hearing (告知谁) of somebody's place in a class: who registered them, and whose a pair's is. Who hears at all: ``models.hearing``."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from models.accounts import Account
from models.courses.registrations import Registration
from models.hearing import hears
from models.residents import Resident


def registered_and_hears() -> ColumnElement[bool]:
    """The condition that an account registered somebody (``Resident``, joined) and is told of their place today."""
    return and_(Account.id == Registration.by_account_id, hears())


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
