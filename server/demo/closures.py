"""A closure ahead in the demo town: the floor of one room is mended in six days, and the resident who has it then is asked about another."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.accounts import welcome
from models.coordination.closures import ClosureKind, Decision, Wanted, close, look
from models.regions import Region
from models.reservations import By
from models.sites import Site, SiteKind
from models.staff import staff_members_of
from server.demo.rooms import TABLE_TENNIS

DAYS_AHEAD = 6
MENDED = "地板翻修"


def close_a_room(session: Session, community: Region, *, now: datetime) -> None:
    """Let the clerk close the room for a day, as the plan proposes."""
    account = welcome(session, openid="demo-clerk")
    (member,) = staff_members_of(session, account)
    site = session.scalars(
        select(Site).where(Site.region_id == community.id, Site.kind == SiteKind.CENTRE)
    ).one()
    rooms = [room for room in site.venues if room.name == TABLE_TENNIS]
    on = clock.in_town(now).date() + timedelta(days=DAYS_AHEAD)
    starts_at = datetime.combine(on, time(8), clock.TOWN_ZONE)
    wanted = Wanted(ClosureKind.CLOSURE, site, rooms, starts_at, starts_at + timedelta(hours=14))
    decision = Decision(MENDED, look(session, wanted).fingerprint)
    close(session, wanted, decision, by=By(account.id, member.identity))
