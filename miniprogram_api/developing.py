"""Developing (冲印): what somebody took with a phone becomes a picture of ours, small, upright, and silent about where it was taken.

Nothing of what was sent reaches the disk or anybody else: the picture is painted anew, without its EXIF, comments and colour profiles.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

from models.errors import Conflict, Fault

FORMATS = ("JPEG", "PNG", "WEBP")
MEDIA_TYPE = "image/jpeg"
MOST_PIXELS = 40_000_000  # a good phone's; opened it takes 160 MB
LONG_SIDE = 1600
THUMBNAIL_SIDE = 400
QUALITY = 82
# what Pillow raises at bytes that are none of the formats, or stop being one half-way
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
)
_TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Developed:
    """A picture as it is kept, with the small one for lists; both JPEG. Width and height are the large one's."""

    body: bytes
    thumbnail: bytes
    width: int
    height: int


def develop(sent: bytes, *, field: str) -> Developed:
    """Paint what was sent anew. Raises Conflict ``picture_unfit`` naming the field for what is no picture, or too large a one.

    How large a picture is stands in its head: what would fill the memory is refused before any of it is unpacked.
    """
    try:
        with Image.open(BytesIO(sent), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise _unfit(field, "照片尺寸太大，请选小一些的，或先压缩")
            large = _upright(picture)
    except _TOO_LARGE:
        raise _unfit(field, "照片尺寸太大，请选小一些的，或先压缩") from None
    except _UNREADABLE:
        raise _unfit(field, "打不开这张照片，请选 JPEG、PNG 或 WebP 格式的") from None
    small = large.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return Developed(_jpeg(large), _jpeg(small), large.width, large.height)


def _upright(picture: Image.Image) -> Image.Image:
    """The picture as it is held, at most ``LONG_SIDE`` long, on white where one could look through."""
    longest = max(picture.size)
    if longest > LONG_SIDE:
        # a JPEG is unpacked at half or a quarter of its size, if that is enough: several times as quick
        scale = LONG_SIDE / longest
        picture.draft("RGB", (int(picture.width * scale) or 1, int(picture.height * scale) or 1))
    turned = ImageOps.exif_transpose(picture)
    turned.thumbnail((LONG_SIDE, LONG_SIDE))
    seen = turned.convert("RGBA") if turned.has_transparency_data else turned.convert("RGB")
    plain = Image.new("RGB", seen.size, "white")
    plain.paste(seen, mask=seen if seen.mode == "RGBA" else None)
    return plain


def _jpeg(picture: Image.Image) -> bytes:
    written = BytesIO()
    picture.save(written, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return written.getvalue()


def _unfit(field: str, message: str) -> Conflict:
    return Conflict("picture_unfit", message, faults=[Fault(field, message)])
