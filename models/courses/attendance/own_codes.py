"""One's own check-in code (本人签到码): what a phone shows for staff to scan, good for five minutes, so that a picture of it is worth little.

It names the person by their key and is signed; nothing of it is kept. A device without a network notes it with the moment it saw it, and
the code is judged by that moment when it is told.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.courses.attendance.records import RecordedHow, Recorder
from models.courses.attendance.windows import must_be_held, must_have_opened, window_of
from models.courses.attendance.writing import attending, hold, see
from models.courses.registrations import Registration
from models.courses.runs import CourseSession
from models.errors import Conflict
from models.residents import Resident
from models.vault import vault

GOOD_FOR = timedelta(minutes=5)
CLOCKS_DIFFER = timedelta(minutes=2)  # a device without a network has its own idea of the time
OWN_CODE = r"[a-z2-7]{16}\.[0-9]{10}\.[0-9a-f]{20}"
_OWN_CODE = re.compile(OWN_CODE)


@dataclass(frozen=True)
class OwnCode:
    """A code, and until when it is good."""

    code: str
    until: datetime


def own_code_of(resident: Resident) -> OwnCode:
    """A code for this person, good from now on."""
    until = clock.now().replace(microsecond=0) + GOOD_FOR
    named = f"{resident.key}.{int(until.timestamp()):010}"
    return OwnCode(f"{named}.{_signature(named)}", until)


def named_by(code: str, *, seen_at: datetime) -> str | None:
    """The key of whoever a code was made for, if it is one of ours and was good at a moment."""
    if not _OWN_CODE.fullmatch(code):
        return None
    named, _, signature = code.rpartition(".")
    if not hmac.compare_digest(signature, _signature(named)):
        return None
    key, _, seconds = named.partition(".")
    until = datetime.fromtimestamp(int(seconds), UTC)
    return key if until - GOOD_FOR - CLOCKS_DIFFER <= seen_at < until + CLOCKS_DIFFER else None


def check_in_by_scan(session: Session, meeting: CourseSession, code: str, *, by: Recorder) -> Registration:
    """Staff scan somebody's code in the room; whose registration it is. Twice is fine.

    Raises Conflict ``own_code_invalid`` for a code that is none or too old, ``session_not_held``, ``check_in_not_open``,
    ``session_over`` after the class, ``no_seat``; NotFound ``not_registered``.
    """
    now = clock.now()
    hold(session, meeting)
    must_be_held(meeting)
    window = window_of(session, meeting)
    must_have_opened(window)
    state = window.of_staff(now)
    if state is None:
        raise Conflict("session_over", "这次课已经结束，请用签到表补登")
    key = named_by(code, seen_at=now)
    resident = residents_by_key(session, [key]).get(key) if key is not None else None
    if resident is None:
        raise Conflict("own_code_invalid", "这个签到码无效或已过期，请居民刷新后再扫一次")
    registration = attending(session, meeting, resident)
    see(session, meeting, registration, seen_at=now, state=state, how=RecordedHow.STAFF_SCAN, by=by)
    return registration


def residents_by_key(session: Session, keys: Collection[str] | Sequence[str]) -> dict[str, Resident]:
    """These people, by key."""
    rows = session.scalars(select(Resident).where(Resident.key.in_(keys)))
    return {resident.key: resident for resident in rows}


def _signature(named: str) -> str:
    return vault.fingerprint(f"own_code:{named}")[:20]
