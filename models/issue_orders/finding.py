"""Finding (查找): the items of a street's list, for the street and for the communities they came from, and how many wait."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, time

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from models import clock
from models.errors import NotFound
from models.regions import Region, is_within, regions_within
from models.wishes import Wish
from models.wishes.claims import Claim
from models.wishes.street import OPEN_ORDERS, IssueOrder, JointMeeting, OrderState


def orders_within(
    session: Session,
    streets: Sequence[Region],
    communities: Sequence[Region],
    *,
    state: OrderState,
    after_id: int | None,
    most: int,
) -> Sequence[IssueOrder]:
    """Up to ``most`` items in a state of these streets' lists, and of those that came from these communities, oldest first."""
    if not (streets or communities):
        return []
    query = (
        whole_orders()
        .join(Wish, Wish.id == IssueOrder.wish_id)
        .where(
            IssueOrder.state == state,
            or_(
                IssueOrder.region_id.in_(regions_within(*streets)),
                Wish.region_id.in_(regions_within(*communities)),
            ),
        )
        .order_by(IssueOrder.id)
        .limit(most)
    )
    return session.scalars(query if after_id is None else query.where(IssueOrder.id > after_id)).all()


def order_within(
    session: Session, key: str, *, streets: Sequence[Region], communities: Sequence[Region] = ()
) -> IssueOrder:
    """The item with this key of these streets' lists, or that came from these communities. Raises NotFound for any other."""
    order = session.scalar(whole_orders().where(IssueOrder.key == key))
    if order is None or not (is_within(order.region, streets) or is_within(order.wish.region, communities)):
        raise _gone()
    return order


def wish_to_read(order: IssueOrder, *, communities: Sequence[Region]) -> Wish | None:
    """The wish of an item as it was said, with whose it is, for who reads the item.

    The offices of these communities read it always; the street while the item lies there, and nothing of it before or after (domain.md §3).
    """
    theirs = order.state in OPEN_ORDERS or is_within(order.wish.region, communities)
    return order.wish if theirs else None


def orders_by_keys(session: Session, keys: Collection[str], street: Region) -> Sequence[IssueOrder]:
    """The items with these keys of a street's list, oldest first. Raises NotFound where one is not among them."""
    found = session.scalars(
        whole_orders()
        .where(IssueOrder.key.in_(keys), IssueOrder.region_id == street.id)
        .order_by(IssueOrder.id)
    ).all()
    if len(found) != len(set(keys)):
        raise _gone()
    return found


def count_orders_waiting(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many items waited for the street at a moment, by its path."""
    return _by_street(session, IssueOrder.opened_at <= as_of)


def count_orders_overdue(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many of them waited longer than they should, meeting or no meeting (E25), by the path of the street."""
    return _by_street(session, IssueOrder.opened_at <= as_of, Wish.due_at <= as_of)


def count_quarters_without_meeting(session: Session, as_of: datetime) -> Mapping[str, int]:
    """One for every street where items wait and no meeting is held in this quarter, by its path (E25)."""
    first, after = _quarter(as_of)
    meets = select(JointMeeting.region_id).where(
        JointMeeting.starts_at >= first,
        JointMeeting.starts_at < after,
        JointMeeting.called_off_at.is_(None),
    )
    waiting = _by_street(session, IssueOrder.opened_at <= as_of, IssueOrder.region_id.not_in(meets))
    return dict.fromkeys(waiting, 1)


def _quarter(moment: datetime) -> tuple[datetime, datetime]:
    today = clock.in_town(moment).date()
    first = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
    is_last = first.month + 3 > 12
    after = first.replace(year=first.year + is_last, month=(first.month + 3 - 1) % 12 + 1)
    return (
        datetime.combine(first, time(), clock.TOWN_ZONE),
        datetime.combine(after, time(), clock.TOWN_ZONE),
    )


def _by_street(session: Session, *which: ColumnElement[bool]) -> Mapping[str, int]:
    rows = session.execute(
        select(Region.path, func.count())
        .select_from(IssueOrder)
        .join(Wish, Wish.id == IssueOrder.wish_id)
        .join(Region, Region.id == IssueOrder.region_id)
        .where(IssueOrder.state == OrderState.WAITING, *which)
        .group_by(Region.path)
    )
    return dict(rows.all())


def _gone() -> NotFound:
    return NotFound("没有找到这个事项")


def whole_orders() -> Select[IssueOrder]:
    """Items with everything that is shown of them, in as many statements for one as for many."""
    return select(IssueOrder).options(
        joinedload(IssueOrder.region),
        joinedload(IssueOrder.meeting),
        joinedload(IssueOrder.wish).joinedload(Wish.region),
        joinedload(IssueOrder.wish).joinedload(Wish.resident),
        joinedload(IssueOrder.wish).joinedload(Wish.round),
        joinedload(IssueOrder.wish).selectinload(Wish.photos),
        selectinload(IssueOrder.claims).joinedload(Claim.partner),
    )
