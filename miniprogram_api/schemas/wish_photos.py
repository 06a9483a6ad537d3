"""Shapes of pictures of wishes, and of what was brought."""

from __future__ import annotations

from marshmallow import fields

from miniprogram_api.schemas.fields import Key, Shape
from miniprogram_api.signing import address_of_photo


class WishPhotoOut(Shape):
    """A picture of a wish, under addresses that are good for an hour or two."""

    key = Key(required=True)
    url = fields.Function(
        lambda photo: address_of_photo(photo.key), metadata={"type": "string"}, required=True
    )
    thumbnail_url = fields.Function(
        lambda photo: address_of_photo(photo.key, small=True), metadata={"type": "string"}, required=True
    )
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)
