"""The sheet (签到表): who was there on an evening, as staff see it, and as they copy it from paper.

Staff write on the day itself; afterwards only an administrator corrects, and says why. Excusing an absence is for all of the office, whenever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.courses.attendance.reckoning import relieve
from models.courses.attendance.records import (
    Attendance,
    AttendanceState,
    LeaveReason,
    RecordedHow,
    Recorder,
)
from models.courses.attendance.windows import must_be_held, must_have_opened, window_of
from models.courses.attendance.writing import (
    attendance_of,
    hold,
    on_the_sheet,
    registrations_by_key,
    write,
)
from models.courses.registrations import Registration
from models.courses.runs import CourseSession
from models.errors import Forbidden


@dataclass(frozen=True)
class Mark:
    """One line of a paper list: who, and what became of them; ``because`` where it is corrected afterwards."""

    registration_key: str
    state: AttendanceState
    because: str = ""


class MarkVerdict(StrEnum):
    """What became of one line."""

    RECORDED = "recorded"  # 已登记
    UNCHANGED = "unchanged"  # 本来就是这样
    NOT_OF_THIS_SESSION = "not_of_this_session"  # 不是这个班的学员
    BECAUSE_NEEDED = "because_needed"  # 更正要写原因
    NOT_BEGUN = "not_begun"  # 还没上课，不能记缺课


@dataclass(frozen=True)
class SheetLine:
    """One learner on the sheet of an evening; nothing is written of whoever has no attendance."""

    registration: Registration
    attendance: Attendance | None

    @property
    def state(self) -> AttendanceState | None:
        """What became of them, as far as it is written."""
        return self.attendance.state if self.attendance else None

    @property
    def how(self) -> RecordedHow | None:
        """Where that comes from."""
        return self.attendance.how if self.attendance else None

    @property
    def at(self) -> datetime | None:
        """When they were seen, or when it was said of them."""
        return self.attendance.at if self.attendance else None

    @property
    def reason(self) -> LeaveReason | None:
        """Why they asked for leave."""
        return self.attendance.reason if self.attendance else None

    @property
    def because(self) -> str:
        """Why it was corrected."""
        return self.attendance.because if self.attendance else ""


def sheet_of(session: Session, meeting: CourseSession) -> list[SheetLine]:
    """Everybody with a seat, and everybody else of whom something is written, in the order of registration."""
    rows = session.execute(
        select(Registration, Attendance)
        .outerjoin(
            Attendance,
            and_(Attendance.registration_id == Registration.id, Attendance.session_id == meeting.id),
        )
        .options(joinedload(Registration.resident))
        .where(on_the_sheet(meeting))
        .order_by(Registration.number)
    )
    return [SheetLine(registration, attendance) for registration, attendance in rows]


def mark_sheet(
    session: Session,
    meeting: CourseSession,
    marks: Sequence[Mark],
    *,
    may_correct: bool,
    by: Recorder,
) -> list[MarkVerdict]:
    """Copy lines of a paper list, each judged by itself: what became of them, in their order.

    ``may_correct`` says whether the writer is an administrator of the place. Raises Conflict ``check_in_not_open`` before checking in
    has begun and ``session_not_held`` for an evening that is off, Forbidden ``sheet_closed`` for a clerk after the day.
    """
    hold(session, meeting)
    must_be_held(meeting)
    must_have_opened(window_of(session, meeting))
    is_correction = clock.today() > clock.in_town(meeting.ends_at).date()
    theirs = registrations_by_key(session, meeting, [mark.registration_key for mark in marks])
    written = attendance_of(session, meeting, [one.id for one in theirs.values()])
    came = {key for key, one in theirs.items() if one.id in written and written[one.id].came}
    excuses = all(
        mark.state is AttendanceState.EXCUSED and mark.registration_key not in came for mark in marks
    )
    if is_correction and not (may_correct or excuses):
        raise Forbidden("sheet_closed", "上课当天已过，需要更正请由社区管理员办理")
    verdicts = []
    for mark in marks:
        registration = theirs.get(mark.registration_key)
        if registration is None:
            verdicts.append(MarkVerdict.NOT_OF_THIS_SESSION)
            continue
        row = written.get(registration.id)
        if row is not None and row.state is mark.state:
            verdicts.append(MarkVerdict.UNCHANGED)
            continue
        if mark.state is AttendanceState.ABSENT and clock.now() < meeting.starts_at:
            verdicts.append(MarkVerdict.NOT_BEGUN)  # whoever is on the way is not missing yet
            continue
        if is_correction and not mark.because:
            verdicts.append(MarkVerdict.BECAUSE_NEEDED)
            continue
        written[registration.id] = write(
            session,
            meeting,
            registration,
            row,
            state=mark.state,
            how=RecordedHow.PAPER,
            at=clock.now(),
            by=by,
            because=mark.because,
        )
        verdicts.append(MarkVerdict.RECORDED)
    relieve(session, {one.resident_id for one in theirs.values()})
    return verdicts
