"""Sheets of units (单位表格): the units of a place as they leave the house on paper, with what they gave in a year.

A file cannot be taken back, so it is taken for a purpose, which the journal keeps, and every page says who took it, when, and for what.
Numbers of whom to call are not on it: they are looked up one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import clock
from models.courses import say_taken
from models.errors import Conflict
from models.journal import enter_each
from models.partners import (
    HourEntry,
    Pairing,
    PairingState,
    Partner,
    PartnerState,
    members_of,
    partners_within,
)
from models.policies import policies_at
from models.regions import Region
from models.staff import StaffMember


@dataclass(frozen=True)
class UnitLine:
    """One unit: the places it is paired with, how many act for it, and how many minutes it gave this year."""

    partner: Partner
    paired_with: Sequence[str]
    members: int
    minutes: int


@dataclass(frozen=True)
class UnitSheet:
    """One sheet as it leaves the house."""

    lines: Sequence[UnitLine]
    year: int
    taken_by: str
    taken_at: datetime
    purpose: str

    @property
    def watermark(self) -> str:
        """Who took it, when, and for what: on every page."""
        return say_taken(self.taken_by, self.taken_at, self.purpose)


def take_unit_sheet(
    session: Session,
    places: Sequence[Region],
    *,
    state: PartnerState | None,
    purpose: str,
    by: StaffMember,
) -> UnitSheet:
    """Take the list of the units of these places out of the house; the journal keeps it with each of them.

    Raises Conflict ``export_too_large`` for more of them than the policy of the first of the places (``export_lines``) allows at once.
    """
    most = policies_at(session, places[0].id if places else None).export_lines
    units = partners_within(session, places, state=state, after_id=None, most=most + 1)
    if len(units) > most:
        raise Conflict(
            "export_too_large",
            f"一次最多导出 {most} 个单位，请按状态分开导出",
            details={"most": most},
        )
    enter_each(
        session,
        "partner.exported",
        [(unit, None) for unit in units],
        by_account_id=by.account_id,
        identity=by.identity,
        details={"purpose": purpose},
    )
    ids = [unit.id for unit in units]
    year = clock.today().year
    paired, acting, given = _paired(session, ids), members_of(session, ids), _given(session, ids, year)
    lines = [
        UnitLine(unit, paired.get(unit.id, ()), len(acting.get(unit.id, ())), given.get(unit.id, 0))
        for unit in units
    ]
    return UnitSheet(lines, year, by.name, clock.now(), purpose)


def _paired(session: Session, units: Collection[int]) -> Mapping[int, Sequence[str]]:
    rows = session.execute(
        select(Pairing.partner_id, Region.name)
        .join(Region, Region.id == Pairing.region_id)
        .where(Pairing.partner_id.in_(units), Pairing.state == PairingState.ACTIVE)
        .order_by(Region.path)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for partner_id, name in rows:
        found[partner_id].append(name)
    return found


def _given(session: Session, units: Collection[int], year: int) -> Mapping[int, int]:
    rows = session.execute(
        select(HourEntry.partner_id, func.sum(HourEntry.minutes))
        .where(
            HourEntry.partner_id.in_(units),
            HourEntry.done_on.between(date(year, 1, 1), date(year, 12, 31)),
        )
        .group_by(HourEntry.partner_id)
    )
    return {partner_id: int(minutes) for partner_id, minutes in rows}
