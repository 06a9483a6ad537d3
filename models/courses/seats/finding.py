"""Finding (查名单): the places of one run, each with its person and with the account that registered them and is told of it today."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select

from models.accounts import Account
from models.courses.hearing import registered_and_hears
from models.courses.registrations import Registration, Standing
from models.courses.seats.asking import PERSON_COLUMNS, LockedRun, person_of
from models.courses.seats.writing import Held
from models.residents import Resident


def places_in(run: LockedRun, *which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The query for these places of a run, in the order of decision. ``held_of`` makes of a row what the rules work on."""
    return (
        select(
            Registration.id.label("registration_id"),
            Registration.key.label("registration_key"),
            Registration.state,
            Registration.number,
            Registration.registered_at,
            Registration.seats,
            Registration.ticket,
            Registration.offer_expires_at,
            Account.id.label("by_account_id"),
            *PERSON_COLUMNS,
        )
        .join_from(Registration, Resident, Resident.id == Registration.resident_id)
        .outerjoin(Account, registered_and_hears())
        .where(Registration.run_id == run.id, *which)
        .order_by(Registration.number)
    )


def held_of(run: LockedRun, row: Row[*tuple[Any, ...]]) -> Held:
    """The place of a row of ``places_in``; how many stand before it is not looked up."""
    learner = person_of(row)
    standing = Standing(
        row.registration_key,
        run.key,
        learner.key,
        row.state,
        None,
        row.registered_at,
        row.seats,
        row.ticket,
        row.offer_expires_at,
    )
    return Held(row.registration_id, standing, learner, row.by_account_id, row.number)
