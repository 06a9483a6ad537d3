"""Cursors (翻页): where a list goes on, opaque to the client."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from models.errors import Conflict, Fault, Invalid

Row = TypeVar("Row")
HIGHEST_ID = 2**63 - 1
HIGHEST_RANK = 2**31 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_MICROS = 1 << 55  # past the year 3000


def page(rows: Sequence[Row], limit: int, mark: Callable[[Row], list[Any]]) -> dict[str, Any]:
    """``{items, next}`` of rows that were fetched with ``limit + 1``."""
    items = rows[:limit]
    more = len(rows) > limit
    return {"items": items, "next": _wrap(mark(items[-1])) if more else None}


def after_id(cursor: str | None) -> int | None:
    """The id a cursor stands for. Raises Invalid naming ``cursor``."""
    if cursor is None:
        return None
    mark = _unwrap(cursor, 1)
    if 0 < mark[0] <= HIGHEST_ID:
        return mark[0]
    raise _bad()


def after_moment(cursor: str | None) -> tuple[datetime, int] | None:
    """The (moment, id) a cursor stands for. Raises Invalid naming ``cursor``."""
    if cursor is None:
        return None
    since_epoch, row_id = _unwrap(cursor, 2)
    if 0 < row_id <= HIGHEST_ID and 0 < since_epoch < LATEST_MICROS:
        return EPOCH + timedelta(microseconds=since_epoch), row_id
    raise _bad()


def after_rank(cursor: str | None, order: int) -> tuple[int, datetime, int] | None:
    """The (rank, moment, id) a cursor stands for in the order of this number. Raises Invalid naming ``cursor``, Conflict ``sorted_otherwise``
    for one of another order.
    """
    if cursor is None:
        return None
    sorted_by, rank, since_epoch, row_id = _unwrap(cursor, 4)
    if not (0 <= rank <= HIGHEST_RANK and 0 < row_id <= HIGHEST_ID and 0 < since_epoch < LATEST_MICROS):
        raise _bad()
    if sorted_by != order:
        message = "换了排序，请从头开始"
        raise Conflict("sorted_otherwise", message, faults=[Fault("cursor", message)])
    return rank, EPOCH + timedelta(microseconds=since_epoch), row_id


def micros(moment: datetime) -> int:
    """A moment as whole microseconds, for ``mark``."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def _wrap(mark: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(mark, separators=(",", ":")).encode()).decode().rstrip("=")


def _unwrap(cursor: str, length: int) -> list[int]:
    try:
        mark = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        raise _bad() from None
    # type(), because true and false are ints too
    if not isinstance(mark, list) or len(mark) != length or any(type(number) is not int for number in mark):
        raise _bad()
    return mark


def _bad() -> Invalid:
    return Invalid([Fault("cursor", "翻页位置无效，请从头开始")])
