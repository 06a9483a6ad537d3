"""On the day (签到): checking in with the code in the room or by one's own code, the screen, the sheet, and what was seen without a network."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from miniprogram_api.acting import learner_for
from miniprogram_api.edge import Door, account, caller, staff_hat
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.attendance import (
    BatchIn,
    BatchVerdictsOut,
    CheckInOut,
    LeaveIn,
    MarksIn,
    MarkVerdictsOut,
    OwnCodeOut,
    RoomCodeIn,
    ScanIn,
    ScreenOut,
    SheetLineOut,
    SheetOut,
)
from miniprogram_api.schemas.courses import ForWhom
from models.base import db
from models.courses import CourseSession, published_session, session_for_staff
from models.courses.attendance import (
    Attendance,
    AttendanceState,
    Mark,
    Recorder,
    Seen,
    SheetLine,
    Window,
    ask_leave,
    attendance_of,
    attending,
    check_in,
    check_in_by_scan,
    close_screen,
    leave_until,
    link_token,
    mark_sheet,
    open_screen,
    own_code_of,
    screen_shown_until,
    sheet_of,
    take_batch,
    take_leave_back,
    window_of,
)
from models.journal import enter
from models.regions import is_within
from models.residents import Resident
from models.staff import OFFICE, Role, places_of

door = Door("attendance", description="签到")


class Mine(NamedTuple):
    """One person's part in an evening, with when one may check in."""

    meeting: CourseSession
    window: Window
    attendance: Attendance | None
    leave_until: datetime

    @property
    def state(self) -> AttendanceState | None:
        """What is written, if anything is."""
        return self.attendance.state if self.attendance else None

    @property
    def at(self) -> datetime | None:
        """When they were seen, or when it was said of them."""
        return self.attendance.at if self.attendance else None


# --- oneself ------------------------------------------------------------------------------------------------------


@door.get("/course-sessions/<key:key>/check-in")
@door.takes(ForWhom, location="query")
@door.gives(CheckInOut, refuses=(409, 422))
def show_check_in(whom: dict[str, Any], key: str) -> Mine:
    """签到情况

    Whether one is checked in to this evening, and from when to when one may. Scanning the printed code of the evening leads here; only
    the digits on the screen in the room check anybody in.
    """
    meeting = published_session(db.session(), key)
    return _mine(meeting, learner_for(whom.get("for_key")))


@door.put("/course-sessions/<key:key>/check-in", rate=RateName.CHECK_INS)
@door.takes(ForWhom, location="query")
@door.takes(RoomCodeIn)
@door.gives(CheckInOut, refuses=(409, 422))
def check_myself_in(whom: dict[str, Any], sent: dict[str, Any], key: str) -> Mine:
    """签到

    With the digits on the screen in the room, which change every half minute: 409 ``room_code_wrong`` for any others. From
    ``check_in_not_open`` to ``check_in_closed``; afterwards staff write it down. Checking in twice is fine.
    """
    session = db.session()
    meeting, learner = published_session(session, key), learner_for(whom.get("for_key"))
    check_in(session, meeting, learner, digits=sent["code"], by=_recorder())
    return _mine(meeting, learner)


@door.put("/course-sessions/<key:key>/leave", rate=RateName.CHECK_INS)
@door.takes(ForWhom, location="query")
@door.takes(LeaveIn)
@door.gives(CheckInOut, refuses=(409, 422))
def ask_for_leave(whom: dict[str, Any], sent: dict[str, Any], key: str) -> Mine:
    """请假

    Say that one does not come to this evening, until ``leave_until``: 409 ``leave_too_late`` afterwards. It never counts as an absence.
    Asking twice is fine.
    """
    session = db.session()
    meeting, learner = published_session(session, key), learner_for(whom.get("for_key"))
    ask_leave(session, meeting, learner, reason=sent.get("reason"), by=_recorder())
    return _mine(meeting, learner)


@door.delete("/course-sessions/<key:key>/leave", rate=RateName.CHECK_INS)
@door.takes(ForWhom, location="query")
@door.gives(None, 204, refuses=(409, 422))
def take_back_leave(whom: dict[str, Any], key: str) -> None:
    """销假

    Come all the same. Having asked for none is fine.
    """
    session = db.session()
    meeting, learner = published_session(session, key), learner_for(whom.get("for_key"))
    take_leave_back(session, meeting, learner, by=_recorder())


@door.get("/me/check-in-code", rate=RateName.OWN_CODES)
@door.takes(ForWhom, location="query")
@door.gives(OwnCodeOut, refuses=(422,))
def show_own_code(whom: dict[str, Any]) -> dict[str, Any]:
    """我的签到码

    A code for staff to scan, of oneself or of somebody one may act for; a new one every time, good for five minutes.
    """
    learner = learner_for(whom.get("for_key"))
    code = own_code_of(learner)
    return {"code": code.code, "until": code.until, "resident": learner.key}


# --- staff --------------------------------------------------------------------------------------------------------


@door.put("/staff/course-sessions/<key:key>/screen")
@door.gives(ScreenOut, refuses=(409,))
def open_room_screen(key: str) -> dict[str, Any]:
    """打开签到屏（工作人员）

    The address of a page for the screen in the room, which shows the code of this half minute. The same until it is taken back; nobody
    needs to log in where it is opened.
    """
    screen = open_screen(db.session(), _meeting(key), by=_recorder())
    return {"path": f"/screens/{link_token(screen)}", "shows_until": screen_shown_until(screen)}


@door.delete("/staff/course-sessions/<key:key>/screen")
@door.gives(None, 204)
def close_room_screen(key: str) -> None:
    """收回签到屏（工作人员）

    The page leads nowhere from now on, and its code checks nobody in; the next one has another. Twice is fine.
    """
    close_screen(db.session(), _meeting(key), by=_recorder())


@door.post("/staff/course-sessions/<key:key>/check-ins")
@door.takes(ScanIn)
@door.gives(SheetLineOut, refuses=(409, 422))
def scan_learner(sent: dict[str, Any], key: str) -> SheetLine:
    """扫码签到（工作人员）

    Check somebody in by the code on their phone, until the class ends; twice is fine. 404 ``not_registered`` and 409 ``no_seat`` for
    whoever is not of this class, 409 ``own_code_invalid`` for a code that is too old.
    """
    session, meeting = db.session(), _meeting(key)
    registration = check_in_by_scan(session, meeting, sent["code"], by=_recorder())
    written = attendance_of(session, meeting, [registration.id])
    return SheetLine(registration, written.get(registration.id))


@door.post("/staff/course-sessions/<key:key>/check-ins/batch")
@door.takes(BatchIn)
@door.gives(BatchVerdictsOut, refuses=(409, 422))
def take_offline_batch(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """补传离线签到（工作人员）

    What a device saw while it had no network, each item judged by the moment it was seen and answered by itself. What was sent before, by
    its ``event``, is answered the same and changes nothing.
    """
    items = [
        Seen(item["event"], item["seen_at"], item.get("code"), item.get("registration"))
        for item in sent["items"]
    ]
    verdicts = take_batch(db.session(), _meeting(key), items, by=_recorder())
    return {
        "items": [
            {"event": item.event, "verdict": verdict} for item, verdict in zip(items, verdicts, strict=True)
        ]
    }


@door.get("/staff/course-sessions/<key:key>/attendance", looks=True)
@door.gives(SheetOut)
def show_sheet(key: str) -> dict[str, Any]:
    """签到表（工作人员）

    Everybody with a seat and what is written of them this evening, in order of registration. Every look is journalled.
    """
    session, meeting = db.session(), _meeting(key)
    lines = sheet_of(session, meeting)
    enter(
        session,
        "attendance.looked_at",
        meeting.run,
        by_account_id=account().id,
        identity=caller().identity,
        details={"evening": meeting.key, "lines": len(lines)},
    )
    return {"items": lines}


@door.put("/staff/course-sessions/<key:key>/attendance")
@door.takes(MarksIn)
@door.gives(MarkVerdictsOut, refuses=(409, 422))
def enter_sheet(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """登记签到表（工作人员）

    Copy a paper list: many lines at once, each answered by itself. On the day of the class by everybody of the office; afterwards an
    administrator corrects, each line with its ``because``; for a clerk it is 403 ``sheet_closed`` then.
    """
    session, meeting = db.session(), _meeting(key)
    marks = [Mark(row["registration"], row["state"], row.get("because", "")) for row in sent["rows"]]
    verdicts = mark_sheet(
        session,
        meeting,
        marks,
        may_correct=is_within(meeting.run.region, places_of(session, staff_hat(), Role.ADMIN)),
        by=_recorder(),
    )
    return {
        "items": [
            {"registration": mark.registration_key, "verdict": verdict}
            for mark, verdict in zip(marks, verdicts, strict=True)
        ]
    }


def _meeting(key: str) -> CourseSession:
    session = db.session()
    return session_for_staff(session, key, within=places_of(session, staff_hat(), *OFFICE))


def _recorder() -> Recorder:
    return Recorder(account().id, caller().identity)


def _mine(meeting: CourseSession, learner: Resident) -> Mine:
    session = db.session()
    registration = attending(session, meeting, learner)
    written = attendance_of(session, meeting, [registration.id])
    return Mine(
        meeting, window_of(session, meeting), written.get(registration.id), leave_until(session, meeting)
    )
