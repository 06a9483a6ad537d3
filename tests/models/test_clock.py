"""The only clock: stopped, moved, read in the town's zone (E14)."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest

from models import clock

LATE = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)


def test_the_town_has_its_own_midnight() -> None:
    """E14: half past midnight of the new year, while UTC still has the old one."""
    with clock.stopped_at(LATE):
        assert clock.today() == date(2027, 1, 1)
        assert clock.in_town(clock.now()).isoformat() == "2027-01-01T00:30:00+08:00"


def test_a_stopped_clock_stands_until_it_is_moved() -> None:
    with clock.stopped_at(LATE) as hand:
        assert clock.now() == clock.now() == LATE
        hand.advance(minutes=30)
        assert clock.now() == LATE + timedelta(minutes=30)
        hand.move_to(LATE - timedelta(days=1))
        assert clock.now() == LATE - timedelta(days=1)


def test_every_thread_reads_the_same_clock() -> None:
    seen: list[datetime] = []
    with clock.stopped_at(LATE):
        reader = threading.Thread(target=lambda: seen.append(clock.now()))
        reader.start()
        reader.join()
    assert seen == [LATE]


def test_afterwards_it_goes_on() -> None:
    with clock.stopped_at(LATE):
        with clock.stopped_at(LATE + timedelta(days=1)):
            assert clock.now() > LATE
        assert clock.now() == LATE
    assert clock.now() != LATE
    assert clock.now().utcoffset() == timedelta(0)


def test_a_naive_moment_is_refused() -> None:
    naive = LATE.replace(tzinfo=None)
    with pytest.raises(ValueError, match="aware"), clock.stopped_at(naive):
        pass
