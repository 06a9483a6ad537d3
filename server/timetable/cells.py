"""Cells (单元格): what one messy cell means, whatever way the clerk wrote it.

Every reader takes a cell's value as the file holds it (text, number, Excel date) and gives back one plain value, or
raises ``Unreadable`` with a Chinese sentence and what to write instead. Nothing else is ever raised for content.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from openpyxl.utils.escape import unescape

from server.timetable.faults import shown

MOST_SEATS = 2000
LARGEST_EXACT = 10**15  # above it a float no longer counts by ones

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u2060\ufeff\u00ad"))
_CAPACITY = re.compile(r"(?:限|共)?\s*(\d{1,9})\s*(?:人|名|个|位|组|对)?")


class Unreadable(Exception):
    """The cell does not say anything we understand. ``message`` says what, ``advice`` what to write instead."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message, advice)
        self.message = message
        self.advice = advice


@dataclass(frozen=True)
class Uncalculated:
    """A formula without a result, or one whose result is an error: there is no value to read."""

    text: str


def as_seen(value: object) -> str:
    """The cell as the clerk sees it, near enough to recognise."""
    match value:
        case None:
            text = ""
        case Uncalculated():
            text = value.text or "="
        case bool():
            text = "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) < LARGEST_EXACT:
            text = str(int(value))
        case datetime():
            text = value.strftime("%Y-%m-%d %H:%M") if value.time() != time(0) else value.strftime("%Y-%m-%d")
        case time():
            text = value.strftime("%H:%M")
        case timedelta():
            minutes = round(value / timedelta(minutes=1))
            text = f"{minutes // 60}:{minutes % 60:02d}"
        case _:
            text = str(value)
    return tidy(text)


def tidy(text: str) -> str:
    """Text as it was meant: Excel's escapes undone, invisible marks gone, white space folded, ends trimmed."""
    return " ".join(unescape(text).translate(_INVISIBLE).split())


def plain(value: object) -> str:
    """Text made easy to compare: tidy, and full-width letters, digits and punctuation made half-width."""
    return " ".join(unicodedata.normalize("NFKC", as_seen(value)).split())


def refuse_uncalculated(value: object) -> None:
    """Raise ``Unreadable`` when the cell is a formula with no usable result."""
    if isinstance(value, Uncalculated):
        raise Unreadable(f"公式“{shown(value.text)}”没有算出结果", "请把这一列复制后“粘贴为数值”")


def read_text(value: object, *, most: int) -> str:
    """The cell's text, "" when blank, at most ``most`` characters, free of control characters."""
    refuse_uncalculated(value)
    text = as_seen(value)
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise Unreadable(f"“{shown(text)}”里有看不见的控制字符", "请删掉这一格，重新打一遍")
    if len(text) > most:
        raise Unreadable(f"有 {len(text)} 个字，太长了", f"请缩到 {most} 个字以内")
    return text


def read_capacity(value: object) -> int:
    """How many seats: a whole number from 1 to ``MOST_SEATS``."""
    refuse_uncalculated(value)
    text = plain(value)
    advice = f"请写 1 到 {MOST_SEATS} 的整数，例如 20"
    if isinstance(value, bool):
        raise Unreadable(f"看不懂“{shown(text)}”", advice)
    if isinstance(value, float) and not value.is_integer():
        raise Unreadable(f"名额“{shown(text)}”不是整数", advice)
    written = _CAPACITY.fullmatch(text)
    if written is None:
        raise Unreadable(f"看不懂“{shown(text)}”", advice)
    seats = int(written[1])
    if not 1 <= seats <= MOST_SEATS:
        raise Unreadable(f"名额不能是 {seats}", advice)
    return seats


CHINESE_DIGITS = {digit: number for number, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
COUNTING = "〇零一二两三四五六七八九十"


def number_in(chinese: str) -> int | None:
    """The number written in Chinese or Arabic digits, below a hundred with 十 or digit by digit (二〇二六); None if neither."""
    if chinese.isdecimal():
        return int(chinese)
    tens, ten, ones = chinese.partition("十")
    if not ten:
        digits = [CHINESE_DIGITS.get(c) for c in chinese]
        return None if None in digits or not digits else int("".join(map(str, digits)))
    if len(tens) > 1 or len(ones) > 1:
        return None
    high, low = CHINESE_DIGITS.get(tens or "一"), CHINESE_DIGITS.get(ones or "零")
    return None if high is None or low is None else high * 10 + low


def in_digits(text: str, *, before: str) -> str:
    """The text with Chinese numbers that stand right before one of the characters ``before`` put in digits."""

    def swap(found: re.Match[str]) -> str:
        number = number_in(found[0])
        return found[0] if number is None else str(number)

    return re.sub(f"[{COUNTING}]+(?=\\s*[{before}])", swap, text)
