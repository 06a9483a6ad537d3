"""The workbook (表格文件): opening a file somebody sent, without trusting it.

A file is unpacked once under a byte limit and repacked plain before openpyxl sees it, so a small file that swells (zip
bomb), one with a million empty cells or styles, a merge over a million cells or an entity trick is refused instead of eating
the machine: openpyxl makes an object of each, half a kilobyte and more. What comes out is grids: only the cells that hold
something, as values.
"""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import openpyxl
from openpyxl.utils import column_index_from_string
from openpyxl.utils.datetime import WINDOWS_EPOCH
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from models.errors import Fault, Invalid
from server.timetable.cells import Uncalculated, as_seen

MOST_BYTES = 5 * 1024 * 1024
MOST_BYTES_UNPACKED = 48 * 1024 * 1024
MOST_PARTS = 2000
MOST_ROWS = 5000
MOST_SHEETS = 100
MOST_MERGED_CELLS = 200_000
LONGEST_TEXT = 32_767  # of one cell, as Excel itself has it
MOST_TEXT = 3_000_000  # characters in all cells: the same long text may stand in every one of them
MOST_TAGS = (
    300_000  # elements in all parts, begins and ends; 5,000 rows of 15 cells are 300,000. Attributes likewise
)
CHUNK = 64 * 1024

SAVE_AS = "请用 Excel 或 WPS 打开，另存为 .xlsx 后再导入"

_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MERGE = (
    re.compile(  # [^<>]: a tag that never ends must not be searched through to the end from each beginning
        rb"<(?:\w+:)?mergeCell\s[^<>]*?ref\s*=\s*[\"']\$?([A-Z]{1,3})\$?(\d{1,7}):\$?([A-Z]{1,3})\$?(\d{1,7})"
    )
)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_SHARED = re.compile(rb"(<(?:\w+:)?f\s[^<>]*?)\bt\s*=\s*([\"'])shared\2")
_ENCODING = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']+)")


class Block(NamedTuple):
    """A merged range, ends included."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True)
class Grid:
    """One sheet: its tab's name and the cells that hold something, by (row, column), both from 1."""

    name: str
    cells: Mapping[tuple[int, int], object]
    merged: tuple[Block, ...] = ()
    hidden: bool = False
    epoch: datetime = WINDOWS_EPOCH

    @property
    def rows(self) -> list[int]:
        """The numbers of the rows that hold something, in order."""
        return sorted({row for row, _ in self.cells})


def open_workbook(path: Path | str) -> tuple[Grid, ...]:
    """The file's sheets in order. Raises ``Invalid`` (``timetable_unreadable``) when the file is not one we can read."""
    parts = _unpack(_read(Path(path)))
    has_formulas = any(_FORMULA.search(part) for part in parts.values())
    repacked = _repack(parts)
    del parts
    values = _load(repacked, values=True)
    if len(values.worksheets) > MOST_SHEETS:
        raise _refused(f"这个文件有 {len(values.worksheets)} 张表，太多了", f"一次最多 {MOST_SHEETS} 张")
    formulas = _load(repacked, values=False) if has_formulas else None
    _check_texts([values, *([formulas] if formulas is not None else [])])
    return tuple(
        _grid(sheet, formulas=formulas[sheet.title] if formulas is not None else None, epoch=values.epoch)
        for sheet in values.worksheets
    )


def _refused(message: str, advice: str) -> Invalid:
    sentence = f"{message}。{advice}"
    return Invalid(
        [Fault("file", sentence, "timetable_unreadable")], code="timetable_unreadable", message=sentence
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as problem:
        raise _refused("打不开这个文件", "请检查文件名和所在的文件夹") from problem
    if not raw:
        raise _refused("这个文件是空的", "请检查是不是选错了文件")
    if len(raw) > MOST_BYTES:
        raise _refused("这个文件超过 5 MB", "请删掉图片和多余的表再导入")
    if raw.startswith(_OLD_EXCEL):
        if _ENCRYPTED in raw:
            raise _refused("这个文件加了密码", "请去掉密码，另存为 .xlsx 后再导入")
        raise _refused("这是老格式的表格（.xls 或 .et）", SAVE_AS)
    return raw


def _unpack(raw: bytes) -> dict[str, bytes]:
    """Every part of the package, read in small pieces so that no lie in the package's own headers costs memory."""
    parts: dict[str, bytes] = {}
    left = MOST_BYTES_UNPACKED
    try:
        with zipfile.ZipFile(BytesIO(raw)) as package:
            entries = package.infolist()
            if len(entries) > MOST_PARTS:
                raise _refused("这个文件里的东西太多了", SAVE_AS)
            for entry in entries:
                if entry.flag_bits & 0x1:
                    raise _refused("这个文件加了密码", "请去掉密码，另存为 .xlsx 后再导入")
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise _refused("这不是普通的 .xlsx 文件", SAVE_AS)
                pieces = []
                with package.open(entry) as part:
                    while piece := part.read(CHUNK):
                        left -= len(piece)
                        if left < 0:
                            raise _refused("这个文件解开后太大了", "请删掉图片和多余的表再导入")
                        pieces.append(piece)
                parts[entry.filename] = b"".join(pieces)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError) as problem:
        raise _refused("这不是 .xlsx 文件，或者文件已经损坏", SAVE_AS) from problem
    _check(parts)
    return parts


def _check(parts: Mapping[str, bytes]) -> None:
    if "[Content_Types].xml" not in parts or "xl/workbook.xml" not in parts:
        raise _refused("这不是 .xlsx 文件", SAVE_AS)
    merged = tags = attributes = 0
    for name, part in parts.items():
        if not _is_read(name):
            continue
        encoding = _ENCODING.match(part.removeprefix(b"\xef\xbb\xbf"))
        foreign = encoding is not None and encoding[1].upper() not in (b"UTF-8", b"UTF8", b"US-ASCII")
        if foreign or b"\0" in part or b"<!DOCTYPE" in part or b"<!ENTITY" in part:
            raise _refused("这不是普通的 .xlsx 文件", SAVE_AS)
        tags, attributes = tags + part.count(b"<"), attributes + part.count(b"=")
        if max(tags, attributes) > MOST_TAGS:
            raise _refused("这个文件里的格子或格式太多了", "请删掉课程表以外的行、列、格式和多余的表再导入")
        for left, top, right, bottom in _MERGE.findall(part):
            width = column_index_from_string(right.decode()) - column_index_from_string(left.decode()) + 1
            merged += width * (int(bottom) - int(top) + 1)
    if merged > MOST_MERGED_CELLS:
        raise _refused("合并的单元格太多了", "请取消大片的合并单元格再导入")


def _is_read(name: str) -> bool:
    """Whether openpyxl gets to see what is in this part. Pictures, and whatever else is no XML by its name, it gets empty."""
    return name.lower().endswith((".xml", ".rels"))


def _repack(parts: Mapping[str, bytes]) -> bytes:
    plain = BytesIO()
    with zipfile.ZipFile(plain, "w", zipfile.ZIP_STORED) as package:
        for name, part in parts.items():
            # openpyxl would write a formula out anew for every cell that shares it, however long it is
            package.writestr(name, _SHARED.sub(rb"\1", part) if _is_read(name) else b"")
    return plain.getvalue()


def _load(package: bytes, *, values: bool) -> Workbook:
    # openpyxl raises whatever its parser trips over; for the clerk all of it means "this file is broken"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns about styles and drawings nobody asked it to keep
            return openpyxl.load_workbook(BytesIO(package), data_only=values, keep_links=False)
    except Exception as problem:
        raise _refused("这个文件已经损坏，读不出来", SAVE_AS) from problem


def _check_texts(workbooks: Sequence[Workbook]) -> None:
    """Reading costs time for every character, and more than that where a long text almost says something."""
    for workbook in workbooks:
        lengths = [
            len(cell.value)
            for sheet in workbook.worksheets
            for cell in sheet._cells.values()  # noqa: SLF001
            if isinstance(cell.value, str)
        ]
        if sum(lengths) > MOST_TEXT or max(lengths, default=0) > LONGEST_TEXT:
            raise _refused("这个文件里的文字太多了", "请删掉课程表以外的长文字再导入")


def _grid(sheet: Worksheet, *, formulas: Worksheet | None, epoch: datetime) -> Grid:
    # walking the sheet's own cells, not iter_rows: one stray mark in XFD1048576 would make it create billions of them
    cells: dict[tuple[int, int], object] = {}
    for place, cell in sheet._cells.items():  # noqa: SLF001
        value: object = cell.value
        if getattr(cell, "data_type", "") == "e":
            value = Uncalculated(str(value))
        if value is not None and (isinstance(value, Uncalculated) or as_seen(value)):
            cells[place] = value
    for place, cell in formulas._cells.items() if formulas is not None else ():  # noqa: SLF001
        if getattr(cell, "data_type", "") == "f" and place not in cells:
            written = cell.value if isinstance(cell.value, str) else "="
            cells[place] = Uncalculated(written)
    if len({row for row, _ in cells}) > MOST_ROWS:
        raise _refused(f"「{sheet.title}」超过 {MOST_ROWS} 行", "请按社区或按月拆成几个文件")
    merged = tuple(
        Block(top=block.min_row, bottom=block.max_row, left=block.min_col, right=block.max_col)
        for block in sheet.merged_cells.ranges
    )
    return Grid(
        name=sheet.title, cells=cells, merged=merged, hidden=sheet.sheet_state != "visible", epoch=epoch
    )
