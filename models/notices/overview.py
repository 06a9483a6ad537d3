"""The overview (概况): how delivery stands as a whole, for whoever operates the installation. No person is named in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from models import clock
from models.notices.catalogue import NoticeKind
from models.notices.outbox import Delivery, Notice
from models.notices.sending import LEASE


@dataclass(frozen=True)
class Group:
    """Several notices that stand alike: their kind, what was said of them last, how many, and since when the first of them."""

    kind: NoticeKind
    outcome: str | None
    number: int
    since: datetime


@dataclass(frozen=True)
class Overview:
    """How many notices are in which state, what should have gone out by now, and what a worker holds longer than it may."""

    numbers: Mapping[Delivery, int]
    overdue: Sequence[Group]
    held_too_long: Sequence[Group]


def overview(session: Session) -> Overview:
    """How delivery stands at this moment. Walks through every notice once."""
    now = clock.now()
    numbers = dict(session.execute(select(Notice.delivery, func.count()).group_by(Notice.delivery)).all())
    return Overview(
        numbers={delivery: numbers.get(delivery, 0) for delivery in Delivery},
        overdue=_groups(session, Delivery.OWED, Notice.due_at, now),
        held_too_long=_groups(session, Delivery.SENDING, Notice.claimed_at, now - LEASE),
    )


def _groups(session: Session, delivery: Delivery, since: Any, before: datetime) -> list[Group]:
    first = func.min(since)
    rows = session.execute(
        select(Notice.kind, Notice.outcome, func.count(), first)
        .where(Notice.delivery == literal_column(f"'{delivery}'"), since <= before)
        .group_by(Notice.kind, Notice.outcome)
        .order_by(first)
    )
    return [Group(*row) for row in rows]
