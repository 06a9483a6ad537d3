"""Photos of what was brought (圆梦照片): the lead shows the thing; who wished and the community see it with the claim."""

from __future__ import annotations

from typing import Any

from miniprogram_api.acting import asking
from miniprogram_api.edge import Door, partner_hat
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.photos import PhotoIn
from miniprogram_api.schemas.wish_photos import WishPhotoOut
from miniprogram_api.wishes import forget_files, let_wechat_look, unpacked
from models.base import db
from models.content_checks import CLAIM_PHOTO
from models.wishes import WishPhoto
from models.wishes.claims import (
    claim_of,
    may_show,
    photo_of_unit,
    show_no_more,
    show_what_was_brought,
)

door = Door("claim_photos", description="圆梦照片（单位）")


@door.post("/partner/claims/<key:key>/photos", asks_wechat=True, takes_photo=True, rate=RateName.PHOTOS)
@door.takes(PhotoIn, location="files")
@door.gives(WishPhotoOut, 201)
def show_a_thing(sent: dict[str, Any], key: str) -> WishPhoto:
    """上传圆梦照片（牵头人）

    One picture (JPEG, PNG or WebP) as ``multipart/form-data``, in the part ``photo``: of the thing, not of people; up to three. It is painted anew, without
    where and with what it was taken. Who wished, the unit and the community see it; nobody else. Of a child's wish there are none: 409
    ``child_photo``.
    """
    may_show(claim_of(db.session(), key, partner_hat()), by=asking())  # before anything is unpacked
    files = unpacked(sent)
    claim = claim_of(db.session(), key, partner_hat())
    photo = show_what_was_brought(db.session(), claim, **files, by=asking())
    name = photo.key
    let_wechat_look(photo, CLAIM_PHOTO)
    return photo_of_unit(db.session(), name, partner_hat())[0]


@door.delete("/partner/claim-photos/<key:key>")
@door.gives(None, 204, refuses=(409,))
def show_a_thing_no_more(key: str) -> None:
    """删除圆梦照片（牵头人）

    Until the unit says that it is done.
    """
    photo, claim = photo_of_unit(db.session(), key, partner_hat())
    forget_files(show_no_more(db.session(), photo, claim, by=asking()))
