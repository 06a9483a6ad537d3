"""What a value of each keyword type may be (订阅消息参数值内容限制, wechat.md §4.2).

Where WeChat is silent (emoji, zero-width characters, leading spaces) the sandbox refuses what a careful sender would
have removed, so that a message which passes here passes there.
"""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Collection
from functools import lru_cache

_HAN = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_han_only = re.compile(rf"[{_HAN}]+")
_some_han = re.compile(rf"[{_HAN}]")

# Control, zero-width, direction and variation marks, lone surrogates, private use, emoji.
_unprintable = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    r"\ud800-\udfff\ue000-\uf8ff\U0001f000-\U0001faff\U000e0000-\U0010ffff]"
)

_number = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_amount = re.compile(r"[¥￥$€£]?[0-9]{1,10}(?:\.[0-9]+)?元?")
_car_number = re.compile(rf"[{_HAN}A-Za-z0-9](?:[A-Za-z0-9]{{0,6}}[{_HAN}A-Za-z0-9])?")
_clock_time = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_dates = tuple(
    re.compile(shape)
    for shape in (
        r"(?P<y>[0-9]{4})年(?P<m>[0-9]{1,2})月(?P<d>[0-9]{1,2})日",
        r"(?P<y>[0-9]{4})年(?P<m>[0-9]{1,2})月",
        r"(?P<m>[0-9]{1,2})月(?P<d>[0-9]{1,2})日",
        r"(?P<y>[0-9]{4})(?P<s>[-/.])(?P<m>[0-9]{1,2})(?P=s)(?P<d>[0-9]{1,2})",
        r"(?P<y>[0-9]{4})[-/.](?P<m>[0-9]{1,2})",
        r"(?P<m>[0-9]{1,2})[-/.](?P<d>[0-9]{1,2})",
    )
)


def fits(kind: str, value: str, *, choices: Collection[str] = ()) -> bool:
    """Whether ``value`` may stand in a keyword of this ``kind``; ``choices`` are the values of an enum keyword."""
    if not value.strip() or _unprintable.search(value):
        return False
    if kind == "enum_string":
        return value in choices
    return _RULES[kind](value)


def is_known(kind: str) -> bool:
    """Whether WeChat has a keyword type of this name."""
    return kind in _RULES or kind == "enum_string"


def _is_thing(value: str) -> bool:
    return len(value) <= 20


def _is_number(value: str) -> bool:
    return _number.fullmatch(value) is not None and len(value.replace(".", "")) <= 32


def _is_letter(value: str) -> bool:
    return len(value) <= 32 and value.isascii() and value.isalpha()


def _is_symbol(value: str) -> bool:
    return len(value) <= 5 and all(_symbolic(each) for each in value)


def _is_character_string(value: str) -> bool:
    return len(value) <= 32 and all(_plain(each) for each in value)


@lru_cache(maxsize=8192)
def _is_time(value: str) -> bool:
    return _is_range(value, point=_is_time_point)


@lru_cache(maxsize=8192)
def _is_date(value: str) -> bool:
    return _is_range(value, point=_is_date_point)


def _is_amount(value: str) -> bool:
    return _amount.fullmatch(value) is not None


def _is_phone_number(value: str) -> bool:
    return len(value) <= 17 and all(_digit(each) or _symbolic(each) or each == " " for each in value)


def _is_car_number(value: str) -> bool:
    return _car_number.fullmatch(value) is not None


def _is_name(value: str) -> bool:
    if _some_han.search(value):
        return len(value) <= 10 and all(_some_han.match(each) or _wordless(each) for each in value)
    return len(value) <= 20 and all(_wordless(each) for each in value)


def _is_phrase(value: str) -> bool:
    return len(value) <= 5 and _han_only.fullmatch(value) is not None


_RULES: dict[str, Callable[[str], bool]] = {
    "thing": _is_thing,
    "number": _is_number,
    "letter": _is_letter,
    "symbol": _is_symbol,
    "character_string": _is_character_string,
    "time": _is_time,
    "date": _is_date,
    "amount": _is_amount,
    "phone_number": _is_phone_number,
    "car_number": _is_car_number,
    "name": _is_name,
    "phrase": _is_phrase,
}


def _is_range(value: str, *, point: Callable[[str], bool]) -> bool:
    """One point, or two joined by the half-width ``~``; the full-width ～ is refused."""
    points = value.split("~")
    return len(points) <= 2 and all(point(each) for each in points)


def _is_time_point(text: str) -> bool:
    day, _, hour = text.rpartition(" ")
    return _is_hour(hour) and (not day or _is_day(day))


def _is_date_point(text: str) -> bool:
    day, space, hour = text.partition(" ")
    return _is_day(day) and (not space or _is_hour(hour))


def _is_hour(text: str) -> bool:
    found = _clock_time.fullmatch(text)
    if found is None:
        return False
    hour, minute, second = (int(part or 0) for part in found.groups())
    return hour < 24 and minute < 60 and second < 60


def _is_day(text: str) -> bool:
    for shape in _dates:
        if found := shape.fullmatch(text):
            parts = found.groupdict()
            year, month, day = int(parts.get("y") or 2000), int(parts["m"]), int(parts.get("d") or 1)
            return 1 <= month <= 12 and 1 <= day <= monthrange(max(year, 1), month)[1]
    return False


def _digit(character: str) -> bool:
    return "0" <= character <= "9"


def _symbolic(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"


def _plain(character: str) -> bool:
    return (character.isascii() and (character.isalnum() or character == " ")) or _symbolic(character)


def _wordless(character: str) -> bool:
    """A letter, a space or a symbol: what a name may hold besides Chinese characters."""
    return (character.isascii() and (character.isalpha() or character == " ")) or _symbolic(character)
