"""Absences (缺课): what is written of one's evenings, saying why one should not count, and what those who work here do about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from miniprogram_api.acting import oneself_and_wards, oneself_or_ward
from miniprogram_api.content import Opinion, begin_writing, checked
from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, account, caller, staff_hat
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.absences import (
    AmnestyIn,
    AmnestyOut,
    AppealDecisionIn,
    AppealIn,
    AppealOut,
    AppealsQuery,
    LiftIn,
    MyAttendanceOut,
    MyAttendanceQuery,
    PauseOut,
    PausesOut,
    PausesQuery,
    StaffAppealOut,
    StaffAppealsOut,
)
from miniprogram_api.schemas.courses import ForWhom
from miniprogram_api.wechat import Scene
from models import clock
from models.base import db
from models.content_checks import ABSENCE_APPEAL
from models.courses import CourseSession, published_session, session_for_staff
from models.courses.attendance import (
    AbsenceAppeal,
    AppealDecision,
    AppealState,
    Attendance,
    AttendanceState,
    Recorder,
    absence_of,
    appeal,
    appeal_within,
    appeals_of,
    appeals_within,
    attendances_of,
    counting_ones,
    decide_appeal,
    excuse_all,
    lift_pause,
    misses_of,
    open_until,
    relieve,
)
from models.courses.pauses import Pause, pause_within, pauses_within, standing_pause
from models.errors import NotFound
from models.journal import enter_each
from models.regions import Region
from models.residents import resident_of
from models.staff import OFFICE, places_of

door = Door("absences", description="缺课与申诉")


class Evening(NamedTuple):
    """What is written of one evening, whether it counts, and what was appealed."""

    row: Attendance
    counts: bool
    appeal_until: datetime | None
    appeal: AbsenceAppeal | None


# --- oneself ------------------------------------------------------------------------------------------------------


@door.get("/me/attendance")
@door.takes(MyAttendanceQuery, location="query")
@door.gives(MyAttendanceOut, refuses=(422,))
def list_my_attendance(wanted: dict[str, Any]) -> dict[str, Any]:
    """我的出勤

    What is written of one's evenings and of those one may act for, newest first, with what was appealed; and how one stands oneself:
    absences that count, and until when one registers for nothing new. Nobody else sees it but those who work for the community.
    """
    session = db.session()
    oneself, limit = resident_of(session, account()), wanted["limit"]
    people = oneself_and_wards()
    rows = attendances_of(session, people, before_id=after_id(wanted.get("cursor")), most=limit + 1)
    answer = page(rows, limit, lambda row: [row.id])
    answer["items"] = _evenings(answer["items"])
    pause = standing_pause(session, oneself.id) if oneself else None
    stands = misses_of(session, oneself, leaving_out=pause) if oneself else None
    return {
        **answer,
        "misses": stands.count if stands else 0,
        "misses_to_pause": stands.too_many if stands else 0,
        "paused_until": pause.until if pause and pause.until > clock.now() else None,
    }


@door.put("/course-sessions/<key:key>/appeal", asks_wechat=True, rate=RateName.PROFILE)
@door.takes(ForWhom, location="query")
@door.takes(AppealIn)
@door.gives(AppealOut, refuses=(409, 422))
def appeal_absence(whom: dict[str, Any], sent: dict[str, Any], key: str) -> AbsenceAppeal:
    """缺课申诉

    Say why missing this evening should not count, until ``appeal_until``; other words may be sent until somebody decided. The words are
    checked first: 422 ``content_risky`` asks for others. 409 ``nothing_to_appeal`` where no absence is written.
    """
    opinion = _opinion_of(sent["words"], key, whom.get("for_key"))
    session = db.session()
    account().lock().must_stand()
    meeting, learner = published_session(session, key), oneself_or_ward(whom.get("for_key"))
    made = appeal(session, meeting, learner, sent["words"], by=_recorder())
    if opinion is not None:
        opinion.write_down(key=made.key, account_id=account().id, resident_id=learner.id)
    return made


# --- staff --------------------------------------------------------------------------------------------------------


@door.get("/staff/absence-appeals", looks=True)
@door.takes(AppealsQuery, location="query")
@door.gives(StaffAppealsOut, refuses=(422,))
def list_appeals(wanted: dict[str, Any]) -> dict[str, Any]:
    """缺课申诉列表（工作人员）

    Appeals about the classes of the places one works for, oldest first. Every look is journalled.
    """
    session, limit = db.session(), wanted["limit"]
    found = appeals_within(
        session, _places(), state=wanted["state"], after_id=after_id(wanted.get("cursor")), most=limit + 1
    )
    about = [one.attendance.registration for one in found[:limit]]
    enter_each(
        session,
        "absence_appeal.looked_at",
        [(registration, registration.resident_id) for registration in about],
        by_account_id=account().id,
        identity=caller().identity,
    )
    return page(found, limit, lambda one: [one.id])


@door.put("/staff/absence-appeals/<key:key>/decision")
@door.takes(AppealDecisionIn)
@door.gives(StaffAppealOut, refuses=(409, 422))
def decide_on_appeal(sent: dict[str, Any], key: str) -> AbsenceAppeal:
    """处理缺课申诉（工作人员）

    ``granted`` excuses the absence, and a pause that rests on it ends; ``declined`` leaves it. The word beside it is read by whoever
    appealed. The same decision twice is fine; another one is 409 ``appeal_settled``, one's own 403 ``own_content``.
    """
    session = db.session()
    found = appeal_within(session, key, within=_places())
    grant = sent["decision"] is AppealDecision.GRANTED
    decide_appeal(session, found, grant=grant, answer=sent["because"], by=_recorder())
    return found


@door.post("/staff/absence-amnesties")
@door.takes(AmnestyIn)
@door.gives(AmnestyOut, refuses=(409, 422))
def excuse_everybody(sent: dict[str, Any]) -> dict[str, Any]:
    """批量免计缺课（工作人员）

    On these evenings nobody's absence counts (a storm, a power cut), each answered by itself; pauses that rest on them end.
    """
    session, places = db.session(), _places()
    evenings = {key: _evening(key, places) for key in sent["sessions"]}
    excused: dict[str, int] = {}
    people: set[int] = set()
    for key, meeting in sorted(evenings.items(), key=lambda one: one[1].run_id if one[1] else 0):
        if meeting is not None:
            theirs = excuse_all(session, meeting, because=sent["because"], by=_recorder())
            excused[key] = len(theirs)
            people |= theirs
    lifted = relieve(session, people)
    items = [
        {"session": key, "found": evenings[key] is not None, "excused": excused.get(key, 0)}
        for key in sent["sessions"]
    ]
    return {"items": items, "lifted": lifted}


@door.get("/staff/pauses", looks=True)
@door.takes(PausesQuery, location="query")
@door.gives(PausesOut, refuses=(422,))
def list_pauses(wanted: dict[str, Any]) -> dict[str, Any]:
    """暂停报名的居民（工作人员）

    Who of the places one works for registers for nothing new now, oldest first. Every look is journalled.
    """
    session, limit = db.session(), wanted["limit"]
    found = pauses_within(session, _places(), after_id=after_id(wanted.get("cursor")), most=limit + 1)
    enter_each(
        session,
        "pause.looked_at",
        [(one, one.resident_id) for one in found[:limit]],
        by_account_id=account().id,
        identity=caller().identity,
    )
    return page(found, limit, lambda one: [one.id])


@door.put("/staff/pauses/<key:key>/lifting")
@door.takes(LiftIn)
@door.gives(PauseOut, refuses=(409, 422))
def lift_somebodys_pause(sent: dict[str, Any], key: str) -> Pause:
    """解除暂停报名（工作人员）

    The person registers again at once, and is told. Twice is fine.
    """
    session = db.session()
    pause = pause_within(session, key, within=_places())
    lift_pause(
        session, pause, because=sent["because"], by_account_id=account().id, identity=caller().identity
    )
    return pause


def _evenings(rows: Sequence[Attendance]) -> list[Evening]:
    session = db.session()
    appeals = appeals_of(session, [row.id for row in rows])
    counting = counting_ones(session, [row.registration_id for row in rows])
    absent = [
        row
        for row in rows
        if row.state is AttendanceState.ABSENT
        and (row.id not in appeals or appeals[row.id].state is AppealState.WAITING)
    ]
    until = {row: moment for row, moment in open_until(session, absent).items() if moment > clock.now()}
    return [
        Evening(
            row,
            row.state is AttendanceState.ABSENT and row.registration_id in counting,
            until.get(row.id),
            appeals.get(row.id),
        )
        for row in rows
    ]


def _opinion_of(words: str, key: str, for_key: str | None) -> Opinion | None:
    """WeChat's word on what is new; what cannot be appealed is refused before anybody is asked."""
    session = db.session()
    meeting, learner = published_session(session, key), oneself_or_ward(for_key)
    row = absence_of(session, meeting, learner)
    before = appeals_of(session, [row.id]).get(row.id)
    if before is not None and before.words == words:
        begin_writing()
        return None
    return checked(words, ABSENCE_APPEAL, scene=Scene.COMMENT)


def _evening(key: str, places: Sequence[Region]) -> CourseSession | None:
    try:
        return session_for_staff(db.session(), key, within=places)
    except NotFound:
        return None


def _places() -> list[Region]:
    return places_of(db.session(), staff_hat(), *OFFICE)


def _recorder() -> Recorder:
    return Recorder(account().id, caller().identity)
