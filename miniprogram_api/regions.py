"""The places people can belong to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from miniprogram_api.edge import Door, Needs
from miniprogram_api.schemas.regions import RegionsOut
from models.base import db
from models.regions import Region, RegionKind

door = Door("regions", description="区域")

DOWN_TO_COMMUNITY = (RegionKind.CITY, RegionKind.DISTRICT, RegionKind.STREET, RegionKind.COMMUNITY)


@door.get("/regions", needs=Needs.NOTHING, kept=True)
@door.gives(RegionsOut)
def list_regions() -> dict[str, Any]:
    """区域列表

    From the city down to communities, parents first.
    """
    rows = db.session.scalars(
        select(Region)
        .options(joinedload(Region.parent))
        .where(Region.kind.in_(DOWN_TO_COMMUNITY))
        .order_by(Region.path)
    )
    return {"items": rows.all()}
