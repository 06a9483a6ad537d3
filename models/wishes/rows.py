"""Wishes as rows (微心愿): what somebody wishes, what of it everybody may read, and the states of both.

What they said themselves, where they live and why it is hard for them is ciphertext, and read by those who work for their community alone. What
hangs on the wall (``title``, ``public_words``, an age band, a number or a name they chose) is written by whoever reviews it, never copied.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import clock
from models.accounts import Account
from models.base import Base, EncryptedText, Keyed, PlainText, chosen_from
from models.regions import Region
from models.residents import Resident

LONGEST_WORDS = 300
LONGEST_TITLE = 20  # as much as a message has room for
LONGEST_CARD = 200
LONGEST_ADDRESS = 100
LONGEST_HARDSHIP = 100
LONGEST_NICKNAME = 10
A_PIECE = "件"  # what goods are counted in where nothing else is said
LONGEST_REASON = 100
LONGEST_ANSWER = 200  # of the street, about what cannot be done
MOST_PIECES = 20
MOST_PHOTOS = 3


class WishKind(StrEnum):
    """What is wished for (domain.md §2.3)."""

    GOODS = "goods"  # 物质类
    SERVICE = "service"  # 服务类
    SPIRIT = "spirit"  # 精神类
    PUBLIC = "public"  # 公共类


class WishSource(StrEnum):
    """How the community heard of it."""

    ONLINE = "online"  # 小程序
    COUNTER = "counter"  # 柜台
    VISIT = "visit"  # 走访


class HandOver(StrEnum):
    """Where it is to be handed over. At the centre nobody learns where somebody lives."""

    CENTRE = "centre"  # 社区转交
    HOME = "home"  # 上门


class AgeBand(StrEnum):
    """As much of an age as the wall tells."""

    CHILD = "child"  # 儿童青少年
    ADULT = "adult"  # 成年人
    ELDER = "elder"  # 长者
    UNKNOWN = "unknown"  # 居民


class WishState(StrEnum):
    """Where a wish stands (domain.md §2.3). What is not sent yet (草稿) stands on the phone alone."""

    SUBMITTED = "submitted"  # 待审核
    NEED_INFO = "need_info"  # 待补充
    APPROVED = "approved"  # 已通过，等轮次公布
    PUBLISHED = "published"  # 待认领
    CLAIMED = "claimed"  # 已认领，每一份都有人在办
    ESCALATED = "escalated"  # 没人认领，已上报街道
    CONVERTED = "converted"  # 公共事项，已转街道清单
    FULFILLED = "fulfilled"  # 已圆梦
    CANNOT_FULFIL = "cannot_fulfil"  # 街道书面说明，没能实现
    REJECTED = "rejected"  # 未通过
    WITHDRAWN = "withdrawn"  # 已撤回


IN_REVIEW = (WishState.SUBMITTED, WishState.NEED_INFO)
ON_THE_WALL = (WishState.APPROVED, WishState.PUBLISHED)
WITH_THE_STREET = (WishState.ESCALATED, WishState.CONVERTED)
OPEN = (*IN_REVIEW, *ON_THE_WALL, WishState.CLAIMED, *WITH_THE_STREET)
CLOSED = (WishState.REJECTED, WishState.WITHDRAWN, WishState.CANNOT_FULFIL)
OVER = (*CLOSED, WishState.FULFILLED)
_IS_SUBMITTED = text("state = 'submitted'")
_IS_APPROVED = text("state = 'approved'")
_IS_PUBLISHED = text("state = 'published'")
_IS_OPEN = text(
    "state IN ('submitted', 'need_info', 'approved', 'published', 'claimed', 'escalated', 'converted')"
)
_IS_DUE = text("due_at IS NOT NULL")
_IS_TO_REMIND = text("remind_at IS NOT NULL")


@dataclass(frozen=True)
class WishWords:
    """What somebody wishes, in their words. ``quantity`` pieces, of goods alone; ``value_yuan`` is what one of them may cost."""

    words: str
    kind: WishKind
    quantity: int = 1
    piece: str = A_PIECE
    value_yuan: int | None = None
    address: str = ""
    hardship: str = ""
    nickname: str = ""
    hand_over: HandOver = HandOver.CENTRE
    may_share: bool = False  # whoever fulfils it may be told name, phone and address (个保法 art. 23)

    @property
    def to_check(self) -> str:
        """Everything they wrote that others may come to read, as one text; 件 stands there where they wrote nothing."""
        piece = self.piece if self.piece != A_PIECE else ""
        return "\n".join(text for text in (self.words, self.nickname, piece) if text)


@dataclass(frozen=True)
class Card:
    """What of a wish hangs on the wall, in the words of who reviewed it. ``photos`` (by key) may be seen by everybody."""

    title: str
    words: str
    photos: frozenset[str] = frozenset()


class WishRound(Keyed, Base):
    """A round (轮次): a theme under which wishes are collected from one day to another, and hung on the wall on a day."""

    __tablename__ = "wish_rounds"
    __table_args__ = (
        UniqueConstraint("region_id", "title"),
        CheckConstraint("collects_until >= collects_from", name="from_to"),
        CheckConstraint("shown_on >= collects_from", name="shown_after_it_begins"),
    )

    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    title: Mapped[str] = mapped_column(PlainText(20))
    about: Mapped[str] = mapped_column(PlainText(200), default="", server_default="")
    collects_from: Mapped[date]
    collects_until: Mapped[date]  # the last day
    shown_on: Mapped[date]

    region: Mapped[Region] = relationship()


class Wish(Keyed, Base):
    """One wish of one person. ``number`` counts the wishes of its community; ``priority`` grows when nobody took it in time."""

    __tablename__ = "wishes"
    __table_args__ = (
        UniqueConstraint("region_id", "number"),
        CheckConstraint(f"1 <= quantity AND quantity <= {MOST_PIECES}", name="some_pieces"),
        CheckConstraint("(state = 'published') <= (published_at IS NOT NULL)", name="published_at_a_moment"),
        CheckConstraint("supporters >= 0", name="supporters_not_below_nothing"),
        CheckConstraint("0 <= parts_taken AND parts_taken <= quantity", name="parts_taken_within"),
        Index("ix_wishes_resident", "resident_id"),
        Index("ix_wishes_address", "region_id", "address_fingerprint"),
        Index("ix_wishes_review", "submitted_at", postgresql_where=_IS_SUBMITTED, sqlite_where=_IS_SUBMITTED),
        Index("ix_wishes_to_show", "round_id", postgresql_where=_IS_APPROVED, sqlite_where=_IS_APPROVED),
        Index(
            "ix_wishes_wall",
            "priority",
            "published_at",
            "id",
            postgresql_where=_IS_PUBLISHED,
            sqlite_where=_IS_PUBLISHED,
        ),
        Index(
            "ix_wishes_wall_of_region",
            "region_id",
            "priority",
            "published_at",
            "id",
            postgresql_where=_IS_PUBLISHED,
            sqlite_where=_IS_PUBLISHED,
        ),
        Index(
            "ix_wishes_wall_newest",
            "published_at",
            "id",
            postgresql_where=_IS_PUBLISHED,
            sqlite_where=_IS_PUBLISHED,
        ),
        Index(
            "ix_wishes_wall_newest_of_region",
            "region_id",
            "published_at",
            "id",
            postgresql_where=_IS_PUBLISHED,
            sqlite_where=_IS_PUBLISHED,
        ),
        Index(
            "ix_wishes_wall_ending",
            "due_at",
            "id",
            postgresql_where=_IS_PUBLISHED,
            sqlite_where=_IS_PUBLISHED,
        ),
        Index(
            "ix_wishes_wall_ending_of_region",
            "region_id",
            "due_at",
            "id",
            postgresql_where=_IS_PUBLISHED,
            sqlite_where=_IS_PUBLISHED,
        ),
        Index("ix_wishes_open", "region_id", "id", postgresql_where=_IS_OPEN, sqlite_where=_IS_OPEN),
        Index("ix_wishes_ended", "ended_at"),
        Index("ix_wishes_first_published", "first_published_at"),
        Index("ix_wishes_due", "due_at", postgresql_where=_IS_DUE, sqlite_where=_IS_DUE),
        Index("ix_wishes_remind", "remind_at", postgresql_where=_IS_TO_REMIND, sqlite_where=_IS_TO_REMIND),
        CheckConstraint("turn >= 0", name="turn_not_below_nothing"),
    )

    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    number: Mapped[int]
    resident_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"))  # none: they left the town
    by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))  # who wrote it down
    round_id: Mapped[int | None] = mapped_column(ForeignKey("wish_rounds.id"))
    source: Mapped[WishSource] = mapped_column(chosen_from(WishSource))
    state: Mapped[WishState] = mapped_column(chosen_from(WishState), default=WishState.SUBMITTED)
    kind: Mapped[WishKind] = mapped_column(chosen_from(WishKind))
    words: Mapped[str | None] = mapped_column(EncryptedText)  # none: forgotten
    words_are_sure: Mapped[bool] = mapped_column(default=False, server_default=false())
    quantity: Mapped[int] = mapped_column(default=1, server_default="1")
    piece: Mapped[str] = mapped_column(PlainText(4), default=A_PIECE, server_default=A_PIECE)
    value_yuan: Mapped[int | None]
    address: Mapped[str | None] = mapped_column(EncryptedText)
    address_fingerprint: Mapped[str | None] = mapped_column(PlainText(64))
    hardship: Mapped[str | None] = mapped_column(EncryptedText)
    nickname: Mapped[str] = mapped_column(PlainText(LONGEST_NICKNAME), default="", server_default="")
    hand_over: Mapped[HandOver] = mapped_column(chosen_from(HandOver), default=HandOver.CENTRE)
    may_share: Mapped[bool] = mapped_column(default=False, server_default=false())
    may_share_since: Mapped[datetime | None]

    submitted_at: Mapped[datetime] = mapped_column(default=clock.now)
    due_at: Mapped[datetime | None]  # when the clock of the wish rings; none: it stands still
    remind_at: Mapped[datetime | None]  # when whoever is waited for is reminded
    urged_at: Mapped[datetime | None]  # when whoever wished asked last how it goes (催办)
    reviewed_at: Mapped[datetime | None]
    because: Mapped[str] = mapped_column(PlainText(LONGEST_ANSWER), default="", server_default="")
    title: Mapped[str] = mapped_column(PlainText(LONGEST_TITLE), default="", server_default="")
    public_words: Mapped[str] = mapped_column(PlainText(LONGEST_CARD), default="", server_default="")
    age_band: Mapped[AgeBand] = mapped_column(chosen_from(AgeBand), default=AgeBand.UNKNOWN)
    published_at: Mapped[datetime | None]  # when it was hung on the wall last
    first_published_at: Mapped[
        datetime | None
    ]  # and for the first time: the day it counts on, however often it is hung again
    turn: Mapped[int] = mapped_column(
        default=0, server_default="0"
    )  # which time it hangs on the wall (第几轮)
    priority: Mapped[int] = mapped_column(default=0, server_default="0")
    supporters: Mapped[int] = mapped_column(default=0, server_default="0")
    parts_taken: Mapped[int] = mapped_column(default=0, server_default="0")  # changed by claims alone
    ended_at: Mapped[datetime | None]

    region: Mapped[Region] = relationship()
    resident: Mapped[Resident | None] = relationship()
    by_account: Mapped[Account | None] = relationship()
    round: Mapped[WishRound | None] = relationship()
    photos: Mapped[list[WishPhoto]] = relationship(
        order_by="WishPhoto.id",
        back_populates="wish",
        primaryjoin="and_(WishPhoto.wish_id == Wish.id, WishPhoto.claim_id.is_(None))",
    )

    @property
    def is_open(self) -> bool:
        """Whether something still comes of it."""
        return self.state in OPEN

    @property
    def parts_left(self) -> int:
        """How many pieces nobody has taken yet."""
        return self.quantity - self.parts_taken

    @property
    def public_photos(self) -> list[WishPhoto]:
        """The pictures everybody may see."""
        return [photo for photo in self.photos if photo.is_public]

    @property
    def shows_as(self) -> str:
        """Whose it is, as everybody may know it: the name they chose, or a number; of a child a number alone."""
        is_child = self.age_band is AgeBand.CHILD
        return self.nickname if self.nickname and not is_child else f"{self.number:04}号"


class WishPhoto(Keyed, Base):
    """One picture of what is wished for, or with a claim, of what was brought; kept where nobody passes by. ``is_public``: who reviewed it let everybody
    see it; of what was brought nobody does but who wished, the unit and the community.
    """

    __tablename__ = "wish_photos"
    __table_args__ = (
        Index("ix_wish_photos_wish", "wish_id"),
        Index("ix_wish_photos_claim", "claim_id"),
        CheckConstraint("claim_id IS NULL OR NOT is_public", name="evidence_is_not_public"),
    )

    wish_id: Mapped[int] = mapped_column(ForeignKey("wishes.id"))
    claim_id: Mapped[int | None] = mapped_column(ForeignKey("claims.id"))  # none: what is wished for
    file: Mapped[str] = mapped_column(PlainText(16))
    thumbnail: Mapped[str] = mapped_column(PlainText(16))
    width: Mapped[int]
    height: Mapped[int]
    is_sure: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_public: Mapped[bool] = mapped_column(default=False, server_default=false())
    added_at: Mapped[datetime] = mapped_column(default=clock.now)

    wish: Mapped[Wish] = relationship(back_populates="photos")


class WishSupport(Base):
    """Somebody else of the community wishes the same (我也需要), once."""

    __tablename__ = "wish_supports"
    __table_args__ = (UniqueConstraint("wish_id", "resident_id"),)

    wish_id: Mapped[int] = mapped_column(ForeignKey("wishes.id"))
    resident_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"), index=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)

    wish: Mapped[Wish] = relationship()
