"""Storage: whole or not at all, under names that say nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from miniprogram_api.storage import Storage
from models import clock as town_clock
from models.clock import StoppedClock
from models.errors import NotFound


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """A directory that is not there yet."""
    return Storage(tmp_path / "kept", kind="jpg")


def test_what_is_put_is_found_under_a_name_that_says_nothing(storage: Storage) -> None:
    one, other = storage.put(b"one"), storage.put(b"one")
    assert one != other
    assert len(one) == 16
    assert (storage.open(one), storage.find(other)) == (b"one", b"one")
    assert list(storage.names()) == sorted([one, other])


def test_what_is_deleted_or_never_was_is_not_found(storage: Storage) -> None:
    name = storage.put(b"one")
    storage.delete(name, "a" * 16)
    assert storage.find(name) is None
    for missing in (name, "a" * 16):
        with pytest.raises(NotFound):
            storage.open(missing)
    assert list(storage.names()) == []


def test_a_file_that_is_not_whole_is_none(storage: Storage, tmp_path: Path) -> None:
    name = storage.put(b"one")
    (tmp_path / "kept" / f"{'b' * 16}.0a0a0a0a.draft").write_bytes(b"half")
    assert list(storage.names()) == [name]
    assert storage.find("b" * 16) is None


def test_what_fails_leaves_nothing(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        storage.put("no bytes")  # type: ignore[arg-type]
    assert list((tmp_path / "kept").iterdir()) == []


def test_one_can_ask_what_has_been_kept_for_long(storage: Storage, clock: StoppedClock) -> None:
    old = storage.put(b"old")
    clock.advance(hours=2)
    new = storage.put(b"new")
    now = town_clock.now()
    assert list(storage.names(kept_since=now - timedelta(hours=1))) == [old]
    assert list(storage.names(kept_since=now + timedelta(seconds=1))) == sorted([old, new])
