"""Asking (预约): the one place where a room is reserved. The phone, the counter and a series all come through ``reserve``.

In this order: whoever has just this reservation already gets the same answer again; who asks must be allowed to (``judging``); who waits
comes first (``waiting``); the room must be free, or one may wait for it. Twice protected: by the lock on the floor that ``hold_rooms`` takes, and by
the guard of the one calendar, which no path gets round.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.availability import Alternative, Stretch, alternatives, other_times, stretch_of_day
from models.equipment import enough_within
from models.errors import Conflict, Fault
from models.journal import enter
from models.notices import NoticeKind
from models.occupancy import SHUT, Purpose, purposes_between
from models.policies import Policies
from models.reservations.finding import rooms_of
from models.reservations.holding import borrow, hold_rooms, is_taken, keep_room
from models.reservations.house_rules import ReadRules, house_rules_of
from models.reservations.judging import Judge
from models.reservations.parties import By, Party, must_not_be_own
from models.reservations.pledges import must_have_pledged
from models.reservations.reviewing import begin_review
from models.reservations.rows import LIVE, Reservation, ReservationSeries, ReservationState, ReservedFor
from models.reservations.telling import tell, tell_acted_for
from models.reservations.waiting import is_hopeless, offer_what_is_free
from models.sites import Venue

DIGITS_OF_A_CODE = 6
LOOKS_AHEAD = 3  # days, for something else to offer


class RoomTaken(Conflict):
    """Somebody else has the room then, or it is ``closed``; ``alternatives`` are what else there is for whoever asked."""

    def __init__(
        self, venue: Venue, found: Sequence[Alternative], *, may_wait: bool, closed: bool = False
    ) -> None:
        why = "这个时间停用" if closed else "这个时间已被约走"
        says = f"“{venue.name}”{why}"
        if found:
            says += "，可以看看下面这些时间和场地" + ("，也可以排队候补" if may_wait else "")
        else:
            says += "，可以排队候补，或换一天看看" if may_wait else "，请换一天看看"
        super().__init__(
            "room_taken",
            says,
            details={
                "venue": venue.key,
                "may_wait": may_wait,
                "closed": closed,
                "alternatives": _told(found),
            },
            faults=[Fault("starts_at", why)],
        )


def _told(found: Sequence[Alternative]) -> list[dict[str, str]]:
    return [
        {
            "kind": one.kind.value,
            "venue": one.venue.key,
            "name": one.venue.name,
            "starts_at": clock.in_town(one.starts_at).isoformat(),
            "ends_at": clock.in_town(one.ends_at).isoformat(),
        }
        for one in found
    ]


@dataclass(frozen=True)
class Wanted:
    """What somebody wants of a room. ``pieces``: how many of which equipment, by key."""

    starts_at: datetime
    ends_at: datetime
    headcount: int
    wanted_for: ReservedFor
    about: str = ""
    loudspeaker: bool = False
    with_children: bool = False
    pledge_version: str | None = None
    pieces: Mapping[str, int] = field(default_factory=dict)

    @property
    def stretch(self) -> Stretch:
        """When."""
        return Stretch(self.starts_at, self.ends_at)


def look_first(
    session: Session,
    venue: Venue,
    wanted: Wanted,
    *,
    whose: Party,
    by: By,
    acted_for: bool = False,
    rules: ReadRules = house_rules_of,
) -> None:
    """Raises what ``reserve`` would, as far as a look tells that holds nobody up: when everybody wants one slot, nearly all hear no.

    Nothing is held, so whoever passes may still come too late. ``rules``: where to read what the rooms go by, which may be a moment old; who
    holds what is read now.
    """
    if not (whose.is_community or by.is_staff):
        must_have_pledged(wanted.pledge_version)
    # nearly all who come here come too late: what else there is is judged by the same look
    judge = _judge_of_site(session, venue, wanted, whose, by=by, acted_for=acted_for, rules=rules)
    if judge.have_just_this(venue, wanted.stretch):
        return
    judge.must_be_allowed(venue, wanted.stretch, headcount=wanted.headcount)
    held = _held_for(session, venue, wanted, judge)
    if held:
        raise _taken(session, venue, wanted, judge, held)


def reserve(
    session: Session,
    venue: Venue,
    wanted: Wanted,
    *,
    whose: Party,
    by: By,
    acted_for: bool = False,
    waits: bool = False,
) -> Reservation:
    """Reserve a room, or wait for it where it is taken and one ``waits``; asked again for just the same, the same is answered.

    ``acted_for``: a grown-up asks for somebody else. Raises Forbidden ``own_content`` for staff who ask for themselves, Conflict ``pledge_needed``, everything ``Judge.must_be_allowed`` says,
    ``room_taken`` (``RoomTaken``) with what else there is, and ``equipment_short`` with the other hours of the day.
    """
    if by.is_staff:
        must_not_be_own(whose.resident, by)
    pledge = "" if whose.is_community or by.is_staff else must_have_pledged(wanted.pledge_version)
    whose.hold()
    whose.must_still_stand(session)
    standing = _standing(session, venue, wanted, whose)
    if standing is not None:
        return standing
    judge = _judge(session, venue, wanted, whose, by=by, acted_for=acted_for)
    judge.must_be_allowed(venue, wanted.stretch, headcount=wanted.headcount)
    if not waits and _held_for(session, venue, wanted, judge):
        # most who come too late need not wait for each other to hear it
        raise taken(session, venue, wanted, whose, by=by, acted_for=acted_for)
    rooms = hold_rooms(session, venue)
    offer_what_is_free(session, rooms)
    row = new_reservation(session, venue, wanted, whose, by=by, judge=judge, pledge=pledge)
    row.makes_good_id = judge.spends(venue, wanted.stretch)
    if is_taken(session, row):
        if not waits or not may_wait(row, judge.numbers(venue)):
            raise taken(session, venue, wanted, whose, by=by, acted_for=acted_for)
        row.state = ReservationState.WAITLISTED
    begin_review(session, [row], judge.numbers(venue))
    session.add(row)
    session.flush()
    if row.state is not ReservationState.WAITLISTED:
        _borrow(session, row, wanted, judge)
        keep_room(session, row)
    enter(
        session,
        "reservation.waiting" if row.state is ReservationState.WAITLISTED else "reservation.made",
        row,
        by_account_id=by.account_id,
        identity=by.identity,
        for_resident_id=row.resident_id if acted_for or by.is_staff else None,
    )
    session.flush()
    if acted_for or by.is_staff:
        tell_acted_for(session, row, by)
    elif row.state is ReservationState.APPROVED:
        tell(session, NoticeKind.ROOM_RESERVED, row)
    return row


def new_reservation(
    session: Session,
    venue: Venue,
    wanted: Wanted,
    whose: Party,
    *,
    by: By,
    judge: Judge,
    pledge: str = "",
    series: ReservationSeries | None = None,
) -> Reservation:
    """A reservation as it would be, not yet kept: waiting for review, or theirs at once."""
    needs_review = judge.needs_review(venue)
    return Reservation(
        venue=venue,
        series=series,
        resident=whose.resident,
        group=whose.group,
        by_account_id=by.account_id,
        state=ReservationState.PENDING if needs_review else ReservationState.APPROVED,
        reviewed_at=clock.now() if by.is_staff and not needs_review else None,
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
        buffer_minutes=judge.numbers(venue).buffer_minutes,
        wanted_for=wanted.wanted_for,
        about=wanted.about,
        headcount=wanted.headcount,
        loudspeaker=wanted.loudspeaker,
        with_children=wanted.with_children,
        pledge_version=pledge,
        code=f"{secrets.randbelow(10**DIGITS_OF_A_CODE):0{DIGITS_OF_A_CODE}}",
    )


def may_wait(row: Reservation, policy: Policies) -> bool:
    """Whether waiting could come to anything."""
    return row.starts_at > clock.now() and not is_hopeless(row, policy, clock.now())


def taken(
    session: Session, venue: Venue, wanted: Wanted, whose: Party, *, by: By, acted_for: bool
) -> RoomTaken:
    """The refusal for somebody who comes too late, with what else of the site there is for them on this day and the next few."""
    judge = _judge_of_site(session, venue, wanted, whose, by=by, acted_for=acted_for)
    return _taken(session, venue, wanted, judge, _held_for(session, venue, wanted, judge))


def _judge_of_site(
    session: Session,
    venue: Venue,
    wanted: Wanted,
    whose: Party,
    *,
    by: By,
    acted_for: bool,
    rules: ReadRules = house_rules_of,
) -> Judge:
    on = clock.in_town(wanted.starts_at).date()
    rooms = [venue, *(room for room in venue.site.venues if room.takes_reservations and room is not venue)]
    return Judge(
        session,
        whose,
        rooms,
        first=on,
        last=on + timedelta(days=LOOKS_AHEAD),
        by_staff=by.is_staff,
        acted_for=acted_for,
        rules=rules(session, rooms),
    )


def _taken(
    session: Session, venue: Venue, wanted: Wanted, judge: Judge, held: Collection[Purpose]
) -> RoomTaken:
    found = alternatives(
        session,
        venue,
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
        headcount=wanted.headcount,
        days=LOOKS_AHEAD,
        fits=lambda room, stretch, _: judge.why_not(room, stretch, headcount=wanted.headcount) is None,
        times=judge.times,
        numbers=judge.numbers_of_each,
    )
    return RoomTaken(venue, found, may_wait=wanted.starts_at > clock.now(), closed=not SHUT.isdisjoint(held))


def _borrow(session: Session, row: Reservation, wanted: Wanted, judge: Judge) -> None:
    """Lend it what is wanted with it. Where too little of that is left, the refusal tells at which other hours of the day they could have room and equipment."""
    try:
        borrow(session, row, dict(wanted.pieces))
    except Conflict as refusal:
        if refusal.code == "equipment_short":
            refusal.details["alternatives"] = _told(_with_equipment(session, row.venue, wanted, judge))
        raise


def _with_equipment(session: Session, venue: Venue, wanted: Wanted, judge: Judge) -> Sequence[Alternative]:
    day = stretch_of_day(clock.in_town(wanted.starts_at).date())
    buffer = timedelta(minutes=judge.numbers(venue).buffer_minutes)
    is_enough = enough_within(session, wanted.pieces, starts_at=day.starts_at, ends_at=day.ends_at + buffer)
    return other_times(
        session,
        venue,
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
        headcount=wanted.headcount,
        fits=lambda room, stretch, _: (
            is_enough(stretch.starts_at, stretch.ends_at + buffer)
            and judge.why_not(room, stretch, headcount=wanted.headcount) is None
        ),
        times=judge.times,
        numbers=judge.numbers_of_each,
    )


def _judge(session: Session, venue: Venue, wanted: Wanted, whose: Party, *, by: By, acted_for: bool) -> Judge:
    on = clock.in_town(wanted.starts_at).date()
    return Judge(session, whose, [venue], first=on, last=on, by_staff=by.is_staff, acted_for=acted_for)


def _held_for(session: Session, venue: Venue, wanted: Wanted, judge: Judge) -> Collection[Purpose]:
    """What the room is held for then, or in the cleaning after it; nothing where it is free."""
    clean_at = wanted.ends_at + timedelta(minutes=judge.numbers(venue).buffer_minutes)
    return purposes_between(session, venue, starts_at=wanted.starts_at, ends_at=clean_at).values()


def _standing(session: Session, venue: Venue, wanted: Wanted, whose: Party) -> Reservation | None:
    """Just this reservation, where they have it already: a second tap is no second reservation."""
    return session.scalars(
        select(Reservation)
        .options(*rooms_of())
        .where(
            whose.owns(),
            Reservation.venue_id == venue.id,
            Reservation.starts_at == wanted.starts_at,
            Reservation.ends_at == wanted.ends_at,
            Reservation.state.in_(LIVE),
        )
        .execution_options(populate_existing=True)
    ).first()
