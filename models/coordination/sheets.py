"""Sheets of rooms (场地表格): the calendar of a service point, or how much it was used, as it leaves the house on paper.

A file cannot be taken back, so it is taken for a purpose, which the journal keeps, and every page says who took it, when, and for what. People
stand on it only where they are wanted by name; then there are no more of them at once than the community's policy says, and each of them
can read that somebody looked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from models import clock
from models.coordination.calendar import SiteCalendar, calendar_of_rooms
from models.coordination.holders import whose_are
from models.coordination.utilisation import Utilisation, utilisation
from models.courses import say_taken
from models.errors import Conflict
from models.journal import enter, enter_each
from models.occupancy import Purpose
from models.policies import policies_at
from models.reservations import Reservation
from models.sites import Site
from models.staff import StaffMember


class RoomSheetKind(StrEnum):
    """What is on the paper."""

    CALENDAR = "calendar"  # 场地安排表
    UTILISATION = "utilisation"  # 场地使用率


@dataclass(frozen=True)
class RoomSheet:
    """One sheet as it leaves the house. ``people``: whose the reservations are, by their key, where they are wanted by name."""

    site: Site
    first: date
    days: int
    shown: SiteCalendar | Utilisation
    people: Mapping[str, Reservation] | None
    taken_by: str
    taken_at: datetime
    purpose: str

    @property
    def watermark(self) -> str:
        """Who took it, when, and for what: on every page."""
        return say_taken(self.taken_by, self.taken_at, self.purpose)


def take_room_sheet(
    session: Session,
    site: Site,
    kind: RoomSheetKind,
    *,
    first: date,
    days: int,
    with_names: bool,
    purpose: str,
    by: StaffMember,
) -> RoomSheet:
    """Take a sheet of a service point out of the house, which the journal keeps with its purpose.

    Names are of a calendar alone. Raises Conflict ``export_too_large`` for more people than the community's policy (``export_lines``) allows
    at once.
    """
    shown: SiteCalendar | Utilisation
    people = None
    if kind is RoomSheetKind.CALENDAR:
        (shown,) = calendar_of_rooms(session, [site], first=first, days=days)
        people = _people_on(session, shown, by=by) if with_names else None
    else:
        shown = utilisation(session, [site], first=first, days=days)
    enter(
        session,
        "site.sheet_exported",
        site,
        by_account_id=by.account_id,
        identity=by.identity,
        details={
            "kind": kind,
            "purpose": purpose,
            "first": first.isoformat(),
            "days": days,
            "people": len(people or ()),
        },
    )
    session.flush()
    return RoomSheet(site, first, days, shown, people, by.name, clock.now(), purpose)


def look_at_people(
    session: Session, *calendars: SiteCalendar, by_account_id: int | None, identity: str
) -> Mapping[str, Reservation]:
    """Whose the reservations in these calendars are that are a person's, by their key; for each it is written down that somebody looked."""
    keys = {
        use.holder.key
        for calendar in calendars
        for rooms in calendar.days
        for room in rooms
        for use in room.uses
        if use.holder.purpose is Purpose.RESERVATION
    }
    people = whose_are(session, keys)
    enter_each(
        session,
        "reservation.looked_at",
        [(one, one.resident_id) for _, one in sorted(people.items())],
        by_account_id=by_account_id,
        identity=identity,
    )
    return people


def _people_on(session: Session, calendar: SiteCalendar, *, by: StaffMember) -> Mapping[str, Reservation]:
    people = look_at_people(session, calendar, by_account_id=by.account_id, identity=by.identity)
    most = policies_at(session, calendar.site.region_id).export_lines
    if len(people) > most:
        raise Conflict(
            "export_too_large",
            f"一次最多导出 {most} 人，这些天的预约超过了；请缩短日期，或不带姓名导出",
            details={"most": most},
        )
    return people
