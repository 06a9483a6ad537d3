"""The stage of the month: the rooms of the demo centre, who holds them, and what must be true whenever the worker has done its work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import literal, select
from sqlalchemy.orm import Session, selectinload
from werkzeug.test import TestResponse

from models import clock as town_clock
from models.agreements import ServiceAgreement, ServiceHold
from models.base import reading
from models.coordination.closures import RoomClosure
from models.coordination.closures.rows import PURPOSES
from models.courses import CourseSession, SessionState
from models.notices import NoticeKind
from models.occupancy import Occupancy, Purpose, day_by_day
from models.policies import DEFAULTS
from models.reservations import HOLDING, LIVE, ROOM_PLEDGE, Reservation, ReservationState
from models.reservations.reminding import BEFORE
from models.sites import venue_spaces
from tests.people import Person
from tests.phones import Phone, told
from tests.playing import Heard, Play

FIRST, DAYS = (
    date(2026, 9, 14),
    28,
)  # a Monday, and four weeks with Mid-Autumn, National Day and two worked weekend days in them
HOLDS = (
    *HOLDING,
    ReservationState.FINISHED,
)  # what was used stays in the calendar; what nobody came to does not

PLEDGED = {"pledge": ROOM_PLEDGE.version}


class Held(NamedTuple):
    """One piece of floor held from one moment to another, and by what."""

    space_id: int
    starts_at: datetime
    ends_at: datetime
    purpose: Purpose
    holder_key: str


class Holder(NamedTuple):
    """What holds a room from one moment to another, the time to clean up included."""

    venue_id: int
    starts_at: datetime
    ends_at: datetime
    purpose: Purpose
    key: str


@dataclass
class Month(Play):
    """Everything that plays."""

    step: timedelta = timedelta(hours=12)  # what is due between is met when it is: ``next_stop``
    unit_account: int = 0  # of who acts for the unit that serves the neighbourhood
    unit_login: str = ""
    kinds: frozenset[NoticeKind] = frozenset()  # what the story is about
    rooms: dict[str, str] = field(default_factory=dict)  # keys, by the name on the door
    door_codes: dict[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)  # keys of whatever else the story names
    used: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # minutes people were there
    told_before: list[Heard] = field(default_factory=list)  # by who has left since

    # --- whose phone ----------------------------------------------------------------------------------------------

    @cached_property
    def readers(self) -> Mapping[str, int]:
        """The office and the unit hear of what concerns them too."""
        staff = {name: getattr(self.town, name).account_id for name in ("clerk", "admin")}
        return {**super().readers, **staff, "unit": self.unit_account}

    @property
    def admin(self) -> Phone:
        """The phone of who answers for the community."""
        return self.door.phone(self.town.admin)

    @property
    def of_unit(self) -> Phone:
        """The phone of who acts for the unit."""
        return Phone(
            self.door.app.test_client(),
            self.door.token_of(self.unit_login),
            f"partner:{self.known['unit']}",
        )

    # --- one deed of somebody -------------------------------------------------------------------------------------

    def asks(
        self,
        who: Person,
        room: str,
        starts_at: datetime,
        hours: float = 2,
        *,
        whom: Person | None = None,
        **more: Any,
    ) -> TestResponse:
        """One tap for a room."""
        query = f"?for={whom.key}" if whom else ""
        return self.phone(who).post(
            f"/venues/{self.rooms[room]}/reservations{query}",
            json=self.wish(starts_at, hours, **PLEDGED, **more),
        )

    def wish(self, starts_at: datetime, hours: float = 2, **more: Any) -> dict[str, Any]:
        """What is wanted."""
        return {
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=hours)).isoformat(),
            "headcount": 6,
            "wanted_for": "meeting",
            **more,
        }

    def takes(
        self, called: str, who: Person, room: str, starts_at: datetime, hours: float = 2, **more: Any
    ) -> str:
        """The same, and it works: from now on the story calls it so. Its state."""
        made = told(self.asks(who, room, starts_at, hours, **more), 201)
        self.known[called] = made["key"]
        return str(made["state"])

    def path(self, called: str) -> str:
        """The address of a reservation, for whom it belongs to."""
        return f"/reservations/{self.known[called]}"

    def row(self, called: str) -> Reservation:
        """A reservation as it stands in the database."""
        with reading() as session:
            return session.scalars(
                select(Reservation)
                .options(selectinload(Reservation.venue))
                .where(Reservation.key == self.known[called])
            ).one()

    def state(self, called: str) -> str:
        """Where a reservation stands."""
        return self.row(called).state.value

    def gives_up(self, called: str, who: Person) -> None:
        """取消."""
        assert self.phone(who).delete(self.path(called)).status_code == 204

    def accepts(self, called: str, who: Person) -> str:
        """确认; what it is then."""
        return str(told(self.phone(who).put(f"{self.path(called)}/acceptance"))["state"])

    def checks_in(self, called: str, who: Person) -> None:
        """签到, with the digits on the door."""
        code = {"door_code": self.door_codes[self.row(called).venue.name]}
        there = told(self.phone(who).put(f"{self.path(called)}/check-in", json=code))
        assert there["state"] == "checked_in"

    def signs_out(self, called: str, who: Person) -> None:
        """签退."""
        told(self.phone(who).put(f"{self.path(called)}/sign-out", json={"condition": "good"}))
        self.was_used(called)

    def was_used(self, called: str) -> None:
        """Its minutes count as used."""
        row = self.row(called)
        self.used[row.venue.name] += row.minutes

    def credit(self, who: Person, *, group: str | None = None) -> tuple[int, bool]:
        """Points, and whether reserving is paused, as the phone shows them; they are what the entries add up to."""
        query = f"?group={group}" if group else ""
        mine = told(self.phone(who).get(f"/me/credit{query}"))
        points = 100
        for entry in reversed(mine["items"]):
            if entry["counts"]:
                points = max(0, min(100, points + entry["points"]))
        assert points == mine["points"]
        return points, mine["paused_until"] is not None

    def leaves(self, called: str) -> None:
        """Somebody goes for good: what they heard is kept for the end."""
        self.told_before += [one for one in self.heard(self.kinds) if one.who == called]
        self.readers = {name: account for name, account in self.readers.items() if name != called}

    # --- time -----------------------------------------------------------------------------------------------------

    def next_stop(self) -> datetime:
        """Rooms do not wait for the next step: the worker is there when something of them is due."""
        now = town_clock.now()
        with reading() as session:
            live = session.scalars(
                select(Reservation).where(Reservation.state.in_(LIVE)).order_by(Reservation.id)
            ).all()
            return min([super().next_stop(), *(due for one in live for due in _due(one) if due > now)])

    def work(self) -> None:
        """And then everything is as it must be."""
        super().work()
        self.must_be_whole()

    # --- what must be true ----------------------------------------------------------------------------------------

    def must_be_whole(self) -> None:
        """No two have one floor; the calendar is just what its holders hold; nobody waits beside an empty room."""
        with reading() as session:
            rows = session.execute(
                select(
                    Occupancy.space_id,
                    Occupancy.starts_at,
                    Occupancy.ends_at,
                    Occupancy.purpose,
                    Occupancy.holder_key,
                ).order_by(Occupancy.space_id, Occupancy.starts_at, Occupancy.ends_at)
            ).all()
            held = [Held(*row) for row in rows]
            floor = self._floor(session)
            owed = {
                Held(space_id, begins, ends, one.purpose, one.key)
                for one in self._holders(session)
                for space_id in floor[one.venue_id]
                for begins, ends in day_by_day(one.starts_at, one.ends_at)
            }
            assert held == sorted(owed), "every minute is somebody's, and everybody has theirs"
            for one, after in pairwise(held):
                assert one.space_id != after.space_id or one.ends_at <= after.starts_at, (one, after)
            self._nobody_waits_beside_an_empty_room(session, held, floor)

    def _floor(self, session: Session) -> Mapping[int, set[int]]:
        """The pieces of floor of every room, by their ids."""
        found: dict[int, set[int]] = defaultdict(set)
        for venue_id, space_id in session.execute(select(venue_spaces)):
            found[venue_id].add(space_id)
        return found

    def _holders(self, session: Session) -> Iterable[Holder]:
        """Whatever holds a room, read from the nouns alone."""
        reserved = session.scalars(
            select(Reservation).where(Reservation.state.in_(HOLDS)).order_by(Reservation.id)
        )
        for one in reserved:
            yield Holder(one.venue_id, one.starts_at, one.held_until, Purpose.RESERVATION, one.key)
        classes = (
            select(CourseSession.venue_id, CourseSession.starts_at, CourseSession.ends_at)
            .add_columns(literal(Purpose.COURSE_SESSION), CourseSession.key)
            .where(CourseSession.state != SessionState.CANCELLED)
        )
        for row in session.execute(classes):
            yield Holder(*row)
        served = (
            select(ServiceAgreement.venue_id, ServiceHold.starts_at, ServiceHold.ends_at)
            .add_columns(literal(Purpose.SERVICE), ServiceHold.key)
            .join(ServiceHold, ServiceHold.agreement_id == ServiceAgreement.id)
        )
        for row in session.execute(served):
            yield Holder(*row)
        closed = session.scalars(
            select(RoomClosure).options(selectinload(RoomClosure.venues)).order_by(RoomClosure.id)
        )
        for closure in closed:
            until = min(closure.ends_at, closure.lifted_at or closure.ends_at)
            if closure.kind in PURPOSES and until > closure.starts_at:
                for room in closure.venues:
                    yield Holder(room.id, closure.starts_at, until, PURPOSES[closure.kind], closure.key)

    def _nobody_waits_beside_an_empty_room(
        self, session: Session, held: Sequence[Held], floor: Mapping[int, set[int]]
    ) -> None:
        now = town_clock.now()
        waiting = session.scalars(
            select(Reservation)
            .where(Reservation.state == ReservationState.WAITLISTED, Reservation.ends_at > now)
            .order_by(Reservation.id)
        ).all()
        for one in waiting:
            starts_at = max(one.starts_at, now)
            in_the_way = any(
                each.space_id in floor[one.venue_id]
                and each.starts_at < one.held_until
                and starts_at < each.ends_at
                for each in held
            )
            assert in_the_way, (one.key, one.starts_at)

    def every_open_minute_is_free_or_held(self) -> None:
        """Over the whole month, in every room: what is free and what is held are together what is open, and share nothing."""
        for first in (FIRST, FIRST + timedelta(days=14)):
            days = told(
                self.anybody.get(
                    f"/sites/{self.known['site']}/availability?first={first.isoformat()}&days=14"
                )
            )["days"]
            assert len(days) == 14
            for day in days:
                for room in day["rooms"]:
                    open_, free, held = (_minutes(room[name], day["on"]) for name in ("open", "free", "held"))
                    assert free | (held & open_) == open_, (day["on"], room["venue"])
                    assert not free & held, (day["on"], room["venue"])

    def the_minutes_used_are_those_people_were_there(self) -> None:
        """Room by room, as the office reads how much they were used; of the hall a half counts half."""
        told_ = told(
            self.clerk.get(
                f"/staff/room-utilisation?site={self.known['site']}&first={FIRST.isoformat()}&days={DAYS}"
            )
        )
        (site,) = told_["sites"]
        found = {
            room["venue"]["name"]: sum(
                one["minutes"] for one in room["usage"]["by_purpose"] if one["purpose"] == Purpose.RESERVATION
            )
            for room in site["rooms"]
        }
        whole = found.pop("多功能厅")
        assert {name: minutes for name, minutes in found.items() if minutes} == self.used
        assert whole == (self.used["多功能厅A"] + self.used["多功能厅B"]) // 2


def _due(one: Reservation) -> Iterable[datetime]:
    """When something becomes of a reservation by itself, by the numbers of the house."""
    if one.state is ReservationState.APPROVED:
        yield one.starts_at - BEFORE
        late = timedelta(minutes=DEFAULTS.no_show_minutes)
        yield max(one.starts_at, one.offered_at or one.starts_at) + late if one.resident_id else one.ends_at
    elif one.state is ReservationState.CHECKED_IN:
        yield one.ends_at + timedelta(minutes=DEFAULTS.sign_out_minutes)
    elif one.state is ReservationState.PENDING:
        yield one.starts_at - timedelta(hours=DEFAULTS.unreviewed_until_hours)
    elif one.offer_expires_at is not None:
        yield one.offer_expires_at


def _minutes(stretches: Iterable[Mapping[str, str]], on: str) -> set[int]:
    """The minutes of a day some stretches cover."""
    midnight = datetime.combine(date.fromisoformat(on), time(), town_clock.TOWN_ZONE)
    found: set[int] = set()
    for one in stretches:
        begins, ends = (datetime.fromisoformat(one[name]) for name in ("starts_at", "ends_at"))
        found.update(range(*(int((moment - midnight).total_seconds()) // 60 for moment in (begins, ends))))
    return found
