"""Calling together (会议通知): the units of a street hear of its meeting seven days and one day before, with how many items wait (domain.md §6, M24).

Once each; again, and at once, when it was moved; not when it was called off. Of either they hear if they had been told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.issue_orders.agenda import count_waiting
from models.notices import Debt, Notice, NoticeKind, goes_out_at, owe_once
from models.partners import Pairing, PairingState, Partner, PartnerState, members_of
from models.regions import Region, lies_within, paths_down_to
from models.wishes.street import JointMeeting

_TOLD_BEFORE = (timedelta(days=1), timedelta(days=7))  # the nearest first


def owe_meeting_notices(session: Session, now: datetime) -> int:
    """Owe the units of each street the word of its meeting that is near; how many are new."""
    meetings = session.scalars(
        select(JointMeeting)
        .options(joinedload(JointMeeting.region))
        .where(
            JointMeeting.starts_at > now,
            JointMeeting.starts_at <= now + max(_TOLD_BEFORE),
            JointMeeting.called_off_at.is_(None),
        )
        .order_by(JointMeeting.starts_at, JointMeeting.id)
    ).all()
    if not meetings:
        return 0
    waiting = count_waiting(session, {meeting.region_id for meeting in meetings})
    return owe_once(
        session.connection(),
        [
            _debt(
                session,
                meeting,
                invited(session, meeting.region),
                number=waiting.get(meeting.region_id, 0),
                remark="请看看有没有能认领的",
                version=_version(meeting, now),
            )
            for meeting in meetings
        ],
    )


def tell_moved(session: Session, meeting: JointMeeting, *, is_another_time: bool) -> None:
    """Owe the word when and where a meeting is held now to everybody who was told otherwise, however far away it is.

    Where it is near it stands for the word they would have heard of it today.
    """
    remark = "会议改期，请按新的时间参加" if is_another_time else "会议换了地点，时间不变"
    _tell_those_told(session, meeting, remark, _version(meeting, clock.now()))


def tell_called_off(session: Session, meeting: JointMeeting) -> None:
    """Owe the word that a meeting is not held to everybody who was told that it is."""
    _tell_those_told(session, meeting, "会议取消，改期另行通知", "off")


def _tell_those_told(session: Session, meeting: JointMeeting, remark: str, version: str) -> None:
    told = session.scalars(
        select(Notice.account_id)
        .where(Notice.kind == NoticeKind.MEETING_AHEAD, Notice.subject_key == meeting.key)
        .distinct()
    ).all()
    if not told:
        return
    number = count_waiting(session, [meeting.region_id]).get(meeting.region_id, 0)
    owe_once(
        session.connection(),
        [_debt(session, meeting, told, number=number, remark=remark, version=version)],
    )


def invited(session: Session, street: Region) -> list[int]:
    """The accounts that act for the active units paired with a street, with what lies over it, or with a place under it."""
    paired = session.scalars(
        select(Partner.id)
        .join(Pairing, Pairing.partner_id == Partner.id)
        .join(Region, Region.id == Pairing.region_id)
        .where(
            Partner.stands(PartnerState.ACTIVE),
            Pairing.state == PairingState.ACTIVE,
            or_(lies_within([street]), Region.path.in_(paths_down_to(street.path))),
        )
        .distinct()
    ).all()
    return sorted({account_id for acting in members_of(session, paired).values() for account_id in acting})


def _debt(
    session: Session,
    meeting: JointMeeting,
    account_ids: Sequence[int],
    *,
    number: int,
    remark: str,
    version: str,
) -> Debt:
    kind = NoticeKind.MEETING_AHEAD
    return Debt(
        kind,
        subject_key=meeting.key,
        page_subject=meeting.key,
        account_ids=sorted(account_ids),
        facts={
            "title": meeting.title,
            "street": meeting.region.name,
            "starts_at": meeting.starts_at.isoformat(),
            "place": meeting.place,
            "number": number,
            "remark": remark,
            "is_off": meeting.called_off_at is not None,
        },
        due_at=goes_out_at(session, kind, meeting.region_id, clock.now()),
        version=version,
    )


def _version(meeting: JointMeeting, now: datetime) -> str:
    """How often it was moved, and which of the two words is due: of a meeting that was planned late, the last alone; of one far away, none yet."""
    due = next((before.days for before in _TOLD_BEFORE if meeting.starts_at - now <= before), "moved")
    return f"{meeting.changes}-{due}"
