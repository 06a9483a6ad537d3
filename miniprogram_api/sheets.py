"""Sheets (表格): rosters and sign-in sheets as workbooks a clerk opens in Excel or WPS, or prints.

What people typed is text and stays text: a name that begins with ``=`` is no formula (``quotePrefix``, as if an apostrophe had been
typed), wherever the file goes on to; what Excel would read as a sign in disguise (``_x003D_``) is what was typed; and what no workbook can
hold is left out, so that one name never keeps a clerk from the others. Every page says who took it, when, and for what.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem
from openpyxl.worksheet.worksheet import Worksheet

from miniprogram_api.schemas.courses import STATE_LABELS, WORDS
from models import clock
from models.courses import CourseRun, CourseSession, Registration, Sheet, SheetKind

KIND_LABELS = {SheetKind.ROSTER: "名单", SheetKind.SIGN_IN: "签到表"}
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
A4, LINE_HEIGHT, TITLE_HEIGHT, NAME_WIDTH, EVENING_WIDTH, ANSWER_WIDTH = 9, 26, 36, 14, 11, 20

_thin = Side(style="thin", color="808080")
BOX = Border(left=_thin, right=_thin, top=_thin, bottom=_thin)
MIDDLE = Alignment(horizontal="center", vertical="center", wrap_text=True)


def workbook_of(sheet: Sheet) -> bytes:
    """The sheet as an .xlsx file."""
    book = Workbook()
    page = book.worksheets[0]
    page.title = KIND_LABELS[sheet.kind]
    columns = _roster_columns(sheet) if sheet.kind is SheetKind.ROSTER else _sign_in_columns(sheet.evenings)
    _write_head(page, sheet, most=len(columns))
    top = page.max_row + 1
    for column, (title, width) in enumerate(columns, start=1):
        cell = _write(page, top, column, title)
        cell.font, cell.alignment, cell.border = Font(name=FACE, size=11, bold=True), MIDDLE, BOX
        page.column_dimensions[get_column_letter(column)].width = width
    for number, line in enumerate(sheet.lines, start=1):
        values = _roster_line(sheet, line) if sheet.kind is SheetKind.ROSTER else [_said(line)]
        for column in range(1, len(columns) + 1):
            value = ([str(number), *values] + [""] * len(columns))[column - 1]
            cell = _write(page, top + number, column, value)
            cell.font, cell.alignment, cell.border = Font(name=FACE, size=11), MIDDLE, BOX
    for row in range(top, page.max_row + 1):
        page.row_dimensions[row].height = LINE_HEIGHT if row > top else TITLE_HEIGHT
    foot = page.max_row + 1
    if sheet.kind is SheetKind.SIGN_IN:
        _write(page, foot, 1, f"{WORDS[sheet.run.course.kind]['teacher']}签字：______________").font = Font(
            name=FACE, size=11
        )
        foot += 1
    _write(page, foot, 1, sheet.watermark).font = Font(name=FACE, size=8, color="808080")
    _lay_out(page, sheet, heading=top)
    kept = BytesIO()
    book.save(kept)
    return kept.getvalue()


def file_name_of(sheet: Sheet) -> str:
    """What the file is called: the course, when it starts, and what it is."""
    return named(f"{sheet.run.course.title}{_day(sheet.run)}{KIND_LABELS[sheet.kind]}", "xlsx")


def named(said: str, ending: str) -> str:
    """A name any file system takes: no slashes, not too long."""
    fit = "".join(sign for sign in said if sign not in NOT_IN_A_NAME).strip(" .")[:LONGEST_NAME]
    return f"{fit or '文件'}.{ending}"


def _write_head(page: Worksheet, sheet: Sheet, *, most: int) -> None:
    """What class this is, over the whole width."""
    run = sheet.run
    titles = (
        (f"{run.course.title} {KIND_LABELS[sheet.kind]}", Font(name=FACE, size=16, bold=True)),
        (
            f"{run.region.name}　{run.teacher}　{_when(sheet)}　{_where(sheet)}　共 {sheet.people} 人",
            Font(name=FACE, size=10),
        ),
    )
    for row, (title, font) in enumerate(titles, start=1):
        cell = _write(page, row, 1, title)
        cell.font, cell.alignment = font, MIDDLE
        page.merge_cells(start_row=row, end_row=row, start_column=1, end_column=most)
        page.row_dimensions[row].height = TITLE_HEIGHT


def _roster_columns(sheet: Sheet) -> list[tuple[str, float]]:
    return [
        ("序号", 6),
        ("姓名", NAME_WIDTH),
        ("手机号", 16),
        ("状态", 12),
        ("报名时间", 18),
        *((question.title, ANSWER_WIDTH) for question in sheet.questions),
        ("备注", 24),
    ]


def _roster_line(sheet: Sheet, line: Registration) -> list[str]:
    at = clock.in_town(line.registered_at)
    answers = {one.question_id: one.as_read for one in sheet.answers.get(line.resident_id, ())}
    return [
        _said(line),
        line.resident.phone or "",
        STATE_LABELS[line.state],
        f"{at:%Y-%m-%d %H:%M}",
        *(answers.get(question.id, "") for question in sheet.questions),
    ]


def _said(line: Registration) -> str:
    """Who it is, and who comes along: of a pair the adult by name, companions by their number."""
    name = line.resident.name or ""
    if line.paired_with:
        return f"{name}（家长 {line.paired_with.name or ''}）"
    return f"{name}（同行 {line.seats - 1} 人）" if line.seats > 1 else name


def _sign_in_columns(evenings: Sequence[CourseSession]) -> list[tuple[str, float]]:
    return [
        ("序号", 6),
        ("姓名", NAME_WIDTH),
        *((_evening(meeting), EVENING_WIDTH) for meeting in evenings),
    ]


def _evening(meeting: CourseSession) -> str:
    at = clock.in_town(meeting.starts_at)
    return f"{at.month}月{at.day}日\n周{clock.weekday(at)} {at:%H:%M}"


def _day(run: CourseRun) -> str:
    at = clock.in_town(run.starts_at)
    return f"{at:%Y%m%d}"


def _when(sheet: Sheet) -> str:
    first, last = clock.in_town(sheet.run.starts_at), clock.in_town(sheet.run.ends_at)
    days = f"{first.month}月{first.day}日"
    if last.date() != first.date():
        days += f"至{last.month}月{last.day}日"
    return f"{days} {first:%H:%M} 开始，共 {len(sheet.evenings)} 次"


def _where(sheet: Sheet) -> str:
    rooms = dict.fromkeys(one.venue.full_name for one in sheet.evenings)
    return "、".join(rooms)


def _write(page: Worksheet, row: int, column: int, text: str) -> Cell:
    """Text as text, whatever it begins with."""
    cell = page.cell(row, column)
    if not isinstance(cell, Cell):
        raise TypeError("what lies under a merge holds nothing")
    held = _as_held(text)
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


def _lay_out(page: Worksheet, sheet: Sheet, *, heading: int) -> None:
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
    footer.left.text = _as_held(sheet.watermark).replace("&", "&&")[:LONGEST_FOOTER]
    footer.right.text = "第 &P 页，共 &N 页"
    page.oddFooter = footer
