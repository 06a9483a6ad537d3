"""Sites (党群服务中心 · 站 · 驿站) and their rooms (场地).

A venue is what people know and reserve; a space is a unit of floor that can be used by one at a time. A hall that splits is a
venue over two spaces, and its halves are venues over one each: whoever uses the hall uses both.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum

from sqlalchemy import Column, ForeignKey, Table, UniqueConstraint, bindparam, select
from sqlalchemy.orm import (
    Mapped,
    Session,
    contains_eager,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
)

from models.base import Base, Keyed, PlainText, chosen_from
from models.errors import NotFound
from models.journal import enter
from models.regions import Region, is_within, regions_within


class SiteKind(StrEnum):
    """Which of the three levels of service point it is."""

    CENTRE = "centre"  # 党群服务中心
    STATION = "station"  # 党群服务站
    REST_STATION = "rest_station"  # 驿站


class VenueUse(StrEnum):
    """Who may use a room, and how (domain.md §2.2)."""

    WALK_IN = "walk_in"  # 随到随用，不用预约
    AT_ONCE = "at_once"  # 预约即通过
    AFTER_INDUCTION = "after_induction"  # 预约前要参加使用培训，之后预约即通过
    REVIEWED = "reviewed"  # 预约后由工作人员审核
    STAFF_ONLY = "staff_only"  # 只由工作人员安排


class Site(Keyed, Base):
    """One building or place with rooms."""

    __tablename__ = "sites"
    __table_args__ = (UniqueConstraint("region_id", "name"),)

    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    kind: Mapped[SiteKind] = mapped_column(chosen_from(SiteKind))
    name: Mapped[str] = mapped_column(PlainText(60))
    address: Mapped[str] = mapped_column(PlainText(120), default="")
    phone: Mapped[str] = mapped_column(PlainText(20), default="")

    region: Mapped[Region] = relationship()
    venues: Mapped[list[Venue]] = relationship(back_populates="site", order_by="Venue.id")


venue_spaces = Table(
    "venue_spaces",
    Base.metadata,
    Column("venue_id", ForeignKey("venues.id"), primary_key=True),
    Column("space_id", ForeignKey("spaces.id"), primary_key=True, index=True),
)


class Venue(Keyed, Base):
    """One room as people know it."""

    __tablename__ = "venues"
    __table_args__ = (UniqueConstraint("site_id", "name"),)

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    name: Mapped[str] = mapped_column(PlainText(40))
    capacity: Mapped[int]
    floor: Mapped[str] = mapped_column(PlainText(20), default="", server_default="")
    use: Mapped[VenueUse] = mapped_column(
        chosen_from(VenueUse), default=VenueUse.REVIEWED, server_default=VenueUse.REVIEWED
    )
    access_note: Mapped[str] = mapped_column(PlainText(200), default="", server_default="")  # 怎么进门
    door_code: Mapped[str] = mapped_column(PlainText(6), default="", server_default="")  # 门口签到码

    site: Mapped[Site] = relationship(back_populates="venues")
    spaces: Mapped[list[Space]] = relationship(secondary=venue_spaces, order_by="Space.id")

    @property
    def full_name(self) -> str:
        """The room as somebody finds it who has never been there."""
        return f"{self.name}（{self.site.name}）"

    @property
    def takes_reservations(self) -> bool:
        """Whether people reserve it themselves; the other rooms are used without, or given by staff."""
        return self.use not in {VenueUse.WALK_IN, VenueUse.STAFF_ONLY}


class Space(Base):
    """A piece of floor that one use at a time may hold."""

    __tablename__ = "spaces"
    __table_args__ = (UniqueConstraint("site_id", "name"),)

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    name: Mapped[str] = mapped_column(PlainText(40))


def open_site(session: Session, region: Region, *, kind: SiteKind, name: str) -> Site:
    """Add a service point to a place."""
    site = Site(region=region, kind=kind, name=name)
    session.add(site)
    session.flush()
    return site


def add_space(session: Session, site: Site, name: str) -> Space:
    """Add a piece of floor to a service point."""
    space = Space(site_id=site.id, name=name)
    session.add(space)
    session.flush()
    return space


def add_venue(
    session: Session, site: Site, *, name: str, capacity: int, spaces: Sequence[Space] = ()
) -> Venue:
    """Add a room to a service point: over these spaces, or over a new one of its own."""
    venue = Venue(
        site=site, name=name, capacity=capacity, spaces=list(spaces) or [add_space(session, site, name)]
    )
    session.add(venue)
    session.flush()
    return venue


def describe_venue(
    session: Session,
    venue: Venue,
    *,
    floor: str,
    use: VenueUse,
    access_note: str,
    by_account_id: int | None = None,
    identity: str = "town",
) -> None:
    """Write down where a room is, who may use it and how, and how one gets in; the same twice changes nothing."""
    wanted = {"floor": floor, "use": use, "access_note": access_note}
    changed = [name for name, value in wanted.items() if getattr(venue, name) != value]
    if not changed:
        return
    for name in changed:
        setattr(venue, name, wanted[name])
    enter(
        session,
        "venue.described",
        venue,
        by_account_id=by_account_id,
        identity=identity,
        details={"changed": changed},
    )
    session.flush()


def office_phone(session: Session, region: Region) -> str:
    """The number of the office of a place: of its first site that has one; empty where there is none."""
    phone = session.scalar(
        select(Site.phone).where(Site.region_id == region.id, Site.phone != "").order_by(Site.id).limit(1)
    )
    return phone or ""


def site_by_key(session: Session, key: str) -> Site:
    """A service point with its rooms, as everybody may see it. Raises NotFound."""
    site = session.scalars(
        select(Site).options(joinedload(Site.region), selectinload(Site.venues)).where(Site.key == key)
    ).first()
    if site is None:
        raise NotFound("没有找到这个服务点")
    return site


def site_in(session: Session, key: str, *, within: Sequence[Region]) -> Site:
    """The service point with this key in one of these places. Raises NotFound outside of them."""
    site = site_by_key(session, key)
    if not is_within(site.region, within):
        raise NotFound("没有找到这个服务点")
    return site


def sites_within(
    session: Session, places: Collection[Region] | None, *, after_id: int | None, most: int
) -> list[Site]:
    """Up to ``most`` service points of these places and of what lies under them, or of everywhere, in the order they were added."""
    query = (
        select(Site).options(joinedload(Site.region), selectinload(Site.venues)).order_by(Site.id).limit(most)
    )
    if places is not None:
        query = query.where(Site.region_id.in_(regions_within(*places)))
    return list(session.scalars(query if after_id is None else query.where(Site.id > after_id)))


def venue_by_key(session: Session, key: str) -> Venue:
    """The room with this key, as everybody may see it. Raises NotFound."""
    venue = session.scalar(_BY_KEY, {"key": key})
    if venue is None:
        raise NotFound("没有找到这个场地")
    return venue


_BY_KEY = (
    select(Venue)
    .join(Site)
    .options(contains_eager(Venue.site).joinedload(Site.region))
    .where(Venue.key == bindparam("key"))
)


def venue_in(session: Session, key: str, *, within: Sequence[Region]) -> Venue:
    """The room with this key in one of these places. Raises NotFound outside of them."""
    venue = venue_by_key(session, key)
    if not is_within(venue.site.region, within):
        raise NotFound("没有找到这个场地")
    return venue


def venues_within(session: Session, region: Region) -> list[Venue]:
    """Every room of the sites in a place and under it, in the order they were added."""
    return list(
        session.scalars(
            select(Venue)
            .join(Site, Venue.site_id == Site.id)
            .where(Site.region_id.in_(regions_within(region)))
            .order_by(Venue.id)
        )
    )
