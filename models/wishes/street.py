"""With the street (街道清单 · 联席会议): what a community could not bring about lies with the street, as a named item with a number.

Wishes nobody took on in time, and wishes that are public works. 吹哨 and 接诉即办 go on from here: an order names its source, never more of a person
than the wall told.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import clock
from models.base import Base, Keyed, PlainText, chosen_from
from models.regions import Region, RegionKind, paths_down_to
from models.wishes.rows import LONGEST_ANSWER, LONGEST_CARD, LONGEST_TITLE, Wish, WishState

if TYPE_CHECKING:
    from models.wishes.claims.rows import Claim

LONGEST_PLACE = 20  # as much as a message has room for


class IssueSource(StrEnum):
    """Why it lies with the street."""

    UNCLAIMED_WISH = "unclaimed_wish"  # 没人认领的心愿
    PUBLIC_WISH = "public_wish"  # 公共事项心愿


class OrderState(StrEnum):
    """Where an item of the street stands."""

    WAITING = "waiting"  # 待研究交办
    ASSIGNED = "assigned"  # 已交办
    DONE = "done"  # 已办结
    SENT_BACK = "sent_back"  # 已退回社区
    CANNOT = "cannot"  # 办不成，已书面说明
    CLOSED = "closed"  # 心愿撤回或取下


OPEN_ORDERS = (OrderState.WAITING, OrderState.ASSIGNED)
_BECAME = {
    WishState.FULFILLED: OrderState.DONE,
    WishState.CANNOT_FULFIL: OrderState.CANNOT,
}
_IS_OPEN = text("state IN ('waiting', 'assigned')")


class JointMeeting(Keyed, Base):
    """A meeting of the street's committee (大工委联席会议) on which items are assigned. None need be waited for: the clock of an item runs without (E25)."""

    __tablename__ = "joint_meetings"
    __table_args__ = (Index("ix_joint_meetings_region", "region_id", "starts_at"),)

    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    title: Mapped[str] = mapped_column(PlainText(20))
    starts_at: Mapped[datetime]
    place: Mapped[str] = mapped_column(PlainText(LONGEST_PLACE))
    called_off_at: Mapped[datetime | None]
    called_off_because: Mapped[str] = mapped_column(PlainText(100), default="", server_default="")
    changes: Mapped[int] = mapped_column(default=0, server_default="0")  # each is told anew

    region: Mapped[Region] = relationship()


class IssueOrder(Keyed, Base):
    """One item of a street's list. ``number`` counts the items of the street; ``title`` names it as the committee reads it.

    ``claims``: of every unit the street assigned it to, whatever became of them, oldest first; several may have a part of it at once.
    """

    __tablename__ = "issue_orders"
    __table_args__ = (
        UniqueConstraint("region_id", "number"),
        Index(
            "uq_issue_orders_open",
            "wish_id",
            unique=True,
            postgresql_where=_IS_OPEN,
            sqlite_where=_IS_OPEN,
        ),
        Index("ix_issue_orders_state", "region_id", "state", "id"),
        Index("ix_issue_orders_wish", "wish_id"),
        CheckConstraint("0 <= returns AND returns <= 1", name="returned_once_at_most"),
    )

    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))  # the street
    number: Mapped[int]
    wish_id: Mapped[int] = mapped_column(ForeignKey("wishes.id"))
    source: Mapped[IssueSource] = mapped_column(chosen_from(IssueSource))
    state: Mapped[OrderState] = mapped_column(chosen_from(OrderState), default=OrderState.WAITING)
    title: Mapped[str] = mapped_column(PlainText(LONGEST_TITLE))
    words: Mapped[str] = mapped_column(PlainText(LONGEST_CARD), default="", server_default="")
    opened_at: Mapped[datetime] = mapped_column(default=clock.now)
    meeting_id: Mapped[int | None] = mapped_column(ForeignKey("joint_meetings.id"), index=True)
    returns: Mapped[int] = mapped_column(
        default=0, server_default="0"
    )  # how often who it was assigned to gave it back (退单)
    closed_at: Mapped[datetime | None]
    because: Mapped[str] = mapped_column(PlainText(LONGEST_ANSWER), default="", server_default="")

    region: Mapped[Region] = relationship()
    wish: Mapped[Wish] = relationship()
    meeting: Mapped[JointMeeting | None] = relationship()
    claims: Mapped[list[Claim]] = relationship(order_by="Claim.id", back_populates="order")

    @property
    def claim(self) -> Claim | None:
        """Of the unit it was assigned to last."""
        return self.claims[-1] if self.claims else None

    @property
    def due_at(self) -> datetime | None:
        """By when the street is to have decided; none while it waits for somebody else."""
        return self.wish.due_at if self.state is OrderState.WAITING else None


def open_order_on(session: Session, wish: Wish) -> IssueOrder | None:
    """What of a wish lies with the street."""
    return session.scalar(
        select(IssueOrder).where(IssueOrder.wish_id == wish.id, IssueOrder.state.in_(OPEN_ORDERS))
    )


def street_over(session: Session, community: Region) -> Region:
    """The street a community belongs to; in a town without streets what lies right above it, or it itself."""
    above = session.scalars(
        select(Region)
        .where(Region.path.in_(paths_down_to(community.path)))
        .order_by(func.length(Region.path))
    ).all()
    streets = [region for region in above if region.kind is RegionKind.STREET]
    return (streets or above[:-1] or above)[-1]


def lay_before_the_street(session: Session, wish: Wish, source: IssueSource) -> IssueOrder:
    """A new item of the street's list about a wish, with the next number of the street; the caller holds the street, and then the wish."""
    street = street_over(session, wish.region).lock()
    order = IssueOrder(
        region=street,
        number=_next_number(session, street),
        wish=wish,
        source=source,
        state=OrderState.WAITING,
        title=wish.title,
        words=wish.public_words,
        opened_at=clock.now(),
        claims=[],
    )
    session.add(order)
    session.flush()
    return order


def close_order_on(session: Session, wish: Wish) -> None:
    """A wish (held by the caller) is over: so is what of it lies with the street, if anything does (E20)."""
    order = open_order_on(session, wish)
    if order is not None:
        order.lock()
        order.state, order.closed_at = _BECAME.get(wish.state, OrderState.CLOSED), clock.now()
        session.flush()


def strike_orders_on(session: Session, wishes: Collection[int]) -> None:
    """Strike what the street answered about these wishes; that it did, stays."""
    session.execute(update(IssueOrder).where(IssueOrder.wish_id.in_(wishes)).values(because=""))


def strike_cards_on(session: Session, wishes: Collection[int]) -> None:
    """Strike the words under which these wishes stood on the street's list: who wished them has left."""
    session.execute(update(IssueOrder).where(IssueOrder.wish_id.in_(wishes)).values(title="", words=""))


def _next_number(session: Session, street: Region) -> int:
    last = session.scalar(select(func.max(IssueOrder.number)).where(IssueOrder.region_id == street.id))
    return (last or 0) + 1
