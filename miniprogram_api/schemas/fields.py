"""The few kinds of values the wire knows, each checked in one place.

What a field documents (``pattern``, ``maxLength`` …) is exactly what it accepts: one expression serves both, so the document
never promises what the town refuses, nor the other way round.
"""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta
from typing import Any, Self

from marshmallow import Schema, ValidationError, fields, validate

from models import clock

# what people read when a value is of the wrong kind; marshmallow's own sentences are English
fields.Field.default_error_messages |= {
    "required": "必填",
    "null": "不能为空",
    "validator_failed": "填写有误",
}
fields.String.default_error_messages |= {"invalid": "应为文字", "invalid_utf8": "含有无法识别的字符"}
fields.Integer.default_error_messages |= {"invalid": "应为整数", "too_large": "数太大了"}
fields.Boolean.default_error_messages |= {"invalid": "应为 true 或 false"}
_ZONED = "应为带时区的时间，例如 2026-12-03T18:00:00+08:00"
fields.DateTime.default_error_messages |= {"invalid": _ZONED, "invalid_awareness": _ZONED}
fields.Date.default_error_messages |= {"invalid": "应为日期，例如 2026-12-03"}
fields.Enum.default_error_messages |= {"unknown": "可选：{choices}", "must_be": "可选：{choices}"}
fields.List.default_error_messages |= {"invalid": "应为列表"}
fields.Dict.default_error_messages |= {"invalid": "应为对象"}
fields.Nested.default_error_messages |= {"type": "应为对象"}

# Regular expressions as Python and JavaScript both read them. Not in one line of text: control characters, line breaks,
# and the marks that turn the direction of writing (a name must not rewrite the roster around it).
_NEVER = r"\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069"
_HALVES = r"\ud800-\udfff"  # JSON may smuggle them in; no text has them, and most regular expressions cannot even name them
# spaces of every width, and what takes no room at all
_UNSEEN = r" \u00a0\u1680\u2000-\u200f\u202f\u205f\u2060\u3000\ufeff"
_LINE = f"[^{_NEVER}]*[^{_NEVER}{_UNSEEN}][^{_NEVER}]*"
_KEY = "[a-z2-7]{16}"
_CURSOR = "[A-Za-z0-9_-]{1,120}"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

# a phone number as people write it: spaces, dashes, brackets, full-width digits
_GAP = r"[ \u3000()（）\-－]*"
_DIGIT = "[0-9０-９]"
_MOBILE = f"[1１]{_GAP}[3-9３-９](?:{_GAP}{_DIGIT}){{9}}"
_LANDLINE = f"[0０](?:{_GAP}{_DIGIT}){{9,11}}"
_COUNTRY = f"(?:(?:[+＋]{_GAP})?[8８]{_GAP}[6６]{_GAP})?"
_PHONE = f"{_GAP}{_COUNTRY}(?:{_MOBILE}|{_LANDLINE}){_GAP}"


class Shape(Schema):
    """Every shape: unknown fields are refused (marshmallow's default), fields keep their order."""

    error_messages = {"unknown": "没有这个字段", "type": "应为对象"}  # noqa: RUF012 - marshmallow's own class attribute

    def __deepcopy__(self, memo: object) -> Self:
        """Itself: nobody changes a shape. flask-smorest copies what is written of a route once for every decorator."""
        return self


class Matching(fields.String):
    """Text that matches an expression, which is also what the document says."""

    def __init__(self, pattern: str, *, error: str, most: int | None = None, **kwargs: Any) -> None:
        metadata = {"pattern": f"^(?:{pattern})$", **kwargs.pop("metadata", {})}
        if most is not None:
            metadata["maxLength"] = most
        super().__init__(metadata=metadata, **kwargs)
        self._most = most
        self._whole = re.compile(pattern)
        self._error = error

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs))
        if (self._most is not None and len(text) > self._most) or not self._whole.fullmatch(text):
            raise ValidationError(self._error)
        return text


class Words(fields.String):
    """A line people type: trimmed, never blank, no control characters, so many characters at most."""

    def __init__(self, most: int, **kwargs: Any) -> None:
        metadata = {"pattern": f"^{_LINE}$", "minLength": 1, "maxLength": most, **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs))
        if len(text) > self.most:
            raise ValidationError(f"最多 {self.most} 个字")
        if "\n" in text or "\r" in text:  # it is the key they pressed, and nothing they could see and delete
            raise ValidationError("请写成一段，不要换行")
        if _has_what_no_line_has(text):
            raise ValidationError("含有无法识别的字符，请删去后重试")
        if not _is_a_line(text):
            raise ValidationError("不能为空")
        return text.strip()


class TownTime(fields.AwareDateTime):
    """A moment: in with any zone, out as ISO 8601 on the town's clock (+08:00), to the second.

    The first and the last year there is are refused: on another zone's clock they would be none.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        moment: datetime = super()._deserialize(value, attr, data, **kwargs)
        if not MINYEAR < moment.year < MAXYEAR:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        return moment

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else clock.in_town(value).isoformat(timespec="seconds")


class Key(Matching):
    """A public name of a row: 16 characters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(_KEY, error="不是有效的编号", **kwargs)


class Cursor(Matching):
    """Where a list goes on, as ``next`` gave it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(_CURSOR, error="翻页位置无效，请从头开始", **kwargs)


class Phone(Matching):
    """A Chinese phone number as people write it: mobile or landline, spaces and dashes and full-width digits allowed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(_PHONE, most=40, error="请填写 11 位手机号，或带区号的固定电话", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        digits = "".join(str(int(sign)) for sign in text if sign.isdecimal())
        # a mobile number begins with 1 and a landline with 0: an 86 in front is the country's
        return digits.removeprefix("86")


class Day(fields.Date):
    """A date, ``2026-12-03`` and no other spelling."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str) or not re.fullmatch(_DAY, value):
            raise self.make_error("invalid", input=value)
        found: date = super()._deserialize(value, attr, data, **kwargs)
        return found


class LastMoment(TownTime):
    """Until when something is in time: what has until a day is over has until the last second of it, and shows that day, not the next."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is not None and clock.in_town(value).time() == time():
            value -= timedelta(seconds=1)
        return super()._serialize(value, attr, obj, **kwargs)


class Whole(fields.Integer):
    """A whole number. To JSON ``1960.0`` is one too; to us ``true`` and ``"1960"`` are none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strict=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
            raise self.make_error("invalid", input=value)
        return int(value)


class Year(Whole):
    """A year as a number."""


class YesNo(fields.Boolean):
    """``true`` or ``false``, nothing that resembles them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class QueryYesNo(fields.Boolean):
    """``true`` or ``false`` in a query, where everything is text."""

    truthy = {"true"}  # noqa: RUF012 - marshmallow's own class attribute
    falsy = {"false"}  # noqa: RUF012 - the same


class QueryWhole(fields.Integer):
    """A whole number in a query, in plain digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not re.fullmatch("-?[0-9]{1,9}", str(value)):
            raise self.make_error("invalid", input=value)
        return int(value)


class Limit(QueryWhole):
    """How many of a list at once."""

    def __init__(self, *, default: int = 20, most: int = 50, **kwargs: Any) -> None:
        super().__init__(
            load_default=default, validate=validate.Range(1, most, error=f"一次 1 到 {most} 条"), **kwargs
        )


def masked_phone(phone: str | None) -> str | None:
    """First three and last two digits (wechat.md §9.3)."""
    return None if phone is None else f"{phone[:3]}{'*' * max(len(phone) - 5, 1)}{phone[-2:]}"


def masked_name(name: str | None) -> str | None:
    """Of two characters the first is hidden; of a longer name only the first and the last are shown (wechat.md §9.3)."""
    if not name:
        return None
    if len(name) <= 2:
        return f"*{name[1:]}"
    return f"{name[0]}{'*' * (len(name) - 2)}{name[-1]}"


_has_what_no_line_has = re.compile(f"[{_NEVER}{_HALVES}]").search
_is_a_line = re.compile(_LINE).fullmatch
