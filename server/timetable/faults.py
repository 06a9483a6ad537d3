"""Faults (要改的地方): what is wrong with a timetable, named by sheet, row and column, with what to write instead.

A clerk mends the sheet with this list in hand, so every cause is named once, in the order of the sheet, all at once.
Warnings (提醒) have the same shape and stop nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from openpyxl.utils import column_index_from_string

from models import errors

MOST_LISTED = 200
LONGEST_SEEN = 30


@dataclass(frozen=True)
class Fault:
    """One place in the file and what to do about it. ``row`` 0 means the whole sheet, ``sheet`` "" the whole file."""

    sheet: str
    row: int
    column: str  # the column's letter, "" when the whole row is meant
    header: str  # the column's name as the clerk wrote it
    seen: str  # the cell as the clerk sees it, shortened
    message: str
    advice: str
    code: str = "timetable_fault"  # stable, for callers that must tell kinds apart

    @property
    def place(self) -> str:
        """Where it is, as a clerk would say it: 「梧桐里社区」第7行 E列“上课日期”."""
        sheet = f"「{shown(self.sheet)}」" if self.sheet else "整个文件"
        row = f"第{self.row}行" if self.row else ""
        column = f" {self.column}列" if self.column else ""
        header = f"“{self.header}”" if self.header else ""
        return f"{sheet}{row}{column}{header}"

    @property
    def line(self) -> str:
        """The whole fault on one line, in Chinese."""
        advice = f"。{self.advice}" if self.advice else ""
        return f"{self.place}：{self.message}{advice}"

    def __str__(self) -> str:
        return self.line

    def as_refused(self) -> errors.Fault:
        """The same fault in the shape refusals carry."""
        cell = f"{self.column}{self.row}" if self.column else str(self.row or "")
        return errors.Fault(field=f"{self.sheet}!{cell}", message=self.line, code=self.code)


class Place(NamedTuple):
    """Where on a sheet: row 0 is the whole sheet, column "" the whole row."""

    row: int = 0
    column: str = ""
    header: str = ""
    seen: str = ""


WHOLE_SHEET = Place()


@dataclass
class Findings:
    """What was found on one sheet (or, with ``sheet`` "", about the file), in the order it was noticed."""

    sheet: str = ""
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    def fault(
        self, message: str, advice: str = "", *, at: Place = WHOLE_SHEET, code: str = "timetable_fault"
    ) -> None:
        """Note something that must be mended before anything is imported."""
        self.faults.append(self._found(message, advice, at=at, code=code))

    def warn(
        self, message: str, advice: str = "", *, at: Place = WHOLE_SHEET, code: str = "timetable_warning"
    ) -> None:
        """Note something the clerk should look at."""
        self.warnings.append(self._found(message, advice, at=at, code=code))

    def _found(self, message: str, advice: str, *, at: Place, code: str) -> Fault:
        return Fault(
            sheet=self.sheet,
            row=at.row,
            column=at.column,
            header=shown(at.header),
            seen=shown(at.seen),
            message=message,
            advice=advice,
            code=code,
        )


def listed(found: Sequence[Sequence[Fault]]) -> tuple[Fault, ...]:
    """The findings of every sheet in turn, in row and column order, none twice, the tail counted rather than listed."""
    ordered = [fault for sheet in found for fault in sorted(dict.fromkeys(sheet), key=_position)]
    if len(ordered) <= MOST_LISTED:
        return tuple(ordered)
    left = len(ordered) - MOST_LISTED
    tail = Fault("", 0, "", "", "", f"还有 {left} 处没有列出", "改好上面这些再导入一次，就会列出其余的")
    return (*ordered[:MOST_LISTED], tail)


def shown(value: str) -> str:
    """A cell's text fit for a sentence: one line, no control characters, no longer than a glance."""
    line = " ".join("".join("□" if unicodedata.category(c) in ("Cs", "Cn") else c for c in value).split())
    line = "".join("□" if unicodedata.category(c) == "Cc" else c for c in line)
    return line if len(line) <= LONGEST_SEEN else f"{line[:LONGEST_SEEN]}…"


def _position(fault: Fault) -> tuple[int, int]:
    return fault.row, column_index_from_string(fault.column) if fault.column else 0
