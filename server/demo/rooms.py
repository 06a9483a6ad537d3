"""Rooms of the demo town's first centre in the days around the first start: reserved, asked for, waited for, in use, used, and left empty.

Whatever began before is played on a clock put back to then, as a class that is over is. The hours are those every day of the year has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account, welcome
from models.errors import Conflict
from models.groups import Group, groups_led_by
from models.regions import Region
from models.reservations import (
    ROOM_PLEDGE,
    By,
    Party,
    Reservation,
    ReservedFor,
    Wanted,
    appeal_credit,
    approve,
    cancel,
    check_in,
    entries_kept_of,
    release,
    renew_door_code,
    reserve,
    reserve_series,
    sign_out,
)
from models.residents import Resident, resident_of
from models.sites import Venue, venues_within
from models.staff import staff_members_of

TWO_HOURS = timedelta(hours=2)
HALF_AN_HOUR = timedelta(minutes=30)
MEETING, TABLE_TENNIS, SALON, HALL, HALF_OF_IT = "会议室", "乒乓球室", "心理沙龙室", "多功能厅", "多功能厅A"
OWN_EVENT = "邻里议事会"
WEEKS = 4
EXCUSE = "那天孙子发烧，一着急忘了取消"


@dataclass(frozen=True)
class _Stage:
    """Who takes part, where, and which day it is."""

    session: Session
    rooms: Mapping[str, Venue]
    clerk: By
    now: datetime

    def at(self, hour: int, *, days: int) -> datetime:
        """An hour so many days from the first start."""
        day = clock.in_town(self.now).date() + timedelta(days=days)
        return datetime.combine(day, time(hour), clock.TOWN_ZONE)

    def takes(
        self,
        who: Account,
        room: str,
        starts_at: datetime,
        *,
        wanted_for: ReservedFor = ReservedFor.MEETING,
        waits: bool = False,
    ) -> Reservation:
        """One tap of somebody."""
        wanted = _wish(starts_at, wanted_for=wanted_for)
        whose, by = Party(known(self.session, who)), _by(who)
        return reserve(self.session, self.rooms[room], wanted, whose=whose, by=by, waits=waits)


def reserve_rooms(
    session: Session, community: Region, leader: Account, neighbours: Sequence[Account], *, now: datetime
) -> None:
    """Let the leader of the chorus and six neighbours of the community use its rooms, and the clerk see to it."""
    account = welcome(session, openid="demo-clerk")
    (member,) = staff_members_of(session, account)
    rooms = {venue.name: venue for venue in venues_within(session, community)}
    stage = _Stage(session, rooms, By(account.id, member.identity), now)
    for name in (MEETING, TABLE_TENNIS):
        renew_door_code(session, rooms[name], by=stage.clerk)
    first, second, third, fourth, fifth, sixth = neighbours
    _what_is_over(stage, fifth, sixth)
    with clock.stopped_at(stage.at(12, days=-1)):
        stage.takes(leader, MEETING, stage.at(9, days=1))
        stage.takes(
            leader, TABLE_TENNIS, stage.at(10, days=6), wanted_for=ReservedFor.GAMES
        )  # will be closed
        stage.takes(first, MEETING, stage.at(9, days=1), waits=True)
        stage.takes(second, SALON, stage.at(14, days=3), wanted_for=ReservedFor.READING)
        given_up = stage.takes(third, TABLE_TENNIS, stage.at(14, days=2), wanted_for=ReservedFor.GAMES)
        stage.takes(fourth, TABLE_TENNIS, stage.at(14, days=2), wanted_for=ReservedFor.GAMES, waits=True)
        own = _wish(stage.at(9, days=4), heads=60, about=OWN_EVENT)
        reserve(session, rooms[HALL], own, whose=Party(), by=stage.clerk)
        _sing_every_week(stage, leader)
    _who_is_there(stage, fifth)
    cancel(session, given_up, by=_by(third))  # and who waited has two hours to say yes


def _what_is_over(stage: _Stage, came: Account, stayed_away: Account) -> None:
    """Somebody used a room as reserved; somebody else did not come, and asks to be forgiven."""
    session = stage.session
    with clock.stopped_at(stage.at(12, days=-3)) as hand:
        kept = stage.takes(came, MEETING, stage.at(10, days=-2))
        missed = stage.takes(stayed_away, TABLE_TENNIS, stage.at(14, days=-2), wanted_for=ReservedFor.GAMES)
        hand.move_to(stage.at(10, days=-2))
        check_in(session, kept, by=_by(came), door_code=kept.venue.door_code)
        hand.move_to(stage.at(12, days=-2) - timedelta(minutes=10))
        sign_out(session, kept, by=_by(came))
        hand.move_to(stage.at(15, days=-2))
        release(session, missed)
        hand.move_to(stage.at(19, days=-2))
        for entry in entries_kept_of(session, [known(session, stayed_away).id]):
            appeal_credit(session, entry, EXCUSE, by=_by(stayed_away))


def _sing_every_week(stage: _Stage, leader: Account) -> None:
    session, resident = stage.session, known(stage.session, leader)
    chorus: Group = next(group for group in groups_led_by(session, [resident.id]) if group.stands)
    wanted = _wish(stage.at(14, days=5), wanted_for=ReservedFor.REHEARSAL, heads=24)
    room = stage.rooms[HALF_OF_IT]
    for week in reserve_series(session, room, wanted, WEEKS, whose=Party(resident, chorus), by=_by(leader)):
        approve(session, week, by=stage.clerk)


def _who_is_there(stage: _Stage, who: Account) -> None:
    """Somebody sits in the meeting room since the last half hour; nobody does while the centre is closed, or closes within two hours."""
    started_at = stage.now - (stage.now - stage.at(0, days=0)) % HALF_AN_HOUR
    with clock.stopped_at(started_at - HALF_AN_HOUR) as hand:
        try:
            here = stage.takes(who, MEETING, started_at)
        except Conflict as refusal:
            if refusal.code not in ("closed_then", "time_unfit"):
                raise
            return
        hand.move_to(started_at)
        check_in(stage.session, here, by=_by(who), door_code=here.venue.door_code)


def _wish(
    starts_at: datetime,
    *,
    wanted_for: ReservedFor = ReservedFor.MEETING,
    heads: int = 6,
    about: str = "",
) -> Wanted:
    return Wanted(
        starts_at,
        starts_at + TWO_HOURS,
        heads,
        wanted_for,
        about=about,
        pledge_version=ROOM_PLEDGE.version,
    )


def _by(who: Account) -> By:
    return By(who.id, "resident")


def known(session: Session, who: Account) -> Resident:
    """Who somebody of the demo town is."""
    resident = resident_of(session, who)
    if resident is None:
        raise RuntimeError(f"{who.openid} of the demo town said nothing of themselves")
    return resident
