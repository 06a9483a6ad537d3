"""The table: one row for each thing that was checked, and the words for what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import clock
from models.base import Base, EncryptedText, Keyed, PlainText, PublicKey, chosen_from
from models.residents import Resident
from models.staff import StaffMember

_IS_OPEN = text("state IN ('pending', 'waiting')")
_IS_PENDING = text("state = 'pending'")
_IS_WAITING = text("state = 'waiting'")


class CheckKind(StrEnum):
    """What was looked at."""

    TEXT = "text"  # 文字
    IMAGE = "image"  # 图片


class CheckState(StrEnum):
    """How far it got."""

    PENDING = "pending"  # 等微信的结果（只有图片）
    WAITING = "waiting"  # 等工作人员看
    PASSED = "passed"  # 微信检查通过
    RISKY = "risky"  # 微信检查不通过
    APPROVED = "approved"  # 工作人员通过
    REJECTED = "rejected"  # 工作人员驳回
    DROPPED = "dropped"  # 已作废：内容改掉了，或者人已经离开


OPEN = (CheckState.PENDING, CheckState.WAITING)
BY_A_PERSON = (CheckState.APPROVED, CheckState.REJECTED)


class Verdict(StrEnum):
    """What WeChat suggests (wechat.md §6.1)."""

    PASS = "pass"  # noqa: S105 - WeChat's word, 通过
    REVIEW = "review"  # 建议人工复核
    RISKY = "risky"  # 不通过


class HeldBecause(StrEnum):
    """Why a person has to look."""

    DOUBTFUL = "doubtful"  # 微信拿不准，建议人工复核
    UNANSWERED = "unanswered"  # 微信没有答复
    USED_UP = "used_up"  # 微信的检查次数用完了
    AWAY = "away"  # 提交人两小时内没有打开过小程序，微信不检查
    TOO_LONG = "too_long"  # 文字太长，微信不检查
    NOT_FETCHED = "not_fetched"  # 微信取不到图片
    TIMED_OUT = "timed_out"  # 三十分钟没有结果


# what WeChat's labels mean, for those who look (wechat.md §6.1)
LABELS: Mapping[int, str] = {
    100: "未发现问题",
    10001: "广告",
    20001: "时政",
    20002: "色情",
    20003: "辱骂",
    20006: "违法犯罪",
    20008: "欺诈",
    20012: "低俗",
    20013: "版权",
    21000: "其他",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What WeChat found, and the name it gave the question."""

    label: int | None = None
    trace_id: str | None = None


class ContentCheck(Keyed, Base):
    """One text or picture that was checked: whose, with what result, and who decided where WeChat could not.

    ``account`` handed it in, ``resident`` is the person it is about: their home community's staff look at it; what a unit wrote is about nobody,
    and staff of the place it has to do with look at it. What was written is kept only while somebody may have to look; ``fingerprint`` (keyed, nobody reads it back) tells later whether the very same is handed in
    again. A submission that was refused may be about a row that never came to be: then there is no ``subject_key``.
    """

    __tablename__ = "content_checks"
    __table_args__ = (
        CheckConstraint(
            f"{_IS_OPEN.text} OR (written IS NULL AND image_url IS NULL)", name="kept_only_while_open"
        ),
        CheckConstraint("state <> 'waiting' OR held_at IS NOT NULL", name="waits_since"),
        CheckConstraint("(state IN ('approved', 'rejected')) = (decided_at IS NOT NULL)", name="decided"),
        Index(
            "uq_content_checks_open",
            "subject_kind",
            "subject_key",
            "field",
            unique=True,
            postgresql_where=_IS_OPEN,
            sqlite_where=_IS_OPEN,
        ),
        Index("ix_content_checks_subject", "subject_kind", "subject_key", "field"),
        Index(
            "ix_content_checks_pending",
            "created_at",
            postgresql_where=_IS_PENDING,
            sqlite_where=_IS_PENDING,
        ),
        Index("ix_content_checks_waiting", "id", postgresql_where=_IS_WAITING, sqlite_where=_IS_WAITING),
        Index("ix_content_checks_account", "account_id", "created_at"),
    )

    kind: Mapped[CheckKind] = mapped_column(chosen_from(CheckKind))
    subject_kind: Mapped[str] = mapped_column(PlainText(40))
    subject_key: Mapped[str | None] = mapped_column(PublicKey(16))
    field: Mapped[str] = mapped_column(PlainText(40))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    resident_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"), index=True)
    state: Mapped[CheckState] = mapped_column(chosen_from(CheckState))
    held_because: Mapped[HeldBecause | None] = mapped_column(chosen_from(HeldBecause))
    label: Mapped[int | None]
    trace_id: Mapped[str | None] = mapped_column(PlainText(256), unique=True)
    written: Mapped[str | None] = mapped_column(EncryptedText)
    image_url: Mapped[str | None] = mapped_column(EncryptedText)
    fingerprint: Mapped[str | None] = mapped_column(PlainText(64))
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    held_at: Mapped[datetime | None]  # since when a person has to look, or had to
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    reason: Mapped[str | None] = mapped_column(PlainText(80))  # 驳回的理由，给提交人看

    resident: Mapped[Resident | None] = relationship()
    decided_by: Mapped[StaffMember | None] = relationship()

    @property
    def found(self) -> str | None:
        """What WeChat found, in Chinese; nothing where it said nothing."""
        return None if self.label is None else LABELS.get(self.label, LABELS[21000])
