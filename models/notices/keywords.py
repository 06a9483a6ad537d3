"""Fitting facts into WeChat's keyword types (wechat.md §4.2), so that no message is refused for its form.

Values are cut by characters with ``…`` counted in, emoji and control characters dropped, the range sign made half-width, and
nothing is ever empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from models import clock

NOTHING = "无"
_BEYOND_BMP = re.compile(r"[\U00010000-\U0010ffff\u200d\ufe0f\u20e3]")
_NOT_PRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def fit(keyword: str, value: str) -> str:
    """A value made to fit the keyword's type (``thing1`` is a ``thing``). Raises KeyError for a type we do not use."""
    kind = keyword.rstrip("0123456789")
    return _FITS[kind](_clean(value))


def say_time(moment: datetime) -> str:
    """A moment as ``time`` and ``date`` keywords take it: ``2026年3月5日 18:00`` on the town's wall clock."""
    local = clock.in_town(moment)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def say_briefly(moment: datetime) -> str:
    """A moment in a short message: ``3月5日18:00``, at most eleven characters."""
    local = clock.in_town(moment)
    return f"{local.month}月{local.day}日{local:%H:%M}"


def cut(text: str, most: int) -> str:
    """At most so many characters, the last one an ellipsis if anything was lost."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _clean(value: str) -> str:
    value = _BEYOND_BMP.sub("", _NOT_PRINTED.sub(" ", value)).replace("～", "~")
    return value.strip()


def _thing(value: str) -> str:
    return cut(value, 20) or NOTHING


def _phrase(value: str) -> str:
    return re.sub(r"[^\u4e00-\u9fff]", "", value)[:5] or NOTHING


def _time(value: str) -> str:
    return say_time(datetime.fromisoformat(value))


def _character_string(value: str) -> str:
    return re.sub(r"[^\x21-\x7e]", "", value)[:32] or "-"


def _number(value: str) -> str:
    return re.sub(r"[^\d.]", "", value)[:32] or "0"


_FITS: dict[str, Callable[[str], str]] = {
    "thing": _thing,
    "phrase": _phrase,
    "time": _time,
    "date": _time,
    "character_string": _character_string,
    "number": _number,
}
