"""Batches (离线补传): what a device saw while it had no network, told afterwards, item by item.

Every item has a name of the device's own. What became of a name stays: told again, alone or in another batch, it changes nothing and is
answered the same; told of somebody else, by a device that counts as another one does, it is refused and nobody is lost. In whatever order items come, the earliest moment somebody was seen is the one that counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.courses.attendance.own_codes import named_by
from models.courses.attendance.reckoning import relieve
from models.courses.attendance.records import BatchVerdict, CheckInEvent, RecordedHow, Recorder
from models.courses.attendance.windows import must_be_held, must_have_opened, window_of
from models.courses.attendance.writing import ATTENDING, hold, on_the_sheet, see
from models.courses.registrations import Registration
from models.courses.runs import CourseSession
from models.errors import Conflict
from models.residents import Resident

TAKEN_FOR = timedelta(days=7)  # after the class; whatever is told later is a correction
EVENTS_KEPT_FOR = timedelta(days=90)
MOST_FORGOTTEN = 5000


@dataclass(frozen=True)
class Seen:
    """One item: who (by the code on their phone, or as a line of the roster), and when by the device's clock."""

    event: str
    seen_at: datetime
    code: str | None = None
    registration_key: str | None = None


def take_batch(
    session: Session, meeting: CourseSession, items: Sequence[Seen], *, by: Recorder
) -> list[BatchVerdict]:
    """Take what a device saw at an evening; what became of each item, in their order.

    Raises Conflict ``session_not_held`` for an evening that is off, ``check_in_not_open`` before checking in has begun, and
    ``session_over`` a week after the class.
    """
    hold(session, meeting)
    must_be_held(meeting)
    window = window_of(session, meeting)
    must_have_opened(window)
    if clock.now() >= meeting.ends_at + TAKEN_FOR:
        raise Conflict("session_over", "这次课结束已满七天，不能再补传；需要更正请由社区管理员用签到表办理")
    known = {
        event.event: event
        for event in session.scalars(
            select(CheckInEvent).where(
                CheckInEvent.session_id == meeting.id, CheckInEvent.event.in_({item.event for item in items})
            )
        )
    }
    people = _People(session, meeting, items)
    verdicts = []
    seen_now: set[int] = set()
    for item in items:
        registration = people.registered(item)
        if item.event in known:
            verdicts.append(_told_before(known[item.event], registration))
            continue
        state = window.of_staff(item.seen_at)
        if not people.knows(item):
            verdict = BatchVerdict.UNKNOWN
        elif registration is None:
            verdict = BatchVerdict.NOT_OF_THIS_SESSION
        elif state is None or item.seen_at > clock.now():
            verdict = BatchVerdict.OUT_OF_WINDOW
        else:
            is_new = see(
                session,
                meeting,
                registration,
                seen_at=item.seen_at,
                state=state,
                how=RecordedHow.OFFLINE,
                by=by,
            )
            verdict = BatchVerdict.ACCEPTED if is_new else BatchVerdict.ALREADY
            seen_now.add(registration.id)
        known[item.event] = CheckInEvent(
            session_id=meeting.id,
            event=item.event,
            registration_id=registration.id if registration else None,
            seen_at=item.seen_at,
            verdict=verdict,
        )
        session.add(known[item.event])
        verdicts.append(verdict)
    session.flush()
    # whoever was seen after all was not absent, and a pause that rests on it ends
    relieve(session, {one.resident_id for one in people.everybody if one.id in seen_now})
    return verdicts


def _told_before(event: CheckInEvent, registration: Registration | None) -> BatchVerdict:
    """What became of an item of this name, unless that was about somebody else."""
    is_another = registration is not None and event.registration_id not in (None, registration.id)
    return BatchVerdict.EVENT_TAKEN if is_another else event.verdict


def forget_events(session: Session, now: datetime) -> int:
    """Drop the names of items told so long ago that no device tells them again; how many, some thousands at a time."""
    old = session.scalars(
        select(CheckInEvent.id)
        .where(CheckInEvent.received_at < now - EVENTS_KEPT_FOR)
        .order_by(CheckInEvent.received_at)
        .limit(MOST_FORGOTTEN)
    ).all()
    session.execute(delete(CheckInEvent).where(CheckInEvent.id.in_(old)))
    return len(old)


class _People:
    """Whom the items name, read with two questions for the whole batch."""

    def __init__(self, session: Session, meeting: CourseSession, items: Sequence[Seen]) -> None:
        self._named = {
            item: named_by(item.code, seen_at=item.seen_at) for item in items if item.code is not None
        }
        lines = {item.registration_key for item in items if item.registration_key is not None}
        keys = {key for key in self._named.values() if key is not None}
        rows = session.scalars(
            select(Registration)
            .join(Registration.resident)
            .options(joinedload(Registration.resident))
            .where(on_the_sheet(meeting), Registration.key.in_(lines) | Resident.key.in_(keys))
            .order_by(Registration.state.in_(ATTENDING), Registration.id)  # who has a seat again has it last
        ).all()
        self.everybody = rows
        self._by_line = {row.key: row for row in rows}
        self._by_person = {row.resident.key: row for row in rows}

    def knows(self, item: Seen) -> bool:
        """Whether an item names anybody at all."""
        return item.registration_key is not None or self._named.get(item) is not None

    def registered(self, item: Seen) -> Registration | None:
        """The registration an item is about, if it is one of this evening's."""
        if item.registration_key is not None:
            return self._by_line.get(item.registration_key)
        return self._by_person.get(self._named.get(item) or "")
