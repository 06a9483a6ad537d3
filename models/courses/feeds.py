"""Calendar feeds (日历订阅): one's classes in the calendar of one's own phone, kept up to date by itself.

A feed has an address that is itself the key to it: the name of a row, signed, so that a copy of the database is no bunch of keys.
Whoever takes it back opens another one under another address; the old one leads nowhere. Shown are the classes one has a seat in, and
those of the people one may act for today. An evening keeps its name through every move, its ``sequence`` grows with each, and one that
was called off is shown as called off, so that a phone that already has it strikes it out.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, and_, func, or_, select
from sqlalchemy.orm import Mapped, Session, contains_eager, joinedload, mapped_column

from models import clock
from models.accounts import Account
from models.base import Base, Keyed
from models.courses.registrations import IN_CLASS, CancelledBy, Registration
from models.courses.runs import UNSEEN, CourseRun, CourseSession, SessionState
from models.errors import NotFound
from models.journal import JournalEntry, enter
from models.residents import bonds_of, resident_of
from models.sites import Venue
from models.vault import vault

SHOWN_AFTER = timedelta(days=90)  # how long an evening stays in the calendar
MOST_SHOWN = 1000
_SIGNED = 32
_TOKEN = re.compile(rf"[a-z2-7]{{16}}[0-9a-f]{{{_SIGNED}}}")
_MOVED = ("course_session.moved",)
_REVISED = ("course_run.revised",)


class CalendarFeed(Keyed, Base):
    """The one feed of an account. Taken back, it is gone."""

    __tablename__ = "calendar_feeds"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), unique=True)
    opened_at: Mapped[datetime] = mapped_column(default=clock.now)


@dataclass(frozen=True)
class Appointment:
    """One evening in a calendar. ``name`` is the same for ever, ``learner`` whose it is where that is somebody else."""

    name: str
    meeting: CourseSession
    sequence: int
    is_off: bool
    learner: str | None = None


def open_feed(session: Session, account: Account) -> CalendarFeed:
    """The account's feed, opened if there is none. The caller holds the account."""
    feed = feed_of(session, account)
    if feed is None:
        feed = CalendarFeed(account_id=account.id, opened_at=clock.now())
        session.add(feed)
        session.flush()
        enter(session, "calendar_feed.opened", account, by_account_id=account.id, identity="resident")
    return feed


def close_feed(session: Session, account: Account) -> None:
    """Take the feed back: its address leads nowhere from now on. Twice is fine. The caller holds the account."""
    feed = feed_of(session, account)
    if feed is not None:
        session.delete(feed)
        enter(session, "calendar_feed.closed", account, by_account_id=account.id, identity="resident")
        session.flush()


def feed_of(session: Session, account: Account) -> CalendarFeed | None:
    """The account's feed, if it has one."""
    return session.scalar(select(CalendarFeed).where(CalendarFeed.account_id == account.id))


def feed_token(feed: CalendarFeed) -> str:
    """What stands in the feed's address: its name, signed."""
    return feed.key + _signature(feed.key)


def account_behind_feed(session: Session, token: str) -> Account:
    """Whose feed this is. Raises NotFound ``calendar_unknown`` for one that is forged or was taken back."""
    if _TOKEN.fullmatch(token):
        key, signature = token[:-_SIGNED], token[-_SIGNED:]
        if hmac.compare_digest(signature, _signature(key)):
            account = session.scalar(
                select(Account)
                .join(CalendarFeed, CalendarFeed.account_id == Account.id)
                .where(CalendarFeed.key == key, Account.closed_at.is_(None))
            )
            if account is not None:
                return account
    raise NotFound("这个日历订阅已经失效，请在小程序里重新获取", code="calendar_unknown")


def agenda_of(session: Session, account: Account) -> list[Appointment]:
    """The evenings of every class the account's person has a seat in, and whoever they may act for; in the order of time."""
    oneself = resident_of(session, account)
    if oneself is None:
        return []
    people = {oneself.id: oneself, **{bond.ward_id: bond.ward for bond in bonds_of(session, oneself)}}
    has_seat = Registration.state.in_(IN_CLASS)
    # a phone that has the evenings of a cancelled run must hear that they are off
    was_called_off = and_(
        Registration.cancelled_by == CancelledBy.TOWN, Registration.confirmed_at.is_not(None)
    )
    rows = session.execute(
        select(Registration, CourseSession)
        .join(CourseRun, CourseRun.id == Registration.run_id)
        .join(CourseSession, CourseSession.run_id == CourseRun.id)
        .options(
            joinedload(CourseSession.venue).joinedload(Venue.site),
            contains_eager(CourseSession.run).joinedload(CourseRun.course),
        )
        .where(
            Registration.resident_id.in_(people),
            or_(has_seat, was_called_off),
            CourseRun.state.not_in(UNSEEN),
            CourseSession.ends_at >= clock.now() - SHOWN_AFTER,
        )
        .order_by(CourseSession.starts_at, CourseSession.id, Registration.id)
        .limit(MOST_SHOWN)
    ).all()
    sequences = _sequences(session, [meeting for _, meeting in rows])
    return [
        Appointment(
            f"{meeting.key}-{mine.key}",
            meeting,
            sequences[meeting.id] + (mine.state not in IN_CLASS),
            meeting.state is SessionState.CANCELLED or mine.state not in IN_CLASS,
            people[mine.resident_id].name if mine.resident_id != oneself.id else None,
        )
        for mine, meeting in rows
    ]


def agenda_of_run(session: Session, run: CourseRun) -> list[Appointment]:
    """The evenings of one run, for whoever wants them in a calendar once."""
    sequences = _sequences(session, run.sessions)
    return [
        Appointment(meeting.key, meeting, sequences[meeting.id], meeting.state is SessionState.CANCELLED)
        for meeting in run.sessions
    ]


def _sequences(session: Session, meetings: Sequence[CourseSession]) -> dict[int, int]:
    """How often each evening was changed, by its id: what stands of it in the journal, and being called off."""
    by_id = _count(session, CourseSession.__tablename__, {one.id for one in meetings}, _MOVED)
    by_run = _count(session, CourseRun.__tablename__, {one.run_id for one in meetings}, _REVISED)
    return {
        one.id: by_id.get(one.id, 0) + by_run.get(one.run_id, 0) + (one.state is SessionState.CANCELLED)
        for one in meetings
    }


def _count(session: Session, kind: str, ids: Collection[int], acts: Sequence[str]) -> dict[int, int]:
    rows = session.execute(
        select(JournalEntry.subject_id, func.count())
        .where(
            JournalEntry.subject_kind == kind,
            JournalEntry.subject_id.in_(ids),
            JournalEntry.act.in_(acts),
        )
        .group_by(JournalEntry.subject_id)
    )
    return dict(rows.all())


def _signature(key: str) -> str:
    return vault.fingerprint(f"calendar-feed:{key}")[:_SIGNED]
