"""A picture that looks like a mini-program code (小程序码): rays around a seal, three marks, a valid PNG made by hand.

No camera reads it; where it leads stands in the picture's own text fields ``scene``, ``page`` and ``env_version``.
"""

from __future__ import annotations

import hashlib
import math
import struct
import zlib
from collections.abc import Mapping
from functools import cache

_CELLS = 140
_MIDDLE = (_CELLS - 1) / 2
_RAYS, _RINGS = 36, 12
_RING_FROM, _RING_TO = 30.0, 67.0
_MARK_AWAY = 27.0
_MARKS = ((_MARK_AWAY, _MARK_AWAY), (_MARK_AWAY, _CELLS - _MARK_AWAY), (_CELLS - _MARK_AWAY, _MARK_AWAY))
_DARK, _LIGHT = -1, -2

Colour = tuple[int, int, int]


def draw_code(
    where: Mapping[str, str], *, width: int, colour: Colour = (0, 0, 0), transparent: bool = False
) -> bytes:
    """A PNG of ``width`` × ``width``; the same ``where`` gives the same picture."""
    bits = hashlib.shake_256(repr(sorted(where.items())).encode()).digest(_RAYS * _RINGS // 8)
    scale = width // _CELLS
    margin = width - scale * _CELLS
    before, after = b"\x00" * (margin // 2), b"\x00" * (margin - margin // 2)
    colours = {_DARK: b"\x01" * scale, _LIGHT: b"\x00" * scale} | {
        place: (b"\x01" if bits[place // 8] >> (place % 8) & 1 else b"\x00") * scale
        for place in range(_RAYS * _RINGS)
    }
    lines = []
    for row in _layout():
        line = b"\x00" + before + b"".join([colours[cell] for cell in row]) + after
        lines.append(line * scale)
    blank = b"\x00" + b"\x00" * width
    pixels = blank * (margin // 2) + b"".join(lines) + blank * (margin - margin // 2)
    chunks = [
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, width, 8, 3, 0, 0, 0)),
        _chunk(b"PLTE", bytes((255, 255, 255, *colour))),
        *([_chunk(b"tRNS", b"\x00\xff")] if transparent else []),
        *(_chunk(b"tEXt", f"{name}\0{value}".encode("latin-1")) for name, value in where.items()),
        _chunk(b"IDAT", zlib.compress(pixels, 6)),
        _chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@cache
def _layout() -> tuple[tuple[int, ...], ...]:
    """Every cell: always dark, always light, or the number of the bit that decides."""
    return tuple(tuple(_cell(row, column) for column in range(_CELLS)) for row in range(_CELLS))


def _cell(row: int, column: int) -> int:
    for middle_row, middle_column in _MARKS:
        away = math.hypot(row - middle_row, column - middle_column)
        if away < 17:
            return _DARK if away < 7 or 11 < away < 14.5 else _LIGHT
    away = math.hypot(row - _MIDDLE, column - _MIDDLE)
    if away < _RING_FROM:
        return _DARK if away < 10 or 24 < away < 26.5 else _LIGHT
    turn = (math.atan2(row - _MIDDLE, column - _MIDDLE) / math.tau + 0.5) * _RAYS
    if away >= _RING_TO or not 0.25 < turn % 1 < 0.75:
        return _LIGHT
    ring = int((away - _RING_FROM) / (_RING_TO - _RING_FROM) * _RINGS)
    return int(turn) % _RAYS * _RINGS + ring


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
