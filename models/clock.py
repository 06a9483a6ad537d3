"""The only clock (时钟). Every rule asks ``now()``; nothing else in the house reads the system's time.

Times are aware and in UTC inside; the town lives in ``TOWN_ZONE``. Tests stop the clock with ``stopped_at`` and move it
by hand. The override is process-wide rather than a context variable because taps are decided on another thread than the
one that asks, and both must read the same clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

TOWN_ZONE = ZoneInfo("Asia/Shanghai")
WEEKDAYS = "一二三四五六日"  # after 周 or 星期, Monday first


class _Hands:
    stopped: datetime | None = None


def now() -> datetime:
    """This moment, aware, in UTC."""
    return _Hands.stopped or datetime.now(UTC)  # noqa: TID251 - this module is the clock


def today() -> date:
    """Today's date in the town."""
    return now().astimezone(TOWN_ZONE).date()


def in_town(moment: datetime) -> datetime:
    """The same moment as the clock on the town's wall shows it (+08:00)."""
    return moment.astimezone(TOWN_ZONE)


def weekday(day: date) -> str:
    """What follows 周 or 星期 in the name of a day: 一 for a Monday, 日 for a Sunday."""
    return WEEKDAYS[day.weekday()]


class StoppedClock:
    """The hand that moves a stopped clock."""

    def move_to(self, moment: datetime) -> None:
        """Set the clock. The moment must be aware."""
        if moment.tzinfo is None:
            raise ValueError("the clock takes aware times only")
        _Hands.stopped = moment.astimezone(UTC)

    def advance(self, **span: float) -> None:
        """Move forward by ``timedelta(**span)``."""
        self.move_to(now() + timedelta(**span))


@contextmanager
def stopped_at(moment: datetime) -> Iterator[StoppedClock]:
    """Stop the clock at an aware moment for the length of the block. For tests and rehearsals only."""
    before = _Hands.stopped
    hand = StoppedClock()
    hand.move_to(moment)
    try:
        yield hand
    finally:
        _Hands.stopped = before
