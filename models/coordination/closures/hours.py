"""Outside the hours (不在开放时间的): how many things ahead nobody opens the door for, counted for the desk once a day.

Opening hours and the calendar change rarely, and what they make of two weeks takes a look at every day of them; so it is counted by a job and
kept, and the desk reads a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import clock
from models.availability import Stretch
from models.base import Base
from models.coordination.closures.planning import outside_hours
from models.regions import Region
from models.sites import Site

LOOKS_AHEAD = timedelta(
    days=14
)  # as far as groups reserve; classes farther ahead are found as they come near


class SiteOutsideHours(Base):
    """A site with things ahead that lie outside its hours, and how many; no row where there are none."""

    __tablename__ = "sites_outside_hours"
    __table_args__ = (CheckConstraint("number > 0", name="some"),)

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), unique=True)
    number: Mapped[int]
    counted_at: Mapped[datetime] = mapped_column(default=clock.now)

    site: Mapped[Site] = relationship()


def count_again(session: Session, site: Site) -> bool:
    """Count anew what of a site lies outside its hours in the next two weeks; whether it is another number than before."""
    site.lock()  # two who count at once: the second sees the row of the first
    now = clock.now()
    number = len(outside_hours(session, site, Stretch(now, now + LOOKS_AHEAD)))
    row = session.scalar(select(SiteOutsideHours).where(SiteOutsideHours.site_id == site.id))
    if number == (row.number if row is not None else 0):
        return False
    if row is None:
        session.add(SiteOutsideHours(site_id=site.id, number=number))
    elif number == 0:
        session.delete(row)
    else:
        row.number, row.counted_at = number, now
    session.flush()
    return True


def sites_to_count(session: Session) -> Sequence[int]:
    """The ids of all sites."""
    return session.scalars(select(Site.id).order_by(Site.id)).all()


def count_outside_hours(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many things lay outside the hours of their sites when it was counted last, by the path of the place."""
    rows = session.execute(
        select(Region.path, func.sum(SiteOutsideHours.number))
        .select_from(SiteOutsideHours)
        .join(Site, Site.id == SiteOutsideHours.site_id)
        .join(Region, Region.id == Site.region_id)
        .where(SiteOutsideHours.counted_at <= as_of)
        .group_by(Region.path)
    )
    return {path: int(number) for path, number in rows}
