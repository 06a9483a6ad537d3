"""Appeals (申诉) and amnesties (免计): an absence that should not count, said by whom it is about, or by those who work here.

Somebody has seven days to say why, from the absence on, or from the pause it led to. What is excused counts for nothing, and a pause that
rests on it ends. The words are read by those who decide, and by nobody else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.courses.attendance.reckoning import relieve
from models.courses.attendance.records import (
    AbsenceAppeal,
    AppealState,
    Attendance,
    AttendanceState,
    RecordedHow,
    Recorder,
)
from models.courses.attendance.settling import settle
from models.courses.attendance.writing import hold, write
from models.courses.pauses import pauses_of
from models.courses.registrations import Registration
from models.courses.runs import CourseRun, CourseSession
from models.errors import Conflict, Forbidden, NotFound
from models.journal import enter
from models.policies import policies_at
from models.regions import Region, is_within, regions_within
from models.residents import Resident

WORDS_KEPT_FOR = timedelta(days=180)  # after it was decided


class AppealDecision(StrEnum):
    """What staff may decide."""

    GRANTED = "granted"  # 免计
    DECLINED = "declined"  # 维持


def appeal(
    session: Session, meeting: CourseSession, resident: Resident, words: str, *, by: Recorder
) -> AbsenceAppeal:
    """Say why missing an evening should not count; again, with other words, until somebody decided.

    Raises NotFound ``not_registered``; Conflict ``nothing_to_appeal``, ``appeal_too_late`` and ``appeal_decided``.
    """
    hold(session, meeting)
    row = absence_of(session, meeting, resident)
    standing = session.scalar(select(AbsenceAppeal).where(AbsenceAppeal.attendance_id == row.id))
    if standing is not None and not standing.waits:
        raise Conflict("appeal_decided", "这次缺课的申诉已有结果，有疑问请联系社区")
    if row.state is not AttendanceState.ABSENT:
        raise Conflict("nothing_to_appeal", "这次课没有缺课记录，不用申诉")
    if clock.now() >= open_until(session, [row])[row.id]:
        raise Conflict("appeal_too_late", "申诉的时间已过，有特殊情况请联系社区")
    if standing is None:
        standing = AbsenceAppeal(attendance=row, by_account_id=by.account_id)
        session.add(standing)
    if standing.words != words:
        standing.words, standing.made_at = words, clock.now()
        session.flush()
        enter(
            session,
            "absence_appeal.made",
            row.registration,
            by_account_id=by.account_id,
            identity=by.identity,
            for_resident_id=None if by.account_id == resident.account_id else resident.id,
            details={"evening": meeting.key},
        )
    session.flush()
    return standing


def absence_of(session: Session, meeting: CourseSession, resident: Resident) -> Attendance:
    """What is written of a person on an evening, also of a seat they hold no longer. Raises NotFound ``not_registered``."""
    row = session.scalar(
        select(Attendance)
        .join(Attendance.registration)
        .options(joinedload(Attendance.registration).joinedload(Registration.resident))
        .where(Attendance.session_id == meeting.id, Registration.resident_id == resident.id)
        .order_by(Attendance.id.desc())
        .limit(1)
    )
    if row is None:
        raise NotFound("还没有报名", code="not_registered")
    return row


def open_until(session: Session, rows: Sequence[Attendance]) -> dict[int, datetime]:
    """Until when one may appeal against each of these: so many days from the absence on, or from the pause that stands on it."""
    days = cache(lambda region_id: timedelta(days=policies_at(session, region_id).appeal_days))
    people = {row.registration.resident_id for row in rows}
    began = {
        pause.resident_id: pause.starts_at for pause in pauses_of(session, people) if pause.lifted_at is None
    }
    return {
        row.id: max(row.at, began.get(row.registration.resident_id, row.at)) + days(row.meeting.run.region_id)
        for row in rows
    }


def decide_appeal(session: Session, found: AbsenceAppeal, *, grant: bool, answer: str, by: Recorder) -> None:
    """Staff decide; granting excuses the absence, and whom it concerns is told. The same decision twice is fine.

    Raises Conflict ``appeal_settled`` when another decided otherwise, Forbidden ``own_content`` for one's own, whoever made it.
    """
    meeting = found.attendance.meeting
    hold(session, meeting)
    session.refresh(found)
    wanted = AppealState.GRANTED if grant else AppealState.DECLINED
    if not found.waits:
        if found.state is wanted:
            return
        raise Conflict("appeal_settled", "已有同事处理过这条申诉，请刷新后查看")
    learner = found.attendance.registration.resident
    if by.account_id is not None and by.account_id in (found.by_account_id, learner.account_id):
        raise Forbidden("own_content", "这是您自己提交的内容，请由其他工作人员审核")
    if not grant:
        settle(session, found, AppealState.DECLINED, answer=answer, by=by)
        return
    _excuse(session, meeting, found.attendance, because=answer, by=by)
    relieve(session, [learner.id])


def excuse_all(session: Session, meeting: CourseSession, *, because: str, by: Recorder) -> set[int]:
    """Let nobody's absence from an evening count (a storm, a power cut): the residents who are excused.

    Where the absences were not noted yet, they never will be. The caller lifts the pauses when it has excused all it means to.
    """
    hold(session, meeting)
    meeting.absences_noted_at = meeting.absences_noted_at or clock.now()
    rows = session.scalars(
        select(Attendance)
        .join(Attendance.registration)
        .options(joinedload(Attendance.registration).joinedload(Registration.resident))
        .where(Attendance.session_id == meeting.id, Attendance.state == AttendanceState.ABSENT)
        .order_by(Registration.number)
    ).all()
    for row in rows:
        _excuse(session, meeting, row, because=because, by=by)
    return {row.registration.resident_id for row in rows}


def appeals_of(session: Session, attendances: Collection[int]) -> dict[int, AbsenceAppeal]:
    """The appeals about these, by attendance id."""
    rows = session.scalars(select(AbsenceAppeal).where(AbsenceAppeal.attendance_id.in_(attendances)))
    return {row.attendance_id: row for row in rows}


def appeals_within(
    session: Session, places: Sequence[Region], *, state: AppealState, after_id: int | None, most: int
) -> Sequence[AbsenceAppeal]:
    """Up to ``most`` appeals about classes of these places, oldest first."""
    if not places:
        return []
    query = (
        select(AbsenceAppeal)
        .join(AbsenceAppeal.attendance)
        .join(Attendance.meeting)
        .join(CourseSession.run)
        .options(
            joinedload(AbsenceAppeal.attendance)
            .joinedload(Attendance.registration)
            .joinedload(Registration.resident),
            joinedload(AbsenceAppeal.attendance)
            .joinedload(Attendance.meeting)
            .joinedload(CourseSession.run)
            .joinedload(CourseRun.course),
        )
        .where(AbsenceAppeal.state == state, CourseRun.region_id.in_(regions_within(*places)))
        .order_by(AbsenceAppeal.id)
        .limit(most)
    )
    return session.scalars(query if after_id is None else query.where(AbsenceAppeal.id > after_id)).all()


def appeal_within(session: Session, key: str, *, within: Sequence[Region]) -> AbsenceAppeal:
    """An appeal about a class of these places. Raises NotFound outside of them."""
    found = session.scalar(
        select(AbsenceAppeal)
        .options(
            joinedload(AbsenceAppeal.attendance)
            .joinedload(Attendance.registration)
            .joinedload(Registration.resident),
            joinedload(AbsenceAppeal.attendance)
            .joinedload(Attendance.meeting)
            .joinedload(CourseSession.run)
            .options(joinedload(CourseRun.course), joinedload(CourseRun.region)),
        )
        .where(AbsenceAppeal.key == key)
    )
    if found is None or not is_within(found.attendance.meeting.run.region, within):
        raise NotFound("没有找到这条申诉")
    return found


def count_appeals(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many appeals waited at a moment, by the path of the community."""
    rows = session.execute(
        select(Region.path, func.count())
        .select_from(AbsenceAppeal)
        .join(Attendance, Attendance.id == AbsenceAppeal.attendance_id)
        .join(CourseSession, CourseSession.id == Attendance.session_id)
        .join(CourseRun, CourseRun.id == CourseSession.run_id)
        .join(Region, Region.id == CourseRun.region_id)
        .where(AbsenceAppeal.state == AppealState.WAITING, AbsenceAppeal.made_at <= as_of)
        .group_by(Region.path)
    )
    return dict(rows.all())


def forget_appeals(session: Session, now: datetime) -> int:
    """Drop the words of appeals decided long ago; how many. What was decided stays."""
    gone = session.execute(
        update(AbsenceAppeal)
        .where(AbsenceAppeal.decided_at < now - WORDS_KEPT_FOR, AbsenceAppeal.words.is_not(None))
        .values(words=None)
        .returning(AbsenceAppeal.id)
    )
    return len(gone.all())


def forget_words_of_appeals(session: Session, residents: Collection[int]) -> None:
    """These people leave: what they wrote, and what they were answered, goes."""
    session.execute(
        update(AbsenceAppeal)
        .where(
            AbsenceAppeal.attendance_id.in_(
                select(Attendance.id)
                .join(Registration, Registration.id == Attendance.registration_id)
                .where(Registration.resident_id.in_(residents))
            )
        )
        .values(words=None, answer="")
    )


def _excuse(session: Session, meeting: CourseSession, row: Attendance, *, because: str, by: Recorder) -> None:
    write(
        session,
        meeting,
        row.registration,
        row,
        state=AttendanceState.EXCUSED,
        how=RecordedHow.PAPER,
        at=clock.now(),
        by=by,
        because=because,
    )
