"""Whether a notice about a meeting still says the truth. What has become untrue since it was owed is not sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.issue_orders.calling import invited
from models.notices import Notice
from models.wishes.street import JointMeeting


def meetings_still_true(session: Session, notices: Sequence[Notice]) -> set[int]:
    """The ids of those whose meeting stands as they say, and whose reader still acts for a unit of the street."""
    meetings = {
        meeting.key: meeting
        for meeting in session.scalars(
            select(JointMeeting)
            .options(joinedload(JointMeeting.region))
            .where(JointMeeting.key.in_({notice.subject_key for notice in notices}))
        )
    }
    acting = {
        region.id: set(invited(session, region))
        for region in {meeting.region for meeting in meetings.values()}
    }
    return {
        notice.id
        for notice in notices
        if (meeting := meetings.get(notice.subject_key)) is not None
        and notice.facts["is_off"] is (meeting.called_off_at is not None)
        and datetime.fromisoformat(notice.facts["starts_at"]) == meeting.starts_at
        and notice.facts["place"] == meeting.place
        and notice.account_id in acting[meeting.region_id]
    }
