"""Developing: what was sent becomes a picture of ours, or is refused with its field; nothing hidden in it comes along."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from io import BytesIO
from random import Random
from typing import Any

import pytest
from PIL import Image

from miniprogram_api.developing import LONG_SIDE, THUMBNAIL_SIDE, develop
from models.errors import Conflict


def painted(kind: str, size: tuple[int, int] = (60, 40), mode: str = "RGB", **more: Any) -> bytes:
    """A red picture."""
    colour: Any = {"RGBA": (255, 0, 0, 255), "L": 80, "P": 1, "CMYK": (0, 255, 255, 0)}.get(mode, (255, 0, 0))
    written = BytesIO()
    Image.new(mode, size, colour).save(written, kind, **more)
    return written.getvalue()


def opened(body: bytes) -> Image.Image:
    return Image.open(BytesIO(body), formats=["JPEG"])


def a_bomb(width: int, height: int) -> bytes:
    """A PNG whose head promises more than any memory holds; a few bytes long."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body))
            + kind
            + body
            + struct.pack(">I", zlib.crc32(kind + body) & 0xFFFFFFFF)
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *(("JPEG", mode) for mode in ("RGB", "L", "CMYK")),
        *(("PNG", mode) for mode in ("RGB", "L", "RGBA", "P")),
        *(("WEBP", mode) for mode in ("RGB", "RGBA")),
    ],
)
def test_a_picture_of_any_sort_becomes_two_of_ours(kind: str, mode: str) -> None:
    photo = develop(painted(kind, (800, 600), mode), field="photo")
    assert (photo.width, photo.height) == opened(photo.body).size == (800, 600)
    assert opened(photo.thumbnail).size == (THUMBNAIL_SIDE, THUMBNAIL_SIDE * 3 // 4)
    assert {opened(body).mode for body in (photo.body, photo.thumbnail)} == {"RGB"}


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((4000, 3000), (LONG_SIDE, 1200)),
        ((1000, 3200), (500, LONG_SIDE)),
        ((5000, 1), (LONG_SIDE, 1)),
        ((1, 1), (1, 1)),
    ],
)
def test_no_side_is_longer_than_it_need_be(size: tuple[int, int], shown: tuple[int, int]) -> None:
    photo = develop(painted("JPEG", size), field="photo")
    assert (photo.width, photo.height) == shown


def test_nothing_hidden_in_a_picture_comes_along() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRET PHONE"
    exif.get_ifd(0x8825)[2] = (31.0, 14.0, 0.0)
    sent = painted("JPEG", exif=exif, comment=b"SECRET COMMENT", icc_profile=b"SECRET PROFILE", dpi=(72, 72))
    assert b"SECRET" in sent
    photo = develop(sent, field="photo")
    for body in (photo.body, photo.thumbnail):
        assert b"SECRET" not in body
        assert b"Exif" not in body
        assert not opened(body).getexif()


def test_a_picture_held_sideways_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = develop(painted("JPEG", (600, 400), exif=exif), field="photo")
    assert (photo.width, photo.height) == (400, 600)


def test_what_one_could_look_through_is_white() -> None:
    sent = BytesIO()
    Image.new("RGBA", (60, 40), (0, 0, 0, 0)).save(sent, "PNG")
    assert opened(develop(sent.getvalue(), field="photo").body).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"no picture",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj << /Type /Catalog >>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"PK\x03\x04" + b"\0" * 100,
        b"\xff\xd8\xff\xe0" + b"\0" * 100,
        painted("GIF", mode="P"),
        painted("TIFF"),
        painted("BMP"),
        painted("JPEG", (900, 900))[:400],
        painted("PNG", (900, 900))[:-40],
        painted("WEBP", (900, 900))[:-40],
        a_bomb(100, 100),
        a_bomb(0, 10),
    ],
)
def test_what_is_no_picture_is_refused_with_its_field(sent: bytes) -> None:
    with pytest.raises(Conflict) as caught:
        develop(sent, field="photo")
    assert caught.value.code == "picture_unfit"
    assert "JPEG、PNG 或 WebP" in caught.value.message
    assert [fault.field for fault in caught.value.faults] == ["photo"]


@pytest.mark.parametrize(
    ("width", "height"), [(8000, 8000), (10_000, 10_000), (100_000, 100_000), (2**31 - 1, 1)]
)
def test_what_would_fill_the_memory_is_refused_by_its_head(width: int, height: int) -> None:
    with pytest.raises(Conflict) as caught:
        develop(a_bomb(width, height), field="photo")
    assert "尺寸太大" in caught.value.message


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_broken_anywhere_is_developed_or_refused(kind: str) -> None:
    chance, whole = Random(20261120), painted(kind, (40, 30))
    for _ in range(300):
        broken = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        with suppress(Conflict):
            develop(bytes(broken[: chance.randint(1, len(broken))]), field="photo")
