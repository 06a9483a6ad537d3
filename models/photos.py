"""Photos of rooms (场地照片): which pictures hang by a room, in which order, and what is said beneath each.

The pictures themselves are files the edge keeps; here stand the names it gave them. A file stands before its row, and goes after it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.base import Base, Keyed, PlainText
from models.errors import Conflict, Fault, NotFound
from models.journal import enter
from models.regions import Region, is_within
from models.sites import Site, Venue

MOST_PHOTOS = 12
LONGEST_CAPTION = 60


class Photo(Keyed, Base):
    """One picture of a room, and the small one of it for lists."""

    __tablename__ = "photos"
    __table_args__ = (Index("ix_photos_venue", "venue_id"),)

    venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"))
    place: Mapped[int]  # in the row of pictures, from 1; not every number need be there
    caption: Mapped[str] = mapped_column(PlainText(LONGEST_CAPTION), default="", server_default="")
    file: Mapped[str] = mapped_column(PlainText(16))
    thumbnail: Mapped[str] = mapped_column(PlainText(16))
    width: Mapped[int]
    height: Mapped[int]
    hung_at: Mapped[datetime] = mapped_column(default=clock.now)

    venue: Mapped[Venue] = relationship()


def hang_photo(
    session: Session,
    venue: Venue,
    *,
    file: str,
    thumbnail: str,
    width: int,
    height: int,
    by_account_id: int | None = None,
    identity: str = "town",
) -> Photo:
    """Hang one more picture, after those that hang there. Raises Conflict ``too_many_photos``."""
    venue.lock()  # two who hang the last one at once: the second is told
    hanging = photos_of(session, [venue])[venue.id]
    if len(hanging) >= MOST_PHOTOS:
        raise Conflict("too_many_photos", f"一个场地最多放 {MOST_PHOTOS} 张照片，请先删掉一张")
    photo = Photo(
        venue=venue,
        place=hanging[-1].place + 1 if hanging else 1,
        file=file,
        thumbnail=thumbnail,
        width=width,
        height=height,
    )
    session.add(photo)
    session.flush()
    enter(session, "photo.hung", photo, by_account_id=by_account_id, identity=identity)
    return photo


def arrange_photos(
    session: Session,
    venue: Venue,
    wanted: Sequence[tuple[str, str]],
    *,
    by_account_id: int | None = None,
    identity: str = "town",
) -> None:
    """Hang all pictures of a room in this order, each (by key) with what is said beneath it; the same twice changes nothing.

    Raises Conflict ``photos_differ`` where they are not just those that hang there.
    """
    venue.lock()
    hanging = {photo.key: photo for photo in photos_of(session, [venue])[venue.id]}
    if sorted(key for key, _ in wanted) != sorted(hanging):
        raise Conflict(
            "photos_differ",
            "照片已经有变化，请刷新后重新排列",
            faults=[Fault("items", "要写上这个场地现有的每一张照片，各一次")],
        )
    if [(key, photo.caption) for key, photo in hanging.items()] == list(wanted):
        return
    for place, (key, caption) in enumerate(wanted, start=1):
        hanging[key].place, hanging[key].caption = place, caption
    enter(session, "venue.photos_arranged", venue, by_account_id=by_account_id, identity=identity)
    session.flush()


def take_photo_down(
    session: Session, photo: Photo, *, by_account_id: int | None = None, identity: str = "town"
) -> tuple[str, str]:
    """It hangs no longer; the names of its files, which may go once this is committed."""
    enter(session, "photo.taken_down", photo, by_account_id=by_account_id, identity=identity)
    session.delete(photo)
    session.flush()
    return photo.file, photo.thumbnail


def photos_of(session: Session, venues: Collection[Venue]) -> dict[int, list[Photo]]:
    """The pictures of each of these rooms in their order, by the room's id: one question for all of them."""
    rows = session.scalars(
        select(Photo)
        .where(Photo.venue_id.in_({venue.id for venue in venues}))
        .order_by(Photo.place, Photo.id)
    ).all()
    return {venue.id: [photo for photo in rows if photo.venue_id == venue.id] for venue in venues}


def photo_by_key(session: Session, key: str) -> Photo:
    """A picture as everybody may see it. Raises NotFound."""
    photo = session.scalar(select(Photo).where(Photo.key == key))
    if photo is None:
        raise NotFound("没有找到这张照片")
    return photo


def photo_in(session: Session, key: str, *, within: Sequence[Region]) -> Photo:
    """A picture of a room in one of these places. Raises NotFound outside of them."""
    photo = session.scalar(
        select(Photo)
        .options(joinedload(Photo.venue).joinedload(Venue.site).joinedload(Site.region))
        .where(Photo.key == key)
    )
    if photo is None or not is_within(photo.venue.site.region, within):
        raise NotFound("没有找到这张照片")
    return photo


def files_that_hang(session: Session, files: Collection[str]) -> set[str]:
    """Which of these files belong to a picture that hangs somewhere."""
    return {
        name
        for column in (Photo.file, Photo.thumbnail)
        for name in session.scalars(select(column).where(column.in_(files)))
    }
