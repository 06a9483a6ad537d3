"""The thread (办理过程): what happened to wishes and claims, oldest first, as the journal has it; and the clock it winds up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.base import Base
from models.calendars import Calendar
from models.journal import JournalEntry
from models.policies import policies_at
from models.wishes.claims.rows import Claim
from models.wishes.clocks import Clock, Event, clock_of_claim, clock_of_wish
from models.wishes.rows import Wish


def threads_of(session: Session, table: type[Base], ids: Collection[int]) -> Mapping[int, Sequence[Event]]:
    """What happened to each of these wishes or claims, by id, oldest first, with one statement."""
    rows = session.execute(
        select(JournalEntry.subject_id, JournalEntry.act, JournalEntry.at, JournalEntry.details)
        .where(JournalEntry.subject_kind == table.__tablename__, JournalEntry.subject_id.in_(ids))
        .order_by(JournalEntry.subject_id, JournalEntry.id)
    )
    found: dict[int, list[Event]] = defaultdict(list)
    for subject_id, act, at, details in rows:
        found[subject_id].append(Event(act, at, _until(details)))
    return found


def thread_of(session: Session, wish: Wish) -> Sequence[Event]:
    """What happened to a wish and to every claim on it, oldest first: what whoever wished may follow."""
    about_claims = select(Claim.id).where(Claim.wish_id == wish.id)
    rows = session.execute(
        select(JournalEntry.act, JournalEntry.at, JournalEntry.details)
        .where(
            ((JournalEntry.subject_kind == Wish.__tablename__) & (JournalEntry.subject_id == wish.id))
            | ((JournalEntry.subject_kind == Claim.__tablename__) & JournalEntry.subject_id.in_(about_claims))
        )
        .order_by(JournalEntry.id)
    )
    return [Event(act, at, _until(details)) for act, at, details in rows]


def clock_now_of(session: Session, claim: Claim) -> Clock | None:
    """The clock that runs for a claim (held by the caller), by what happened to it."""
    session.flush()
    return clock_of_claim(
        threads_of(session, Claim, [claim.id]).get(claim.id, ()),
        Calendar.in_force(session),
        policies_at(session, claim.wish.region_id),
    )


def wind(session: Session, claim: Claim) -> None:
    """Wind the clock of a claim (held by the caller) up, after something happened to it or somebody was reminded."""
    claim.due_at, claim.remind_at = times_of(clock_now_of(session, claim), clock.now())
    session.flush()


def clock_now_of_wish(session: Session, wish: Wish) -> Clock | None:
    """The clock that runs for a wish itself (held by the caller), by what happened to it."""
    session.flush()
    return clock_of_wish(
        threads_of(session, Wish, [wish.id]).get(wish.id, ()),
        Calendar.in_force(session),
        policies_at(session, wish.region_id),
    )


def wind_wish(session: Session, wish: Wish) -> None:
    """Wind the clock of a wish (held by the caller) up, after something happened to it or somebody was reminded."""
    wish.due_at, wish.remind_at = times_of(clock_now_of_wish(session, wish), clock.now())
    session.flush()


def times_of(
    running: Clock | None, now: datetime, *, standing: datetime | None = None
) -> tuple[datetime | None, datetime | None]:
    """When a clock rings, and when somebody is reminded or pressed next; a reminder that is ``standing`` and was to go out by now still does.

    Where one is standing and every morning to press on lies behind by now, the last is still to come: what is said then is not lost.
    """
    if running is None:
        return None, None
    following = running.next_after(now, standing=standing)
    if following is None and standing is not None and running.press_at:
        following = running.press_at[-1]
    return running.due_at, following


def _until(details: Mapping[str, Any] | None) -> date | None:
    said = (details or {}).get("until")
    return date.fromisoformat(said) if said else None
