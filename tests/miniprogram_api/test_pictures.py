"""Kept pictures: made once, whole or not at all, whoever asks."""

from __future__ import annotations

import fcntl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from miniprogram_api.pictures import PictureShelf
from models.errors import Busy, Unavailable


class Painter:
    """Paints when asked, and counts."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.painted = 0
        self.begun, self.may_finish = threading.Event(), threading.Event()
        self.may_finish.set()

    def paint(self) -> bytes:
        """One picture, or a bad day."""
        self.painted += 1
        self.begun.set()
        assert self.may_finish.wait(10)
        if self.fails:
            raise Unavailable("wechat_unavailable", "微信服务暂时没有响应，请稍后再试一次")
        return b"picture %d" % self.painted


def pictures(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if not path.name.startswith("turn-"))


def test_a_picture_is_made_once_and_found_after_a_restart(tmp_path: Path) -> None:
    painter = Painter()
    directory = tmp_path / "codes"
    assert PictureShelf(directory).made_once("run-430", painter.paint) == b"picture 1"
    assert PictureShelf(directory).made_once("run-430", painter.paint) == b"picture 1"
    assert PictureShelf(directory).made_once("run-280", painter.paint) == b"picture 2"
    assert pictures(directory) == ["run-280.picture", "run-430.picture"]


def test_those_who_ask_meanwhile_share_one_making(tmp_path: Path) -> None:
    painter, shelf = Painter(), PictureShelf(tmp_path)
    painter.may_finish.clear()
    with ThreadPoolExecutor(8) as crowd:
        asked = [crowd.submit(shelf.made_once, "run", painter.paint) for _ in range(8)]
        assert painter.begun.wait(10)
        painter.may_finish.set()
        assert {each.result(10) for each in asked} == {b"picture 1"}
    assert painter.painted == 1


def test_two_processes_make_a_picture_once(tmp_path: Path) -> None:
    painter = Painter()
    painter.may_finish.clear()
    with ThreadPoolExecutor(2) as crowd:
        asked = [crowd.submit(PictureShelf(tmp_path).made_once, "run", painter.paint) for _ in range(2)]
        assert painter.begun.wait(10)
        painter.may_finish.set()
        assert {each.result(10) for each in asked} == {b"picture 1"}
    assert painter.painted == 1


def test_a_failure_goes_to_everyone_who_waited_and_leaves_nothing(tmp_path: Path) -> None:
    painter, shelf = Painter(fails=True), PictureShelf(tmp_path)
    painter.may_finish.clear()
    with ThreadPoolExecutor(4) as crowd:
        asked = [crowd.submit(shelf.made_once, "run", painter.paint) for _ in range(4)]
        assert painter.begun.wait(10)
        painter.may_finish.set()
        assert {type(each.exception(10)) for each in asked} == {Unavailable}
    assert painter.painted <= 4
    assert pictures(tmp_path) == []
    painter.fails = False
    assert shelf.made_once("run", painter.paint).startswith(b"picture")


def test_one_does_not_wait_for_another_process_for_ever(tmp_path: Path) -> None:
    shelf, painter = PictureShelf(tmp_path, patience_seconds=0.1), Painter()
    shelf.made_once("before", painter.paint)
    turns = [path.open("a") for path in tmp_path.glob("turn-*")]
    assert turns
    for turn in turns:
        fcntl.flock(turn, fcntl.LOCK_EX)
    shelf.drop("before")
    with pytest.raises(Busy):
        shelf.made_once("before", painter.paint)
    for turn in turns:
        turn.close()  # as when its holder dies
    assert shelf.made_once("before", painter.paint) == b"picture 2"


def test_only_what_begins_so_is_dropped(tmp_path: Path) -> None:
    shelf, painter = PictureShelf(tmp_path), Painter()
    for name in ("one-280", "one-430", "other-430"):
        shelf.made_once(name, painter.paint)
    shelf.drop("one")
    assert pictures(tmp_path) == ["other-430.picture"]
