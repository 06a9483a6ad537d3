"""The tables (登记表): the tabs 区域, 站点 and 场地 of a places file, row by row, columns found by their names in any order.

What a cell does not say is noted at the cell, and the row goes without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from openpyxl.utils import get_column_letter

from models.regions import RegionKind
from models.sites import SiteKind, VenueUse
from server.timetable.cells import Unreadable, as_seen, plain, read_text
from server.timetable.columns import bare_header
from server.timetable.faults import Findings, Place, shown
from server.timetable.sheet import filled_down, row_cells
from server.timetable.workbook import Grid

HEADER_WITHIN = 30
NAMES_OF_A_HEADER = 2
MOST_PEOPLE = 10_000

REGION_KINDS: Mapping[RegionKind, str] = {
    RegionKind.CITY: "市",
    RegionKind.DISTRICT: "区/县",
    RegionKind.STREET: "街道/镇/乡",
    RegionKind.COMMUNITY: "社区/村",
    RegionKind.GRID: "网格",
    RegionKind.MICRO_GRID: "微网格",
    RegionKind.BUILDING: "楼栋",
    RegionKind.UNIT: "单元",
}
SITE_KINDS: Mapping[SiteKind, str] = {
    SiteKind.CENTRE: "党群服务中心/中心",
    SiteKind.STATION: "党群服务站/站",
    SiteKind.REST_STATION: "驿站",
}

VENUE_USES: Mapping[VenueUse, str] = {
    VenueUse.WALK_IN: "随到随用/不用预约",
    VenueUse.AT_ONCE: "预约即可/自动通过",
    VenueUse.AFTER_INDUCTION: "培训后预约/先培训",
    VenueUse.REVIEWED: "预约审核/需要审核",
    VenueUse.STAFF_ONLY: "工作人员安排/不接受预约",
}

Kind = TypeVar("Kind", bound=StrEnum)
T = TypeVar("T")


@dataclass(frozen=True)
class Tab:
    """One tab of the file: its columns, each with the other names clerks give it, and those it cannot do without."""

    name: str
    columns: Mapping[str, str]
    required: tuple[str, ...]


REGIONS = Tab(
    "区域",
    {
        "编码": "区域编码 代码 区划代码 行政区划代码",
        "类型": "区域类型 级别 类别",
        "名称": "区域名称 区域 名字",
        "上级": "上级区域 上级名称 上级编码 所属上级",
    },
    ("编码", "类型", "名称", "上级"),
)
SITES = Tab(
    "站点",
    {
        "所在区域": "区域 社区 所在社区 所属区域 所属社区",
        "类型": "站点类型 级别 类别",
        "名称": "站点名称 站点 名字",
        "地址": "站点地址 位置",
        "电话": "联系电话 服务电话",
    },
    ("所在区域", "类型", "名称"),
)
ROOMS = Tab(
    "场地",
    {
        "站点": "所在站点 所属站点 站点名称",
        "名称": "场地名称 场地 房间 名字",
        "容纳人数": "可容纳人数 人数 容量 座位数",
        "由哪几间合成": "合成 组成 由哪几间组成",
        "楼层": "所在楼层 层",
        "使用方式": "预约方式 开放方式",
        "进门说明": "进入方式 开门方式 门禁说明",
    },
    ("站点", "名称", "容纳人数"),
)
TABS = (REGIONS, SITES, ROOMS)


@dataclass(frozen=True)
class Row:
    """One row of a tab; ``columns`` are the numbers of those the tab has."""

    number: int
    columns: Mapping[str, int]
    headers: Mapping[str, str]
    cells: Mapping[int, object]
    findings: Findings

    def says(self, column: str) -> str:
        """What stands in the cell, "" when it is blank or there is no such column."""
        return plain(self.cells.get(self.columns.get(column, 0)))

    def read(self, column: str, meaning: Callable[[object], T]) -> T | None:
        """What the cell means; None, with the fault noted at it, when it is blank or means nothing."""
        value = self.cells.get(self.columns.get(column, 0))
        try:
            if value is None:
                raise Unreadable("没有填", "请补上")
            return meaning(value)
        except Unreadable as unreadable:
            self.fault(column, unreadable.message, unreadable.advice)
            return None

    def fault(self, column: str, message: str, advice: str = "") -> None:
        """Note something that must be mended, at its cell."""
        index = self.columns.get(column)
        letter = get_column_letter(index) if index else ""
        at = Place(self.number, letter, self.headers.get(column, ""), self.says(column))
        self.findings.fault(message, advice, at=at)


@dataclass
class Tables:
    """What a file says of places: the rows of each tab, and what was noticed while reading."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    found: list[Findings] = field(default_factory=list)

    def of(self, tab: Tab) -> list[Row]:
        """The rows of a tab, none when the file does not have it."""
        return self.rows.get(tab.name, [])


def read_tables(grids: Sequence[Grid]) -> Tables:
    """The tabs of an opened file. What is wrong is noted, not raised."""
    tables = Tables(found=[Findings()])
    known = {tab.name: tab for tab in TABS}
    for grid in grids:
        findings = Findings(grid.name)
        tables.found.append(findings)
        tab = known.get(plain(grid.name))
        if tab is not None:
            tables.rows[tab.name] = _rows(grid, tab, findings)
        elif grid.cells:
            findings.warn("不认识这张表，跳过了", f"要导入的话，请把表名改成{_quoted(known)}之一")
    if not tables.rows:
        tables.found[0].fault(f"没有找到{_quoted(known)}中的任何一张表", "请检查表名，或是不是选错了文件")
    elif not any(tables.rows.values()) and not any(findings.faults for findings in tables.found):
        tables.found[0].fault("一个地方也没有写", "请检查是不是选错了文件")
    return tables


def read_code(value: object) -> str:
    """A region's code: up to 32 letters, digits and hyphens; it is part of the path, which slashes divide."""
    code = plain(read_text(value, most=32))
    if not re.fullmatch("[0-9A-Za-z-]{1,32}", code):
        raise Unreadable(f"编码“{shown(code)}”不能用", "请只写数字、字母和短横，例如 990101001001 或 WT-01")
    return code


def read_people(value: object) -> int:
    """How many people a room takes."""
    text = plain(read_text(value, most=20)).removesuffix("人").strip()
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_PEOPLE):
        raise Unreadable(f"看不懂“{shown(text)}”", f"请写 1 到 {MOST_PEOPLE} 的整数，例如 20")
    return int(text)


def text_of(most: int) -> Callable[[object], str]:
    """Reads text of at most so many characters."""
    return lambda value: read_text(value, most=most)


def kind_of(words: Mapping[Kind, str], what: str = "类型") -> Callable[[object], Kind]:
    """Reads one of these kinds of ``what`` by any of its words."""

    def kind(value: object) -> Kind:
        written = plain(read_text(value, most=20))
        for known, word in words.items():
            if written in (word, *word.split("/")):
                return known
        raise Unreadable(f"没有“{shown(written)}”这种{what}", f"可以写：{'、'.join(words.values())}")

    return kind


def _rows(grid: Grid, tab: Tab, findings: Findings) -> list[Row]:
    names = {name: column for column, others in tab.columns.items() for name in (column, *others.split())}
    by_row = row_cells(grid)
    number = _header_row(by_row, names)
    if number is None:
        if grid.cells:
            findings.fault("找不到表头", f"请加一行表头，写上{_quoted(tab.columns)}")
        return []
    cells = by_row[number]
    columns: dict[str, int] = {}
    for index, value in cells.items():
        column = names.get(bare_header(value))
        at = Place(number, get_column_letter(index), as_seen(value))
        if column is None:
            findings.warn("不认识这一列，没有读", at=at)
        elif column in columns:
            findings.fault("有两列是同一个意思，不知道该读哪一列", "请删掉或改名其中一列", at=at)
        else:
            columns[column] = index
    missing = [column for column in tab.required if column not in columns]
    if missing:
        findings.fault(f"表头缺少{_quoted(missing)}", "请补上这些列", at=Place(number))
        return []
    headers = {column: as_seen(cells[index]) for column, index in columns.items()}
    table = {
        row: below for row, below in by_row.items() if row > number and set(below) & set(columns.values())
    }
    filled = filled_down(grid, table)
    return [
        Row(row, columns, headers, {**filled.get(row, {}), **below}, findings) for row, below in table.items()
    ]


def _header_row(by_row: Mapping[int, Mapping[int, object]], names: Mapping[str, str]) -> int | None:
    """The first row near the top that names some of the columns."""
    for number, cells in list(by_row.items())[:HEADER_WITHIN]:
        known = {names.get(bare_header(value)) for value in cells.values()} - {None}
        if len(known) >= NAMES_OF_A_HEADER:
            return number
    return None


def _quoted(names: Sequence[str] | Mapping[str, object]) -> str:
    return "、".join(f"“{name}”" for name in names)
