"""Claims as rows (认领 · 圆梦 · 评价): who takes which pieces of a wish and promises what, what was done, and what the resident says of it.

A piece (份) is in the hands of one claim at most: the wish counts what is taken, and the database keeps a second holder out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import clock
from models.accounts import Account
from models.base import Base, EncryptedText, Keyed, PlainText, chosen_from
from models.partners import Partner
from models.wishes.rows import MOST_PIECES, Wish, WishPhoto
from models.wishes.street import IssueOrder

LONGEST_PLAN = 200
LONGEST_NOTE = 200
LONGEST_REASON = 100
CODE_LENGTH = 6
MOST_MINUTES = 24 * 60


class ClaimState(StrEnum):
    """Where a claim stands."""

    APPLIED = "applied"  # 待社区确认
    DISPATCHED = "dispatched"  # 已派单，待单位接单
    IN_PROGRESS = "in_progress"  # 办理中
    DELIVERED = "delivered"  # 已送达，待居民确认
    FULFILLED = "fulfilled"  # 已圆梦
    DECLINED = "declined"  # 社区没有同意
    REFUSED = "refused"  # 单位没有接单
    RELEASED = "released"  # 已释放


class EndedBecause(StrEnum):
    """Why a claim came to nothing."""

    DECLINED = "declined"  # 社区没有同意
    REFUSED = "refused"  # 单位没有接单
    GIVEN_BACK = "given_back"  # 单位退回
    NOT_ACCEPTED = "not_accepted"  # 到期没有接单
    NOT_CONTACTED = "not_contacted"  # 到期没有联系
    TAKEN_BACK = "taken_back"  # 社区收回
    TRANSFERRED = "transferred"  # 转给其他单位
    SUSPENDED = "suspended"  # 单位被暂停
    WISH_OVER = "wish_over"  # 心愿撤回或取下


class Evidence(StrEnum):
    """What shows that it was done. A photo is never the only thing that can (domain.md §0, 6)."""

    CODE = "code"  # 居民报的圆梦码
    TAP = "tap"  # 居民自己点确认
    CALL = "call"  # 电话记录
    SLIP = "slip"  # 签收单
    PHOTO = "photo"  # 物品照片，不拍人


class SettledBy(StrEnum):
    """By what the word of whoever wished was heard."""

    CODE = "code"  # 当面报圆梦码
    RESIDENT = "resident"  # 本人
    HELPER = "helper"  # 家人、代办人
    VISIT = "visit"  # 走访
    CALL = "call"  # 电话


class Level(IntEnum):
    """How somebody rates what was done (好差评, domain.md §2.3)."""

    VERY_UNHAPPY = 1  # 非常不满意
    UNHAPPY = 2  # 不满意
    FAIR = 3  # 基本满意
    HAPPY = 4  # 满意
    VERY_HAPPY = 5  # 非常满意


WAITING = (ClaimState.APPLIED, ClaimState.DISPATCHED)
UNDER_WAY = (ClaimState.IN_PROGRESS, ClaimState.DELIVERED)
LIVE = (*WAITING, *UNDER_WAY)
_IS_LIVE = text("state IN ('applied', 'dispatched', 'in_progress', 'delivered')")
_IS_HELD = text("is_held")
_IS_UNSETTLED = text("settled_at IS NULL")
_IS_CARED_FOR = text("care_due_at IS NOT NULL")


@dataclass(frozen=True)
class Promise:
    """What a unit promises: how many pieces, how, and by which day."""

    plan: str
    promised_on: date
    pieces: int = 1


class Claim(Keyed, Base):
    """What one unit takes on of one wish. ``lead_account`` alone may be told whom to call; ``due_at`` is when the clock that runs now rings."""

    __tablename__ = "claims"
    __table_args__ = (
        Index(
            "uq_claims_live",
            "wish_id",
            "partner_id",
            unique=True,
            postgresql_where=_IS_LIVE,
            sqlite_where=_IS_LIVE,
        ),
        Index("ix_claims_due", "due_at", postgresql_where=_IS_LIVE, sqlite_where=_IS_LIVE),
        Index("ix_claims_remind", "remind_at"),
        Index("ix_claims_agreed", "agreed_at"),
        Index("ix_claims_promised", "promised_on"),
        Index("ix_claims_partner", "partner_id", "id"),
        CheckConstraint(f"1 <= pieces AND pieces <= {MOST_PIECES}", name="some_pieces"),
    )

    wish_id: Mapped[int] = mapped_column(ForeignKey("wishes.id"), index=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"))
    order_id: Mapped[int | None] = mapped_column(
        ForeignKey("issue_orders.id"), index=True
    )  # none: the street did not assign it
    lead_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    state: Mapped[ClaimState] = mapped_column(chosen_from(ClaimState))
    pieces: Mapped[int] = mapped_column(default=1)
    plan: Mapped[str] = mapped_column(PlainText(LONGEST_PLAN), default="", server_default="")
    promise_version: Mapped[str] = mapped_column(PlainText(20), default="", server_default="")
    promised_on: Mapped[date | None]  # none: the unit has promised nothing yet
    extended_to: Mapped[date | None]
    extended_because: Mapped[str] = mapped_column(PlainText(LONGEST_REASON), default="", server_default="")
    code: Mapped[str | None] = mapped_column(EncryptedText)  # what the resident tells whoever brings it
    claimed_at: Mapped[datetime] = mapped_column(default=clock.now)
    agreed_at: Mapped[datetime | None]  # the community, or the unit that was sent, agreed
    contacted_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None]  # when whoever is waited for is reminded
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[EndedBecause | None] = mapped_column(chosen_from(EndedBecause))
    because: Mapped[str] = mapped_column(PlainText(LONGEST_REASON), default="", server_default="")

    wish: Mapped[Wish] = relationship()
    partner: Mapped[Partner] = relationship()
    order: Mapped[IssueOrder | None] = relationship(back_populates="claims")
    lead: Mapped[Account | None] = relationship()
    fulfilments: Mapped[list[Fulfilment]] = relationship(order_by="Fulfilment.id", back_populates="claim")
    photos: Mapped[list[WishPhoto]] = relationship(order_by="WishPhoto.id")
    rating: Mapped[Rating | None] = relationship(back_populates="claim")

    @property
    def is_live(self) -> bool:
        """Whether something still comes of it."""
        return self.state in LIVE

    @property
    def is_assigned(self) -> bool:
        """Whether it was the street that gave it to the unit (街道交办)."""
        return self.order_id is not None

    @property
    def finishes_on(self) -> date | None:
        """The day by which it is to be done, longer waiting agreed on included."""
        return self.extended_to or self.promised_on


class WishPart(Base):
    """One piece of a wish (份) in the hands of a claim. ``is_held`` until the claim comes to nothing; then it is free for another."""

    __tablename__ = "wish_parts"
    __table_args__ = (
        Index(
            "uq_wish_parts_held",
            "wish_id",
            "number",
            unique=True,
            postgresql_where=_IS_HELD,
            sqlite_where=_IS_HELD,
        ),
        CheckConstraint(f"1 <= number AND number <= {MOST_PIECES}", name="one_of_the_pieces"),
    )

    wish_id: Mapped[int] = mapped_column(ForeignKey("wishes.id"))
    number: Mapped[int]
    claim_id: Mapped[int] = mapped_column(ForeignKey("claims.id"), index=True)
    is_held: Mapped[bool] = mapped_column(default=True)


class ClaimHelper(Base):
    """Somebody of a unit who helps with a claim another leads (协办), once."""

    __tablename__ = "claim_helpers"
    __table_args__ = (UniqueConstraint("claim_id", "account_id"),)

    claim_id: Mapped[int] = mapped_column(ForeignKey("claims.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"))
    joined_at: Mapped[datetime] = mapped_column(default=clock.now)

    partner: Mapped[Partner] = relationship()


class Fulfilment(Keyed, Base):
    """That a unit says it is done (圆梦), how it shows that, and whether whoever wished says so too (双确认)."""

    __tablename__ = "fulfilments"
    __table_args__ = (
        Index(
            "uq_fulfilments_unsettled",
            "claim_id",
            unique=True,
            postgresql_where=_IS_UNSETTLED,
            sqlite_where=_IS_UNSETTLED,
        ),
        CheckConstraint(f"0 <= minutes AND minutes <= {MOST_MINUTES}", name="minutes_of_a_day"),
    )

    claim_id: Mapped[int] = mapped_column(ForeignKey("claims.id"), index=True)
    evidence: Mapped[Evidence] = mapped_column(chosen_from(Evidence))
    note: Mapped[str] = mapped_column(PlainText(LONGEST_NOTE), default="", server_default="")
    minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    at: Mapped[datetime] = mapped_column(default=clock.now)
    by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[SettledBy | None] = mapped_column(chosen_from(SettledBy))
    settled_by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    is_done: Mapped[bool | None]  # none: nobody has said yet
    verdict: Mapped[str] = mapped_column(PlainText(LONGEST_NOTE), default="", server_default="")

    claim: Mapped[Claim] = relationship(back_populates="fulfilments")


class Rating(Base):
    """How whoever wished rates what a unit did (评价), and what the community did about it if they were unhappy (差评整改)."""

    __tablename__ = "ratings"
    __table_args__ = (
        UniqueConstraint("claim_id"),
        Index("ix_ratings_rated", "rated_at"),
        Index("ix_ratings_care", "care_due_at", postgresql_where=_IS_CARED_FOR, sqlite_where=_IS_CARED_FOR),
        Index("ix_ratings_care_remind", "care_remind_at"),
        CheckConstraint("1 <= level AND level <= 5", name="one_of_five"),
        CheckConstraint(
            "again_level IS NULL OR (1 <= again_level AND again_level <= 5)", name="again_of_five"
        ),
    )

    claim_id: Mapped[int] = mapped_column(ForeignKey("claims.id"))
    level: Mapped[int] = mapped_column(SmallInteger)
    words: Mapped[str | None] = mapped_column(EncryptedText)  # read by the community alone
    rated_at: Mapped[datetime] = mapped_column(default=clock.now)
    rated_by: Mapped[SettledBy] = mapped_column(chosen_from(SettledBy))
    care_due_at: Mapped[
        datetime | None
    ]  # by when the community has called, or put it right; none: nothing to do
    care_remind_at: Mapped[datetime | None]  # when the community, or in the end the street, is pressed
    called_at: Mapped[datetime | None]
    mended_at: Mapped[datetime | None]
    care_note: Mapped[str] = mapped_column(PlainText(LONGEST_NOTE), default="", server_default="")
    again_level: Mapped[int | None] = mapped_column(SmallInteger)
    again_at: Mapped[datetime | None]

    claim: Mapped[Claim] = relationship(back_populates="rating")
