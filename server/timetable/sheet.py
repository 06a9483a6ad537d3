"""The sheet (一张表): where its title, its header row, its columns and its rows are.

A sheet is a community. The clerk's layout is free: title above, header found by its names, columns in any order, a merged
course name filling the rows it covers, totals and signatures below.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from server.timetable.cells import as_seen, plain
from server.timetable.columns import REQUIRED, Column, Field, columns_in, field_named
from server.timetable.faults import Findings, Place, shown
from server.timetable.moments import Month, month_in
from server.timetable.workbook import Block, Grid

HEADER_WITHIN = 30
NAMES_OF_A_HEADER = 3
WIDE_NOTE = 3
LONGEST_TIMETABLE_NAME = 40

_UNNAMED_TAB = re.compile(r"(?:sheet|工作表|表)\s*\d*", re.IGNORECASE)
_COPY_OF_TAB = re.compile(r"\s*\(\d+\)$")
# 梧桐里社区, but not the 社区 of 书香街道社区夜校 or 2026年12月社区课程表
_COMMUNITY = re.compile(
    r"(?<!\w)(?![各本全我])([^\W\d年月]{1,20}?社区)(?!夜校|教育|学校|学院|大学|课|活动|公益)"
)
_ASIDE_OF_TITLE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_NOT_A_NAME = re.compile(
    r"[\d〇零一二三四五六七八九十]+[年月]份?|\d{4}[-./]\d{1,2}|课程|课表|安排|计划|表|修订|更正|调整|最新|\W|_"
)
_NOT_A_TIMETABLE = ("说明", "填写", "示例", "样例", "选项", "字典", "参考")
_BELOW_THE_ROWS = re.compile(
    r"(?:合计|总计|共计|小计|制表|填表|审核|审批|经办|负责人|盖章|说明|备注|注[:：]|温馨提示|联系|咨询|报名电话|电话|打印|日期[:：])"
)


@dataclass(frozen=True)
class SheetRow:
    """One row of the timetable with its cells by column number, merged ones filled in."""

    number: int
    cells: Mapping[int, object]


@dataclass(frozen=True)
class Layout:
    """A sheet understood as a table. ``month`` is None when no title names it."""

    community: str
    month: Month | None
    columns: tuple[Column, ...]
    rows: tuple[SheetRow, ...]
    timetable: str = ""  # its name without community and month: 社区夜校

    def column(self, field: Field) -> Column | None:
        """The column that says this, if the sheet has one."""
        return next((column for column in self.columns if column.field is field), None)

    def row(self, number: int) -> SheetRow:
        """The row of this number."""
        return self.rows[bisect_left(self.rows, number, key=lambda row: row.number)]

    def value(self, row: SheetRow, field: Field) -> object:
        """The row's cell as the file holds it; None when blank or when the sheet has no such column."""
        column = self.column(field)
        return None if column is None else row.cells.get(column.index)

    def place(self, row: SheetRow, field: Field) -> Place:
        """Where that cell is, for naming a fault."""
        column = self.column(field)
        if column is None:
            return Place(row.number)
        return Place(row.number, column.letter, column.header, as_seen(row.cells.get(column.index)))


def lay_out(grid: Grid, *, findings: Findings) -> Layout | None:
    """The sheet as a table, or None when it is no timetable (empty, hidden lists, instructions) or cannot be one."""
    if not grid.cells:
        return None
    header = _header_row(grid)
    if header is None:
        if grid.hidden or any(word in grid.name for word in _NOT_A_TIMETABLE):
            findings.warn("没有课程表的表头，这张表跳过了")
        else:
            findings.fault("找不到表头", f"请加一行表头，写上{_names(REQUIRED)}")
        return None
    if grid.hidden:
        findings.warn("这张表是隐藏的，也一起读了", "不想导入的表请删掉")
    columns = _columns(grid, header, findings=findings)
    if columns is None:
        return None
    titles = [plain(value) for (row, _), value in sorted(grid.cells.items(), key=_place) if row < header]
    community = _community(grid.name, titles, findings=findings)
    return Layout(
        community=community,
        month=next((month for title in titles if (month := month_in(title))), None),
        columns=columns,
        rows=_rows(grid, header, columns, findings=findings),
        timetable=next((_timetable_named(title, community) for title in titles if title), ""),
    )


def _place(cell: tuple[tuple[int, int], object]) -> tuple[int, int]:
    return cell[0]


def _names(fields: tuple[Field, ...] | list[Field]) -> str:
    return "、".join(f"“{field.value}”" for field in fields)


def row_cells(grid: Grid) -> dict[int, dict[int, object]]:
    """The cells that hold something, by row and then by column, both in order."""
    by_row: dict[int, dict[int, object]] = {}
    for (row, column), value in sorted(grid.cells.items(), key=_place):
        by_row.setdefault(row, {})[column] = value
    return by_row


def _header_row(grid: Grid) -> int | None:
    """The row with the most names we know, near the top."""
    best, most = None, NAMES_OF_A_HEADER - 1
    for row, cells in list(row_cells(grid).items())[:HEADER_WITHIN]:
        known = len({field for value in cells.values() if (field := field_named(value))})
        if known > most:
            best, most = row, known
    return best


def _columns(grid: Grid, header: int, *, findings: Findings) -> tuple[Column, ...] | None:
    """The columns, each meaning once; None after naming the required ones that are missing."""
    kept: dict[Field, Column] = {}
    for column in columns_in(row_cells(grid)[header]):
        if column.field is None:
            findings.warn(
                "不认识这一列，没有读",
                "需要的话请改用模板里的列名",
                at=Place(header, column.letter, column.header),
            )
        elif column.field in kept:
            first = kept[column.field]
            findings.fault(
                f"和{first.letter}列“{shown(first.header)}”是同一个意思，不知道该读哪一列",
                "请删掉或改名其中一列",
                at=Place(header, column.letter, column.header),
            )
        else:
            kept[column.field] = column
    missing = [field for field in REQUIRED if field not in kept]
    if missing:
        findings.fault(f"表头缺少{_names(missing)}", "请补上这些列", at=Place(header))
        return None
    return tuple(kept.values())


def _community(tab: str, titles: list[str], *, findings: Findings) -> str:
    """The community's name: the tab's, or the title's when the tab was never named."""
    name = _COPY_OF_TAB.sub("", plain(tab)).strip()
    titled = next((found[1] for title in titles if (found := _COMMUNITY.search(title))), "")
    if not titled:
        if not name or _UNNAMED_TAB.fullmatch(name):
            findings.fault(f"看不出“{shown(name)}”是哪个社区", "请把表名改成社区的名字，例如 梧桐里社区")
        return name
    if not name or _UNNAMED_TAB.fullmatch(name):
        return titled
    if titled.endswith(f"{name}社区"):
        return f"{name}社区"
    if name not in titled and titled not in name:
        findings.fault(f"表名是“{shown(name)}”，标题里却是“{shown(titled)}”", "请改成同一个社区")
    return name


def _timetable_named(title: str, community: str) -> str:
    """What a title calls the timetable, once community, month and 课程安排表 are taken away: 社区夜校."""
    rest = _ASIDE_OF_TITLE.sub("", title)
    for name in (community, community.removesuffix("社区")):
        if name and rest.startswith(name):
            rest = rest.removeprefix(name)
            break
    return _NOT_A_NAME.sub("", rest)[:LONGEST_TIMETABLE_NAME]


def _rows(
    grid: Grid, header: int, columns: tuple[Column, ...], *, findings: Findings
) -> tuple[SheetRow, ...]:
    indexes = {column.field: column.index for column in columns}
    counted = indexes.get(Field.NUMBER)
    read = {column.index for column in columns} - {counted}
    wide = {block.top for block in grid.merged if block.right - block.left + 1 >= WIDE_NOTE}
    table: dict[int, dict[int, object]] = {}
    for row, cells in row_cells(grid).items():
        if row <= header or field_named(cells.get(indexes[Field.COURSE])) is Field.COURSE:
            continue  # above the table, or the header printed again on the next page
        says_something = any(index in read for index in cells)
        first = plain(next(iter(cells.values())))
        words = next((plain(value) for index, value in cells.items() if index != counted), first)
        if indexes[Field.DATE] in cells or indexes[Field.STARTS] in cells:
            table[row] = cells
        elif row in wide or _BELOW_THE_ROWS.match(first) or _BELOW_THE_ROWS.match(words.replace(" ", "")):
            findings.warn(f"“{shown(first)}”不像一节课，这一行跳过了", at=Place(row))
        elif says_something:
            table[row] = cells
        elif set(cells) != {counted}:
            findings.warn("只在不认识的列里有字，这一行跳过了", at=Place(row))
    filled = filled_down(grid, table)
    return tuple(SheetRow(row, {**filled.get(row, {}), **cells}) for row, cells in sorted(table.items()))


def filled_down(grid: Grid, table: Mapping[int, Mapping[int, object]]) -> dict[int, dict[int, object]]:
    """What cells merged down a column give to the rows they cover; rows with nothing of their own stay blank."""
    rows = sorted(table)
    filled: dict[int, dict[int, object]] = {}
    for block in grid.merged:
        if block.left == block.right and (block.top, block.left) in grid.cells:
            for row in _between(rows, block):
                filled.setdefault(row, {})[block.left] = grid.cells[block.top, block.left]
    return filled


def _between(rows: list[int], block: Block) -> list[int]:
    return rows[bisect_left(rows, block.top) : bisect_right(rows, block.bottom)]
