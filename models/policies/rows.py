"""Rows (规则行): which numbers a place has set, and which are in force there.

A number set for a community wins over its street's, over its district's, over the default of the house.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from sqlalchemy import ForeignKey, UniqueConstraint, bindparam, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, PlainText
from models.bulk import among
from models.errors import Fault, Invalid
from models.policies.numbers import DEFAULTS, RULES, Policies, read_numbers
from models.regions import Region


class Policy(Base):
    """One number set for one region and everything under it."""

    __tablename__ = "policies"
    __table_args__ = (UniqueConstraint("region_id", "name"),)

    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    name: Mapped[str] = mapped_column(PlainText(40))
    value: Mapped[str] = mapped_column(PlainText(80))


_HERE = Region.__table__.alias()
_SET_ABOVE = (
    select(Policy.name, Policy.value)
    .join(Region, Policy.region_id == Region.id)
    .join(_HERE, _HERE.c.path.startswith(Region.path))
    .where(_HERE.c.id == bindparam("region_id"))
    .order_by(func.length(Region.path))  # the nearest is read last
)
_SET_ABOVE_EACH = (
    select(_HERE.c.id, Policy.name, Policy.value)
    .join(Region, Policy.region_id == Region.id)
    .join(_HERE, _HERE.c.path.startswith(Region.path))
    .where(among(_HERE.c.id, "region_ids"))
    .order_by(func.length(Region.path))
)


def policies_at(
    session: Session | Connection, region_id: int | None, nearer: Mapping[str, str] = MappingProxyType({})
) -> Policies:
    """The numbers in force at a place: what is set ``nearer`` still wins, then the nearest row, then the default.

    Nowhere in particular, the defaults.
    """
    if region_id is None:
        return DEFAULTS
    return _in_force({**_set_above(session, region_id), **nearer})


def policies_at_each(session: Session, region_ids: Collection[int]) -> dict[int, Policies]:
    """The numbers in force at each of these places, by its id, with one statement."""
    above: dict[int, dict[str, str]] = {region_id: {} for region_id in region_ids}
    if not above:
        return {}
    for region_id, name, value in session.execute(_SET_ABOVE_EACH, {"region_ids": sorted(above)}):
        above[region_id][name] = value
    return {region_id: _in_force(rows) for region_id, rows in above.items()}


def said_at(session: Session | Connection, region_id: int) -> dict[str, str]:
    """The numbers in force at a place as their rows say them, by the names of ``RULES``, in that order."""
    above = _set_above(session, region_id)
    return {name: above.get(name, as_kept(name, f"{rule.default}")) for name, rule in RULES.items()}


def _in_force(rows: Mapping[str, str]) -> Policies:
    if not rows:
        return DEFAULTS
    return read_numbers({name: RULES[name].kept(value) for name, value in rows.items() if name in RULES})


def _set_above(session: Session | Connection, region_id: int) -> dict[str, str]:
    return dict(session.execute(_SET_ABOVE, {"region_id": region_id}).all())


def set_policy(session: Session, region: Region, name: str, value: str) -> Policy:
    """Set a number for a region and everything under it. Raises Invalid for an unknown rule or a senseless value."""
    said = as_kept(name, value)
    row = session.scalar(select(Policy).where(Policy.region_id == region.id, Policy.name == name))
    if row is None:
        row = Policy(region_id=region.id, name=name)
        session.add(row)
    row.value = said
    return row


def as_kept(name: str, value: str) -> str:
    """A number as its row keeps it. Raises Invalid for an unknown rule or a senseless value."""
    if name not in RULES:
        raise Invalid(
            [Fault("name", f"没有“{name}”这条规则，可选：{'、'.join(RULES)}")], code="policy_unknown"
        )
    number = RULES[name].read(value)
    return number if isinstance(number, str) else f"{number:.10g}"
