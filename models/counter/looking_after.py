"""Looking after (服务范围): whose people somebody who works here sees, and how one of them is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, joinedload

from models.errors import NotFound
from models.journal import enter
from models.regions import Region, RegionKind, lies_within, paths_down_to
from models.residents import Resident
from models.staff import OFFICE, Role, StaffMember, places_of
from models.vault import vault

MOST_FOUND = 20


@dataclass(frozen=True)
class PeopleScope:
    """Whose people somebody looks after: all of ``places`` and what lies under them, and of the communities ``grids`` lie in.

    A resident's home is a community, not a grid of it, so the workers of all its grids look after the same people.
    """

    places: Sequence[Region]
    grids: Sequence[Region] = ()

    def regions(self) -> ColumnElement[bool]:
        """The condition that a region is among them."""
        around = and_(Region.kind == RegionKind.COMMUNITY, Region.path.in_(self._above_grids()))
        return or_(lies_within([*self.places, *self.grids]), around)

    def has(self, region: Region) -> bool:
        """The same as a question."""
        is_around = region.kind is RegionKind.COMMUNITY and region.path in self._above_grids()
        return is_around or any(place.contains(region) for place in [*self.places, *self.grids])

    def _above_grids(self) -> set[str]:
        return {path for grid in self.grids for path in paths_down_to(grid.path)}


def people_scope(session: Session, member: StaffMember) -> PeopleScope:
    """Whose people this staff member looks after now: the office's of its places, a grid worker those of the grid's community."""
    return PeopleScope(places_of(session, member, *OFFICE), places_of(session, member, Role.GRID_WORKER))


@dataclass(frozen=True)
class Clues:
    """What somebody says of the person they look for; all of it together."""

    phone: str | None = None
    name: str | None = None
    birth_year: int | None = None


def look_for(
    session: Session, clues: Clues, *, scope: PeopleScope, purpose: str, by: StaffMember
) -> list[Resident]:
    """The people of whom just this is true, ``MOST_FOUND`` at most, oldest entry first. Each of them is told in the journal, and why.

    Without any clue it is nobody.
    """
    said = [
        *([Resident.phone_fingerprint == vault.fingerprint(clues.phone)] if clues.phone else []),
        *([Resident.name == clues.name] if clues.name else []),
    ]
    if not said:
        return []
    if clues.birth_year is not None:
        said.append(Resident.birth_year == clues.birth_year)
    found = list(
        session.scalars(
            select(Resident)
            .options(joinedload(Resident.home_region))
            .join(Region, Region.id == Resident.home_region_id)
            .where(*said, scope.regions(), Resident.left_at.is_(None))
            .order_by(Resident.id)
            .limit(MOST_FOUND)
        )
    )
    for resident in found:
        enter(
            session,
            "resident.looked_for",
            resident,
            by_account_id=by.account_id,
            identity=by.identity,
            for_resident_id=resident.id,
            details={"purpose": purpose},
        )
    return found


def resident_within(session: Session, scope: PeopleScope, key: str) -> Resident:
    """The person with this key, if they are looked after. Raises NotFound: an outsider learns nothing."""
    resident = session.scalar(
        select(Resident)
        .options(joinedload(Resident.home_region))
        .join(Region, Region.id == Resident.home_region_id)
        .where(Resident.key == key, scope.regions(), Resident.left_at.is_(None))
    )
    if resident is None:
        raise NotFound("没有找到这位居民")
    return resident
