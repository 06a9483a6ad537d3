"""Opening hours (开放时间): when a site is open on working days, at weekends and on holidays, and when a room of it differs.

The calendar says what a day is, 调休 included: a Saturday that is worked goes by the hours of a working day (domain.md §5). A room goes
by the hours of its site unless it has its own. A site nobody has written hours for goes by its community's policy, and is closed on
holidays; one that was written down is open just when it says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, chosen_from
from models.calendars import Calendar, DayKind
from models.errors import Conflict, Fault
from models.journal import enter
from models.policies import Policies, policies_at_each
from models.sites import Site, Venue

MINUTES_OF_A_DAY = 24 * 60
MOST_STRETCHES = 12
NUMBERS_OF_HOURS = frozenset({"opens", "closes"})  # what a site nobody has written hours for goes by


class OpenOn(StrEnum):
    """Which days hours are for."""

    WORKDAY = "workday"  # 工作日，也包括调休上班的周末
    WEEKEND = "weekend"  # 周末
    HOLIDAY = "holiday"  # 法定节假日


_IS = {
    DayKind.WORKDAY: OpenOn.WORKDAY,
    DayKind.ADJUSTED_WORKDAY: OpenOn.WORKDAY,
    DayKind.WEEKEND: OpenOn.WEEKEND,
    DayKind.HOLIDAY: OpenOn.HOLIDAY,
}


@dataclass(frozen=True, order=True)
class Hours:
    """Open on such days from one minute of the day to another, the last not included; 1440 is midnight at the end."""

    on: OpenOn
    opens_minute: int
    closes_minute: int


class Opening(Base):
    """One stretch of a day in which a site, or one room of it, is open."""

    __tablename__ = "openings"
    __table_args__ = (
        CheckConstraint(
            f"0 <= opens_minute AND opens_minute < closes_minute AND closes_minute <= {MINUTES_OF_A_DAY}",
            name="within_a_day",
        ),
        Index("ix_openings_site", "site_id"),
        Index("ix_openings_venue", "venue_id"),
    )

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    venue_id: Mapped[int | None] = mapped_column(ForeignKey("venues.id"))  # none: the whole site
    on: Mapped[OpenOn] = mapped_column(chosen_from(OpenOn))
    opens_minute: Mapped[int]
    closes_minute: Mapped[int]

    @property
    def hours(self) -> Hours:
        """What it says."""
        return Hours(self.on, self.opens_minute, self.closes_minute)


def write_hours(
    session: Session,
    place: Site | Venue,
    hours: Sequence[Hours],
    *,
    by_account_id: int | None = None,
    identity: str = "town",
) -> None:
    """Let a site, or one room, be open just then; a room without hours of its own goes by its site's again.

    Stretches may touch and come in any order. Raises Conflict ``hours_unfit`` naming each that cannot be (``items.3.closes``), and keeps what was.
    """
    faults = _faults(hours)
    if faults:
        raise Conflict("hours_unfit", "写的开放时间有重叠或先后颠倒，请改好再保存", faults=faults)
    site_id, venue_id = (place.site_id, place.id) if isinstance(place, Venue) else (place.id, None)
    place.lock()  # two who write at once: the second replaces what the first wrote
    was = sorted(one.hours for one in hours_of(session, [site_id]) if one.venue_id == venue_id)
    if was == sorted(hours):
        return
    session.execute(
        delete(Opening).where(Opening.site_id == site_id, Opening.venue_id.is_not_distinct_from(venue_id))
    )
    session.add_all(
        Opening(
            site_id=site_id,
            venue_id=venue_id,
            on=one.on,
            opens_minute=one.opens_minute,
            closes_minute=one.closes_minute,
        )
        for one in sorted(hours)
    )
    enter(
        session,
        "venue.hours_written" if venue_id is not None else "site.hours_written",
        place,
        by_account_id=by_account_id,
        identity=identity,
        details={"was": [said(one) for one in was], "is": [said(one) for one in sorted(hours)]},
    )
    session.flush()


def hours_of(session: Session, sites: Iterable[int]) -> Sequence[Opening]:
    """Everything written of these sites (by id) and of their rooms, in the order of the day."""
    return session.scalars(
        select(Opening).where(Opening.site_id.in_(list(sites))).order_by(Opening.opens_minute)
    ).all()


class OpeningTimes:
    """When some rooms are open, read once for all of them."""

    def __init__(self, session: Session, sites: Sequence[Site]) -> None:
        self._calendar = Calendar.in_force(session)
        self._kinds: dict[date, OpenOn] = {}  # many rooms are asked about the same few days
        self._written: dict[tuple[int, int | None], list[Hours]] = defaultdict(list)
        for one in hours_of(session, {site.id for site in sites}):
            self._written[one.site_id, one.venue_id].append(one.hours)
        self._usual: Mapping[int, list[Hours]] = {
            region_id: _usual(policy)
            for region_id, policy in policies_at_each(
                session, {site.region_id for site in sites if (site.id, None) not in self._written}
            ).items()
        }

    def of_site(self, site: Site) -> list[Hours]:
        """The hours a site goes by."""
        return self._written.get((site.id, None)) or self._usual[site.region_id]

    def of_venue(self, venue: Venue) -> list[Hours]:
        """The hours a room goes by."""
        return self._written.get((venue.site_id, venue.id)) or self.of_site(venue.site)

    def is_written(self, place: Site | Venue) -> bool:
        """Whether hours were written for it; else it goes by its site's, or by its community's policy."""
        venue_id, site_id = (place.id, place.site_id) if isinstance(place, Venue) else (None, place.id)
        return (site_id, venue_id) in self._written

    def kind_of(self, on: date) -> OpenOn:
        """What a day is, as hours know it."""
        if on not in self._kinds:
            self._kinds[on] = _IS[self._calendar.kind_of(on)]
        return self._kinds[on]

    def on_day(self, hours: Iterable[Hours], on: date) -> list[Hours]:
        """When it is open on a day by these hours, in order, stretches that touch as one."""
        kind = self.kind_of(on)
        found: list[Hours] = []
        for one in sorted(one for one in hours if one.on is kind):
            if found and found[-1].closes_minute == one.opens_minute:
                found[-1] = replace(found[-1], closes_minute=one.closes_minute)
            else:
                found.append(one)
        return found


def said(hours: Hours) -> str:
    """Hours as a line of the journal: ``workday 08:30-21:00``."""
    return f"{hours.on} {said_minute(hours.opens_minute)}-{said_minute(hours.closes_minute)}"


def said_minute(minute: int) -> str:
    """A minute of the day on the clock; the last is 24:00."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _usual(policy: Policies) -> list[Hours]:
    opens, closes = (each.hour * 60 + each.minute for each in (policy.opens, policy.closes))
    if opens >= closes:
        return []
    return [Hours(on, opens, closes) for on in (OpenOn.WORKDAY, OpenOn.WEEKEND)]


def _faults(hours: Sequence[Hours]) -> list[Fault]:
    faults = []
    if len(hours) > MOST_STRETCHES:
        faults.append(Fault("items", f"最多写 {MOST_STRETCHES} 段开放时间"))
    sound: list[Hours] = []
    for place, one in enumerate(hours):
        if one.closes_minute <= one.opens_minute:
            faults.append(Fault(f"items.{place}.closes", "关门要晚于开门；过半夜的请分成两段写"))
        elif any(_overlap(one, other) for other in sound):
            faults.append(Fault(f"items.{place}.opens", "和前面写的时间重叠了"))
        else:
            sound.append(one)
    return faults


def _overlap(one: Hours, other: Hours) -> bool:
    return (
        one.on is other.on
        and one.opens_minute < other.closes_minute
        and other.opens_minute < one.closes_minute
    )
