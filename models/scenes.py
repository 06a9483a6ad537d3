"""Scenes (场景码): the opaque names that stand in mini-program codes and links, resolved and revocable on our side.

A printed code cannot be called back, and WeChat's are good for ever: so a code holds nothing but the key of a row here, and the row
says where it leads, until when, and whether it still does. A subject has one live scene at a time: whoever asks again gets the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.base import Base, Keyed, PlainText, PublicKey, chosen_from, insert_for
from models.errors import Busy, NotFound
from models.journal import enter
from models.regions import Region, is_within

_LIVE = text("revoked_at IS NULL")


class SceneKind(StrEnum):
    """What a code or link is about."""

    COURSE_RUN = "course_run"  # 班次的页面
    COURSE_SESSION = "course_session"  # 一次课的签到页面；签到还要教室屏幕上的数字
    SITE = "site"  # 服务点的页面
    VENUE = "venue"  # 门口贴的码：场地的页面，约好了的扫它签到


# the mini-program's page of each kind; it opens with the subject's key
PAGES: Mapping[SceneKind, str] = {
    SceneKind.COURSE_RUN: "pages/courses/run",
    SceneKind.COURSE_SESSION: "pages/courses/check-in",
    SceneKind.SITE: "pages/sites/site",
    SceneKind.VENUE: "pages/sites/venue",
}


class Scene(Keyed, Base):
    """One opaque name and where it leads. ``region`` is whose staff may take it back; ``link`` is WeChat's, for short messages."""

    __tablename__ = "scenes"
    __table_args__ = (
        CheckConstraint("expires_at IS NULL OR expires_at > created_at", name="expires_after_made"),
        # a forgotten look for the live one fails loudly
        Index(
            "uq_scenes_live",
            "kind",
            "subject_key",
            unique=True,
            postgresql_where=_LIVE,
            sqlite_where=_LIVE,
        ),
    )

    kind: Mapped[SceneKind] = mapped_column(chosen_from(SceneKind))
    subject_key: Mapped[str] = mapped_column(PublicKey(16))
    page: Mapped[str] = mapped_column(PlainText(128))
    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))  # none: by the town itself
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    link: Mapped[str | None] = mapped_column(PlainText(200))
    link_expires_at: Mapped[datetime | None]

    region: Mapped[Region] = relationship()

    @staticmethod
    def is_live_at(moment: datetime) -> ColumnElement[bool]:
        """The condition that a scene is live at a moment: neither taken back nor expired."""
        return Scene.revoked_at.is_(None) & or_(Scene.expires_at.is_(None), Scene.expires_at > moment)

    @property
    def query(self) -> str:
        """What the page is opened with."""
        return f"key={self.subject_key}"

    @property
    def is_expired(self) -> bool:
        """Whether its time has passed."""
        return self.expires_at is not None and self.expires_at <= clock.now()

    @property
    def was_taken_back(self) -> bool:
        """Whether somebody revoked it while it was good."""
        return self.revoked_at is not None and (self.expires_at is None or self.revoked_at < self.expires_at)

    def link_good_until(self, moment: datetime) -> str | None:
        """Its link, if that still opens at a moment."""
        if self.link is None or self.link_expires_at is None or self.link_expires_at < moment:
            return None
        return self.link


class SceneLooks(Base):
    """How often one scene was resolved on one day in the town."""

    __tablename__ = "scene_looks"
    __table_args__ = (UniqueConstraint("scene_id", "looked_on"),)

    scene_id: Mapped[int] = mapped_column(ForeignKey("scenes.id"))
    looked_on: Mapped[date]
    looks: Mapped[int]


def make_scene(
    session: Session,
    kind: SceneKind,
    *,
    subject_key: str,
    region: Region,
    by_account_id: int | None = None,
    identity: str = "town",
    expires_at: datetime | None = None,
) -> Scene:
    """The live scene of a subject, made if there is none; two who ask first get the same one.

    Raises Busy when another's was made and taken back meanwhile.
    """
    standing = live_scene(session, kind, subject_key)
    if standing is not None:
        return standing
    _let_expired_go(session, kind, subject_key)
    scene = Scene(
        kind=kind,
        subject_key=subject_key,
        page=PAGES[kind],
        region_id=region.id,
        created_by_id=by_account_id,
        created_at=clock.now(),
        expires_at=expires_at,
    )
    try:
        with session.begin_nested():
            session.add(scene)
    except IntegrityError:
        quicker = live_scene(session, kind, subject_key)
        if quicker is None:
            raise Busy from None
        return quicker
    enter(session, "scene.made", scene, by_account_id=by_account_id, identity=identity)
    session.flush()
    return scene


def live_scene(session: Session, kind: SceneKind, subject_key: str) -> Scene | None:
    """The scene that leads to a subject now, if there is one."""
    return session.scalar(
        select(Scene).where(
            Scene.kind == kind,
            Scene.subject_key == subject_key,
            Scene.is_live_at(clock.now()),
        )
    )


def subjects_of(session: Session, keys: Collection[str]) -> dict[str, tuple[SceneKind, str]]:
    """Where those of these scenes lead that lead anywhere now: kind and key of the subject, by the scene's key."""
    rows = session.execute(
        select(Scene.key, Scene.kind, Scene.subject_key).where(
            Scene.key.in_(keys), Scene.is_live_at(clock.now())
        )
    )
    return {row.key: (row.kind, row.subject_key) for row in rows}


def resolve(session: Session, key: str) -> Scene:
    """Where a scene leads. Raises NotFound ``scene_unknown`` (never made or taken back) or ``scene_expired``.

    Reads alone: looks are counted apart, many at once, by ``count_looks``.
    """
    scene = session.scalar(select(Scene).where(Scene.key == key))
    if scene is None or scene.was_taken_back:
        raise NotFound("这个码已经失效，请向社区要一个新的", code="scene_unknown")
    if scene.is_expired:
        raise NotFound("这个码已经过期，请向社区要一个新的", code="scene_expired")
    return scene


def revoke(session: Session, scene: Scene, *, by_account_id: int | None, identity: str) -> None:
    """Take a scene back: every code and link that holds it leads nowhere from now on. Twice is fine."""
    scene.lock()
    if scene.revoked_at is not None:
        return
    scene.revoked_at = clock.now()
    enter(session, "scene.revoked", scene, by_account_id=by_account_id, identity=identity)
    session.flush()


def scene_for_staff(session: Session, key: str, *, within: Sequence[Region]) -> Scene:
    """A scene of the places a staff member looks after, live or not. Raises NotFound outside of them."""
    scene = session.scalar(select(Scene).options(joinedload(Scene.region)).where(Scene.key == key))
    if scene is None or not is_within(scene.region, within):
        raise NotFound("没有找到这个码", code="scene_unknown")
    return scene


def keep_link(
    session: Session, scene_id: int, link: str, *, expires_at: datetime, unless_good_until: datetime
) -> str:
    """Keep WeChat's link to a scene, unless another was kept meanwhile that opens until that moment. Gives the kept one."""
    scene = session.get_one(Scene, scene_id).lock()
    standing = scene.link_good_until(unless_good_until)
    if standing is not None:
        return standing
    scene.link, scene.link_expires_at = link, expires_at
    session.flush()
    return link


def count_looks(session: Session, looks: Mapping[int, int]) -> None:
    """Add looks (by the scene's id) to today's. Safe beside others who add at the same moment."""
    # in one order, so that two who add never wait for each other
    rows = [
        {"scene_id": scene_id, "looked_on": clock.today(), "looks": looks[scene_id]}
        for scene_id in sorted(looks)
    ]
    adding = insert_for(session, SceneLooks).values(rows)
    session.execute(
        adding.on_conflict_do_update(
            index_elements=["scene_id", "looked_on"],
            set_={"looks": SceneLooks.looks + adding.excluded.looks},
        )
    )


def _let_expired_go(session: Session, kind: SceneKind, subject_key: str) -> None:
    """An expired scene makes room for the next, and stays one that expired: it was over at its own time."""
    session.execute(
        update(Scene)
        .where(
            Scene.kind == kind,
            Scene.subject_key == subject_key,
            Scene.revoked_at.is_(None),
            Scene.expires_at <= clock.now(),
        )
        .values(revoked_at=Scene.expires_at)
    )
