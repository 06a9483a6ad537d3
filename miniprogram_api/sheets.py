"""Sheets (表格): tables as workbooks a clerk opens in Excel or WPS, or prints.

What people typed is text and stays text: a name that begins with ``=`` is no formula (``quotePrefix``, as if an apostrophe had been
typed), wherever the file goes on to; what Excel would read as a sign in disguise (``_x003D_``) is what was typed; and what no workbook can
hold is left out, so that one name never keeps a clerk from the others. Every page says who took it, when, and for what.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem
from openpyxl.worksheet.worksheet import Worksheet

MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

# what a spreadsheet may take for the beginning of a formula, also as East Asian keyboards type it
FORMULA_SIGNS = frozenset("=+-@\t\r\n|%＝＋－＠")
# what XML cannot carry; and how a workbook writes a sign by its number, unless its underscore is written so itself
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
SIGN_BY_NUMBER = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
LONGEST_FOOTER = 240  # Excel takes 255 characters, its own codes included
LONGEST_NAME = 60  # of a file, before its ending
NOT_IN_A_NAME = frozenset('\\/:*?"<>|\r\n\t')

FACE = "宋体"
A4, LINE_HEIGHT, TITLE_HEIGHT = 9, 26, 36

_thin = Side(style="thin", color="808080")
BOX = Border(left=_thin, right=_thin, top=_thin, bottom=_thin)
MIDDLE = Alignment(horizontal="center", vertical="center", wrap_text=True)


@dataclass(frozen=True)
class Number:
    """A number in a cell, to reckon with; ``looks`` is Excel's own way of saying how."""

    value: float
    looks: str = "0"


@dataclass(frozen=True)
class Table:
    """One page: what it is called on its tab and over its whole width, its columns with their widths, and its lines.

    ``below`` is what stands under the lines, ``watermark`` on every page of paper.
    """

    tab: str
    title: str
    about: str
    columns: Sequence[tuple[str, float]]
    lines: Sequence[Sequence[str | Number]]
    watermark: str
    below: str = ""


def workbook_of(table: Table) -> bytes:
    """The table as an .xlsx file. A line that is shorter than the columns ends with empty boxes."""
    book = Workbook()
    page = book.worksheets[0]
    page.title = table.tab
    _write_head(page, table)
    top = page.max_row + 1
    for column, (title, width) in enumerate(table.columns, start=1):
        cell = _write(page, top, column, title)
        cell.font, cell.alignment, cell.border = Font(name=FACE, size=11, bold=True), MIDDLE, BOX
        page.column_dimensions[get_column_letter(column)].width = width
    for row, line in enumerate(table.lines, start=top + 1):
        for column in range(1, len(table.columns) + 1):
            cell = _write(page, row, column, line[column - 1] if column <= len(line) else "")
            cell.font, cell.alignment, cell.border = Font(name=FACE, size=11), MIDDLE, BOX
    for row in range(top, page.max_row + 1):
        page.row_dimensions[row].height = LINE_HEIGHT if row > top else TITLE_HEIGHT
    foot = page.max_row + 1
    if table.below:
        _write(page, foot, 1, table.below).font = Font(name=FACE, size=11)
        foot += 1
    _write(page, foot, 1, table.watermark).font = Font(name=FACE, size=8, color="808080")
    _lay_out(page, table, heading=top)
    kept = BytesIO()
    book.save(kept)
    return kept.getvalue()


def named(said: str, ending: str) -> str:
    """A name any file system takes: no slashes, not too long."""
    fit = "".join(sign for sign in said if sign not in NOT_IN_A_NAME).strip(" .")[:LONGEST_NAME]
    return f"{fit or '文件'}.{ending}"


def _write_head(page: Worksheet, table: Table) -> None:
    """What it is, over the whole width."""
    titles = ((table.title, Font(name=FACE, size=16, bold=True)), (table.about, Font(name=FACE, size=10)))
    for row, (title, font) in enumerate(titles, start=1):
        cell = _write(page, row, 1, title)
        cell.font, cell.alignment = font, MIDDLE
        page.merge_cells(start_row=row, end_row=row, start_column=1, end_column=len(table.columns))
        page.row_dimensions[row].height = TITLE_HEIGHT


def _write(page: Worksheet, row: int, column: int, said: str | Number) -> Cell:
    """Text as text, whatever it begins with; and a number as one."""
    cell = page.cell(row, column)
    if not isinstance(cell, Cell):
        raise TypeError("what lies under a merge holds nothing")
    if isinstance(said, Number):
        cell.value, cell.number_format = said.value, said.looks
        return cell
    held = _as_held(said)
    cell.value = held or None
    if held:
        cell.data_type = "s"
        cell.number_format = "@"
        if held[0] in FORMULA_SIGNS:
            cell.quotePrefix = True
    return cell


def _as_held(text: str) -> str:
    """A text as a workbook holds it, so that it is read as it was typed."""
    return SIGN_BY_NUMBER.sub("_x005F_", NOT_IN_XML.sub("", text))


def _lay_out(page: Worksheet, table: Table, *, heading: int) -> None:
    """A4 across, as wide as the paper, the heading on every page, and the watermark under it."""
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = A4
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    if page.sheet_properties.pageSetUpPr is not None:
        page.sheet_properties.pageSetUpPr.fitToPage = True
    page.print_title_rows = f"1:{heading}"
    page.print_options.horizontalCentered = True
    page.page_margins.left = page.page_margins.right = 0.4
    page.page_margins.top, page.page_margins.bottom = 0.5, 0.7
    page.freeze_panes = f"C{heading + 1}"
    # & begins a code in a footer
    footer = HeaderFooterItem()
    footer.left.text = _as_held(table.watermark).replace("&", "&&")[:LONGEST_FOOTER]
    footer.right.text = "第 &P 页，共 &N 页"
    page.oddFooter = footer
