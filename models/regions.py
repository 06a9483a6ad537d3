"""Regions (区域): the tree of places that everything belongs to, from the city down to a building.

市 › 区/县 › 街道/镇 › 社区/村 › 网格 › 微网格 › 楼栋 › 单元. Its depth varies from town to town (domain.md §3), so the kind of a node is
data and scope is always "this node and what lies under it".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum

from sqlalchemy import ColumnElement, ForeignKey, Select, false, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models.base import Base, Keyed, PlainText, chosen_from
from models.errors import NotFound


class RegionKind(StrEnum):
    """What a node of the tree is."""

    CITY = "city"  # 市
    DISTRICT = "district"  # 区/县
    STREET = "street"  # 街道/镇
    COMMUNITY = "community"  # 社区/村
    GRID = "grid"  # 网格
    MICRO_GRID = "micro_grid"  # 微网格
    BUILDING = "building"  # 楼栋
    UNIT = "unit"  # 单元


class Region(Keyed, Base):
    """One place. ``path`` is the codes from the root down, each followed by a slash: a prefix of it is an ancestor."""

    __tablename__ = "regions"

    parent_id: Mapped[int | None] = mapped_column(ForeignKey("regions.id"), index=True)
    kind: Mapped[RegionKind] = mapped_column(chosen_from(RegionKind))
    code: Mapped[str] = mapped_column(PlainText(32), unique=True)
    name: Mapped[str] = mapped_column(PlainText(60))
    path: Mapped[str] = mapped_column(PlainText(300), unique=True)

    parent: Mapped[Region | None] = relationship(remote_side="Region.id")

    def contains(self, other: Region) -> bool:
        """Whether the other place is this one or lies under it."""
        return other.path.startswith(self.path)


def plant(
    session: Session, *, kind: RegionKind, code: str, name: str, parent: Region | None = None
) -> Region:
    """Add a place to the tree, or rename the one that has this code already."""
    region = session.scalar(select(Region).where(Region.code == code))
    if region is None:
        region = Region(
            kind=kind, code=code, name=name, parent=parent, path=f"{parent.path if parent else ''}{code}/"
        )
        session.add(region)
        session.flush()  # children need its id
    region.name = name
    return region


def lies_within(places: Collection[Region]) -> ColumnElement[bool]:
    """The condition that a region is one of these places or lies under one of them; never so where there are none."""
    # not LIKE: SQLite's takes capitals and small letters for the same
    return or_(false(), *(func.substr(Region.path, 1, len(place.path)) == place.path for place in places))


def is_within(region: Region, places: Collection[Region]) -> bool:
    """The same as a question: whether a region is one of these places or lies under one of them."""
    return any(place.contains(region) for place in places)


def regions_within(*places: Region) -> Select[int]:
    """The ids of these places and of everything under them, as a select to filter by."""
    return select(Region.id).where(lies_within(places))


def communities_around(session: Session, places: Collection[Region]) -> Sequence[Region]:
    """The communities these places are, or lie in."""
    paths = {path for place in places for path in paths_down_to(place.path)}
    return session.scalars(
        select(Region)
        .where(Region.kind == RegionKind.COMMUNITY, Region.path.in_(paths))
        .order_by(Region.path)
    ).all()


def region_by_key(session: Session, key: str) -> Region:
    """The place with this key; regions are public. Raises NotFound."""
    region = session.scalar(select(Region).where(Region.key == key))
    if region is None:
        raise NotFound("没有找到这个地方")
    return region


def paths_down_to(path: str) -> list[str]:
    """The paths of everything above a place and of the place itself, the root first."""
    codes = path.strip("/").split("/")
    return ["/".join(codes[: depth + 1]) + "/" for depth in range(len(codes))]
