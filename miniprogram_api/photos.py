"""Photos of rooms (场地照片): staff hang them, everybody sees them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from flask import Response, after_this_request
from sqlalchemy.orm import Session

from miniprogram_api.developing import MEDIA_TYPE, develop
from miniprogram_api.edge import Door, Needs, between_transactions
from miniprogram_api.freshness import etag_of, unless_known
from miniprogram_api.installed import photo_files
from miniprogram_api.office import hat, office_places
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.photos import PhotoIn, PhotoOut, PhotosIn, PhotosOut
from miniprogram_api.storage import Storage
from models.base import db, reading
from models.photos import (
    Photo,
    arrange_photos,
    hang_photo,
    photo_by_key,
    photo_in,
    photos_of,
    take_photo_down,
)
from models.sites import Venue, venue_in

door = Door("photos", description="场地照片")

FOR_GOOD_SECONDS = 365 * 24 * 3600  # the bytes under an address never change
_PICTURE = {"type": "string", "format": "binary"}
_FILES_AT_ONCE = 500
Belonging = Callable[[Session, Collection[str]], set[str]]


@door.get("/photos/<key:key>", needs=Needs.NOTHING)
@door.response(200, _PICTURE, content_type=MEDIA_TYPE)
@door.gives(None, refuses=(404,))
def show_photo(key: str) -> Response:
    """场地照片

    The picture, 1600 pixels on its longer side at most. It never changes under its key, so a phone may keep it for good.
    """
    return _picture(photo_by_key(db.session(), key).file)


@door.get("/photos/<key:key>/thumbnail", needs=Needs.NOTHING)
@door.response(200, _PICTURE, content_type=MEDIA_TYPE)
@door.gives(None, refuses=(404,))
def show_thumbnail(key: str) -> Response:
    """场地照片的缩略图

    The same picture, 400 pixels on its longer side at most.
    """
    return _picture(photo_by_key(db.session(), key).thumbnail)


@door.post("/staff/venues/<key:key>/photos", asks_wechat=True, takes_photo=True, rate=RateName.PHOTOS)
@door.takes(PhotoIn, location="files")
@door.gives(PhotoOut, 201)
def hang_staff_photo(sent: dict[str, Any], key: str) -> Photo:
    """上传场地照片（工作人员）

    One picture (JPEG, PNG or WebP) as ``multipart/form-data``, in the part ``photo``, as ``wx.uploadFile`` sends it. It is painted anew,
    without where and with what it was taken. Send an ``Idempotency-Key``. 409 ``picture_unfit`` for what is no picture,
    ``too_many_photos`` where a room has enough; 413 for a file that is too large.
    """
    _venue(key)  # before anything is unpacked
    with between_transactions():
        photo = develop(sent["photo"], field="photo")
        files = photo_files().put(photo.body), photo_files().put(photo.thumbnail)
    return hang_photo(
        db.session(),
        _venue(key),
        file=files[0],
        thumbnail=files[1],
        width=photo.width,
        height=photo.height,
        **hat(),
    )


@door.put("/staff/venues/<key:key>/photos")
@door.takes(PhotosIn)
@door.gives(PhotosOut, refuses=(409, 422))
def arrange_staff_photos(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """排列场地照片（工作人员）

    All pictures of the room in the order they shall be shown, each with what is said beneath it. 409 ``photos_differ`` where they are not
    just those that hang there.
    """
    venue = _venue(key)
    wanted = [(one["key"], one["caption"] or "") for one in sent["items"]]
    arrange_photos(db.session(), venue, wanted, **hat())
    return {"items": photos_of(db.session(), [venue])[venue.id]}


@door.delete("/staff/photos/<key:key>")
@door.gives(None, 204)
def take_staff_photo_down(key: str) -> None:
    """删除场地照片（工作人员）

    It hangs no longer, and its files go. A phone that has it already may go on showing it.
    """
    photo = photo_in(db.session(), key, within=office_places())
    files = take_photo_down(db.session(), photo, **hat())

    @after_this_request
    def _forget(answer: Response) -> Response:
        if answer.status_code == 204:  # committed; else they still hang
            photo_files().delete(*files)
        return answer


def forget_files_of_nothing(storage: Storage, belonging: Belonging, *, since: datetime) -> int:
    """Delete the files that belong to nothing though they were put before ``since``: what a crash left, or a row that is gone. How many.

    Needs an application context and no open transaction.
    """
    kept = list(storage.names(kept_since=since))
    gone: list[str] = []
    for start in range(0, len(kept), _FILES_AT_ONCE):
        names = kept[start : start + _FILES_AT_ONCE]
        with reading() as session:
            hanging = belonging(session, names)
        gone += [name for name in names if name not in hanging]
    storage.delete(*gone)
    return len(gone)


def _venue(key: str) -> Venue:
    return venue_in(db.session(), key, within=office_places())


def _picture(file: str) -> Response:
    picture = photo_files().open(file)
    return unless_known(
        picture, etag_of(picture), kind=MEDIA_TYPE, fresh_seconds=FOR_GOOD_SECONDS, for_good=True
    )
