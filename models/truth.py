"""Truth (是否仍然属实): whether what a notice says is still so, asked of the noun it is about, just before it is sent.

A moment about a noun that is here already needs nothing: the catalogue says what it is about. A new noun brings one line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from models import content_checks, courses, desk
from models.notices import About, Notice, announcing

WITNESSES: Mapping[About, Callable[[Session, Sequence[Notice]], set[int]]] = {
    About.REGISTRATION: courses.still_true,
    About.DESK: desk.still_true,
    About.CONSENT: announcing.still_true,
    About.CONTENT_CHECK: content_checks.still_true,
}


def still_true(session: Session, notices: Sequence[Notice]) -> set[int]:
    """The ids of those notices that still say the truth; what they are about is read once a noun, not once a notice."""
    by_noun: dict[About, list[Notice]] = defaultdict(list)
    for notice in notices:
        by_noun[notice.moment.about].append(notice)
    return {true for about, of_it in by_noun.items() for true in WITNESSES[about](session, of_it)}
