"""After the class (课后): who missed it, and who may register again. One evening, one transaction."""

from __future__ import annotations

from datetime import datetime

from models.base import reading, transaction
from models.courses.attendance import end_pauses, evenings_to_note
from models.courses.attendance import note_absences as note_absences_of

EVENINGS_AT_ONCE = 50


def note_absences(now: datetime) -> int:
    """Write down who missed the evenings that ended an hour ago, and what follows; how many evenings are settled."""
    with reading() as session:
        evenings = evenings_to_note(session, now, most=EVENINGS_AT_ONCE)
    for session_id in evenings:
        with transaction() as session:
            note_absences_of(session, session_id)
    return len(evenings)


def lift_pauses(now: datetime) -> int:
    """End the pauses that have lasted their time; how many."""
    with transaction() as session:
        return end_pauses(session, now)
