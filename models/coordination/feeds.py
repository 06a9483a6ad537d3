"""Calendar feeds (日历订阅): where one has to be, in the calendar of one's own phone, kept up to date by itself.

A feed has an address that is itself the key to it: the name of a row, signed, so that a copy of the database is no bunch of keys.
Whoever takes it back opens another one under another address; the old one leads nowhere. Shown are the classes one has a seat in, the rooms
one has reserved, and those of the people one may act for today and of the groups one leads. What is shown keeps its name through every move,
its ``sequence`` grows with each, and what was called off is shown as called off, so that a phone that already has it strikes it out.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.accounts import Account
from models.base import Base, Keyed
from models.courses import (
    IN_CLASS,
    CourseRun,
    CourseSession,
    SessionState,
    changes_of_evenings,
    evenings_of,
)
from models.errors import NotFound
from models.journal import enter
from models.reservations import STANDS, Reservation, changes_of_reservations, reservations_on_calendars
from models.residents import Resident, bonds_of, resident_of
from models.vault import vault

SHOWN_AFTER = timedelta(days=90)  # how long what is over stays in the calendar
MOST_SHOWN = 1000
_SIGNED = 32
_OF_PEOPLE = "calendar-feed"
_TOKEN = re.compile(rf"[a-z2-7]{{16}}[0-9a-f]{{{_SIGNED}}}")


class CalendarFeed(Keyed, Base):
    """The one feed of an account. Taken back, it is gone."""

    __tablename__ = "calendar_feeds"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), unique=True)
    opened_at: Mapped[datetime] = mapped_column(default=clock.now)


@dataclass(frozen=True)
class Appointment:
    """One evening, or one use of a room, in a calendar. ``name`` is the same for ever, ``whose`` it is where that is somebody else."""

    name: str
    subject: CourseSession | Reservation
    sequence: int
    is_off: bool
    whose: str | None = None


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
    return signed(_OF_PEOPLE, feed.key)


def account_behind_feed(session: Session, token: str) -> Account:
    """Whose feed this is. Raises NotFound ``calendar_unknown`` for one that is forged or was taken back."""
    key = key_in(_OF_PEOPLE, token)
    account = session.scalar(
        select(Account)
        .join(CalendarFeed, CalendarFeed.account_id == Account.id)
        .where(CalendarFeed.key == key, Account.closed_at.is_(None))
    )
    if key is None or account is None:
        raise NotFound("这个日历订阅已经失效，请在小程序里重新获取", code="calendar_unknown")
    return account


def agenda_of(session: Session, account: Account) -> list[Appointment]:
    """Where the account's person has to be, and whoever they may act for, in the order of time: classes, and rooms that are reserved."""
    oneself = resident_of(session, account)
    if oneself is None:
        return []
    people = {oneself.id: oneself, **{bond.ward_id: bond.ward for bond in bonds_of(session, oneself)}}
    found = [*_classes(session, oneself, people), *_rooms(session, oneself, people)]
    return sorted(found, key=lambda one: (one.subject.starts_at, one.name))[:MOST_SHOWN]


def agenda_of_run(session: Session, run: CourseRun) -> list[Appointment]:
    """The evenings of one run, for whoever wants them in a calendar once."""
    changes = changes_of_evenings(session, run.sessions)
    return [
        Appointment(meeting.key, meeting, changes[meeting.id], meeting.state is SessionState.CANCELLED)
        for meeting in run.sessions
    ]


def _classes(session: Session, oneself: Resident, people: dict[int, Resident]) -> list[Appointment]:
    rows = evenings_of(session, people, since=clock.now() - SHOWN_AFTER, most=MOST_SHOWN)
    changes = changes_of_evenings(session, [meeting for _, meeting in rows])
    return [
        Appointment(
            f"{meeting.key}-{mine.key}",
            meeting,
            changes[meeting.id] + (mine.state not in IN_CLASS),
            meeting.state is SessionState.CANCELLED or mine.state not in IN_CLASS,
            people[mine.resident_id].name if mine.resident_id != oneself.id else None,
        )
        for mine, meeting in rows
    ]


def _rooms(session: Session, oneself: Resident, people: dict[int, Resident]) -> list[Appointment]:
    rows = reservations_on_calendars(session, people, since=clock.now() - SHOWN_AFTER, most=MOST_SHOWN)
    changes = changes_of_reservations(session, {one.id for one in rows})
    return [
        Appointment(
            one.key,
            one,
            changes.get(one.id, 0),
            one.state not in STANDS,
            one.resident.name
            if one.resident and one.group is None and one.resident_id != oneself.id
            else None,
        )
        for one in rows
    ]


def signed(kind: str, key: str) -> str:
    """What stands in the address of a feed of this kind with this name."""
    return key + _signature(kind, key)


def key_in(kind: str, token: str) -> str | None:
    """The name that stands signed in the address of a feed of this kind; none where it is forged, or of another kind."""
    if not _TOKEN.fullmatch(token):
        return None
    key, signature = token[:-_SIGNED], token[-_SIGNED:]
    return key if hmac.compare_digest(signature, _signature(kind, key)) else None


def _signature(kind: str, key: str) -> str:
    return vault.fingerprint(f"{kind}:{key}")[:_SIGNED]
