"""Whether a notice about an agreement still says the truth, and is still for who reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from models.agreements.calling_off import those_still_called_off, those_still_cut_short, those_still_moved
from models.agreements.telling import those_still_declined
from models.agreements.warning import those_still_behind
from models.notices import Notice, NoticeKind

_ASKED: Mapping[NoticeKind, Callable[[Session, Sequence[Notice]], set[int]]] = {
    NoticeKind.SERVICE_BEHIND: those_still_behind,
    NoticeKind.SERVICE_DECLINED: those_still_declined,
    NoticeKind.SERVICE_CALLED_OFF: those_still_called_off,
    NoticeKind.SERVICE_MOVED: those_still_moved,
    NoticeKind.SERVICE_CUT_SHORT: those_still_cut_short,
}


def still_true(session: Session, notices: Sequence[Notice]) -> set[int]:
    """The ids of those of these notices that still say the truth, read once a kind."""
    found: set[int] = set()
    for kind, is_so in _ASKED.items():
        of_it = [notice for notice in notices if notice.kind is kind]
        if of_it:
            found |= is_so(session, of_it)
    return found
