"""Pushes (微信推送): what WeChat told by itself, written down at once and settled afterwards.

WeChat waits five seconds for an answer and then tells again, three times in all: so the door writes rows and answers, and a job acts.
One event is one row, whoever tells it how often (``dedupe_key``). A row that could not be settled is tried again with a growing delay
and in the end stays ``stuck``, for people to look at. Whom it is about is forgotten once it is settled, the row itself after
``KEPT_FOR``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, delete, literal_column, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.base import Base, PlainText, chosen_from, insert_for

KEPT_FOR = timedelta(days=30)
STAMPS_KEPT = timedelta(hours=3)  # longer than a stamp is believed, on either side of our clock
FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(minutes=30)
MOST_ATTEMPTS = 12  # with the delays above 1 h 43 min


class PushKind(StrEnum):
    """What WeChat told."""

    POPUP_ANSWERED = "popup_answered"  # 回答了订阅弹窗
    TEMPLATE_REFUSED = "template_refused"  # 在服务通知里拒收
    MESSAGE_SETTLED = "message_settled"  # 消息最终送达与否
    MEDIA_CHECKED = "media_checked"  # 图片审核结果
    AUTHORIZATION_REVOKED = "authorization_revoked"  # 撤回了一项授权
    AUTHORIZATION_CANCELLED = "authorization_cancelled"  # 注销了授权账号
    PROFILE_MODIFIED = "profile_modified"  # 平台清理了违规头像昵称
    UNKNOWN = "unknown"  # 我们用不上的


class PushState(StrEnum):
    """How far we are with it."""

    OWED = "owed"  # 待办
    SETTLED = "settled"  # 已办
    STUCK = "stuck"  # 多次办不成，等人查看


class Push(Base):
    """One thing WeChat told: about whom, when it happened, its facts, and what we made of it."""

    __tablename__ = "pushes"
    __table_args__ = (
        Index(
            "ix_pushes_owed",
            "due_at",
            "id",
            postgresql_where=text("state = 'owed'"),
            sqlite_where=text("state = 'owed'"),
        ),
    )

    dedupe_key: Mapped[str] = mapped_column(PlainText(40), unique=True)
    kind: Mapped[PushKind] = mapped_column(chosen_from(PushKind))
    openid: Mapped[str | None] = mapped_column(PlainText(256))  # gone once it is settled
    at: Mapped[datetime]
    trace_id: Mapped[str | None] = mapped_column(PlainText(256), index=True)  # of a picture's check
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    received_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    due_at: Mapped[datetime] = mapped_column(default=clock.now)
    state: Mapped[PushState] = mapped_column(chosen_from(PushState), default=PushState.OWED)
    attempts: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str | None] = mapped_column(
        PlainText(80)
    )  # what went wrong last, without words of people
    outcome: Mapped[str | None] = mapped_column(PlainText(40))
    settled_at: Mapped[datetime | None]


class PushStamp(Base):
    """A signature that was used, and what it was used for: it signs no second thing.

    In plain mode a signature does not cover the body, so whoever saw one could send bodies of their own with it.
    """

    __tablename__ = "push_stamps"

    stamp: Mapped[str] = mapped_column(PlainText(40), unique=True)
    told: Mapped[str] = mapped_column(PlainText(40))
    seen_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One event on its way into a row."""

    kind: PushKind
    openid: str = field(repr=False)
    at: datetime
    dedupe_key: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    trace_id: str | None = None


def take_down(session: Session, told: Iterable[Told]) -> int:
    """Write down what WeChat told; how many events are new. One that was told before changes nothing."""
    now = clock.now()
    rows = [
        {
            "dedupe_key": one.dedupe_key,
            "kind": one.kind,
            "openid": one.openid or None,
            "at": one.at,
            "trace_id": one.trace_id,
            "facts": dict(one.facts),
            "received_at": now,
            "due_at": now,
            "state": PushState.OWED,
            "attempts": 0,
        }
        for one in told
    ]
    if not rows:
        return 0
    added = session.execute(insert_for(session, Push).on_conflict_do_nothing().returning(Push.id), rows)
    return len(added.all())


def use_stamp(session: Session, stamp: str, *, told: str) -> bool:
    """Whether this signature may sign this: it was never used, or for the very same. ``told`` is a digest of what it signs."""
    session.execute(
        insert_for(session, PushStamp)
        .values(stamp=stamp, told=told, seen_at=clock.now())
        .on_conflict_do_nothing()
    )
    return session.scalars(select(PushStamp.told).where(PushStamp.stamp == stamp)).one() == told


def due_pushes(session: Session, *, most: int) -> list[int]:
    """The ids of what is to be settled now, oldest first."""
    return list(
        session.scalars(
            select(Push.id)
            .where(
                Push.state == literal_column("'owed'"), Push.due_at <= clock.now()
            )  # a literal, for the index
            .order_by(Push.due_at, Push.id)
            .limit(most)
        )
    )


def hold_push(session: Session, push_id: int) -> Push | None:
    """Hold one that is to be settled; nothing when another worker settled it meanwhile."""
    push = session.get(Push, push_id)
    if push is None or push.lock().state is not PushState.OWED:
        return None
    return push


def settle_push(push: Push, outcome: str) -> None:
    """It is done; whom it was about is no longer needed."""
    push.state, push.outcome, push.settled_at = PushState.SETTLED, outcome, clock.now()
    push.openid, push.trouble = None, None


def wait_with(push: Push) -> None:
    """What it is about is not there yet: look again a little later. This is no failure."""
    push.due_at = clock.now() + FIRST_DELAY


def note_failure(push: Push, trouble: str) -> None:
    """It could not be settled: again later, and after ``MOST_ATTEMPTS`` no more."""
    push.attempts += 1
    push.trouble = trouble[:80]
    push.due_at = clock.now() + min(FIRST_DELAY * 2 ** (push.attempts - 1), LONGEST_DELAY)
    if push.attempts >= MOST_ATTEMPTS:
        push.state = PushState.STUCK


def stuck_pushes(session: Session) -> list[Push]:
    """What could not be settled, oldest first."""
    return list(session.scalars(select(Push).where(Push.state == PushState.STUCK).order_by(Push.id)))


def try_again(session: Session) -> int:
    """What could not be settled is owed once more, at once and with every attempt before it; how many. For when the cause is mended."""
    found = stuck_pushes(session)
    for push in found:
        push.state, push.attempts, push.due_at = PushState.OWED, 0, clock.now()
    session.flush()
    return len(found)


def media_verdict(session: Session, trace_id: str) -> Push | None:
    """What WeChat said of a picture that was sent to be checked: ``suggest``, ``label`` and ``errcode`` stand in its facts."""
    return session.scalar(
        select(Push)
        .where(Push.kind == PushKind.MEDIA_CHECKED, Push.trace_id == trace_id)
        .order_by(Push.id)
        .limit(1)
    )


def forget_old_pushes(session: Session) -> int:
    """Drop what is settled or stuck and older than ``KEPT_FOR``, and stamps nobody would believe any more; how many rows."""
    now = clock.now()
    pushes = session.execute(
        delete(Push).where(Push.state != PushState.OWED, Push.received_at < now - KEPT_FOR)
    )
    stamps = session.execute(delete(PushStamp).where(PushStamp.seen_at < now - STAMPS_KEPT))
    return int(pushes.rowcount) + int(stamps.rowcount)  # type: ignore[attr-defined,unused-ignore]  # a DELETE's result counts rows
