"""The one live scene of a subject, asked for by many at once, with its controls."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, insert, select

from models import clock as town_clock
from models.base import db, new_key, reading, transaction, writer
from models.courses import CourseRun
from models.regions import Region
from models.scenes import Scene, SceneKind, count_looks, live_scene, make_scene
from tests.people import Town
from tests.races.controls import without_index
from tests.races.rush import rush


@pytest.fixture
def run(town: Town) -> CourseRun:
    """A class whose code nobody has asked for yet."""
    return town.a_run()


def ask(town: Town, run: CourseRun) -> str:
    """The scene, by the verb."""
    with transaction() as session:
        region = session.get_one(Region, town.wutong.id)
        return make_scene(session, SceneKind.COURSE_RUN, subject_key=run.key, region=region).key


def forgetful_ask(town: Town, run: CourseRun, looked: threading.Barrier) -> str:
    """A path that looks, waits until both have looked, and then writes past the verb."""
    with reading() as session:
        assert live_scene(session, SceneKind.COURSE_RUN, run.key) is None
    looked.wait(30)
    key = new_key()
    with writer(db.engine).begin() as connection:
        connection.execute(
            insert(Scene),
            {
                "key": key,
                "kind": SceneKind.COURSE_RUN,
                "subject_key": run.key,
                "page": "pages/courses/run",
                "region_id": town.wutong.id,
                "created_at": town_clock.now(),
            },
        )
    return key


def live_ones(run: CourseRun) -> int:
    with reading() as session:
        counted = session.scalar(
            select(func.count())
            .select_from(Scene)
            .where(Scene.subject_key == run.key, Scene.revoked_at.is_(None))
        )
    return int(counted or 0)


def test_all_first_askers_get_one_scene(town: Town, run: CourseRun, app: Flask) -> None:
    answers = rush(app, [partial(ask, town, run)] * 12)
    assert len(set(answers)) == 1
    assert isinstance(answers[0], str)
    assert live_ones(run) == 1


def test_without_the_verb_the_one_live_scene_is_guarded_loudly(
    town: Town, run: CourseRun, app: Flask
) -> None:
    looked = threading.Barrier(2)
    answers = rush(app, [partial(forgetful_ask, town, run, looked)] * 2)
    assert sorted(type(answer).__name__ for answer in answers) == ["IntegrityError", "str"]


def test_without_verb_and_guard_there_are_two(town: Town, run: CourseRun, app: Flask) -> None:
    looked = threading.Barrier(2)
    with without_index(db.engine, Scene, "uq_scenes_live"):
        answers = rush(app, [partial(forgetful_ask, town, run, looked)] * 2)
        assert all(isinstance(answer, str) for answer in answers)
        assert live_ones(run) == 2


def test_looks_counted_at_once_all_count(town: Town, run: CourseRun, app: Flask) -> None:
    scenes = [town.a_scene(run), town.a_scene(town.a_run())]

    def look(first: int) -> None:
        with transaction() as session:
            # named in either order: they are written in one
            count_looks(session, {scenes[first].id: 1, scenes[1 - first].id: 1})

    answers = rush(app, [partial(look, n % 2) for n in range(24)])
    assert answers == [None] * 24
    assert [town.looks_at(scene) for scene in scenes] == [24, 24]
