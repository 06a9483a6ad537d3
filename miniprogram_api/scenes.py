"""Codes and links into the mini-program: what a scanned one means, the picture to print, the link for a short message."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import Response, current_app
from sqlalchemy.orm import Session

from miniprogram_api.edge import Door, Needs, account, caller, staff_hat
from miniprogram_api.freshness import etag_of, unless_known
from miniprogram_api.installed import code_images, terms, wechat_gateway
from miniprogram_api.office import hat, office_places
from miniprogram_api.pictures import PictureShelf
from miniprogram_api.schemas.scenes import CodeQuery, SceneOut
from miniprogram_api.wechat.links import Build
from models import clock
from models.base import db, reading, transaction
from models.courses import published_run, published_session, runs_not_over, sessions_not_over
from models.errors import Conflict, Unavailable
from models.regions import Region
from models.scenes import (
    Scene,
    SceneKind,
    count_looks,
    keep_link,
    live_scene,
    make_scene,
    resolve,
    revoke,
    scene_for_staff,
    subjects_of,
)
from models.sites import site_by_key, venue_by_key, venue_in
from models.staff import OFFICE, places_of

door = Door("scenes", description="小程序码与链接")

LOOKS_SECONDS = 5.0
# the picture stays the same as long as its scene lives; a day is how long a poster shop may show one that was taken back
CODE_FRESH_SECONDS = 24 * 3600
SCENES_AT_ONCE = 500
LINK_DAYS = 30  # the longest WeChat gives (wechat.md §7)
LEAST_LINK_LEFT = timedelta(days=3)  # a message is read within so many days

# what is asked of each kind's subjects, whether there is still anything to come to
_STILL_ON: Mapping[SceneKind, Callable[..., set[str]]] = {
    SceneKind.COURSE_RUN: runs_not_over,
    SceneKind.COURSE_SESSION: sessions_not_over,
    SceneKind.SITE: lambda session, keys, at: set(keys),
    SceneKind.VENUE: lambda session, keys, at: set(keys),
}
# where what a code is about belongs; each raises NotFound for what nobody may see
_REGION_OF: Mapping[SceneKind, Callable[[Session, str], Region]] = {
    SceneKind.COURSE_RUN: lambda session, key: published_run(session, key).region,
    SceneKind.COURSE_SESSION: lambda session, key: published_session(session, key).run.region,
    SceneKind.SITE: lambda session, key: site_by_key(session, key).region,
    SceneKind.VENUE: lambda session, key: venue_by_key(session, key).site.region,
}
_PICTURE = {"type": "string", "format": "binary"}
_BUILDS: Mapping[str, Build] = {"formal": "release", "trial": "trial", "developer": "develop"}


class LookTally:
    """Looks counted in memory and written down together, at most every so many seconds a process: no row is ever hot.

    A look that comes when nothing was written for a while is written at once. What a process has not written when it dies is lost,
    at most ``every_seconds`` of looks: they are a measure of posters, not of people.
    """

    def __init__(self, every_seconds: float = LOOKS_SECONDS) -> None:
        self._every_seconds = every_seconds
        self._lock = threading.Lock()
        self._looks: Counter[int] = Counter()
        self._written_at = float("-inf")

    def note(self, scene_id: int) -> dict[int, int]:
        """Count one look. What is to be written down now, by whoever asked; nothing most of the time."""
        with self._lock:
            self._looks[scene_id] += 1
            now = time.monotonic()
            if now - self._written_at < self._every_seconds:
                return {}
            due, self._looks, self._written_at = dict(self._looks), Counter(), now
            return due


class _Way(NamedTuple):
    """A scene as the questions to WeChat need it; a plain value, for no transaction is open while they wait."""

    scene_id: int
    key: str
    page: str
    link: str | None


@door.get("/scenes/<key:key>", needs=Needs.NOTHING)
@door.gives(SceneOut, refuses=(404,))
def show_scene(key: str) -> dict[str, Any]:
    """扫码进入

    What the ``scene`` of a scanned code or an opened link means: go to ``page`` with ``query``. One that was taken back looks like one
    that never was.
    """
    session = db.session()
    scene = resolve(session, key)
    where = {"kind": scene.kind, "page": scene.page, "query": scene.query}
    due = _tally().note(scene.id)
    if due:
        session.rollback()
        with transaction() as counting:
            count_looks(counting, due)
    return where


@door.get("/course-runs/<key:key>/code", needs=Needs.NOTHING)
@door.takes(CodeQuery, location="query")
@door.alt_response(200, schema=_PICTURE, content_type="image/png", success=True)
@door.response(200, _PICTURE, content_type="image/jpeg")
@door.gives(None, refuses=(404, 422))
def show_code(wanted: dict[str, Any], key: str) -> Response:
    """班次小程序码

    The picture of the run's mini-program code, for posters and notices, with an ``ETag``. WeChat is asked once for each width; when it
    does not answer, 503 ``code_unavailable`` or one of WeChat's own, and nothing is kept.
    """
    return _picture_of(SceneKind.COURSE_RUN, key, wanted["width"])


@door.get("/course-sessions/<key:key>/code", needs=Needs.NOTHING)
@door.takes(CodeQuery, location="query")
@door.alt_response(200, schema=_PICTURE, content_type="image/png", success=True)
@door.response(200, _PICTURE, content_type="image/jpeg")
@door.gives(None, refuses=(404, 422))
def show_session_code(wanted: dict[str, Any], key: str) -> Response:
    """课次签到小程序码

    The picture of one evening's code, to print and hang in the room: scanning it opens the page to check in, and checks nobody in. For
    that one enters the digits on the screen in the room. As the code of a run otherwise.
    """
    return _picture_of(SceneKind.COURSE_SESSION, key, wanted["width"])


@door.get("/sites/<key:key>/code", needs=Needs.NOTHING)
@door.takes(CodeQuery, location="query")
@door.alt_response(200, schema=_PICTURE, content_type="image/png", success=True)
@door.response(200, _PICTURE, content_type="image/jpeg")
@door.gives(None, refuses=(404, 422))
def show_site_code(wanted: dict[str, Any], key: str) -> Response:
    """服务点小程序码

    The picture of the code that opens the service point's page, for the entrance and for posters. As the code of a run otherwise.
    """
    return _picture_of(SceneKind.SITE, key, wanted["width"])


@door.get("/staff/venues/<key:key>/code")
@door.takes(CodeQuery, location="query")
@door.alt_response(200, schema=_PICTURE, content_type="image/png", success=True)
@door.response(200, _PICTURE, content_type="image/jpeg")
@door.gives(None, refuses=(404, 422))
def show_door_sign(wanted: dict[str, Any], key: str) -> Response:
    """场地门牌小程序码（工作人员）

    To print and hang at the room's door: scanning it opens the room's page, and checks in whoever has it reserved now, as the digits on the door
    do. So it is for staff alone, and new digits make it a new one. As the code of a run otherwise.
    """
    session = db.session()
    venue_in(session, key, within=office_places())
    return _picture_of(SceneKind.VENUE, key, wanted["width"], private=True, **hat())


def _picture_of(kind: SceneKind, key: str, width: int, *, private: bool = False, **who: Any) -> Response:
    session = db.session()
    _REGION_OF[kind](session, key)
    way = _way_of(live_scene(session, kind, key))
    session.rollback()
    way = way or _made_way(kind, key, **who)
    build = _build()

    def ask_wechat() -> bytes:
        return _code_image(way, width=width, build=build)

    picture = code_images().made_once(f"{way.key}-{width}-{build}", ask_wechat)
    media = "image/png" if picture.startswith(b"\x89PNG") else "image/jpeg"
    fresh = 0 if private else CODE_FRESH_SECONDS
    return unless_known(picture, etag_of(picture), kind=media, fresh_seconds=fresh, private=private)


@door.delete("/staff/scenes/<key:key>")
@door.gives(None, 204)
def take_back_scene(key: str) -> None:
    """收回小程序码（工作人员）

    Every printed code and every link that holds this scene leads nowhere from now on; the next code asked for holds a new one. For
    administrators and clerks of its community or above; anybody else does not find it. Twice is fine.
    """
    session = db.session()
    member = staff_hat()
    scene = scene_for_staff(session, key, within=places_of(session, member, *OFFICE))
    revoke(session, scene, by_account_id=account().id, identity=caller().identity)
    code_images().drop(scene.key)


def forget_pictures(shelf: PictureShelf, *, since: datetime) -> int:
    """Let go of the pictures whose scene leads nowhere any more, or to a class that was over before ``since``; how many scenes' pictures.

    Needs an application context and no open transaction. The class's page stays, and whoever asks for its code again gets it again.
    """
    kept = sorted({name.partition("-")[0] for name in shelf.names()})
    gone: list[str] = []
    for start in range(0, len(kept), SCENES_AT_ONCE):
        keys = kept[start : start + SCENES_AT_ONCE]
        with reading() as session:
            leads_to = subjects_of(session, keys)
            lasting = {
                kind: still_on(session, [one for of, one in leads_to.values() if of is kind], at=since)
                for kind, still_on in _STILL_ON.items()
            }
        wanted = {key for key, (kind, subject) in leads_to.items() if subject in lasting[kind]}
        gone += [key for key in keys if key not in wanted]
    for key in gone:
        shelf.drop(f"{key}-")
    return len(gone)


def url_link_for(run_key: str) -> str:
    """WeChat's link to a run's page, for a short message: the kept one while it opens for ``LEAST_LINK_LEFT`` more, else a new one.

    Needs an application context and no open transaction: it may ask WeChat. Raises NotFound for a run nobody may see, and as
    ``WeChatGateway.url_link``.
    """
    still_good = clock.now() + LEAST_LINK_LEFT
    with reading() as session:
        published_run(session, run_key)
        way = _way_of(live_scene(session, SceneKind.COURSE_RUN, run_key), link_until=still_good)
    way = way or _made_way(SceneKind.COURSE_RUN, run_key)
    if way.link is not None:
        return way.link
    expires_at = clock.now() + timedelta(days=LINK_DAYS)
    link = wechat_gateway().url_link(way.page, f"scene={way.key}", build=_build(), days=LINK_DAYS)
    with transaction() as session:
        return keep_link(session, way.scene_id, link, expires_at=expires_at, unless_good_until=still_good)


def _made_way(kind: SceneKind, key: str, **who: Any) -> _Way:
    """``who``: the account and identity of who asked, where it is not for everybody."""
    with transaction() as session:
        region = _REGION_OF[kind](session, key)
        scene = make_scene(session, kind, subject_key=key, region=region, **who)
    return _Way(scene.id, scene.key, scene.page, None)


def _way_of(scene: Scene | None, *, link_until: datetime | None = None) -> _Way | None:
    if scene is None:
        return None
    link = scene.link_good_until(link_until) if link_until is not None else None
    return _Way(scene.id, scene.key, scene.page, link)


def _code_image(way: _Way, *, width: int, build: Build) -> bytes:
    try:
        return wechat_gateway().code_image(
            way.key, way.page, width=width, build=build, check_path=build == "release"
        )
    except Conflict as not_ready:
        # the page is not in the released build: ours to mend, and no fault of whoever asks for a poster
        raise Unavailable(
            "code_unavailable", "小程序码暂时生成不了，请稍后再试", retry_after=60
        ) from not_ready


def _build() -> Build:
    return _BUILDS[terms().wechat_state]


def _tally() -> LookTally:
    tally: LookTally = current_app.extensions["scene_looks"]
    return tally
