"""Attending (参会): the meetings a unit was called to, or that are about what it has; and of their agendas what is its own.

Called is who is active and paired with the street, with what lies over it or with a place under it, from the day of the pairing on: as ``calling``
tells them. Of the other items a unit learns how many wait, as it was told, and nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from models.errors import NotFound
from models.partners import Pairing, PairingState, Partner, PartnerState
from models.regions import Region, lies_within, paths_down_to
from models.wishes.claims import LIVE, Claim
from models.wishes.street import IssueOrder, JointMeeting, OrderState


def meetings_of(
    session: Session, partner: Partner, *, before_id: int | None, most: int
) -> Sequence[JointMeeting]:
    """Up to ``most`` meetings a unit was called to or that are about what it has, the last planned first."""
    query = (
        select(JointMeeting)
        .options(joinedload(JointMeeting.region))
        .where(_concerns(session, partner))
        .order_by(JointMeeting.id.desc())
        .limit(most)
    )
    return session.scalars(query if before_id is None else query.where(JointMeeting.id < before_id)).all()


def meeting_of(session: Session, key: str, partner: Partner) -> JointMeeting:
    """The meeting with this key, if a unit was called to it or it is about what the unit has. Raises NotFound for any other."""
    meeting = session.scalar(
        select(JointMeeting)
        .options(joinedload(JointMeeting.region))
        .where(JointMeeting.key == key, _concerns(session, partner))
    )
    if meeting is None:
        raise NotFound("没有找到这次会议")
    return meeting


def claims_on_agendas(
    session: Session, partner: Partner, meetings: Collection[int]
) -> Mapping[int, Sequence[Claim]]:
    """What a unit has of the agenda of each of these meetings, in the order of the street's list, by the meeting's id."""
    rows = session.execute(
        _of_agendas(partner)
        .add_columns(Claim)
        .options(joinedload(Claim.order))
        .where(IssueOrder.meeting_id.in_(meetings))
        .order_by(IssueOrder.number)
    )
    found: dict[int, list[Claim]] = {meeting_id: [] for meeting_id in meetings}
    for meeting_id, claim in rows:
        found[meeting_id].append(claim)
    return found


def count_on_agendas(session: Session, meetings: Collection[int]) -> Mapping[int, int]:
    """How many items wait on the agenda of each of these meetings, by the meeting's id."""
    rows = session.execute(
        select(IssueOrder.meeting_id, func.count())
        .where(IssueOrder.meeting_id.in_(meetings), IssueOrder.state == OrderState.WAITING)
        .group_by(IssueOrder.meeting_id)
    )
    waiting = dict(rows.all())
    return {meeting_id: waiting.get(meeting_id, 0) for meeting_id in meetings}


def _concerns(session: Session, partner: Partner) -> ColumnElement[bool]:
    """The condition that a unit was called to a meeting, or that the meeting is about what it has."""
    theirs = JointMeeting.id.in_(_of_agendas(partner))
    if partner.standing is not PartnerState.ACTIVE:
        return theirs
    pairings = session.scalars(
        select(Pairing)
        .options(joinedload(Pairing.region))
        .where(Pairing.partner_id == partner.id, Pairing.state == PairingState.ACTIVE)
    ).all()
    called = (
        and_(JointMeeting.region_id.in_(_over_or_under(one.region)), JointMeeting.starts_at >= one.since)
        for one in pairings
    )
    return or_(theirs, *called)


def _over_or_under(place: Region) -> Select[int]:
    return select(Region.id).where(or_(lies_within([place]), Region.path.in_(paths_down_to(place.path))))


def _of_agendas(partner: Partner) -> Select[int | None]:
    """The meetings on whose agenda stands what a unit has, once for each claim of it."""
    return (
        select(IssueOrder.meeting_id)
        .join(Claim, Claim.order_id == IssueOrder.id)
        .where(
            Claim.partner_id == partner.id,
            Claim.state.in_(LIVE),
            IssueOrder.meeting_id.is_not(None),
        )
    )
