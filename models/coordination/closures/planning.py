"""Planning a closure (影响方案): what it would mean for whom, looked at before anything is written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.availability import Stretch, stretch_of_day
from models.bulk import among
from models.coordination.closures.floor import Floor
from models.coordination.closures.proposing import Proposal, propose
from models.coordination.closures.rows import ClosureEffect, ClosureKind, Remedy, RoomClosure
from models.coordination.closures.seeing import Affected, affected_by, what_holds
from models.coordination.closures.shutting import closures_named, is_all_shut
from models.errors import Conflict, Fault
from models.hours import OpeningTimes
from models.occupancy import SHUT, Purpose
from models.reservations import Reservation, neighbours_of
from models.sites import Site, Venue

LONGEST = timedelta(days=92)
FARTHEST = timedelta(days=366)
MOST_AFFECTED = 200


@dataclass(frozen=True)
class Wanted:
    """What is to be closed: these rooms of a site, from a moment (this one, where none is said) to another."""

    kind: ClosureKind
    site: Site
    venues: Sequence[Venue]
    starts_at: datetime | None
    ends_at: datetime

    @property
    def during(self) -> Stretch:
        """From when to when, as it is now."""
        return Stretch(self.starts_at or clock.now(), self.ends_at)


@dataclass(frozen=True)
class Plan:
    """What it would mean: a remedy for each thing in the way. ``fingerprint`` names just this plan.

    ``closed_already``: other closures that hold some of it for some of the time; they stay, and the rest is closed.
    """

    wanted: Wanted
    during: Stretch
    items: Sequence[Proposal]
    fingerprint: str
    closed_already: Sequence[RoomClosure] = ()

    @property
    def affected(self) -> list[Affected]:
        """Everything in the way."""
        return [one.affected for one in self.items]


def look(session: Session, wanted: Wanted) -> Plan:
    """Everything that is in the way, each with a remedy of the same day; nothing is written.

    Raises Conflict ``closure_unfit`` naming what cannot be, ``closed_already`` where other closures hold all of the rooms all the while, and
    ``closure_too_large`` where more is affected than one decision can bear.
    """
    rooms = neighbours_of(session, wanted.venues)
    must_make_sense(wanted)
    during = wanted.during
    holders = what_holds(session, wanted.venues, during)
    closed = closures_named(session, _shut(holders)) if wanted.kind is not ClosureKind.HOURS else ()
    if closed:
        _must_leave_something(session, wanted, during, closed)
    affected = affected_by(session, rooms, during, holders)
    if wanted.kind is ClosureKind.HOURS:
        affected = _outside(session, wanted.site, affected)
    if len(affected) > MOST_AFFECTED:
        raise Conflict(
            "closure_too_large",
            f"这次要影响 {len(affected)} 个安排，一次最多 {MOST_AFFECTED} 个，请分几次，或缩短时间、减少场地",
            details={"affected": len(affected)},
        )
    items = propose(session, _floor(session, wanted, during, affected), affected)
    return Plan(wanted, during, items, _fingerprint(wanted, items, closed), closed)


def must_make_sense(wanted: Wanted) -> None:
    """Raise Conflict ``closure_unfit`` naming everything about it that cannot be."""
    now, faults = clock.now(), []
    begins = wanted.starts_at or now
    if wanted.starts_at is not None and wanted.starts_at < now:
        faults.append(Fault("starts_at", "请选现在以后的时间；马上开始的请不要填"))
    if wanted.ends_at <= begins:
        faults.append(Fault("ends_at", "结束时间要晚于开始时间"))
    elif wanted.ends_at - begins > LONGEST:
        faults.append(Fault("ends_at", f"一次最多 {LONGEST.days} 天，更久的请再办一次"))
    elif wanted.ends_at > now + FARTHEST:
        faults.append(Fault("ends_at", "请选一年以内的时间"))
    if not any(room.spaces for room in wanted.venues):
        faults.append(Fault("venues", "这些场地还没有登记空间，请先补充场地资料"))
    if faults:
        raise Conflict("closure_unfit", faults[0].message, faults=faults)


def _shut(holders: dict[str, Purpose]) -> set[str]:
    """What of these are closures."""
    return {key for key, what_for in holders.items() if what_for in SHUT}


def _must_leave_something(
    session: Session, wanted: Wanted, during: Stretch, closed: Sequence[RoomClosure]
) -> None:
    if is_all_shut(session, wanted.venues, during):
        raise Conflict(
            "closed_already",
            "这些场地这段时间已经全部停用或征用了，不用再办；要换原因或时间的，请先恢复开放",
            details={"closures": sorted(one.key for one in closed)},
            faults=[Fault("venues", "这些场地这段时间已经停用")],
        )


def outside_hours(session: Session, site: Site, during: Stretch) -> list[Affected]:
    """What of a site people come to in a stretch of time while nobody opens the door; what staff said may stay as it is not again."""
    rooms = neighbours_of(session, site.venues)
    holders = what_holds(session, rooms, during)
    return _outside(session, site, affected_by(session, rooms, during, holders))


def _outside(session: Session, site: Site, affected: Sequence[Affected]) -> list[Affected]:
    """What the community put there itself is its own to know."""
    coming = [
        one
        for one in affected
        if not (isinstance(one.thing, Reservation) and one.thing.resident_id is None) and not one.in_use
    ]
    if not coming:
        return []
    times, on_day = OpeningTimes(session, [site]), dict[tuple[int, date], list[Stretch]]()
    found = []
    for one in coming:
        on = clock.in_town(one.stretch.starts_at).date()
        if (one.venue.id, on) not in on_day:
            hours = times.on_day(times.of_venue(one.venue), on)
            on_day[one.venue.id, on] = [
                stretch_of_day(on, each.opens_minute, each.closes_minute) for each in hours
            ]
        if not any(each.contains(one.stretch) for each in on_day[one.venue.id, on]):
            found.append(one)
    kept = _kept(session, found)
    return [one for one in found if (one.key, one.stretch.starts_at) not in kept]


def _kept(session: Session, found: Sequence[Affected]) -> set[tuple[str, datetime]]:
    """What staff looked at before and left as it is."""
    rows = session.execute(
        select(ClosureEffect.thing, ClosureEffect.starts_at).where(
            among(ClosureEffect.thing, "things"), ClosureEffect.remedy == Remedy.KEEP
        ),
        {"things": [one.key for one in found]},
    )
    return {(thing, starts_at) for thing, starts_at in rows}


def _floor(session: Session, wanted: Wanted, during: Stretch, affected: Sequence[Affected]) -> Floor:
    days = [clock.in_town(one.stretch.starts_at).date() for one in affected] or [clock.today()]
    holds_nothing = wanted.kind is ClosureKind.HOURS
    return Floor(
        session,
        wanted.site,
        first=min(days),
        last=max(days),
        without={one.key for one in affected},
        closed=() if holds_nothing else wanted.venues,
        during=during,
    )


def _fingerprint(wanted: Wanted, items: Sequence[Proposal], closed: Sequence[RoomClosure]) -> str:
    said: list[Any] = [
        wanted.kind,
        wanted.site.key,
        sorted(room.key for room in wanted.venues),
        wanted.starts_at and wanted.starts_at.timestamp(),
        wanted.ends_at.timestamp(),
        [
            [
                one.affected.key,
                one.affected.state,
                one.affected.venue.key,
                one.affected.stretch.starts_at.timestamp(),
                one.affected.stretch.ends_at.timestamp(),
                one.affected.in_use,
                one.remedy,
                one.venue and one.venue.key,
                one.stretch and one.stretch.starts_at.timestamp(),
                one.clashing,
            ]
            for one in items
        ],
        sorted(one.key for one in closed),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]
