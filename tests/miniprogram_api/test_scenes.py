"""Codes and links into the mini-program: what a scan means, the picture to print, who may take it back."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select
from sqlalchemy.pool import QueuePool
from werkzeug.test import TestResponse

from miniprogram_api.pictures import PictureShelf
from miniprogram_api.scenes import CODE_FRESH_SECONDS, LookTally, url_link_for
from models.base import db, new_key, reading, transaction
from models.clock import StoppedClock
from models.courses import CourseRun
from models.errors import NotFound, Refusal
from models.journal import JournalEntry
from models.scenes import Scene, SceneKind, live_scene, revoke
from models.sites import Site
from models.staff import Role
from tests.people import Town, a_staff_member
from tests.phones import Door, the_problem, told
from tests.races.rush import rush
from tests.rooms import Centre, a_centre, at, takes

CODES, LINKS = "/wxa/getwxacodeunlimit", "/wxa/generate_urllink"


@pytest.fixture
def run(town: Town) -> CourseRun:
    """A class of 梧桐里."""
    return town.a_run()


@pytest.fixture
def codes(door: Door, tmp_path: Path) -> Path:
    """Where this test's application keeps its pictures."""
    door.app.extensions["code_images"] = PictureShelf(tmp_path)
    return tmp_path


def scene_of(run: CourseRun) -> Scene:
    with reading() as session:
        scene = live_scene(session, SceneKind.COURSE_RUN, run.key)
    assert scene is not None
    return scene


def the_picture(answer: TestResponse) -> bytes:
    assert answer.status_code == 200, (answer.status_code, answer.text)
    assert answer.mimetype == "image/png"
    assert width_of(answer.data) >= 280
    return bytes(answer.data)


def width_of(picture: bytes) -> int:
    """Of a PNG, which the sandbox paints."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    return int(struct.unpack(">I", picture[16:20])[0])


def kept_in(codes: Path) -> list[Path]:
    return [path for path in codes.iterdir() if not path.name.startswith("turn-")]


# --- what a scan means --------------------------------------------------------------------------------------------


def test_anybody_who_scans_is_told_where_to_go(door: Door, town: Town, run: CourseRun) -> None:
    scene = town.a_scene(run)
    assert told(door.phone().get(f"/scenes/{scene.key}")) == {
        "kind": "course_run",
        "page": "pages/courses/run",
        "query": f"key={run.key}",
    }


@pytest.mark.parametrize(
    "forged", ["aaaaaaaaaaaaaaaa", "a", "A" * 16, "0" * 16, "a" * 32, "%00", "' OR 1=1 --", "c=abc&d"]
)
def test_a_forged_scene_is_not_found(door: Door, town: Town, run: CourseRun, forged: str) -> None:
    town.a_scene(run)
    assert door.phone().get(f"/scenes/{forged}").status_code == 404


def test_a_run_is_no_scene(door: Door, run: CourseRun) -> None:
    the_problem(door.phone().get(f"/scenes/{run.key}"), 404, "scene_unknown")


def test_a_scene_taken_back_answers_as_one_that_never_was(door: Door, town: Town, run: CourseRun) -> None:
    scene = town.a_scene(run)
    with transaction() as session:
        revoke(session, session.get_one(Scene, scene.id), by_account_id=None, identity="town")
    gone = the_problem(door.phone().get(f"/scenes/{scene.key}"), 404, "scene_unknown")
    never = the_problem(door.phone().get(f"/scenes/{new_key()}"), 404, "scene_unknown")
    assert {k: v for k, v in gone.items() if k != "request_id"} == {
        k: v for k, v in never.items() if k != "request_id"
    }


def test_an_expired_scene_says_so(door: Door, town: Town, run: CourseRun, clock: StoppedClock) -> None:
    scene = town.a_scene(run, lasts=timedelta(days=1))
    clock.advance(days=1)
    the_problem(door.phone().get(f"/scenes/{scene.key}"), 404, "scene_expired")


def test_every_look_at_a_quiet_poster_is_counted(door: Door, town: Town, run: CourseRun) -> None:
    scene = town.a_scene(run)
    for _ in range(3):
        told(door.phone().get(f"/scenes/{scene.key}"))
    door.phone().get(f"/scenes/{new_key()}")
    assert town.looks_at(scene) == 3


def test_looks_in_a_hurry_are_written_down_together(
    door: Door, town: Town, run: CourseRun, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = town.a_scene(run)
    monkeypatch.setitem(door.app.extensions, "scene_looks", LookTally(0.3))
    for _ in range(5):
        told(door.phone().get(f"/scenes/{scene.key}"))
    assert town.looks_at(scene) == 1  # the first at once, the others with the next that comes later
    time.sleep(0.3)
    told(door.phone().get(f"/scenes/{scene.key}"))
    assert town.looks_at(scene) == 6


# --- the picture --------------------------------------------------------------------------------------------------


def test_the_code_of_a_run_holds_its_scene_and_nothing_else(door: Door, codes: Path, run: CourseRun) -> None:
    picture = the_picture(door.phone().get(f"/course-runs/{run.key}/code"))
    scene = scene_of(run)
    assert told(door.phone().get(f"/scenes/{scene.key}"))["query"] == f"key={run.key}"
    assert run.key.encode() not in picture
    with reading() as session:
        entry = session.scalars(select(JournalEntry).where(JournalEntry.act == "scene.made")).one()
    assert (entry.subject_id, entry.identity) == (scene.id, "town")


def test_wechat_is_asked_once_for_each_width(door: Door, codes: Path, run: CourseRun) -> None:
    path = f"/course-runs/{run.key}/code"
    first = the_picture(door.phone().get(path))
    assert the_picture(door.phone().get(path)) == first
    assert the_picture(door.phone().get(f"{path}?width=430")) == first
    assert door.sandbox.calls(CODES) == 1
    wide = the_picture(door.phone().get(f"{path}?width=1280"))
    assert (width_of(first), width_of(wide)) == (430, 1280)
    assert door.sandbox.calls(CODES) == 2
    assert len(kept_in(codes)) == 2


@pytest.mark.parametrize("width", ["279", "431", "-1", "4e2", "1280.0", "", "４３０", "9" * 5000])
def test_other_widths_are_refused(door: Door, codes: Path, run: CourseRun, width: str) -> None:
    problem = the_problem(door.phone().get(f"/course-runs/{run.key}/code?width={width}"), 422, "invalid")
    assert [fault["field"] for fault in problem["errors"]] == ["width"]
    assert door.sandbox.calls(CODES) == 0


def test_a_code_is_kept_for_a_day_and_asked_about_by_its_etag(
    door: Door, codes: Path, run: CourseRun
) -> None:
    path = f"/course-runs/{run.key}/code"
    answer = door.phone().get(path)
    assert answer.headers["Cache-Control"] == f"public, max-age={CODE_FRESH_SECONDS}"
    again = door.phone().get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == answer.headers["ETag"]
    the_picture(door.phone().get(path, headers={"If-None-Match": '"another"'}))


def test_a_draft_has_no_code(door: Door, codes: Path, town: Town) -> None:
    draft = town.a_run(published=False)
    for key in (draft.key, new_key()):
        the_problem(door.phone().get(f"/course-runs/{key}/code"), 404, "not_found")
    assert door.sandbox.calls(CODES) == 0
    with reading() as session:
        assert session.scalars(select(Scene)).all() == []


def test_many_first_askers_get_one_picture_of_one_scene(door: Door, codes: Path, run: CourseRun) -> None:
    def ask() -> bytes:
        return the_picture(door.phone().get(f"/course-runs/{run.key}/code"))

    pictures = rush(door.app, [ask] * 8)
    assert len(set(pictures)) == 1
    assert door.sandbox.calls(CODES) == 1
    with reading() as session:
        assert len(session.scalars(select(Scene)).all()) == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"errcode": -1}, "wechat_unavailable"),
        ({"errcode": 41030}, "code_unavailable"),
        ({"errcode": 45009}, "wechat_quota_used_up"),
        ({"errcode": 48001}, "wechat_misconfigured"),
        ({"http_status": 502}, "wechat_unavailable"),
        ({"latency_ms": 800}, "wechat_unavailable"),
        ({"reset_after_processing": True}, "wechat_unavailable"),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_when_wechat_fails_it_is_said_and_nothing_is_kept(
    door: Door, codes: Path, run: CourseRun, fault: dict[str, int], code: str
) -> None:
    path = f"/course-runs/{run.key}/code"
    door.sandbox.fault(CODES, times=1, **fault)
    answer = door.phone().get(path)
    the_problem(answer, 503, code)
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Cache-Control"] == "no-store"
    assert kept_in(codes) == []
    the_picture(door.phone().get(path))


def test_wechat_is_never_asked_inside_a_transaction(
    door: Door, codes: Path, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first time, when the scene is made too, and later: while WeChat takes its time no connection is held."""
    gateway = door.app.extensions["wechat"]
    held: list[int] = []
    for name in ("code_image", "url_link"):
        monkeypatch.setattr(gateway, name, watched(getattr(gateway, name), held))
    for run in (town.a_run(), town.a_run()):
        the_picture(door.phone().get(f"/course-runs/{run.key}/code"))
        the_picture(door.phone().get(f"/course-runs/{run.key}/code?width=280"))
        link_of(door, run)
    link_of(door, town.a_run())
    assert held == [0] * 7


def watched(ask: Callable[..., Any], held: list[int]) -> Callable[..., Any]:
    """A question to WeChat that first notes how many connections this application holds."""

    def asking(*args: Any, **kwargs: Any) -> Any:
        held.append(cast("QueuePool", db.engine.pool).checkedout())
        return ask(*args, **kwargs)

    return asking


# --- taking back --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["clerk", "admin"])
def test_staff_take_a_code_back_and_the_next_one_is_another(
    door: Door, codes: Path, town: Town, run: CourseRun, who: str
) -> None:
    worker = getattr(town, who)
    path = f"/course-runs/{run.key}/code"
    first = door.phone().get(path)
    scene = scene_of(run)
    phone = door.phone(worker)
    assert phone.delete(f"/staff/scenes/{scene.key}").status_code == 204
    the_problem(door.phone().get(f"/scenes/{scene.key}"), 404, "scene_unknown")
    assert kept_in(codes) == []
    second = door.phone().get(path)
    assert scene_of(run).key != scene.key
    assert the_picture(second) != the_picture(first)
    assert second.headers["ETag"] != first.headers["ETag"]
    with reading() as session:
        entry = session.scalars(select(JournalEntry).where(JournalEntry.act == "scene.revoked")).one()
    assert (entry.subject_id, entry.by_account_id, entry.identity) == (
        scene.id,
        worker.account_id,
        worker.identity,
    )


def test_taking_back_twice_is_fine(door: Door, town: Town, run: CourseRun) -> None:
    scene = town.a_scene(run)
    for _ in range(2):
        assert door.phone(town.clerk).delete(f"/staff/scenes/{scene.key}").status_code == 204
    with reading() as session:
        acts = session.scalars(select(JournalEntry.act).where(JournalEntry.act == "scene.revoked")).all()
    assert len(acts) == 1


def test_nobody_else_can_take_a_code_back(door: Door, town: Town, run: CourseRun) -> None:
    scene = town.a_scene(run)
    with transaction() as session:
        foreign = a_staff_member(session, Role.CLERK, town.wangjiang, name="望江的小周")
    path = f"/staff/scenes/{scene.key}"
    the_problem(door.phone().delete(path), 401, "login_needed")
    for person in (town.resident, town.outsider):
        the_problem(door.phone(person).delete(path), 403, "identity_unfit")
    the_problem(door.phone(town.partner_member).delete(path), 403, "identity_unfit")
    for worker in (foreign, town.grid_worker, town.street_officer):
        real = the_problem(door.phone(worker).delete(path), 404, "scene_unknown")
        invented = the_problem(door.phone(worker).delete(f"/staff/scenes/{new_key()}"), 404, "scene_unknown")
        assert real["detail"] == invented["detail"]
    told(door.phone().get(f"/scenes/{scene.key}"))


# --- the link for a short message ---------------------------------------------------------------------------------


def link_of(door: Door, run: CourseRun) -> str:
    with door.app.app_context():
        return url_link_for(run.key)


def test_a_link_leads_where_the_code_leads(door: Door, run: CourseRun) -> None:
    link = link_of(door, run)
    scene = scene_of(run)
    (opened,) = door.sandbox.account.links.values()
    assert link.endswith(opened.ticket)
    assert (opened.path, opened.query) == ("pages/courses/run", f"scene={scene.key}")
    assert told(door.phone().get(f"/scenes/{scene.key}"))["query"] == f"key={run.key}"


def test_a_link_is_kept_until_shortly_before_its_end(door: Door, run: CourseRun, clock: StoppedClock) -> None:
    first = link_of(door, run)
    assert link_of(door, run) == first
    clock.advance(
        days=27
    )  # of the thirty WeChat gives: who gets a short message may open it three days later
    assert link_of(door, run) == first
    assert door.sandbox.calls(LINKS) == 1
    clock.advance(seconds=1)
    assert link_of(door, run) != first
    assert door.sandbox.calls(LINKS) == 2


def test_after_a_revocation_the_link_is_another(door: Door, town: Town, run: CourseRun) -> None:
    first = link_of(door, run)
    assert door.phone(town.clerk).delete(f"/staff/scenes/{scene_of(run).key}").status_code == 204
    assert link_of(door, run) != first


def test_two_who_need_the_first_link_send_the_same(door: Door, run: CourseRun) -> None:
    links = rush(door.app, [partial(url_link_for, run.key)] * 2)
    assert set(links) == {link_of(door, run)}
    with reading() as session:
        assert len(session.scalars(select(Scene)).all()) == 1


def test_a_link_wechat_does_not_give_is_refused_and_not_kept(door: Door, run: CourseRun) -> None:
    door.sandbox.fault(LINKS, times=1, errcode=-1)
    with door.app.app_context(), pytest.raises(Refusal) as no:
        url_link_for(run.key)
    assert no.value.code == "wechat_unavailable"
    assert scene_of(run).link is None
    assert link_of(door, run)


def test_a_draft_has_no_link(door: Door, town: Town) -> None:
    draft = town.a_run(published=False)
    with door.app.app_context(), pytest.raises(NotFound):
        url_link_for(draft.key)
    assert door.sandbox.calls(LINKS) == 0


# --- rooms and where they are -------------------------------------------------------------------------------------


@pytest.fixture
def centre(town: Town) -> Centre:
    """The centre of 梧桐里."""
    with transaction() as session:
        return a_centre(session, town.wutong)


def live(kind: SceneKind, key: str) -> Scene:
    with reading() as session:
        scene = live_scene(session, kind, key)
    assert scene is not None
    return scene


def test_the_code_at_the_entrance_opens_the_page_of_the_service_point(
    door: Door, town: Town, centre: Centre, codes: Path
) -> None:
    with reading() as session:
        key = session.get_one(Site, centre.left.site_id).key
    the_picture(door.phone().get(f"/sites/{key}/code"))
    scene = live(SceneKind.SITE, key)
    assert told(door.phone().get(f"/scenes/{scene.key}")) == {
        "kind": "site",
        "page": "pages/sites/site",
        "query": f"key={key}",
    }
    the_problem(door.phone().get(f"/sites/{new_key()}/code"), 404, "not_found")


def test_the_sign_at_the_door_is_printed_by_staff_of_the_place_and_opens_the_page_of_the_room(
    door: Door, town: Town, centre: Centre, codes: Path
) -> None:
    path = f"/staff/venues/{centre.left.key}/code"
    the_problem(door.phone(town.resident).get(path), 403, "identity_unfit")
    answer = door.phone(town.clerk).get(f"{path}?width=1280")
    assert width_of(the_picture(answer)) == 1280
    assert "private" in answer.headers["Cache-Control"]
    scene = live(SceneKind.VENUE, centre.left.key)
    assert told(door.phone().get(f"/scenes/{scene.key}"))["query"] == f"key={centre.left.key}"
    the_picture(door.phone(town.clerk).get(path))
    assert live(SceneKind.VENUE, centre.left.key).key == scene.key
    with reading() as session:
        made = session.scalars(select(JournalEntry).where(JournalEntry.act == "scene.made")).one()
    assert (made.by_account_id, made.identity) == (town.clerk.account_id, town.clerk.identity)


def test_who_has_the_room_now_checks_in_by_scanning_the_sign_at_its_door(
    door: Door, town: Town, centre: Centre, codes: Path, clock: StoppedClock
) -> None:
    phone = door.phone(town.resident)
    made = takes(town.resident, centre.reading_room, at(9))
    signs = []
    for room in (centre.left, centre.reading_room):
        the_picture(door.phone(town.clerk).get(f"/staff/venues/{room.key}/code"))
        signs.append(live(SceneKind.VENUE, room.key).key)
    address = f"/reservations/{made.key}/check-in"
    the_problem(phone.put(address, json={"scene": signs[1]}), 409, "room_not_ready")
    clock.move_to(at(8, 50))
    for wrong in (signs[0], new_key()):
        the_problem(phone.put(address, json={"scene": wrong}), 409, "door_code_wrong")
    the_problem(phone.put(address, json={}), 409, "door_code_wrong")
    the_problem(door.phone(town.neighbour).put(address, json={"scene": signs[1]}), 404, "not_found")
    assert told(phone.put(address, json={"scene": signs[1]}))["state"] == "checked_in"


def test_the_code_of_a_site_checks_nobody_in(
    door: Door, town: Town, centre: Centre, codes: Path, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.reading_room, at(9))
    with reading() as session:
        key = session.get_one(Site, centre.reading_room.site_id).key
    the_picture(door.phone().get(f"/sites/{key}/code"))
    clock.move_to(at(8, 50))
    answer = door.phone(town.resident).put(
        f"/reservations/{made.key}/check-in", json={"scene": live(SceneKind.SITE, key).key}
    )
    the_problem(answer, 409, "door_code_wrong")


def test_new_digits_make_a_new_sign(
    door: Door, town: Town, centre: Centre, codes: Path, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.reading_room, at(9))
    clerk, room = door.phone(town.clerk), centre.reading_room
    the_picture(clerk.get(f"/staff/venues/{room.key}/code"))
    old = live(SceneKind.VENUE, room.key).key
    told(clerk.put(f"/staff/venues/{room.key}/door-code"))
    clock.move_to(at(8, 50))
    address, phone = f"/reservations/{made.key}/check-in", door.phone(town.resident)
    the_problem(phone.put(address, json={"scene": old}), 409, "door_code_wrong")
    the_problem(door.phone().get(f"/scenes/{old}"), 404, "scene_unknown")
    the_picture(clerk.get(f"/staff/venues/{room.key}/code"))
    told(phone.put(address, json={"scene": live(SceneKind.VENUE, room.key).key}))
