"""Meetings (联席会议): the committee of a street meets about what waits. Planned, moved and called off by who works for the street."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.errors import Conflict, Fault, NotFound
from models.issue_orders.agenda import clear_agenda, put_on_agenda, waiting_orders
from models.issue_orders.calling import tell_called_off, tell_moved
from models.journal import enter
from models.regions import Region, is_within, regions_within
from models.wishes.street import IssueOrder, JointMeeting


@dataclass(frozen=True)
class MeetingPlan:
    """What a meeting is to be."""

    title: str
    starts_at: datetime
    place: str


def plan_meeting(
    session: Session,
    street: Region,
    plan: MeetingPlan,
    orders: Sequence[IssueOrder] | None = None,
    *,
    by_account_id: int | None,
    identity: str,
) -> JointMeeting:
    """Plan a meeting of a street about these items, about all that wait where none are named. The same twice is one meeting.

    Raises Conflict ``meeting_unfit`` for a time that is over.
    """
    street.lock()
    standing = session.scalar(
        select(JointMeeting).where(
            JointMeeting.region_id == street.id,
            JointMeeting.starts_at == plan.starts_at,
            JointMeeting.title == plan.title,
            JointMeeting.place == plan.place,
            JointMeeting.called_off_at.is_(None),
        )
    )
    if standing is not None:
        return standing
    _must_be_ahead(plan)
    meeting = JointMeeting(region=street, title=plan.title, starts_at=plan.starts_at, place=plan.place)
    session.add(meeting)
    session.flush()
    enter(session, "joint_meeting.planned", meeting, by_account_id=by_account_id, identity=identity)
    put_on_agenda(session, meeting, waiting_orders(session, street) if orders is None else orders)
    return meeting


def change_meeting(
    session: Session,
    meeting: JointMeeting,
    plan: MeetingPlan,
    orders: Sequence[IssueOrder] | None = None,
    *,
    by_account_id: int | None,
    identity: str,
) -> None:
    """Hold a meeting at another time or place, under another title, or about these items alone. The same twice changes nothing.

    Who was told when and where it was to be hears at once when and where it is; another title alone is told to nobody.
    Raises Conflict ``meeting_over`` for one that was held or called off, and as ``plan_meeting``.
    """
    meeting.region.lock()
    meeting.lock()
    _must_be_to_come(meeting)
    changed = [name for name, value in vars(plan).items() if getattr(meeting, name) != value]
    if changed:
        _must_be_ahead(plan)
        for name in changed:
            setattr(meeting, name, getattr(plan, name))
        is_elsewhere = not {"starts_at", "place"}.isdisjoint(changed)
        meeting.changes += is_elsewhere
        enter(
            session,
            "joint_meeting.changed",
            meeting,
            by_account_id=by_account_id,
            identity=identity,
            details={"changed": changed},
        )
        session.flush()
        if is_elsewhere:
            tell_moved(session, meeting, is_another_time="starts_at" in changed)
    if orders is not None:
        clear_agenda(session, meeting, besides=orders)
        put_on_agenda(session, meeting, orders)


def call_off_meeting(
    session: Session, meeting: JointMeeting, because: str, *, by_account_id: int | None, identity: str
) -> None:
    """A meeting is not held; what was on its agenda waits as before, and who was told of it hears that. Twice is fine.

    Raises Conflict ``meeting_over`` for one that was held.
    """
    meeting.region.lock()
    meeting.lock()
    if meeting.called_off_at is not None:
        return
    _must_be_to_come(meeting)
    meeting.called_off_at, meeting.called_off_because = clock.now(), because
    enter(session, "joint_meeting.called_off", meeting, by_account_id=by_account_id, identity=identity)
    clear_agenda(session, meeting)
    tell_called_off(session, meeting)


def meetings_within(
    session: Session, streets: Sequence[Region], *, before_id: int | None, most: int
) -> Sequence[JointMeeting]:
    """Up to ``most`` meetings of these streets, the last planned first."""
    if not streets:
        return []
    query = (
        _whole()
        .where(JointMeeting.region_id.in_(regions_within(*streets)))
        .order_by(JointMeeting.id.desc())
        .limit(most)
    )
    return session.scalars(query if before_id is None else query.where(JointMeeting.id < before_id)).all()


def meeting_within(session: Session, key: str, *, within: Sequence[Region]) -> JointMeeting:
    """The meeting with this key of one of these streets. Raises NotFound outside of them."""
    meeting = session.scalar(_whole().where(JointMeeting.key == key))
    if meeting is None or not is_within(meeting.region, within):
        raise NotFound("没有找到这次会议")
    return meeting


def _must_be_ahead(plan: MeetingPlan) -> None:
    if plan.starts_at <= clock.now():
        message = "开会的时间已经过了，请改一个时间"
        raise Conflict("meeting_unfit", message, faults=[Fault("starts_at", message)])


def _must_be_to_come(meeting: JointMeeting) -> None:
    if meeting.called_off_at is not None or meeting.starts_at <= clock.now():
        raise Conflict("meeting_over", "这次会议已经开过或取消了，请另外安排一次")


def _whole() -> Select[JointMeeting]:
    return select(JointMeeting).options(joinedload(JointMeeting.region))
