"""Photos of wishes (心愿照片): a picture of what is wished for; nobody sees it but who wished and who reviews, until it may hang on the wall.

A child's wish has none (domain.md §2.3, E21). The pictures are files the edge keeps; a file stands before its row, and goes after it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.errors import Conflict, NotFound
from models.journal import enter
from models.regions import Region, is_within
from models.residents import is_minor
from models.wishes.parties import By
from models.wishes.rows import IN_REVIEW, MOST_PHOTOS, Wish, WishPhoto, WishState


def may_add_photo(wish: Wish) -> None:
    """Raises Conflict ``child_photo`` for a child's wish, ``wish_decided`` once it was reviewed, ``too_many_photos``."""
    must_be_no_childs(wish)
    if wish.state not in IN_REVIEW:
        raise Conflict(
            "wish_decided", "这个心愿已经审核过了，不能再加照片", details={"state": wish.state.value}
        )
    must_be_few(wish.photos)


def must_be_no_childs(wish: Wish) -> None:
    """Raises Conflict ``child_photo`` for a child's wish: of that there are no pictures at all (E21)."""
    if is_minor(wish.resident.birth_year if wish.resident else None):
        raise Conflict("child_photo", "孩子的心愿不用照片，写清楚就行")


def must_be_few(photos: Sequence[WishPhoto]) -> None:
    """Raises Conflict ``too_many_photos`` where there is room for none more."""
    if len(photos) >= MOST_PHOTOS:
        raise Conflict("too_many_photos", f"一个心愿最多 {MOST_PHOTOS} 张照片，请先删掉一张")


def add_photo(
    session: Session,
    wish: Wish,
    *,
    file: str,
    thumbnail: str,
    width: int,
    height: int,
    by: By,
) -> WishPhoto:
    """Add one more picture to a wish. Raises as ``may_add_photo``."""
    wish.lock()
    session.refresh(wish, ["photos"])  # two that are sent at once are counted one after the other
    may_add_photo(wish)
    photo = WishPhoto(wish=wish, file=file, thumbnail=thumbnail, width=width, height=height)
    session.add(photo)
    session.flush()
    enter(session, "wish_photo.added", photo, **by.of(wish))
    session.flush()
    return photo


def remove_photo(session: Session, photo: WishPhoto, *, by: By) -> tuple[str, str]:
    """It is no picture of the wish any more; the names of its files, which may go once this is committed.

    Raises Conflict ``wish_decided`` for whoever wished, once it was reviewed.
    """
    wish = photo.wish
    wish.lock()
    if not by.is_staff and wish.state not in (*IN_REVIEW, WishState.REJECTED):
        raise Conflict(
            "wish_decided", "这个心愿已经审核过了，要删照片请联系社区", details={"state": wish.state.value}
        )
    return take_away(session, photo, by=by)


def take_away(session: Session, photo: WishPhoto, *, by: By) -> tuple[str, str]:
    """There is no such picture any more; the names of its files. The caller holds the wish."""
    enter(session, "wish_photo.removed", photo, **by.of(photo.wish))
    _drop(session, photo)
    return photo.file, photo.thumbnail


def photo_of(session: Session, key: str, people: Collection[int]) -> WishPhoto:
    """The picture with this key of what one of these people wishes. Raises NotFound."""
    photo = _photo(session, key)
    if photo is None or photo.claim_id is not None or photo.wish.resident_id not in people:
        raise NotFound("没有找到这张照片")
    return photo


def wish_photo_within(session: Session, key: str, *, within: Sequence[Region]) -> WishPhoto:
    """The picture with this key of a wish of these places. Raises NotFound outside of them."""
    photo = _photo(session, key)
    if photo is None or not is_within(photo.wish.region, within):
        raise NotFound("没有找到这张照片")
    return photo


def wish_photo_by_key(session: Session, key: str) -> WishPhoto:
    """The picture with this key, for whoever holds an address that was signed for it. Raises NotFound."""
    photo = _photo(session, key)
    if photo is None:
        raise NotFound("没有找到这张照片")
    return photo


def clear_photo(session: Session, key: str) -> None:
    """Nobody has to look at a picture any more."""
    photo = _photo(session, key)
    if photo is not None:
        photo.is_sure = True
        session.flush()


def refuse_photo(session: Session, key: str) -> None:
    """A picture may not stay; the wish does. Its files go when it is found that they belong to nothing."""
    photo = _photo(session, key)
    if photo is not None:
        enter(session, "wish_photo.refused", photo, for_resident_id=photo.wish.resident_id)
        _drop(session, photo)


def wish_files_kept(session: Session, files: Collection[str]) -> set[str]:
    """Which of these files belong to a picture of a wish."""
    return {
        name
        for column in (WishPhoto.file, WishPhoto.thumbnail)
        for name in session.scalars(select(column).where(column.in_(files)))
    }


def _drop(session: Session, photo: WishPhoto) -> None:
    if photo.claim_id is None:
        photo.wish.photos.remove(photo)
    session.delete(photo)
    session.flush()


def _photo(session: Session, key: str) -> WishPhoto | None:
    return session.scalar(
        select(WishPhoto)
        .options(
            joinedload(WishPhoto.wish).joinedload(Wish.region),
            joinedload(WishPhoto.wish).joinedload(Wish.resident),
        )
        .where(WishPhoto.key == key)
    )
