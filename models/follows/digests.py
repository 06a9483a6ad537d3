"""The digest (每日新课): one message a person and day, at the hour of their community, of everything new they want to hear of.

Each community's people are one ``Digest`` a day, made when its hour of publishing has passed: it covers what was published since the
last one, so what is published later in the day, or while no worker ran, is told the next time. On a day without anything new there is none.
People are told in batches, each in a transaction of its own, in the order of their accounts; ``told_through`` says how far it came.
Who has no home hears at the hour of the whole town.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import clock
from models.accounts import Account
from models.base import Base, BigKey, insert_for
from models.courses import Course, CourseKind, CourseRun, say_how_many
from models.follows.follows import Follow
from models.notices import Debt, NoticeKind, goes_out_at, owe_once
from models.policies import RULES, Policy
from models.regions import Region, RegionKind, paths_down_to
from models.residents import Resident

FIRST_LOOK = timedelta(days=7)  # how far back the first digest of a community looks
# what is published in the last second before the hour is committed a moment after it
GRACE = timedelta(minutes=1)
MOST_NAMED = 3
MOST_KEYS = 20
_UNTOLD = text("told_at IS NULL")


class Digest(Base):
    """What the people of one community are told of one day, and how far the telling came."""

    __tablename__ = "digests"
    __table_args__ = (
        UniqueConstraint("region_id", "on"),
        Index("ix_digests_untold", "id", postgresql_where=_UNTOLD, sqlite_where=_UNTOLD),
    )

    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    on: Mapped[date]
    covers_from: Mapped[datetime]  # this moment not included
    covers_until: Mapped[datetime]
    told_through: Mapped[int] = mapped_column(BigKey, default=0)  # of accounts, by id
    told_at: Mapped[datetime | None]

    region: Mapped[Region] = relationship()


class _New(NamedTuple):
    """A run that is new."""

    key: str
    region_id: int
    course_id: int
    title: str
    kind: CourseKind
    opens_at: datetime


@dataclass
class _Wishes:
    """What one account wants to hear of."""

    regions: set[int]
    courses: set[int] = field(default_factory=set)

    def of(self, new: Sequence[_New]) -> tuple[_New, ...]:
        """Those of these runs, first the one that opens first."""
        return tuple(run for run in new if run.region_id in self.regions or run.course_id in self.courses)


def open_digests(session: Session, now: datetime) -> int:
    """Open the digest of every community whose hour has passed today, if anything is new anywhere; how many."""
    today = clock.in_town(now).date()
    due = {
        region_id: slot
        for region_id, hour in _hours(session).items()
        if (slot := datetime.combine(today, hour, clock.TOWN_ZONE)) + GRACE <= now
    }
    last = {
        row.region_id: row
        for row in session.execute(
            select(
                Digest.region_id,
                func.max(Digest.on).label("on"),
                func.max(Digest.covers_until).label("covers_until"),
            ).group_by(Digest.region_id)
        )
    }
    rows = [
        {
            "region_id": region_id,
            "on": today,
            "covers_from": last[region_id].covers_until if region_id in last else slot - FIRST_LOOK,
            "covers_until": slot,
            "told_through": 0,
        }
        for region_id, slot in due.items()
        if region_id not in last or (last[region_id].on < today and last[region_id].covers_until < slot)
    ]
    if not rows or not _anything_new(session, rows):
        return 0
    added = session.execute(insert_for(session, Digest).on_conflict_do_nothing().returning(Digest.id), rows)
    return len(added.all())


def tell_next(session: Session, now: datetime, *, most: int) -> int | None:
    """Tell the next ``most`` people of the first digest that is not told yet; how many were told, None when there is no such digest.

    Nobody is told twice on one day, and nobody of nothing.
    """
    found = session.scalar(select(Digest).where(Digest.told_at.is_(None)).order_by(Digest.id).limit(1))
    if found is None:
        return None
    digest = found.lock()
    if digest.told_at is not None:
        return 0  # another worker came to its end meanwhile
    new = _new_runs(session, digest.covers_from, digest.covers_until)
    accounts = _people_of(
        session, digest, everybody=any(run.region_id == digest.region_id for run in new), most=most
    )
    told = owe_once(session.connection(), _debts(session, digest, accounts, new, now)) if new else 0
    if len(accounts) < most or not new:
        digest.told_at = now
    if accounts:
        digest.told_through = accounts[-1]
    session.flush()
    return told


def _debts(
    session: Session, digest: Digest, accounts: Sequence[int], new: Sequence[_New], now: datetime
) -> list[Debt]:
    """One debt for all who are told the same."""
    to_tell: dict[tuple[_New, ...], list[int]] = defaultdict(list)
    for account_id, wishes in _wishes(session, accounts, home=digest.region_id).items():
        if wanted := wishes.of(new):
            to_tell[wanted].append(account_id)
    due_at = cache(lambda: goes_out_at(session, NoticeKind.NEW_CLASSES, digest.region_id, now))
    return [
        Debt(
            NoticeKind.NEW_CLASSES,
            subject_key=f"{digest.on}",
            page_subject=f"region={digest.region.key}&date={digest.on}",
            account_ids=theirs,
            facts=_facts(wanted, digest.covers_until),
            due_at=due_at(),
        )
        for wanted, theirs in to_tell.items()
    ]


def _facts(wanted: Sequence[_New], told_at: datetime) -> dict[str, object]:
    opens_at = max(wanted[0].opens_at, told_at)
    titles = list(dict.fromkeys(run.title for run in wanted))
    local = clock.in_town(opens_at)
    return {
        "what": _what(wanted),
        "activity": all(run.kind is CourseKind.ACTIVITY for run in wanted),
        "names": "、".join(titles[:MOST_NAMED]) + ("等" if len(titles) > MOST_NAMED else ""),
        "matter": f"新开{_what(wanted)}：{titles[0]}",
        "opens_at": opens_at.isoformat(),
        "opening": "现在可以报名"
        if opens_at <= told_at
        else f"{local.month}月{local.day}日 {local:%H:%M} 开始报名",
        "runs": [run.key for run in wanted[:MOST_KEYS]],
    }


def _what(wanted: Sequence[_New]) -> str:
    activities = sum(run.kind is CourseKind.ACTIVITY for run in wanted)
    return say_how_many(courses=len(wanted) - activities, activities=activities)


def _wishes(session: Session, accounts: Collection[int], *, home: int) -> Mapping[int, _Wishes]:
    wishes = {account_id: _Wishes({home}) for account_id in accounts}
    rows = session.execute(
        select(Follow.account_id, Follow.region_id, Follow.course_id, Follow.muted).where(
            Follow.account_id.in_(accounts)
        )
    )
    for row in rows:
        theirs = wishes[row.account_id]
        if row.course_id is not None:
            theirs.courses.add(row.course_id)
        elif row.muted:
            theirs.regions.discard(row.region_id)
        else:
            theirs.regions.add(row.region_id)
    return wishes


def _people_of(session: Session, digest: Digest, *, everybody: bool, most: int) -> list[int]:
    """The next accounts of this community (of no community, for the whole town's), by id; followers alone unless it is for everybody."""
    follows = select(Follow.id).where(Follow.account_id == Account.id).exists()
    query = (
        select(Account.id)
        .where(Account.id > digest.told_through, Account.closed_at.is_(None))
        .order_by(Account.id)
        .limit(most)
    )
    if digest.region.kind is RegionKind.COMMUNITY:
        query = query.join(Resident, Resident.account_id == Account.id).where(
            Resident.home_region_id == digest.region_id
        )
        return list(session.scalars(query if everybody else query.where(follows)))
    at_home = select(Resident.id).where(
        Resident.account_id == Account.id, Resident.home_region_id.is_not(None)
    )
    return list(session.scalars(query.where(follows, ~at_home.exists())))


def _hours(session: Session) -> Mapping[int, time]:
    """When each community publishes, and the whole town (the root of its places)."""
    set_there = dict(
        session.execute(
            select(Region.path, Policy.value)
            .join(Policy, Policy.region_id == Region.id)
            .where(Policy.name == "publishing_hour")
        ).all()
    )
    places = session.execute(
        select(Region.id, Region.path).where(
            (Region.kind == RegionKind.COMMUNITY) | Region.parent_id.is_(None)
        )
    )
    return {
        place.id: time.fromisoformat(
            next(
                (set_there[path] for path in reversed(paths_down_to(place.path)) if path in set_there),
                str(RULES["publishing_hour"].default),
            )
        )
        for place in places
    }


def _anything_new(session: Session, rows: Sequence[Mapping[str, Any]]) -> bool:
    since = min(row["covers_from"] for row in rows)
    until = max(row["covers_until"] for row in rows)
    return bool(_new_runs(session, since, until, most=1))


def _new_runs(session: Session, since: datetime, until: datetime, *, most: int | None = None) -> list[_New]:
    """What was published in a stretch of time (its beginning not included) and can still be registered for, by when it opens."""
    rows = session.execute(
        select(
            CourseRun.key,
            CourseRun.region_id,
            CourseRun.course_id,
            Course.title,
            Course.kind,
            CourseRun.opens_at,
        )
        .join(Course, Course.id == CourseRun.course_id)
        .where(
            CourseRun.stands_published(),
            CourseRun.published_at > since,
            CourseRun.published_at <= until,
            CourseRun.closes_at > clock.now(),
        )
        .order_by(CourseRun.opens_at, CourseRun.id)
        .limit(most)
    )
    return [_New(*row) for row in rows]
