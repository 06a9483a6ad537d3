"""Credit (信用): what it costs to leave a reserved room empty, and how it comes back. Mercy is part of the rule (domain.md §2.2).

Somebody begins with a hundred points, and so does a group. Leaving a room empty, or in disorder, takes some away; using one as reserved
gives some back, never beyond a hundred. Only the last 180 days count. Whoever falls below sixty reserves nothing for thirty days. It is
all read from the entries anew each time: an entry that is excused was never there, and a pause that rested on it is over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Select, UniqueConstraint, bindparam, select, text
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.base import Base, EncryptedText, Keyed, PlainText, chosen_from
from models.errors import Conflict
from models.policies import Policies
from models.reservations.rows import Reservation

FULL = 100


class CreditWhy(StrEnum):
    """What an entry is for."""

    LATE = "late"  # 临时取消
    NO_SHOW = "no_show"  # 没有来
    NO_SIGN_OUT = "no_sign_out"  # 没有签退
    DAMAGE = "damage"  # 损坏设施
    KEPT = "kept"  # 按约使用


class CreditAppealState(StrEnum):
    """What becomes of an appeal."""

    WAITING = "waiting"  # 待处理
    GRANTED = "granted"  # 已免扣
    DECLINED = "declined"  # 维持


CREDIT_WORDS = {
    CreditWhy.LATE: "临时取消",
    CreditWhy.NO_SHOW: "没有来",
    CreditWhy.NO_SIGN_OUT: "没有签退",
    CreditWhy.DAMAGE: "损坏设施",
    CreditWhy.KEPT: "按约使用",
}
_WAITS = text("appeal_state = 'waiting'")
_PAUSES = text("pauses_until IS NOT NULL")


class CreditEntry(Keyed, Base):
    """Points one reservation gave or took, of a person or of a group, once for each reason."""

    __tablename__ = "credit_entries"
    __table_args__ = (
        UniqueConstraint("reservation_id", "why"),
        Index("ix_credit_entries_resident_at", "resident_id", "at"),
        Index("ix_credit_entries_group_at", "group_id", "at"),
        Index("ix_credit_entries_appeals", "appealed_at", postgresql_where=_WAITS, sqlite_where=_WAITS),
        Index("ix_credit_entries_pauses", "pauses_until", postgresql_where=_PAUSES, sqlite_where=_PAUSES),
        CheckConstraint("(resident_id IS NULL) <> (group_id IS NULL)", name="of_a_person_or_a_group"),
        CheckConstraint("(appeal_state IS NULL) = (appealed_at IS NULL)", name="appeal_has_a_time"),
    )

    reservation_id: Mapped[int] = mapped_column(ForeignKey("reservations.id"))
    resident_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id"))
    why: Mapped[CreditWhy] = mapped_column(chosen_from(CreditWhy))
    points: Mapped[int]  # taken when negative
    at: Mapped[datetime] = mapped_column(default=clock.now)
    note: Mapped[str] = mapped_column(PlainText(200), default="", server_default="")  # staff's, of a damage
    pauses_until: Mapped[datetime | None]  # reserving is paused so long because of it, as it stood then
    excused_at: Mapped[datetime | None]
    appeal_state: Mapped[CreditAppealState | None] = mapped_column(chosen_from(CreditAppealState))
    appeal_words: Mapped[str | None] = mapped_column(EncryptedText)
    appealed_at: Mapped[datetime | None]
    appealed_by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    answer: Mapped[str] = mapped_column(PlainText(200), default="", server_default="")
    answered_at: Mapped[datetime | None]

    reservation: Mapped[Reservation] = relationship()

    @property
    def counts(self) -> bool:
        """Whether it still counts."""
        return self.excused_at is None


@dataclass(frozen=True)
class Credit:
    """How somebody stands at a moment: ``points`` of a hundred, and until when they reserve nothing, if they are paused."""

    points: int
    paused_until: datetime | None


def credit_of(entries: Iterable[CreditEntry], policy: Policies, now: datetime) -> Credit:
    """What these entries of one person or group come to. In their order, each brought no lower than nothing and no higher than a hundred."""
    points, paused_until = FULL, None
    since = now - timedelta(days=policy.credit_days)
    for entry in sorted(entries, key=lambda one: (one.at, one.id)):
        if not entry.counts or entry.at <= since:
            continue
        points = max(0, min(FULL, points + entry.points))
        if entry.points < 0 and points < policy.credit_needed:
            paused_until = entry.at + timedelta(days=policy.credit_pause_days)
    return Credit(points, paused_until if paused_until is not None and paused_until > now else None)


def entries_of(
    session: Session, *, resident_id: int | None = None, group_id: int | None = None, since: datetime
) -> Sequence[CreditEntry]:
    """What a person, or a group, was given and lost since a moment, oldest first."""
    query, whose = (_OF_A_GROUP, group_id) if group_id is not None else (_OF_A_PERSON, resident_id)
    return session.scalars(query, {"whose": whose, "since": since}).all()


def _entries(column: InstrumentedAttribute[int | None]) -> Select[CreditEntry]:
    return (
        select(CreditEntry)
        .options(joinedload(CreditEntry.reservation))
        .where(column == bindparam("whose"), CreditEntry.at > bindparam("since"))
        .order_by(CreditEntry.at, CreditEntry.id)
    )


_OF_A_PERSON, _OF_A_GROUP = _entries(CreditEntry.resident_id), _entries(CreditEntry.group_id)


def entries_kept_of(session: Session, residents: Collection[int]) -> Sequence[CreditEntry]:
    """Everything these people ever were given and lost themselves, oldest first."""
    return session.scalars(
        select(CreditEntry)
        .options(joinedload(CreditEntry.reservation))
        .where(CreditEntry.resident_id.in_(residents))
        .order_by(CreditEntry.id)
    ).all()


def must_not_be_paused(credit: Credit) -> None:
    """Raises Conflict ``reserving_paused`` with until when, and what to do."""
    if credit.paused_until is None:
        return
    ends = clock.in_town(credit.paused_until)
    raise Conflict(
        "reserving_paused",
        f"信用分只有 {credit.points} 分，{ends.month}月{ends.day}日 {ends:%H:%M} 前暂停预约，已约好的照常用。有特殊情况请在“我的信用”里申诉，或联系社区",
        details={"points": credit.points, "until": ends.isoformat()},
    )


POINTS = {
    CreditWhy.LATE: lambda policy: -policy.credit_late,
    CreditWhy.NO_SHOW: lambda policy: -policy.credit_no_show,
    CreditWhy.NO_SIGN_OUT: lambda policy: -policy.credit_no_sign_out,
    CreditWhy.DAMAGE: lambda policy: -policy.credit_damage,
    CreditWhy.KEPT: lambda policy: policy.credit_kept,
}
