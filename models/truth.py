"""Truth (是否仍然属实): whether what a message says is still so, asked of the noun it is about, just before it is told.

A moment about a noun that is here already needs nothing: the catalogue says what it is about. A new noun brings one line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from models import (
    agreements,
    content_checks,
    courses,
    desk,
    follows,
    groups,
    issue_orders,
    partners,
    reservations,
    wishes,
)
from models.courses import attendance
from models.notices import About, News, announcing
from models.wishes import claims

# a noun that only ever sends notices may look at whom they are for, so what it takes is its own
WITNESSES: Mapping[About, Callable[[Session, Sequence[Any]], set[int]]] = {
    About.REGISTRATION: courses.still_true,
    About.ATTENDANCE: attendance.absences_still_true,
    About.PAUSE: attendance.pauses_still_true,
    About.DESK: desk.still_true,
    About.CONSENT: announcing.still_true,
    About.CONTENT_CHECK: content_checks.still_true,
    About.NEW_CLASS: follows.still_true,
    About.RESERVATION: reservations.still_true,
    About.GROUP: groups.still_true,
    About.AGREEMENT: agreements.still_true,
    About.PARTNER: partners.still_true,
    About.WISH: wishes.still_true,
    About.CLAIM: claims.claims_still_true,
    About.MEETING: issue_orders.meetings_still_true,
}


def still_true(session: Session, news: Sequence[News]) -> set[int]:
    """The ids of those rows (of one table) that still say the truth; what they are about is read once a noun, not once a row."""
    by_noun: dict[About, list[News]] = defaultdict(list)
    for each in news:
        by_noun[each.moment.about].append(each)
    return {true for about, of_it in by_noun.items() for true in WITNESSES[about](session, of_it)}
