"""Files that cannot be read are refused whole, and nothing a file does eats the machine."""

from __future__ import annotations

import zipfile
from pathlib import Path
from time import process_time

import pytest

from models.errors import Invalid
from server.timetable import read_timetable
from server.timetable.workbook import MOST_ROWS
from tests.data.make_timetable import COMMITTED, lesson, one_sheet, write_workbook
from tests.server.timetable.conftest import Reads


def refusal(path: Path) -> str:
    with pytest.raises(Invalid) as refused:
        read_timetable(path)
    assert refused.value.code == "timetable_unreadable"
    assert refused.value.faults[0].message == refused.value.message
    return refused.value.message


def tampered(path: Path, *, part: str, swap: tuple[bytes, bytes], by_zip: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(COMMITTED) as whole, zipfile.ZipFile(path, "w", by_zip) as copy:
        for entry in whole.infolist():
            text = whole.read(entry)
            copy.writestr(entry.filename, text.replace(*swap) if entry.filename == part else text)
    return path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "空的"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "另存为 .xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "密码"),
        ("课程名称,类别\n".encode("gbk"), "另存为 .xlsx"),
        (b"PK\x03\x04 broken", "损坏"),
        (b"x" * (5 * 1024 * 1024 + 1), "5 MB"),
    ],
)
def test_a_file_that_is_no_workbook_is_refused_with_what_to_do(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "timetable.xls"
    path.write_bytes(content)
    assert said in refusal(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "打不开" in refusal(tmp_path / "nowhere.xlsx")
    assert "打不开" in refusal(tmp_path)


def test_a_zip_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "timetable.xlsx"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    assert "不是 .xlsx" in refusal(path)


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "timetable.xlsx"
    path.write_bytes(COMMITTED.read_bytes()[:-400])
    assert "损坏" in refusal(path)


def test_a_damaged_sheet_is_refused(tmp_path: Path) -> None:
    path = tampered(tmp_path / "t.xlsx", part="xl/worksheets/sheet1.xml", swap=(b"</sheetData>", b"</sheet"))
    assert "损坏" in refusal(path)


def test_a_small_file_that_swells_is_refused(tmp_path: Path) -> None:
    swap = (b"<sheetData>", b"<sheetData>" + b" " * (60 * 1024 * 1024))
    path = tampered(tmp_path / "t.xlsx", part="xl/worksheets/sheet1.xml", swap=swap)
    assert path.stat().st_size < 1024 * 1024
    assert "太大" in refusal(path)


def test_entity_tricks_are_refused(tmp_path: Path) -> None:
    swap = (b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "a">]><worksheet')
    assert "不是普通的" in refusal(tampered(tmp_path / "t.xlsx", part="xl/worksheets/sheet1.xml", swap=swap))


def test_a_merge_over_the_whole_sheet_is_refused(tmp_path: Path) -> None:
    path = tampered(tmp_path / "t.xlsx", part="xl/worksheets/sheet1.xml", swap=(b"A1:M1", b"A1:XFD1048576"))
    assert "合并" in refusal(path)


def test_a_merge_in_a_part_of_another_name_does_no_harm(tmp_path: Path) -> None:
    path, part = tmp_path / "t.xlsx", "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(COMMITTED) as whole, zipfile.ZipFile(path, "w") as copy:
        for entry in whole.infolist():
            text = whole.read(entry).replace(b"sheet1.xml", b"sheet1.bin")
            if entry.filename == part:
                text = text.replace(b"A1:M1", b"A1:XFD1048576")
            copy.writestr(entry.filename.replace("sheet1.xml", "sheet1.bin"), text)
    assert "损坏" in refusal(path)


@pytest.mark.parametrize(
    ("part", "before", "filling"),
    [
        ("xl/worksheets/sheet1.xml", b"</sheetData>", b"<row>" + b"<c/>" * 3_000_000 + b"</row>"),
        ("xl/worksheets/sheet1.xml", b"</sheetData>", b'<row ht="9"/>' * 400_000),
        ("xl/worksheets/sheet1.xml", b"</worksheet>", b"<a>" * 200_000 + b"</a>" * 200_000),
        ("xl/worksheets/sheet1.xml", b"</sheetData>", b"<row " + b'a="" ' * 400_000 + b"/>"),
        ("xl/styles.xml", b"</cellXfs>", b"<xf/>" * 1_000_000),
    ],
)
def test_a_file_of_a_million_nothings_is_refused_before_it_is_read(
    tmp_path: Path, part: str, before: bytes, filling: bytes
) -> None:
    path = tampered(tmp_path / "t.xlsx", part=part, swap=(before, filling + before))
    assert path.stat().st_size < 1024 * 1024
    began = process_time()
    assert "格子或格式太多" in refusal(path)
    assert process_time() - began < 5  # read by openpyxl it takes a minute, and gigabytes


def test_tags_that_never_end_are_not_searched_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(COMMITTED.read_bytes())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/more.xml", b"<mergeCell " * 200_000)
    began = process_time()
    read_timetable(path)
    assert process_time() - began < 30  # searched from each to the end it is more than an hour


def test_one_long_text_in_every_cell_is_refused(tmp_path: Path) -> None:
    draft = one_sheet(lesson(), below=[["长" * 30_000]] * 200)
    assert "文字太多" in refusal(write_workbook(tmp_path / "t.xlsx", [draft]))


def test_a_text_longer_than_excel_allows_is_refused(tmp_path: Path) -> None:
    swap = (
        b"</sheetData>",
        b'<row><c t="inlineStr"><is><t>' + b"x" * 40_000 + b"</t></is></c></row></sheetData>",
    )
    assert "文字太多" in refusal(tampered(tmp_path / "t.xlsx", part="xl/worksheets/sheet1.xml", swap=swap))


def test_a_long_formula_shared_by_many_cells_is_not_written_out_for_each(tmp_path: Path) -> None:
    formula = b"A1+" * 20_000 + b"A1"
    first = (
        b'<row r="900"><c r="O900"><f t="shared" si="0" ref="O900:O4900">'
        + formula
        + b"</f><v>1</v></c></row>"
    )
    rest = b"".join(
        b'<row r="%d"><c r="O%d"><f t="shared" si="0"/><v>1</v></c></row>' % (n, n) for n in range(901, 4900)
    )
    swap = (b"</sheetData>", first + rest + b"</sheetData>")
    began = process_time()
    assert "文字太多" in refusal(tampered(tmp_path / "t.xlsx", part="xl/worksheets/sheet1.xml", swap=swap))
    assert process_time() - began < 30


def test_one_stray_mark_in_the_last_cell_costs_nothing(tmp_path: Path) -> None:
    swap = (b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')
    plan = read_timetable(tampered(tmp_path / "t.xlsx", part="xl/worksheets/sheet1.xml", swap=swap))
    assert plan.is_clean
    assert sum(warning.row == 1048576 for warning in plan.warnings) == 1


def test_a_sheet_of_too_many_rows_is_refused(tmp_path: Path) -> None:
    draft = one_sheet(lesson(), below=[["合计"]] * MOST_ROWS)
    assert "5000 行" in refusal(write_workbook(tmp_path / "long.xlsx", [draft]))


def test_a_date_outside_excels_calendar_is_a_fault_not_a_crash(reads: Reads, tmp_path: Path) -> None:
    reads(lesson())
    path = tmp_path / "t.xlsx"
    part = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(COMMITTED) as whole:
        sheet = whole.read(part)
    cell = sheet[sheet.index(b'r="E7"') :]
    value = cell[cell.index(b"<v>") : cell.index(b"</v>")]
    old = cell[: cell.index(b"</v>")]
    plan = read_timetable(tampered(path, part=part, swap=(old, old.replace(value, b"<v>99999999999"))))
    assert [(fault.row, fault.column) for fault in plan.faults] == [(7, "E")]
