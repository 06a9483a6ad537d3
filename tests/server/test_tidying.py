"""Tidying up: what lies about when its time is over, on the disk too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from miniprogram_api import scenes
from miniprogram_api.pictures import PictureShelf
from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import CourseRun
from models.scenes import SceneKind, live_scene, revoke
from server.jobs import SCHEDULE
from server.jobs.tidying import CODES_KEPT_FOR, forget_code_pictures
from tests.people import Town
from tests.phones import Door


@pytest.fixture
def shelf(door: Door, tmp_path: Path) -> Iterator[PictureShelf]:
    """Where this test's application keeps its pictures."""
    kept = door.app.extensions["code_images"]
    door.app.extensions["code_images"] = PictureShelf(tmp_path)
    yield door.app.extensions["code_images"]
    door.app.extensions["code_images"] = kept


@contextmanager
def the_worker(door: Door) -> Iterator[None]:
    """As the worker runs its jobs: in the context of the application, with nobody asking."""
    with door.app.app_context():
        yield


def printed(door: Door, run: CourseRun, *widths: int) -> str:
    """The code of a run in these widths; the key of its scene."""
    for width in widths or (430,):
        assert (
            door.phone().get(f"/course-runs/{run.key}/code?width={width}", buffered=True).status_code == 200
        )
    with reading() as session:
        scene = live_scene(session, SceneKind.COURSE_RUN, run.key)
    assert scene is not None
    return scene.key


def test_pictures_of_a_class_long_over_are_removed_in_every_width(
    door: Door, town: Town, shelf: PictureShelf, clock: StoppedClock
) -> None:
    over, lasting = town.a_run(), town.a_run(evenings=8)
    printed(door, over, 430, 1280)
    kept = printed(door, lasting)
    with the_worker(door):
        clock.move_to(over.ends_at + CODES_KEPT_FOR)
        assert forget_code_pictures(town_clock.now()) == 0
        clock.advance(seconds=1)
        assert forget_code_pictures(town_clock.now()) == 1
        assert forget_code_pictures(town_clock.now()) == 0
    assert shelf.names() == [f"{kept}-430-release"]


def test_whoever_asks_for_an_old_code_gets_it_again_until_the_next_tidying(
    door: Door, town: Town, shelf: PictureShelf, clock: StoppedClock
) -> None:
    run = town.a_run()
    scene = printed(door, run)
    clock.move_to(run.ends_at + 2 * CODES_KEPT_FOR)
    with the_worker(door):
        assert forget_code_pictures(town_clock.now()) == 1
    assert printed(door, run) == scene
    with the_worker(door):
        assert forget_code_pictures(town_clock.now()) == 1


def test_a_code_that_was_taken_back_at_another_machine_is_removed_here_too(
    door: Door, town: Town, shelf: PictureShelf
) -> None:
    run = town.a_run()
    printed(door, run)
    with transaction() as session:
        scene = live_scene(session, SceneKind.COURSE_RUN, run.key)
        assert scene is not None
        revoke(session, scene, by_account_id=None, identity="town")
    with the_worker(door):
        assert forget_code_pictures(town_clock.now()) == 1
    assert shelf.names() == []


def test_a_picture_that_belongs_to_no_code_goes(door: Door, shelf: PictureShelf) -> None:
    shelf.made_once("aaaaaaaaaaaaaaaa-430-release", lambda: b"picture")
    with the_worker(door):
        assert forget_code_pictures(town_clock.now()) == 1
    assert shelf.names() == []


def test_many_pictures_are_looked_at_in_handfuls(
    door: Door, town: Town, shelf: PictureShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenes, "SCENES_AT_ONCE", 2)
    runs = [town.a_run() for _ in range(5)]
    keys = [printed(door, run) for run in runs]
    shelf.made_once("zzzzzzzzzzzzzzzz-430-release", lambda: b"picture")
    with the_worker(door):
        assert forget_code_pictures(town_clock.now()) == 1
    assert shelf.names() == sorted(f"{key}-430-release" for key in keys)


def test_a_machine_that_never_painted_has_nothing_to_tidy(door: Door, town: Town, tmp_path: Path) -> None:
    assert PictureShelf(tmp_path / "nowhere").names() == []


def test_it_is_on_the_schedule() -> None:
    (job,) = [each for each in SCHEDULE if each.run is forget_code_pictures]
    assert job.every.days == 1
