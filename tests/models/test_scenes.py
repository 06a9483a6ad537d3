"""Scenes: one live name for each subject, resolved until its time is over or somebody takes it back."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from models import clock as town_clock
from models.base import new_key, reading, transaction
from models.clock import StoppedClock
from models.courses import CourseRun
from models.errors import NotFound
from models.journal import JournalEntry
from models.scenes import (
    Scene,
    SceneKind,
    count_looks,
    keep_link,
    live_scene,
    resolve,
    revoke,
    scene_for_staff,
)
from tests.people import Town

WECHATS_ALPHABET = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]{1,32}")  # wechat.md §7
DAY = timedelta(days=1)


@pytest.fixture
def run(town: Town) -> CourseRun:
    """A class of 梧桐里."""
    return town.a_run()


def taken_back(scene: Scene) -> None:
    with transaction() as session:
        revoke(session, session.get_one(Scene, scene.id), by_account_id=None, identity="town")


def refused(key: str) -> str:
    with reading() as session, pytest.raises(NotFound) as no:
        resolve(session, key)
    return no.value.code


def test_a_scene_leads_to_its_page_with_the_key_of_its_subject(town: Town, run: CourseRun) -> None:
    scene = town.a_scene(run)
    with reading() as session:
        found = resolve(session, scene.key)
    assert (found.kind, found.page, found.query) == (
        SceneKind.COURSE_RUN,
        "pages/courses/run",
        f"key={run.key}",
    )


def test_a_scene_is_of_signs_that_wechat_takes_and_tells_nothing(town: Town, run: CourseRun) -> None:
    scene = town.a_scene(run)
    assert WECHATS_ALPHABET.fullmatch(scene.key)
    assert scene.key != run.key


def test_asking_twice_gives_the_same_scene(town: Town, run: CourseRun) -> None:
    assert town.a_scene(run).key == town.a_scene(run, lasts=DAY).key
    with reading() as session:
        acts = session.scalars(select(JournalEntry.act).where(JournalEntry.subject_kind == "scenes")).all()
    assert acts == ["scene.made"]


def test_two_subjects_have_a_scene_each(town: Town, run: CourseRun) -> None:
    assert town.a_scene(run).key != town.a_scene(town.a_run()).key


def test_a_scene_nobody_made_is_unknown(town: Town) -> None:
    for key in (new_key(), "", "\x00", "' OR 1=1 --", "一二三四"):
        assert refused(key) == "scene_unknown"


def test_a_scene_taken_back_looks_like_one_that_never_was(town: Town, run: CourseRun) -> None:
    scene = town.a_scene(run)
    taken_back(scene)
    assert refused(scene.key) == refused(new_key()) == "scene_unknown"


def test_after_one_was_taken_back_the_next_is_another(town: Town, run: CourseRun) -> None:
    first = town.a_scene(run)
    taken_back(first)
    second = town.a_scene(run)
    assert second.key != first.key
    with reading() as session:
        assert resolve(session, second.key).id == second.id
    assert refused(first.key) == "scene_unknown"


def test_taking_back_twice_is_journalled_once(town: Town, run: CourseRun) -> None:
    scene = town.a_scene(run)
    taken_back(scene)
    taken_back(scene)
    with reading() as session:
        acts = session.scalars(select(JournalEntry.act).where(JournalEntry.subject_id == scene.id)).all()
    assert list(acts).count("scene.revoked") == 1


def test_a_scene_ends_at_its_moment_and_says_so(town: Town, run: CourseRun, clock: StoppedClock) -> None:
    scene = town.a_scene(run, lasts=DAY)
    clock.advance(days=1, seconds=-1)
    with reading() as session:
        assert resolve(session, scene.key).id == scene.id
    clock.advance(seconds=1)
    assert refused(scene.key) == "scene_expired"


def test_an_expired_scene_makes_room_for_the_next_and_stays_expired(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    first = town.a_scene(run, lasts=DAY)
    clock.advance(days=2)
    second = town.a_scene(run)
    assert second.key != first.key
    assert refused(first.key) == "scene_expired"


def test_one_taken_back_before_its_end_does_not_come_back_as_expired(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    scene = town.a_scene(run, lasts=DAY)
    taken_back(scene)
    clock.advance(days=2)
    assert refused(scene.key) == "scene_unknown"


def test_a_scene_cannot_end_before_it_is_made(town: Town, run: CourseRun) -> None:
    with pytest.raises(IntegrityError), transaction() as session:
        session.add(
            Scene(
                kind=SceneKind.COURSE_RUN,
                subject_key=run.key,
                page="pages/courses/run",
                region_id=town.wutong.id,
                expires_at=town_clock.now(),
            )
        )


def test_staff_find_the_scenes_of_their_places_alone(town: Town, run: CourseRun) -> None:
    scene = town.a_scene(run)
    with reading() as session:
        assert scene_for_staff(session, scene.key, within=[town.wutong]).id == scene.id
        assert scene_for_staff(session, scene.key, within=[town.district]).id == scene.id
        for within in ([], [town.wangjiang], [town.west_street]):
            with pytest.raises(NotFound):
                scene_for_staff(session, scene.key, within=within)


def test_looks_add_up_by_the_day(town: Town, run: CourseRun, clock: StoppedClock) -> None:
    one, other = town.a_scene(run), town.a_scene(town.a_run())
    for looks in ({one.id: 2}, {other.id: 1, one.id: 3}):
        with transaction() as session:
            count_looks(session, looks)
    clock.advance(days=1)
    with transaction() as session:
        count_looks(session, {one.id: 1})
    assert (town.looks_at(one), town.looks_at(other)) == (6, 1)


def test_of_two_links_made_at_once_the_first_is_kept_while_it_opens(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    scene = town.a_scene(run)

    def keep(link: str) -> str:
        now = town_clock.now()
        with transaction() as session:
            return keep_link(
                session, scene.id, link, expires_at=now + 30 * DAY, unless_good_until=now + 3 * DAY
            )

    assert keep("https://wxaurl.cn/a") == "https://wxaurl.cn/a"
    clock.advance(days=27)
    assert keep("https://wxaurl.cn/b") == "https://wxaurl.cn/a"
    clock.advance(seconds=1)
    assert keep("https://wxaurl.cn/c") == "https://wxaurl.cn/c"
    with reading() as session:
        kept = live_scene(session, SceneKind.COURSE_RUN, run.key)
        assert kept is not None
        assert kept.link_good_until(town_clock.now() + 30 * DAY) == "https://wxaurl.cn/c"
        assert kept.link_good_until(town_clock.now() + 31 * DAY) is None
