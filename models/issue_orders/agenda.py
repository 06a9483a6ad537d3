"""The agenda (议程): which items a meeting is about. Only what waits is talked about; an item is on one agenda at a time, the last it was put on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.issue_orders.finding import whole_orders
from models.regions import Region
from models.wishes.street import IssueOrder, JointMeeting, OrderState


def put_on_agenda(session: Session, meeting: JointMeeting, orders: Collection[IssueOrder]) -> None:
    """Put those of these items that wait on the agenda of a meeting (held by the caller, with its street). Twice is fine."""
    for order in sorted(orders, key=lambda one: one.id):
        if order.lock().state is OrderState.WAITING:
            order.meeting = meeting
    session.flush()


def clear_agenda(session: Session, meeting: JointMeeting, *, besides: Collection[IssueOrder] = ()) -> None:
    """Take what waits off the agenda of a meeting (held by the caller), but for these items."""
    kept = {order.id for order in besides}
    for order in agenda_of(session, meeting):
        if order.id not in kept and order.lock().state is OrderState.WAITING:
            order.meeting = None
    session.flush()


def agenda_of(session: Session, meeting: JointMeeting) -> Sequence[IssueOrder]:
    """What a meeting is about, in the order of the street's list."""
    return session.scalars(
        whole_orders().where(IssueOrder.meeting_id == meeting.id).order_by(IssueOrder.number)
    ).all()


def waiting_orders(session: Session, street: Region) -> Sequence[IssueOrder]:
    """Everything that waits on a street's list, oldest first."""
    return session.scalars(
        select(IssueOrder)
        .where(IssueOrder.region_id == street.id, IssueOrder.state == OrderState.WAITING)
        .order_by(IssueOrder.id)
    ).all()


def count_waiting(session: Session, streets: Collection[int]) -> Mapping[int, int]:
    """How many items wait on each of these streets' lists, by the street's id."""
    rows = session.execute(
        select(IssueOrder.region_id, func.count())
        .where(IssueOrder.region_id.in_(streets), IssueOrder.state == OrderState.WAITING)
        .group_by(IssueOrder.region_id)
    )
    return dict(rows.all())
