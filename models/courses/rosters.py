"""Rosters on paper (名单与签到表): what leaves the house as a file, for whom, and what for.

A file cannot be taken back, so more is asked than for a look on a screen: a purpose, which the journal keeps; no more people at once
than the community's policy says; and on every page who took it, when, and for what. Who may take one is asked anew each time
(``run_for_staff`` with the places of this very moment), so whoever lost the role a minute ago takes nothing (E30, E31).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import case, select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.courses.questions import RunAnswer, RunQuestion, answers_on, questions_of
from models.courses.registrations import IN_CLASS, LIVE, Registration
from models.courses.runs import CourseRun, CourseSession, SessionState
from models.errors import Conflict
from models.journal import enter
from models.policies import policies_at
from models.staff import StaffMember

LONGEST_PURPOSE = 60


class SheetKind(StrEnum):
    """What is on the paper."""

    ROSTER = "roster"  # 名单: everybody with a place, with phone numbers and answers, for the office
    SIGN_IN = "sign_in"  # 签到表: who has a seat, and a box for each evening, for the room; no numbers


# who stands on which sheet: who waits has nothing to sign
_ON_IT = {SheetKind.ROSTER: {*LIVE, *IN_CLASS}, SheetKind.SIGN_IN: IN_CLASS}


@dataclass(frozen=True)
class Sheet:
    """One sheet as it leaves the house: its people in order, its evenings, and whose it is."""

    kind: SheetKind
    run: CourseRun
    lines: Sequence[Registration]
    evenings: Sequence[CourseSession]
    questions: Sequence[RunQuestion]  # of a roster, with what each person answered, by their id
    answers: Mapping[int, Sequence[RunAnswer]]
    taken_by: str
    taken_at: datetime
    purpose: str

    @property
    def people(self) -> int:
        """How many come if everybody comes: companions, and of a pair both."""
        return sum(line.seats + (line.paired_with_id is not None) for line in self.lines)

    @property
    def watermark(self) -> str:
        """Who took it, when, and for what: on every page."""
        return say_taken(self.taken_by, self.taken_at, self.purpose)


def say_taken(by: str, at: datetime, purpose: str) -> str:
    """Who took a sheet, when, and for what, as it stands on paper."""
    return f"{by} {clock.in_town(at):%Y-%m-%d %H:%M} 导出，用途：{purpose}"


def take_sheet(
    session: Session,
    run: CourseRun,
    kind: SheetKind,
    *,
    purpose: str,
    by: StaffMember,
) -> Sheet:
    """Take a sheet of a run out of the house, which the journal keeps with its purpose.

    Seats come first, then the queue, each in the order of registration. Evenings called off are left out. Raises Conflict
    ``export_too_large`` for more people than the community's policy (``export_lines``) allows at once.
    """
    most = policies_at(session, run.region_id).export_lines
    lines = session.scalars(
        select(Registration)
        .options(joinedload(Registration.resident), joinedload(Registration.paired_with))
        .where(Registration.run_id == run.id, Registration.state.in_(_ON_IT[kind]))
        .order_by(case((Registration.state.in_(IN_CLASS), 0), else_=1), Registration.number)
        .limit(most + 1)
    ).all()
    if len(lines) > most:
        raise Conflict(
            "export_too_large",
            f"一次最多导出 {most} 人，这个班超过了；确有需要请管理员调整规则参数",
            details={"most": most},
        )
    enter(
        session,
        "roster.exported",
        run,
        by_account_id=by.account_id,
        identity=by.identity,
        details={"kind": kind, "purpose": purpose, "lines": len(lines)},
    )
    session.flush()
    evenings = [meeting for meeting in run.sessions if meeting.state is not SessionState.CANCELLED]
    questions: Sequence[RunQuestion] = []
    answers: Mapping[int, Sequence[RunAnswer]] = {}
    if kind is SheetKind.ROSTER and run.asks_questions:
        questions = questions_of(session, run)
        answers = answers_on(session, run, [line.resident_id for line in lines])
    return Sheet(kind, run, lines, evenings, questions, answers, by.name, clock.now(), purpose)
