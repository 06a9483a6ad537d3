"""Pauses (暂停报名): for some weeks somebody who kept seats empty registers for nothing new; what they have stays theirs.

It stands beside the seats, which ask about it, and is begun and lifted by ``attendance.reckoning``, which knows why. It is between the
person and those who work for their community: nothing of it is shown to anybody else.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, bindparam, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.base import Base, Keyed, PlainText, chosen_from
from models.bulk import among
from models.errors import Conflict, NotFound
from models.regions import Region, is_within, regions_within
from models.residents import Resident


class PauseEnd(StrEnum):
    """Why a pause ended."""

    TIME = "time"  # 到期
    EXCUSED = "excused"  # 缺课免计后不再够数
    STAFF = "staff"  # 工作人员解除


_STANDS = text("lifted_at IS NULL")


class Pause(Keyed, Base):
    """One person registers for nothing new, from one moment to another, unless it is lifted before."""

    __tablename__ = "pauses"
    __table_args__ = (
        Index(
            "uq_pauses_standing", "resident_id", unique=True, postgresql_where=_STANDS, sqlite_where=_STANDS
        ),
        Index("ix_pauses_resident", "resident_id"),
        Index("ix_pauses_until", "until", postgresql_where=_STANDS, sqlite_where=_STANDS),
        CheckConstraint("until > starts_at", name="ends_after_start"),
    )

    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    starts_at: Mapped[datetime] = mapped_column(default=clock.now)
    until: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lifted_how: Mapped[PauseEnd | None] = mapped_column(chosen_from(PauseEnd))
    lifted_because: Mapped[str] = mapped_column(PlainText(200), default="", server_default="")

    resident: Mapped[Resident] = relationship()


_PAUSED = select(Pause.resident_id, Pause.until).where(
    among(Pause.resident_id, "residents"), Pause.lifted_at.is_(None), Pause.until > bindparam("now")
)


def paused_until(
    connection: Connection | Session, residents: Collection[int], now: datetime
) -> dict[int, datetime]:
    """Those of these people who register for nothing new now, and until when; one question for all of them."""
    if not residents:
        return {}
    rows = connection.execute(_PAUSED, {"residents": residents, "now": now})
    return {row.resident_id: row.until for row in rows}


def must_not_be_paused(until: datetime | None) -> None:
    """Raises Conflict ``paused`` with until when, and what to do, for whoever is paused until a moment."""
    if until is None:
        return
    ends = clock.in_town(until)
    raise Conflict(
        "paused",
        f"因为多次缺课没有请假，{ends.month}月{ends.day}日 {ends:%H:%M} 前暂停报名新课，已报的课照常上。有特殊情况请在“我的出勤”里申诉，或联系社区",
        details={"until": ends.isoformat()},
    )


def standing_pause(session: Session, resident_id: int) -> Pause | None:
    """The pause somebody is in, if they are in one."""
    return session.scalar(select(Pause).where(Pause.resident_id == resident_id, Pause.lifted_at.is_(None)))


def pauses_of(session: Session, residents: Collection[int]) -> Sequence[Pause]:
    """Every pause these people ever had, oldest first."""
    return session.scalars(select(Pause).where(Pause.resident_id.in_(residents)).order_by(Pause.id)).all()


def pauses_within(
    session: Session, places: Sequence[Region], *, after_id: int | None, most: int
) -> Sequence[Pause]:
    """Up to ``most`` standing pauses of people who live in these places, oldest first."""
    if not places:
        return []
    query = (
        select(Pause)
        .join(Pause.resident)
        .options(joinedload(Pause.resident))
        .where(Pause.lifted_at.is_(None), Resident.home_region_id.in_(regions_within(*places)))
        .order_by(Pause.id)
        .limit(most)
    )
    return session.scalars(query if after_id is None else query.where(Pause.id > after_id)).all()


def pause_within(session: Session, key: str, *, within: Sequence[Region]) -> Pause:
    """A pause of somebody who lives in these places. Raises NotFound outside of them."""
    pause = session.scalar(
        select(Pause)
        .options(joinedload(Pause.resident).joinedload(Resident.home_region))
        .where(Pause.key == key)
    )
    home = pause.resident.home_region if pause is not None else None
    if pause is None or home is None or not is_within(home, within):
        raise NotFound("没有找到这条暂停记录")
    return pause
