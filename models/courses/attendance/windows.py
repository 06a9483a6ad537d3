"""When one may check in (签到时间), and what coming at a moment makes of somebody.

The numbers are policies of the community: from 30 minutes before the start on; whoever comes within five minutes after it is there, whoever
comes later is late; 15 minutes after the start the code on the screen is taken no longer. Staff see people until the class ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from models import clock
from models.courses.attendance.records import AttendanceState
from models.courses.runs import CourseSession, RunState, SessionState
from models.errors import Conflict
from models.policies import policies_at


@dataclass(frozen=True)
class Window:
    """From when to when one checks in to one evening: oneself until ``closes_at``, by staff until ``ends_at``."""

    opens_at: datetime
    late_from: datetime
    closes_at: datetime
    ends_at: datetime

    def has_opened(self, moment: datetime) -> bool:
        """Whether checking in has begun."""
        return moment >= self.opens_at

    def of_staff(self, seen_at: datetime) -> AttendanceState | None:
        """What somebody is whom staff saw at a moment; nothing outside of the window."""
        if not self.opens_at <= seen_at < self.ends_at:
            return None
        return AttendanceState.PRESENT if seen_at < self.late_from else AttendanceState.LATE


def window_of(session: Session, meeting: CourseSession) -> Window:
    """When one checks in to an evening, by the numbers of its community."""
    numbers = policies_at(session, meeting.run.region_id)
    starts = meeting.starts_at
    return Window(
        opens_at=starts - timedelta(minutes=numbers.check_in_before_minutes),
        late_from=starts + timedelta(minutes=numbers.late_after_minutes),
        closes_at=starts + timedelta(minutes=numbers.check_in_after_minutes),
        ends_at=meeting.ends_at,
    )


def is_off(meeting: CourseSession) -> bool:
    """Whether an evening was called off, or belongs to a run that nobody sees or that was cancelled."""
    stands = meeting.run.state in (RunState.PUBLISHED, RunState.ARCHIVED)
    return meeting.state is SessionState.CANCELLED or not stands


def must_be_held(meeting: CourseSession) -> None:
    """Raises Conflict ``session_not_held`` for an evening that is off."""
    if is_off(meeting):
        raise Conflict("session_not_held", "这次课已取消，不用签到")


def must_have_opened(window: Window) -> None:
    """Raises Conflict ``check_in_not_open`` before one may check in."""
    if not window.has_opened(clock.now()):
        opens = clock.in_town(window.opens_at)
        raise Conflict(
            "check_in_not_open",
            f"还没到签到时间，{opens.month}月{opens.day}日 {opens:%H:%M} 开始签到",
            details={"opens_at": opens.isoformat()},
        )
