"""Settling an appeal (申诉结果): what came of it is written down and told in one place, whoever decided it.

An appeal waits as long as its absence stands. Whatever excuses the absence meanwhile (an amnesty, a corrected list, a device that saw the
person after all) grants it with the same deed, so that nothing lies on a desk that is decided already.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account
from models.courses.attendance.records import AbsenceAppeal, AppealState, Recorder
from models.hearing import hears
from models.journal import enter
from models.notices import Debt, NoticeKind, goes_out_at, owe_once
from models.residents import Resident

GRANTED, DECLINED = AppealState.GRANTED, AppealState.DECLINED
_SAID = {
    GRANTED: {"outcome": "已免计", "remark": "这次不计次数"},
    DECLINED: {"outcome": "维持原记录", "remark": "请点开查看答复，有疑问联系社区"},
}


def settle(session: Session, appeal: AbsenceAppeal, state: AppealState, *, answer: str, by: Recorder) -> None:
    """Write down what came of an appeal that waits, and tell whoever may act for the person: who appealed, and who was told of the absence."""
    appeal.state, appeal.answer, appeal.decided_at = state, answer, clock.now()
    session.flush()
    row = appeal.attendance
    enter(
        session,
        "absence_appeal.granted" if state is GRANTED else "absence_appeal.declined",
        row.registration,
        by_account_id=by.account_id,
        identity=by.identity,
        for_resident_id=row.registration.resident_id,
        details={"evening": row.meeting.key},
    )
    _tell(session, appeal)
    session.flush()


def _tell(session: Session, appeal: AbsenceAppeal) -> None:
    registration, meeting = appeal.attendance.registration, appeal.attendance.meeting
    learner, run, kind = registration.resident, meeting.run, NoticeKind.APPEAL_DECIDED
    concerned = {learner.account_id, registration.by_account_id, appeal.by_account_id} - {None}
    accounts = session.scalars(
        select(Account.id)
        .join(Resident, Resident.id == learner.id)
        .where(Account.id.in_(concerned), hears())
        .order_by(Account.id)
    ).all()
    debt = Debt(
        kind,
        subject_key=registration.key,
        page_subject=meeting.key,
        account_ids=accounts,
        facts={
            "course": run.course.title,
            "starts_at": meeting.starts_at.isoformat(),
            "evening": meeting.key,
            "learner": "" if accounts == [learner.account_id] else learner.name or "",
            "activity": run.course.is_activity,
            "excused": appeal.state is GRANTED,
            **_SAID[appeal.state],
        },
        due_at=goes_out_at(session, kind, run.region_id, clock.now()),
        version=meeting.key,
    )
    owe_once(session.connection(), [debt])
