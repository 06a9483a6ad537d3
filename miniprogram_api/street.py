"""The street (街道): where the street officer who is asking works."""

from __future__ import annotations

from miniprogram_api.edge import staff_hat
from models.base import db
from models.errors import NotFound
from models.regions import Region, RegionKind, is_within, region_by_key
from models.staff import Role, places_of


def street_places() -> list[Region]:
    """The streets they are an officer of; none for other staff. Raises Forbidden in any other hat."""
    return places_of(db.session(), staff_hat(), Role.STREET_OFFICER)


def street_named(key: str) -> Region:
    """One of these streets, or one under a place of theirs, by its key. Raises NotFound for anything smaller."""
    region, places = region_by_key(db.session(), key), street_places()
    is_street = region.kind is RegionKind.STREET or region in places
    if not is_street or not is_within(region, places):
        raise NotFound("没有找到这个地方")
    return region
