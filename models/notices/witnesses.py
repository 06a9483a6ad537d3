"""Witnesses (还是不是真的): whether notices still say the truth, where each kind is known in a way of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from models.notices.kinds import NoticeKind
from models.notices.outbox import Notice

Witness = Callable[[Session, Sequence[Notice]], set[int]]


def by_kind(witnesses: Mapping[NoticeKind, Witness]) -> Witness:
    """One witness for notices of these kinds: the ids of those that still say the truth, each kind asked once; any other kind says it no more."""

    def still_true(session: Session, notices: Sequence[Notice]) -> set[int]:
        of_each = {kind: [one for one in notices if one.kind is kind] for kind in witnesses}
        return {
            true for kind, theirs in of_each.items() if theirs for true in witnesses[kind](session, theirs)
        }

    return still_true
