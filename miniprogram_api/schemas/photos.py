"""Shapes of photos of rooms."""

from __future__ import annotations

from typing import Any

from flask_smorest.fields import Upload
from marshmallow import ValidationError, fields, validate
from werkzeug.datastructures import FileStorage

from miniprogram_api.schemas.fields import Key, Shape, Words
from models.photos import LONGEST_CAPTION, MOST_PHOTOS


class File(Upload):  # type: ignore[misc]  # flask-smorest ships no types
    """A file that was sent, as its bytes."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bytes:
        if not isinstance(value, FileStorage):
            raise ValidationError("请选择一个文件")
        body: bytes = value.read()
        return body


class PhotoIn(Shape):
    """One picture."""

    photo = File(required=True)


class CaptionShape(Shape):
    """What is said beneath one picture."""

    key = Key(required=True)
    caption = Words(LONGEST_CAPTION, required=True, allow_none=True)


class PhotosIn(Shape):
    """All pictures of a room in their order."""

    items = fields.List(
        fields.Nested(CaptionShape),
        required=True,
        validate=validate.Length(max=MOST_PHOTOS, error=f"一个场地最多 {MOST_PHOTOS} 张照片"),
    )


class PhotoOut(Shape):
    """A picture of a room: ``GET /photos/{key}``, and the small one at ``/photos/{key}/thumbnail``."""

    key = Key(required=True)
    caption = fields.String(required=True)
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)


class PhotosOut(Shape):
    """The pictures of a room in their order."""

    items = fields.List(fields.Nested(PhotoOut), required=True)
