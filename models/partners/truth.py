"""Whether a notice about a unit still says the truth, and is still for who reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from models.notices import Notice, NoticeKind
from models.partners.standing import those_still_ending
from models.partners.telling import those_still_decided

_ASKED: Mapping[NoticeKind, Callable[[Session, Sequence[Notice]], set[int]]] = {
    NoticeKind.PARTNER_DECIDED: those_still_decided,
    NoticeKind.PARTNER_RENEWAL: those_still_ending,
}


def still_true(session: Session, notices: Sequence[Notice]) -> set[int]:
    """The ids of those of these notices that still say the truth, read once a kind."""
    found: set[int] = set()
    for kind, is_so in _ASKED.items():
        of_it = [notice for notice in notices if notice.kind is kind]
        if of_it:
            found |= is_so(session, of_it)
    return found
