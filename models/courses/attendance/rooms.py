"""The code in the room (教室签到码): digits that only who is there can read, another one every half minute.

A screen has a secret of its own for one evening; the code is a keyed hash of the half minute, so that no code of another evening, and none
of an hour ago, checks anybody in. The link to the screen is signed and can be taken back: with it ends the secret.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.courses.attendance.records import AttendanceState, RecordedHow, Recorder, RoomScreen
from models.courses.attendance.windows import must_be_held, must_have_opened, window_of
from models.courses.attendance.writing import attending, hold, see
from models.courses.runs import CourseRun, CourseSession
from models.errors import Conflict, NotFound
from models.journal import enter
from models.residents import Resident
from models.sites import Venue
from models.vault import vault

STEP_SECONDS = 30
DIGITS = 6
SHOWN_AFTER = timedelta(hours=2)  # how long after the class its screen can still be opened
_SIGNED = 32
_TOKEN = re.compile(f"[a-z2-7]{{16}}[0-9a-f]{{{_SIGNED}}}")


@dataclass(frozen=True)
class RoomCode:
    """What the screen shows now, and until when."""

    digits: str
    until: datetime


def open_screen(session: Session, meeting: CourseSession, *, by: Recorder) -> RoomScreen:
    """The screen of an evening, opened if there is none; two who open it get the same one.

    Raises Conflict ``session_not_held`` for an evening that was called off, ``session_over`` for one that was long ago.
    """
    hold(session, meeting)
    must_be_held(meeting)
    if clock.now() >= meeting.ends_at + SHOWN_AFTER:
        raise Conflict("session_over", "这次课早已结束，不能再打开签到屏；补登请用签到表")
    standing = open_screen_of(session, meeting)
    if standing is not None:
        return standing
    screen = RoomScreen(meeting=meeting, secret=secrets.token_hex(16))
    session.add(screen)
    session.flush()
    enter(
        session, "room_screen.opened", meeting.run, by_account_id=by.account_id, identity=by.identity,
        details={"evening": meeting.key},
    )  # fmt: skip
    session.flush()
    return screen


def close_screen(session: Session, meeting: CourseSession, *, by: Recorder) -> None:
    """Take the link to an evening's screen back: it leads nowhere, and its codes check nobody in. Twice is fine."""
    hold(session, meeting)
    standing = open_screen_of(session, meeting)
    if standing is None:
        return
    standing.closed_at = clock.now()
    enter(
        session, "room_screen.closed", meeting.run, by_account_id=by.account_id, identity=by.identity,
        details={"evening": meeting.key},
    )  # fmt: skip
    session.flush()


def open_screen_of(session: Session, meeting: CourseSession) -> RoomScreen | None:
    """The screen that is open for an evening, if there is one."""
    return session.scalar(
        select(RoomScreen).where(RoomScreen.session_id == meeting.id, RoomScreen.closed_at.is_(None))
    )


def link_token(screen: RoomScreen) -> str:
    """What stands in the link to a screen: its name, signed."""
    return screen.key + _signature(screen.key)


def screen_behind(session: Session, token: str) -> RoomScreen:
    """The open screen a link leads to. Raises NotFound ``screen_unknown`` for one that is forged, taken back or long over."""
    key, signature = token[:-_SIGNED], token[-_SIGNED:]
    if not _TOKEN.fullmatch(token) or not hmac.compare_digest(signature, _signature(key)):
        raise _unknown()
    screen = session.scalar(
        select(RoomScreen)
        .options(
            joinedload(RoomScreen.meeting).joinedload(CourseSession.venue).joinedload(Venue.site),
            joinedload(RoomScreen.meeting).joinedload(CourseSession.run).joinedload(CourseRun.course),
        )
        .where(RoomScreen.key == key, RoomScreen.closed_at.is_(None))
    )
    if screen is None or clock.now() >= screen.meeting.ends_at + SHOWN_AFTER:
        raise _unknown()
    return screen


def screen_shown_until(screen: RoomScreen) -> datetime:
    """Until when the link to a screen leads anywhere."""
    return screen.meeting.ends_at + SHOWN_AFTER


def code_now(screen: RoomScreen) -> RoomCode:
    """The code of this half minute."""
    step = _step_at(clock.now())
    return RoomCode(_digits(screen, step), datetime.fromtimestamp((step + 1) * STEP_SECONDS, UTC))


def check_in(
    session: Session, meeting: CourseSession, resident: Resident, *, digits: str, by: Recorder
) -> None:
    """Check in with the code in the room, this half minute's or the last one's; doing so twice is fine.

    Raises NotFound ``not_registered``; Conflict ``no_seat``, ``session_not_held``, ``check_in_not_open``, ``check_in_closed`` after its
    time, and ``room_code_wrong``.
    """
    hold(session, meeting)
    registration = attending(session, meeting, resident)
    must_be_held(meeting)
    window, now = window_of(session, meeting), clock.now()
    must_have_opened(window)
    if now >= window.closes_at:
        raise Conflict("check_in_closed", "自己签到的时间已过，请找现场的工作人员登记")
    screen = open_screen_of(session, meeting)
    if screen is None or not _is_good(screen, digits, now):
        raise Conflict("room_code_wrong", "签到码不对，或者已经换了新的。请看教室屏幕，输入现在显示的数字")
    state = AttendanceState.PRESENT if now < window.late_from else AttendanceState.LATE
    see(session, meeting, registration, seen_at=now, state=state, how=RecordedHow.ROOM_CODE, by=by)


def _is_good(screen: RoomScreen, digits: str, now: datetime) -> bool:
    step = _step_at(now)
    return any(hmac.compare_digest(digits, _digits(screen, known)) for known in (step, step - 1))


def _step_at(moment: datetime) -> int:
    return int(moment.timestamp()) // STEP_SECONDS


def _digits(screen: RoomScreen, step: int) -> str:
    hashed = hmac.new(screen.secret.encode(), f"{screen.key}:{step}".encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(hashed[:8]) % 10**DIGITS:0{DIGITS}}"


def _signature(key: str) -> str:
    return vault.fingerprint(f"room_screen:{key}")[:_SIGNED]


def _unknown() -> NotFound:
    return NotFound("这个签到屏的链接已失效，请工作人员重新打开", code="screen_unknown")
